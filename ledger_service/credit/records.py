"""Credit records as the index holds them, read back as the facts that `anchors.credit` reasons about.

Promises the events of a subject in the chain's order, as of any block, and a member's choices of what it applies. What
follows from them is left to `anchors.credit`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from anchors.credit import NO_PLEDGE, Change, Choice, Event, Issued, Kind, Named, Publication, Record, State
from ledger_service.index.tables import Block, CreditEvent, CreditRecordVersion, Recognition, read_measures

_FIRST_DAY: Final = date(1970, 1, 1)
_MAX_KEYS: Final = 500


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """What happened to a subject's records, and where in the chain that lies."""

    register: bytes  # address of the CreditRegister, 20 bytes
    event: Event
    row: CreditEvent


def subject_events(
    session: Session, subjects: Collection[bytes], until_block: int | None = None
) -> dict[bytes, list[PlacedEvent]]:
    """All that happened to the records of subjects, in the chain's order.

    Args:
        session: of the index.
        subjects: subject keys.
        until_block: as of this block; None is all.

    Returns:
        By subject key; what has none is left out.
    """
    found: defaultdict[bytes, list[PlacedEvent]] = defaultdict(list)
    contents: dict[bytes, Record] = {}
    keys = list(subjects)
    for at in range(0, len(keys), _MAX_KEYS):
        conditions: list[ColumnElement[bool]] = [col(CreditEvent.subject).in_(keys[at : at + _MAX_KEYS])]
        if until_block is not None:
            conditions.append(col(CreditEvent.block_number) <= until_block)
        rows = select(CreditEvent, Block.timestamp).join(Block, col(Block.number) == col(CreditEvent.block_number))
        order = (CreditEvent.block_number, CreditEvent.transaction_index, CreditEvent.log_index)
        for row, time in session.exec(rows.where(*conditions).order_by(*map(col, order))):
            found[row.subject].append(PlacedEvent(row.contract, _event(row, time, contents), row))
    return dict(found)


def events_in(events: Sequence[PlacedEvent], register: bytes) -> list[Event]:
    """Those of one register: what its word over the subject commits to."""
    return [placed.event for placed in events if placed.register == register]


def subject_of(session: Session, record: bytes) -> bytes | None:
    """The subject key of a record by its name, or None where there is no such record."""
    rows = select(CreditRecordVersion.subject).where(CreditRecordVersion.record == record)
    return session.exec(rows.limit(1)).first()


def choices(session: Session, until_block: int | None = None) -> list[Choice]:
    """What members chose to apply, or not, in the chain's order; as of a block, or all."""
    rows = select(Recognition, Block.timestamp).join(Block, col(Block.number) == col(Recognition.block_number))
    if until_block is not None:
        rows = rows.where(col(Recognition.block_number) <= until_block)
    order = (Recognition.block_number, Recognition.transaction_index, Recognition.log_index)
    return [_choice(row, time) for row, time in session.exec(rows.order_by(*map(col, order)))]


def record_of(row: CreditRecordVersion) -> Record:
    """What a record says, from its version."""
    return Record(
        subject=row.subject,
        member=row.member,
        kind=Kind(row.kind),
        decided_on=day(row.decided_on),
        last_day=day(row.last_day),
        earlier=row.earlier,
        measures=read_measures(row.measures),
        statement=row.statement,
        document=row.document,
    )


def day(number: int) -> date:
    """The day of a number, counted from 1970-01-01."""
    return _FIRST_DAY + timedelta(days=number)


def _event(row: CreditEvent, time: int, contents: dict[bytes, Record]) -> Event:
    contents[row.record] = _content(row) or contents[row.record]
    if row.state == State.PUBLISHED:
        return Publication(contents[row.record], time)
    return Change(
        record=row.record,
        state=State(row.state),
        grounds=row.grounds or b"",
        pledge=row.pledge or NO_PLEDGE,
        content=contents[row.record],
        time=time,
    )


def _content(row: CreditEvent) -> Record | None:
    if row.kind is None:
        return None
    values: Mapping[str, int] = {name: getattr(row, name) for name in ("member", "decided_on", "last_day", "earlier")}
    return Record(
        subject=row.subject,
        member=values["member"],
        kind=Kind(row.kind),
        decided_on=day(values["decided_on"]),
        last_day=day(values["last_day"]),
        earlier=values["earlier"],
        measures=read_measures(row.measures or ""),
        statement=row.statement or b"",
        document=row.document or b"",
    )


def _choice(row: Recognition, time: int) -> Choice:
    return Choice(row.member, _about(row), row.applied, row.reason, time)


def _about(row: Recognition) -> Issued | Named:
    if row.issuer is None or row.kind is None:
        return Named(row.record or b"")
    return Issued(row.issuer, Kind(row.kind))
