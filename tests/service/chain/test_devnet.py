"""Development chains: up answers at once, down ends exactly that process, and a taken-over number is left alone."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ledger_service.chain import devnet
from ledger_service.chain.devnet import unsealed
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.errors import ChainUnreachable, InvalidContent, Misconfigured


@pytest.mark.parametrize("chain", devnet.UNSEALED)
def test_up_answers_and_down_ends_it(chain: str, tmp_path: Path) -> None:
    running = devnet.up(chain, tmp_path, chain_id=4242)
    try:
        assert devnet.up(chain, tmp_path) == running, "a second up is the first one's chain"
        state = devnet.status(tmp_path)
        assert state.devnet == running
        assert state.head is not None
        assert state.as_json()["running"] is True
        with Rpc(running.rpc) as rpc:
            assert quantity(rpc.call("eth_chainId")) == 4242
            base_fee = fields(rpc.call("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas", "0x0")
            assert quantity(base_fee) == 0
    finally:
        assert devnet.down(tmp_path)
    assert not devnet.down(tmp_path)
    assert devnet.status(tmp_path).as_json() == {"running": False, "head": None}
    with Rpc(running.rpc) as rpc, pytest.raises(ChainUnreachable, match="no answer"):
        rpc.call("eth_chainId")


def test_down_leaves_a_process_alone_that_took_over_the_number(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        node = {"name": "anvil", "rpc": "http://127.0.0.1:1", "process": {"pid": other.pid, "started": "1"}}
        facts = {"chain": "anvil", "chain_id": 1, "consensus": "development", "validators": [], "nodes": [node]}
        (tmp_path / "devnet.json").write_text(json.dumps(facts))
        assert devnet.status(tmp_path).devnet is None
        assert not devnet.down(tmp_path)
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"nodes": [1]}', '{"nodes": [{"process": {}}]}'])
def test_a_broken_devnet_file_is_no_chain(tmp_path: Path, content: str) -> None:
    (tmp_path / "devnet.json").write_text(content)
    assert devnet.status(tmp_path).devnet is None


def test_an_unknown_chain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match="take one of anvil, ganache, clique"):
        devnet.up("geth", tmp_path)


def test_where_anvil_is_missing_ganache_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ganache").symlink_to((unsealed.TOOLS / "ganache").resolve())
    monkeypatch.setattr(unsealed, "TOOLS", tools)
    running = devnet.up("anvil", tmp_path / "chain")
    try:
        assert running.chain == "ganache"
    finally:
        devnet.down(tmp_path / "chain")


def test_without_any_client_the_setup_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsealed, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(Misconfigured, match="scripts/setup"):
        devnet.up("anvil", tmp_path / "chain")
