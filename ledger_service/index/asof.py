"""As of which block a question is answered, and which time that is.

Promises one moment for one question. Of the past the chain's own time counts; now is the later of the last block's time
and the clock's, so that where no block is made a record whose last day is over is not shown as published still.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Query
from sqlmodel import Session, col, select

from ledger_service.errors import IndexBehind, InvalidContent, NotFound
from ledger_service.index.tables import Block, IndexState

__all__ = ["AS_OF_PATTERN", "AsOf", "Moment", "moment"]

AS_OF_PATTERN: Final = r"^([0-9]{1,18}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$"
AsOf = Annotated[
    str | None,
    Query(
        pattern=AS_OF_PATTERN,
        description="As of this block, or as of a time such as 2026-01-31T16:00:00Z; by default now.",
    ),
]


@dataclass(frozen=True, slots=True)
class Moment:
    """A block, and the time for which a question is answered."""

    block: int
    time: int  # POSIX seconds
    past: bool  # whether it was asked for; if not, what is open in the index is meant


def moment(session: Session, as_of: str | None, now: datetime) -> Moment:
    """The moment that a request asks about.

    Args:
        session: of the index.
        as_of: as AS_OF_PATTERN has it; None is now.
        now: the clock's time, aware.

    Raises:
        InvalidContent: it is of another form, or no such day.
        NotFound: before the first block that is followed, or after all that there is.
        IndexBehind: no block is followed yet, or the one asked for is not.
    """
    tip = session.exec(select(Block).order_by(col(Block.number).desc()).limit(1)).first()
    if tip is None:
        raise IndexBehind("The index has followed no block yet; ask again later.", retry_after=1)
    if as_of is None:
        return Moment(tip.number, max(tip.timestamp, int(now.timestamp())), past=False)
    if re.fullmatch(AS_OF_PATTERN, as_of) is None:
        raise _not_allowed("as_of is no block number and no time such as 2026-01-31T16:00:00Z.")
    if as_of.isdecimal():
        return _at_block(session, int(as_of), tip)
    time = _time(as_of)
    if time > max(tip.timestamp, now.timestamp()):
        raise NotFound(f"{as_of} has not come yet; nothing is known as of it.")
    return _at_time(session, time, tip)


def _at_block(session: Session, number: int, tip: Block) -> Moment:
    if number > tip.number:
        state = session.get(IndexState, 1)
        if state is None or number > state.node_head:
            raise NotFound(f"There is no block {number} yet; the last that is followed is {tip.number}.")
        raise IndexBehind(f"Block {number} is not followed yet; the last is {tip.number}.", retry_after=1)
    block = session.get(Block, number)
    if block is None:
        raise NotFound(f"Block {number} is before the alliance's contracts; nothing is known as of it.")
    return Moment(block.number, block.timestamp, past=True)


def _at_time(session: Session, time: int, tip: Block) -> Moment:
    """The last block at or before a time, by halving: blocks never go back in time."""
    if time > tip.timestamp:
        raise IndexBehind("That time is after the last block that was followed.", retry_after=1)
    first = session.exec(select(Block).order_by(col(Block.number)).limit(1)).one()
    if time < first.timestamp:
        raise NotFound("That time is before the alliance's contracts; nothing is known as of it.")
    low, high = first.number, tip.number
    while low < high:
        middle = (low + high + 1) // 2
        if session.exec(select(Block.timestamp).where(Block.number == middle)).one() <= time:
            low = middle
        else:
            high = middle - 1
    return Moment(low, time, past=True)


def _time(as_of: str) -> int:
    try:
        return int(datetime.strptime(as_of, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise _not_allowed(f"as_of: {as_of} is no time of the calendar.") from error


def _not_allowed(detail: str) -> InvalidContent:
    return InvalidContent(detail, facts={"pointer": "/query/as_of"})
