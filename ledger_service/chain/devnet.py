"""A development chain on this machine: anvil or ganache as one process, its facts in `devnet.json` of its folder.

The chain lives as long as its process and starts anew with the next `up`. It listens on the loopback interface alone,
takes zero gas prices, and keeps enough recent states for storage proofs. `down` ends only the process that `up`
started: a process number that has passed to another program is left alone. Nobody seals these blocks.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import structlog

from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.errors import ChainUnreachable, InvalidContent, Misconfigured, ServiceError

log = structlog.get_logger(__name__)

CHAINS: Final = ("anvil", "ganache")
CHAIN_ID: Final = 1337
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
# Each state is kept in memory. Indexing asks for the state of the newest block, which may be a few seconds old by then.
KEPT_STATES: Final = 256
TOOLS: Final = Path(__file__).parents[2] / "hardhat-free-devnet" / "node_modules" / ".bin"


@dataclass(frozen=True, slots=True)
class Devnet:
    """A chain that was started: what `devnet.json` holds."""

    chain: str
    rpc: str
    pid: int
    started: str  # tells this process from a later one with the same number
    chain_id: int

    def as_json(self) -> dict[str, object]:
        """The facts for a program that asked."""
        return {"chain": self.chain, "rpc": self.rpc, "pid": self.pid, "chain_id": self.chain_id}


@dataclass(frozen=True, slots=True)
class DevnetStatus:
    """Whether a folder's chain runs, and its head when it answers."""

    devnet: Devnet | None
    head: int | None

    def as_json(self) -> dict[str, object]:
        """The facts for a program that asked."""
        facts = self.devnet.as_json() if self.devnet else {}
        return {"running": self.devnet is not None, **facts, "head": self.head}

    def __str__(self) -> str:
        if self.devnet is None:
            return "no chain runs from this folder"
        head = "does not answer" if self.head is None else f"is at block {self.head}"
        return f"{self.devnet.chain} at {self.devnet.rpc} (process {self.devnet.pid}) {head}"


def up(
    chain: str,
    directory: Path,
    *,
    port: int = 0,
    chain_id: int = CHAIN_ID,
    block_seconds: int | None = 1,
) -> Devnet:
    """Start a chain and wait until it answers; one that already runs from this folder is returned as it is.

    Args:
        chain: "anvil" or "ganache"; where anvil cannot be run, ganache takes its place and the log says so.
        directory: holds `devnet.json` and the client's output; made when missing.
        port: 0 takes a free one.
        chain_id: what transactions are signed for.
        block_seconds: a block every so many seconds beside those that hold transactions; None makes blocks for
            transactions only.

    Raises:
        Misconfigured: neither client is installed.
        ChainUnreachable: the client ended or did not answer in time.
    """
    if chain not in CHAINS:
        raise InvalidContent(f"there is no chain {chain!r}; take one of {', '.join(CHAINS)}")
    running = _read(directory)
    if running is not None:
        return running
    chain, program = _program(chain)
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    arguments = _ARGUMENTS[chain](port, chain_id, block_seconds, directory)
    with (directory / "chain.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own binary, our own arguments
            [program, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    devnet = Devnet(chain, f"http://127.0.0.1:{port}", process.pid, _start_mark(process.pid) or "", chain_id)
    _wait_until_ready(devnet, process, directory)
    (directory / "devnet.json").write_text(json.dumps(asdict(devnet), indent=2) + "\n")
    log.info("devnet_started", **devnet.as_json())
    return devnet


def down(directory: Path) -> bool:
    """Stop the chain of `directory`; returns whether one ran."""
    devnet = _read(directory)
    if devnet is not None:
        _end(devnet)
        log.info("devnet_stopped", **devnet.as_json())
    (directory / "devnet.json").unlink(missing_ok=True)
    shutil.rmtree(directory / "database", ignore_errors=True)
    return devnet is not None


def status(directory: Path) -> DevnetStatus:
    """Say whether the chain of `directory` runs, and its head."""
    devnet = _read(directory)
    if devnet is None:
        return DevnetStatus(None, None)
    with Rpc(devnet.rpc, timeout=5.0) as rpc:
        try:
            return DevnetStatus(devnet, quantity(rpc.call("eth_blockNumber")))
        except ServiceError:
            return DevnetStatus(devnet, None)


@contextmanager
def running(chain: str, *, block_seconds: int | None = None, chain_id: int = CHAIN_ID) -> Iterator[Devnet]:
    """A chain in a folder of its own that ends with the `with` block."""
    with tempfile.TemporaryDirectory(prefix="devnet-") as folder:
        directory = Path(folder)
        try:
            yield up(chain, directory, block_seconds=block_seconds, chain_id=chain_id)
        finally:
            down(directory)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _program(chain: str) -> tuple[str, str]:
    """The chain that can be run and its program: anvil, or ganache in its place."""
    found = _find(chain)
    if found is not None:
        return chain, found
    substitute = _find("ganache")
    if substitute is None:
        raise Misconfigured(f"{chain} is found neither in {TOOLS} nor on PATH; run scripts/setup (npm ci)")
    log.warning("devnet_falls_back", wanted=chain, taken="ganache", reason=f"{chain} is not installed (needs Node 20+)")
    return "ganache", substitute


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")


def _anvil(port: int, chain_id: int, block_seconds: int | None, _directory: Path) -> list[str]:
    blocks = [] if block_seconds is None else ["--block-time", str(block_seconds), "--mixed-mining"]
    # Without --prune-history every block leaves a state file behind: tens of gigabytes in an hour.
    return [
        *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id), "--hardfork", "london"),
        *("--base-fee", "0", "--gas-price", "0", "--order", "fifo", "--accounts", "1", "--slots-in-an-epoch", "1"),
        *("--prune-history", str(KEPT_STATES), "--quiet", *blocks),
    ]


def _ganache(port: int, chain_id: int, block_seconds: int | None, directory: Path) -> list[str]:
    # With london its base fee starts at 1 gwei and cannot be set to 0; berlin has none.
    return [
        *("--server.host", "127.0.0.1", "--server.port", str(port), "--chain.hardfork", "berlin"),
        *("--chain.chainId", str(chain_id), "--chain.networkId", str(chain_id), "--miner.defaultGasPrice", "0"),
        *("--miner.blockTime", str(block_seconds or 0), "--wallet.totalAccounts", "1", "--logging.quiet"),
        *("--database.dbPath", str(directory / "database")),
    ]


_ARGUMENTS: Final = {"anvil": _anvil, "ganache": _ganache}


def _wait_until_ready(devnet: Devnet, process: "subprocess.Popen[bytes]", directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with Rpc(devnet.rpc, timeout=2.0) as rpc:
        while True:
            try:
                if quantity(rpc.call("eth_chainId")) == devnet.chain_id:
                    return
            except ChainUnreachable:
                pass
            if process.poll() is not None:
                raise ChainUnreachable(
                    f"{devnet.chain} ended at once with {process.returncode}; see {directory}/chain.log"
                )
            if time.monotonic() > deadline:
                process.terminate()
                raise ChainUnreachable(
                    f"{devnet.chain} did not answer within {START_SECONDS:.0f} s; see {directory}/chain.log"
                )
            time.sleep(0.02)


def _read(directory: Path) -> Devnet | None:
    """The folder's chain, if its process still is the one that was started."""
    try:
        devnet = Devnet(**json.loads((directory / "devnet.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return devnet if devnet.started and _start_mark(devnet.pid) == devnet.started else None


def _start_mark(pid: int) -> str | None:
    """When process `pid` started, as the system spells it; None when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            state, *rest = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state == "Z" else rest[18]  # field 22 of proc(5), in clock ticks since boot
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return listed.stdout.strip() or None


def _end(devnet: Devnet) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(devnet.pid, sign)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(devnet.pid, os.WNOHANG)  # when it is our own child, so that it does not stay a zombie
            if _start_mark(devnet.pid) != devnet.started:
                return
            time.sleep(0.02)
