"""What the index has of a tender, as an export needs it: every event with its place, leaves, anchors, and proofs.

Promises no more than the chain says, and only numbers and times that OCDS can write. Each event names the tender's
audit, a file that proves it; an opened bid names the proof that it was opened and, at its host's service, that of its
leaf.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlmodel import Session, col, select

from anchors.bounded_json import MAX_NUMBER
from anchors.tenders import Bid, parse_bids, parse_refusals
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.index.tables import Anchor, Block
from ledger_service.index.tender_tables import TenderEvent, TenderVersion
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.ocds.told import Anchored, Detail, Event, Happening, Leaf, LogPart, Place, Told
from ledger_service.tenders.queries import Happened, Standing, happened, opened_bids, refused_bids

__all__ = ["Addresses", "Timeline"]

_KINDS: Final[Mapping[str, tuple[Happening, str | None]]] = {
    "published": (Happening.NOTICE, "digest"),
    "amended": (Happening.AMENDMENT, "digest"),
    "closed": (Happening.CLOSING, None),
    "opened": (Happening.OPENING, "record"),
    "evaluated": (Happening.EVALUATION, "report"),
    "candidates": (Happening.CANDIDATES, "list"),
    "objected": (Happening.OBJECTION, "grounds"),
    "ruled": (Happening.RULING, "ruling"),
    "awarded": (Happening.AWARD, "award"),
    "failed": (Happening.FAILURE, "reason"),
    "claimed": (Happening.CLAIM, None),
    "answered": (Happening.ANSWER, None),
}
"""What each event is about, and the name of the digest that it records."""

_SUBJECTS: Final = {
    "opened": "manifest",
    "evaluated": "evaluation",
    "candidates": "candidates",
    "objected": "grounds",
    "ruled": "grounds",
    "awarded": "award",
    "claimed": "commitment",
    "answered": "commitment",
}
_TIMES: Final = {"deadline", "opening", "until", "received_at", "answer_by"}
_ONE_MEMBER: Final = {"host", "member"}
_MEMBERS: Final = {"members", "sites"}
_IN_LOG: Final = {"log", "generation", "size"}
_LATEST: Final = 253_402_300_799  # the last second of the year 9999, after which RFC 3339 has no time
_NOTHING: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where what a package names can be had, and how tenders are called in OCDS.

    Args:
        base: the service's URL, without a slash at its end.
        prefix: of ocids, registered by the alliance; None while it has none.
    """

    base: str
    prefix: str | None

    def ocid(self, tender: bytes) -> str:
        """What a tender is called. Source: https://standard.open-contracting.org/1.1/, identifiers."""
        return f"{self.prefix or 'unregistered'}-{tender.hex()}"

    def of(self, tender: bytes, part: str) -> str:
        """What the service has of a tender."""
        return f"{self.base}/v1/tenders/0x{tender.hex()}/{part}"

    @property
    def extension(self) -> str:
        """The extension's description."""
        return f"{self.base}/v1/ocds/extension/extension.json"


class Timeline:
    """Reads what happened to tenders.

    Args:
        ground: the alliance.
        session: of the index.
        addresses: of what is named.
        block: as of which it is told.
    """

    def __init__(self, ground: TenderGround, session: Session, addresses: Addresses, block: int) -> None:
        self._ground = ground
        self._session = session
        self._addresses = addresses
        self._block = block

    def tell(self, one: Standing) -> Told:
        """All that happened to a tender."""
        row = one.row
        events = happened(self._session, row, self._block)
        return Told(
            ocid=self._addresses.ocid(row.tender),
            tender=row.tender,
            chain_id=self._ground.network.chain_id,
            contract=row.contract,
            title=None,
            events=tuple(self._event(row, each) for each in events),
        )

    def _event(self, row: TenderVersion, found: Happened) -> Event:
        event, block = found
        happening, recorded = _KINDS[event.kind]
        said = orjson.loads(event.data)
        if event.subject is not None:
            said[_SUBJECTS[event.kind]] = "0x" + event.subject.hex()
        digest = None if recorded is None else bytes.fromhex(said.pop(recorded)[2:])
        commitments = (bytes.fromhex(said.pop("commitment")[2:]),) if "commitment" in said else ()
        details = self._details({name: value for name, value in said.items() if name not in _IN_LOG})
        if happening is Happening.OPENING:
            refused = parse_refusals(refused_bids(self._session, row))
            details |= {"refused": tuple("0x" + each.commitment.hex() for each in refused)} if refused else {}
        return Event(
            happening=happening,
            place=_place(event, block),
            digest=None if digest == _NOTHING else digest,
            evidence=(self._addresses.of(row.tender, "audit"),),
            commitments=commitments,
            log=self._log(row, happening),
            details=details,
        )

    def _details(self, said: Mapping[str, Any]) -> dict[str, Detail]:
        """What an event says by the names of OCDS's manner; what is past JSON's numbers or all calendars as a text."""
        details: dict[str, Detail] = {}
        for name, value in said.items():
            called = re.sub("_(.)", lambda found: found[1].upper(), name)
            if name in _MEMBERS:
                details[called] = tuple(self._ground.code_of(number) for number in value)
            elif name in _ONE_MEMBER:
                details[called] = self._ground.code_of(value)
            elif name in _TIMES and value <= _LATEST:
                details[called] = f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
            elif name in _TIMES:
                details[f"{called}Second"] = str(value)
            elif isinstance(value, list):
                details[called] = tuple(value)
            elif value is not None:
                details[called] = str(value) if isinstance(value, int) and value > MAX_NUMBER else value
        return details

    def _log(self, row: TenderVersion, happening: Happening) -> LogPart | None:
        """What a closing or an opening has to do with the host's log."""
        if happening not in (Happening.CLOSING, Happening.OPENING) or row.log is None or row.generation is None:
            return None
        bids = parse_bids(opened_bids(self._session, row)) if happening is Happening.OPENING else ()
        return LogPart(
            contract=row.log,
            generation=row.generation,
            size=row.size if happening is Happening.CLOSING else None,
            leaves=tuple(self._leaf(row, bid) for bid in bids if bid.place <= MAX_NUMBER),
            anchors=self._anchors(row, bids),
        )

    def _leaf(self, row: TenderVersion, bid: Bid) -> Leaf:
        word = f"0x{bid.commitment.hex()}"
        evidence = [self._addresses.of(row.tender, f"bids/{word}/opened")]
        if row.host == self._ground.member.number:  # whose service alone has the log
            evidence.append(f"{self._addresses.base}/v1/evidence/{word}/proof")
        return Leaf(bid.commitment, bid.place, tuple(evidence))

    def _anchors(self, row: TenderVersion, bids: Sequence[Bid]) -> tuple[Anchored, ...]:
        """The anchor that the closing counts, and the first one that covers all opened bids."""
        rows = select(Anchor, Block).join(Block, col(Block.number) == col(Anchor.block_number))
        rows = rows.where(
            Anchor.member == row.host, Anchor.generation == row.generation, Anchor.block_number <= self._block
        )
        size, end = col(Anchor.size), max((bid.place for bid in bids), default=-1) + 1
        found = list(self._session.exec(rows.where(size == row.size)))
        if bids:
            found += self._session.exec(rows.where(size >= end).order_by(size).limit(1))
        contracts = self._ground.network
        by_size = {
            anchor.size: Anchored(anchor.size, anchor.root, _place(anchor, block))
            for anchor, block in found
            if contracts.contract(EVIDENCE_LOG, anchor.block_number).address == row.log
        }
        return tuple(anchored for _, anchored in sorted(by_size.items()))


def _place(row: TenderEvent | Anchor, block: Block) -> Place:
    time = datetime.fromtimestamp(block.timestamp, UTC)
    return Place(block.number, block.hash, time, row.transaction_index, row.log_index)
