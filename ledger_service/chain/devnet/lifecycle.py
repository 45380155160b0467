"""Chains up and down, whichever they are.

Each listens on the loopback interface alone, takes zero gas prices, and keeps enough recent states for storage proofs.
`down` ends only the processes that `up` started.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from ledger_service.chain.devnet import clique, clique_setup, state, unsealed
from ledger_service.chain.devnet.state import Devnet, DevnetStatus, Node
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.errors import InvalidContent, ServiceError

log = structlog.get_logger(__name__)

UNSEALED: Final = unsealed.CHAINS
CHAINS: Final = (*UNSEALED, clique_setup.CHAIN)
CHAIN_ID: Final = 1337


def up(chain: str, directory: Path, *, chain_id: int = CHAIN_ID, block_seconds: int | None = 1) -> Devnet:
    """Start a chain and wait until it goes on; one that already runs from this folder is returned as it is.

    Args:
        chain: one of CHAINS; where anvil cannot be run, ganache takes its place and the log says so.
        directory: holds `devnet.json` and all that the nodes keep and print; made when missing. A network of signers
            that was stopped goes on where it was; a chain of one process starts anew.
        chain_id: what transactions are signed for.
        block_seconds: a block every so many seconds beside those that hold transactions; None makes blocks for
            transactions only, where a chain can. A Clique chain makes them by its clock alone, each second for None.

    Raises:
        InvalidContent: there is no such chain.
        Misconfigured: its program is not installed.
        ChainUnreachable: a node ended or did not get ready in time.
    """
    if chain not in CHAINS:
        raise InvalidContent(f"there is no chain {chain!r}; take one of {', '.join(CHAINS)}")
    if chain in UNSEALED:
        devnet = unsealed.up(chain, directory, chain_id=chain_id, block_seconds=block_seconds)
    else:
        devnet = clique.up(directory, chain_id=chain_id, period=block_seconds or 1)
    log.info("devnet_started", **devnet.as_json())
    return devnet


def down(directory: Path) -> bool:
    """Stop the chain of `directory`; returns whether one ran."""
    devnet = state.read(directory)
    if devnet is None:
        return False
    ran = devnet.runs
    devnet.end()
    if devnet.chain in UNSEALED:
        unsealed.forget(directory)
    if ran:
        log.info("devnet_stopped", **devnet.as_json())
    return ran


def status(directory: Path) -> DevnetStatus:
    """Say whether the chain of `directory` runs, and each node's head."""
    devnet = state.read(directory)
    if devnet is None or not devnet.runs:
        return DevnetStatus(None)
    return DevnetStatus(devnet, tuple(_head(node) for node in devnet.nodes))


@contextmanager
def running(chain: str, *, block_seconds: int | None = None, chain_id: int = CHAIN_ID) -> Iterator[Devnet]:
    """A chain in a folder of its own that ends with the `with` block."""
    with tempfile.TemporaryDirectory(prefix="devnet-") as folder:
        directory = Path(folder)
        try:
            yield up(chain, directory, block_seconds=block_seconds, chain_id=chain_id)
        finally:
            down(directory)


def _head(node: Node) -> int | None:
    with Rpc(node.rpc, timeout=5.0) as rpc:
        try:
            return quantity(rpc.call("eth_blockNumber"))
        except ServiceError:
            return None
