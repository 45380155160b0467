"""What can be said of a rule: that it is kept, that it is broken, or that the file does not show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["Finding", "Outcome", "Rule", "broken", "kept", "listed", "not_shown"]

_SHOWN: Final = 8  # names in a sentence


class Finding(StrEnum):
    """What an audit comes to: what its worst rule does, or that the file is not what it says."""

    KEPT = "kept"
    NOT_SHOWN = "not shown"
    BROKEN = "broken"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rule, and why."""

    finding: Finding
    detail: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, where it stands, and what became of it."""

    rule: str
    article: str
    outcome: Finding
    detail: str

    def as_json(self) -> dict[str, object]:
        """The rule as `bidledger tender audit --json` prints it."""
        return {"rule": self.rule, "article": self.article, "outcome": self.outcome, "detail": self.detail}


def kept(detail: str) -> Outcome:
    """The rule is kept."""
    return Outcome(Finding.KEPT, detail)


def broken(detail: str) -> Outcome:
    """The rule is broken."""
    return Outcome(Finding.BROKEN, detail)


def not_shown(detail: str) -> Outcome:
    """Nothing shows that the rule is kept, or that it is broken."""
    return Outcome(Finding.NOT_SHOWN, detail)


def listed(names: Iterable[bytes | str]) -> str:
    """Names in a sentence, the first few of them; bytes as 0x and hexadecimal."""
    told = [name if isinstance(name, str) else "0x" + name.hex() for name in names]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return ", ".join(told[:_SHOWN]) + more
