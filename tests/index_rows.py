"""All that an index holds of the chain, row by row, as it was or would have been at a block."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from ledger_service.index import tables

Rows = dict[str, list[tuple[object, ...]]]


def rows(engine: Engine, block: int | None = None) -> Rows:
    """The rows by table; of an index that has followed more, those that it had at `block`."""
    models: list[type[SQLModel]] = [tables.Block, *tables.FACTS, *tables.VERSIONS]
    found = {}
    with engine.connect() as connection:
        for model in models:
            table = SQLModel.metadata.tables[str(model.__tablename__)]
            held = connection.execute(select(table)).mappings()
            found[table.name] = sorted((_at(row, block) for row in held if _is_held(row, block)), key=repr)
    return found


def _is_held(row: Mapping[Any, Any], block: int | None) -> bool:
    since = next(row[name] for name in ("number", "block_number", "from_block") if name in row)
    return block is None or since <= block


def _at(row: Mapping[Any, Any], block: int | None) -> tuple[object, ...]:
    """A version that a later block ended is still open."""
    until = row.get("to_block")
    ended = block is not None and until is not None and until > block
    return tuple(None if ended and name == "to_block" else value for name, value in row.items())
