"""From a document and what is declared about it to the 32 bytes that are logged.

Promises a fixed binary layout that any language and a contract can recompute. The salt hides everything: without it a
commitment says nothing, not even to somebody who can guess the rest. Documents are read once, in bounded pieces.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Self

import rfc8785
from cryptography.hazmat.primitives.hashes import SM3, Hash

from anchors.bounded_json import Fields
from anchors.errors import BadStatement
from anchors.subjects import Subject

__all__ = ["TAG", "Digests", "Kind", "Statement", "commit", "digest_document"]

TAG = hashlib.sha256(b"bidledger/commitment/v1").digest()

_CHUNK_BYTES = 1 << 20
_NONE = bytes(32)
_TENDER = r"[^\x00-\x1f\x7f]{1,256}"
_FIELDS = ("kind", "tender", "party", "holder", "sha256", "sm3", "extra", "salt")


class Kind(StrEnum):
    """What a document is."""

    BID_DOCUMENT = "bid-document"
    OPENING_RECORD = "opening-record"
    EVALUATION_REPORT = "evaluation-report"
    AWARD = "award"
    NOTICE = "notice"
    FEATURE_CODE = "feature-code"
    CREDIT_DECISION = "credit-decision"
    SCREENING = "screening"
    AGREEMENT = "agreement"
    EXPERT_DRAW = "expert-draw"
    OTHER = "other"

    @property
    def code(self) -> int:
        """The kind's byte in the layout."""
        return _CODES[self]


_CODES = {kind: code for code, kind in enumerate(Kind, start=1)} | {Kind.OTHER: 255}


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of a document's bytes, 32 bytes each."""

    sha256: bytes
    sm3: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """What a commitment commits to. Whoever has it can open the commitment; it is kept by the document's owner."""

    kind: Kind
    tender: str | None
    party: Subject | None
    holder: bytes | None  # Ethereum address, 20 bytes
    sha256: bytes
    sm3: bytes | None
    extra: Mapping[str, object] | None
    salt: bytes  # 32 bytes

    @classmethod
    def of(cls, digests: Digests, *, kind: str, tender: str | None, party: str | None) -> Self:
        """State a document with a fresh salt.

        Args:
            digests: of the document.
            kind: the name of a Kind.
            tender: the tender's identifier, at most 256 characters.
            party: `SCHEME:IDENTIFIER` of who holds the document.

        Raises:
            BadStatement: there is no such kind, or the tender's identifier cannot be one.
            BadSubject: the party is no company.
        """
        if tender is not None:
            tender = unicodedata.normalize("NFC", tender)
            if not re.fullmatch(_TENDER, tender):
                raise BadStatement("the tender's identifier is not 1 to 256 printable characters")
        subject = None if party is None else Subject.parse(party)
        return cls(_kind(kind), tender, subject, None, digests.sha256, digests.sm3, None, secrets.token_bytes(32))

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a statement as an evidence file holds it.

        Raises:
            MalformedFile: a member is missing, unknown or of another form.
            BadStatement: `extra` has no canonical form, or there is no such kind.
            BadSubject: the party is no company.
        """
        fields = Fields(value, "statement", _FIELDS)
        party = fields.nullable("party", lambda name: fields.text(name, r".{1,128}"))
        extra = fields.nullable("extra", fields.raw)
        if extra is not None and not isinstance(extra, dict):
            raise BadStatement("its extra is not an object")
        statement = cls(
            kind=_kind(fields.text("kind", r"[a-z-]{1,32}")),
            tender=fields.nullable("tender", lambda name: fields.text(name, _TENDER)),
            party=None if party is None else Subject.parse(party),
            holder=fields.nullable("holder", lambda name: fields.hex(name, 20)),
            sha256=fields.hex("sha256", 32),
            sm3=fields.nullable("sm3", lambda name: fields.hex(name, 32)),
            extra=extra,
            salt=fields.hex("salt", 32),
        )
        if statement.tender is not None and unicodedata.normalize("NFC", statement.tender) != statement.tender:
            raise BadStatement("its tender's identifier is not in Unicode's form NFC")
        _extra_digest(extra)
        return statement

    def to_json(self) -> dict[str, object]:
        """The statement as an evidence file holds it."""
        return {
            "kind": self.kind.value,
            "tender": self.tender,
            "party": None if self.party is None else str(self.party),
            "holder": _hex(self.holder),
            "sha256": _hex(self.sha256),
            "sm3": _hex(self.sm3),
            "extra": self.extra,
            "salt": _hex(self.salt),
        }


def digest_document(stream: BinaryIO) -> Digests:
    """Read a document to its end and return its digests."""
    sha256, sm3 = hashlib.sha256(), Hash(SM3())
    while chunk := stream.read(_CHUNK_BYTES):
        sha256.update(chunk)
        sm3.update(chunk)
    return Digests(sha256.digest(), sm3.finalize())


def commit(statement: Statement) -> bytes:
    """Compute the commitment of a statement.

    Returns:
        32 bytes: SHA-256 of tag, kind, tender, party, holder, sha256, sm3, extra, salt; 257 bytes in all, in which
        what is not stated is zeros.

    Source: docs/DESIGN.md, Commitment v1.
    """
    tender = _NONE if statement.tender is None else hashlib.sha256(statement.tender.encode()).digest()
    layout = (
        TAG,
        bytes((statement.kind.code,)),
        tender,
        _NONE if statement.party is None else statement.party.key,
        (statement.holder or b"").rjust(32, b"\0"),
        statement.sha256,
        statement.sm3 or _NONE,
        _extra_digest(statement.extra),
        statement.salt,
    )
    return hashlib.sha256(b"".join(layout)).digest()


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError as error:
        raise BadStatement(f"there is no kind {name!r}; the kinds are {', '.join(Kind)}") from error


def _extra_digest(extra: Mapping[str, object] | None) -> bytes:
    if extra is None:
        return _NONE
    try:
        return hashlib.sha256(rfc8785.dumps(extra)).digest()  # type: ignore[arg-type]  # JSON by `from_json`
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise BadStatement(f"its extra has no canonical form: {error}") from error


def _hex(data: bytes | None) -> str | None:
    return None if data is None else f"0x{data.hex()}"
