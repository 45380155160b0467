"""What is sealed of a bid's feature codes when it comes in, and opened after the opening.

Promises that a record is bound to its bid, bidder and tender by a salted commitment of the kind `feature-code`, and is
opened only for a bid that was: until then nobody outside the site has anything to compare. That the commitment was
logged in time is left to its evidence file.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import Final, Self

import rfc8785

from anchors.bounded_json import Fields, read_json
from anchors.commitment import Kind, Statement, commit, digest_document
from anchors.errors import (
    BadFeatureRecord,
    BadStatement,
    FeatureRecordDiffers,
    FeaturesStillSealed,
    MalformedFile,
)
from anchors.subjects import Subject
from anchors.tenders.features.codes import TENDER, Code, CodeKind, FeatureKey, is_tender

__all__ = ["FORMAT", "MAX_RECORD_BYTES", "FeatureRecord", "OpenedRecord", "SealedRecord", "open_record", "seal_record"]

FORMAT: Final = "bidledger/feature-codes/v1"
MAX_RECORD_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class FeatureRecord:
    """The values of a bid's codes, at least one."""

    tender: str
    bid: bytes  # the bid's commitment, 32 bytes
    values: Mapping[CodeKind, bytes]  # 32 bytes each
    weak: frozenset[CodeKind]  # those whose code many have

    @classmethod
    def take(cls, key: FeatureKey, bid: bytes, codes: Iterable[Code]) -> Self:
        """Take a bid's codes under the tender's key.

        Args:
            key: of the tender.
            bid: its commitment, 32 bytes.
            codes: at most one of a kind.

        Raises:
            BadFeatureRecord: there is no code, or two of a kind, or the bid's commitment is not 32 bytes.
        """
        taken = tuple(codes)
        values = {code.kind: key.value(code) for code in taken}
        if not values or len(values) < len(taken) or len(bid) != 32:
            raise BadFeatureRecord("is not of one bid and at least one code, none of a kind twice")
        weak = frozenset(code.kind for code in taken if code.weakness is not None)
        return cls(key.tender, bid, MappingProxyType(values), weak)

    @classmethod
    def from_document(cls, data: bytes) -> Self:
        """Read what `document` gives, byte for byte.

        Raises:
            BadFeatureRecord: it is of another format, or in another spelling.
        """
        try:
            record = cls._read(data)
        except MalformedFile as error:
            raise BadFeatureRecord(f"cannot be read: {error}") from error
        if record.document() != data:
            raise BadFeatureRecord("is not in its canonical form")
        return record

    def document(self) -> bytes:
        """The document that is committed to: RFC 8785 JSON."""
        weak = {"weak": sorted(self.weak)} if self.weak else {}
        return rfc8785.dumps(
            {
                "format": FORMAT,
                "tender": self.tender,
                "bid": f"0x{self.bid.hex()}",
                "codes": {kind.value: f"0x{value.hex()}" for kind, value in self.values.items()},
                **weak,
            }
        )

    @classmethod
    def _read(cls, data: bytes) -> Self:
        fields = Fields(
            read_json(data, MAX_RECORD_BYTES), "", ("format", "tender", "bid", "codes", "weak"), may_lack=("weak",)
        )
        fields.text("format", re.escape(FORMAT))
        tender = fields.text("tender", TENDER)
        codes = Fields(fields.raw("codes"), "codes", CodeKind, may_lack=CodeKind)
        values = {CodeKind(name): codes.hex(name, 32) for name in sorted(codes.members)}
        weak: frozenset[CodeKind] = frozenset()
        if "weak" in fields.members:
            weak = frozenset(fields.each("weak", len(CodeKind), lambda name, where: _kind(name, where, values)))
        if not values or not is_tender(tender):
            raise MalformedFile("codes", "are none, or of no tender")
        return cls(tender, fields.hex("bid", 32), MappingProxyType(values), weak)


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A record of which nothing but the commitment is known, as of a bid that was replaced, withdrawn or refused."""

    member: str  # code of the member that took the bid in
    commitment: bytes  # 32 bytes


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A record that is what was committed to, of a bid that was opened."""

    member: str
    commitment: bytes
    bidder: Subject
    record: FeatureRecord


def seal_record(record: FeatureRecord, bidder: Subject, salt: bytes | None = None) -> Statement:
    """State a record, so that its commitment can be logged.

    Args:
        record: of one bid.
        bidder: whose bid it is.
        salt: 32 bytes; from the system's random source unless given.

    Raises:
        BadStatement: the salt is not 32 bytes.
    """
    digests = digest_document(BytesIO(record.document()))
    return Statement(
        kind=Kind.FEATURE_CODE,
        tender=record.tender,
        party=bidder,
        holder=None,
        sha256=digests.sha256,
        sm3=digests.sm3,
        extra=None,
        salt=secrets.token_bytes(32) if salt is None else salt,
    )


def open_record(
    sealed: SealedRecord, statement: Statement, document: bytes, opened_bids: Collection[bytes]
) -> OpenedRecord:
    """Open a record after the opening.

    Args:
        sealed: what was logged.
        statement: what the commitment commits to.
        document: the record's bytes.
        opened_bids: the commitments on the tender's list of opened bids; none before the opening.

    Raises:
        FeatureRecordDiffers: statement or document are not what was committed to, or name no bidder.
        BadFeatureRecord: the document is of another format.
        FeaturesStillSealed: its bid was not opened.
    """
    _check_commitment(sealed.commitment, statement)
    digests = digest_document(BytesIO(document))
    stated = (statement.kind, statement.sha256, statement.sm3 or digests.sm3)
    if stated != (Kind.FEATURE_CODE, digests.sha256, digests.sm3):
        raise FeatureRecordDiffers(sealed.commitment, "is another document than was stated")
    record = FeatureRecord.from_document(document)
    if statement.tender != record.tender:
        raise FeatureRecordDiffers(sealed.commitment, "is of another tender than was stated")
    if statement.party is None:
        raise FeatureRecordDiffers(sealed.commitment, "was stated without its bidder")
    if record.bid not in opened_bids:
        raise FeaturesStillSealed(record.bid)
    return OpenedRecord(sealed.member, sealed.commitment, statement.party, record)


def _check_commitment(commitment: bytes, statement: Statement) -> None:
    try:
        found = commit(statement)
    except BadStatement as error:
        raise FeatureRecordDiffers(commitment, f"cannot be stated so: {error}") from error
    if found != commitment:
        raise FeatureRecordDiffers(commitment, "was stated in other words")


def _kind(name: object, where: str, values: Mapping[CodeKind, bytes]) -> CodeKind:
    for kind in values:
        if kind.value == name:
            return kind
    raise MalformedFile(where, "is no kind of these codes")
