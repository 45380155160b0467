"""Withdraws proofs whose block was reversed: names what was given out, so that it can be fetched anew.

A block counts as reversed once another one stands in its place, or its anchor in another block; a chain that is merely
shorter for a while, as after a restart of its node, reverses nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, func, or_, select

from ledger_service.anchoring.tables import AnchorProof, Withdrawal
from ledger_service.index.tables import Anchor, Block


def withdraw_reversed(session: Session, member: int, now: datetime) -> Sequence[Withdrawal]:
    """Turn the proofs of reversed blocks into withdrawals; the caller commits.

    Args:
        session: the database.
        member: whose anchors they prove.
        now: when it was seen.

    Returns:
        What was withdrawn.
    """
    same_anchor = (
        (col(Anchor.member) == member)
        & (col(Anchor.generation) == col(AnchorProof.generation))
        & (col(Anchor.size) == col(AnchorProof.size))
    )
    reversed_ = (
        select(AnchorProof)
        .outerjoin(Block, col(Block.number) == col(AnchorProof.block_number))
        .outerjoin(Anchor, same_anchor)
        .where(
            or_(
                col(Block.hash) != col(AnchorProof.block_hash),
                col(Anchor.block_number) != col(AnchorProof.block_number),
            )
        )
        .order_by(col(AnchorProof.generation), col(AnchorProof.size))
    )
    withdrawn = []
    for proof in session.exec(reversed_).all():
        withdrawn.append(
            Withdrawal(
                generation=proof.generation,
                from_size=proof.from_size,
                size=proof.size,
                block_number=proof.block_number,
                block_hash=proof.block_hash,
                seen_at=now,
            )
        )
        of_this = (col(AnchorProof.generation) == proof.generation, col(AnchorProof.size) == proof.size)
        session.exec(delete(AnchorProof).where(*of_this))
    session.add_all(withdrawn)
    return withdrawn


def withdrawals_of(session: Session, generation: int, index: int) -> Sequence[Withdrawal]:
    """What was withdrawn of the leaf at `index`, oldest first."""
    covers = (Withdrawal.generation == generation, Withdrawal.from_size <= index, Withdrawal.size > index)
    return session.exec(select(Withdrawal).where(*covers).order_by(col(Withdrawal.id))).all()


def withdrawals(session: Session, generation: int, after: int, limit: int) -> Sequence[Withdrawal]:
    """A page of what was withdrawn, oldest first, after the one of that number."""
    page = select(Withdrawal).where(Withdrawal.generation == generation, col(Withdrawal.id) > after)
    return session.exec(page.order_by(col(Withdrawal.id)).limit(limit)).all()


def withdrawn(session: Session, generation: int) -> tuple[int, Withdrawal | None]:
    """How many proofs were withdrawn, and the last of them."""
    of_this = Withdrawal.generation == generation
    newest = session.exec(select(Withdrawal).where(of_this).order_by(col(Withdrawal.id).desc()).limit(1)).first()
    return session.exec(select(func.count()).select_from(Withdrawal).where(of_this)).one(), newest


def outstanding(session: Session, generation: int) -> Sequence[Withdrawal]:
    """Withdrawals whose leaves no new proof covers yet, oldest first.

    Proofs are captured in the order of the chain, and a proof of more leaves covers the fewer.
    """
    proven = select(func.coalesce(func.max(AnchorProof.size), 0)).where(AnchorProof.generation == generation)
    uncovered = (Withdrawal.generation == generation, col(Withdrawal.size) > proven.scalar_subquery())
    return session.exec(select(Withdrawal).where(*uncovered).order_by(col(Withdrawal.id))).all()
