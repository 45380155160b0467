"""Whole lives of tenders over the API, on both chains: from a joint notice to the award; a bid that was left out."""

from dataclasses import replace

import pytest
from bidding import Room
from holding import DIGEST, GROUNDS, PAPER, REASON, Holding
from tendering import BIDDERS, DAY, Bidder

from ledger_service.tenders.answers import TenderHistoryOut


def word(bidder: Bidder) -> str:
    return "0x" + bidder.commitment.hex()


def name_of(tender: str) -> bytes:
    return bytes.fromhex(tender[-64:])


@pytest.fixture
def unique(holding: Holding) -> str:
    """A digest of this test's own: ganache shows for ever what an earlier test sent."""
    return "0x" + holding.now.to_bytes(32, "big").hex()


def test_a_tender_lives_from_a_joint_notice_to_its_award(holding: Holding, room: Room, unique: str) -> None:
    tender = holding.announced(digest=unique)
    holding.done(f"{tender}/amendments", {"amendment": {"digest": PAPER, "reason": REASON}})
    room.handed_in(name_of(tender), *BIDDERS[:5])
    in_its_place = BIDDERS[5]
    room.handed_in(name_of(tender), in_its_place)
    now = holding.now
    replaced = room.replacement(name_of(tender), BIDDERS[0], in_its_place.commitment, signed_at=now)
    withdrawn = room.replacement(name_of(tender), BIDDERS[1], signed_at=now)
    assert [room.replace(name_of(tender), each).status_code for each in (replaced, withdrawn)] == [204, 204]
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    holding.done(f"{tender}/evaluation", holding.evaluation())
    holding.done(f"{tender}/candidates", holding.candidates())
    holding.done(f"{tender}/objections", {"grounds": GROUNDS})
    suspended = holding.ask(f"{tender}/award", holding.award())
    assert suspended.json()["type"] == "urn:bidledger:problem:award-suspended"
    holding.done(f"{tender}/rulings", {"grounds": GROUNDS, "upheld": False, "ruling": PAPER})
    holding.wait_until(holding.told(tender)["candidates"]["until"])
    holding.done(f"{tender}/award", holding.award())
    told = holding.told(tender)
    TenderHistoryOut.model_validate(told)
    assert told["state"] == "awarded"
    assert [event["kind"] for event in told["events"]] == [
        *("published", "amended", "closed", "opened", "evaluated", "candidates", "objected", "ruled", "awarded")
    ]
    opened = {bid["commitment"] for bid in told["events"][3]["data"]["bids"]}
    assert opened == {word(bidder) for bidder in (*BIDDERS[2:5], in_its_place)}
    assert told["opened"]["on_receipt"] == 4  # nothing of this log is anchored


def test_an_upheld_objection_sends_the_tender_back_to_its_evaluation(holding: Holding, room: Room, unique: str) -> None:
    tender = holding.announced(digest=unique)
    room.handed_in(name_of(tender), *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    holding.done(f"{tender}/evaluation", holding.evaluation())
    holding.done(f"{tender}/candidates", holding.candidates())
    holding.done(f"{tender}/objections", {"grounds": GROUNDS})
    holding.done(f"{tender}/rulings", {"grounds": GROUNDS, "upheld": True, "ruling": PAPER})
    assert holding.told(tender)["state"] == "opened"
    again = holding.done(f"{tender}/evaluation", holding.evaluation())
    assert again["typed_data"]["message"]["act"]["round"] == 2


def test_with_fewer_than_three_bids_it_fails_and_is_held_again(holding: Holding, room: Room, unique: str) -> None:
    tender = holding.announced(digest=unique)
    room.handed_in(name_of(tender), *BIDDERS[:2])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    assert holding.told(tender)["state"] == "failed"
    again = holding.announced(former=tender[-66:], digest=DIGEST)
    assert holding.told(tender)["state"] == "retendered"
    assert holding.told(again)["former"] == tender[-66:]
    holding.done(f"{again}/failure", {"reason": REASON})
    assert holding.told(again)["failure"] == REASON


def test_a_bid_that_was_dropped_is_claimed_by_whoever_has_its_receipt(
    holding: Holding, room: Room, unique: str
) -> None:
    tender = holding.announced(digest=unique)
    answer = room.bid(name_of(tender), [word(bidder) for bidder in BIDDERS[:5]])
    receipts = {one["commitment"]: one for one in answer.json()["bid_receipts"]}
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    dropped = word(BIDDERS[4])
    kept = [{"commitment": one["commitment"], "index": one["index"]} for one in receipts.values()]
    opening = {"record": PAPER, "bids": [one for one in kept if one["commitment"] != dropped]}
    holding.done(f"{tender}/opening", opening)
    shown = holding.told(f"{tender}/bids/{dropped}/opened")
    assert (shown["opened"], shown["claim"]) == (False, None)
    receipt = dict(receipts[dropped])
    body = {"signature": receipt.pop("signature"), "receipt": receipt}
    claim = holding.drawn_up(f"{tender}/dropped-bid-claims", body, key=None)
    assert (claim["act"], claim["state"], claim["needed"]) == (
        "claim",
        "ready",
        {"publisher": False, "regulator": False, "endorsements": 0},
    )
    again = holding.drawn_up(f"{tender}/dropped-bid-claims", body, key=None)
    assert again["id"] == claim["id"]
    final = holding.settle(claim)
    assert final["state"] == "final", final
    claimed = holding.told(f"{tender}/bids/{dropped}/opened")["claim"]
    assert (claimed["member"], claimed["late"], claimed["upheld"]) == ("chongqing", False, False)
    holding.wait_until(claimed["answer_by"] + 1)
    assert holding.told(tender)["claims"] == [claimed | {"upheld": True}]


def test_a_late_bid_that_was_opened_is_claimed(holding: Holding, room: Room, unique: str) -> None:
    tender = holding.announced(digest=unique)
    room.handed_in(name_of(tender), *BIDDERS[:2])
    deadline = holding.told(tender)["deadline"]
    holding.wait_until(deadline)
    holding.done(f"{tender}/closing", {})
    bids = [{"commitment": word(bidder), "index": index} for index, bidder in enumerate(BIDDERS[:3])]
    holding.done(f"{tender}/opening", {"record": PAPER, "bids": bids})
    late = holding.receipt(tender, BIDDERS[2].commitment, deadline + 1)
    final = holding.done(f"{tender}/dropped-bid-claims", late, key=None)
    assert final["act"] == "claim"
    (claimed,) = holding.told(tender)["claims"]
    assert (claimed["late"], claimed["upheld"], claimed["received_at"]) == (True, True, deadline + 1)


def test_another_member_objects_and_closes(holding: Holding, unique: str) -> None:
    tender = holding.announced(digest=unique)
    holding.wait_until(holding.told(tender)["deadline"] + DAY)
    partner = holding.founded.network.members[1]
    elsewhere = replace(holding, ground=replace(holding.ground, member=partner))
    with elsewhere.served() as holding_there:
        holding_there.done(f"{tender}/closing", {})
        refused = holding_there.ask(f"{tender}/opening", {"record": PAPER})
        assert refused.json()["type"] == "urn:bidledger:problem:other-hosts-tender"
    assert holding.told(tender)["state"] == "closed"
