"""The credit certificate's file: what happened to the records of companies, and what shows that it is all.

Promises bounded reading, part by part, so that a malformed part is told at its own step of the verifier. Trie nodes
stand in one list, each once, and go by their hashes: the state's upper nodes are in the proof of every company. Long
bytes are base64, since most of a certificate is hashes that nothing else shortens; headers, which are much alike and
half zeros, are deflated together. A JSON schema of the format stands beside this module. What the parts prove is left
to `anchors.credit.certificate`.
"""

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from anchors.bounded_json import MAX_NUMBER, MAX_VALUES, Fields, read_json
from anchors.chain import rlp
from anchors.credit.changes import NO_PLEDGE, Change, State
from anchors.credit.history import Event, Publication
from anchors.credit.record import RECORD_NAMES, Record, read_record
from anchors.errors import (
    CertificateTooLarge,
    MalformedEncoding,
    MalformedFile,
    MalformedRlp,
    SubjectTwice,
    TooManySubjects,
    UnpublishedRecord,
)
from anchors.notes.encoding import decode_base64, encode_base64
from anchors.subjects import Subject

__all__ = ["FORMAT", "MAX_CERTIFICATE_BYTES", "MAX_SUBJECTS", "CertificateFile", "SubjectPart", "write_certificate"]

FORMAT = "bidledger/credit-certificate/v1"
MAX_CERTIFICATE_BYTES = 8 << 20  # a thousand companies with five records each, in two registers, take 5 MB
MAX_SUBJECTS = 1000

_PARTS = ("format", "registers", "subjects", "nodes", "headers")
_SUBJECT = ("subject", "events")
_PUBLICATION = ("published", "time")
_CHANGE = ("record", "state", "time", "grounds", "pledge", "content")
_MAX_JSON_VALUES = 2 * MAX_VALUES
_MAX_REGISTERS = 64
_MAX_EVENTS = 1 << 14
_MAX_NODES = 1 << 17
_MAX_HEADERS = 1025  # the block's own, and as many as an evidence file may have to show that it is sealed
_MAX_HEADERS_BYTES = rlp.MAX_BYTES
_EMPTY_TRIE = b"\x80"  # what some clients give as the proof of a slot where an account has none
_STATES = "|".join(state.title for state in State if state is not State.PUBLISHED)


@dataclass(frozen=True, slots=True)
class SubjectPart:
    """What happened to the records of one subject."""

    subject: Subject
    events: tuple[tuple[Event, ...], ...]  # for each register, in the chain's order


class CertificateFile:
    """A certificate whose parts are read one by one, each where it is needed.

    Args:
        data: the file, from anyone.

    Raises:
        MalformedFile: it is not readable as a certificate; so do all methods, where their part is malformed.
    """

    def __init__(self, data: bytes) -> None:
        self._fields = Fields(read_json(data, MAX_CERTIFICATE_BYTES, _MAX_JSON_VALUES), "", _PARTS)
        self._fields.text("format", re.escape(FORMAT))

    def subjects(self) -> tuple[Subject, ...]:
        """Whom it is about; raises BadSubject, NaturalPerson, TooManySubjects or SubjectTwice as well."""
        subjects = tuple(Subject.parse(part.text("subject", ".{1,128}")) for part in self._subjects)
        _check_subjects(subjects)
        return subjects

    def registers(self) -> tuple[bytes, ...]:
        """The addresses, 20 bytes each, of every CreditRegister that there was at the block, oldest first."""
        registers = self._fields.hex_list("registers", _MAX_REGISTERS, 20)
        if not registers:
            raise MalformedFile("registers", "is empty")
        return registers

    def parts(self, subjects: Sequence[Subject]) -> tuple[SubjectPart, ...]:
        """What happened to the records of each of its subjects; raises UnpublishedRecord as well."""
        count = len(self.registers())
        return tuple(
            SubjectPart(subject, _read_events(part, subject, count))
            for subject, part in zip(subjects, self._subjects, strict=True)
        )

    def nodes(self) -> tuple[bytes, ...]:
        """The trie nodes of all proofs, each once."""
        nodes = self._fields.each("nodes", _MAX_NODES, _read_bytes)
        if len(set(nodes)) < len(nodes):
            raise MalformedFile("nodes", "has a node twice")
        return nodes

    def headers(self) -> tuple[bytes, tuple[bytes, ...] | None]:
        """The header of the block whose state is proven, RLP, and those that show beside it that it is sealed.

        Where there are none of the latter, they are None: no more is needed, or they are missing.
        """
        data = _inflate(_read_bytes(self._fields.raw("headers"), "headers"))
        try:
            items = rlp.decode_list(data)
        except MalformedRlp as error:
            raise MalformedFile("headers", f"is not a list in RLP: {error}") from error
        headers = tuple(item for item in items if isinstance(item, bytes))
        if not 1 <= len(items) <= _MAX_HEADERS or len(headers) < len(items):
            raise MalformedFile("headers", f"is not a list of 1 to {_MAX_HEADERS} headers, each as one string of bytes")
        return headers[0], headers[1:] or None

    @cached_property
    def _subjects(self) -> tuple[Fields, ...]:
        listed = self._fields.raw("subjects")
        if isinstance(listed, list):
            _check_count(len(listed))
        return self._fields.each("subjects", MAX_SUBJECTS, lambda value, where: Fields(value, where, _SUBJECT))


def _check_subjects(subjects: Sequence[Subject]) -> None:
    _check_count(len(subjects))
    seen: set[Subject] = set()
    for subject in subjects:
        if subject in seen:
            raise SubjectTwice(str(subject))
        seen.add(subject)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_SUBJECTS:
        raise TooManySubjects(count, MAX_SUBJECTS)


def _inflate(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    try:
        inflated = inflating.decompress(data, _MAX_HEADERS_BYTES + 1)
    except zlib.error as error:
        raise MalformedFile("headers", f"is not deflated: {error}") from error
    if len(inflated) > _MAX_HEADERS_BYTES:
        raise MalformedFile("headers", f"inflates to more than the {_MAX_HEADERS_BYTES} bytes allowed")
    if not inflating.eof or inflating.unused_data:
        raise MalformedFile("headers", "is not one deflated text from its beginning to its end")
    return inflated


def _read_bytes(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise MalformedFile(where, "is not canonical base64")
    try:
        return decode_base64(value)
    except MalformedEncoding as error:
        raise MalformedFile(where, "is not canonical base64") from error


def _read_events(fields: Fields, subject: Subject, registers: int) -> tuple[tuple[Event, ...], ...]:
    told = fields.each("events", registers, lambda value, where: _read_register(value, where, subject))
    if len(told) < registers:
        raise MalformedFile(fields.path("events"), f"has {len(told)} lists, not one for each of {registers} registers")
    return told


def _read_register(value: object, where: str, subject: Subject) -> tuple[Event, ...]:
    if not isinstance(value, list) or len(value) > _MAX_EVENTS:
        raise MalformedFile(where, f"is not a list of at most {_MAX_EVENTS} elements")
    reader = _Reader(subject.key)
    return tuple(reader.event(element, f"{where}[{at}]") for at, element in enumerate(value))


class _Reader:
    """Reads what happened to the records of one subject, in order: what a change leaves alone, it does not repeat."""

    def __init__(self, subject: bytes) -> None:
        self._subject = subject
        self._contents: dict[bytes, Record] = {}

    def event(self, value: object, where: str) -> Event:
        if isinstance(value, dict) and "published" in value:
            return self._publication(Fields(value, where, _PUBLICATION))
        return self._change(Fields(value, where, _CHANGE))

    def _publication(self, fields: Fields) -> Publication:
        record = self._record(fields, "published")
        self._contents[record.struct_hash()] = record
        return Publication(record, fields.number("time", 0, MAX_NUMBER))

    def _change(self, fields: Fields) -> Change:
        name = fields.hex("record", 32)
        if name not in self._contents:
            raise UnpublishedRecord(name)
        content = fields.nullable("content", lambda member: self._record(fields, member))
        self._contents[name] = content or self._contents[name]
        return Change(
            record=name,
            state=State[fields.text("state", _STATES).upper()],
            grounds=fields.hex("grounds", 32),
            pledge=fields.nullable("pledge", lambda member: fields.hex(member, 32)) or NO_PLEDGE,
            content=self._contents[name],
            time=fields.number("time", 0, MAX_NUMBER),
        )

    def _record(self, fields: Fields, name: str) -> Record:
        return read_record(Fields(fields.raw(name), fields.path(name), RECORD_NAMES), self._subject)


def write_certificate(
    subjects: Sequence[SubjectPart],
    registers: Sequence[bytes],
    nodes: Iterable[bytes],
    header: bytes,
    finality: Sequence[bytes] | None,
) -> bytes:
    """Write a certificate.

    Args:
        subjects: whom it is about, 1 to MAX_SUBJECTS of them in any order, each with what happened.
        registers: the addresses, 20 bytes each, of every CreditRegister that there was at the block, oldest first.
        nodes: the trie nodes of all proofs, in any order and as often as they come: of the accounts of the registers,
            of each subject's word in each register, of the registry's account and of the slot that names the last
            register. Nodes of other proofs may not be among them.
        header: of the block whose state is proven, RLP.
        finality: headers, RLP, that show beside the block's own that it is sealed, as in an evidence file.

    Raises:
        TooManySubjects, SubjectTwice: it would be about none, more than MAX_SUBJECTS, or one of them twice.
        CertificateTooLarge: it would be longer than MAX_CERTIFICATE_BYTES.
    """
    _check_subjects([part.subject for part in subjects])
    headers = rlp.encode([header, *(finality or ())])
    value = {
        "format": FORMAT,
        "registers": ["0x" + address.hex() for address in registers],
        "subjects": [
            {"subject": str(part.subject), "events": [_events_to_json(events) for events in part.events]}
            for part in subjects
        ],
        "nodes": [encode_base64(node) for node in dict.fromkeys(nodes) if node != _EMPTY_TRIE],
        "headers": encode_base64(zlib.compress(headers, zlib.Z_BEST_COMPRESSION)),
    }
    written = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    if len(written) > MAX_CERTIFICATE_BYTES:
        raise CertificateTooLarge(len(written), MAX_CERTIFICATE_BYTES)
    return written


def _events_to_json(events: Sequence[Event]) -> list[dict[str, object]]:
    contents: dict[bytes, Record] = {}
    written: list[dict[str, object]] = []
    for event in events:
        if isinstance(event, Publication):
            contents[event.record.struct_hash()] = event.record
            written.append({"published": event.record.to_json(), "time": event.time})
        else:
            written.append(_change_to_json(event, contents[event.record]))
            contents[event.record] = event.content
    return written


def _change_to_json(change: Change, before: Record) -> dict[str, object]:
    return {
        "record": "0x" + change.record.hex(),
        "state": change.state.title,
        "time": change.time,
        "grounds": "0x" + change.grounds.hex(),
        "pledge": None if change.pledge == NO_PLEDGE else "0x" + change.pledge.hex(),
        "content": None if change.content == before else change.content.to_json(),
    }
