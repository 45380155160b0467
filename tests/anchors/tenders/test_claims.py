"""Claims about bids: what a receipt and a page prove, and which words of a holder answer."""

from dataclasses import replace

import pytest

from anchors.chain.signatures import sign_digest
from anchors.commitment import Kind, Statement, commit, layout
from anchors.errors import (
    BadClaim,
    BasisDiffers,
    BidNotOpened,
    BidOpened,
    HolderMissing,
    NotHolder,
    NotOpened,
    NotThePreimage,
    PageDiffers,
    ReceivedInTime,
    ReceivedLate,
    ReplacedLate,
    TenderDiffers,
)
from anchors.tenders import (
    NO_TENDER,
    WITHDRAWN,
    Answer,
    Bid,
    BidReceipt,
    Notice,
    Opening,
    Replacement,
    Tender,
    announce,
    check_replacement,
    claim_dropped,
    claim_late,
    holder_of,
    open_list,
    pack_bids,
    show_page,
)

DAY = 86_400
DEADLINE = 1_800_000_000
PAPER = b"\x70" * 32
NOTICE = Notice(1, 0b10, PAPER, NO_TENDER, DEADLINE, DEADLINE, 5)
LISTED = [Bid(bytes([n]) * 32, n) for n in range(1, 200, 10)]
PACKED = pack_bids(LISTED)
DROPPED = b"\x55" * 32
REGISTER = b"\xaa" * 20
KEY = b"\x11" * 32
HOLDER = bytes.fromhex("19e7e376e7c213b7e7e7e46cc70a5dd086daff2a")  # the address of that key


def opened() -> tuple[Tender, Opening]:
    tender = announce(NOTICE, DEADLINE - DAY).closed(DEADLINE)
    whole = open_list(PACKED)
    opening = Opening(tender.name, whole.root, whole.count, PAPER, PAPER)
    return tender.opened(opening, DEADLINE), opening


def receipt(tender: Tender, commitment: bytes = DROPPED, received: int = DEADLINE - 1) -> BidReceipt:
    return BidReceipt(tender.name, commitment, 7, received)


class TestDropped:
    def test_it_stands_when_nobody_answers_in_time(self) -> None:
        tender, opening = opened()
        claim = claim_dropped(tender, opening, receipt(tender), show_page(PACKED, DROPPED), DEADLINE)
        assert (claim.answer_by, claim.late) == (DEADLINE + 5 * DAY, False)
        assert not claim.stands(answered=False, time=claim.answer_by)
        assert claim.stands(answered=False, time=claim.answer_by + 1)
        assert not claim.stands(answered=True, time=claim.answer_by + 1)

    def test_or_is_refused(self) -> None:
        tender, opening = opened()
        page, listed = show_page(PACKED, DROPPED), LISTED[0].commitment
        late, other = receipt(tender, received=DEADLINE), replace(receipt(tender), tender=PAPER)
        for given, made, shown, refusal in (
            (late, opening, page, ReceivedLate),
            (other, opening, page, TenderDiffers),
            (receipt(tender), replace(opening, count=3), page, BasisDiffers),
            (receipt(tender), opening, show_page(PACKED, listed), PageDiffers),
            (receipt(tender, listed), opening, show_page(PACKED, listed), BidOpened),
        ):
            with pytest.raises(refusal):
                claim_dropped(tender, made, given, shown, DEADLINE)

    def test_not_before_the_opening(self) -> None:
        tender, opening = announce(NOTICE, DEADLINE - DAY), opened()[1]
        with pytest.raises(NotOpened):
            claim_dropped(tender, opening, receipt(tender), show_page(PACKED, DROPPED), DEADLINE)


class TestLate:
    def test_it_stands_at_once(self) -> None:
        tender, opening = opened()
        listed = LISTED[3].commitment
        given = receipt(tender, listed, DEADLINE)
        assert claim_late(tender, opening, given, show_page(PACKED, listed), DEADLINE).stands(False, DEADLINE)

    def test_or_is_refused(self) -> None:
        tender, opening = opened()
        for commitment, received, refusal in (
            (LISTED[3].commitment, DEADLINE - 1, ReceivedInTime),
            (DROPPED, DEADLINE, BidNotOpened),
        ):
            given = receipt(tender, commitment, received)
            with pytest.raises(refusal):
                claim_late(tender, opening, given, show_page(PACKED, commitment), DEADLINE)


class TestHolder:
    STATEMENT = Statement(Kind.BID_DOCUMENT, "T-1", None, HOLDER, PAPER, None, None, b"\x5a" * 32)

    def word(self, **changes: object) -> Replacement:
        plain = Replacement(NOTICE.struct_hash(), commit(self.STATEMENT), WITHDRAWN, DEADLINE - 1)
        return replace(plain, **changes)  # type: ignore[arg-type]

    def test_the_commitment_names_its_holder(self) -> None:
        assert holder_of(commit(self.STATEMENT), layout(self.STATEMENT)) == HOLDER
        word = self.word()
        word.prove_holder(REGISTER, 1337, layout(self.STATEMENT), sign_digest(KEY, word.digest(REGISTER, 1337)))

    def test_nobody_else_signs_for_it(self) -> None:
        word = self.word()
        signature = sign_digest(b"\x12" * 32, word.digest(REGISTER, 1337))
        with pytest.raises(NotHolder):
            word.prove_holder(REGISTER, 1337, layout(self.STATEMENT), signature)

    @pytest.mark.parametrize("preimage", [b"", bytes(257), layout(STATEMENT)[:-1], layout(STATEMENT)[:-1] + b"\0"])
    def test_other_bytes_open_nothing(self, preimage: bytes) -> None:
        with pytest.raises(NotThePreimage):
            holder_of(commit(self.STATEMENT), preimage)

    def test_a_commitment_may_name_nobody(self) -> None:
        nobody = replace(self.STATEMENT, holder=None)
        with pytest.raises(HolderMissing):
            holder_of(commit(nobody), layout(nobody))

    def test_it_withdraws_or_replaces_before_the_deadline(self) -> None:
        tender, _ = opened()
        assert check_replacement(tender, self.word()) is Answer.WITHDRAWN
        assert check_replacement(tender, self.word(replacement=PAPER)) is Answer.REPLACED
        refused: list[tuple[Replacement, type[BadClaim]]] = [
            (self.word(signed_at=DEADLINE), ReplacedLate),
            (self.word(tender=PAPER), TenderDiffers),
        ]
        for word, refusal in refused:
            with pytest.raises(refusal):
                check_replacement(tender, word)
