"""The loop around a part's step: its pauses, and what ends it."""

import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from ledger_service.errors import ChainUnreachable
from ledger_service.jobs import SLOWEST, Job


class Pauses(threading.Event):
    """Takes down how long it is waited for instead of waiting; set by the last of `count` pauses."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.taken: list[float | None] = []
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        self.taken.append(timeout)
        if len(self.taken) == self._count:
            self.set()
        return self.is_set()


def failing(times: int) -> Iterator[bool]:
    """Whether each step fails: so many do, then none."""
    yield from [True] * times
    while True:
        yield False


def test_troubles_are_tried_again_more_slowly_until_they_are_over() -> None:
    fails = failing(7)

    def step() -> None:
        if next(fails):
            raise ChainUnreachable("no node")

    pauses = Pauses(9)
    with capture_logs() as logged:
        Job("anchoring", step).run(pauses, 0.5)
    assert pauses.taken == [1, 2, 4, 8, 16, SLOWEST * 0.5, SLOWEST * 0.5, 0.5, 0.5]
    expected = {
        "event": "anchoring_failed",
        "problem": "chain-unreachable",
        "detail": "no node",
        "log_level": "warning",
    }
    assert logged == [expected] * 7


@pytest.mark.parametrize(("eager", "steps"), [(True, 3), (False, 1)])
def test_work_that_is_left_is_done_at_once_only_by_the_eager(eager: bool, steps: int) -> None:
    done = []

    def step() -> bool:
        done.append(1)
        return len(done) < 3

    Job("index_step", step, eager=eager).run(Pauses(1), 0.5)
    assert len(done) == steps


def test_what_nobody_foresaw_ends_it() -> None:
    def step() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        Job("capture", step).run(threading.Event(), 0.5)
