"""What the service does again and again, beside answering requests: one loop around the step of a part.

A step that fails by a named error is tried again, more slowly the longer that lasts, and the part itself says so in
its conditions; what nobody foresaw ends the loop.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from ledger_service.errors import ServiceError

log = structlog.get_logger(__name__)

SLOWEST: Final = 60  # times the usual wait


@dataclass(frozen=True, slots=True)
class Job:
    """A step to be repeated."""

    name: str  # in the service's log: a failed step is the event `<name>_failed`
    step: Callable[[], object]  # gives something true when it has left work
    eager: bool = False  # whether the work that is left is done at once, or after a wait as well

    def run(self, stop: threading.Event, poll_seconds: float) -> None:
        """Repeat the step until `stop` is set, usually every `poll_seconds`."""
        wait = poll_seconds
        while not stop.is_set():
            try:
                left = self.step()
                wait = poll_seconds
            except ServiceError as error:
                log.warning(f"{self.name}_failed", problem=error.problem, detail=error.detail)
                left, wait = False, min(2 * wait, SLOWEST * poll_seconds)
            if not (self.eager and left):
                stop.wait(wait)
