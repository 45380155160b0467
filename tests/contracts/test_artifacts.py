"""The artifacts are what the sources compile to, fit the chain's limits, and cost what was promised."""

from typing import Any

import pytest
from founded_alliance import Alliance
from rfc6962 import UniformTree

from ledger_service.chain.compile import ARTIFACTS, compile_contracts
from ledger_service.chain.contracts import WITH_ARTIFACTS

EIP_170_BYTES = 24_576
MILLION = 1_000_000


def test_the_artifacts_are_what_the_sources_compile_to() -> None:
    assert {f"{name}.json": content for name, content in compile_contracts().items()} == {
        path.name: path.read_bytes() for path in ARTIFACTS.iterdir()
    }


@pytest.mark.parametrize("name", WITH_ARTIFACTS)
def test_a_contract_fits_the_size_limit(artifacts: dict[str, dict[str, Any]], name: str) -> None:
    assert len(bytes.fromhex(artifacts[name]["deployedBytecode"][2:])) <= EIP_170_BYTES


def test_a_thousand_leaves_on_a_log_of_a_million_cost_what_was_promised(alliance: Alliance) -> None:
    tree = UniformTree(b"\x2a" * 32)
    alliance.anchor(1, tree, MILLION)
    receipt = alliance.anchor(1, tree, MILLION + 1_000, old=MILLION)
    assert receipt["gasUsed"] <= 55_000
