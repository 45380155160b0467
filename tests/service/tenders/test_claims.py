"""Claims about bids over the API: what is claimed must hold by the host's own receipt, or it is refused by name."""

from typing import Any

import pytest
from bidding import Room
from holding import PAPER, REASON, Holding
from sqlmodel import Session, select
from tendering import BIDDERS, Tendering, bids

from anchors.tenders import Refusal
from ledger_service.operations.tables import Operation

DROPPED = BIDDERS[5].commitment


def problem(answer: Any) -> str:
    assert answer.status_code in (404, 422), answer.text
    name: str = answer.json()["type"].removeprefix("urn:bidledger:problem:")
    return name


@pytest.fixture
def tender(tendering: Tendering, holding: Holding) -> str:
    """One whose five bids are opened; a sixth was refused."""
    name = tendering.publish()
    tendering.close(name)
    tendering.open(name, bids(4), (Refusal(BIDDERS[4].commitment, REASON_BYTES),))
    holding.clock.set(holding.now)
    holding.follow()
    return f"/v1/tenders/0x{name.hex()}"


REASON_BYTES = bytes.fromhex(REASON[2:])


def claim(holding: Holding, tender: str, body: Any) -> Any:
    return holding.ask(f"{tender}/dropped-bid-claims", body, key=None)


def in_time(holding: Holding, tender: str) -> int:
    deadline: int = holding.told(tender)["deadline"]
    return deadline - 1


def test_only_the_hosts_receipt_signer_makes_a_claim(holding: Holding, tender: str) -> None:
    time = in_time(holding, tender)
    for signer in ((1, "tender-officer"), (2, "receipt-signer")):
        forged = holding.receipt(tender, DROPPED, time, signer)
        assert problem(claim(holding, tender, forged)) == "not-receipt-signer"
    good = holding.receipt(tender, DROPPED, time)
    changed = {**good, "receipt": good["receipt"] | {"index": 8}}
    assert problem(claim(holding, tender, changed)) == "not-receipt-signer"
    unsigned = {**good, "signature": "0x" + "00" * 65}
    assert problem(claim(holding, tender, unsigned)) == "bad-signature"


def test_a_bid_that_was_opened_or_came_late_is_not_claimed(holding: Holding, tender: str) -> None:
    time = in_time(holding, tender)
    opened = holding.receipt(tender, BIDDERS[0].commitment, time)
    assert problem(claim(holding, tender, opened)) == "bid-opened"
    late = holding.receipt(tender, DROPPED, time + 1)
    assert problem(claim(holding, tender, late)) == "received-late"


def test_a_receipt_of_another_tender_is_no_claim(holding: Holding, tendering: Tendering, tender: str) -> None:
    other = f"/v1/tenders/0x{tendering.publish(digest=bytes([7]) * 32).hex()}"
    holding.follow()
    receipt = holding.receipt(other, DROPPED, in_time(holding, tender))
    assert problem(claim(holding, tender, receipt)) == "tender-differs"
    assert problem(claim(holding, other, receipt)) == "not-opened"
    unknown = f"/v1/tenders/0x{'ab' * 32}"
    assert problem(claim(holding, unknown, holding.receipt(unknown, DROPPED, 1))) == "not-found"


def test_the_form_of_a_claim_is_closed(holding: Holding, tender: str) -> None:
    good = holding.receipt(tender, DROPPED, in_time(holding, tender))
    without = {name: value for name, value in good["receipt"].items() if name != "index"}
    for body in (good["receipt"], {**good, "more": 1}, {**good, "receipt": without}, {**good, "signature": "0x12"}):
        assert problem(claim(holding, tender, body)) == "invalid-content"


def test_a_bid_is_claimed_once(holding: Holding, tender: str, tendering: Tendering) -> None:
    body = holding.receipt(tender, DROPPED, in_time(holding, tender))
    holding.done(f"{tender}/dropped-bid-claims", body, key=None)
    assert len(holding.told(tender)["claims"]) == 1
    another = holding.receipt(tender, DROPPED, in_time(holding, tender) - 5)
    assert problem(claim(holding, tender, another)) == "already-claimed"
    with Session(holding.ground.engine) as session:
        assert len(session.exec(select(Operation.number)).all()) == 1


def test_a_claim_that_somebody_else_has_sent_counts(holding: Holding, tender: str, tendering: Tendering) -> None:
    name = bytes.fromhex(tender[-64:])
    receipt = tendering.receipt(name, DROPPED)
    operation = holding.drawn_up(
        f"{tender}/dropped-bid-claims", holding.receipt(tender, DROPPED, receipt.received_at), key=None
    )
    tendering.claim(receipt)
    settled = holding.settle(operation)
    assert (settled["state"], settled["transaction"]) == ("final", None)


def test_refused_bids_are_claimed_and_answered(holding: Holding, tender: str, room: Room) -> None:
    refused = "0x" + BIDDERS[4].commitment.hex()
    body = holding.receipt(tender, BIDDERS[4].commitment, in_time(holding, tender))
    assert problem(holding.ask(f"{tender}/claims/{refused}/answer", {})) == "nothing-to-answer"
    holding.done(f"{tender}/dropped-bid-claims", body, key=None)
    holding.done(f"{tender}/claims/{refused}/answer", {})
    (told,) = holding.told(tender)["claims"]
    assert (told["answer"], told["by"], told["upheld"]) == ("refused", REASON, False)
    assert problem(holding.ask(f"{tender}/claims/{refused}/answer", {})) == "nothing-to-answer"


def test_a_withdrawn_bid_is_claimed_and_answered(holding: Holding, room: Room) -> None:
    tender = holding.announced()
    name = bytes.fromhex(tender[-64:])
    room.handed_in(name, *BIDDERS[:5])
    for bidder, by in ((BIDDERS[0], bytes(32)), (BIDDERS[1], BIDDERS[2].commitment)):
        assert room.replace(name, room.replacement(name, bidder, by, signed_at=holding.now)).status_code == 204
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    kept = {one["commitment"]: one for one in room.received(name).json()["bids"]}
    words = ["0x" + bidder.commitment.hex() for bidder in BIDDERS[:5]]
    opened = [{"commitment": one, "index": kept[one]["index"]} for one in words[2:]]
    holding.done(f"{tender}/opening", {"record": PAPER, "bids": opened})
    for word in words[:2]:
        said = {"tender": tender[-66:], "commitment": word}
        body = holding.receipt(tender, bytes.fromhex(word[2:]), kept[word]["received_at"])
        assert body["receipt"].items() >= said.items()
        holding.done(f"{tender}/dropped-bid-claims", body, key=None)
        holding.done(f"{tender}/claims/{word}/answer", {})
    answers = {one["commitment"]: (one["answer"], one["by"]) for one in holding.told(tender)["claims"]}
    assert answers == {words[0]: ("withdrawn", None), words[1]: ("replaced", words[2])}


def test_a_claim_without_an_answer_at_hand_is_not_answered(holding: Holding, tender: str) -> None:
    body = holding.receipt(tender, DROPPED, in_time(holding, tender))
    holding.done(f"{tender}/dropped-bid-claims", body, key=None)
    assert problem(holding.ask(f"{tender}/claims/0x{DROPPED.hex()}/answer", {})) == "no-answer-at-hand"
