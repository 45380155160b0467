"""A thousand companies screened over HTTP among a million records, against the bare query of what stands about them.

All of them have five records, so that nothing is answered by finding nothing; of a tender's bidders few have any. Each
request is a new one: looked up, told, hashed and durable in the log. The server is a process of its own:
`credit_screening.py PORT DATABASE`, with the API key on its standard input.
"""

import gc
import json
import random
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import uvicorn
from fastapi import FastAPI
from sqlmodel import SQLModel

from accept_server import identity
from anchors.chain.header import DEVELOPMENT
from anchors.subjects import Subject
from credit_reads import PER_SUBJECT, SUBJECTS, bench_ground, company, filled
from ledger_service.chain.devnet import free_port
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.certificates import Certificates
from ledger_service.credit.screening_routes import routes
from ledger_service.credit.screenings import Screenings
from ledger_service.database import open_engine
from ledger_service.log.api_keys import ApiKeys, KeyEntry, Scope
from ledger_service.log.writer import LogWriter
from row import Row

ASKED = 1000
ROUNDS, WARM_UP = 15, 3
MOST = 150.0
KEY = secrets.token_urlsafe(16)

_STANDING = (
    "SELECT subject, record, contract, published_block, state, member, kind, decided_on, last_day, earlier, measures, "
    "statement, document FROM chain_credit_record WHERE to_block IS NULL AND subject IN (?" + ",?" * (ASKED - 1) + ")"
)


def screening() -> Row:
    """Screen; milliseconds until the whole answer is there, medians of rounds that take turns."""
    ours, floors = [], []
    with tempfile.TemporaryDirectory() as folder:
        database = filled(Path(folder))
        bare = sqlite3.connect(database)
        bare.execute("PRAGMA cache_size=-65536")
        with _server(database) as client:
            for _ in range(WARM_UP + ROUNDS):
                asked = [company(n) for n in random.sample(range(SUBJECTS), ASKED)]
                floors.append(_floor(bare, asked))
                ours.append(_screened(client, asked))
        bare.close()
    value, floor = median(ours[WARM_UP:]), median(floors[WARM_UP:])
    return Row("credit-screening", value, "ms", floor, value / floor, f"<= {MOST:.0f}", value <= MOST)


def _floor(connection: sqlite3.Connection, asked: list[Subject]) -> float:
    started = time.perf_counter()
    found = connection.execute(_STANDING, [one.key for one in asked]).fetchall()
    seconds = time.perf_counter() - started
    if len(found) != ASKED * PER_SUBJECT:
        raise RuntimeError(f"the database has {len(found)} records of these companies")
    return seconds * 1000


def _screened(client: HTTPConnection, asked: list[Subject]) -> float:
    subjects = [str(one) for one in asked]
    body = json.dumps({"subjects": subjects})
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    started = time.perf_counter()
    client.request("POST", "/v1/screenings", body, headers)
    answer = client.getresponse()
    content = answer.read()
    seconds = time.perf_counter() - started
    if answer.status != 201:
        raise RuntimeError(content.decode())
    told = [(one["subject"], len(one["records"])) for one in json.loads(content)["result"]["results"]]
    if told != [(one, PER_SUBJECT) for one in subjects]:
        raise RuntimeError("the screening tells other records")
    return seconds * 1000


@contextmanager
def _server(database: Path) -> Iterator[HTTPConnection]:
    port = free_port()
    command = [sys.executable, __file__, str(port), str(database)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        print(KEY, file=process.stdin, flush=True)
        deadline = time.monotonic() + 30
        while not _connected(client):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server does not answer")
            time.sleep(0.05)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait()


def _connected(client: HTTPConnection) -> bool:
    try:
        client.connect()
    except OSError:
        return False
    return True


def _serve(port: int, database: Path, key: str) -> None:
    """The service's routes with its log, as it runs them."""
    engine = open_engine(f"sqlite:///{database}")
    SQLModel.metadata.create_all(engine)
    writer = LogWriter(
        engine,
        database.parent,
        identity(),
        slots=0,
        period_seconds=1.0,
        anchor_within_seconds=3600,
        clock=lambda: datetime.now(UTC),
    )
    writer.start()
    ground = bench_ground(engine)
    certificates = Certificates(ground, Rpc("http://127.0.0.1:9"), Finality(DEVELOPMENT, 0))  # none is asked for
    entry = KeyEntry(id="bench", sha256=sha256(key.encode()).hexdigest(), scopes=frozenset({Scope.CREDIT}))
    app = FastAPI()
    app.include_router(routes(Screenings(ground, writer, certificates), ground, ApiKeys([entry], 0, None)))
    gc.freeze()  # as the service does once it is up
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="error", access_log=False)
    writer.stop()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]), sys.stdin.readline().strip())
