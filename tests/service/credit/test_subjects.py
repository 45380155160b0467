"""`GET /v1/subjects/{subject}`: what applied before, during and after, to whom and why, from a real chain."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from conftest import Clock
from filing import COMPANIES, GROUNDS, REASON, Filing
from founding import block_time, later
from serving import serving
from sqlalchemy import Engine
from sqlmodel import Session

from anchors.credit import Issued, Kind, Named, State, end_of
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.credit.answers import SubjectOut
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.subjects import SubjectEndpoint
from ledger_service.index.tables import IndexState

CHONGQING, SICHUAN, GUIZHOU = 1, 2, 3
DAY = 24 * 3600
FIRST, SECOND, CLEAN, _ = COMPANIES


@pytest.fixture
def client(ground: CreditGround) -> Iterator[httpx.Client]:
    with serving(SubjectEndpoint(ground)) as asking:
        yield asking


@pytest.fixture
def ask(client: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Asks about a subject; the answer fits its description."""

    def asked(subject: object, **parameters: object) -> dict[str, Any]:
        answer = client.get(f"/v1/subjects/{subject}", params=parameters)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        SubjectOut.model_validate(told)
        return told

    return asked


Ask = Callable[..., dict[str, Any]]
Follow = Callable[[], None]


def head(rpc: Rpc) -> int:
    return quantity(rpc.call("eth_blockNumber"))


def applied(told: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(record["state"], record["applies"]) for record in told["records"]]


def test_a_serious_record_is_told_for_those_who_apply_it(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc) -> None:
    filing.choose(GUIZHOU, Issued(SICHUAN, Kind.SERIOUS))
    opted_out = block_time(rpc)
    before = head(rpc)
    (name,) = filing.publish(filing.record(FIRST, Kind.SERIOUS))
    published, at = head(rpc), block_time(rpc)
    follow()
    told = ask(FIRST)
    (record,) = told["records"]
    refusal = {"reason": "0x" + REASON.hex(), "since": opted_out}
    assert told["subject"] == str(FIRST)
    assert (told["count"], told["recognized_by"]) == (1, None)
    assert record["record"] == "0x" + name.hex()
    assert (record["member"], record["kind"], record["state"]) == ("sichuan", "serious", "published")
    assert (record["applies"], record["disputed"]) == (True, False)
    assert record["why"] == [{"rule": "published", "block": published, "time": at}]
    assert record["not_applied_by"] == [{"member": "guizhou", **refusal}]
    assert [measure["code"] for measure in record["measures"]] == [101, 201]
    assert all(measure["zh"] and measure["en"] for measure in record["measures"])

    (by_chongqing,) = ask(FIRST, recognized_by="chongqing")["records"]
    assert by_chongqing["why"][-1] == {"rule": "recognised-by-default"}
    (by_sichuan,) = ask(FIRST, recognized_by="sichuan")["records"]
    assert by_sichuan["why"][-1] == {"rule": "own-record"}
    assert ask(FIRST, recognized_by="guizhou")["records"] == []
    (by_guizhou,) = ask(FIRST, recognized_by="guizhou", ended="true")["records"]
    assert by_guizhou["applies"] is False
    assert by_guizhou["why"][-1] == {"rule": "opted-out", "about": "kind", **refusal}

    assert ask(FIRST, as_of=before, ended="true") == {
        "subject": str(FIRST),
        "as_of": {"block": before, "time": block_time(rpc, hex(before))},
        "recognized_by": None,
        "count": 0,
        "records": [],
    }
    assert ask(CLEAN)["records"] == []
    assert ask(CLEAN)["count"] == 0


def test_a_choice_counts_from_its_block_on(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc) -> None:
    (name,) = filing.publish(filing.record(FIRST))
    applied_then = head(rpc)
    filing.choose(GUIZHOU, Named(name))
    refused = head(rpc)
    filing.choose(GUIZHOU, Named(name), applied=True)
    follow()
    view = {"recognized_by": "guizhou", "ended": "true"}
    (record,) = ask(FIRST, as_of=refused, **view)["records"]
    assert (record["applies"], record["why"][-1]["about"]) == (False, "record")
    assert applied(ask(FIRST, as_of=applied_then, **view)) == [("published", True)]
    assert applied(ask(FIRST, **view)) == [("published", True)]
    assert ask(FIRST)["records"][0]["not_applied_by"] == []


def test_what_is_disputed_corrected_and_repaired_ends_for_all_at_one_block(
    filing: Filing, follow: Follow, ask: Ask, rpc: Rpc
) -> None:
    record = filing.record(FIRST, Kind.SERIOUS)
    (name,) = filing.publish(record)
    steps = [("published", head(rpc))]
    filing.change(FIRST.key, name, State.OBJECTED, by=GUIZHOU)
    steps.append(("objected", head(rpc)))
    lighter = filing.record(FIRST, earlier=0, decided_on=record.decided_on)
    filing.change(FIRST.key, name, State.CORRECTED, lighter)
    steps.append(("corrected", head(rpc)))
    later(rpc, 120 * DAY)
    follow()
    (before,) = ask(FIRST)["records"]
    assert (before["kind"], [measure["code"] for measure in before["measures"]]) == ("general", [101])
    filing.change(FIRST.key, name, State.REPAIRED)
    repaired = head(rpc)
    follow()
    for state, block in steps:
        assert applied(ask(FIRST, as_of=block)) == [(state, True)]
        assert ask(FIRST, as_of=block)["records"][0]["disputed"] == (state == "objected")
    assert applied(ask(FIRST, as_of=repaired - 1)) == [("corrected", True)]
    for member in (None, "chongqing", "sichuan", "guizhou", "yunnan"):
        view = {} if member is None else {"recognized_by": member}
        assert ask(FIRST, **view)["records"] == ask(FIRST, as_of=repaired, **view)["records"] == []
        assert applied(ask(FIRST, ended="true", **view)) == [("repaired", False)]
    (record_told,) = ask(FIRST, ended="true")["records"]
    rules = [(each["rule"], each["block"]) for each in record_told["why"]]
    words = {"objected": "disputed"}
    assert rules == [*((words.get(state, state), block) for state, block in steps), ("repaired", repaired)]
    assert record_told["why"][1]["member"] == "guizhou"
    assert {each["grounds"] for each in record_told["why"][1:]} == {"0x" + GROUNDS.hex()}
    assert ask(FIRST)["count"] == 4


def test_what_never_should_have_been_is_told_no_more(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc) -> None:
    wrong, right = filing.publish(filing.record(SECOND), filing.record(SECOND, Kind.HONOUR, earlier=1))
    filing.change(SECOND.key, wrong, State.WITHDRAWN)
    follow()
    assert [record["record"] for record in ask(SECOND)["records"]] == ["0x" + right.hex()]
    assert applied(ask(SECOND, ended="true")) == [("withdrawn", False), ("published", True)]
    assert applied(ask(SECOND, as_of=head(rpc) - 1)) == [("published", True), ("published", True)]


def test_a_record_expires_by_time_alone(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc, clock: Clock) -> None:
    record = filing.record(FIRST)
    filing.publish(record)
    block, over = head(rpc), end_of(record.last_day)
    follow()
    clock.set(over - 1)
    assert applied(ask(FIRST)) == [("published", True)]
    clock.set(over)
    assert ask(FIRST)["records"] == []
    assert ask(FIRST)["as_of"] == {"block": block, "time": over}
    (ended,) = ask(FIRST, ended="true")["records"]
    assert (ended["state"], ended["applies"]) == ("expired", False)
    assert ended["why"][-1] == {"rule": "expired", "last_day": record.last_day.isoformat(), "time": over}
    assert applied(ask(FIRST, as_of=block)) == [("published", True)], "the past is told by the chain's time"


def test_as_of_a_time_is_as_of_the_block_of_then(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc) -> None:
    later(rpc, 100)
    before = block_time(rpc) + 50
    later(rpc, 100)
    filing.publish(filing.record(FIRST))
    at = block_time(rpc)
    follow()
    text = [datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for time in (before, at)]
    assert ask(FIRST, as_of=text[0])["records"] == []
    assert ask(FIRST, as_of=text[0])["as_of"]["time"] == before
    assert applied(ask(FIRST, as_of=text[1])) == [("published", True)]


def test_a_turn_of_the_chain_takes_choices_back(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc) -> None:
    (name,) = filing.publish(filing.record(FIRST))
    follow()
    before = rpc.call("evm_snapshot")
    filing.choose(GUIZHOU, Named(name))
    follow()
    assert ask(FIRST, recognized_by="guizhou")["records"] == []
    rpc.call("evm_revert", before)
    later(rpc, 100)
    follow()
    assert applied(ask(FIRST, recognized_by="guizhou")) == [("published", True)]


@pytest.mark.parametrize(
    ("path", "problem", "pointer"),
    [
        ("CN-USCC:911100006000373410", "bad-subject", "/path/subject"),  # wrong check character
        ("CN-USCC:9111", "bad-subject", "/path/subject"),
        ("91110000600037341L", "bad-subject", "/path/subject"),
        ("CN-USCC:%00", "bad-subject", "/path/subject"),
        ("CN-USCC:%ED%A0%80", "bad-subject", "/path/subject"),
        ("%FF", "bad-subject", "/path/subject"),
        ("CN-USCC%3A91110000600037341L%0A", "bad-subject", "/path/subject"),
        ("CN-SFZ:11010519491231002X", "natural-person", "/path/subject"),
        ("GB-COH:11010519491231002X", "natural-person", "/path/subject"),
        (f"{FIRST}?recognized_by=atlantis", "unknown-member", "/query/recognized_by"),
        (f"{FIRST}?recognized_by=", "unknown-member", "/query/recognized_by"),
        (f"{FIRST}?recognized_by=%00%ED%A0%80", "unknown-member", "/query/recognized_by"),
        (f"{FIRST}?ended=maybe", "invalid-content", "/query/ended"),
        (f"{FIRST}?ended=", "invalid-content", "/query/ended"),
        (f"{FIRST}?as_of=yesterday", "invalid-content", "/query/as_of"),
        (f"{FIRST}?as_of=-1", "invalid-content", "/query/as_of"),
        (f"{FIRST}?as_of=%D9%A3", "invalid-content", "/query/as_of"),  # a digit, but not of ASCII
        (f"{FIRST}?as_of=2026-02-30T00:00:00Z", "invalid-content", "/query/as_of"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    follow: Follow, client: httpx.Client, path: str, problem: str, pointer: str
) -> None:
    follow()
    answer = client.get(f"/v1/subjects/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    told = answer.json()
    assert (told["type"], told["pointer"]) == (f"urn:bidledger:problem:{problem}", pointer)
    assert "1949" not in told["detail"]


def test_what_is_not_known_yet_is_said_to_be_behind(
    filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc, engine: Engine
) -> None:
    path = f"/v1/subjects/{FIRST}"
    assert client.get(path).json()["type"] == "urn:bidledger:problem:index-behind"
    follow()
    rpc.call("evm_mine")
    next_block = quantity(rpc.call("eth_blockNumber"))
    with Session(engine) as session:
        state = session.get_one(IndexState, 1)
        state.node_head = next_block
        session.add(state)
        session.commit()
    far = client.get(path, params={"as_of": str(next_block)})
    assert (far.status_code, far.headers["retry-after"]) == (503, "1")
    assert client.get(path, params={"as_of": "9" * 18}).status_code == 404
    assert client.get(path, params={"as_of": "2999-01-01T00:00:00Z"}).status_code == 404
    assert client.get(path, params={"as_of": "0"}).status_code == 404
    assert client.get(path, params={"as_of": "1970-01-01T00:00:00Z"}).status_code == 404
    assert client.get(f"{path}/other").status_code == 404


def test_an_answer_that_the_asker_has_is_not_sent_again(
    filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc
) -> None:
    filing.publish(filing.record(FIRST))
    follow()
    path, parameters = f"/v1/subjects/{FIRST}", {"as_of": str(head(rpc))}
    first = client.get(path, params=parameters)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (etag, f'"other", W/{etag}', "*"):
        again = client.get(path, params=parameters, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(path, params=parameters, headers={"if-none-match": '"other"'}).status_code == 200
    bare = client.head(path, params=parameters)
    assert (bare.status_code, bare.content, bare.headers["etag"]) == (200, b"", etag)
    assert int(bare.headers["content-length"]) == len(first.content)
    refused = client.post(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
