"""Bids of several bidders at several members, whose feature codes are taken, sealed and opened."""

from collections.abc import Mapping

from anchors.commitment import Statement, commit
from anchors.subjects import Subject
from anchors.tenders.features import (
    CodeKind,
    FeatureKey,
    FeatureRecord,
    OpenedRecord,
    SealedRecord,
    open_record,
    read_code,
    seal_record,
)

TENDER = "T-2026-007"
KEY = FeatureKey(TENDER, bytes(range(32)))
ONE = Subject.parse("CN-USCC:91110000600037341L")
TWO = Subject.parse("GB-COH:22222222")
THREE = Subject.parse("GB-COH:33333333")


def bid(number: int) -> bytes:
    """A bid's commitment."""
    return number.to_bytes(32, "big")


def taken(number: int, codes: Mapping[CodeKind, str], key: FeatureKey = KEY) -> FeatureRecord:
    return FeatureRecord.take(key, bid(number), [read_code(kind, text) for kind, text in codes.items()])


def sealed(record: FeatureRecord, bidder: Subject, member: str = "sichuan") -> tuple[SealedRecord, Statement]:
    statement = seal_record(record, bidder)
    return SealedRecord(member, commit(statement)), statement


def opened(record: FeatureRecord, bidder: Subject, member: str = "sichuan") -> OpenedRecord:
    """A record as anybody opens it after the opening."""
    seal, statement = sealed(record, bidder, member)
    return open_record(seal, statement, record.document(), {record.bid})
