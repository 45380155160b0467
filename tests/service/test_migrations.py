"""The migrations make just the tables that the code has."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from ledger_service.database import open_engine
from ledger_service.migrations import config, upgrade


def test_a_fresh_database_has_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/fresh.sqlite")
    upgrade(engine, tmp_path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_an_upgrade_of_an_up_to_date_database_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/fresh.sqlite")
    upgrade(engine, tmp_path)
    upgrade(engine, tmp_path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


OPERATION = {
    "act": "publish",
    "state": "ready",
    "member": 2,
    "digest": b"digest",
    "typed_data": "{}",
    "deadline": 9,
    "endorsements": 3,
    "names": b"",
    "request": "{}",
    "draft": "{}",
    "created_at": datetime(2026, 11, 30),  # noqa: DTZ001  # as the database keeps it
}
SIGNATURE = {
    "operation": 1,
    "address": b"address",
    "role": "publisher",
    "member": 2,
    "signature": b"signature",
    "given_at": OPERATION["created_at"],
}


def rows(engine: sa.Engine, name: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


@pytest.fixture
def before_operations(tmp_path: Path) -> sa.Engine:
    """A database with two acts of credit that wait."""
    engine = open_engine(f"sqlite:///{tmp_path}/old.sqlite")
    command.upgrade(config(engine), "0006")
    with engine.begin() as connection:
        operations, signatures = (
            sa.Table(name, sa.MetaData(), autoload_with=connection) for name in ("credit_operation", "credit_signature")
        )
        for number, regulator in ((1, True), (2, False)):
            known = {"number": number, "id": str(number), "publisher": True, "regulator": regulator}
            connection.execute(sa.insert(operations).values(OPERATION | known))
        connection.execute(sa.insert(signatures).values(SIGNATURE))
    return engine


def test_operations_that_wait_are_kept_with_their_signatures(before_operations: sa.Engine, tmp_path: Path) -> None:
    before = rows(before_operations, "credit_operation")
    upgrade(before_operations, tmp_path)
    kept = rows(before_operations, "operation")
    assert [row["seats"] for row in kept] == ['[["publisher", 2], ["regulator", 2]]', '[["publisher", 2]]']
    assert all(OPERATION.items() <= row.items() for row in kept)
    assert rows(before_operations, "operation_signature") == [SIGNATURE]
    command.downgrade(config(before_operations), "0006")
    assert rows(before_operations, "credit_operation") == before
    assert rows(before_operations, "credit_signature") == [SIGNATURE]
