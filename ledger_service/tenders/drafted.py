"""What every act in a tender is once it is drawn up, and how its words are kept as JSON."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlmodel import Session

from ledger_service.index.tender_tables import TenderEvent
from ledger_service.operations.acts import Call
from ledger_service.operations.collecting import Collected
from ledger_service.tenders.ground import TenderGround

__all__ = ["Drafted", "read_word", "read_words", "write_word", "write_words"]


class Drafted(Protocol):
    """An act as it was drawn up."""

    @property
    def tender(self) -> bytes:
        """Its name, 32 bytes."""

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:
        """As `Acts.call`; raises AnchorsError by the rule that stands against it now."""

    def is_told(self, event: TenderEvent) -> bool:
        """Whether an event tells that it took effect."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""


def write_word(value: int | bytes) -> Any:
    """A field of an act: bytes as 0x-hex, numbers as they are."""
    return "0x" + value.hex() if isinstance(value, bytes) else value


def read_word(value: Any) -> Any:
    """What `write_word` wrote."""
    return bytes.fromhex(value[2:]) if isinstance(value, str) else value


def write_words(values: Sequence[int | bytes]) -> list[Any]:
    """Several fields."""
    return [write_word(value) for value in values]


def read_words(values: Sequence[Any]) -> tuple[Any, ...]:
    """What `write_words` wrote."""
    return tuple(read_word(value) for value in values)
