"""What a submitter declares about a document beside its bytes, read from the words that people type.

Promises that a typing mistake is refused before anything is written or sent: an address is held against its own check
(EIP-55), and a declared fact is one that every reader of the evidence file can read back.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from anchors.chain.keccak import keccak256
from anchors.commitment import Digests, Statement
from ledger_service.errors import InvalidContent

MAX_FACTS: Final = 64
_NO_TEXT: Final = r"\x00-\x1f\x7f\ud800-\udfff"  # control characters, and what is no Unicode
_FACT: Final = re.compile(rf"([^={_NO_TEXT}]{{1,64}})=([^{_NO_TEXT}]{{1,1024}})")


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is declared about a document."""

    kind: str
    tender: str | None
    party: str | None
    holder: bytes | None  # 20 bytes
    extra: dict[str, str] | None

    @classmethod
    def parse(
        cls, kind: str, tender: str | None, party: str | None, holder: str | None, extra: Iterable[str] = ()
    ) -> Self:
        """Read what was typed; kind, tender and party are judged by `state`.

        Args:
            kind: what the document is.
            tender: the tender's identifier.
            party: `SCHEME:IDENTIFIER` of whose document it is.
            holder: the address whose signature alone may later replace or withdraw the document.
            extra: facts, `NAME=VALUE` each.

        Raises:
            InvalidContent: the holder is no address, or mistyped; a fact has another form, or is declared twice.
        """
        address = None if holder is None else _address(holder)
        return cls(kind, tender, party, address, _facts(extra) or None)

    def state(self, digests: Digests) -> Statement:
        """State a document with a fresh salt.

        Raises:
            BadStatement: there is no such kind, the tender's identifier cannot be one, or the holder is all zeros.
            BadSubject: the party is no company.
        """
        statement = Statement.of(digests, kind=self.kind, tender=self.tender, party=self.party)
        return replace(statement, holder=self.holder, extra=self.extra)


def _address(text: str) -> bytes:
    """An address in lower case, or with the capitals of EIP-55."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise InvalidContent(f"the holder {text!r} is no address: 0x and 40 hexadecimal digits")
    digits = text[2:].lower()
    check = keccak256(digits.encode()).hex()
    capitals = "".join(digit.upper() if nibble > "7" else digit for digit, nibble in zip(digits, check, strict=False))
    if text[2:] not in (digits, capitals):
        raise InvalidContent(f"the holder {text} is mistyped: its capitals are not those of EIP-55; copy it again")
    return bytes.fromhex(digits)


def _facts(typed: Iterable[str]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for fact in typed:
        found = _FACT.fullmatch(fact)
        if found is None:
            raise InvalidContent(
                f"the extra {fact[:80]!r} is not NAME=VALUE of printable characters, 64 before the = and 1024 after it"
            )
        if found[1] in facts:
            raise InvalidContent(f"the extra {found[1]!r} is declared twice")
        facts[found[1]] = found[2]
    if len(facts) > MAX_FACTS:
        raise InvalidContent(f"there are {len(facts)} extra facts; {MAX_FACTS} is the most")
    return facts
