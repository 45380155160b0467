"""Claims about bids: that one was dropped, or that a late one was opened, and what answers them.

Promises the rules of docs/TENDERS.md and of the register as pure functions. Whether the key that signed a receipt had
the right to, and who held it when, is left to the callers.
"""

from dataclasses import dataclass
from enum import IntEnum

from anchors.errors import (
    BasisDiffers,
    BidNotOpened,
    BidOpened,
    NotOpened,
    ReceivedInTime,
    ReceivedLate,
    ReplacedLate,
    TenderDiffers,
)
from anchors.tenders.acts import Opening
from anchors.tenders.bids import OpenedList, Page, find_bid
from anchors.tenders.life import Tender
from anchors.tenders.receipt import BidReceipt, Replacement

__all__ = ["Answer", "Claim", "check_replacement", "claim_dropped", "claim_late"]

_DAY = 86_400


class Answer(IntEnum):
    """How a claim was answered."""

    WITHDRAWN = 1
    REPLACED = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that holds against the host until it is answered."""

    commitment: bytes
    late: bool  # a late bid was opened, to which there is no answer
    answer_by: int  # POSIX seconds

    def stands(self, answered: bool, time: int) -> bool:
        """Whether it is upheld at a time: no answer came in time, or there is none."""
        return self.late or (not answered and time > self.answer_by)


def claim_dropped(tender: Tender, opening: Opening, receipt: BidReceipt, page: Page, time: int) -> Claim:
    """Prove that a bid received in time was not opened.

    Args:
        tender: after its opening.
        opening: as it was given.
        receipt: of the bid.
        page: of the opened list, on which the bid would stand.
        time: when it is claimed, POSIX seconds.

    Raises:
        TenderDiffers, NotOpened, BasisDiffers: the receipt is for another tender, or the opening is not the tender's.
        ReceivedLate: the bid came from the deadline on.
        ForgedPage, PageDiffers: the page does not show it.
        BidOpened: it was opened.
    """
    opened = _opened(tender, opening, receipt)
    if receipt.received_at >= tender.deadline:
        raise ReceivedLate(receipt.received_at, tender.deadline)
    if find_bid(opened, page, receipt.commitment) is not None:
        raise BidOpened
    return Claim(receipt.commitment, late=False, answer_by=time + tender.answer_days * _DAY)


def claim_late(tender: Tender, opening: Opening, receipt: BidReceipt, page: Page, time: int) -> Claim:
    """Prove that a bid received from the deadline on was opened; the arguments are those of `claim_dropped`.

    Raises:
        TenderDiffers, NotOpened, BasisDiffers, ForgedPage, PageDiffers: as `claim_dropped` does.
        ReceivedInTime: the bid came before the deadline.
        BidNotOpened: it was not opened.
    """
    opened = _opened(tender, opening, receipt)
    if receipt.received_at < tender.deadline:
        raise ReceivedInTime(receipt.received_at, tender.deadline)
    if find_bid(opened, page, receipt.commitment) is None:
        raise BidNotOpened
    return Claim(receipt.commitment, late=True, answer_by=time)


def check_replacement(tender: Tender, act: Replacement) -> Answer:
    """Which answer a holder's word is; that the holder signed it is `Replacement.prove_holder`.

    Raises:
        TenderDiffers: it is about another tender.
        ReplacedLate: it was signed from the deadline on.
    """
    if act.tender != tender.name:
        raise TenderDiffers
    if act.signed_at >= tender.deadline:
        raise ReplacedLate(act.signed_at, tender.deadline)
    return Answer.REPLACED if any(act.replacement) else Answer.WITHDRAWN


def _opened(tender: Tender, opening: Opening, receipt: BidReceipt) -> OpenedList:
    if receipt.tender != opening.tender or opening.tender != tender.name:
        raise TenderDiffers
    if not any(tender.manifest):
        raise NotOpened
    if opening.struct_hash() != tender.manifest:
        raise BasisDiffers("opening")
    return OpenedList(opening.root, opening.count)
