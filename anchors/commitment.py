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

__all__ = ["TAG", "Digests", "Kind", "Statement", "commit", "digest_document", "layout"]

TAG = hashlib.sha256(b"bidledger/commitment/v1").digest()

_CHUNK_BYTES = 1 << 20
_NONE = bytes(32)
_TENDER = r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}"
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
    """What a commitment commits to. Whoever has it can open the commitment; it is kept by the document's owner.

    Raises:
        BadStatement: a digest, address or salt has another length than below or stands for nothing, or the tender's
            identifier is not 1 to 256 printable characters in Unicode's form NFC.
    """

    kind: Kind
    tender: str | None
    party: Subject | None
    holder: bytes | None  # Ethereum address, 20 bytes
    sha256: bytes  # 32 bytes
    sm3: bytes | None  # 32 bytes
    extra: Mapping[str, object] | None
    salt: bytes  # 32 bytes

    def __post_init__(self) -> None:
        """Let no two statements have one commitment: what is not stated is zeros, so zeros cannot be stated."""
        for name, value, size in (("holder", self.holder, 20), ("sm3", self.sm3, 32)):
            if value is not None and (len(value) != size or not any(value)):
                raise BadStatement(f"its {name} is not {size} bytes, or all zeros")
        for name, value in (("sha256", self.sha256), ("salt", self.salt)):
            if len(value) != 32:
                raise BadStatement(f"its {name} is not 32 bytes")
        if self.tender is not None and not (
            re.fullmatch(_TENDER, self.tender) and unicodedata.is_normalized("NFC", self.tender)
        ):
            raise BadStatement("its tender's identifier is not 1 to 256 printable characters in Unicode's form NFC")

    @classmethod
    def of(cls, digests: Digests, *, kind: str, tender: str | None, party: str | None) -> Self:
        """State a document with a fresh salt.

        Args:
            digests: of the document.
            kind: the name of a Kind.
            tender: the tender's identifier, at most 256 characters; it is brought into Unicode's form NFC.
            party: `SCHEME:IDENTIFIER` of who holds the document.

        Raises:
            BadStatement: there is no such kind, or the tender's identifier cannot be one.
            BadSubject: the party is no company.
        """
        return cls(
            kind=_kind(kind),
            tender=None if tender is None else unicodedata.normalize("NFC", tender),
            party=None if party is None else Subject.parse(party),
            holder=None,
            sha256=digests.sha256,
            sm3=digests.sm3,
            extra=None,
            salt=secrets.token_bytes(32),
        )

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a statement as an evidence file holds it.

        Args:
            value: what `read_json` gave.

        Raises:
            MalformedFile: a member is missing, unknown or of another form.
            BadStatement: there is no such kind, `extra` is no object or has no canonical form, or a value stands for
                nothing.
            BadSubject: the party is no company.
        """
        fields = Fields(value, "statement", _FIELDS)
        party = fields.nullable("party", lambda name: fields.text(name, r".{1,128}"))
        extra = fields.nullable("extra", fields.raw)
        if extra is not None and not isinstance(extra, dict):
            raise BadStatement("its extra is not an object")
        _extra_digest(extra)
        return cls(
            kind=_kind(fields.text("kind", r"[a-z-]{1,32}")),
            tender=fields.nullable("tender", lambda name: fields.text(name, r"(?s).{1,256}")),
            party=None if party is None else Subject.parse(party),
            holder=fields.nullable("holder", lambda name: fields.hex(name, 20)),
            sha256=fields.hex("sha256", 32),
            sm3=fields.nullable("sm3", lambda name: fields.hex(name, 32)),
            extra=extra,
            salt=fields.hex("salt", 32),
        )

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
    """Compute the commitment of a statement, 32 bytes.

    Raises:
        BadStatement: its extra has no canonical form.

    Source: docs/DESIGN.md, Commitment v1.
    """
    return hashlib.sha256(layout(statement)).digest()


def layout(statement: Statement) -> bytes:
    """Lay a statement out in the 257 bytes that are hashed: its fields in order, zeros for what is not stated.

    Raises:
        BadStatement: its extra has no canonical form.

    Source: docs/DESIGN.md, Commitment v1.
    """
    return b"".join(
        (
            TAG,
            bytes((statement.kind.code,)),
            _NONE if statement.tender is None else hashlib.sha256(statement.tender.encode()).digest(),
            _NONE if statement.party is None else statement.party.key,
            (statement.holder or b"").rjust(32, b"\0"),
            statement.sha256,
            statement.sm3 or _NONE,
            _extra_digest(statement.extra),
            statement.salt,
        )
    )


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
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise BadStatement(f"its extra has no canonical form: {error}") from error


def _hex(data: bytes | None) -> str | None:
    return None if data is None else f"0x{data.hex()}"
