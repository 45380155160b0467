"""What screenings gave, read back: to whom a record was given, and which of those that were given are withdrawn now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any, Final

from sqlalchemy import Select, and_
from sqlmodel import Session, col, select

from anchors.credit import State
from ledger_service.credit.screening_tables import Screening, ScreeningHit
from ledger_service.errors import NotFound
from ledger_service.index.tables import Block, CreditEvent, CreditRecordVersion

__all__ = ["GivenRecord", "Page", "find_screening", "given", "given_records", "list_screenings"]

_WINDOW: Final = 1000  # screenings that are looked through for one page
_WINDOW_RECORDS: Final = 50_000  # and the records that they gave, unless one screening gave more

_WITHDRAWN: Final = and_(
    col(CreditRecordVersion.record) == col(ScreeningHit.record),
    col(CreditRecordVersion.to_block).is_(None),
    col(CreditRecordVersion.state) == State.WITHDRAWN.value,
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a record never should have been."""

    block: int
    time: int  # POSIX seconds
    grounds: bytes  # 32 bytes


@dataclass(frozen=True, slots=True)
class GivenRecord:
    """A record that a screening gave."""

    record: bytes  # its name
    withdrawal: Withdrawal | None  # since


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a key's screenings."""

    screenings: Sequence[Screening]
    after: str | None  # the id after which the next page begins; None at the end


def given(session: Session, record: bytes) -> list[tuple[str, str]]:
    """To whom a record was given: the ids of API keys and of their screenings, oldest first."""
    rows = (
        select(Screening.api_key, Screening.id)
        .join(ScreeningHit, col(ScreeningHit.screening) == col(Screening.number))
        .where(ScreeningHit.record == record)
    )
    return [(key, id) for key, id in session.exec(rows.order_by(col(Screening.number)))]


def find_screening(session: Session, key_id: str, id: str) -> Screening:
    """The screening of that id; raises NotFound, for all but the key that asked as well."""
    row = session.exec(select(Screening).where(Screening.id == id, Screening.api_key == key_id)).first()
    if row is None:
        raise NotFound(f"There is no screening {id} that the API key {key_id} asked for.")
    return row


def given_records(session: Session, screening: Screening) -> list[GivenRecord]:
    """The records that a screening gave, by name."""
    gave = select(ScreeningHit.record).where(ScreeningHit.screening == screening.number)
    withdrawn = _withdrawals(session, screening)
    return [GivenRecord(name, withdrawn.get(name)) for name in session.exec(gave.order_by(col(ScreeningHit.record)))]


def list_screenings(session: Session, key_id: str, after: str | None, limit: int, *, withdrawn: bool = False) -> Page:
    """Screenings of a key, oldest first.

    Args:
        session: of the database.
        key_id: whose.
        after: the id of the last one that was looked at; None begins.
        limit: the most that are told.
        withdrawn: only those of which a record was withdrawn since; a bounded number is looked through for one page,
            so that it may be short, or empty, before the last.

    Raises:
        NotFound: the key asked for no screening `after`.
    """
    number = find_screening(session, key_id, after).number if after else 0
    later = select(Screening).where(Screening.api_key == key_id, col(Screening.number) > number)
    rows = session.exec(later.order_by(col(Screening.number)).limit((_WINDOW if withdrawn else limit) + 1)).all()
    looked_at = _bounded(rows[:_WINDOW]) if withdrawn else rows[:limit]
    told = _with_withdrawn(session, looked_at)[: limit + 1] if withdrawn else looked_at
    if len(told) > limit:
        return Page(told[:limit], told[limit - 1].id)
    return Page(told, looked_at[-1].id if len(looked_at) < len(rows) else None)


def _withdrawals(session: Session, screening: Screening) -> dict[bytes, Withdrawal]:
    rows: Select[Any] = (
        select(ScreeningHit.record, CreditEvent.block_number, Block.timestamp, CreditEvent.grounds)  # type: ignore[assignment]
        .join(CreditRecordVersion, _WITHDRAWN)
        .join(
            CreditEvent,
            and_(
                col(CreditEvent.block_number) == col(CreditRecordVersion.from_block),
                col(CreditEvent.record) == col(ScreeningHit.record),
                col(CreditEvent.state) == State.WITHDRAWN.value,
            ),
        )
        .join(Block, col(Block.number) == col(CreditEvent.block_number))
        .where(ScreeningHit.screening == screening.number)
    )
    return {name: Withdrawal(block, time, grounds or b"") for name, block, time, grounds in session.execute(rows)}


def _bounded(rows: Sequence[Screening]) -> Sequence[Screening]:
    """The first of them, that gave no more than is looked through at once; one at least."""
    sums = accumulate(row.records for row in rows)
    return rows[: max(1, len(list(takewhile(lambda count: count <= _WINDOW_RECORDS, sums))))]


def _with_withdrawn(session: Session, rows: Sequence[Screening]) -> list[Screening]:
    numbers: Collection[int | None] = [row.number for row in rows]
    hits = select(ScreeningHit.screening).join(CreditRecordVersion, _WITHDRAWN).distinct()
    found = set(session.exec(hits.where(col(ScreeningHit.screening).in_(numbers))))
    return [row for row in rows if row.number in found]
