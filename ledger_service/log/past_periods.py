"""The closed periods of the member's own log: their bounds, their times, their leaves, and their keys.

Promises what the rows and the period secret give, the same whatever came in a period: no batch is looked at for what is
told of it. Whether a key may be told is not decided here, but in `ledger_service.tenders.period_keys`. When one period
closes the next one opens.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from anchors.periods import key_commitment, period_key
from ledger_service.log.identity import LogIdentity
from ledger_service.log.store import LogStore
from ledger_service.log.tables import Checkpoint, Period

__all__ = ["PastPeriod", "PastPeriods"]


@dataclass(frozen=True, slots=True)
class PastPeriod:
    """A closed period whose leaves are public. Times are POSIX seconds by the log's clock."""

    number: int
    first: int  # index of its first leaf
    end: int  # one past that of its last
    slots: int  # 0: it has no filling
    committed: bool  # whether the period before commits to its key
    opened_at: int | None  # None where it is not known, as the next two
    closed_at: int | None
    chain_time: int | None  # none of a block that the service had followed while the period was open is later

    @property
    def has_key(self) -> bool:
        """Whether its key is of use: it fills the period, or the one before commits to it."""
        return bool(self.slots) or self.committed

    @property
    def earliest(self) -> int:
        """A time by the log's clock before which nothing was accepted in it, also where the clock was set back."""
        if self.opened_at is None or self.closed_at is None:
            return 0
        return min(self.opened_at, self.closed_at)


class _Row(NamedTuple):
    number: int
    first: int
    size: int | None
    slots: int
    closed_at: int | None
    chain_time: int | None


class PastPeriods:
    """The past of one generation of a log.

    Args:
        engine: the service's database.
        identity: whose log, with its period secret.
    """

    def __init__(self, engine: Engine, identity: LogIdentity) -> None:
        self._engine = engine
        self._generation = identity.generation
        self._secret, self.origin = identity.period_secret, identity.origin
        self._store = LogStore(engine, identity.generation)

    def from_number(self, number: int, limit: int) -> list[PastPeriod]:
        """The public periods from a number on, in order, so many at the most."""
        with Session(self._engine) as session:
            public = select(func.max(Checkpoint.size)).where(Checkpoint.generation == self._generation)
            size = session.exec(public).one() or 0
            rows = self._rows(session, max(0, number - 1), number + limit)
            unknown = any(row.chain_time is None for row in rows.values())
            first_known = self._first_chain_time(session) if unknown else None  # looks at every period there ever was
        wanted = [rows[at] for at in range(number, number + limit) if at in rows]
        return [
            _described(row, rows.get(row.number - 1), first_known)
            for row in wanted
            if row.size is not None and row.size <= size
        ]

    def number_at(self, time: int) -> int:
        """The number of the period that was open at a time: the first that did not close before it."""
        before = select(func.max(Period.number)).where(Period.generation == self._generation)
        with Session(self._engine) as session:
            number = session.exec(before.where(col(Period.closed_at) < time)).one()
        return 0 if number is None else number + 1

    def number_of(self, place: int) -> int:
        """The number of the period in which a leaf stands; of one that is not there yet, the open one's."""
        at = select(Period.number).where(Period.generation == self._generation, Period.first <= place)
        newest_first = at.order_by(col(Period.first).desc(), col(Period.number).desc())
        with Session(self._engine) as session:
            return session.exec(newest_first.limit(1)).first() or 0

    def leaves(self, number: int) -> tuple[bytes, ...]:
        """The leaves of a closed period, 32 bytes each, in the order of the log."""
        with Session(self._engine) as session:
            row = session.get_one(Period, (self._generation, number))
        return tuple(leaf for some in self._store.leaves(row) for leaf in some)

    def key(self, number: int) -> bytes:
        """The key of a period, 32 bytes. It shows how many commitments the period took."""
        return period_key(self._secret, self.origin, number)

    def commitment(self, number: int) -> bytes:
        """The leaf, 32 bytes, by which the period before commits to a period's key."""
        return key_commitment(self.key(number))

    def _rows(self, session: Session, first: int, end: int) -> dict[int, _Row]:
        columns = (Period.number, Period.first, Period.size, Period.slots, Period.closed_at, Period.chain_time)
        rows = select(*columns).where(Period.generation == self._generation, Period.number >= first)  # type: ignore[call-overload]
        return {row.number: _Row(*row) for row in session.exec(rows.where(Period.number < end))}

    def _first_chain_time(self, session: Session) -> int | None:
        """The earliest that is known; in periods from before, of which it is not, none can have been later."""
        times = select(func.min(Period.chain_time)).where(Period.generation == self._generation)
        return session.exec(times).one()


def _described(row: _Row, before: _Row | None, first_known: int | None) -> PastPeriod:
    return PastPeriod(
        number=row.number,
        first=row.first,
        end=row.first if row.size is None else row.size,
        slots=row.slots,
        committed=before is not None and bool(before.slots),
        opened_at=None if before is None else before.closed_at,
        closed_at=row.closed_at,
        chain_time=first_known if row.chain_time is None else row.chain_time,
    )
