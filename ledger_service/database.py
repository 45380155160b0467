"""The database: one engine a process, SQLite in WAL mode by default, brought up to date by the migrations.

A commit is durable when it returns (`synchronous=FULL`), which the receipts rest on. Readers never block the writer.
"""

from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry


def open_engine(url: str) -> Engine:
    """Make the engine for `url` and, for SQLite, set every connection to WAL with full syncs.

    Args:
        url: an SQLAlchemy URL; the folder of a SQLite file is made when missing.

    Returns:
        The engine; no connection is opened yet.
    """
    parsed = make_url(url)
    # The connection that was used last still has in its cache what it wrote; another one would read it anew. There are
    # more than the threads that answer requests, so that these keep none from the writer and the jobs.
    pool = {"pool_use_lifo": True, "max_overflow": 75}
    engine = create_engine(parsed, **(pool if parsed.database else {}))  # in memory there is one for each thread
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "cache_size=-65536",
        # A place that is written again and again is copied from the WAL once; 16 MB of it, not the usual 4.
        "wal_autocheckpoint=4096",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
