"""Writes the index's tables: a range of blocks with all that its events change, or a rollback to an earlier block.

The caller owns the transaction: either all of a range is there together with its last block, or nothing of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlmodel import SQLModel

from anchors.chain.header import Header
from ledger_service.index import tables
from ledger_service.index.apply import Added, Changed, Effect


def write_blocks(connection: Connection, headers: Iterable[Header]) -> None:
    """Add followed blocks."""
    rows = [{"number": header.number, "hash": header.hash, "timestamp": header.timestamp} for header in headers]
    connection.execute(insert(tables.Block), rows)


def write_effects(connection: Connection, effects: Iterable[tuple[int, Effect]]) -> None:
    """Carry out effects, each with the number of its block, in the order of the chain."""
    facts: defaultdict[type[tables.Fact], list[Mapping[str, object]]] = defaultdict(list)
    for block_number, effect in effects:
        if isinstance(effect, Added):
            facts[effect.table].append(effect.row)
        else:
            _change(connection, block_number, effect)
    for table, rows in facts.items():
        connection.execute(insert(table), rows)


def roll_back(connection: Connection, block_number: int) -> None:
    """Make the tables those of an index that has seen no block above `block_number`."""
    connection.execute(delete(tables.Block).where(_table(tables.Block).c.number > block_number))
    for fact in tables.FACTS:
        connection.execute(delete(fact).where(_table(fact).c.block_number > block_number))
    for version in tables.VERSIONS:
        columns = _table(version).c
        connection.execute(delete(version).where(columns.from_block > block_number))
        connection.execute(update(version).where(columns.to_block > block_number).values(to_block=None))


def open_version(
    connection: Connection, version: type[tables.Version], key: Mapping[str, object]
) -> dict[str, Any] | None:
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


def _table(model: type[SQLModel]) -> Table:
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found
