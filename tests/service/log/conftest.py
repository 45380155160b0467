"""Logs to test, each made with settings of its own and gone after the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running_log import RunningLog


@pytest.fixture
def make_log(tmp_path: Path) -> Iterator[Callable[..., RunningLog]]:
    """Makes a log's server with settings of one's own; it is started by `start`."""
    made: list[RunningLog] = []

    def make(**settings: Any) -> RunningLog:
        made.append(RunningLog.make(tmp_path / f"log{len(made)}", **settings))
        return made[-1]

    yield make
    for log in made:
        log.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLog]:
    """A log in the compact mode that all tests of a module share."""
    shared = RunningLog.make(tmp_path_factory.mktemp("log") / "shared")
    yield shared.start()
    shared.close()
