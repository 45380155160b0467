"""Writes the index's tables: a range of blocks with all that its events change, or a rollback to an earlier block.

The caller owns the transaction: either all of a range is there together with its last block, or nothing of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, TypeDecorator, delete, insert, select, update
from sqlmodel import SQLModel

from anchors.chain.header import Header
from ledger_service.index import tables
from ledger_service.index.apply import Added, Changed, Effect, Values
from ledger_service.index.seals import ReadSeals


class Changes:
    """What a range of blocks changes, ready to be written.

    Effects are taken in one by one and only rows are kept: a backfill that kept an object for each event would spend
    half its time in the garbage collector.
    """

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.seals: list[ReadSeals] = []  # of the headers
        self.facts: defaultdict[type[tables.Fact], list[Values]] = defaultdict(list)
        self.versions: list[tuple[int, Changed]] = []  # with the block from which each holds

    def take_block(self, header: Header, seals: ReadSeals) -> None:
        """Take in a block itself."""
        self.headers.append(header)
        self.seals.append(seals)
        if seals.changed is not None:
            row = {"block_number": header.number, "addresses": b"".join(seals.changed), "header": header.raw}
            self.facts[tables.Validators].append(row)

    def take(self, block_number: int, effects: Iterable[Effect]) -> None:
        """Take in effects, in the order of the chain."""
        for effect in effects:
            if isinstance(effect, Added):
                self.facts[effect.table].append(effect.row)
            else:
                self.versions.append((block_number, effect))


def write_changes(connection: Connection, changes: Changes) -> None:
    """Add a range of blocks and carry out what it changes."""
    blocks = [
        {
            "number": header.number,
            "hash": header.hash,
            "timestamp": header.timestamp,
            "sealers": seals.sealers,
            "round": seals.round,
        }
        for header, seals in zip(changes.headers, changes.seals, strict=True)
    ]
    connection.execute(insert(tables.Block), blocks)
    for block_number, change in changes.versions:
        _change(connection, block_number, change)
    for model, rows in changes.facts.items():
        _insert_many(connection, _table(model), rows)


def roll_back(connection: Connection, block_number: int) -> None:
    """Make the tables those of an index that has seen no block above `block_number`."""
    connection.execute(delete(tables.Block).where(_table(tables.Block).c.number > block_number))
    for fact in tables.FACTS:
        connection.execute(delete(fact).where(_table(fact).c.block_number > block_number))
    for version in tables.VERSIONS:
        columns = _table(version).c
        connection.execute(delete(version).where(columns.from_block > block_number))
        connection.execute(update(version).where(columns.to_block > block_number).values(to_block=None))


def open_version(connection: Connection, version: type[tables.Version], key: Values) -> dict[str, Any] | None:
    """The row of `key` that holds now, or None."""
    columns = _table(version).c
    same = [columns[name] == value for name, value in key.items()]
    row = connection.execute(select(_table(version)).where(columns.to_block.is_(None), *same)).mappings().first()
    return None if row is None else dict(row)


def _change(connection: Connection, block_number: int, change: Changed) -> None:
    table = _table(change.table)
    row = open_version(connection, change.table, change.key) or {}
    if row:
        this = [table.c[name] == row[name] for name in (*change.key, "from_block")]
        if row["from_block"] == block_number:
            connection.execute(update(table).where(*this).values(**change.values))
            return
        connection.execute(update(table).where(*this).values(to_block=block_number))
    connection.execute(
        insert(table).values(row | dict(change.key) | dict(change.values) | {"from_block": block_number})
    )


def _insert_many(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that all name the same columns, past SQLAlchemy's work on each value where a driver takes positions
    and no column needs it: half the time of a backfill."""
    compiled = insert(table).values(rows[0]).compile(connection)
    plain = not any(isinstance(column.type, TypeDecorator) for column in table.c)
    if compiled.positiontup is None or not plain:
        connection.execute(insert(table), rows)
        return
    in_order = itemgetter(*compiled.positiontup)
    connection.exec_driver_sql(str(compiled), [in_order(row) for row in rows])


def _table(model: type[SQLModel]) -> Table:
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found
