"""A credit record: what an authority decided about a company, as the register takes it.

Promises one name for one record, the same that the contract gives it, and that what breaks the law's rules is refused
by name before anybody signs it. That there is such a decision is for those who sign.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from anchors.bounded_json import Fields
from anchors.chain.signatures import struct_hash
from anchors.credit.kinds import Kind
from anchors.credit.measures import MAX_CODE, Catalogue, Measure
from anchors.credit.terms import LAST_DAY, day_at, end_of
from anchors.errors import (
    DatesOutOfOrder,
    FutureDecision,
    MalformedFile,
    MeasureMissing,
    NothingStated,
    PeriodOutsideLaw,
    PublicationOver,
    UnfitMeasure,
)

__all__ = ["RECORD_NAMES", "RECORD_TYPE", "Record", "check_content", "check_record", "read_record"]

RECORD_TYPE: Final = (
    "CreditRecord(bytes32 subject,uint16 member,uint8 kind,uint32 decidedOn,uint32 lastDay,uint32 earlier,"
    "uint256 measures,bytes32 statement,bytes32 document)"
)
RECORD_NAMES: Final = (
    *("member", "kind", "decided_on", "last_day", "earlier"),
    *("measures", "statement", "document"),
)

_FIRST_DAY: Final = date(1970, 1, 1)
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True)
class Record:
    """What a record says."""

    subject: bytes  # subject key, 32 bytes
    member: int  # who decided: its number in the registry
    kind: Kind
    decided_on: date  # in China, as is the next
    last_day: date  # of its publication
    earlier: int  # how much had happened to the subject's records, as its word counts, when this one was drawn up
    measures: tuple[int, ...]  # codes of the catalogue, ascending
    statement: bytes  # SHA-256 of the RFC 8785 JSON that names the facts and their legal basis
    document: bytes  # SHA-256 of the decision document

    def struct_hash(self) -> bytes:
        """The EIP-712 hash, 32 bytes; the hash of a record as it was published is its name for ever."""
        mask = sum(1 << code for code in self.measures)
        decided_on, last_day = ((day - _FIRST_DAY).days for day in (self.decided_on, self.last_day))
        words = (
            *(self.subject, self.member, self.kind, decided_on, last_day, self.earlier),
            *(mask, self.statement, self.document),
        )
        return struct_hash(RECORD_TYPE, words)

    def to_json(self) -> dict[str, object]:
        """The record as files and the API write it, without its subject."""
        return {
            "member": self.member,
            "kind": self.kind.name.lower(),
            "decided_on": self.decided_on.isoformat(),
            "last_day": self.last_day.isoformat(),
            "earlier": self.earlier,
            "measures": list(self.measures),
            "statement": "0x" + self.statement.hex(),
            "document": "0x" + self.document.hex(),
        }


def read_record(fields: Fields, subject: bytes) -> Record:
    """Read a record of a subject from the members RECORD_NAMES of an object.

    Args:
        fields: the object.
        subject: the subject key.

    Raises:
        MalformedFile: a member is missing, of another form or out of bounds.
    """
    measures = fields.each("measures", MAX_CODE, _read_code)
    if list(measures) != sorted(set(measures)):
        raise MalformedFile(fields.path("measures"), "are not in the order of their codes, each once")
    return Record(
        subject=subject,
        member=fields.number("member", 1, (1 << 16) - 1),
        kind=Kind[fields.text("kind", "honour|general|serious").upper()],
        decided_on=_read_day(fields, "decided_on"),
        last_day=_read_day(fields, "last_day"),
        earlier=fields.number("earlier", 0, (1 << 32) - 1),
        measures=measures,
        statement=fields.hex("statement", 32),
        document=fields.hex("document", 32),
    )


def check_record(record: Record, catalogue: Catalogue, time: int) -> None:
    """Hold a record against the law before it is published.

    Args:
        record: what would be published.
        catalogue: the measures in force.
        time: when, POSIX seconds.

    Raises:
        PublicationOver: its last day is over.
        BadRecord: what `check_content` raises.
    """
    check_content(record, catalogue, time)
    if time >= end_of(record.last_day):
        raise PublicationOver(record.last_day, day_at(time))


def check_content(record: Record, catalogue: Catalogue, time: int) -> None:
    """Hold what a record says against the law, be its last day over or not; the arguments are those of `check_record`.

    Raises:
        NothingStated, MeasureMissing: a digest that it must have is zero, or it imposes nothing.
        FutureDecision: its decision is of a day that has not come.
        DatesOutOfOrder, PeriodOutsideLaw: its last day is before its decision, or outside what its kind allows.
        UnknownMeasure, UnfitMeasure: it imposes what its kind or period may not.
    """
    for name, digest in (("statement", record.statement), ("document", record.document)):
        if not any(digest):
            raise NothingStated(name)
    if not record.measures:
        raise MeasureMissing
    if record.decided_on > day_at(time):
        raise FutureDecision(record.decided_on, day_at(time))
    if record.last_day < record.decided_on:
        raise DatesOutOfOrder(record.decided_on, record.last_day)
    earliest, latest = record.kind.term.bounds(record.decided_on)
    if not earliest <= record.last_day <= latest:
        raise PeriodOutsideLaw(record.last_day, earliest, latest)
    for measure in catalogue.fitting(record.measures, record.kind):
        _check_term(measure, record)


def _check_term(measure: Measure, record: Record) -> None:
    if measure.term is not None:
        earliest, latest = measure.term.bounds(record.decided_on)
        if not earliest <= record.last_day <= latest:
            raise UnfitMeasure(measure.code, f"runs until {earliest} to {latest}, not {record.last_day}")


def _read_code(value: object, where: str) -> int:
    if type(value) is not int or not 1 <= value <= MAX_CODE:
        raise MalformedFile(where, f"is not an integer from 1 to {MAX_CODE}")
    return value


def _read_day(fields: Fields, name: str) -> date:
    try:
        day = date.fromisoformat(fields.text(name, _DAY))
    except ValueError as error:
        raise MalformedFile(fields.path(name), "is no day of the calendar") from error
    if not _FIRST_DAY <= day <= LAST_DAY:
        raise MalformedFile(fields.path(name), f"is not a day from {_FIRST_DAY} to {LAST_DAY}")
    return day
