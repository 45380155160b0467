"""Alembic's entry: runs the steps on the engine that it is handed."""

from alembic import context
from sqlmodel import SQLModel

from ledger_service import conditions  # noqa: F401  # each import brings its tables
from ledger_service.anchoring import tables as anchoring  # noqa: F401
from ledger_service.credit import names, screening_tables, webhook_tables  # noqa: F401
from ledger_service.index import tables as index  # noqa: F401
from ledger_service.log import tables as log  # noqa: F401
from ledger_service.operations import tables as operations  # noqa: F401
from ledger_service.tenders import features_tables  # noqa: F401
from ledger_service.tenders import tables as tenders  # noqa: F401
from ledger_service.tenders.draws import tables as draws  # noqa: F401
from ledger_service.witness import tables as witness  # noqa: F401

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
