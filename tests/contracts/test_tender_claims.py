"""TenderRegister.claimDropped, claimLate and their answers: what a receipt proves, and what a page of the list does."""

from dataclasses import replace
from typing import Any

import pytest
from founded_alliance import DAY, RECEIPT_DAYS, RECEIPT_SIGNER, key
from rfc6962 import Tree
from tender_alliance import (
    ANSWER_DAYS,
    BIDDER,
    HOST,
    HOUR,
    NOTHING,
    OPENED,
    PAPER,
    PARTNER,
    REASON,
    REFUSED_BID,
    REPLACED_BID,
    SENDER,
    WITHDRAWN_BID,
    Commitment,
    TenderAlliance,
    bids,
    changed,
    keccak,
    page,
    page_number,
)

DROPPED = Commitment()
LISTED = bids(20)


def claimed(tenders: TenderAlliance, *, refusals: bytes = b"") -> bytes:
    """A tender that opened twenty bids and dropped one, which its bidder claims."""
    tender = tenders.open(LISTED, refusals)
    receipt = tenders.receipt(tender, DROPPED.hash)
    tenders.send(SENDER, tenders.claiming(receipt, LISTED, refusals=refusals))
    return tender


class TestDropped:
    def test_a_bid_that_was_received_in_time_and_not_opened(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        receipt = tenders.receipt(tender, DROPPED.hash)
        done = tenders.send(key("anybody"), tenders.claiming(receipt, LISTED))
        by = tenders.web3.eth.get_block(done["blockNumber"])["timestamp"] + ANSWER_DAYS * DAY
        event = tenders.event("BidClaimed", done)
        assert tuple(event.values()) == (tender, DROPPED.hash, HOST, False, 7, receipt[3], by)
        assert tenders.claim(tender, DROPPED.hash) == (by, False, 0)

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 9, 16, 17, 200])
    def test_wherever_it_would_stand(self, tenders: TenderAlliance, count: int) -> None:
        listed = bids(count)
        tender = tenders.open(listed)
        places = sorted({0, 1, 7, 8, 9, count // 2, count - 1, count} & set(range(count + 1)))
        for place in places:  # between the entry before and the one that now stands there
            before = listed[place - 1][0] if place else NOTHING
            after = listed[place][0] if place < count else b"\xff" * 32
            for number in (int.from_bytes(before, "big") + 1, int.from_bytes(after, "big") - 1):
                receipt = tenders.receipt(tender, number.to_bytes(32, "big"))
                assert tenders.refusal(SENDER, tenders.claiming(receipt, listed)) == "accepted"

    def test_not_when_it_was_opened(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        for commitment, _ in LISTED:
            receipt = tenders.receipt(tender, commitment)
            assert tenders.refusal(SENDER, tenders.claiming(receipt, LISTED)) == "TenderRegister_Opened"

    @pytest.mark.parametrize("after", [0, 1, DAY])
    def test_not_when_it_was_received_from_the_deadline_on(self, tenders: TenderAlliance, after: int) -> None:
        tender = tenders.open(LISTED)
        late = tenders.receipt(tender, DROPPED.hash, receivedAt=tenders.tender(tender)["deadline"] + after)
        assert tenders.refusal(SENDER, tenders.claiming(late, LISTED)) == "TenderRegister_ReceivedLate"

    def test_until_the_second_before_the_deadline(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        last = tenders.receipt(tender, DROPPED.hash, receivedAt=tenders.tender(tender)["deadline"] - 1)
        assert tenders.refusal(SENDER, tenders.claiming(last, LISTED)) == "accepted"

    def test_not_with_a_receipt_for_another_tender(self, tenders: TenderAlliance) -> None:
        tender, other = tenders.open(LISTED), tenders.publish(digest=REASON)
        receipt = tenders.receipt(other, DROPPED.hash)
        call = tenders.claiming(receipt, LISTED, opening=tenders.opening(tender, LISTED))
        assert tenders.refusal(SENDER, call) == "TenderRegister_OtherTender"

    def test_not_before_the_opening(self, tenders: TenderAlliance) -> None:
        receipt = tenders.receipt(tenders.close(), DROPPED.hash)
        assert tenders.refusal(SENDER, tenders.claiming(receipt, LISTED)) == "TenderRegister_NotOpened"

    def test_not_under_another_opening(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        receipt = tenders.receipt(tender, DROPPED.hash)
        for fields in ({"count": 19}, {"root": PAPER}, {"record": REASON}, {"refusals": PAPER}):
            call = tenders.claiming(receipt, LISTED, opening=tenders.opening(tender, LISTED, **fields))
            assert tenders.refusal(SENDER, call) == "TenderRegister_OtherBasis"

    def test_just_once(self, tenders: TenderAlliance) -> None:
        receipt = tenders.receipt(claimed(tenders), DROPPED.hash)
        for again in (receipt, changed("BidReceipt", receipt, index=8)):
            assert tenders.refusal(SENDER, tenders.claiming(again, LISTED)) == "TenderRegister_AlreadyClaimed"

    def test_also_when_the_tender_failed_for_too_few_bids(self, tenders: TenderAlliance) -> None:
        listed = bids(2)
        receipt = tenders.receipt(tenders.open(listed), DROPPED.hash)
        assert tenders.refusal(SENDER, tenders.claiming(receipt, listed)) == "accepted"


class TestForgedNeighbours:
    @pytest.mark.parametrize("count", [1, 8, 9, 20, 33])
    def test_a_page_that_is_not_the_lists_is_refused(self, tenders: TenderAlliance, count: int) -> None:
        listed = bids(count)
        tender = tenders.open(listed)
        receipt = tenders.receipt(tender, DROPPED.hash)
        number, entries, path = page(listed, DROPPED.hash)
        forged: list[tuple[int, bytes, list[bytes]]] = [
            (number, bytes([entries[0] ^ 1]) + entries[1:], path),
            (number, entries[:-1] + bytes([entries[-1] ^ 1]), path),  # the neighbour that follows
            (number, entries[40:], path),
            (number, entries + bytes(40), path),
            (number, b"", path),
            (number + 1, entries, path),
            (10**9, entries, path),
            (number, entries, [*path, PAPER]),
            *((number, entries, path[:-1]) for _ in path[:1]),
            *((number, entries, [PAPER, *path[1:]]) for _ in path[:1]),
        ]
        for each in forged:
            call = tenders.claiming(receipt, listed, page=each)
            assert tenders.refusal(SENDER, call) == "BidList_ForgedPage"

    def test_an_inner_node_is_no_page(self, tenders: TenderAlliance) -> None:
        listed = bids(16)
        tender = tenders.open(listed)
        receipt = tenders.receipt(tender, DROPPED.hash)
        leaves = [keccak(page(listed, NOTHING, number)[1]) for number in (0, 1)]
        call = tenders.claiming(receipt, listed, page=(0, b"".join(leaves), []))
        assert tenders.refusal(SENDER, call) == "BidList_ForgedPage"

    def test_neighbours_between_which_it_does_not_stand_are_refused(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        for commitment in (DROPPED.hash, LISTED[3][0], LISTED[8][0], LISTED[19][0]):
            receipt = tenders.receipt(tender, commitment)
            for number in {0, 1, 2} - {page_number(LISTED, commitment)}:
                call = tenders.claiming(receipt, LISTED, page=page(LISTED, commitment, number))
                assert tenders.refusal(SENDER, call) == "BidList_OtherPage"

    def test_an_empty_list_has_no_page(self, tenders: TenderAlliance) -> None:
        tender = tenders.open([])
        receipt = tenders.receipt(tender, DROPPED.hash)
        for forged in ((1, b"", []), (0, bytes(40), []), (0, b"", [NOTHING])):
            call = tenders.claiming(receipt, [], page=forged)
            assert tenders.refusal(SENDER, call) == "BidList_ForgedPage"


class TestReceiptSigner:
    def test_a_receipt_signer_of_the_host_at_that_time(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        receipt = tenders.receipt(tender, DROPPED.hash)
        for by in (tenders.signer(PARTNER), tenders.officer(HOST), BIDDER):
            call = tenders.claiming(receipt, LISTED, by=by)
            assert tenders.refusal(SENDER, call) == "TenderRegister_NotReceiptSigner"

    def test_not_from_before_its_tenure(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        tenders.pass_time(2 * HOUR)
        fresh = key("fresh signer")
        grant = tenders.registry.functions.grantOwnRole(fresh.address, RECEIPT_SIGNER, 0, 0)
        tenders.send(tenders.governor(HOST), grant)
        since = tenders.now
        tenders.pass_time(DAY)
        tenders.send(SENDER, tenders.closing(tender))
        tenders.send(SENDER, tenders.opening_bids(tender, LISTED))
        for received, expected in ((since - 1, "TenderRegister_NotReceiptSigner"), (since, "accepted")):
            receipt = tenders.receipt(tender, DROPPED.hash, receivedAt=received)
            assert tenders.refusal(SENDER, tenders.claiming(receipt, LISTED, by=fresh)) == expected

    def test_a_forged_receipt_is_refused(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        call = tenders.claiming(tenders.receipt(tender, DROPPED.hash), LISTED, domain={"chainId": 1})
        assert tenders.refusal(SENDER, call) in ("TenderRegister_NotReceiptSigner", "Signers_BadSignature")

    def test_of_a_revoked_signer_what_was_anchored_counts_for_a_while(self, tenders: TenderAlliance) -> None:
        tenders.anchor(HOST, Tree([bytes([n]) * 32 for n in range(9)]), 8)
        tender = tenders.open(LISTED)
        revoke = tenders.registry.functions.revokeOwnRole(tenders.signer(HOST).address, RECEIPT_SIGNER)
        tenders.send(tenders.governor(HOST), revoke)
        anchored = tenders.claiming(tenders.receipt(tender, DROPPED.hash, index=7), LISTED)
        beyond = tenders.claiming(tenders.receipt(tender, DROPPED.hash, index=8), LISTED)
        assert tenders.refusal(SENDER, anchored) == "accepted"
        assert tenders.refusal(SENDER, beyond) == "TenderRegister_SignerRevoked"
        tenders.pass_time(RECEIPT_DAYS * DAY + HOUR)
        assert tenders.refusal(SENDER, anchored) == "TenderRegister_ClaimedTooLate"

    def test_a_revoked_signers_generation_counts_to_its_end(self, tenders: TenderAlliance) -> None:
        tenders.anchor(HOST, Tree([bytes([n]) * 32 for n in range(9)]), 8)
        tender = tenders.open(LISTED)
        tenders.vote(tenders.log.functions.closeGeneration(HOST))
        revoke = tenders.registry.functions.revokeOwnRole(tenders.signer(HOST).address, RECEIPT_SIGNER)
        tenders.send(tenders.governor(HOST), revoke)
        for index, expected in ((7, "accepted"), (8, "TenderRegister_SignerRevoked")):
            call = tenders.claiming(tenders.receipt(tender, DROPPED.hash, index=index), LISTED)
            assert tenders.refusal(SENDER, call) == expected


class TestLate:
    def test_a_late_bid_that_was_opened(self, tenders: TenderAlliance) -> None:
        tender, (commitment, index) = tenders.open(LISTED), LISTED[11]
        received = tenders.tender(tender)["deadline"]
        receipt = tenders.receipt(tender, commitment, index=index, receivedAt=received)
        done = tenders.send(SENDER, tenders.claiming(receipt, LISTED, late=True))
        event = tenders.event("BidClaimed", done)
        assert (event["late"], event["member"], event["receivedAt"]) == (True, HOST, received)
        assert tenders.upheld(tender, commitment)  # at once: there is no answer to it

    def test_not_one_that_was_in_time(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        call = tenders.claiming(tenders.receipt(tender, LISTED[0][0]), LISTED, late=True)
        assert tenders.refusal(SENDER, call) == "TenderRegister_ReceivedInTime"

    def test_not_one_that_was_left_out(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        receipt = tenders.receipt(tender, DROPPED.hash, receivedAt=tenders.tender(tender)["deadline"])
        call = tenders.claiming(receipt, LISTED, late=True)
        assert tenders.refusal(SENDER, call) == "TenderRegister_NotAmongOpened"

    def test_just_once(self, tenders: TenderAlliance) -> None:
        tender = tenders.open(LISTED)
        receipt = tenders.receipt(tender, LISTED[0][0], receivedAt=tenders.tender(tender)["deadline"])
        call = tenders.claiming(receipt, LISTED, late=True)
        tenders.send(SENDER, call)
        assert tenders.refusal(SENDER, call) == "TenderRegister_AlreadyClaimed"

    def test_the_deadline_of_the_last_version_counts(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        first = tenders.tender(tender)["deadline"]
        later = tenders.amendment(tender, deadline=first + DAY, opening=first + DAY)
        tenders.send(SENDER, tenders.amending(later))
        tenders.pass_time(3 * DAY)
        tenders.send(SENDER, tenders.closing(tender))
        tenders.send(SENDER, tenders.opening_bids(tender, LISTED))
        receipt = tenders.receipt(tender, LISTED[0][0], receivedAt=first)
        call = tenders.claiming(receipt, LISTED, late=True)
        assert tenders.refusal(SENDER, call) == "TenderRegister_ReceivedInTime"


class TestUnanswered:
    def test_a_claim_stands_when_its_time_is_over(self, tenders: TenderAlliance) -> None:
        tender = claimed(tenders)
        assert not tenders.upheld(tender, DROPPED.hash)
        tenders.pass_time(ANSWER_DAYS * DAY - 60)
        assert not tenders.upheld(tender, DROPPED.hash)
        tenders.pass_time(120)
        assert tenders.upheld(tender, DROPPED.hash)

    def test_an_answer_after_that_is_refused(self, tenders: TenderAlliance) -> None:
        refusals = DROPPED.hash + REASON
        tender = claimed(tenders, refusals=refusals)
        tenders.pass_time(ANSWER_DAYS * DAY + 60)
        opening = tenders.opening(tender, LISTED, refusals)
        for call in (
            tenders.replacing(tender, DROPPED),
            tenders.register.functions.answerByRefusal(DROPPED.hash, opening, refusals, 0),
        ):
            assert tenders.refusal(SENDER, call) == "TenderRegister_AnsweredTooLate"

    def test_nothing_is_claimed_of_other_bids(self, tenders: TenderAlliance) -> None:
        tender = claimed(tenders)
        tenders.pass_time(40 * DAY)
        assert not tenders.upheld(tender, PAPER)
        assert not tenders.upheld(PAPER, DROPPED.hash)


class TestAnswerByHolder:
    @pytest.mark.parametrize(("replacement", "answer"), [(NOTHING, WITHDRAWN_BID), (LISTED[4][0], REPLACED_BID)])
    def test_the_holder_withdrew_or_replaced_it(self, tenders: TenderAlliance, replacement: bytes, answer: int) -> None:
        tender = claimed(tenders)
        done = tenders.send(SENDER, tenders.replacing(tender, DROPPED, replacement=replacement))
        event = tenders.event("ClaimAnswered", done)
        assert tuple(event.values()) == (tender, DROPPED.hash, answer, replacement)
        tenders.pass_time(40 * DAY)
        assert not tenders.upheld(tender, DROPPED.hash)
        again = tenders.replacing(tender, DROPPED)
        assert tenders.refusal(SENDER, again) == "TenderRegister_NothingToAnswer"

    def test_nobody_else_did(self, tenders: TenderAlliance) -> None:
        tender = claimed(tenders)
        for by in (tenders.officer(HOST), tenders.signer(HOST)):
            assert tenders.refusal(SENDER, tenders.replacing(tender, DROPPED, by=by)) == "TenderRegister_NotHolder"

    def test_not_from_the_deadline_on(self, tenders: TenderAlliance) -> None:
        tender = claimed(tenders)
        deadline = tenders.tender(tender)["deadline"]
        for signed_at, expected in ((deadline, "TenderRegister_ReplacedLate"), (deadline - 1, "accepted")):
            call = tenders.replacing(tender, DROPPED, signedAt=signed_at)
            assert tenders.refusal(SENDER, call) == expected

    @pytest.mark.parametrize(
        "preimage",
        [
            replace(DROPPED, holder=bytes.fromhex(key("thief").address[2:])).layout,
            replace(DROPPED, salt=NOTHING).layout,
            DROPPED.layout[:-1],
            DROPPED.layout + b"\0",
            b"",
        ],
    )
    def test_the_commitment_is_opened(self, tenders: TenderAlliance, preimage: bytes) -> None:
        call = tenders.replacing(claimed(tenders), DROPPED, preimage=preimage)
        assert tenders.refusal(SENDER, call) == "BidCommitment_NotOpened"

    @pytest.mark.parametrize(
        ("bid", "refusal"),
        [
            (replace(DROPPED, tag=PAPER), "BidCommitment_NotOpened"),
            (replace(DROPPED, holder=NOTHING), "BidCommitment_NoHolder"),
            (replace(DROPPED, holder=b"\1" + DROPPED.holder.rjust(31, b"\0")), "BidCommitment_NoHolder"),
        ],
    )
    def test_a_commitment_of_another_form_has_no_holder(
        self, tenders: TenderAlliance, bid: Commitment, refusal: str
    ) -> None:
        tender = tenders.open(LISTED)
        tenders.send(SENDER, tenders.claiming(tenders.receipt(tender, bid.hash), LISTED))
        assert tenders.refusal(SENDER, tenders.replacing(tender, bid)) == refusal

    def test_only_what_is_claimed_is_answered(self, tenders: TenderAlliance) -> None:
        call = tenders.replacing(tenders.open(LISTED), DROPPED)
        assert tenders.refusal(SENDER, call) == "TenderRegister_NothingToAnswer"

    def test_a_late_bid_has_no_answer(self, tenders: TenderAlliance) -> None:
        listed = sorted([*bids(4), (DROPPED.hash, 9)])
        tender = tenders.open(listed)
        receipt = tenders.receipt(tender, DROPPED.hash, receivedAt=tenders.tender(tender)["deadline"])
        tenders.send(SENDER, tenders.claiming(receipt, listed, late=True))
        assert tenders.refusal(SENDER, tenders.replacing(tender, DROPPED)) == "TenderRegister_NothingToAnswer"


class TestAnswerByRefusal:
    OTHER = b"\x00" * 31 + b"\x01"

    def answering(self, tenders: TenderAlliance, refusals: bytes, position: int, **changes: Any) -> str:
        tender = claimed(tenders, refusals=refusals)
        opening = changes.get("opening", tenders.opening(tender, LISTED, refusals))
        shown = changes.get("shown", refusals)
        call = tenders.register.functions.answerByRefusal(DROPPED.hash, opening, shown, position)
        refusal = tenders.refusal(SENDER, call)
        if refusal == "accepted":
            event = tenders.event("ClaimAnswered", tenders.send(SENDER, call))
            assert tuple(event.values()) == (tender, DROPPED.hash, REFUSED_BID, REASON)
            assert tenders.state(tender) == OPENED
        return refusal

    def test_the_manifest_names_it_with_its_reason(self, tenders: TenderAlliance) -> None:
        assert self.answering(tenders, self.OTHER + PAPER + DROPPED.hash + REASON, 1) == "accepted"

    @pytest.mark.parametrize("position", [0, 2, 2**255])
    def test_at_its_position(self, tenders: TenderAlliance, position: int) -> None:
        refusals = self.OTHER + PAPER + DROPPED.hash + REASON
        assert self.answering(tenders, refusals, position) == "TenderRegister_NotRefused"

    def test_a_reason_that_came_later_is_none(self, tenders: TenderAlliance) -> None:
        later = DROPPED.hash + REASON
        assert self.answering(tenders, b"", 0, shown=later) == "TenderRegister_NotRefused"

    def test_a_reason_of_zeros_is_none(self, tenders: TenderAlliance) -> None:
        assert self.answering(tenders, DROPPED.hash + NOTHING, 0) == "TenderRegister_NotRefused"

    def test_another_opening_is_none(self, tenders: TenderAlliance) -> None:
        refusals = DROPPED.hash + REASON
        tender = tenders.open(LISTED)
        opening = tenders.opening(tender, LISTED, refusals)
        call = tenders.register.functions.answerByRefusal(DROPPED.hash, opening, refusals, 0)
        assert tenders.refusal(SENDER, call) == "TenderRegister_OtherBasis"
