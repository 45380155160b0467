"""No key of a period is told a moment too early, and which periods had bids cannot be seen by what is told."""

from dataclasses import replace

import pytest
from bidding import SLOTS, fresh
from conftest import Clock
from founding import block_time, later
from hosting import Hosted, Hosting, announced
from tendering import BIDDERS, DAY, HOUR, PARTNER, THIRD, Tendering

from anchors.periods import account, key_commitment
from anchors.tenders import Bid, BidReceipt, State
from ledger_service.chain.rpc import Rpc
from ledger_service.log.past_periods import PastPeriod
from ledger_service.tenders.period_keys import Telling


def bid(host: Hosting, tender: bytes, count: int = 3) -> list[BidReceipt]:
    """Let bids come in, all at once, and wait until the period after theirs is closed as well."""
    receipts = host.room.handed_in(tender, *BIDDERS[:count])
    host.pass_periods(receipts[0].index)
    return receipts


def settle(host: Hosting) -> None:
    """Anchor all that is public, and let a block follow."""
    host.anchor()
    host.pass_block()


def opened(host: Hosting, tendering: Tendering, tender: bytes, receipts: list[BidReceipt]) -> None:
    """Close the bids of a tender, where they are not, and open these."""
    if tendering.tenders[tender].state is State.PUBLISHED:
        tendering.close(tender)
    tendering.open(tender, [Bid(one.commitment, one.index) for one in receipts])
    host.pass_block()


def told(host: Hosting, receipt: BidReceipt) -> bool:
    return host.period_of(receipt.index)["key"] is not None


def test_a_key_is_told_once_the_tender_is_opened_and_not_before(host: Hosting, tendering: Tendering) -> None:
    tender = announced(host, tendering)
    receipts = bid(host, tender)
    settle(host)
    assert not told(host, receipts[0])
    tendering.close(tender)
    host.pass_block()
    assert not told(host, receipts[0])
    tendering.open(tender, [Bid(one.commitment, one.index) for one in receipts])
    host.pass_block()
    assert told(host, receipts[0])


def test_with_the_keys_everybody_accounts_for_the_leaves_of_the_tiles(host: Hosting, tendering: Tendering) -> None:
    tender = announced(host, tendering)
    receipts = bid(host, tender)
    settle(host)
    promised = {one["number"]: one["key_commitment"] for one in host.periods()}
    opened(host, tendering, tender, receipts)
    period = host.period_of(receipts[0].index)
    (following,) = host.periods(**{"from": period["number"] + 1, "limit": 1})
    keys = [bytes.fromhex(one["key"][2:]) for one in (period, following)]
    assert ["0x" + key_commitment(key).hex() for key in keys] == [
        promised[one["number"]] for one in (period, following)
    ]
    leaves = host.leaves(period)
    found = account(keys[0], leaves, keys[1])
    assert [leaves[slot] for slot in found.accepted] == [one.commitment for one in receipts]
    assert len(found.filling) == SLOTS - 1 - len(receipts)


def test_the_period_that_is_open_is_not_told_of(host: Hosting, tendering: Tendering) -> None:
    tender = announced(host, tendering)
    host.turn()
    (receipt,) = host.room.handed_in(tender, BIDDERS[0])
    assert all(one["first"] + one["size"] <= receipt.index // SLOTS * SLOTS for one in host.periods())


def test_a_period_that_is_not_anchored_keeps_its_key(host: Hosting, tendering: Tendering) -> None:
    tender = announced(host, tendering)
    receipts = bid(host, tender)
    opened(host, tendering, tender, receipts)
    assert {one["key"] for one in host.periods()} == {None}
    settle(host)
    assert told(host, receipts[0])


PERIOD = PastPeriod(5, 320, 384, 64, committed=True, opened_at=1000, closed_at=1060, chain_time=1050)


@pytest.mark.parametrize(
    ("time", "anchored", "unopened", "allowed"),
    [
        (1051, 384, (), True),
        (1050, 384, (), False),  # a notice of this very second may not be followed yet
        (1051, 383, (), False),
        (0, 0, (), False),
        (9999, 999, ((1050, 9000),), False),  # its notice stood in the last block that the period has seen
        (9999, 999, ((1051, 9000),), True),
        (9999, 999, ((900, 1001),), False),  # its deadline came in the period's first second
        (9999, 999, ((900, 1000),), True),
        (9999, 999, ((900, 1000), (900, 9000)), False),
    ],
)
def test_times_decide_to_the_second(
    time: int, anchored: int, unopened: tuple[tuple[int, int], ...], allowed: bool
) -> None:
    assert Telling(time, anchored, unopened).is_over(PERIOD) is allowed


def test_a_clock_that_is_set_back_lets_no_tender_be_missed() -> None:
    back = replace(PERIOD, opened_at=2000)
    assert not Telling(9999, 999, ((900, 1500),)).is_over(back)


@pytest.mark.parametrize("unknown", ["opened_at", "closed_at"])
def test_where_times_are_not_known_every_tender_holds_the_key_back(unknown: str) -> None:
    old = replace(PERIOD, **{unknown: None})
    assert not Telling(9999, 999, ((1, 2),)).is_over(old)
    assert not Telling(9999, 999, ()).is_over(replace(PERIOD, chain_time=None))


def test_another_tender_that_took_bids_at_the_time_holds_the_key_back(host: Hosting, tendering: Tendering) -> None:
    first = announced(host, tendering)
    second = announced(host, tendering, b"\x71" * 32)
    receipts = bid(host, first)
    settle(host)
    opened(host, tendering, first, receipts)
    assert not told(host, receipts[0])
    opened(host, tendering, second, [])  # with fewer than three it has failed: nothing is opened any more
    assert told(host, receipts[0])


def test_another_tender_that_is_given_up_holds_nothing_back(host: Hosting, tendering: Tendering) -> None:
    first = announced(host, tendering)
    second = announced(host, tendering, b"\x71" * 32)
    receipts = bid(host, first)
    settle(host)
    opened(host, tendering, first, receipts)
    tendering.fail(second)
    host.pass_block()
    assert told(host, receipts[0])


def test_tenders_of_other_times_and_of_other_hosts_hold_nothing_back(
    host: Hosting, tendering: Tendering, rpc: Rpc
) -> None:
    tendering.publish(digest=b"\x71" * 32, host=PARTNER, members=(PARTNER, THIRD))
    tender = announced(host, tendering)
    receipts = bid(host, tender)
    settle(host)
    later(rpc, HOUR)
    announced(host, tendering, b"\x72" * 32)
    opened(host, tendering, tender, receipts)
    assert told(host, receipts[0])


def test_what_came_after_the_deadline_waits_for_no_opening(host: Hosting, tendering: Tendering, rpc: Rpc) -> None:
    tender = announced(host, tendering)
    receipts = bid(host, tender)
    settle(host)
    later(rpc, max(0, tendering.tenders[tender].deadline - block_time(rpc)) + 1)
    host.catch_up()
    host.turn()
    size = host.turn()
    settle(host)
    assert not told(host, receipts[0])
    assert host.period_of(size - 1)["key"] is not None


def test_a_deadline_that_was_put_off_holds_until_then(host: Hosting, tendering: Tendering, rpc: Rpc) -> None:
    tender = announced(host, tendering)
    before = tendering.tenders[tender].deadline
    tendering.amend(tender, digest=b"\x71" * 32, deadline=before + DAY, opening=before + DAY)
    later(rpc, before + HOUR - block_time(rpc))
    host.catch_up()
    receipts = bid(host, tender)
    settle(host)
    assert not told(host, receipts[0])
    opened(host, tendering, tender, receipts)
    assert told(host, receipts[0])


def test_an_opening_that_can_be_taken_back_tells_no_key(hosted: Hosted, rpc: Rpc, tendering: Tendering) -> None:
    with hosted(confirmations=3) as host:
        tender = announced(host, tendering)
        for _ in range(3):
            host.pass_block()
        receipts = bid(host, tender)
        settle(host)
        tendering.close(tender)
        for _ in range(3):
            host.pass_block()
        snapshot, known = rpc.call("evm_snapshot"), tendering.tenders[tender]
        opened(host, tendering, tender, receipts)
        host.pass_block()
        assert not told(host, receipts[0])
        rpc.call("evm_revert", snapshot)
        tendering.tenders[tender] = known
        for _ in range(6):  # the branch without the opening becomes the longer one
            host.pass_block()
            assert not told(host, receipts[0])
        opened(host, tendering, tender, receipts)
        for _ in range(2):
            assert not told(host, receipts[0])
            host.pass_block()
        assert told(host, receipts[0])


def test_no_bid_is_taken_before_the_notice_is_final(hosted: Hosted, tendering: Tendering) -> None:
    """A notice that is taken back and comes again is of a later time than bids that came meanwhile."""
    with hosted(confirmations=2) as host:
        tender = announced(host, tendering)
        answer = host.room.bid(tender, fresh(1))
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:bidledger:problem:index-behind")
        assert "retry-after" in answer.headers
        for _ in range(2):
            host.pass_block()
        assert host.room.bid(tender, fresh(1)).status_code == 201


def test_bids_are_taken_until_a_later_deadline_once_that_is_final(
    hosted: Hosted, tendering: Tendering, clock: Clock
) -> None:
    with hosted(confirmations=2) as host:
        tender = announced(host, tendering)
        for _ in range(2):
            host.pass_block()
        before = tendering.tenders[tender].deadline
        tendering.amend(tender, digest=b"\x71" * 32, deadline=before + DAY, opening=before + DAY)
        host.catch_up()
        clock.set(before)
        refused = host.room.bid(tender, fresh(1))
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:bidledger:problem:after-deadline")
        assert refused.json()["deadline"] == before
        for _ in range(2):
            host.pass_block()
        clock.set(before)
        assert host.room.bid(tender, fresh(1)).status_code == 201


def test_periods_with_and_without_bids_are_told_alike(host: Hosting, tendering: Tendering) -> None:
    tender = announced(host, tendering)
    host.turn()
    empty = host.turn() - 1  # a place in a period in which nothing came
    receipts = bid(host, tender)
    settle(host)

    def seen(place: int) -> dict[str, object]:
        varying = ("number", "first", "opened_at", "closed_at", "key_commitment", "key")
        period = host.period_of(place)
        return {**period, **{name: period[name] is None for name in varying}}

    for step in (lambda: None, lambda: opened(host, tendering, tender, receipts)):
        step()
        assert seen(empty) == seen(receipts[0].index)
    assert not seen(empty)["key"]


def test_periods_are_paged_and_cached(host: Hosting) -> None:
    for _ in range(3):
        size = host.turn()
    whole = host.periods()[: size // SLOTS]
    assert [one["number"] for one in whole] == list(range(size // SLOTS))
    assert [(one["first"], one["size"], one["slots"]) for one in whole] == [
        (number * SLOTS, SLOTS, SLOTS) for number in range(size // SLOTS)
    ]
    client = host.room.client
    page = client.get("/v1/periods", params={"limit": 2})
    again = client.get("/v1/periods", params={"limit": 2}, headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    following = client.get(page.links["next"]["url"]).json()["periods"]
    assert page.json()["periods"] + following == whole[:4]
    assert [one["number"] for one in host.periods(**{"from": 2})][:2] == [2, 3]
    refused = client.get("/v1/periods", params={"from": -1})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")


def test_periods_are_found_by_their_time(host: Hosting, rpc: Rpc) -> None:
    host.turn()
    later(rpc, HOUR)
    host.catch_up()
    since = block_time(rpc)
    host.turn()
    found = host.periods(since=since)
    assert found[0]["closed_at"] >= since
    assert found[0]["opened_at"] < since
    assert host.periods(since=since + DAY) == []


def test_a_log_without_slots_has_no_keys(hosted: Hosted, tendering: Tendering) -> None:
    with hosted(slots=0) as host:
        tender = announced(host, tendering)
        receipts = host.room.handed_in(tender, *BIDDERS[:3])
        while host.room.checkpoint() is None:
            pass
        settle(host)
        opened(host, tendering, tender, receipts)
        period = host.period_of(receipts[0].index)
        assert (period["slots"], period["size"], period["key"], period["key_commitment"]) == (0, 3, None, None)
