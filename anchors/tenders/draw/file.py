"""The draw's file: all of a draw in one JSON document, sealed until the award and open after it.

Promises bounded reading, part by part, so that a malformed part is told at its own step of the replay; and one digest
that the sealed file and the open one share: the SHA-256 of the sealed file as it is written here. What the parts prove
is left to `anchors.tenders.draw.verdict`.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Final, Self

import rfc8785

from anchors.bounded_json import Fields, read_json
from anchors.errors import MalformedFile
from anchors.tenders.draw.acts import Confirmation, Deposit, Disclosure, Reveal
from anchors.tenders.draw.experts import ExpertList
from anchors.tenders.draw.panel import Seat
from anchors.tenders.draw.terms import MAX_MEMBERS, Terms, read_code

__all__ = ["FORMAT", "MAX_DRAW_BYTES", "Draw", "DrawFile", "Opened", "Result"]

FORMAT: Final = "bidledger/expert-draw/v1"
MAX_DRAW_BYTES: Final = 16 << 20

_MAX_VALUES: Final = 500_000
_MAX_SEATS: Final = 1 << 14
_PARTS: Final = ("format", "terms", "deposits", "confirmations", "result", "opened")
_OPENED: Final = ("reveals", "shares", "lists", "seats")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a draw: a panel, under the root that seals it, or nothing, by sites that kept their values back."""

    panel: bytes | None  # 32 bytes
    void: tuple[str, ...]  # the codes of these sites, in their order

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("panel", "void"))
        panel = fields.nullable("panel", lambda name: fields.hex(name, 32))
        void = fields.each("void", MAX_MEMBERS, read_code)
        if (panel is None) == (not void):
            raise MalformedFile(where, "does not have either a panel or those by whom the draw is void")
        return cls(panel, void)

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {"panel": None if self.panel is None else f"0x{self.panel.hex()}", "void": list(self.void)}


@dataclass(frozen=True, slots=True)
class Opened:
    """What is kept by those who held the draw until the panel is unsealed."""

    reveals: tuple[Reveal, ...] = ()  # in the order of the terms' sites
    shares: tuple[Disclosure, ...] = ()
    lists: tuple[ExpertList, ...] = ()  # in the order of the terms' sites; none where the draw is void
    seats: tuple[Seat, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {
            "reveals": [each.to_json() for each in self.reveals],
            "shares": [each.to_json() for each in self.shares],
            "lists": [each.to_json() for each in self.lists],
            "seats": [each.to_json() for each in self.seats],
        }


@dataclass(frozen=True, slots=True)
class Draw:
    """All of a draw, as far as it has come."""

    terms: Terms
    deposits: tuple[Deposit, ...] = ()  # in the order of the terms' sites
    confirmations: tuple[Confirmation, ...] = ()  # in the order of the terms' members
    result: Result | None = None  # None while it is being held
    opened: Opened | None = None  # None: sealed

    def sealed(self) -> "Draw":
        """The same without what would tell the panel."""
        return replace(self, opened=None)

    def to_json(self) -> dict[str, object]:
        """The file's JSON document."""
        return {
            "format": FORMAT,
            "terms": self.terms.to_json(),
            "deposits": [each.to_json() for each in self.deposits],
            "confirmations": [each.to_json() for each in self.confirmations],
            "result": None if self.result is None else self.result.to_json(),
            "opened": None if self.opened is None else self.opened.to_json(),
        }

    def write(self) -> bytes:
        """The file: canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.to_json())  # type: ignore[arg-type]  # JSON by `to_json`

    def digest(self) -> bytes:
        """What is logged of the draw and named by the evaluation, 32 bytes: SHA-256 of the sealed file.

        Everything that is not in the sealed file follows from it: the values and lists are committed to, the panel is
        drawn from them.
        """
        return sha256(self.sealed().write()).digest()


class DrawFile:
    """A draw's file whose parts are read one by one, each where it is needed.

    Args:
        data: the file, from anyone.

    Raises:
        MalformedFile: it is not readable as a draw; so do all parts, where they are malformed.
    """

    def __init__(self, data: bytes) -> None:
        self._fields = Fields(read_json(data, MAX_DRAW_BYTES, _MAX_VALUES), "", _PARTS)
        self._fields.text("format", re.escape(FORMAT))

    @cached_property
    def terms(self) -> Terms:
        """What was agreed on; raises BadTerms as well."""
        return Terms.from_json(self._fields.raw("terms"))

    @cached_property
    def deposits(self) -> tuple[Deposit, ...]:
        """Of the sites."""
        return self._fields.each("deposits", MAX_MEMBERS, Deposit.from_json)

    @cached_property
    def confirmations(self) -> tuple[Confirmation, ...]:
        """Of the members."""
        return self._fields.each("confirmations", MAX_MEMBERS, Confirmation.from_json)

    @cached_property
    def result(self) -> Result | None:
        """What came of it; None while the draw is being held."""
        return self._fields.nullable("result", lambda name: Result.from_json(self._fields.raw(name), name))

    @property
    def is_sealed(self) -> bool:
        """Whether it is without what would tell the panel; then none of the four parts below can be read."""
        return self._fields.raw("opened") is None

    @cached_property
    def reveals(self) -> tuple[Reveal, ...]:
        """Of the sites that did not keep their values back."""
        return self._opened.each("reveals", MAX_MEMBERS, Reveal.from_json)

    @cached_property
    def shares(self) -> tuple[Disclosure, ...]:
        """Of the values of those that did."""
        return self._opened.each("shares", MAX_MEMBERS * MAX_MEMBERS, Disclosure.from_json)

    @cached_property
    def lists(self) -> tuple[ExpertList, ...]:
        """The sites' lists; raises BadExpert, PersonNamed or ExpertTwice as well."""
        return self._opened.each("lists", MAX_MEMBERS, ExpertList.from_json)

    @cached_property
    def seats(self) -> tuple[Seat, ...]:
        """The panel as the file tells it."""
        return self._opened.each("seats", _MAX_SEATS, Seat.from_json)

    @cached_property
    def _opened(self) -> Fields:
        return Fields(self._fields.raw("opened"), "opened", _OPENED)

    def draw(self) -> Draw:
        """All of it; raises what the parts raise."""
        opened = None if self.is_sealed else Opened(self.reveals, self.shares, self.lists, self.seats)
        return Draw(self.terms, self.deposits, self.confirmations, self.result, opened)

    def digest(self) -> bytes:
        """The digest of the draw, 32 bytes, from the parts that the sealed file has."""
        return Draw(self.terms, self.deposits, self.confirmations, self.result).digest()
