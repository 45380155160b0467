"""anvil and ganache: a whole chain in one process, that nobody seals and that lives as long as its process."""

import os
import shutil
import time
from pathlib import Path
from typing import Final

import structlog

from anchors.chain.header import DEVELOPMENT
from ledger_service.chain.devnet import process, state
from ledger_service.chain.devnet.state import Devnet, Node
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.errors import ChainUnreachable, Misconfigured

log = structlog.get_logger(__name__)

CHAINS: Final = ("anvil", "ganache")
START_SECONDS: Final = 90.0
# Each state is kept in memory. Indexing asks for the state of the newest block, which may be a few seconds old by then.
KEPT_STATES: Final = 256
TOOLS: Final = Path(__file__).parents[3] / "hardhat-free-devnet" / "node_modules" / ".bin"


def up(chain: str, directory: Path, *, chain_id: int, block_seconds: int | None) -> Devnet:
    """Start the chain, or return the one that runs from this folder; arguments and errors as of `devnet.up`."""
    before = state.read(directory)
    if before is not None and before.runs:
        return before
    chain, program = _program(chain)
    directory.mkdir(parents=True, exist_ok=True)
    port = process.free_port()
    output = directory / "chain.log"
    output.unlink(missing_ok=True)
    arguments = _ARGUMENTS[chain](port, chain_id, block_seconds, directory)
    node = Node(chain, f"http://127.0.0.1:{port}", process.start([program, *arguments], output))
    devnet = Devnet(chain, chain_id, DEVELOPMENT, (), (node,))
    _wait_until_ready(devnet, output)
    state.write(directory, devnet)
    return devnet


def forget(directory: Path) -> None:
    """Remove what a chain that has ended leaves behind: it cannot go on."""
    (directory / "devnet.json").unlink(missing_ok=True)
    shutil.rmtree(directory / "database", ignore_errors=True)


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


def _wait_until_ready(devnet: Devnet, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with Rpc(devnet.rpc, timeout=2.0) as rpc:
        while True:
            try:
                if quantity(rpc.call("eth_chainId")) == devnet.chain_id:
                    return
            except ChainUnreachable:
                pass
            if not devnet.runs:
                raise ChainUnreachable(f"{devnet.chain} ended at once; see {output}")
            if time.monotonic() > deadline:
                devnet.end()
                raise ChainUnreachable(f"{devnet.chain} did not answer within {START_SECONDS:.0f} s; see {output}")
            time.sleep(0.02)
