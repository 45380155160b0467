"""How far a leaf has come: logged, anchored, final, and by which anchor."""

from sqlmodel import Session, col, select

from ledger_service.index.tables import Anchor, Block


def covering_anchor(session: Session, member: int, generation: int, index: int) -> tuple[Anchor, int] | None:
    """The first anchor of a log that covers the leaf at `index`, and its block's POSIX time; None before."""
    found = (
        select(Anchor, Block.timestamp)
        .join(Block, col(Block.number) == col(Anchor.block_number))
        .where(Anchor.member == member, Anchor.generation == generation, Anchor.size > index)
        .order_by(col(Anchor.size))
        .limit(1)
    )
    return session.exec(found).first()
