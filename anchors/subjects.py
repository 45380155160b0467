"""Who a company is: a scheme and an identifier in it, never a name, never a natural person.

Promises that an identifier with a check character is one that can exist. A hash of a guessable number is still
personal data, so what looks like a resident's identity number is refused under every scheme.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Self

from anchors.errors import BadSubject

__all__ = ["USCC", "Subject"]

USCC = "CN-USCC"

_SCHEME = re.compile(r"[A-Z]{2,3}-[A-Z0-9]{1,12}")  # org-id.guide list codes
_IDENTIFIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z./-]{0,63}")
_USCC = re.compile(r"[1-9A-HJ-NP-RTUWXY][0-9A-HJ-NP-RTUWXY]\d{6}[0-9A-HJ-NP-RTUWXY]{10}", re.ASCII)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_RESIDENT = re.compile(r"\d{6}(\d{4})(\d{2})(\d{2})\d{3}[\dX]", re.ASCII)
_RESIDENT_CHECKS = "10X98765432"


@dataclass(frozen=True, slots=True)
class Subject:
    """A company, association or public body."""

    scheme: str  # an org-id.guide list, in China CN-USCC
    identifier: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `SCHEME:IDENTIFIER`.

        Raises:
            BadSubject: it is not of that form, the check character is wrong, or it looks like a natural person's.

        Source: GB 32100-2015 for CN-USCC; org-id.guide for other schemes; GB 11643-1999 for what is refused.
        """
        scheme, colon, identifier = text.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme) or not _IDENTIFIER.fullmatch(identifier):
            raise BadSubject(text, "is not SCHEME:IDENTIFIER, such as CN-USCC:91510000201837253T")
        if scheme == USCC:
            _check_uscc(text, identifier)
        elif _is_resident(identifier):
            raise BadSubject(text, "looks like a natural person's identity number")
        return cls(scheme, identifier)

    @property
    def key(self) -> bytes:
        """The subject key: SHA-256 of `SCHEME:IDENTIFIER`, 32 bytes."""
        return hashlib.sha256(str(self).encode()).digest()

    def __str__(self) -> str:
        return f"{self.scheme}:{self.identifier}"


def _check_uscc(text: str, identifier: str) -> None:
    if not _USCC.fullmatch(identifier):
        raise BadSubject(text, "is not a unified social credit code of 18 characters")
    values = [_USCC_ALPHABET.index(character) for character in identifier]
    if (sum(value * pow(3, place, 31) for place, value in enumerate(values[:17])) + values[17]) % 31:
        raise BadSubject(text, "has a wrong check character")


def _is_resident(identifier: str) -> bool:
    """Whether it has the form, a possible date of birth and the check character of a resident's number."""
    parts = _RESIDENT.fullmatch(identifier)
    if parts is None:
        return False
    try:
        date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(identifier[:17]))
    return _RESIDENT_CHECKS[total % 11] == identifier[17]
