"""When the key of a period of the host's log may be told, from which on everybody can name the leaves that filled it.

Promises that no key is told from which anything about an unopened tender can be learned, and that whether one is told
says nothing about which bids came when: it depends on times alone, on what is anchored, and on what has become of the
host's tenders, as of a final block. See adr/0021.
"""

from dataclasses import dataclass

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from anchors.tenders import State
from ledger_service.chain.finality import Finality
from ledger_service.index.queries import final_block
from ledger_service.index.tables import Anchor, Block
from ledger_service.index.tender_tables import TenderVersion
from ledger_service.log.past_periods import PastPeriod, PastPeriods
from ledger_service.tenders.ground import TenderGround

__all__ = ["PeriodKeys", "Telling"]

_UNOPENED = (State.PUBLISHED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Telling:
    """What decides, as of a final block."""

    time: int  # of that block, POSIX seconds; 0: no block is final
    anchored: int  # leaves of the log
    unopened: tuple[tuple[int, int], ...]  # of the host's tenders: the times of the notice and of the deadline

    def is_over(self, period: PastPeriod) -> bool:
        """Whether all tenders that took bids in a period are opened, or given up, so that its leaves may be named.

        A bid is taken for a tender whose notice the service has followed, before the deadline by the log's clock. So
        the notice is no later than the last block of the period, and the deadline not before its beginning: each time
        is held against others of its own clock. What is published after the final block cannot be of an earlier time.
        """
        if period.chain_time is None or self.time <= period.chain_time or self.anchored < period.end:
            return False
        return not any(notice <= period.chain_time and period.earliest < deadline for notice, deadline in self.unopened)


class PeriodKeys:
    """Tells the keys of periods.

    Args:
        ground: the database with the index, and the host.
        finality: when the chain's blocks are final.
        periods: of the host's log.
        generation: of that log.
    """

    def __init__(self, ground: TenderGround, finality: Finality, periods: PastPeriods, generation: int) -> None:
        self._ground = ground
        self._finality = finality
        self.generation = generation
        self.periods = periods

    def telling(self) -> Telling:
        """What decides now."""
        with Session(self._ground.engine) as session:
            number = final_block(session, self._finality)
            block = None if number is None else session.get(Block, number)
            return Telling(0, 0, ()) if block is None else self.telling_at(session, block)

    def telling_at(self, session: Session, block: Block) -> Telling:
        """What decides as of a block, which must be final."""
        return Telling(block.timestamp, self._anchored(session, block), self._unopened(session, block))

    def key(self, period: PastPeriod, telling: Telling) -> bytes | None:
        """The key of a period, 32 bytes, where it has one that may be told."""
        return self.periods.key(period.number) if period.has_key and telling.is_over(period) else None

    def commitment(self, period: PastPeriod) -> bytes | None:
        """The leaf that commits to that key, 32 bytes, where there is one."""
        return self.periods.commitment(period.number) if period.committed else None

    def _anchored(self, session: Session, block: Block) -> int:
        sizes = select(func.max(Anchor.size)).where(
            Anchor.member == self._ground.member.number,
            Anchor.generation == self.generation,
            Anchor.block_number <= block.number,
        )
        return session.exec(sizes).one() or 0

    def _unopened(self, session: Session, block: Block) -> tuple[tuple[int, int], ...]:
        """The host's tenders of every register whose bids are neither opened nor given up."""
        rows = select(Block.timestamp, TenderVersion.deadline).where(
            Block.number == TenderVersion.published_block,
            TenderVersion.host == self._ground.member.number,
            col(TenderVersion.state).in_([state.value for state in _UNOPENED]),
            TenderVersion.from_block <= block.number,
            or_(col(TenderVersion.to_block).is_(None), col(TenderVersion.to_block) > block.number),
        )
        return tuple((notice, deadline) for notice, deadline in session.exec(rows))
