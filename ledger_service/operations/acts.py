"""What `sending` asks of a slice about its acts, and the acts of several slices as one.

Promises nothing of what an act does; that each operation is asked of the slice that knows its kind.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from sqlmodel import Session

from ledger_service.operations.collecting import Collected
from ledger_service.operations.tables import Operation

__all__ = ["Acts", "ActsByKind", "Call", "compact"]

_HIGH_BIT: Final = 1 << 255


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a contract."""

    to: bytes  # 20 bytes
    data: bytes


class Acts(Protocol):
    """What operations say to their contracts."""

    @property
    def overtaken(self) -> Collection[str]:
        """The contracts' errors that say only that something else came first."""

    def touches(self, operation: Operation) -> Collection[bytes]:
        """What the call of an operation depends on; of two that share any, one waits for the other."""

    def call(self, session: Session, operation: Operation, given: Collected) -> Call | None:
        """What carries an operation out, as the index stands; None while that is behind.

        Raises:
            InvalidContent: it can never be carried out any more.
        """

    def place(self, session: Session, operation: Operation) -> int | None:
        """The block in which an operation took effect, by the index; None where it did not."""


class ActsByKind:
    """The acts of several slices. One of a kind that none of them knows waits until its slice is served again.

    Args:
        kinds: whose an act is, by its kind; a kind is one slice's alone.
    """

    def __init__(self, kinds: Mapping[str, Acts]) -> None:
        self._kinds = kinds

    @property
    def overtaken(self) -> Collection[str]:
        """As `Acts.overtaken`."""
        return {name for acts in self._kinds.values() for name in acts.overtaken}

    def touches(self, operation: Operation) -> Collection[bytes]:
        """As `Acts.touches`."""
        acts = self._kinds.get(operation.act)
        return () if acts is None else acts.touches(operation)

    def call(self, session: Session, operation: Operation, given: Collected) -> Call | None:
        """As `Acts.call`."""
        acts = self._kinds.get(operation.act)
        return None if acts is None else acts.call(session, operation, given)

    def place(self, session: Session, operation: Operation) -> int | None:
        """As `Acts.place`."""
        acts = self._kinds.get(operation.act)
        return None if acts is None else acts.place(session, operation)


def compact(signature: bytes) -> tuple[bytes, bytes]:
    """A signature r ‖ s ‖ v, 65 bytes, as contracts take it: r, and s with the parity in its highest bit.

    Source: EIP-2098.
    """
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    return r, (s | (_HIGH_BIT if v == 28 else 0)).to_bytes(32, "big")
