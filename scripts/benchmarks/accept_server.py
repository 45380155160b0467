"""The servers that `accept.py` loads, each a process of one uvicorn worker: the service's own route, or its floor.

Usage: accept_server.py ours|floor PORT DIRECTORY. The floor is a bare ASGI route whose writer makes each group durable
by one commit to SQLite and signs its hash: what any service of this kind must at least do.
"""

import gc
import queue
import sqlite3
import sys
import threading
from asyncio import AbstractEventLoop, Future, get_running_loop
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import SQLModel

from ledger_service.database import open_engine
from ledger_service.keys import EthereumKey
from ledger_service.log.accept import EvidenceEndpoint
from ledger_service.log.api_keys import ApiKeys
from ledger_service.log.identity import LogIdentity
from ledger_service.log.writer import LogWriter

PERIOD_SECONDS = 1.0
MAX_GROUP = 512


def identity() -> LogIdentity:
    """A log with fresh keys."""
    return LogIdentity(
        origin="bench.example/1337/sichuan/0",
        member=2,
        generation=0,
        evidence_log=bytes(20),
        chain_id=1337,
        log_key=Ed25519PrivateKey.generate(),
        receipt_key=EthereumKey(bytes(20), PrivateKey()),
        period_secret=bytes(32),
    )


def writer(directory: Path) -> LogWriter:
    """The service's writer on a fresh database, in the compact mode."""
    engine = open_engine(f"sqlite:///{directory / 'log.sqlite'}")
    SQLModel.metadata.create_all(engine)
    return LogWriter(
        engine,
        directory,
        identity(),
        slots=0,
        period_seconds=PERIOD_SECONDS,
        anchor_within_seconds=3600,
        clock=lambda: datetime.now(UTC),
    )


class Ours:
    """The service's route."""

    def __init__(self, directory: Path) -> None:
        self._writer = writer(directory)
        self._endpoint = EvidenceEndpoint(self._writer, ApiKeys([], 0, None))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await receive()
            self._writer.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._writer.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await self._endpoint(scope, receive, send)


class Floor:
    """The floor's route."""

    def __init__(self, directory: Path) -> None:
        self._key = PrivateKey()
        self._queue: queue.SimpleQueue[tuple[bytes, AbstractEventLoop, Future[bytes]]] = queue.SimpleQueue()
        threading.Thread(target=self._write, args=(directory,), daemon=True).start()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await receive())["body"]
        (commitment,) = orjson.loads(body)["commitments"]
        loop = get_running_loop()
        outcome: Future[bytes] = loop.create_future()
        self._queue.put((bytes.fromhex(commitment[2:]), loop, outcome))
        answer = await outcome
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": answer})

    def _write(self, directory: Path) -> None:
        connection = sqlite3.connect(directory / "floor.sqlite", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE leaf (commitment BLOB PRIMARY KEY, place INTEGER) WITHOUT ROWID")
        place = 0
        while True:
            group = [self._queue.get()]
            while len(group) < MAX_GROUP and not self._queue.empty():
                group.append(self._queue.get())
            rows = [(commitment, place + at) for at, (commitment, _, _) in enumerate(group)]
            place += len(rows)
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO leaf VALUES (?, ?)", rows)
            connection.execute("COMMIT")
            digest = sha256(b"".join([commitment for commitment, _ in rows])).digest()
            signature = self._key.sign_recoverable(digest, hasher=None).hex()
            answers = [
                (outcome, f'{{"receipts":[{{"index":{at},"signature":"0x{signature}"}}]}}'.encode())
                for (_, at), (_, _, outcome) in zip(rows, group, strict=True)
            ]
            group[0][1].call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple["Future[bytes]", bytes]]) -> None:
    for outcome, answer in answers:
        outcome.set_result(answer)


if __name__ == "__main__":
    kind, port, folder = sys.argv[1:]
    app = {"ours": Ours, "floor": Floor}[kind](Path(folder))
    gc.freeze()  # as the service does once it is up
    uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", log_level="error", access_log=False)
