"""Writes the next step: `python -m ledger_service.migrations "what it does"`."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from ledger_service.database import open_engine
from ledger_service.migrations import config, upgrade

with tempfile.TemporaryDirectory() as folder:
    engine = open_engine(f"sqlite:///{folder}/fresh.sqlite")
    upgrade(engine, Path(folder))
    command.revision(config(engine), sys.argv[1], autogenerate=True)
