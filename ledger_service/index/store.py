"""Writes the index's tables: a range of blocks with all that its events change, or a rollback to an earlier block.

The caller owns the transaction: either all of a range is there together with its last block, or nothing of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Insert, Table, TypeDecorator, Update, bindparam, delete, insert, select, update
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from anchors.chain.header import Header
from ledger_service.index import tables
from ledger_service.index.effects import Added, Changed, Effect, Values
from ledger_service.index.rows import Fact, Version
from ledger_service.index.seals import ReadSeals

MAX_KEYS: Final = 500  # of rows that are looked for at once; SQLite takes 32,766 values


class Changes:
    """What a range of blocks changes, ready to be written.

    Effects are taken in one by one and only rows are kept: a backfill that kept an object for each event would spend
    half its time in the garbage collector.
    """

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.seals: list[ReadSeals] = []  # of the headers
        self.facts: defaultdict[type[Fact], list[Values]] = defaultdict(list)
        self.versions: defaultdict[type[Version], list[tuple[int, Changed]]] = defaultdict(list)
        """Changes with the block from which each holds."""

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
                self.versions[effect.table].append((block_number, effect))


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
    for version, of_table in changes.versions.items():
        _change(connection, version, of_table)
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


def _change(connection: Connection, model: type[Version], changes: Sequence[tuple[int, Changed]]) -> None:
    """Carry out the changes of one table, in the order of the chain: all at once, since a backfill has many."""
    table, of_key = _table(model), itemgetter(*model.key)
    several = len(model.key) > 1
    keys = [of_key(change.key) if several else (of_key(change.key),) for _, change in changes]
    open_rows, nothing = _open_rows(connection, model, set(keys)), dict.fromkeys(table.c.keys())
    begun: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for key, (block_number, change) in zip(keys, changes, strict=True):
        before = open_rows.get(key)
        values = change.values
        if change.derived is not None:
            values = {**values, **change.derived(before or nothing)}
        if before is not None and before["from_block"] == block_number:
            before.update(values)
            continue
        row = {**(before or nothing), **change.key, **values, "from_block": block_number, "to_block": None}
        begun.append(row)
        open_rows[key] = row
        if before is None:
            continue
        before["to_block"] = block_number
        if before["from_block"] < changes[0][0]:  # it is in the table
            ended.append({f"{name}_": before[name] for name in (*model.key, "from_block", "to_block")})
    if ended:
        this = [table.c[name] == bindparam(f"{name}_") for name in (*model.key, "from_block")]
        _execute_many(connection, table, update(table).where(*this).values(to_block=bindparam("to_block_")), ended)
    if begun:
        # In the order of the key, as the table lies: what is written next to each other is found in the cache.
        begun.sort(key=itemgetter(*model.key))
        _insert_many(connection, table, begun)


def _open_rows(
    connection: Connection, model: type[Version], keys: Collection[tuple[Any, ...]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of these keys that hold now, by key. They are looked for by the first part of the key alone: to find
    pairs SQLite would read the whole table."""
    table = _table(model)
    first, of_key = table.c[model.key[0]], [list(table.c.keys()).index(name) for name in model.key]
    found = {}
    remaining = iter({key[0] for key in keys})
    while some := list(islice(remaining, MAX_KEYS)):
        for row in connection.execute(select(table).where(first.in_(some), table.c.to_block.is_(None))):
            key = tuple([row[place] for place in of_key])
            if key in keys:
                found[key] = dict(zip(table.c.keys(), row, strict=True))
    return found


def _insert_many(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that all name the same columns."""
    _execute_many(connection, table, insert(table).values(rows[0]), rows)


def _execute_many(connection: Connection, table: Table, statement: Insert | Update, rows: Sequence[Values]) -> None:
    """Execute for each of some rows, past SQLAlchemy's work on each value where a driver takes positions and no column
    needs it: half the time of a backfill."""
    compiled = statement.compile(connection)
    if compiled.positiontup is None or any(_is_converted(column.type) for column in table.c):
        connection.execute(insert(table) if isinstance(statement, Insert) else statement, rows)
        return
    in_order = itemgetter(*compiled.positiontup)
    connection.exec_driver_sql(str(compiled), [in_order(row) for row in rows])


def _is_converted(column: TypeEngine[Any]) -> bool:
    """Whether its values are not what the driver is given; `str` of SQLModel is a decorator as well, but of nothing."""
    return isinstance(column, TypeDecorator) and type(column).process_bind_param is not TypeDecorator.process_bind_param


def _table(model: type[SQLModel]) -> Table:
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found
