"""Bids at the host: logged and receipted until the deadline, replaced or withdrawn by their holders, and secret."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bidding import QUOTA, SLOTS, Room, bidding, fresh
from conftest import Clock
from founding import Founded, block_time, catch_up, indexer
from sqlmodel import SQLModel
from tendering import BIDDERS, DAY, PAPER, Tendering

from anchors.merkle import ENTRIES, TILE_WIDTH, TileId, parse_entry_bundle
from anchors.receipt import parse_receipt
from ledger_service.chain.rpc import Rpc
from ledger_service.database import open_engine
from ledger_service.tenders.ground import TenderGround

Follow = Callable[[], None]


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:bidledger:problem:")


@pytest.fixture
def tender(tendering: Tendering, room: Room, follow: Follow) -> bytes:
    name = tendering.publish()
    follow()
    return name


def test_a_bid_is_logged_and_receipted(room: Room, tender: bytes, clock: Clock) -> None:
    some = fresh(3)
    answer = room.bid(tender, some)
    assert answer.status_code == 201, answer.text
    receipts = [parse_receipt(one) for one in answer.json()["receipts"]]
    bids = [room.proven(one) for one in answer.json()["bid_receipts"]]
    assert ["0x" + one.commitment.hex() for one in bids] == some
    assert [(one.commitment, one.index) for one in bids] == [(one.commitment, one.index) for one in receipts]
    assert {one.tender for one in bids} == {tender}
    assert {one.received_at for one in bids} == {int(clock().timestamp())}


def test_the_same_request_gets_the_same_receipts(
    room: Room, tender: bytes, tendering: Tendering, clock: Clock, follow: Follow
) -> None:
    some = fresh(2)
    first = room.bid(tender, some, idempotency_key="a")
    clock.set(tendering.tenders[tender].deadline + 5)
    again = room.bid(tender, some, idempotency_key="a")
    assert (again.status_code, again.json()) == (201, first.json())
    other = tendering.publish(digest=b"\x01" * 32, deadline=block_time(tendering.rpc) + 3 * DAY, opening=10**11)
    follow()
    assert problem(room.bid(other, some, idempotency_key="a")) == (409, "conflict")  # another tender, another request
    assert problem(room.bid(tender, fresh(2), idempotency_key="a")) == (422, "idempotency-mismatch")


def test_a_leaf_that_was_logged_otherwise_is_no_bid(room: Room, tender: bytes) -> None:
    some = fresh(1)
    headers = {"authorization": "Bearer secret-bidder", "idempotency-key": "k"}
    assert room.client.post("/v1/evidence", json={"commitments": some}, headers=headers).status_code == 201
    assert problem(room.bid(tender, some, idempotency_key="k")) == (409, "conflict")
    assert problem(room.bid(tender, some)) == (409, "conflict")


def test_a_bid_is_in_time_until_the_deadlines_second(
    room: Room, tender: bytes, tendering: Tendering, clock: Clock
) -> None:
    deadline = tendering.tenders[tender].deadline
    clock.set(deadline - 1)
    assert room.bid(tender, fresh(1)).status_code == 201
    clock.set(deadline)
    late = room.bid(tender, fresh(1))
    assert problem(late) == (409, "after-deadline")
    assert (late.json()["received_at"], late.json()["deadline"]) == (deadline, deadline)
    clock.set(deadline + DAY)
    assert len(room.received(tender).json()["bids"]) == 1


def test_an_amended_deadline_is_the_deadline(
    room: Room, tender: bytes, tendering: Tendering, clock: Clock, follow: Follow
) -> None:
    before = tendering.tenders[tender].deadline
    tendering.amend(tender, deadline=before + 60, opening=before + 60)
    follow()
    clock.set(before + 59)
    assert room.bid(tender, fresh(1)).status_code == 201


def test_other_hosts_and_ended_tenders_take_no_bids_here(
    room: Room, tender: bytes, tendering: Tendering, follow: Follow
) -> None:
    others = tendering.publish(host=2, digest=b"\x02" * 32)
    follow()
    assert problem(room.bid(others, fresh(1))) == (422, "other-hosts-tender")
    assert problem(room.received(others)) == (422, "other-hosts-tender")
    assert problem(room.bid(b"\xab" * 32, fresh(1))) == (404, "not-found")
    tendering.fail(tender)
    follow()
    assert problem(room.bid(tender, fresh(1))) == (409, "after-deadline")


def test_bad_requests_are_refused_as_at_the_log(room: Room, tender: bytes) -> None:
    path, key = f"/v1/tenders/0x{tender.hex()}/bids", {"authorization": "Bearer secret-bidder"}
    assert problem(room.client.post(path, json={"commitments": []}, headers=key)) == (422, "invalid-content")
    assert problem(room.client.post(path, json={"bids": []}, headers=key)) == (422, "invalid-content")
    assert problem(room.client.post(path, content=b"[", headers=key)) == (415, "unsupported-media-type")
    assert problem(room.bid(tender, fresh(1), key="officer")) == (403, "not-allowed")
    assert problem(room.bid(tender, fresh(1), key="nobody")) == (401, "not-authenticated")
    assert problem(room.bid(tender, fresh(QUOTA + 1), key="outsider")) == (422, "quota-too-small")
    twice = fresh(1) * 2
    assert problem(room.bid(tender, twice)) == (409, "conflict")


def test_the_host_is_told_from_the_opening_time_on(
    room: Room, tender: bytes, tendering: Tendering, clock: Clock
) -> None:
    first, second, third = room.handed_in(tender, *BIDDERS[:3])
    now = int(clock().timestamp())
    withdrawn = room.replacement(tender, BIDDERS[0], signed_at=now)
    replaced = room.replacement(tender, BIDDERS[1], third.commitment, signed_at=now)
    assert [room.replace(tender, word).status_code for word in (withdrawn, replaced, withdrawn)] == [204] * 3
    clock.set(tendering.tenders[tender].opening - 1)
    assert problem(room.received(tender)) == (422, "opened-early")
    clock.set(tendering.tenders[tender].opening)
    assert problem(room.received(tender, key=None)) == (401, "not-authenticated")
    assert problem(room.received(tender, key="bidder")) == (403, "not-allowed")
    told = {one["commitment"]: one for one in room.received(tender).json()["bids"]}
    assert {one["index"] for one in told.values()} == {first.index, second.index, third.index}
    fates = [(one["withdrawn"], one["replacement"]) for one in (told["0x" + b.commitment.hex()] for b in BIDDERS[:3])]
    assert fates == [(True, None), (False, "0x" + third.commitment.hex()), (False, None)]


def test_only_the_holder_replaces_a_bid_and_before_the_deadline(
    room: Room, tender: bytes, tendering: Tendering, clock: Clock
) -> None:
    room.handed_in(tender, *BIDDERS[:2])
    now, deadline = int(clock().timestamp()), tendering.tenders[tender].deadline
    forged = room.replacement(tender, BIDDERS[0], signer=BIDDERS[1])
    other_preimage = room.replacement(tender, BIDDERS[0]) | {
        "preimage": room.replacement(tender, BIDDERS[1])["preimage"]
    }
    dated_late = room.replacement(tender, BIDDERS[0], signed_at=deadline)
    unknown = room.replacement(tender, BIDDERS[4])
    good = room.replacement(tender, BIDDERS[0], signed_at=now)
    assert problem(room.replace(tender, forged)) == (422, "not-holder")
    assert problem(room.replace(tender, other_preimage)) == (422, "not-the-preimage")
    assert problem(room.replace(tender, dated_late)) == (422, "replaced-late")
    assert problem(room.replace(tender, unknown)) == (404, "not-found")
    assert room.replace(tender, good).status_code == 204
    another = room.replacement(tender, BIDDERS[0], b"\x05" * 32, signed_at=now)
    assert problem(room.replace(tender, another)) == (422, "replaced-already")
    clock.set(deadline)
    assert problem(room.replace(tender, room.replacement(tender, BIDDERS[1], signed_at=now))) == (422, "deadline-over")


def test_naming_a_replacement_tells_nobody_which_leaves_are_bids(
    room: Room, tender: bytes, tendering: Tendering, clock: Clock, follow: Follow
) -> None:
    """Whoever has a bid of its own may name any leaf in its place: a bid, a leaf that is none, or nothing logged."""
    another = room.handed_in(tender, BIDDERS[5])[0].commitment
    (no_bid,), headers = fresh(1), {"authorization": "Bearer secret-bidder"}
    assert room.client.post("/v1/evidence", json={"commitments": [no_bid]}, headers=headers).status_code == 201
    now, answers = int(clock().timestamp()), []
    for bidder, named in zip(BIDDERS, (another, bytes.fromhex(no_bid[2:]), b"\x09" * 32), strict=False):
        room.handed_in(tender, bidder)
        answer = room.replace(tender, room.replacement(tender, bidder, named, signed_at=now))
        answers.append((answer.status_code, answer.content))
    assert answers == [(204, b"")] * 3


# ---- what an outsider sees ----

PERIOD, PERIODS = 1.0, 5


@dataclass(frozen=True)
class Seen:
    """What an outsider with an API key sees while bids come in; hashes, places and times are apart."""

    handed_in: int
    steps: set[int]  # by which the log grows
    leaves: set[tuple[int, str]]  # what is told of each published leaf
    bids: set[tuple[int, str]]  # what is told of each as a bid
    others: dict[str, tuple[int, str]]  # all other routes
    on_the_beat: bool  # whether the log grew by the clock alone
    own: set[tuple[int, str]]  # how its own submissions are answered, up to its quota and beyond

    @property
    def public(self) -> tuple[object, ...]:
        return self.steps, self.leaves, self.bids, self.others, self.on_the_beat, self.own


def look(room: Room, tender: bytes, bids: int) -> Seen:
    """Let bids come in over some periods, and look at everything in each."""
    handed_in, sizes, times, own = 0, [0], [0.0], set()
    while len(sizes) <= PERIODS:
        for _ in range(max(1, bids // PERIODS) if handed_in < bids else 0):
            assert room.bid(tender, fresh(1)).status_code == 201
            handed_in += 1
        previous = sizes[-1]
        while (checkpoint := room.checkpoint()) is None or checkpoint.size == previous:
            time.sleep(0.02)
        sizes.append(checkpoint.size)
        times.append(time.monotonic())
        own |= fill_quota(room, tender)
    beats = (sizes[-1] - sizes[1]) / SLOTS - (times[-1] - times[1]) / PERIOD
    leaves, name = entries(room, sizes[-1]), f"/v1/tenders/0x{tender.hex()}"
    assert len(set(leaves)) == sizes[-1]
    paths = ("/v1/tenders", name, f"{name}/bids", "/v1/notices", "/v1/members", "/v1/withdrawals")
    return Seen(
        handed_in,
        {size % SLOTS for size in sizes},
        {public(room, "/v1/evidence/0x" + leaf.hex()) for leaf in leaves},
        {public(room, f"{name}/bids/0x{leaf.hex()}/opened") for leaf in leaves[:SLOTS]},
        {path: public(room, path) for path in (*paths, "/v1/status", "/healthz", "/metrics")},
        abs(beats) < 1,
        own,
    )


def fill_quota(room: Room, tender: bytes) -> set[tuple[int, str]]:
    """Take the whole quota of one's own, one by one, and one more; how each was answered."""
    answers = [room.bid(tender, fresh(1), key="outsider") for _ in range(QUOTA + 1)]
    return {(one.status_code, plain(one.text) if one.status_code != 201 else "") for one in answers}


def public(room: Room, path: str) -> tuple[int, str]:
    answer = room.client.get(path, headers={"authorization": "Bearer secret-outsider"})
    return answer.status_code, plain(answer.text)


def plain(text: str) -> str:
    """A text without the hashes and times in it, and without places in the log, whose size is compared apart."""
    text = re.sub(r"0x[0-9a-f]{64}|[0-9a-f]{32}|[A-Za-z0-9+/]{43}=", "#", text)
    text = re.sub(r"begins in \d+ s|\d{4}-\d\d-\d\dT[\d:.]+Z?", "@", text)
    return re.sub(r'("index"|"size"): ?\d+', r"\1", text)


def entries(room: Room, size: int) -> list[bytes]:
    """All published leaves."""
    found: list[bytes] = []
    for number in range(-(-size // TILE_WIDTH)):
        tile = TileId(ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
        answer = room.client.get(f"/log/{tile.path}")
        assert answer.status_code == 200, answer.text
        found += parse_entry_bundle(answer.content, tile.width)
    return found


def test_one_bid_and_forty_look_alike_to_outsiders(
    ground: TenderGround, founded: Founded, rpc: Rpc, tendering: Tendering, tmp_path: Path
) -> None:
    tender = tendering.publish(digest=PAPER)
    seen = []
    for bids in (1, 40):
        folder = tmp_path / str(bids)
        folder.mkdir()
        engine = open_engine(f"sqlite:///{folder / 'service.sqlite'}")
        SQLModel.metadata.create_all(engine)
        catch_up(indexer(engine, rpc, founded))
        of_its_own = replace(ground, engine=engine)
        with bidding(of_its_own, founded, rpc, folder, lambda: datetime.now(UTC), SLOTS, PERIOD) as room:
            seen.append(look(room, tender, bids))
        engine.dispose()
    few, many = seen
    assert (few.handed_in, many.handed_in) == (1, 40)
    assert few.public == many.public
    assert (few.steps, few.on_the_beat) == ({0}, True)
    assert len(few.own) == 2
