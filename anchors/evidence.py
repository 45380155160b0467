"""The evidence file: everything that travels with a document, and never any key of trust.

Promises bounded reading, section by section, so that a malformed section is told at its own step of the verifier,
and one spelling when written. A JSON schema of the format stands beside this module as `evidence.schema.json`. What
the sections prove is left to `anchors.verify`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from anchors.bounded_json import MAX_FILE_BYTES, Fields, read_json
from anchors.commitment import Statement
from anchors.errors import MalformedFile, PartMissing
from anchors.notes import TlogProof
from anchors.receipt import Receipt, parse_receipt

__all__ = ["FORMAT", "MAX_EVIDENCE_BYTES", "Anchor", "EvidenceFile", "Finality", "Place", "write_evidence"]

FORMAT = "bidledger/evidence/v1"
MAX_EVIDENCE_BYTES = MAX_FILE_BYTES

_SECTIONS = ("format", "statement", "receipt", "tlog_proof", "timestamp", "anchor", "finality")
_ANCHOR = ("header", "receipt_proof", "transaction_index", "log_index")
_MAX_PROOF_NODES = 16  # a transaction's index has at most 9 bytes in RLP, and two nibbles of it tell 256 apart
_MAX_HEADERS = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands in its block."""

    transaction_index: int
    log_index: int  # within the transaction's receipt


@dataclass(frozen=True, slots=True)
class Anchor:
    """What shows that an event is in a block."""

    header: bytes  # RLP
    receipt_proof: tuple[bytes, ...]  # trie nodes, root first
    place: Place

    def to_json(self) -> dict[str, object]:
        """The anchor as an evidence file writes it."""
        return {
            "header": "0x" + self.header.hex(),
            "receipt_proof": ["0x" + node.hex() for node in self.receipt_proof],
            "transaction_index": self.place.transaction_index,
            "log_index": self.place.log_index,
        }


@dataclass(frozen=True, slots=True)
class Finality:
    """What shows, beside a block's own header, that validators sealed it.

    Under Clique the headers after the block; under BFT those before it at which the validators changed since the set
    that the network file pins.
    """

    headers: tuple[bytes, ...]  # RLP, in order

    def to_json(self) -> dict[str, object]:
        """The finality part as an evidence file writes it."""
        return {"headers": ["0x" + header.hex() for header in self.headers]}


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """An evidence file whose sections are read one by one, each where it is needed.

    What reads a section raises MalformedFile, or the error of the section's own format, where it is malformed, and
    PartMissing where it is not there.
    """

    sections: Mapping[str, object]  # JSON values by name, unread

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a file as a whole: its bounds, its format, no section of an unknown name.

        Raises:
            MalformedFile: it is not readable as an evidence file.
        """
        fields = Fields(read_json(data), "", _SECTIONS, may_lack=_SECTIONS[1:])
        fields.text("format", re.escape(FORMAT))
        return cls(fields.members)

    @classmethod
    def assemble(cls, statement: Statement, receipt: Receipt, proof: Mapping[str, object]) -> Self:
        """Put a file together from what its holder kept and what the log's API answers.

        Args:
            statement: what the commitment was made of.
            receipt: the promise.
            proof: JSON values by `tlog_proof`, `timestamp`, `anchor` and `finality`; other names are passed over.

        Raises:
            AnchorsError: a section is malformed.
        """
        proven = {name: proof.get(name) for name in _SECTIONS[3:]}
        file = cls({"format": FORMAT, "statement": statement.to_json(), "receipt": receipt.to_json()} | proven)
        file.check()
        return file

    def check(self) -> None:
        """Read every section; raises what the sections raise."""
        self.statement()
        self.receipt()
        self.tlog_proof()
        self.finality()
        if self.has_timestamp:
            self.timestamp()
        if self.has_anchor:
            self.anchor()

    @property
    def has_anchor(self) -> bool:
        """Whether there is an anchor, well-formed or not."""
        return self.sections.get("anchor") is not None

    @property
    def has_timestamp(self) -> bool:
        """Whether there is a timestamp, well-formed or not."""
        return self.sections.get("timestamp") is not None

    def statement(self) -> Statement:
        """The statement of what the document is."""
        return Statement.from_json(self._section("statement"))

    def receipt(self) -> Receipt:
        """The log's receipt."""
        return parse_receipt(self._section("receipt"))

    def tlog_proof(self) -> TlogProof:
        """The leaf's proof with its checkpoint."""
        text = self._section("tlog_proof")
        if not isinstance(text, str):
            raise MalformedFile("tlog_proof", "is not a text")
        return TlogProof.parse(text.encode())

    def timestamp(self) -> bytes:
        """The timestamp authority's answer about the checkpoint's text, DER."""
        self._section("timestamp")
        return Fields(self.sections, "", _SECTIONS, may_lack=_SECTIONS).hex("timestamp")

    def anchor(self) -> Anchor:
        """The whole anchor."""
        return Anchor(self.header(), self.receipt_proof(), self.place())

    def place(self) -> Place:
        """Where the event stands."""
        fields = self._anchor()
        return Place(fields.number("transaction_index"), fields.number("log_index"))

    def receipt_proof(self) -> tuple[bytes, ...]:
        """The trie nodes that prove the transaction's receipt, root first; at least one."""
        nodes = self._anchor().hex_list("receipt_proof", _MAX_PROOF_NODES)
        if not nodes:
            raise PartMissing("anchor.receipt_proof")
        return nodes

    def header(self) -> bytes:
        """The block's header, RLP."""
        return self._anchor().hex("header")

    def finality(self) -> Finality | None:
        """What shows that the block is sealed, where more than its own header is needed."""
        if self.sections.get("finality") is None:
            return None
        fields = Fields(self.sections["finality"], "finality", ("headers",))
        return Finality(fields.hex_list("headers", _MAX_HEADERS))

    def _anchor(self) -> Fields:
        return Fields(self._section("anchor"), "anchor", _ANCHOR, may_lack=_ANCHOR)

    def _section(self, name: str) -> object:
        if self.sections.get(name) is None:
            raise PartMissing(name)
        return self.sections[name]


def write_evidence(file: EvidenceFile) -> bytes:
    """Write an evidence file: sections in order, null where they lack, two spaces of indent, a last newline.

    A timestamp that lacks is not written, as in the files from before there were any.
    """
    ordered = {name: file.sections.get(name) for name in _SECTIONS if name != "timestamp" or file.has_timestamp}
    return (json.dumps(ordered, indent=2, ensure_ascii=False) + "\n").encode()
