"""One chain of each kind for the whole run; every test acts on a snapshot of the same alliance."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import pytest
from credit_alliance import CreditAlliance, found_credit
from founded_alliance import Alliance, found
from tender_alliance import TenderAlliance, found_tenders
from web3 import HTTPProvider, Web3

from ledger_service.chain import devnet
from ledger_service.chain.contracts import WITH_ARTIFACTS


@pytest.fixture(scope="session")
def artifacts() -> dict[str, dict[str, Any]]:
    folder = resources.files("ledger_service.chain") / "artifacts"
    return {name: json.loads((folder / f"{name}.json").read_bytes()) for name in WITH_ARTIFACTS}


@pytest.fixture(scope="session", params=devnet.UNSEALED)
def founded(request: pytest.FixtureRequest, artifacts: dict[str, dict[str, Any]]) -> Iterator[Alliance]:
    with devnet.running(request.param) as chain:
        assert chain.chain == request.param
        yield found(Web3(HTTPProvider(chain.rpc)), artifacts)


@pytest.fixture
def alliance(founded: Alliance) -> Iterator[Alliance]:
    """An alliance of four members whose every change is undone after the test."""
    with undone(founded.web3):
        yield founded


@pytest.fixture(scope="session", params=devnet.UNSEALED)
def credit_founded(request: pytest.FixtureRequest, artifacts: dict[str, dict[str, Any]]) -> Iterator[CreditAlliance]:
    with devnet.running(request.param) as chain:
        yield found_credit(Web3(HTTPProvider(chain.rpc)), artifacts)


@pytest.fixture
def credit(credit_founded: CreditAlliance) -> Iterator[CreditAlliance]:
    """An alliance with a credit register, whose every change is undone after the test."""
    with undone(credit_founded.web3):
        yield credit_founded


@pytest.fixture(scope="session", params=devnet.UNSEALED)
def tenders_founded(request: pytest.FixtureRequest, artifacts: dict[str, dict[str, Any]]) -> Iterator[TenderAlliance]:
    with devnet.running(request.param) as chain:
        yield found_tenders(Web3(HTTPProvider(chain.rpc)), artifacts)


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
