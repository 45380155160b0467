"""Empty databases with all tables, for the tests of one process: the tables are made once, and copied from then on.

To make them takes a twentieth of a second or more, which most tests would spend before they begin; that the migrations
lead to the same tables is a test of its own. Nor does a commit wait for the disk: no test takes the power away, and
what is killed in one is another process, with a database that it opens as the service does.
"""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

from ledger_service.database import open_engine


def empty_database(path: Path) -> Engine:
    """A database in a file that is not there yet."""
    path.write_bytes(_with_tables(len(SQLModel.metadata.tables)))
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _wait_for_no_disk)
    return engine


def _wait_for_no_disk(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


@cache
def _with_tables(_count: int) -> bytes:
    """The file of such a database; made anew when a module with more tables was imported meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        engine = open_engine(f"sqlite:///{path}")
        SQLModel.metadata.create_all(engine)
        engine.dispose()  # the last connection, whose end puts everything into the file
        return path.read_bytes()
