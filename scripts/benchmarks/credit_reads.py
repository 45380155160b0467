"""One subject's five records of a million, asked for over 16 connections, against what must at least be done for it.

The floor is a bare ASGI route that reads the same rows by one statement and answers a constant of the same length. The
client is a process of its own and speaks HTTP/1.1 over plain sockets, so that it costs less than the server.

Usage of the module itself: `ours|floor PORT DATABASE` serves, `load PORT CONNECTIONS SECONDS` prints requests a second.
"""

import asyncio
import gc
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import uvicorn
import uvloop
from sqlalchemy import Engine
from sqlmodel import SQLModel

from anchors.chain.header import DEVELOPMENT
from anchors.credit import Kind
from anchors.network import FORMAT, Member, Network
from anchors.subjects import Subject
from ledger_service.chain.devnet import free_port
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.subjects import SubjectEndpoint
from ledger_service.database import open_engine
from ledger_service.demo.alliance import MEMBERS
from row import Row

SUBJECTS, PER_SUBJECT = 200_000, 5
CHOICES = 20
CONNECTIONS = 16
SECONDS, ROUNDS = 4.0, 3  # one run of either kind can be a sixth off the next
REACH = 3000

_PER_BLOCK = 100
_BLOCKS = SUBJECTS * PER_SUBJECT // _PER_BLOCK
_FIRST_SECOND, _BLOCK_SECONDS = 1_790_000_000, 5
_DECIDED_ON, _LAST_DAY = 20_700, 21_400  # days since 1970-01-01
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_REGISTER = b"\xcc" * 20


def subject() -> Row:
    """Requests a second, medians of runs that take turns."""
    with tempfile.TemporaryDirectory() as folder:
        database = filled(Path(folder))
        runs = [[_load(kind, database) for kind in ("floor", "ours")] for _ in range(ROUNDS)]
    floor, value = (median(each) for each in zip(*runs, strict=True))
    return Row("credit-subject", value, "requests/s", floor, value / floor, f">= {REACH:,}", value >= REACH)


def company(number: int) -> Subject:
    """The subject of that number; those below SUBJECTS have records."""
    body = f"91510000MA{number:07d}"
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return Subject("CN-USCC", body + _ALPHABET[-total % 31])


def bench_ground(engine: Engine) -> CreditGround:
    """What the service stands on, with thirteen members; member 2 is served."""
    members = tuple(Member(number, code, MEMBERS[code], (), ()) for number, code in enumerate(MEMBERS, start=1))
    facts = (1337, bytes(32), DEVELOPMENT, (), (), members, (), 9, ())
    network = Network(FORMAT, "bench", "bench.example", 1, *facts)
    return CreditGround(engine, network, members[1], _REGISTER, bytes(20), lambda: datetime.now(UTC))


def filled(folder: Path) -> Path:
    """An index in SQLite of a million records, those of a subject far apart in the chain; the file's path."""
    database = folder / "credit.sqlite"
    engine = open_engine(f"sqlite:///{database}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(database)
    for pragma in ("synchronous=OFF", "cache_size=-262144"):
        connection.execute(f"PRAGMA {pragma}")
    keys = [company(number).key for number in range(SUBJECTS)]
    blocks = ((block, _hash(block), _FIRST_SECOND + _BLOCK_SECONDS * block) for block in range(_BLOCKS))
    _insert(connection, "chain_block (number, hash, timestamp)", blocks)
    said = "member, kind, decided_on, last_day, earlier, measures, statement, document"
    _insert(
        connection,
        "chain_credit_event (block_number, transaction_index, log_index, subject, record, contract, state, "
        f"{said}, publisher, regulator, endorsers)",
        (
            (*_place(at), keys[at % SUBJECTS], _hash(at), _REGISTER, 1, *_said(at), bytes(20), bytes(20), bytes(32))
            for at in range(SUBJECTS * PER_SUBJECT)
        ),
    )
    in_order = sorted(range(SUBJECTS), key=keys.__getitem__)
    _insert(
        connection,
        "chain_credit_record (subject, record, from_block, contract, published_block, published_transaction, "
        f"published_log, state, {said})",
        (
            (keys[one], _hash(at), _place(at)[0], _REGISTER, *_place(at), 1, *_said(at))
            for one in in_order
            for at in range(one, SUBJECTS * PER_SUBJECT, SUBJECTS)
        ),
    )
    _insert(
        connection,
        "chain_recognition (block_number, transaction_index, log_index, member, issuer, kind, applied, reason, "
        "publisher, regulator)",
        (
            (block, _PER_BLOCK, 0, 1 + block % 13, 1 + (block + 5) % 13, Kind.HONOUR, False, _hash(block), b"", b"")
            for block in range(CHOICES)
        ),
    )
    connection.commit()
    connection.close()
    return database


def _insert(connection: sqlite3.Connection, into: str, rows: Iterable[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * (into.count(",") + 1))
    connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608


def _place(at: int) -> tuple[int, int, int]:
    return at // _PER_BLOCK, at % _PER_BLOCK, 0


def _said(at: int) -> tuple[object, ...]:
    decided_on = _DECIDED_ON + at % 300
    rest = (at // SUBJECTS, ",101,102,201,", _hash(-at), _hash(at + 1))
    return (1 + at % 13, Kind.SERIOUS, decided_on, _LAST_DAY + at % 300, *rest)


def _hash(number: int) -> bytes:
    return sha256(number.to_bytes(8, "big", signed=True)).digest()


def _load(kind: str, database: Path) -> float:
    """Requests answered a second."""
    with _server(kind, database) as port:
        command = [sys.executable, __file__, "load", str(port), str(CONNECTIONS), str(SECONDS)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@contextmanager
def _server(kind: str, database: Path) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, kind, str(port), str(database)])
    try:
        deadline = time.monotonic() + 20
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the {kind} server does not answer")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


class Floor:
    """The floor's route."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database)
        self._connection.execute("PRAGMA cache_size=-65536")
        self._answer = b"x" * 3800

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request."""
        key = sha256(scope["path"].removeprefix("/v1/subjects/").encode()).digest()
        rows = self._connection.execute("SELECT * FROM chain_credit_event WHERE subject = ?", (key,)).fetchall()
        if len(rows) != PER_SUBJECT:
            raise ValueError(f"{len(rows)} records, not {PER_SUBJECT}")
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self._answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._answer})


class _Asker(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    def __init__(self, seconds: float, done: asyncio.Future[int]) -> None:
        self._deadline = time.perf_counter() + seconds
        self._chance = random.Random()  # noqa: S311
        self._done = done
        self._count = 0
        self._missing, self._head = 0, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self._done.set_exception(RuntimeError(self._head.decode()))
                self._transport.abort()
                return
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._missing, self._head = int(length) - len(body), b""
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self._count += 1
            self._ask()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(self._count)

    def _ask(self) -> None:
        if time.perf_counter() > self._deadline:
            self._transport.close()
            return
        path = _paths[self._chance.randrange(len(_paths))]
        self._transport.write(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)


_paths: list[bytes] = []


async def _ask(port: int, connections: int, seconds: float) -> float:
    _paths.extend(f"/v1/subjects/{company(number)}".encode() for number in random.sample(range(SUBJECTS), 20_000))
    loop = asyncio.get_running_loop()
    counts = [loop.create_future() for _ in range(connections)]
    started = time.perf_counter()
    for count in counts:
        await loop.create_connection(lambda count=count: _Asker(seconds, count), "127.0.0.1", port)  # type: ignore[misc]
    return sum(await asyncio.gather(*counts)) / (time.perf_counter() - started)


def _serve(kind: str, port: int, database: Path) -> None:
    app: Any = Floor(database)
    if kind == "ours":
        app = SubjectEndpoint(bench_ground(open_engine(f"sqlite:///{database}")))
    gc.freeze()  # as the service does once it is up
    settings = {"loop": "uvloop", "http": "httptools", "log_level": "error", "access_log": False, "lifespan": "off"}
    uvicorn.run(app, port=port, **settings)


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "load":
        print(uvloop.run(_ask(int(given[0]), int(given[1]), float(given[2]))))
    else:
        _serve(what, int(given[0]), Path(given[1]))
