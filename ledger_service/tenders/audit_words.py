"""What the host's service alone can add to the audit of a tender: its receipts, holders' words, and its other openings.

Promises nothing of a tender that is not opened: receipts are those of bids that the opening names, words are of bids
that stand in leaves which are shown anyway, and the other openings account for leaves of the same periods. A receipt is
signed again as it was when the bid came; one that readers would not take, since the signer has changed, is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_
from sqlmodel import Session, col, select

from anchors.errors import AnchorsError
from anchors.tenders import BidReceipt, Replacement
from anchors.tenders.audit import SignedReceipt, SignedReplacement
from ledger_service.index.tables import Block
from ledger_service.index.tender_tables import TenderBid, TenderEvent, TenderVersion
from ledger_service.keys import EthereumKey
from ledger_service.log.past_periods import PastPeriod
from ledger_service.tenders.bids import kept_bids
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.tables import ReplacedBid

__all__ = ["HostWords", "HostsDesk"]

MOST_OTHERS = 64  # openings of other tenders in a file; each is proven in a block of its own
MOST_SIGNED = 4_096  # receipts in a file, and words


@dataclass(frozen=True, slots=True)
class HostWords:
    """What the host adds."""

    receipts: tuple[SignedReceipt, ...] = ()
    replacements: tuple[SignedReplacement, ...] = ()
    openings: tuple[TenderEvent, ...] = ()  # of its other tenders


class HostsDesk:
    """What a host keeps of its tenders.

    Args:
        ground: the database, and the host.
        receipt_key: of its receipt signer.
    """

    def __init__(self, ground: TenderGround, receipt_key: EthereumKey) -> None:
        self._ground = ground
        self._receipt_key = receipt_key

    def words(self, session: Session, row: TenderVersion, shown: Sequence[PastPeriod], block: int) -> HostWords:
        """What to add to the audit of a tender as of a final block.

        Args:
            session: of the database.
            row: where the tender stands.
            shown: the periods whose leaves are shown whole.
            block: its number.
        """
        if row.manifest is None or row.host != self._ground.member.number:
            return HostWords()
        others = _opened_meanwhile(session, row, shown, block)
        words = [*_words(session, row), *(word for one in others for word in _words(session, one, shown))]
        return HostWords(
            receipts=tuple(self._receipts(session, row))[:MOST_SIGNED],
            replacements=tuple(words)[:MOST_SIGNED],
            openings=tuple(_opening(session, one, block) for one in others),
        )

    def _receipts(self, session: Session, row: TenderVersion) -> Iterable[SignedReceipt]:
        network, register = self._ground.network, row.contract
        named = set(session.exec(select(TenderBid.commitment).where(*_of(TenderBid, row))))
        for bid in (one.bid for one in kept_bids(session, row.tender)):
            try:
                network.receipt_signer(self._ground.member, self._receipt_key.address, bid.received_at)
            except AnchorsError:
                continue
            if bid.commitment in named:
                receipt = BidReceipt(bid.tender, bid.commitment, bid.index, bid.received_at)
                yield SignedReceipt(receipt, self._receipt_key.sign(receipt.digest(register, network.chain_id)))


def _opened_meanwhile(
    session: Session, row: TenderVersion, shown: Sequence[PastPeriod], block: int
) -> list[TenderVersion]:
    """The host's other tenders in the same register that took bids in these periods and are opened."""
    if not shown:
        return []
    rows = select(TenderVersion).join(Block, col(Block.number) == col(TenderVersion.published_block))
    rows = rows.where(
        TenderVersion.host == row.host,
        TenderVersion.contract == row.contract,
        TenderVersion.tender != row.tender,
        col(TenderVersion.manifest).is_not(None),
        TenderVersion.from_block <= block,
        or_(col(TenderVersion.to_block).is_(None), col(TenderVersion.to_block) > block),
        Block.timestamp <= max(one.chain_time or 0 for one in shown),
        TenderVersion.deadline > min(one.earliest for one in shown),
    )
    return list(session.exec(rows.order_by(col(TenderVersion.published_block).desc()).limit(MOST_OTHERS)))


def _opening(session: Session, row: TenderVersion, block: int) -> TenderEvent:
    rows = select(TenderEvent).where(*_of(TenderEvent, row), TenderEvent.kind == "opened")
    return session.exec(rows.where(TenderEvent.block_number <= block)).one()


def _words(
    session: Session, row: TenderVersion, shown: Sequence[PastPeriod] | None = None
) -> Iterable[SignedReplacement]:
    """The holders' words from before the deadline, of bids in these periods alone where they are given."""
    for one in kept_bids(session, row.tender):
        word, place = one.replaced, one.bid.index
        inside = shown is None or any(period.first <= place < period.end for period in shown)
        if word is not None and word.signed_at < row.deadline and inside:
            yield _signed(word)


def _signed(word: ReplacedBid) -> SignedReplacement:
    act = Replacement(word.tender, word.commitment, word.replacement, word.signed_at)
    return SignedReplacement(act, word.preimage, word.signature)


def _of(table: type[TenderBid] | type[TenderEvent], row: TenderVersion) -> tuple[bool, bool]:
    return table.tender == row.tender, table.contract == row.contract
