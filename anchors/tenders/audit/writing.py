"""Writes the audit's file from what a service has gathered, each header and trie node once, events as on the chain.

Promises a file that says no more than it was given, in one order whatever the order here. That it proves what it is
meant to is for `anchors.tenders.audit.verdict`; a service that hands files out holds each against it.
"""

import json
from collections.abc import Sequence
from typing import Final

from anchors.chain import rlp
from anchors.commitment import Statement
from anchors.errors import AuditTooLarge
from anchors.evidence import Finality
from anchors.notes.encoding import encode_base64
from anchors.tenders.audit.file import (
    FORMAT,
    MAX_AUDIT_BYTES,
    FinalState,
    ProvenLog,
    SignedReceipt,
    SignedReplacement,
)
from anchors.tenders.audit.leaves import LogPart, PeriodLeaves

__all__ = ["write_audit"]

_EMPTY_TRIE: Final = b"\x80"  # what some clients give as the proof of a slot where an account has none
_NUMBER: Final = 8  # the field of a header


def write_audit(
    tender: bytes,
    events: Sequence[ProvenLog],
    state: FinalState | None,
    *,
    receipts: Sequence[SignedReceipt] = (),
    replacements: Sequence[SignedReplacement] = (),
    statements: Sequence[Statement] = (),
    log: LogPart | None = None,
    draws: Sequence[bytes] = (),
) -> bytes:
    """Write an audit's file.

    Args:
        tender: its name, 32 bytes.
        events: every event of the TenderRegister of this tender, in any order; of the host's log, the anchors that show
            where it stood; of other tenders, openings that account for leaves.
        state: of the register at a block that is final and not before the last event; None where it cannot be had.
        receipts: that the service may show, as those of bids that had no anchored place at the closing.
        replacements: holders' words for bids that are replaced or withdrawn.
        statements: of leaves in these periods that are no bids: what opens them is then known to every reader.
        log: the periods in which opened bids have their places, and their keys.
        draws: the files of the draw's rounds, first to last, sealed or open.

    Raises:
        AuditTooLarge: it would be longer than MAX_AUDIT_BYTES.
        MalformedRlp: a header is none.
    """
    lists = _Lists()
    told = [lists.event(each) for each in sorted(events, key=_chain_order)]
    told = [each for at, each in enumerate(told) if at == 0 or each != told[at - 1]]
    at = None if state is None else lists.state(state)
    value = {
        "format": FORMAT,
        "tender": _hex(tender),
        "blocks": lists.blocks,
        "events": told,
        "state": at,
        "receipts": [each.to_json() for each in receipts],
        "replacements": [each.to_json() for each in replacements],
        "statements": [each.to_json() for each in statements],
        "log": None if log is None else _log_to_json(log),
        "draws": [encode_base64(each) for each in draws],
        "nodes": [encode_base64(node) for node in lists.nodes],
        "headers": [encode_base64(header) for header in lists.headers],
    }
    written = (json.dumps(value, separators=(",", ":")) + "\n").encode()
    if len(written) > MAX_AUDIT_BYTES:
        raise AuditTooLarge(len(written), MAX_AUDIT_BYTES)
    return written


def _chain_order(event: ProvenLog) -> tuple[int, int, int]:
    number = rlp.to_uint(rlp.decode_list(event.anchor.header)[_NUMBER])
    return number, event.anchor.place.transaction_index, event.anchor.place.log_index


class _Lists:
    """The file's lists, each element once, at the place by which the rest goes by it."""

    def __init__(self) -> None:
        self.headers: dict[bytes, int] = {}
        self.nodes: dict[bytes, int] = {}
        self.blocks: list[dict[str, object]] = []
        self._block_of: dict[bytes, int] = {}

    def event(self, event: ProvenLog) -> dict[str, object]:
        """Add an event; where it stands, as the file has it."""
        block = self._block(event.anchor.header, event.finality)
        for node in event.anchor.receipt_proof:
            _place(self.nodes, node)
        place = event.anchor.place
        return {"block": block, "transaction": place.transaction_index, "log": place.log_index}

    def state(self, state: FinalState) -> int:
        """Add a state; the place of its block."""
        for node in state.nodes:
            if node != _EMPTY_TRIE:
                _place(self.nodes, node)
        return self._block(state.header, state.finality)

    def _block(self, header: bytes, finality: Finality | None) -> int:
        if header not in self._block_of:
            self._block_of[header] = len(self.blocks)
            self.blocks.append({"header": _place(self.headers, header), "finality": None})
        block = self.blocks[self._block_of[header]]
        if block["finality"] is None and finality is not None:
            block["finality"] = [_place(self.headers, each) for each in finality.headers]
        return self._block_of[header]


def _place(listed: dict[bytes, int], element: bytes) -> int:
    return listed.setdefault(element, len(listed))


def _log_to_json(log: LogPart) -> dict[str, object]:
    periods = sorted(log.periods, key=lambda period: period.first)
    return {"size": log.size, "periods": [_period_to_json(each) for each in periods]}


def _period_to_json(period: PeriodLeaves) -> dict[str, object]:
    return {
        "first": period.first,
        "leaves": encode_base64(b"".join(period.leaves)),
        "key": None if period.key is None else _hex(period.key),
        "next_key": None if period.next_key is None else _hex(period.next_key),
        "path": [_hex(each) for each in period.path],
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
