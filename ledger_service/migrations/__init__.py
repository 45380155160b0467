"""Brings a database up to date, one step after the other; a test holds the result against the tables in the code.

A new step: `python -m ledger_service.migrations "what it does"` compares the tables with a fresh database and writes it
into `versions/`, to be read before it is committed.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def config(engine: Engine) -> Config:
    """Alembic's settings for a database."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine, lock_directory: Path) -> None:
    """Run every step that `engine`'s database has not had yet; processes that start together wait for each other.

    Args:
        engine: the database.
        lock_directory: a folder that these processes share.
    """
    with _alone(lock_directory):
        command.upgrade(config(engine), "head")


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "migration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
