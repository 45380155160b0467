"""What the ordered verifiers share: steps taken one at a time, each named, the first that fails ending the matter.

Promises that a step is told once, as proven or as failed, and that nothing is told after a failed one. Which steps
there are, in which order, is left to the verifiers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import ParamSpec, TypeVar

from anchors.chain.header import LAST_SECOND
from anchors.errors import AnchorsError
from anchors.network import Network, Quorum, parse_network, roll_forward

__all__ = ["Refuted", "Run", "Step", "iso_time", "pin_network"]

_P = ParamSpec("_P")
_Fact = TypeVar("_Fact")


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one step."""

    step: str
    ok: bool
    detail: str  # what is proven, or what is wrong, where, and what to do

    def as_json(self) -> dict[str, object]:
        """The step as `--json` prints it."""
        return {"step": self.step, "ok": self.ok, "detail": self.detail}


class Refuted(Exception):
    """A step failed, and its outcome is noted."""


class Run:
    """The steps taken so far."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def need(self, step: str, prove: Callable[_P, _Fact], *args: _P.args, **kwargs: _P.kwargs) -> _Fact:
        """Have what a step cannot do without; where it cannot be had, the step has failed."""
        try:
            return prove(*args, **kwargs)
        except AnchorsError as error:
            self.steps.append(Step(step, ok=False, detail=error.diagnostics()))
            raise Refuted from error

    def step(self, step: str, prove: Callable[_P, tuple[_Fact, str]], *args: _P.args, **kwargs: _P.kwargs) -> _Fact:
        """Take a step: its fact, and the sentence that tells it."""
        fact, detail = self.need(step, prove, *args, **kwargs)
        self.steps.append(Step(step, ok=True, detail=detail))
        return fact


@lru_cache(maxsize=1)  # many files are held against one network file; the same bytes always say the same
def pin_network(versions: tuple[bytes, ...]) -> tuple[Network, Quorum]:
    """The network that a reader trusts, and the governors behind it, by the newest of its file's versions.

    Args:
        versions: the bytes that the reader trusts, then those of later versions, in order, from anyone.

    Raises:
        AnchorsError: one of them is no network file, or does not follow from the one before it.
    """
    pinned, *later = (parse_network(version) for version in versions)
    return roll_forward(pinned, later)


def iso_time(time: float) -> str:
    """A time, POSIX seconds, as ISO 8601 in UTC."""
    if time > LAST_SECOND:  # no header is of such a time, but a witness may sign at any
        return f"second {time} of 1970"
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
