"""The demonstration, kept running, as the whole system that these tests look at from outside."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Running:
    """A demonstration that waits: what it printed, and where its files are."""

    report: dict[str, Any]
    directory: Path

    @property
    def url(self) -> str:
        return str(self.report["url"])

    @property
    def operator(self) -> dict[str, str]:
        """The header fields of the operator."""
        key = (self.directory / "keys" / "operator.key").read_text().strip()
        return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="session", params=["anvil", "ganache"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp(request.param) / "demo"
    command = [sys.executable, "-m", "ledger_service.cli", "demo", "--chain", request.param, "--dir", str(directory)]
    process = subprocess.Popen([*command, "--keep", "--json"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        report = ""
        for line in process.stdout:
            report += line
            if line == "}\n":
                break
        yield Running(json.loads(report), directory)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == "", "more than one JSON document on standard output"
