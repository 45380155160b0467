"""What the index knows of members and their anchors, now or as of a block."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, tuple_
from sqlmodel import Session, col, select

from ledger_service.index.queries import DatedAnchor, dated_anchors
from ledger_service.index.tables import Anchor, MemberVersion


def members(session: Session, as_of: int | None, after: int, limit: int) -> Sequence[MemberVersion]:
    """Members with numbers above `after`, in order, as of a block or now."""
    found = select(MemberVersion).where(_holds(as_of), MemberVersion.number > after)
    return session.exec(found.order_by(col(MemberVersion.number)).limit(limit)).all()


def member(session: Session, code: str, as_of: int | None = None) -> MemberVersion | None:
    """The member of this code as of a block or now, or None."""
    return session.exec(select(MemberVersion).where(_holds(as_of), MemberVersion.code == code)).one_or_none()


def anchors(
    session: Session, number: int, as_of: int | None, after: tuple[int, int], limit: int
) -> Sequence[DatedAnchor]:
    """A member's anchors in the order of the chain, those after (generation, size), up to a block."""
    conditions: list[ColumnElement[bool] | bool] = [
        Anchor.member == number,
        tuple_(col(Anchor.generation), col(Anchor.size)) > after,
    ]
    if as_of is not None:
        conditions.append(Anchor.block_number <= as_of)
    return dated_anchors(session, *conditions, limit=limit)


def _holds(as_of: int | None) -> ColumnElement[bool]:
    if as_of is None:
        return col(MemberVersion.to_block).is_(None)
    until = or_(col(MemberVersion.to_block).is_(None), col(MemberVersion.to_block) > as_of)
    return and_(col(MemberVersion.from_block) <= as_of, until)
