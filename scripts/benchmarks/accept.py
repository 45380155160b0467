"""Durable acceptance under load, one commitment a request and a thousand, against what must at least be done for it.

The client is a process of its own and speaks HTTP/1.1 over plain sockets, so that it costs less than the server.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from sqlmodel import SQLModel

from accept_server import identity
from ledger_service.chain.devnet import free_port
from ledger_service.database import open_engine
from ledger_service.log.batch import SignedBatch
from ledger_service.log.store import LogStore
from ledger_service.log.tiles import LogFolder, TileGrowth
from row import Row

HERE = Path(__file__).parent
SINGLE_SECONDS = 4.0
SINGLE_ROUNDS = 5  # one run of either kind can be a sixth off the next
SINGLE_CONNECTIONS = 64
BULK_CONNECTIONS = 8
BULK_LEAVES = 160_000
BULK = 1000
LEAST = 0.6


def single() -> Row:
    """One commitment a request over 64 connections; requests a second, medians of runs that take turns."""
    runs = [
        [_load(kind, SINGLE_CONNECTIONS, 1, SINGLE_SECONDS) for kind in ("floor", "ours")] for _ in range(SINGLE_ROUNDS)
    ]
    floor, value = (median(each) for each in zip(*runs, strict=True))
    return Row("accept-single", value, "requests/s", floor, value / floor, ">= 60 % of floor", value >= LEAST * floor)


def bulk() -> Row:
    """A thousand commitments a request over 8 connections; leaves a second, with tree and tiles."""
    floor = _bare_bulk()
    value = _load("ours", BULK_CONNECTIONS, BULK, BULK_LEAVES / floor * 2)
    return Row("accept-bulk", value, "leaves/s", floor, value / floor, ">= 60 % of floor", value >= LEAST * floor)


def _bare_bulk() -> float:
    """The same rows, batch signatures and tiles in one thread without HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/log.sqlite")
        SQLModel.metadata.create_all(engine)
        store, who = LogStore(engine, 0), identity()
        growth = TileGrowth(LogFolder(Path(folder), 0), 0)
        leaves = [os.urandom(32) for _ in range(BULK_LEAVES)]
        started = time.perf_counter()
        for number, first in enumerate(range(0, BULK_LEAVES, BULK)):
            some = leaves[first : first + BULK]
            entries = list(enumerate(some, start=first))
            batch = SignedBatch.sign(who, entries, 0, 0)
            store.append(batch.row(number), entries, [])
            growth.extend(some)
        growth.finish()
        return BULK_LEAVES / (time.perf_counter() - started)


def _load(kind: str, connections: int, count: int, seconds: float) -> float:
    """Commitments accepted a second."""
    with tempfile.TemporaryDirectory() as folder, _server(kind, Path(folder)) as port:
        command = [sys.executable, HERE / "accept.py", str(port), str(connections), str(count), str(seconds)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@contextmanager
def _server(kind: str, directory: Path) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, HERE / "accept_server.py", kind, str(port), directory])
    try:
        deadline = time.monotonic() + 20
        while asyncio.run(_try(port)) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the {kind} server does not answer")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


async def _try(port: int) -> bool | None:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return None
    writer.close()
    return True


async def _client(port: int, connections: int, count: int, seconds: float) -> float:
    started = time.perf_counter()
    deadline = started + seconds
    counts = await asyncio.gather(*(_connection(port, count, deadline) for _ in range(connections)))
    return sum(counts) / (time.perf_counter() - started)


async def _connection(port: int, count: int, deadline: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    accepted = 0
    while time.perf_counter() < deadline:
        digits = os.urandom(32 * count).hex()
        names = '","0x'.join([digits[at : at + 64] for at in range(0, len(digits), 64)])
        body = f'{{"commitments":["0x{names}"]}}'
        head = f"POST /v1/evidence HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(answer.decode())
        lower = answer.lower()
        if b"content-length: " in lower:
            await reader.readexactly(int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        else:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        accepted += count
    writer.close()
    return accepted


if __name__ == "__main__":
    import uvloop

    at, many, each, length = sys.argv[1:]
    print(uvloop.run(_client(int(at), int(many), int(each), float(length))))
