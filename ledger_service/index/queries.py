"""What every slice asks of the index: how far it is, how that compares with its node, and when logs were anchored."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from ledger_service.index.tables import Anchor, Block, IndexState, Reorganisation


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the index is."""

    block: int | None  # the last followed block
    block_hash: bytes | None
    block_time: int | None  # POSIX seconds
    node_head: int | None  # the node's newest block when last seen
    verified_block: int | None  # the last that was held against the state

    @property
    def lag(self) -> int | None:
        """Blocks that the node has and the index has not followed."""
        if self.node_head is None:
            return None
        return max(0, self.node_head - (-1 if self.block is None else self.block))


def progress(session: Session) -> Progress:
    """Read how far the index is."""
    tip = session.exec(select(Block).order_by(col(Block.number).desc()).limit(1)).first()
    state = session.get(IndexState, 1)
    return Progress(
        block=tip.number if tip else None,
        block_hash=tip.hash if tip else None,
        block_time=tip.timestamp if tip else None,
        node_head=state.node_head if state else None,
        verified_block=state.verified_block if state else None,
    )


def reorganisations(session: Session) -> tuple[int, Sequence[Reorganisation]]:
    """How many turns of the chain were followed, and the latest ten."""
    count = session.exec(select(func.count()).select_from(Reorganisation)).one()
    latest = select(Reorganisation).order_by(col(Reorganisation.id).desc()).limit(10)
    return count, session.exec(latest).all()


@dataclass(frozen=True, slots=True)
class DatedAnchor:
    """An anchor and the time of its block, POSIX seconds."""

    anchor: Anchor
    time: int


def dated_anchors(
    session: Session, *conditions: ColumnElement[bool] | bool, limit: int, newest: bool = False
) -> list[DatedAnchor]:
    """Anchors that meet all conditions, by (generation, size): within a member that is the order of the chain."""
    order = (col(Anchor.generation), col(Anchor.size))
    found = (
        select(Anchor, Block.timestamp)
        .join(Block, col(Block.number) == col(Anchor.block_number))
        .where(*conditions)
        .order_by(*(column.desc() for column in order) if newest else order)
        .limit(limit)
    )
    return [DatedAnchor(anchor, time) for anchor, time in session.exec(found)]
