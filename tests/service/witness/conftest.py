"""A log to be witnessed, and servers to ask, each in a thread of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from growing_log import GrowingLog, written_log
from sqlalchemy import Engine
from witnessing import GUIZHOU

from ledger_service.keys import EthereumKey
from ledger_service.log.identity import LogIdentity


@pytest.fixture
def log(engine: Engine, tmp_path: Path) -> Iterator[GrowingLog]:
    """The log of the third member, as its own service writes it."""
    identity = LogIdentity(
        origin=GUIZHOU.name,
        member=3,
        generation=0,
        evidence_log=b"\xee" * 20,
        chain_id=31337,
        log_key=Ed25519PrivateKey.from_private_bytes(sha256(GUIZHOU.name.encode()).digest()),
        receipt_key=EthereumKey(b"\xaa" * 20, PrivateKey()),
        period_secret=sha256(b"periods").digest(),
    )
    with written_log(engine, tmp_path / "data", identity) as made:
        yield made


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serves ASGI applications; gives each one's URL."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: Any) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        running.append((server, thread))
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline, "does not serve"
            time.sleep(0.01)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=20)
