"""The log's rows, written by its one writer and read back to make everything else from them.

Each writing method is one transaction, durable when it returns. Rows come in by few statements with many values each:
a driver lets other threads run at every statement, and with one per leaf the writer would wait its turn a thousand
times while requests keep the other threads busy.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, func, insert
from sqlmodel import Session, SQLModel, col, select

from ledger_service.index.tables import Block
from ledger_service.log.tables import Batch, Checkpoint, Leaf, Period, Request

INDEX_BYTES: Final = 8
ENTRY_BYTES: Final = 40  # uint64 index, commitment: what a receipt's leaf is the hash of

_ROWS: Final = 512  # in one statement; eight values at the most, and SQLite takes 32,766
BATCHES_READ: Final = 32  # at once, of 8,192 leaves at the most
_Row = TypeVar("_Row")


def pack_entries(entries: Sequence[tuple[int, bytes]]) -> bytes:
    """Join entries (index, commitment) to 40 bytes each."""
    return b"".join([index.to_bytes(INDEX_BYTES, "big") + commitment for index, commitment in entries])


def split_entries(packed: bytes) -> list[bytes]:
    """Split joined entries; they sort by index as they are."""
    return [packed[at : at + ENTRY_BYTES] for at in range(0, len(packed), ENTRY_BYTES)]


class LogStore:
    """The rows of one generation of the log.

    Args:
        engine: the service's database.
        generation: which log in it.
    """

    def __init__(self, engine: Engine, generation: int) -> None:
        self._engine = engine
        self._generation = generation

    def append(self, batch: Batch, entries: Sequence[tuple[int, bytes]], requests: Sequence[Request]) -> None:
        """Write one batch: its leaves, itself, and the idempotent requests in it.

        Raises:
            sqlalchemy.exc.IntegrityError: a commitment is in the log already; nothing is written.
        """
        with self._engine.begin() as connection:
            self._insert_leaves(connection, entries)
            _insert(connection, Batch, [tuple(batch.model_dump().values())])
            _insert(connection, Request, [tuple(request.model_dump().values()) for request in requests])

    def turn(self, periods: Sequence[Period], fillings: Sequence[tuple[int, bytes]]) -> None:
        """Write periods as they now are, closed or opened, with the leaves that fill them, all or nothing."""
        with Session(self._engine) as session:
            self._insert_leaves(session.connection(), fillings)
            for period in periods:
                session.merge(period)
            session.commit()

    def chain_time(self) -> int | None:
        """The time of the last block that the index has followed, POSIX seconds; None without one."""
        newest = select(Block.timestamp).order_by(col(Block.number).desc()).limit(1)
        with Session(self._engine) as session:
            return session.exec(newest).first()

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write a signed checkpoint."""
        with self._engine.begin() as connection:
            connection.execute(insert(Checkpoint), [checkpoint.model_dump()])

    def logged(self, commitments: Collection[bytes]) -> set[bytes]:
        """Those of the commitments that the log holds, in whatever way."""
        table_query = select(Leaf.commitment).where(Leaf.generation == self._generation)
        found: set[bytes] = set()
        with Session(self._engine) as session:
            for some in _chunks(list(commitments)):
                found.update(session.exec(table_query.where(col(Leaf.commitment).in_(some))))
        return found

    def requests(self, names: Collection[bytes]) -> dict[bytes, Request]:
        """Those of the idempotent requests of these names that have been accepted."""
        if not names:
            return {}
        with Session(self._engine) as session:
            found = [
                request
                for some in _chunks(list(names))
                for request in session.exec(select(Request).where(col(Request.name).in_(some)))
            ]
        return {request.name: request for request in found}

    def batch(self, number: int) -> Batch:
        """The batch of this number, which there is."""
        with Session(self._engine) as session:
            return session.get_one(Batch, (self._generation, number))

    def last_batch(self) -> int:
        """The number of the newest batch; -1 without any."""
        newest = select(func.max(Batch.number)).where(Batch.generation == self._generation)
        with Session(self._engine) as session:
            number = session.exec(newest).one()
        return -1 if number is None else number

    def last_periods(self) -> list[Period]:
        """The newest period and the one before it, as far as there are."""
        newest = select(Period).where(Period.generation == self._generation).order_by(col(Period.number).desc())
        with Session(self._engine) as session:
            return list(session.exec(newest.limit(2)))

    def holds(self, index: int, commitment: bytes) -> bool:
        """Whether this is the leaf at this index."""
        with Session(self._engine) as session:
            leaf = session.get(Leaf, (self._generation, commitment))
        return leaf is not None and leaf.index == index

    def accepted_in(self, period: Period) -> int:
        """How many commitments have been accepted in a period that is the newest one."""
        batch = select(func.sum(func.length(Batch.entries))).where(
            Batch.generation == self._generation, Batch.number >= period.first_batch
        )
        with Session(self._engine) as session:
            return (session.exec(batch).one() or 0) // ENTRY_BYTES

    def last_checkpoints(self) -> list[Checkpoint]:
        """The largest checkpoint and the one before it, as far as there are."""
        largest = (
            select(Checkpoint).where(Checkpoint.generation == self._generation).order_by(col(Checkpoint.size).desc())
        )
        with Session(self._engine) as session:
            return list(session.exec(largest.limit(2)))

    def closed_after(self, number: int) -> Iterator[Period]:
        """The closed periods after the one of this number, in order, read as they are asked for."""
        closed = select(Period).where(
            Period.generation == self._generation, col(Period.number) > number, col(Period.size).is_not(None)
        )
        with Session(self._engine) as session:
            yield from session.exec(closed.order_by(col(Period.number)).execution_options(yield_per=64))

    def leaves(self, period: Period) -> Iterator[list[bytes]]:
        """Read the commitments of a closed period in the order of the log, some thousands at a time."""
        batches = select(Batch.entries).where(
            Batch.generation == self._generation,
            col(Batch.number) >= period.first_batch,
            col(Batch.number) < period.end_batch,
        )
        with Session(self._engine) as session:
            accepted = session.exec(batches.order_by(col(Batch.number)).execution_options(yield_per=BATCHES_READ))
            # Without slots the batches follow one another; with them each is strewn over the period.
            for some in [(*accepted, period.filling)] if period.slots else accepted.partitions():
                yield [entry[INDEX_BYTES:] for entry in sorted(split_entries(b"".join(some)))]

    def _insert_leaves(self, connection: Connection, entries: Sequence[tuple[int, bytes]]) -> None:
        _insert(connection, Leaf, [(self._generation, commitment, index) for index, commitment in entries])


def _insert(connection: Connection, table: type[SQLModel], rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows, each with its values in the order of the model's fields."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names = ", ".join([f'"{name}"' for name in table.model_fields])
    row = f"({', '.join([mark] * len(table.model_fields))})"
    for some in _chunks(rows):
        # Nothing in it is from outside: names of ours, and marks.
        statement = f"INSERT INTO {table.__tablename__} ({names}) VALUES {', '.join([row] * len(some))}"  # noqa: S608
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


def _chunks(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    return (rows[at : at + _ROWS] for at in range(0, len(rows), _ROWS))
