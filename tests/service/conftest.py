"""Chains to test against: one process each for the whole run, every test on a snapshot of its own."""

from collections.abc import Iterator

import pytest

from ledger_service.chain import devnet
from ledger_service.chain.rpc import Rpc


@pytest.fixture(scope="session", params=devnet.CHAINS)
def chain_process(request: pytest.FixtureRequest) -> Iterator[devnet.Devnet]:
    with devnet.running(request.param) as running:
        assert running.chain == request.param
        yield running


@pytest.fixture
def rpc(chain_process: devnet.Devnet) -> Iterator[Rpc]:
    """A node whose blocks of this test are gone afterwards."""
    with Rpc(chain_process.rpc) as node:
        snapshot = node.call("evm_snapshot")
        yield node
        node.call("evm_revert", snapshot)
