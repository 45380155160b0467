"""The service of a tender's host as far as bids need it: its log, its keys, its server; and a client of it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from founding import Founded
from serving import application, serving
from starlette.types import Receive, Scope, Send
from tendering import Bidder

import ledger_service.alliance.routes as alliance
import ledger_service.evidence.routes as evidence
import ledger_service.status.routes as status
from anchors.chain.signatures import recover_signer
from anchors.commitment import layout
from anchors.network import write_network
from anchors.notes import Checkpoint, SignedNote
from anchors.tenders import WITHDRAWN, BidReceipt, Replacement
from ledger_service.app import ACCEPT_PATH
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.keys import open_log_key, open_secret
from ledger_service.log.accept import EvidenceEndpoint
from ledger_service.log.api_keys import ApiKeys, KeyEntry
from ledger_service.log.api_keys import Scope as KeyScope
from ledger_service.log.identity import LogIdentity
from ledger_service.log.past_periods import PastPeriods
from ledger_service.log.reader import LogReader
from ledger_service.log.routes import LogRoutes
from ledger_service.log.writer import LogWriter
from ledger_service.operations import routes as operations
from ledger_service.operations.desk import Desk
from ledger_service.tenders import rooms
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.ocds import routes as ocds
from ledger_service.witness.kept import Kept

SLOTS, QUOTA = 64, 3  # of a period, and of the outsider's key in it


def entry(id: str, *scopes: KeyScope, quota: int | None = None) -> KeyEntry:
    digest = sha256(f"secret-{id}".encode()).hexdigest()
    return KeyEntry(id=id, sha256=digest, scopes=frozenset(scopes), quota=quota)


def api_keys(slots: int) -> ApiKeys:
    entries = [
        entry("bidder", KeyScope.SUBMIT, quota=50),
        entry("outsider", KeyScope.SUBMIT, quota=QUOTA),
        entry("operator", KeyScope.OPERATOR, quota=0),
        entry("officer", KeyScope.TENDER, quota=0),
        entry("host", KeyScope.OPERATOR, KeyScope.SUBMIT, quota=4),
        entry("spent", KeyScope.OPERATOR, KeyScope.SUBMIT, quota=0),
    ]
    return ApiKeys(entries, slots, 0 if slots else None)


def fresh(count: int) -> list[str]:
    return ["0x" + secrets.token_hex(32) for _ in range(count)]


@dataclass
class Room:
    """The host's service."""

    client: httpx.Client
    ground: TenderGround
    signer: bytes

    def bid(
        self, tender: bytes, commitments: list[str], key: str = "bidder", idempotency_key: str | None = None
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer secret-{key}"}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        body = {"commitments": commitments}
        return self.client.post(f"/v1/tenders/0x{tender.hex()}/bids", json=body, headers=headers)

    def received(self, tender: bytes, key: str | None = "operator") -> httpx.Response:
        headers = {} if key is None else {"authorization": f"Bearer secret-{key}"}
        return self.client.get(f"/v1/tenders/0x{tender.hex()}/bids", headers=headers)

    def proven(self, receipt: dict[str, Any]) -> BidReceipt:
        """What a bid receipt says, signed by the host's receipt signer for the register."""
        tender, commitment = (bytes.fromhex(receipt[name][2:]) for name in ("tender", "commitment"))
        said = BidReceipt(tender, commitment, receipt["index"], receipt["received_at"])
        digest = said.digest(self.ground.register, self.ground.network.chain_id)
        assert recover_signer(digest, bytes.fromhex(receipt["signature"][2:])) == self.signer
        return said

    def handed_in(self, tender: bytes, *bidders: Bidder) -> list[BidReceipt]:
        """Hand in bids; their receipts."""
        answer = self.bid(tender, ["0x" + bidder.commitment.hex() for bidder in bidders])
        assert answer.status_code == 201, answer.text
        return [self.proven(one) for one in answer.json()["bid_receipts"]]

    def replacement(
        self, tender: bytes, bidder: Bidder, by: bytes = WITHDRAWN, signed_at: int = 1, signer: Bidder | None = None
    ) -> dict[str, Any]:
        """A holder's word, as it is sent."""
        act = Replacement(tender, bidder.commitment, by, signed_at)
        digest = act.digest(self.ground.register, self.ground.network.chain_id)
        return {
            "commitment": "0x" + bidder.commitment.hex(),
            "replacement": None if by == WITHDRAWN else "0x" + by.hex(),
            "signed_at": signed_at,
            "preimage": "0x" + layout(bidder.statement).hex(),
            "signature": "0x" + (signer or bidder).key.sign(digest).hex(),
        }

    def replace(self, tender: bytes, word: dict[str, Any]) -> httpx.Response:
        return self.client.post(f"/v1/tenders/0x{tender.hex()}/replacements", json=word)

    def checkpoint(self) -> Checkpoint | None:
        answer = self.client.get("/log/checkpoint")
        return Checkpoint.parse(SignedNote.parse(answer.content).text) if answer.status_code == 200 else None


@contextmanager
def bidding(
    ground: TenderGround,
    founded: Founded,
    rpc: Rpc,
    data_dir: Path,
    clock: Callable[[], datetime],
    slots: int = 0,
    period_seconds: float = 3600.0,
    confirmations: int = 0,
) -> Iterator[Room]:
    """The host's service, with a log whose periods last so long, where so many later blocks make one final."""
    settings = {"slots": slots, "period_seconds": period_seconds, "anchor_within_seconds": 3600, "clock": clock}
    made, keys = identity(founded, ground.member.number), api_keys(slots)
    writer = LogWriter(ground.engine, data_dir, made, **settings)  # type: ignore[arg-type]
    writer.start()
    reader, kept = LogReader(ground.engine, data_dir, 0, clock), Kept(ground.engine, 0)
    finality = Finality.pinned(ground.network, confirmations)
    watched = status.Watched(
        engine=ground.engine,
        reader=reader,
        network=ground.network,
        member=ground.member.number,
        generation=0,
        finality=finality,
        api_keys=keys,
        accepting=writer.is_running,
        witnessed=partial(kept.last_witnessed, None),
        clock=clock,
    )
    app = application(
        *rooms.open_rooms(
            ground, rpc, finality, reader, writer, 0, made.receipt_key, keys, PastPeriods(ground.engine, made)
        ),
        ocds.routes(ground, "ocds-123abc", None),
        operations.routes(Desk(ground.engine, ground.network, ground.clock), keys),
        evidence.routes(ground.engine, reader, kept, ground.member.number, 0, finality),
        alliance.routes(ground.engine, write_network(founded.network)),
        status.routes(watched),
    )
    files, accept = LogRoutes(data_dir, 0, kept.cosigned), EvidenceEndpoint(writer, keys)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith("/log/"):
            await files({**scope, "root_path": "/log"}, receive, send)
        else:
            await (accept if path == ACCEPT_PATH else app)(scope, receive, send)

    try:
        with serving(front) as client:
            yield Room(client, ground, made.receipt_key.address)
    finally:
        writer.stop()


def identity(founded: Founded, member: int) -> LogIdentity:
    made = founded.members[member]
    return LogIdentity(
        origin=founded.network.origin(founded.network.member(member), 0),
        member=member,
        generation=0,
        evidence_log=founded.address(EVIDENCE_LOG),
        chain_id=founded.network.chain_id,
        log_key=open_log_key(made.log_key_file, made.password_file),
        receipt_key=founded.opened[member, "receipt-signer"],
        period_secret=open_secret(made.period_secret_file, made.password_file),
    )
