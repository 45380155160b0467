"""One chain of each kind for the whole run; every test acts on a snapshot of the same alliance.

What a contract does is told by its code, not by who runs it, so each rule is tested on one client. The other one,
another maker's virtual machine at many times the price, runs what the clients could differ in: hashes, signatures and
logs as the parity tests have them, gas, and the first test of every class, so that no function is left to one client.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import pytest
from credit_alliance import CreditAlliance, found_credit
from founded_alliance import Alliance, connect, found
from tender_alliance import TenderAlliance, found_tenders
from web3 import Web3

from ledger_service.chain import devnet
from ledger_service.chain.contracts import WITH_ARTIFACTS

FIRST_CLIENT = "anvil"
ON_BOTH = {"test_artifacts", "test_parity", "test_credit_parity", "test_tender_parity"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for one client alone."""
    left_out, seen = [], set()
    for item in items:
        if _client(item) not in (None, FIRST_CLIENT) and item.path.stem not in ON_BOTH:
            if item.parent in seen:
                left_out.append(item)
            seen.add(item.parent)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _client(item: pytest.Item) -> object:
    return (
        item.callspec.params.get("chain") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    )


@pytest.fixture(scope="session")
def artifacts() -> dict[str, dict[str, Any]]:
    folder = resources.files("ledger_service.chain") / "artifacts"
    return {name: json.loads((folder / f"{name}.json").read_bytes()) for name in WITH_ARTIFACTS}


@pytest.fixture(scope="session", params=devnet.UNSEALED)
def chain(request: pytest.FixtureRequest) -> Iterator[Web3]:
    """On which all alliances stand."""
    with devnet.running(request.param) as running:
        assert running.chain == request.param
        yield connect(running.rpc)


@pytest.fixture(scope="session")
def founded(chain: Web3, artifacts: dict[str, dict[str, Any]]) -> Alliance:
    return found(chain, artifacts)


@pytest.fixture
def alliance(founded: Alliance) -> Iterator[Alliance]:
    """An alliance of four members whose every change is undone after the test."""
    with undone(founded.web3):
        yield founded


@pytest.fixture(scope="session")
def credit_founded(chain: Web3, artifacts: dict[str, dict[str, Any]]) -> CreditAlliance:
    return found_credit(chain, artifacts)


@pytest.fixture
def credit(credit_founded: CreditAlliance) -> Iterator[CreditAlliance]:
    """An alliance with a credit register, whose every change is undone after the test."""
    with undone(credit_founded.web3):
        yield credit_founded


@pytest.fixture(scope="session")
def tenders_founded(chain: Web3, artifacts: dict[str, dict[str, Any]]) -> TenderAlliance:
    return found_tenders(chain, artifacts)


@pytest.fixture
def tenders(tenders_founded: TenderAlliance) -> Iterator[TenderAlliance]:
    """An alliance with a tender register, whose every change is undone after the test."""
    with undone(tenders_founded.web3):
        yield tenders_founded


@contextmanager
def undone(web3: Web3) -> Iterator[None]:
    """Undo whatever is done to the chain."""
    request = web3.provider.make_request
    snapshot = request("evm_snapshot", [])["result"]  # type: ignore[arg-type, typeddict-item]
    yield
    assert request("evm_revert", [snapshot])["result"]  # type: ignore[arg-type, typeddict-item]
