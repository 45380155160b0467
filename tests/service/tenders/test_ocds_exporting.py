"""What is given out is OCDS 1.1 with our extension, keeps every digest, and says where each step is recorded."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocdsmerge import Merger
from published import example_packages, faults, package, release, release_schema, validate

from anchors.subjects import Subject
from ledger_service.tenders.ocds.exporting import EXTENSION_FILES, Publication, export_package
from ledger_service.tenders.ocds.facts import Organization
from ledger_service.tenders.ocds.package import BadPackage, content_digest, read_package
from ledger_service.tenders.ocds.planning import Act, Given, Plan, make_plans
from ledger_service.tenders.ocds.references import read_references
from ledger_service.tenders.ocds.told import Anchored, Event, Happening, Leaf, LogPart, Place, Told

GIVEN = Given(host="sichuan", members=("chongqing", "sichuan"), answer_days=5, opens_after=timedelta(0))
BEFORE = datetime(2010, 3, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
PUBLICATION = Publication(
    uri="https://ledger.example/v1/tenders/ocds.json",
    publisher="公共资源交易联盟",
    extension="https://ledger.example/ocds/bidledger/extension.json",
    date=START,
    licence="https://opendatacommons.org/licenses/pddl/1.0/",
)
TELLS = {
    Act.PUBLISH: Happening.NOTICE,
    Act.AMEND: Happening.AMENDMENT,
    Act.CLOSE: Happening.CLOSING,
    Act.OPEN: Happening.OPENING,
    Act.EVALUATE: Happening.EVALUATION,
    Act.CANDIDATES: Happening.CANDIDATES,
    Act.AWARD: Happening.AWARD,
}
COMPANY = Organization("四川某建设有限公司", Subject.parse("CN-USCC:91110000600037341L"))


def place(number: int) -> Place:
    return Place(100 + number, bytes([number]) * 32, START + timedelta(hours=number), 99 - number, number)


LOG = LogPart(
    contract=b"\6" * 20,
    generation=1,
    size=64,
    leaves=(Leaf(b"\7" * 32, 3, ("https://ledger.example/v1/evidence/7/proof",)), Leaf(b"\x08" * 32, 4)),
    anchors=(Anchored(64, b"\x09" * 32, place(0)), Anchored(128, b"\x0a" * 32, place(1))),
)


def told(plan: Plan) -> Told:
    """What the chain would have after all acts of a plan that are the register's."""
    events = []
    for number, step in enumerate(step for step in plan.steps if step.act in TELLS):
        recorded = [step.values[name] for name in ("digest", "list", "award") if name in step.values]
        digest = recorded[0] if recorded else bytes([number]) * 32
        assert isinstance(digest, bytes)
        events.append(
            Event(
                TELLS[step.act],
                place(number),
                digest=None if step.act is Act.CLOSE else digest,
                evidence=(f"https://ledger.example/v1/evidence/{number}",),
                commitments=(bytes([number + 1]) * 32,),
                log=LOG if step.act in (Act.CLOSE, Act.OPEN) else None,
                details={"version": number, "joint": True, "members": ("chongqing", "sichuan")},
                release=None if step.release is None else plan.releases[step.release].published,
            )
        )
    return Told(plan.ocid, b"\7" * 32, 20262026, b"\5" * 20, plan.title, tuple(events))


def told_without_releases(**changes: Any) -> Told:
    """A tender that began on the ledger itself, with everything that can happen."""
    details = {"deadline": "2026-02-01T09:00:00Z", "rationale": "延长投标截止时间"}
    events = tuple(
        Event(
            happening,
            place(number),
            digest=None if happening is Happening.CLOSING else bytes([number + 1]) * 32,
            details=details if happening in (Happening.NOTICE, Happening.AMENDMENT) else {},
            suppliers=(COMPANY, Organization(None, None, "is a natural person")),
        )
        for number, happening in enumerate(Happening)
    )
    kept: dict[str, Any] = {"title": "某高速公路工程", "events": events} | changes
    return Told("ocds-123abc-7", b"\7" * 32, 20262026, b"\5" * 20, **kept)


def example_plan() -> Plan:
    (plan,) = make_plans(example_packages(), GIVEN, BEFORE)
    return plan


def test_the_real_example_goes_out_as_it_came_in() -> None:
    plan = example_plan()
    exported = export_package(told(plan), PUBLICATION)
    validate(exported)
    (again,) = make_plans([read_package(exported)], GIVEN, BEFORE)
    assert {name: each.digest for name, each in again.releases.items() if name in plan.releases} == {
        name: each.digest for name, each in plan.releases.items() if "planning" not in name
    }
    assert again.steps == plan.steps
    assert export_package(told(again), PUBLICATION) == exported


def test_references_read_back_as_they_were_written() -> None:
    for timeline in (told(example_plan()), told_without_releases()):
        package_again = read_package(export_package(timeline, PUBLICATION))
        references = [read_references(each) for each in package_again.releases]
        events = [event for each in references if each is not None for event in each.events]
        assert sorted(events, key=lambda event: event.place.block) == list(timeline.events)
        assert {(each.tender, each.chain_id, each.contract) for each in references if each} == {
            (timeline.tender, timeline.chain_id, timeline.contract)
        }
        assert package_again.extensions == (PUBLICATION.extension,)


def test_a_release_says_whether_the_chain_recorded_it() -> None:
    releases = json.loads(export_package(told(example_plan()), PUBLICATION))["releases"]
    assert [[event.get("digestOf") for event in each["bidledger"]["events"]] for each in releases] == [
        ["release"],
        ["release"],
        [None],
        ["document"],
        ["document"],
        ["awards"],
        ["awards"],
    ]


def test_a_tender_of_the_ledger_itself_is_ocds_too() -> None:
    exported = export_package(told_without_releases(), PUBLICATION)
    validate(exported)
    releases = json.loads(exported)["releases"]
    assert len(releases) == len(Happening)
    assert releases[0]["tender"]["tenderPeriod"] == {"endDate": "2026-02-01T09:00:00Z"}
    awards = [award for each in releases for award in each.get("awards", ())]
    assert [award["status"] for award in awards] == ["pending", "active"]
    assert awards[0]["id"] == awards[1]["id"]
    (plan,) = make_plans([read_package(exported)], GIVEN, START)
    acts = [step.act for step in plan.steps]
    assert acts == [Act.PUBLISH, Act.AMEND, Act.CLOSE, Act.OPEN, Act.EVALUATE, Act.CANDIDATES, Act.AWARD, Act.FAIL]
    assert plan.of(Act.AWARD)[0].suppliers == (COMPANY,)
    assert not plan.of(Act.AMEND)[0].missing


def test_no_supplier_is_named_whom_no_subject_names() -> None:
    suppliers = (Organization("Somebody", None, "names a natural person"),)
    events = (
        Event(Happening.NOTICE, place(0), digest=b"\1" * 32),
        Event(Happening.AWARD, place(1), digest=b"\2" * 32, suppliers=suppliers),
    )
    exported = export_package(told_without_releases(events=events), PUBLICATION)
    validate(exported)
    assert b"Somebody" not in exported


def test_a_release_that_is_not_what_was_recorded_is_refused() -> None:
    exported = export_package(told(example_plan()), PUBLICATION)
    changed = read_package(exported.replace(b"2010-04-08T18:00:00Z", b"2010-04-09T18:00:00Z"))
    assert read_references(changed.releases[0]) is not None
    with pytest.raises(BadPackage, match="records something else"):
        read_references(changed.releases[1])
    winner = read_package(exported.replace(b'"AnyCorp Cycle Provision"', b'"BetaCorp Cycle Provision"'))
    with pytest.raises(BadPackage, match="records something else"):
        read_references(winner.releases[-1])


def _first(value: Any) -> Any:
    return value["bidledger"]["events"][0]


def _log(value: Any) -> Any:
    """The log of the first event, as a closing has it."""
    events = value["bidledger"]["events"]
    events[0]["log"] = json.loads(json.dumps(_LOG_TOLD))
    return events[0]["log"]


_LOG_TOLD = {
    "contract": "0x" + "06" * 20,
    "generation": 1,
    "leaves": [{"commitment": "0x" + "07" * 32, "index": 3}],
    "anchors": [
        {
            "size": 64,
            "root": "0x" + "09" * 32,
            "blockNumber": 1,
            "blockHash": "0x" + "0b" * 32,
            "blockTime": "2026-01-01T00:00:00Z",
            "transactionIndex": 0,
            "logIndex": 0,
        }
    ],
}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda each: each["bidledger"].pop("contract"),
        lambda each: each["bidledger"].update(chainId=0),
        lambda each: each["bidledger"].update(more=1),
        lambda each: _first(each).pop("digestOf"),
        lambda each: _first(each).pop("digest"),
        lambda each: _first(each).update(event="dream"),
        lambda each: _first(each).pop("id"),
        lambda each: _first(each).update(id=7),
        lambda each: _first(each).update(digest="0x00"),
        lambda each: _first(each).update(blockTime="2026-01-01"),
        lambda each: _first(each).update(logIndex=-1),
        lambda each: _first(each).update(evidence=["not a url"]),
        lambda each: _first(each).update(commitments=["0x" + "AB" * 32]),
        lambda each: _first(each).update(details={"a": {"b": 1}}),
        lambda each: _first(each).update(details={"a": [1]}),
        lambda each: _first(each).update(details={"a": None}),
        lambda each: _first(each).update(more=1),
        lambda each: _first(each).update(transactionIndex="0"),
        lambda each: _log(each).pop("contract"),
        lambda each: _log(each).update(generation=-1),
        lambda each: _log(each).update(size="64"),
        lambda each: _log(each)["leaves"][0].pop("index"),
        lambda each: _log(each)["leaves"][0].update(evidence=["no url"]),
        lambda each: _log(each)["anchors"][0].pop("root"),
        lambda each: _log(each)["anchors"][0].update(blockTime="now"),
        lambda each: _log(each)["anchors"][0].update(more=1),
    ],
)
def test_references_with_a_fault_are_refused_by_reader_and_schema(spoil: Callable[[Any], object]) -> None:
    value = json.loads(export_package(told(example_plan()), PUBLICATION))
    spoil(value["releases"][0])
    changed = json.dumps(value).encode()
    assert faults(changed)
    with pytest.raises(BadPackage):
        read_references(read_package(changed).releases[0])


NOTICE = Event(Happening.NOTICE, place(1), digest=b"\1" * 32)
CLOSING = Event(Happening.CLOSING, place(2))


@pytest.mark.parametrize(
    "events",
    [
        (),
        (CLOSING,),
        (NOTICE, Event(Happening.NOTICE, place(3))),
        (Event(Happening.CLOSING, place(0)), NOTICE),
        (NOTICE, CLOSING, Event(Happening.OPENING, place(2))),
        (NOTICE, Event(Happening.CLOSING, place(0))),
    ],
)
def test_a_timeline_out_of_order_is_none(events: tuple[Event, ...]) -> None:
    with pytest.raises(BadPackage):
        told_without_releases(events=events)


def test_an_event_does_not_come_from_another_tenders_release() -> None:
    foreign = release("1", "2026-01-01T00:00:00Z", ["tender"])
    with pytest.raises(BadPackage, match="another ocid"):
        export_package(told_without_releases(events=(Event(Happening.NOTICE, place(0), release=foreign),)), PUBLICATION)
    one = {"ocid": "ocds-123abc-7", "id": "1", "date": "2026-01-01T00:00:00Z", "tag": ["tender"]}
    two = Event(Happening.AMENDMENT, place(1), release=one | {"language": "zh"})
    events = (Event(Happening.NOTICE, place(0), release=one), two)
    nameless = {name: value for name, value in foreign.items() if name != "id"} | {"ocid": "ocds-123abc-7"}
    with pytest.raises(BadPackage, match="without an id"):
        export_package(
            told_without_releases(events=(Event(Happening.NOTICE, place(0), release=nameless),)), PUBLICATION
        )
    with pytest.raises(BadPackage, match="two different releases"):
        export_package(told_without_releases(events=events), PUBLICATION)


def test_merged_releases_keep_every_event() -> None:
    """By the standard's own reference implementation of merging."""
    for timeline in (told(example_plan()), told_without_releases()):
        releases = json.loads(export_package(timeline, PUBLICATION))["releases"]
        merged = Merger(schema=release_schema()).create_compiled_release(releases)
        merged_events = {event["id"]: event for event in merged["bidledger"]["events"]}
        told_events = {event["id"]: event for each in releases for event in each["bidledger"]["events"]}
        assert merged_events == told_events
        assert len(told_events) == len(timeline.events)
        assert [award["status"] for award in merged["awards"]] == ["active"]


def test_an_event_is_not_called_by_another_place() -> None:
    value = json.loads(export_package(told(example_plan()), PUBLICATION))
    _first(value["releases"][0])["id"] = "7-7-7"
    with pytest.raises(BadPackage):
        read_references(read_package(json.dumps(value).encode()).releases[0])


def test_the_extension_describes_itself_as_ocds_extensions_do() -> None:
    described = json.loads((EXTENSION_FILES / "extension.json").read_bytes())
    assert described["compatibility"] == ["1.1"]
    assert all((EXTENSION_FILES / name).is_file() for name in described["schemas"])
    assert set(described["name"]) == set(described["description"]) == {"en", "zh"}
    schema = json.loads((EXTENSION_FILES / "release-schema.json").read_bytes())
    assert schema["definitions"]["BidledgerEvent"]["properties"]["event"]["enum"] == [each.value for each in Happening]


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50)
@given(VALUES)
def test_whatever_a_release_holds_keeps_its_digest(value: object) -> None:
    held = release("1", "2010-03-02T00:00:00Z", ["tender"], tender={"id": "t"}, x_held=value)
    (plan,) = make_plans([read_package(package(held))], GIVEN, BEFORE)
    (again,) = read_package(export_package(told(plan), PUBLICATION)).releases
    assert again.digest == plan.releases["1"].digest == content_digest(held)
