"""A member's log beside the chain that it is anchored on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from founding import Founded
from growing_log import GrowingLog, growing_log
from sqlalchemy import Engine

MEMBER = 2


@pytest.fixture
def log(engine: Engine, tmp_path: Path, founded: Founded) -> Iterator[GrowingLog]:
    with growing_log(engine, tmp_path / "data", founded, MEMBER) as made:
        yield made
