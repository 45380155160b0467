"""The credit certificate's file: what happened to a company's records, and what shows that it is all.

Promises bounded reading, part by part, so that a malformed part is told at its own step of the verifier. Trie nodes
stand in one list, each once, and the proofs name them by their places: the state's upper nodes are in all of them. Long
bytes are base64, since half of a certificate is hashes that nothing else shortens. A JSON schema of the format stands
beside this module. What the parts prove is left to `anchors.credit.certificate`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anchors.bounded_json import MAX_FILE_BYTES, MAX_NUMBER, Fields, read_json
from anchors.credit.changes import NO_PLEDGE, Change, State
from anchors.credit.history import Event, Publication
from anchors.credit.record import RECORD_NAMES, Record, read_record
from anchors.errors import MalformedEncoding, MalformedFile, UnpublishedRecord
from anchors.notes.encoding import decode_base64, encode_base64
from anchors.subjects import Subject

__all__ = ["FORMAT", "MAX_CERTIFICATE_BYTES", "CertificateFile", "RegisterPart", "RegistryPart", "write_certificate"]

FORMAT = "bidledger/credit-certificate/v1"
MAX_CERTIFICATE_BYTES = MAX_FILE_BYTES

_PARTS = ("format", "subject", "registers", "registry", "nodes", "header", "finality")
_REGISTER = ("address", "events", "account", "word")
_PUBLICATION = ("published", "time")
_CHANGE = ("record", "state", "time", "grounds", "pledge", "content")
_MAX_REGISTERS = 64
_MAX_EVENTS = 1 << 14
_MAX_PROOF_NODES = 64  # a key of a secure trie has 64 nibbles
_MAX_NODES = 2 * _MAX_PROOF_NODES * (_MAX_REGISTERS + 1)
_MAX_HEADERS = 1024
_STATES = "|".join(state.title for state in State if state is not State.PUBLISHED)


@dataclass(frozen=True, slots=True)
class RegisterPart:
    """What happened to a subject's records in one CreditRegister, and the proof of its word there."""

    address: bytes  # 20 bytes
    events: tuple[Event, ...]  # in the chain's order
    account: tuple[bytes, ...]  # trie nodes, root first, as are the next
    word: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RegistryPart:
    """The proof of which CreditRegister the registry names."""

    account: tuple[bytes, ...]  # trie nodes, root first, as are the next
    name: tuple[bytes, ...]


class CertificateFile:
    """A certificate whose parts are read one by one, each where it is needed.

    Args:
        data: the file, from anyone.

    Raises:
        MalformedFile: it is not readable as a certificate; so do all methods, where their part is malformed.
    """

    def __init__(self, data: bytes) -> None:
        self._fields = Fields(read_json(data), "", _PARTS)
        self._fields.text("format", re.escape(FORMAT))

    def subject(self) -> Subject:
        """Whom it is about; raises BadSubject or NaturalPerson as well."""
        return Subject.parse(self._fields.text("subject", ".{1,128}"))

    def events(self, subject: bytes) -> tuple[tuple[Event, ...], ...]:
        """What happened to the records of a subject key in each register; raises UnpublishedRecord as well."""
        return tuple(part.each("events", _MAX_EVENTS, _Reader(subject).event) for part in self._registers())

    def proofs(self) -> tuple[tuple[RegisterPart, ...], RegistryPart]:
        """The proofs about each register, oldest first, without its events, and about the registry."""
        pool = _Pool(self._fields.each("nodes", _MAX_NODES, _read_bytes))
        registers = tuple(
            RegisterPart(part.hex("address", 20), (), pool.proof(part, "account"), pool.proof(part, "word"))
            for part in self._registers()
        )
        registry = Fields(self._fields.raw("registry"), "registry", ("account", "name"))
        named = RegistryPart(pool.proof(registry, "account"), pool.proof(registry, "name"))
        pool.check_used()
        return registers, named

    def header(self) -> bytes:
        """The header of the block whose state is proven, RLP."""
        return _read_bytes(self._fields.raw("header"), "header")

    def finality(self) -> tuple[bytes, ...] | None:
        """Headers, RLP, that show beside the block's own that it is sealed; None where no more is needed."""
        return self._fields.nullable("finality", lambda name: self._fields.each(name, _MAX_HEADERS, _read_bytes))

    def _registers(self) -> tuple[Fields, ...]:
        parts = self._fields.each("registers", _MAX_REGISTERS, lambda value, where: Fields(value, where, _REGISTER))
        if not parts:
            raise MalformedFile("registers", "is empty")
        return parts


class _Pool:
    """The trie nodes of a certificate, of which none is there twice or for nothing."""

    def __init__(self, nodes: Sequence[bytes]) -> None:
        self._nodes = nodes
        self._used: set[int] = set()
        if len(set(nodes)) < len(nodes):
            raise MalformedFile("nodes", "has a node twice")

    def proof(self, fields: Fields, name: str) -> tuple[bytes, ...]:
        """The nodes that a member names by their places."""
        places = fields.each(name, _MAX_PROOF_NODES, self._place)
        self._used.update(places)
        return tuple(self._nodes[place] for place in places)

    def check_used(self) -> None:
        """See that every node is part of a proof."""
        if len(self._used) < len(self._nodes):
            raise MalformedFile("nodes", "has a node that no proof names")

    def _place(self, value: object, where: str) -> int:
        if type(value) is not int or not 0 <= value < len(self._nodes):
            raise MalformedFile(where, f"is not the place of one of the {len(self._nodes)} nodes")
        return value


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
    subject: Subject,
    registers: Sequence[RegisterPart],
    registry: RegistryPart,
    header: bytes,
    finality: Sequence[bytes] | None,
) -> bytes:
    """Write a certificate.

    Args:
        subject: whom it is about.
        registers: every CreditRegister that there was at the block, oldest first.
        registry: which of them the registry names.
        header: of the block whose state is proven, RLP.
        finality: see `CertificateFile.finality`.
    """
    proofs = [proof for part in registers for proof in (part.account, part.word)] + [registry.account, registry.name]
    places = {node: place for place, node in enumerate(dict.fromkeys(node for proof in proofs for node in proof))}
    value = {
        "format": FORMAT,
        "subject": str(subject),
        "registers": [
            {
                "address": "0x" + part.address.hex(),
                "events": _events_to_json(part.events),
                "account": _places(part.account, places),
                "word": _places(part.word, places),
            }
            for part in registers
        ],
        "registry": {"account": _places(registry.account, places), "name": _places(registry.name, places)},
        "nodes": [encode_base64(node) for node in places],
        "header": encode_base64(header),
        "finality": None if finality is None else [encode_base64(each) for each in finality],
    }
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _places(proof: Sequence[bytes], places: Mapping[bytes, int]) -> list[int]:
    return [places[node] for node in proof]


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


def _read_bytes(value: object, where: str) -> bytes:
    try:
        return decode_base64(value if isinstance(value, str) else "")
    except MalformedEncoding as error:
        raise MalformedFile(where, "is not canonical base64") from error
