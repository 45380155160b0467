"""What a record says in words: the facts and the law that it rests on, of which the register holds the digest.

Promises one digest for one statement, whoever writes it. The statement itself stays with the issuing member and whoever
it gives it to; nobody can name facts, a legal basis or a catalogue afterwards that were not meant.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

import rfc8785

from anchors.bounded_json import Fields, read_json
from anchors.errors import MalformedFile

__all__ = ["Statement"]

_FORMAT = "bidledger/credit-statement/v1"
_MAX_BASES = 16
_FACTS = r"\S(?:[^\x00-\x08\x0b-\x1f\x7f]{0,9998}\S)?"
_LINE = r"\S(?:[^\x00-\x1f\x7f]{0,198}\S)?"


@dataclass(frozen=True, slots=True)
class Statement:
    """The facts of a record, and the provisions that it rests on."""

    facts: str
    basis: tuple[str, ...]
    catalogue: bytes  # the digest of the catalogue that its measures were taken from

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a statement's JSON, in any spelling.

        Raises:
            MalformedFile: it is out of bounds, of another format, or rests on nothing.
        """
        fields = Fields(read_json(data), "", ("format", "facts", "basis", "catalogue"))
        fields.text("format", re.escape(_FORMAT))
        basis = fields.each("basis", _MAX_BASES, _read_line)
        if not basis:
            raise MalformedFile("basis", "is empty, and what rests on no law cannot be a record")
        return cls(fields.text("facts", _FACTS), basis, fields.hex("catalogue", 32))

    def digest(self) -> bytes:
        """SHA-256 of the statement as RFC 8785 writes it, 32 bytes: what the register holds."""
        return hashlib.sha256(rfc8785.dumps(self._to_json())).digest()

    def _to_json(self) -> dict[str, str | list[str]]:
        catalogue = "0x" + self.catalogue.hex()
        return {"format": _FORMAT, "facts": self.facts, "basis": list(self.basis), "catalogue": catalogue}


def _read_line(value: object, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(_LINE, value):
        raise MalformedFile(where, f"is not a text of the form {_LINE}")
    return value
