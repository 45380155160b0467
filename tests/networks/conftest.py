"""The demonstration, kept running, as the whole system that these tests look at from outside."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger_service.chain.devnet.clique import find_geth
from ledger_service.errors import Misconfigured


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


@pytest.fixture(scope="session")
def geth() -> Path:
    """The geth that signs; where there is none these tests are skipped, unless REQUIRE_CLIQUE is set."""
    try:
        return find_geth()
    except Misconfigured as missing:
        if os.environ.get("REQUIRE_CLIQUE"):
            raise
        pytest.skip(missing.detail)
