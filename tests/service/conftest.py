"""Chains to test against: one process each for the whole run, every test on a snapshot of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import empty_database
from founding import Founded, found
from sqlalchemy import Engine

from ledger_service import keys
from ledger_service.chain import devnet
from ledger_service.chain.rpc import Rpc

SLICES = {"credit", "tenders"}
WITH_NODES = {"test_certificates", "test_lives", "test_sending", "test_sending_kill"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the second chain out where a slice does not speak to a node itself: it sees the chain through the index,
    which is tested on both."""
    left_out = [item for item in items if _needs_one_chain(item.path) and _chain(item) not in (None, "anvil")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _needs_one_chain(module: Path) -> bool:
    return module.parent.name in SLICES and module.stem not in WITH_NODES


def _chain(item: pytest.Item) -> object:
    return (
        item.callspec.params.get("chain_process")
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else None
    )


@pytest.fixture(scope="session", autouse=True)
def cheap_keystores() -> Iterator[None]:
    """Keystores that are made here take next to no time, wherever they are opened: each says its own cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "SCRYPT_COST", 2)
        yield


@pytest.fixture(scope="session", params=devnet.UNSEALED)
def chain_process(request: pytest.FixtureRequest) -> Iterator[devnet.Devnet]:
    with devnet.running(request.param) as running:
        assert running.chain == request.param
        yield running


@pytest.fixture(scope="session")
def founded(chain_process: devnet.Devnet, tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """An alliance of four members on the chain."""
    return found(chain_process.rpc, tmp_path_factory.mktemp("alliance"))


@pytest.fixture
def rpc(chain_process: devnet.Devnet) -> Iterator[Rpc]:
    """A node whose blocks of this test are gone afterwards, and with them what still waits for a block."""
    with Rpc(chain_process.rpc) as node:
        snapshot = node.call("evm_snapshot")
        yield node
        _take_back(node, chain_process.chain, snapshot)


@pytest.fixture
def standstill(rpc: Rpc, chain_process: devnet.Devnet) -> None:
    """Blocks are made by `evm_mine` alone, until `rpc` takes them back."""
    rpc.call("evm_setAutomine", False) if chain_process.chain == "anvil" else rpc.call("miner_stop")


def _take_back(node: Rpc, chain: str, snapshot: object) -> None:
    """Go back to a snapshot while no block is made: anvil reverts its blocks and its state one after the other, so a
    block that is made in between leaves a state that is no block's, to all tests that follow."""
    if chain == "anvil":
        node.call("evm_setAutomine", False)
        node.call("anvil_dropAllTransactions")
        node.call("evm_mine")  # waits for a block that is being made
    node.call("evm_revert", snapshot)
    node.call("evm_setAutomine", True) if chain == "anvil" else node.call("miner_start")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty database with all tables."""
    opened = empty_database(tmp_path / "test.sqlite")
    yield opened
    opened.dispose()
