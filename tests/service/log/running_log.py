"""A log of one's own for a test: its keys, and its server in a process that can be killed."""

import json
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from auditor import Audit, audit
from coincurve import PrivateKey

from anchors.chain.keccak import keccak256
from anchors.notes import KeyType, Signer, Verifier
from anchors.periods import period_key
from anchors.receipt import Receipt, parse_receipt
from ledger_service.database import open_engine
from ledger_service.log.reader import LogReader

SERVER = Path(__file__).parent / "log_server.py"
ORIGIN = "ledger.example/31337/sichuan/0"
CHAIN_ID = 31337


def commitments(count: int) -> list[str]:
    return ["0x" + secrets.token_hex(32) for _ in range(count)]


def receipts(answer: httpx.Response) -> list[Receipt]:
    assert answer.status_code == 201, answer.text
    return [parse_receipt(one) for one in answer.json()["receipts"]]


@dataclass
class RunningLog:
    """A log's server, and what is configured for it; `start` again after `end` takes up the same log."""

    config: dict[str, Any]
    directory: Path
    process: "subprocess.Popen[str] | None" = None
    url: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)

    @classmethod
    def make(cls, directory: Path, **settings: Any) -> "RunningLog":
        """A log that has not been started. Its periods last an hour: it is a restart that closes them."""
        (directory / "data").mkdir(parents=True)
        receipt_key = PrivateKey()
        config = {
            "data_dir": str(directory / "data"),
            "origin": ORIGIN,
            "log_key": secrets.token_hex(32),
            "receipt_key": receipt_key.secret.hex(),
            "receipt_address": keccak256(receipt_key.public_key.format(compressed=False)[1:])[12:].hex(),
            "period_secret": secrets.token_hex(32),
            "slots": 0,
            "period_seconds": 3600,
            **settings,
        }
        return cls(config, directory)

    @property
    def data_dir(self) -> Path:
        return Path(self.config["data_dir"])

    @property
    def public_dir(self) -> Path:
        return self.data_dir / "log" / "0"

    @property
    def database_file(self) -> Path:
        return self.data_dir / "log.sqlite"

    @property
    def verifier(self) -> Verifier:
        return Signer(ORIGIN, KeyType.ED25519, bytes.fromhex(self.config["log_key"])).verifier

    def period_key(self, number: int) -> bytes:
        return period_key(bytes.fromhex(self.config["period_secret"]), ORIGIN, number)

    def name_keys(self, **keys: dict[str, Any]) -> "RunningLog":
        """Configure API keys; the key itself is `secret-<id>`."""
        file = self.directory / "api_keys.json"
        entries = [
            {"id": id, "sha256": sha256(f"secret-{id}".encode()).hexdigest(), "scopes": ["submit"], **facts}
            for id, facts in keys.items()
        ]
        file.write_text(json.dumps(entries))
        self.config["api_keys_file"] = str(file)
        return self

    def start(self) -> "RunningLog":
        file = self.directory / "config.json"
        file.write_text(json.dumps(self.config))
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        port = self.process.stdout.readline().strip()
        if not port:
            raise RuntimeError(self.process.communicate()[1])
        self.url = f"http://127.0.0.1:{port}"
        return self

    def refused_start(self) -> str:
        """Start it, expecting that it refuses; returns what it says."""
        with pytest.raises(RuntimeError) as caught:
            self.start()
        return str(caught.value)

    def end(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(with_signal)
            self.process.communicate()
            self.process = None

    def restart(self, **settings: Any) -> "RunningLog":
        """Stop and start; the period that was open is closed and published."""
        self.end()
        self.config |= settings
        return self.start()

    def close(self) -> None:
        self.end(signal.SIGKILL)
        self.client.close()

    def submit(self, some: list[str], key: str | None = None, idempotency_key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer secret-{key}"} if key else {}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return self.client.post(f"{self.url}/v1/evidence", json={"commitments": some}, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"{self.url}/log/{path}")

    def audit(self) -> Audit:
        """Audit what the server hands out."""

        def get(path: str) -> bytes | None:
            answer = self.get(path)
            return answer.content if answer.status_code == 200 else None

        return audit(get, self.verifier)

    def audit_files(self) -> Audit:
        """Audit what lies on the disk, whether or not a server runs."""

        def get(path: str) -> bytes | None:
            file = self.public_dir / path
            return file.read_bytes() if file.is_file() else None

        return audit(get, self.verifier)

    def reader(self) -> LogReader:
        return LogReader(open_engine(f"sqlite:///{self.database_file}"), self.data_dir, 0, lambda: datetime.now(UTC))
