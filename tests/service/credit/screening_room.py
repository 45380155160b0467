"""The service of one member as far as screenings need it: its log, its keys, its server; and a client of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from founding import Founded
from serving import application, serving
from sqlmodel import Session, select

import ledger_service.evidence.routes as evidence
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.certificates import Certificates
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.screening_routes import routes
from ledger_service.credit.screenings import Screenings
from ledger_service.keys import open_log_key, open_secret
from ledger_service.log.api_keys import ApiKeys, KeyEntry, Scope
from ledger_service.log.identity import LogIdentity
from ledger_service.log.reader import LogReader
from ledger_service.log.tables import Leaf
from ledger_service.log.writer import LogWriter
from ledger_service.witness.kept import Kept

MEMBER = 2  # sichuan, whose service it is
PATH = "/v1/screenings"


@dataclass
class Room:
    """The service of one member, as far as screenings need it."""

    client: httpx.Client
    reader: LogReader
    last: httpx.Response = field(init=False)

    def ask(self, body: Any = None, key: str = "centre", status: int = 201, **request: Any) -> dict[str, Any]:
        """Screen and return the answer, which has this status."""
        headers = {"Authorization": f"Bearer secret-{key}", **request.pop("headers", {})}
        sent = {"json": {"subjects": body}} if isinstance(body, list) else {"content": body}
        answer = self.client.post(PATH, headers=headers, **sent, **request)
        assert answer.status_code == status, answer.text
        self.last = answer
        return answer.json()  # type: ignore[no-any-return]

    def get(self, path: str = "", key: str = "centre", **request: Any) -> httpx.Response:
        return self.client.get(PATH + path, headers={"Authorization": f"Bearer secret-{key}"}, **request)


def entry(id: str, scope: Scope = Scope.CREDIT, quota: int | None = None) -> KeyEntry:
    digest = sha256(f"secret-{id}".encode()).hexdigest()
    return KeyEntry(id=id, sha256=digest, scopes=frozenset({scope}), quota=quota)


KEYS = ApiKeys(
    [entry("centre"), entry("other"), entry("poor", quota=1), entry("none", quota=0), entry("bidder", Scope.SUBMIT)],
    0,
    None,
)


def identity(founded: Founded) -> LogIdentity:
    made = founded.members[MEMBER]
    return LogIdentity(
        origin=founded.network.origin(founded.network.member(MEMBER), 0),
        member=MEMBER,
        generation=0,
        evidence_log=founded.address(EVIDENCE_LOG),
        chain_id=founded.network.chain_id,
        log_key=open_log_key(made.log_key_file, made.password_file),
        receipt_key=founded.opened[MEMBER, "receipt-signer"],
        period_secret=open_secret(made.period_secret_file, made.password_file),
    )


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def running(ground: CreditGround, founded: Founded, rpc: Rpc, data_dir: Path, period_seconds: float) -> Iterator[Room]:
    """Screenings with a log whose periods last so long."""
    settings = {"slots": 0, "period_seconds": period_seconds, "anchor_within_seconds": 3600, "clock": now}
    writer = LogWriter(ground.engine, data_dir, identity(founded), **settings)  # type: ignore[arg-type]
    writer.start()
    finality = Finality.pinned(ground.network, 0)
    certificates, reader = Certificates(ground, rpc, finality), LogReader(ground.engine, data_dir, 0, now)
    shown = evidence.routes(ground.engine, reader, Kept(ground.engine, 0), MEMBER, 0, finality)
    screening = routes(Screenings(ground, writer, certificates), ground, KEYS)
    try:
        with serving(application(screening, shown)) as client:
            yield Room(client, reader)
    finally:
        writer.stop()


def results(answer: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(one["subject"], one["result"]) for one in answer["result"]["results"]]


def leaves(ground: CreditGround) -> int:
    with Session(ground.engine) as session:
        return len(session.exec(select(Leaf)).all())
