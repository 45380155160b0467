"""Who a company is: a scheme and an identifier in it, never a name, never a natural person.

Promises that a unified social credit code is one that can have been given out. A hash of a guessable number is still
personal data, so schemes of natural persons, and what reads as a resident's identity number under any scheme, are
refused, and no message repeats them. That the company exists is left to its register.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from anchors.errors import BadSubject, NaturalPerson

__all__ = ["USCC", "Subject"]

USCC: Final = "CN-USCC"

_SCHEME = re.compile(r"[A-Z]{2}(?:_[A-Z0-9]{1,3})?-([A-Z0-9][A-Z0-9_]{0,31})")  # the codes of org-id.guide
_IDENTIFIER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._/-]{0,62}[0-9A-Za-z])?")
_PERSONAL_REGISTERS = frozenset(
    (
        *("AADHAAR", "BSN", "CNP", "CPF", "CPR", "CURP", "DNI", "EGN", "HETU", "HKID", "ID", "IDCARD", "MYNUMBER"),
        *("NID", "NIE", "NIN", "NINO", "NRIC", "PASSPORT", "PESEL", "PPS", "RIC", "RRN", "SFZ", "SSN"),
    )
)
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_RESIDENT = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9])"
)
_RESIDENT_CHECKS: Final = "10X98765432"


@dataclass(frozen=True, slots=True)
class Subject:
    """A company, association or public body."""

    scheme: str  # an org-id.guide list, in China CN-USCC
    identifier: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `SCHEME:IDENTIFIER`.

        Raises:
            BadSubject: it is not of that form, or the check character is wrong.
            NaturalPerson: it names, or reads as if it named, a natural person.

        Source: GB 32100-2015 for CN-USCC; org-id.guide for other schemes; GB 11643-1999 for what is refused.
        """
        scheme, _, identifier = text.partition(":")
        register = _SCHEME.fullmatch(scheme)
        if register is None or not _IDENTIFIER.fullmatch(identifier):
            raise BadSubject("is not SCHEME:IDENTIFIER, such as CN-USCC:91110000600037341L")
        if register[1] in _PERSONAL_REGISTERS or _reads_as_resident(scheme, identifier):
            raise NaturalPerson
        if scheme == USCC:
            _check_uscc(identifier)
        return cls(scheme, identifier)

    @property
    def key(self) -> bytes:
        """The subject key: SHA-256 of `SCHEME:IDENTIFIER`, 32 bytes."""
        return hashlib.sha256(str(self).encode()).digest()

    def __str__(self) -> str:
        return f"{self.scheme}:{self.identifier}"


def _check_uscc(identifier: str) -> None:
    if not _USCC.fullmatch(identifier):
        raise BadSubject("is not a unified social credit code of 18 characters")
    values = [_USCC_ALPHABET.index(character) for character in identifier]
    if (sum(value * pow(3, place, 31) for place, value in enumerate(values[:17])) + values[17]) % 31:
        raise BadSubject("has a wrong check character")


def _reads_as_resident(scheme: str, identifier: str) -> bool:
    """Whether a resident's number stands in it: place, possible date of birth, serial and check character.

    A credit code of digits alone may have that form by chance, so there the check character must agree as well. Under
    other schemes the form is enough: a number with a slip in it is still nearly somebody's.
    """
    found = _RESIDENT.search(re.sub(r"[._/-]", "", identifier))
    if found is None or scheme != USCC:
        return found is not None
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(found[0][:17]))
    return _RESIDENT_CHECKS[total % 11] == found[0][17]
