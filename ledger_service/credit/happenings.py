"""What happened to credit records and to recognition, as it is told to those who listen: in the chain's order, by name.

Promises that whoever says how far it has come is told all that came after, once, and first of all whether the chain has
turned and what of it no longer holds. How it is told, and until which block, is left to `stream` and `webhooks`.
"""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeAlias, cast

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import Session, col, func, or_, select

from anchors.credit import Kind, State
from ledger_service.credit.records import day
from ledger_service.errors import BadRequest, IndexBehind
from ledger_service.index.tables import Block, CreditEvent, Recognition, Reorganisation, read_measures

__all__ = [
    "BEGINNING",
    "EVENT_TYPES",
    "POSITION_PATTERN",
    "REVERSED",
    "Happening",
    "Page",
    "Position",
    "end_of_block",
    "last_turn",
    "page_after",
    "timestamp",
]

RECOGNITION_CHANGED: Final = "recognition.changed"
EVENT_TYPES: Final = (*(f"record.{state.title}" for state in State), RECOGNITION_CHANGED)
REVERSED: Final = "reversed"
POSITION_PATTERN: Final = "^[0-9]{1,18}:[0-9]{1,24}$"

_TURN_BITS: Final = 53  # below them the place in the block: 21 bits of the transaction, 32 of the log
_LOG_BITS: Final = 32
_MAX_KEYS: Final = 500
_TRIES: Final = 5

CodeOf: TypeAlias = Callable[[int], str]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """How far somebody has been told: up to a place in a block, on the branch that the chain had then.

    Written `block:number`, the number being turn * 2^53 + transaction * 2^32 + log. The log's index in the block is
    not in it, since it counts the logs of strangers' contracts, which the index does not hold.
    """

    block: int
    turn: int  # number of the last turn of the chain that this block is younger than; 0 where there was none
    place: int  # in the block

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; raises BadRequest where it is of another form."""
        if re.fullmatch(POSITION_PATTERN, text) is None:
            raise BadRequest("An event's id is block:number, as it was given out; 0:0 is before all events.")
        block, number = map(int, text.split(":"))
        return cls(block, number >> _TURN_BITS, number & _LAST_PLACE)

    def __str__(self) -> str:
        return f"{self.block}:{self.turn << _TURN_BITS | self.place}"


_LAST_PLACE: Final = (1 << _TURN_BITS) - 1
BEGINNING: Final = Position(0, 0, 0)  # nothing was told yet: the first block has no transactions


@dataclass(frozen=True, slots=True)
class Happening:
    """One event."""

    position: Position
    type: str  # one of EVENT_TYPES
    time: int  # of its block, POSIX seconds
    data: dict[str, Any]  # JSON values
    record: bytes | None  # the name of the record that it is of


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be told next: that all from a block on no longer holds, or events."""

    position: Position  # after it
    happenings: tuple[Happening, ...] = ()
    reversed_from: int | None = None
    turn: int = 0  # the last turn of the chain when it was read
    turned_at: int = 0  # when it was followed, POSIX seconds


def page_after(
    session: Session, code_of: CodeOf, position: Position, limit: int, until_block: int | None = None
) -> Page:
    """What comes after a position.

    Args:
        session: of the index, with no transaction begun.
        code_of: a member's code by its number.
        position: how far was told.
        limit: the most events.
        until_block: the last block that is told of; None is the last one followed.

    Returns:
        The page; at the end there is neither an event nor a reversal in it.

    Raises:
        IndexBehind: the index was rolled back again and again meanwhile.
    """
    for _ in range(_TRIES):
        turn = last_turn(session)
        page = _page(session, code_of, position, limit, until_block, turn)
        if last_turn(session) == turn:  # what was read piece by piece is of one branch
            return page
    raise IndexBehind("The chain turns faster than it can be told; ask again.", retry_after=1)


def end_of_block(session: Session, number: int | None) -> Position:
    """The position after all events of a block; None is the last one followed."""
    if number is None:
        number = session.exec(select(func.max(Block.number))).one()
    if number is None or number < 0:
        return BEGINNING
    return Position(number, _turns(session, [number])[number], _LAST_PLACE)


def last_turn(session: Session) -> int:
    """The number of the last turn of the chain that was followed; 0 where there was none."""
    return session.exec(select(func.max(Reorganisation.id))).one() or 0


def timestamp(time: int) -> str:
    """POSIX seconds as RFC 3339."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(
    session: Session, code_of: CodeOf, position: Position, limit: int, until_block: int | None, turn: int
) -> Page:
    common = _common(session, position, turn)
    if common is not None:
        return Page(end_of_block(session, common), (), common + 1, turn, _turned_at(session, turn))
    if until_block is None:  # the tables are read one after the other, and the index may grow in between
        until_block = session.exec(select(func.coalesce(func.max(Block.number), -1))).one()
    rows = _rows(session, position, limit, until_block)
    turns = _turns(session, {row.block_number for row, _ in rows})
    contents = _contents(session, [row for row, _ in rows if isinstance(row, CreditEvent)])
    happenings = []
    for row, time in rows:
        where = Position(row.block_number, turns[row.block_number], row.transaction_index << _LOG_BITS | row.log_index)
        placed = {
            "id": str(where),
            "block": row.block_number,
            "transaction_index": row.transaction_index,
            "log_index": row.log_index,
            "time": time,
        }
        if isinstance(row, CreditEvent):
            data = _credit(row, contents(row), code_of) | placed
            happenings.append(Happening(where, f"record.{State(row.state).title}", time, data, row.record))
        else:
            happenings.append(
                Happening(where, RECOGNITION_CHANGED, time, _recognition(row, code_of) | placed, row.record)
            )
    return Page(happenings[-1].position if happenings else position, tuple(happenings), turn=turn)


def _common(session: Session, position: Position, turn: int) -> int | None:
    """Where the chain has turned below the position: the last block that stayed, -1 if none did; None where not.

    A block's turn is that of the last turn below it, so a later one below it has taken the block away.
    """
    if position.block == 0:
        return None
    if position.turn > turn:  # given out by another database
        return -1
    below = or_(col(Reorganisation.common_block).is_(None), col(Reorganisation.common_block) < position.block)
    later = select(func.count(), func.min(func.coalesce(Reorganisation.common_block, -1)))
    count, common = session.exec(later.where(col(Reorganisation.id) > position.turn, below)).one()
    return common if count else None


def _turned_at(session: Session, turn: int) -> int:
    found = session.get(Reorganisation, turn)
    return int(found.seen_at.replace(tzinfo=UTC).timestamp()) if found else 0


def _turns(session: Session, blocks: Iterable[int]) -> dict[int, int]:
    """The turn of each block."""
    waiting = sorted(blocks)
    found: dict[int, int] = {}
    if not waiting:
        return found
    common = func.coalesce(Reorganisation.common_block, -1)
    newest_first = select(Reorganisation.id, common).where(common < waiting[-1]).order_by(col(Reorganisation.id).desc())
    for turn, stayed in session.exec(newest_first):
        while waiting and waiting[-1] > stayed:
            found[waiting.pop()] = turn or 0
        if not waiting:
            break
    return found | dict.fromkeys(waiting, 0)


_Row: TypeAlias = tuple[CreditEvent | Recognition, int]  # with the block's time


def _rows(session: Session, position: Position, limit: int, until_block: int | None) -> list[_Row]:
    found = (_rows_of(session, table, position, limit, until_block) for table in (CreditEvent, Recognition))
    return list(heapq.merge(*found, key=lambda each: _place(each[0])))[:limit]


def _rows_of(
    session: Session, table: type[CreditEvent | Recognition], position: Position, limit: int, until_block: int | None
) -> Iterator[_Row]:
    place = (col(table.block_number), col(table.transaction_index), col(table.log_index))
    most = (1 << 31) - 1  # of the columns; what follows a whole block is above it
    log_index = position.place & ((1 << _LOG_BITS) - 1)
    told = (position.block, min(position.place >> _LOG_BITS, most), min(log_index, most))
    conditions: list[ColumnElement[bool]] = [tuple_(*place) > told]
    if until_block is not None:
        conditions.append(col(table.block_number) <= until_block)
    rows = select(table, Block.timestamp).join(Block, col(Block.number) == col(table.block_number))
    found = session.exec(rows.where(*conditions).order_by(*place).limit(limit))
    return cast("Iterator[_Row]", found)  # mypy sees what both tables have in common only


def _place(row: CreditEvent | Recognition) -> tuple[int, int, int]:
    return row.block_number, row.transaction_index, row.log_index


def _contents(session: Session, events: Sequence[CreditEvent]) -> Callable[[CreditEvent], CreditEvent]:
    """What finds, for an event, the one that said last what its record says."""
    subjects = sorted({event.subject for event in events})
    said: dict[bytes, list[CreditEvent]] = {}
    for at in range(0, len(subjects), _MAX_KEYS):
        whole = (col(CreditEvent.subject).in_(subjects[at : at + _MAX_KEYS]), col(CreditEvent.kind).is_not(None))
        for row in session.exec(select(CreditEvent).where(*whole)):
            said.setdefault(row.record, []).append(row)

    def content(event: CreditEvent) -> CreditEvent:
        # Its own publication at least is there, unless the index was rolled back meanwhile: then it is read again.
        before = [row for row in said.get(event.record, ()) if _place(row) <= _place(event)]
        return max(before, key=_place, default=event)

    return content


def _credit(event: CreditEvent, content: CreditEvent, code_of: CodeOf) -> dict[str, Any]:
    return {
        "record": _hex(event.record),
        "contract": _hex(event.contract),
        "subject_key": _hex(event.subject),
        "member": code_of(content.member or 0),
        "kind": _kind(content.kind),
        "state": State(event.state).title,
        "decided_on": day(content.decided_on or 0).isoformat(),
        "last_day": day(content.last_day or 0).isoformat(),
        "measures": list(read_measures(content.measures or "")),
        "grounds": _hex(event.grounds),
        "pledge": _hex(event.pledge),
        "objector": None if event.objector is None else code_of(event.objector),
    }


def _recognition(choice: Recognition, code_of: CodeOf) -> dict[str, Any]:
    of_kind = choice.issuer is not None
    about = {"issuer": code_of(choice.issuer or 0), "kind": _kind(choice.kind)} if of_kind else {}
    return {
        "member": code_of(choice.member),
        "about": about or {"record": _hex(choice.record)},
        "applied": choice.applied,
        "reason": _hex(choice.reason),
    }


def _kind(kind: int | None) -> str | None:
    return None if kind is None else Kind(kind).name.lower()


def _hex(value: bytes | None) -> str | None:
    return None if value is None else f"0x{value.hex()}"
