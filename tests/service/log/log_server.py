"""A log alone behind a real uvicorn, for tests that kill it: `python log_server.py CONFIG`, a JSON file.

What it prints first is its port. All else of the service is left out: the log's doors are what is tested.
"""

import asyncio
import json
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import SQLModel

from anchors.notes import SignedNote
from ledger_service import logs
from ledger_service.database import open_engine
from ledger_service.keys import EthereumKey
from ledger_service.log.accept import EvidenceEndpoint
from ledger_service.log.api_keys import ApiKeys
from ledger_service.log.identity import LogIdentity
from ledger_service.log.routes import LogRoutes
from ledger_service.log.writer import LogWriter
from ledger_service.problems import Receive, Scope, Send


def identity(config: dict[str, Any]) -> LogIdentity:
    private = PrivateKey(bytes.fromhex(config["receipt_key"]))
    return LogIdentity(
        origin=config["origin"],
        member=2,
        generation=0,
        evidence_log=b"\xee" * 20,
        chain_id=31337,
        log_key=Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config["log_key"])),
        receipt_key=EthereumKey(bytes.fromhex(config["receipt_address"]), private),
        period_secret=bytes.fromhex(config["period_secret"]),
    )


class LogApp:
    def __init__(self, config: dict[str, Any]) -> None:
        data_dir = Path(config["data_dir"])
        engine = open_engine(f"sqlite:///{data_dir / 'log.sqlite'}")
        SQLModel.metadata.create_all(engine)
        self.writer = LogWriter(
            engine,
            data_dir,
            identity(config),
            slots=config["slots"],
            period_seconds=config["period_seconds"],
            anchor_within_seconds=3600,
            clock=lambda: datetime.now(UTC),
        )
        keys_file = config.get("api_keys_file")
        api_keys = ApiKeys.read(Path(keys_file) if keys_file else None, config["slots"], config.get("public_quota"))
        self._accept = EvidenceEndpoint(self.writer, api_keys)
        self._files = LogRoutes(data_dir, 0, SignedNote.parse)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] == "/v1/evidence":
                await self._accept(scope, receive, send)
            else:
                await self._files({**scope, "root_path": "/log"}, receive, send)


async def run(config: dict[str, Any]) -> None:
    app = LogApp(config)
    app.writer.start()
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listening.getsockname()[1], flush=True)
    settings = uvicorn.Config(app, http="httptools", lifespan="off", log_level="warning", access_log=False)
    await uvicorn.Server(settings).serve([listening])
    app.writer.stop()


if __name__ == "__main__":
    import uvloop

    logs.for_machines()
    uvloop.install()
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))
