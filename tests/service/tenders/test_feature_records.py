"""Records of feature codes at a member: kept once the bids are opened, if they were sealed before; else refused."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from bidding import SLOTS, Room, bidding
from conftest import Clock
from founding import Founded, block_time
from sealed_features import COMPANIES, OTHER_MACHINE, Sealed, Sites, as_json
from sqlmodel import Session, select
from tendering import BIDDERS, HOST, PARTNER, THIRD, Tendering

from anchors.commitment import Kind, Statement, commit
from anchors.tenders.features import FeatureKey, FeatureRecord, read_code, seal_record
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.tenders.features_tables import KeptRecord
from ledger_service.tenders.ground import TenderGround

Follow = Callable[[], None]
OUTSIDER = 4  # yunnan, who has not published the tender


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:bidledger:problem:")


@pytest.fixture
def sites(tendering: Tendering, founded: Founded, room: Room, follow: Follow) -> Sites:
    return Sites(tendering, founded, room, follow, tendering.publish())


@pytest.fixture
def kept(ground: TenderGround) -> Callable[[], list[KeptRecord]]:
    def rows() -> list[KeptRecord]:
        with Session(ground.engine) as session:
            return list(session.exec(select(KeptRecord)))

    return rows


def test_records_of_two_sites_are_kept_once(sites: Sites, kept: Callable[[], list[KeptRecord]]) -> None:
    ours, theirs = sites.seal(0), sites.seal(1, OTHER_MACHINE, THIRD)
    sites.anchor()
    sites.open()
    answer = sites.hand_in(ours, theirs)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["records"] == [
        {
            "bid": "0x" + bidder.commitment.hex(),
            "record": "0x" + sealed.commitment.hex(),
            "site": code,
            "index": sealed.index,
        }
        for bidder, sealed, code in ((BIDDERS[0], ours, "sichuan"), (BIDDERS[1], theirs, "guizhou"))
    ]
    before = [row.model_dump() for row in kept()]
    assert len(before) == 2
    again = sites.hand_in(theirs, ours, theirs)
    assert (again.status_code, len(again.json()["records"])) == (201, 3)
    assert [row.model_dump() for row in kept()] == before


def test_records_that_are_handed_in_at_once_are_kept_once(sites: Sites, kept: Callable[[], list[KeptRecord]]) -> None:
    records = [sites.seal(0), sites.seal(1), sites.seal(2, OTHER_MACHINE)]
    rival = sites.seal(0, OTHER_MACHINE, THIRD)
    sites.anchor()
    sites.open()
    sites.follow()
    bodies = [sites.body(one) for one in records]
    given = [*[{"records": bodies}] * 6, *[{"records": [sites.body(rival)]}] * 2]
    path, key = f"/v1/tenders/{sites.name}/feature-records", {"authorization": "Bearer secret-officer"}
    with ThreadPoolExecutor(len(given)) as pool:
        answers = list(pool.map(lambda body: sites.room.client.post(path, json=body, headers=key), given))
    first = next(row.commitment for row in kept() if row.bid == BIDDERS[0].commitment)
    for body, answer in zip(given, answers, strict=True):
        won = body["records"][0]["commitment"] == "0x" + first.hex()
        assert won or problem(answer) == (422, "record-given-otherwise")
        assert not won or answer.status_code == 201, answer.text
    assert len({row.bid for row in kept()}) == len(kept())


def test_neither_codes_nor_salts_are_kept(sites: Sites, kept: Callable[[], list[KeptRecord]]) -> None:
    sealed = sites.seal(0)
    sites.anchor()
    sites.open()
    assert sites.hand_in(sealed).status_code == 201
    (row,) = kept()
    everything = repr(row.model_dump())
    assert row.document == sealed.record.document()
    assert repr(sealed.statement.salt) not in everything
    assert "4c4c45440042" not in everything.lower()


@pytest.mark.parametrize("closed", [False, True])
def test_before_the_opening_nothing_is_looked_at(
    sites: Sites, kept: Callable[[], list[KeptRecord]], closed: bool
) -> None:
    sealed = sites.seal(0)
    sites.anchor()
    if closed:
        sites.tendering.close(sites.tender)
    good = sites.hand_in(sealed)
    assert problem(good) == (409, "not-opened")
    for bad in (
        sites.body(sealed, statement={}),
        sites.body(sealed, commitment="0x" + "ab" * 32),
        sites.body(sealed, proof=sites.body(sealed)["proof"] | {"member": "nobody"}),
    ):
        assert sites.hand_in(bad).content == good.content
    assert kept() == []


def test_with_too_few_bids_nothing_was_opened(sites: Sites) -> None:
    sealed = sites.seal(0)
    sites.anchor()
    sites.open(2)
    assert problem(sites.hand_in(sealed)) == (409, "not-opened")
    assert problem(sites.leads()) == (409, "not-opened")


def test_only_who_acts_in_tenders_hands_in(sites: Sites) -> None:
    sealed = sites.seal(0)
    sites.anchor()
    sites.open()
    assert problem(sites.hand_in(sealed, key=None)) == (401, "not-authenticated")
    for key in ("bidder", "operator"):
        assert problem(sites.hand_in(sealed, key=key)) == (403, "not-allowed")
    unknown = replace(sites, tender=b"\x99" * 32)
    assert problem(unknown.hand_in(sites.body(sealed))) == (404, "not-found")


# ---- what is not as it was sealed ----

Change = Callable[[Sites, Sealed], Any]


def stated(sites: Sites, sealed: Sealed, **changes: object) -> dict[str, Any]:
    """With another statement, and its commitment in the log."""
    return sites.body(sealed, statement=sealed.statement.to_json() | changes)


def path_of(sites: Sites, sealed: Sealed, **changes: object) -> dict[str, Any]:
    return sites.body(sealed, proof=sites.body(sealed)["proof"] | changes)


WRONG: dict[str, tuple[str, str, Change]] = {
    "another commitment": ("feature-record-differs", "record", lambda s, r: s.body(r, commitment="0x" + "ab" * 32)),
    "another salt": ("feature-record-differs", "record", lambda s, r: stated(s, r, salt="0x" + "01" * 32)),
    "another bidder": ("feature-record-differs", "record", lambda s, r: stated(s, r, party=str(COMPANIES[6]))),
    "another record": (
        "feature-record-differs",
        "record",
        lambda s, r: s.body(r, record=s.body(r)["record"] | {"weak": ["machine-code"]}),
    ),
    "what has no canonical form": (
        "bad-feature-record",
        "record",
        lambda s, r: s.body(r, record=s.body(r)["record"] | {"n": 2**60}),
    ),
    "a natural person": ("natural-person", "statement", lambda s, r: stated(s, r, party="CN-SFZ:11010519491231002X")),
    "no such kind": ("bad-statement", "statement", lambda s, r: stated(s, r, kind="feature")),
    "a statement without salt": (
        "malformed-file",
        "statement",
        lambda s, r: s.body(r, statement={"kind": "feature-code"}),
    ),
    "another tender": ("record-of-other-tender", "statement/tender", lambda s, r: stated(s, r, tender="T-2026-001")),
    "no tender": ("record-of-other-tender", "statement/tender", lambda s, r: stated(s, r, tender=None)),
    "another site": ("record-not-logged", "proof", lambda s, r: path_of(s, r, member="guizhou")),
    "no member": ("unknown-member", "proof/member", lambda s, r: path_of(s, r, member="atlantis")),
    "no site": ("not-a-site", "", lambda s, r: path_of(s, r, member="yunnan")),
    "another place": ("record-not-logged", "proof", lambda s, r: path_of(s, r, index=0)),
    "a short path": ("bad-inclusion-path", "proof", lambda s, r: path_of(s, r, path=[])),
    "another path": ("record-not-logged", "proof", lambda s, r: path_of(s, r, path=["0x" + "cd" * 32] * 2)),
    "another size": ("checkpoint-not-anchored", "proof/size", lambda s, r: path_of(s, r, size=3)),
    "another generation": ("checkpoint-not-anchored", "proof/size", lambda s, r: path_of(s, r, generation=1)),
    "this member's log": ("record-not-logged", "", lambda s, r: s.body(r, proof=None)),
}


@pytest.fixture
def opened(sites: Sites) -> tuple[Sites, Sealed, Sealed]:
    """A tender whose bids are opened, with two records in one site's log, and others elsewhere."""
    first, second = sites.seal(0), sites.seal(1)
    for site in (THIRD, OUTSIDER):
        for number in (2, 3, 4):
            sites.seal(number, site=site)
    sites.seal(4)
    sites.anchor()
    sites.open()
    return sites, first, second


def test_each_bad_record_is_refused_by_name_and_no_other_is_kept(
    opened: tuple[Sites, Sealed, Sealed], kept: Callable[[], list[KeptRecord]]
) -> None:
    sites, first, second = opened
    for what, (name, where, change) in WRONG.items():
        answer = sites.hand_in(second, change(sites, first))
        assert problem(answer) == (422, name), (what, answer.text)
        assert answer.json()["pointer"] == "/records/1" + ("/" + where if where else ""), what
    assert kept() == []
    assert sites.hand_in(second, first).status_code == 201


def test_a_record_that_was_sealed_wrongly_stays_sealed(sites: Sites) -> None:
    """What was committed to and logged in time, but is no record of a bid that was opened here."""
    record = sites.take(BIDDERS[0])
    plain = seal_record(record, COMPANIES[0])

    def sealed(document: bytes, **changes: Any) -> Sealed:
        digests = {"sha256": sha256(document).digest(), "sm3": None}
        return sites.put(PARTNER, record, replace(plain, **(digests | changes)))

    not_opened = sites.seal(5)
    other_key = FeatureKey("T-2026-001", bytes(range(32)))
    elsewhere = FeatureRecord.take(other_key, BIDDERS[0].commitment, [read_code(*one) for one in OTHER_MACHINE.items()])
    wrong = {
        "another kind": (sealed(record.document(), kind=Kind.BID_DOCUMENT), {}, "feature-record-differs"),
        "another digest": (sealed(record.document(), sm3=b"\x05" * 32), {}, "feature-record-differs"),
        "nobody's": (sealed(record.document(), party=None), {}, "feature-record-differs"),
        "no record": (sealed(b'{"format":"x"}'), {"record": {"format": "x"}}, "bad-feature-record"),
        "another tender": (
            sites.put(PARTNER, elsewhere, replace(seal_record(elsewhere, COMPANIES[0]), tender=sites.name)),
            {},
            "feature-record-differs",
        ),
        "a bid that was not opened": (not_opened, {}, "features-still-sealed"),
    }
    sites.anchor()
    sites.open()
    for what, (one, changes, name) in wrong.items():
        assert problem(sites.hand_in(sites.body(one, **changes))) == (422, name), what


def test_what_was_declared_beside_a_record_is_taken_as_it_was_stated(sites: Sites) -> None:
    record = sites.take(BIDDERS[0])
    statement = replace(
        seal_record(record, COMPANIES[0]), holder=BIDDERS[0].key.address, extra={"tool": "v7", "taken": 1}
    )
    sealed = sites.put(PARTNER, record, statement)
    sites.anchor()
    sites.open()
    other = sites.body(sealed, statement=statement.to_json() | {"extra": {"tool": "v8", "taken": 1}})
    assert problem(sites.hand_in(other)) == (422, "feature-record-differs")
    assert sites.hand_in(sealed).status_code == 201


def test_a_record_that_came_about_after_the_opening_is_refused(sites: Sites) -> None:
    early = sites.seal(0)
    sites.anchor()
    sites.open()
    late = sites.seal(1)
    sites.anchor()
    assert problem(sites.hand_in(late)) == (422, "record-logged-late")
    assert sites.hand_in(early).status_code == 201, "a later checkpoint proves it as well"


def test_a_bid_has_one_record(sites: Sites, kept: Callable[[], list[KeptRecord]]) -> None:
    first, second = sites.seal(0), sites.seal(0, OTHER_MACHINE, THIRD)
    other_bidder = sites.seal(0, company=3)
    sites.anchor()
    sites.open()
    together = sites.hand_in(first, second)
    assert problem(together) == (422, "record-given-otherwise")
    assert together.json()["pointer"] == "/records/1"
    assert sites.hand_in(first).status_code == 201
    for other in (second, other_bidder):
        assert problem(sites.hand_in(other)) == (422, "record-given-otherwise")
    assert [row.commitment for row in kept()] == [first.commitment]


def test_a_request_is_bounded(opened: tuple[Sites, Sealed, Sealed]) -> None:
    sites, first, _ = opened
    body = sites.body(first)
    assert problem(sites.post({"records": []})) == (422, "invalid-content")
    assert problem(sites.post({"records": [body] * 101})) == (422, "invalid-content")
    assert problem(sites.post({"records": [body], "more": 1})) == (422, "invalid-content")
    assert problem(sites.hand_in(path_of(sites, first, path=["0x" + "ab" * 32] * 64))) == (422, "invalid-content")
    assert problem(sites.hand_in(body | {"record": {"x": "y" * (1 << 20)}})) == (413, "too-large")
    long = body | {"record": body["record"] | {"more": "y" * 9000}}
    assert problem(sites.hand_in(long)) == (422, "feature-record-differs")
    assert sites.post({"records": [body] * 100}).status_code == 201


def test_records_in_this_members_own_log_need_no_proof(
    tendering: Tendering, ground: TenderGround, founded: Founded, clock: Clock, follow: Follow, tmp_path: Path
) -> None:
    tender = tendering.publish()
    clock.set(block_time(tendering.rpc))
    follow()
    with bidding(ground, founded, tendering.rpc, tmp_path / "data", clock, SLOTS, 0.5) as room:
        sites = Sites(tendering, founded, room, follow, tender)
        record = sites.take(BIDDERS[0])
        statement = seal_record(record, COMPANIES[0])
        given = {"commitment": "0x" + commit(statement).hex(), "statement": statement.to_json()}
        given["record"] = as_json(record)
        index = logged(room, statement)
        late = seal_record(sites.take(BIDDERS[1]), COMPANIES[1])
        anchored = anchor(room, founded, tendering, index)
        tendering.close(tender)
        tendering.open(tender)
        logged(room, late)
        other = given | {"commitment": "0x" + commit(late).hex(), "statement": late.to_json()}
        other["record"] = as_json(sites.take(BIDDERS[1]))
        assert problem(sites.hand_in(other)) == (422, "record-logged-late")
        answer = sites.hand_in(given)
        assert answer.status_code == 201, answer.text
    assert answer.json()["records"][0] | {"bid": ""} == {
        "bid": "",
        "record": given["commitment"],
        "site": founded.network.member(HOST).code,
        "index": index,
    }
    assert anchored > index


def logged(room: Room, statement: Statement) -> int:
    """Log a record's commitment with the bids; its place."""
    body = {"commitments": ["0x" + commit(statement).hex()]}
    answer = room.client.post("/v1/evidence", json=body, headers={"authorization": "Bearer secret-bidder"})
    assert answer.status_code == 201, answer.text
    place: int = answer.json()["receipts"][0]["index"]
    return place


def anchor(room: Room, founded: Founded, tendering: Tendering, index: int) -> int:
    """Anchor the log once it covers a place; the size."""
    deadline = time.monotonic() + 20
    while (checkpoint := room.checkpoint()) is None or checkpoint.size <= index:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    key = founded.opened[HOST, "anchorer"]
    founded.send(tendering.rpc, key, EVIDENCE_LOG, "anchor", checkpoint.size, checkpoint.root, [])
    return checkpoint.size
