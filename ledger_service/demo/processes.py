"""The processes of the demonstration, each run as its users run it: members' services, the command line, the verifier.

What is said goes to standard error. A verification runs in a process that may open no socket.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx

from ledger_service.cli.console import say
from ledger_service.demo.alliance import Founding
from ledger_service.errors import Exit, Unavailable

MEMBER: Final = "sichuan"
PERIOD_SECONDS: Final = 3.0
SLOTS: Final = 1024
START_SECONDS: Final = 180.0
# Refuses every socket, by whatever library, before the command line starts.
OFFLINE: Final = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise PermissionError(f"offline: {event}")
sys.addaudithook(refuse)
from ledger_service.cli import main
main()
"""


@dataclass(frozen=True, slots=True)
class Service:
    """A member's running API."""

    url: str
    operator_key_file: Path
    member: str = MEMBER


def bidledger(*arguments: str | Path, quiet: bool = False) -> str:
    """Run the command line as a user would.

    Args:
        arguments: those of the command.
        quiet: whether what it prints is shown only when it fails, and returned.

    Raises:
        Unavailable: it did not end well.
    """
    outcome = subprocess.run(  # noqa: S603  # our own interpreter, our own arguments
        [sys.executable, "-m", "ledger_service.cli", *arguments],
        stdout=subprocess.PIPE if quiet else sys.stderr,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
        check=False,
    )
    if outcome.returncode != Exit.DONE:
        if quiet:
            say(outcome.stdout + outcome.stderr)
        raise Unavailable(f"bidledger {arguments[0]} {arguments[1]} ended with {outcome.returncode}; see above")
    return outcome.stdout or ""


def verdict_of(command: str, *arguments: str | Path) -> dict[str, Any]:
    """The verdict of a verifying command, run without network.

    Raises:
        Unavailable: it gave none.
    """
    outcome = subprocess.run(  # noqa: S603  # our own interpreter, our own arguments
        [sys.executable, "-c", OFFLINE, command, *arguments, "--json"], capture_output=True, text=True, check=False
    )
    if outcome.returncode not in (Exit.DONE, Exit.REFUTED):
        raise Unavailable(f"{command} {arguments[0]} ended with {outcome.returncode}: {outcome.stderr.strip()}")
    verdict: dict[str, Any] = json.loads(outcome.stdout)
    return verdict


@contextmanager
def serving(service: Service, rpc: str, founding: Founding, where: Path) -> Iterator[None]:
    """Run a member's service as a process of its own, from ready to stopped."""
    environment = os.environ | service_settings(rpc, founding, where, service)
    output_file = where / ("service.log" if service.member == MEMBER else f"service-{service.member}.log")
    with output_file.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger_service.cli", "serve"], env=environment, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(service.url, process, output_file)
        yield
    finally:
        process.terminate()
        process.wait()


def service_settings(rpc: str, founding: Founding, where: Path, service: Service) -> dict[str, str]:
    """The environment in which a member's service runs, with a fresh operator's key."""
    keys = founding.members[service.member]
    settings = {
        "DATA_DIR": where / ("data" if service.member == MEMBER else f"data-{service.member}"),
        "RPC_URL": rpc,
        "NETWORK_FILE": where / "network.json",
        "MEMBER": service.member,
        "PORT": service.url.rpartition(":")[2],
        "SLOTS": SLOTS,
        "PERIOD_SECONDS": PERIOD_SECONDS,
        "API_KEYS_FILE": _make_operator_key(service.operator_key_file),
        "LOG_KEY_FILE": keys.log_key_file,
        "PERIOD_SECRET_FILE": keys.period_secret_file,
        "RECEIPT_KEYSTORE": keys.keystores["receipt-signer"],
        "ANCHORER_KEYSTORE": keys.keystores["anchorer"],
        "SENDER_KEYSTORE": keys.sender_keystore,
        "WEBHOOK_SECRET_FILE": keys.webhook_secret_file,
        "PASSWORD_FILE": keys.password_file,
    }
    return {f"BIDLEDGER_{name}": str(value) for name, value in settings.items()}


def _make_operator_key(path: Path) -> Path:
    """Write an operator's API key, and beside it the list that the service knows it by."""
    key = secrets.token_urlsafe(32)
    path.touch(mode=0o600)
    path.write_text(key + "\n", encoding="ascii")
    known = path.with_name("api-keys.json")
    scopes = ["operator", "submit", "credit", "tender"]
    entry = {"id": "operator", "sha256": sha256(key.encode()).hexdigest(), "scopes": scopes, "quota": 8}
    known.write_text(json.dumps([entry], indent=2) + "\n", encoding="ascii")
    return known


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", output_file: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/readyz", timeout=2.0).is_success:
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"the service did not get ready; see {output_file}")
        time.sleep(0.05)
