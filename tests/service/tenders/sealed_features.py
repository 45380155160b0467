"""Records of feature codes that sites have logged with their bids: sealed under one key, anchored, and handed in."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from bidding import Room
from founding import Founded
from tendering import BIDDERS, PARTNER, Bidder, Tendering, bids

from anchors.commitment import Statement, commit
from anchors.merkle import Levels, consistency_path
from anchors.subjects import Subject
from anchors.tenders.features import CodeKind, FeatureKey, FeatureRecord, read_code, seal_record
from ledger_service.chain.contracts import EVIDENCE_LOG

MACHINE, OTHER_MACHINE = {CodeKind.MACHINE: "4C4C4544-0042-3510"}, {CodeKind.MACHINE: "5D5D5D5D-1111-2222"}
COMPANIES = tuple(Subject("GB-COH", str(number) * 8) for number in range(1, 8))


@dataclass(frozen=True)
class Sealed:
    """A record that a site has logged."""

    site: int
    index: int
    record: FeatureRecord
    statement: Statement

    @property
    def commitment(self) -> bytes:
        return commit(self.statement)


@dataclass
class Sites:
    """The logs of the sites of one tender, and what stands in them."""

    tendering: Tendering
    founded: Founded
    room: Room
    follow: Callable[[], None]
    tender: bytes
    logs: dict[int, list[bytes]] = field(default_factory=dict)
    anchored: dict[int, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "0x" + self.tender.hex()

    @property
    def key(self) -> FeatureKey:
        return FeatureKey(self.name, bytes(range(32)))

    def take(self, bidder: Bidder, codes: Mapping[CodeKind, str] = MACHINE) -> FeatureRecord:
        """A record of a bidder's bid."""
        return FeatureRecord.take(self.key, bidder.commitment, [read_code(*code) for code in codes.items()])

    def seal(
        self, number: int, codes: Mapping[CodeKind, str] = MACHINE, site: int = PARTNER, company: int | None = None
    ) -> Sealed:
        """Seal the record of a bid, and put it into a site's log."""
        record = self.take(BIDDERS[number], codes)
        return self.put(site, record, seal_record(record, COMPANIES[number if company is None else company]))

    def put(self, site: int, record: FeatureRecord, statement: Statement) -> Sealed:
        log = self.logs.setdefault(site, [bytes([site]) * 32])
        log.append(commit(statement))
        return Sealed(site, len(log) - 1, record, statement)

    def anchor(self, *sites: int) -> None:
        """Anchor the logs of sites as they are; of all without any."""
        for site in sites or self.logs:
            log, old = self.logs[site], self.anchored.get(site, 0)
            key, root = self.founded.opened[site, "anchorer"], Levels.over(log).root
            proof = consistency(log, old) if old else []
            self.founded.send(self.tendering.rpc, key, EVIDENCE_LOG, "anchor", len(log), root, proof)
            self.anchored[site] = len(log)

    def open(self, count: int = 5) -> None:
        """Close and open the bids."""
        self.tendering.close(self.tender)
        self.tendering.open(self.tender, bids(count))

    def body(self, sealed: Sealed, **changes: Any) -> dict[str, Any]:
        """A record as it is handed in."""
        log = self.logs[sealed.site][: self.anchored[sealed.site]]
        proof = {
            "member": self.founded.network.member(sealed.site).code,
            "generation": 0,
            "index": sealed.index,
            "size": len(log),
            "path": ["0x" + node.hex() for node in Levels.over(log).path(sealed.index)],
        }
        plain = {
            "commitment": "0x" + sealed.commitment.hex(),
            "statement": sealed.statement.to_json(),
            "record": as_json(sealed.record),
            "proof": proof,
        }
        return plain | changes

    def hand_in(self, *records: Any, key: str | None = "officer") -> httpx.Response:
        return self.post({"records": [self.body(one) if isinstance(one, Sealed) else one for one in records]}, key)

    def post(self, body: Any, key: str | None = "officer") -> httpx.Response:
        self.follow()
        return self.room.client.post(f"/v1/tenders/{self.name}/feature-records", json=body, headers=_headers(key))

    def leads(self, key: str | None = "officer", **query: Any) -> httpx.Response:
        self.follow()
        return self.room.client.get(f"/v1/tenders/{self.name}/leads", params=query, headers=_headers(key))


def consistency(log: list[bytes], old: int) -> list[bytes]:
    """That a log only grew since it had so many leaves."""
    return list(
        consistency_path(old, len(log), lambda level, at: Levels.over(log[at << level : (at + 1) << level]).root)
    )


def as_json(record: FeatureRecord) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(record.document())
    return read


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"authorization": f"Bearer secret-{key}"}
