"""The audit's file: a tender's events proven in their blocks, the register's state, and what is shown beside them.

Promises bounded reading, part by part, so that a malformed part is told at its own step of the verifier. Headers and
trie nodes stand in one list each, each once, and everything else goes by them: an event is a place in a block, and its
bytes are in the nodes. A JSON schema of the format stands beside this module. What the parts prove is left to
`anchors.tenders.audit.verdict`.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from anchors.bounded_json import Fields, read_json
from anchors.chain.signatures import recover_signer
from anchors.commitment import Statement
from anchors.errors import MalformedEncoding, MalformedFile
from anchors.evidence import Anchor, Finality, Place
from anchors.notes.encoding import decode_base64
from anchors.tenders.audit.leaves import LogPart, PeriodLeaves
from anchors.tenders.receipt import BidReceipt, Replacement

__all__ = [
    "FORMAT",
    "MAX_AUDIT_BYTES",
    "AuditFile",
    "Block",
    "EventPlace",
    "FinalState",
    "ProvenLog",
    "SignedReceipt",
    "SignedReplacement",
]

FORMAT: Final = "bidledger/tender-audit/v1"
MAX_AUDIT_BYTES: Final = 32 << 20

_PARTS: Final = (
    "format",
    "tender",
    "blocks",
    "events",
    "state",
    "receipts",
    "replacements",
    "statements",
    "log",
    "draws",
    "nodes",
    "headers",
)
_RECEIPT: Final = ("tender", "commitment", "index", "received_at", "signature")
_REPLACEMENT: Final = ("tender", "commitment", "replacement", "signed_at", "preimage", "signature")
_PERIOD: Final = ("first", "leaves", "key", "next_key", "path")
_MAX_JSON_VALUES: Final = 400_000
_MAX_BLOCKS: Final = 1 << 12
_MAX_FINALITY: Final = 1024
_MAX_EVENTS: Final = 1 << 13
_MAX_HEADERS: Final = 1 << 14
_MAX_NODES: Final = 1 << 16
_MAX_SIGNED: Final = 1 << 13
_MAX_PERIODS: Final = 1 << 12
_MAX_LEAVES: Final = 1 << 16  # of a period
_MAX_PATH: Final = 128
_MAX_DRAWS: Final = 16
_MAX_INDEX: Final = (1 << 63) - 1
_LEAF_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ProvenLog:
    """An event with what proves it in its block, and the block sealed; as an evidence file has both."""

    anchor: Anchor
    finality: Finality | None


@dataclass(frozen=True, slots=True)
class FinalState:
    """The register's state at a block."""

    header: bytes  # RLP
    finality: Finality | None
    nodes: tuple[bytes, ...]  # trie nodes of the account and of `audit_slots`, in any order


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A host's receipt for a bid."""

    receipt: BidReceipt
    signature: bytes  # 65 bytes r, s, v

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, _RECEIPT)
        tender, commitment = fields.hex("tender", 32), fields.hex("commitment", 32)
        receipt = BidReceipt(tender, commitment, fields.number("index"), fields.number("received_at"))
        return cls(receipt, fields.hex("signature", 65))

    def signer(self, register: bytes, chain_id: int) -> bytes:
        """Whose address signed it, 20 bytes; raises BadSignature. The arguments are those of `tender_domain`."""
        return recover_signer(self.receipt.digest(register, chain_id), self.signature)

    def to_json(self) -> dict[str, object]:
        """As files and the API write it."""
        act = self.receipt
        values = (_hex(act.tender), _hex(act.commitment), act.index, act.received_at, _hex(self.signature))
        return dict(zip(_RECEIPT, values, strict=True))


@dataclass(frozen=True, slots=True)
class SignedReplacement:
    """A holder's word that a bid is replaced or withdrawn."""

    act: Replacement
    preimage: bytes  # the 257 bytes that the commitment commits to
    signature: bytes  # 65 bytes r, s, v

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, _REPLACEMENT)
        tender, commitment = fields.hex("tender", 32), fields.hex("commitment", 32)
        act = Replacement(tender, commitment, fields.hex("replacement", 32), fields.number("signed_at"))
        return cls(act, fields.hex("preimage", 257), fields.hex("signature", 65))

    def to_json(self) -> dict[str, object]:
        """As files write it."""
        act = self.act
        words = (_hex(act.tender), _hex(act.commitment), _hex(act.replacement), act.signed_at)
        return dict(zip(_REPLACEMENT, (*words, _hex(self.preimage), _hex(self.signature)), strict=True))


@dataclass(frozen=True, slots=True)
class Block:
    """A block that the file tells of, by places in its list of headers."""

    header: int
    finality: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class EventPlace:
    """Where an event stands: the block by its place in the file's list."""

    block: int
    place: Place


class AuditFile:
    """An audit's file whose parts are read one by one, each where it is needed.

    Args:
        data: the file, from anyone.

    Raises:
        MalformedFile: it is not readable as an audit; so do all methods, where their part is malformed.
    """

    def __init__(self, data: bytes) -> None:
        self._fields = Fields(read_json(data, MAX_AUDIT_BYTES, _MAX_JSON_VALUES), "", _PARTS)
        self._fields.text("format", re.escape(FORMAT))

    def tender(self) -> bytes:
        """The tender's name."""
        return self._fields.hex("tender", 32)

    def headers(self) -> tuple[bytes, ...]:
        """All headers, RLP, each once."""
        return self._distinct("headers", _MAX_HEADERS)

    def nodes(self) -> tuple[bytes, ...]:
        """The trie nodes of all proofs, each once."""
        return self._distinct("nodes", _MAX_NODES)

    def blocks(self) -> tuple[Block, ...]:
        """The blocks of which something is proven."""
        blocks = self._fields.each("blocks", _MAX_BLOCKS, self._read_block)
        if not blocks:
            raise MalformedFile("blocks", "is empty")
        if sum(len(block.finality or ()) for block in blocks) > _MAX_HEADERS:
            raise MalformedFile("blocks", f"go by more than {_MAX_HEADERS} headers")
        return blocks

    def events(self) -> tuple[EventPlace, ...]:
        """The events, in the chain's order."""
        count = len(self.blocks())
        return self._fields.each("events", _MAX_EVENTS, lambda value, where: _read_place(value, where, count))

    def state(self) -> int | None:
        """The block, by its place in `blocks`, whose state is proven."""
        last = len(self.blocks()) - 1
        return self._fields.nullable("state", lambda name: self._fields.number(name, 0, last))

    def receipts(self) -> tuple[SignedReceipt, ...]:
        """Receipts for bids."""
        return self._fields.each("receipts", _MAX_SIGNED, SignedReceipt.from_json)

    def replacements(self) -> tuple[SignedReplacement, ...]:
        """Holders' words."""
        return self._fields.each("replacements", _MAX_SIGNED, SignedReplacement.from_json)

    def statements(self) -> tuple[Statement, ...]:
        """What leaves are that are no bids; raises BadStatement as well."""
        return self._fields.each("statements", _MAX_SIGNED, _read_statement)

    def log(self) -> LogPart | None:
        """The periods of the host's log that are shown."""
        if self._fields.raw("log") is None:
            return None
        fields = Fields(self._fields.raw("log"), "log", ("size", "periods"))
        periods = fields.each("periods", _MAX_PERIODS, _read_period)
        for at, (one, following) in enumerate(itertools.pairwise(periods)):
            if one.end > following.first:
                raise MalformedFile(f"log.periods[{at + 1}]", "does not begin after the period before it")
        return LogPart(fields.number("size", 1), periods)

    def draws(self) -> tuple[bytes, ...]:
        """The files of the draw's rounds, first to last."""
        return self._fields.each("draws", _MAX_DRAWS, _read_bytes)

    def _distinct(self, name: str, most: int) -> tuple[bytes, ...]:
        parts = self._fields.each(name, most, _read_bytes)
        if len(set(parts)) < len(parts):
            raise MalformedFile(name, "has an element twice")
        return parts

    def _read_block(self, value: object, where: str) -> Block:
        fields = Fields(value, where, ("header", "finality"))
        headers = self._fields.raw("headers")
        last = len(headers) - 1 if isinstance(headers, list) else -1
        finality = fields.nullable("finality", lambda name: fields.each(name, _MAX_FINALITY, _index_up_to(last)))
        return Block(fields.number("header", 0, last), finality)


def _index_up_to(last: int) -> Callable[[object, str], int]:
    def read(value: object, where: str) -> int:
        if type(value) is not int or not 0 <= value <= last:
            raise MalformedFile(where, f"is not the place of one of {last + 1} headers")
        return value

    return read


def _read_place(value: object, where: str, blocks: int) -> EventPlace:
    fields = Fields(value, where, ("block", "transaction", "log"))
    block = fields.number("block", 0, blocks - 1)
    return EventPlace(block, Place(fields.number("transaction"), fields.number("log")))


def _read_statement(value: object, where: str) -> Statement:
    if not isinstance(value, dict):
        raise MalformedFile(where, "is not an object")
    return Statement.from_json(value)


def _read_period(value: object, where: str) -> PeriodLeaves:
    fields = Fields(value, where, _PERIOD)
    packed = _read_bytes(fields.raw("leaves"), fields.path("leaves"))
    if not packed or len(packed) % _LEAF_BYTES or len(packed) > _MAX_LEAVES * _LEAF_BYTES:
        raise MalformedFile(fields.path("leaves"), f"are not 1 to {_MAX_LEAVES} leaves of {_LEAF_BYTES} bytes")
    return PeriodLeaves(
        first=fields.number("first", 0, _MAX_INDEX),
        leaves=tuple(packed[at : at + _LEAF_BYTES] for at in range(0, len(packed), _LEAF_BYTES)),
        key=fields.nullable("key", lambda name: fields.hex(name, 32)),
        next_key=fields.nullable("next_key", lambda name: fields.hex(name, 32)),
        path=fields.hex_list("path", _MAX_PATH, 32),
    )


def _read_bytes(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise MalformedFile(where, "is not canonical base64")
    try:
        return decode_base64(value)
    except MalformedEncoding as error:
        raise MalformedFile(where, "is not canonical base64") from error


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
