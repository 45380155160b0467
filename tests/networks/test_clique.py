"""Four geth signers as a development network: what they seal, what they take, and that they come back from faults."""

import itertools
import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import bidledger
from member import DEADLINE, stop_sealing, wait_until

from anchors.chain.header import Header, header_of_block
from anchors.seals import needed_seals, sealers
from ledger_service.chain import devnet, transactions
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.devnet import clique
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.demo.alliance import found
from ledger_service.errors import Exit, InvalidContent
from ledger_service.keys import EthereumKey, make_ethereum_key, make_password

STALL_SECONDS = 10.0


@pytest.fixture(scope="module")
def directory(geth: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a chain that runs, started as a user starts it."""
    where = tmp_path_factory.mktemp("devnet")
    started = bidledger("devnet", "up", "--chain", "clique", "--dir", where)
    assert started.returncode == 0, started.stderr
    yield where / "clique"
    stopped = bidledger("devnet", "down", "--chain", "clique", "--dir", where, "--json")
    assert json.loads(stopped.stdout) == {"stopped": True}


@pytest.fixture
def chain(directory: Path) -> devnet.Devnet:
    """The chain, with all of its signers up."""
    return devnet.up("clique", directory)


@pytest.fixture
def nodes(chain: devnet.Devnet) -> Iterator[list[Rpc]]:
    opened = [Rpc(node.rpc) for node in chain.nodes]
    yield opened
    for each in opened:
        each.close()


@pytest.fixture
def key(tmp_path: Path) -> EthereumKey:
    """The key of somebody who owns nothing."""
    make_password(tmp_path / "password")
    return make_ethereum_key(tmp_path / "key.json", tmp_path / "password")


def header(rpc: Rpc, block: str) -> Header:
    return header_of_block(fields(rpc.call("eth_getBlockByNumber", block, False)), "clique")


def head(rpc: Rpc) -> int:
    return quantity(rpc.call("eth_blockNumber"))


def send(rpc: Rpc, key: EthereumKey, chain: devnet.Devnet) -> bytes:
    """Send a transfer of nothing; its hash."""
    nonce = transactions.next_nonce(rpc, key.address)
    signed = transactions.sign(key, bytes(20), b"", chain=chain.chain_id, nonce=nonce, gas=21_000)
    transactions.broadcast(rpc, signed.raw)
    return signed.hash


def grow(directory: Path, nodes: list[Rpc], block: int) -> None:
    """Wait until all nodes are past a block; an operator ends the deadlock that signers can come to by chance."""
    deadline = time.monotonic() + DEADLINE
    stalled_at, heads = time.monotonic() + STALL_SECONDS, list(map(head, nodes))
    while min(heads) <= block:
        assert time.monotonic() < deadline, f"{heads}, not past {block}"
        before, heads = heads, list(map(head, nodes))
        if heads != before:
            stalled_at = time.monotonic() + STALL_SECONDS
        elif time.monotonic() > stalled_at:
            clique.end_deadlock(directory)
            stalled_at = time.monotonic() + STALL_SECONDS
        time.sleep(0.1)


def mined(directory: Path, nodes: list[Rpc], transaction: bytes) -> int:
    """The block of a transaction, once all nodes are past it."""
    for _ in range(20):
        grow(directory, nodes, max(map(head, nodes)))
        found = transactions.find_mined(nodes[0], transaction)
        if found is not None and found.block_number < min(map(head, nodes)):
            return found.block_number
    pytest.fail("the signers leave it out")


def test_its_status_names_four_signers_and_their_heads(directory: Path, chain: devnet.Devnet) -> None:
    told = bidledger("devnet", "status", "--chain", "clique", "--dir", directory.parent, "--json")
    status = json.loads(told.stdout)
    assert (status["running"], status["consensus"]) == (True, "clique")
    assert status["validators"] == list(chain.validators)
    assert len({(node["name"], node["rpc"], node["pid"]) for node in status["nodes"]}) == 4
    assert all(node["head"] > 0 for node in status["nodes"])


def test_each_of_the_four_seals_blocks_that_hash_as_the_headers_say(
    directory: Path, chain: devnet.Devnet, nodes: list[Rpc]
) -> None:
    grow(directory, nodes, 12)
    genesis = header(nodes[0], "0x0")
    assert genesis.extra[32:-65] == b"".join(sorted(bytes.fromhex(each[2:]) for each in chain.validators))
    blocks = [header(nodes[0], hex(number)) for number in range(1, 12)]
    assert {f"0x{signer.hex()}" for block in blocks for signer in sealers(block)} == set(chain.validators)
    base_fees = [fields(rpc.call("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas") for rpc in nodes]
    assert base_fees == [None] * 4


def test_a_transaction_at_a_price_of_zero_is_relayed_and_sealed_by_others(
    directory: Path, chain: devnet.Devnet, nodes: list[Rpc], key: EthereumKey
) -> None:
    for node, validator in zip(nodes, chain.validators, strict=True):
        for _ in range(20):  # it seals one in four itself
            block = mined(directory, nodes, send(node, key, chain))
            (signer,) = sealers(header(node, hex(block)))
            if f"0x{signer.hex()}" != validator:
                break
        else:
            pytest.fail(f"nobody but {validator} seals what it is sent")


def test_nobody_listens_beyond_the_loopback_interface(chain: devnet.Devnet) -> None:
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6", "udp", "udp6")]
    local = {row.split()[9]: row.split()[1].partition(":")[0] for row in itertools.chain(*tables)}
    for node in chain.nodes:
        opened = [os.readlink(entry) for entry in Path(f"/proc/{node.pid}/fd").iterdir() if entry.is_symlink()]
        inodes = {name[8:-1] for name in opened if name.startswith("socket:[")}
        addresses = {local[inode] for inode in inodes if inode in local}
        assert addresses == {"0100007F"}, "127.0.0.1 in the kernel's spelling"


def test_only_its_owner_can_read_a_signers_secrets(directory: Path) -> None:
    for secret in ("password", "keystore/signer.json", "nodekey"):
        for path in directory.glob(f"signer*/{secret}"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_down_and_up_again_it_goes_on_with_all_states(
    directory: Path, chain: devnet.Devnet, nodes: list[Rpc], key: EthereumKey
) -> None:
    block = mined(directory, nodes, send(nodes[0], key, chain))
    grow(directory, nodes, block + 2)
    before = header(nodes[0], hex(block)).hash
    assert devnet.down(directory)
    assert devnet.status(directory).as_json() == {"running": False, "head": None}
    again = devnet.up("clique", directory)
    assert [node.rpc for node in again.nodes] == [node.rpc for node in chain.nodes]
    for node in nodes:
        assert header(node, hex(block)).hash == before
        proof = fields(node.call("eth_getProof", f"0x{key.address.hex()}", [], hex(block)))
        assert quantity(proof["nonce"]) == 1


def test_three_go_on_without_the_fourth_and_it_catches_up(
    directory: Path, nodes: list[Rpc], chain: devnet.Devnet
) -> None:
    clique.stop_node(directory, "signer3", signal.SIGKILL)
    others = [nodes[0], nodes[1], nodes[3]]
    missed = max(map(head, others)) + 4
    grow(directory, others, missed)
    status = devnet.status(directory)
    assert [number is None for number in status.heads] == [False, False, True, False]
    assert "signer3" in str(status)
    assert "(stopped) does not answer" in str(status)
    clique.start_node(directory, "signer3")
    grow(directory, [nodes[2]], missed)
    assert header(nodes[2], hex(missed)).hash == header(nodes[0], hex(missed)).hash


def test_three_are_freed_from_two_branches_that_none_of_them_may_lengthen(
    directory: Path, chain: devnet.Devnet, nodes: list[Rpc]
) -> None:
    silent, last, next_, other = before_a_block_of_either(directory, chain, nodes)
    clique.stop_node(directory, chain.nodes[silent].name, signal.SIGKILL)
    running = [nodes[place] for place in (last, next_, other)]
    begun = head(nodes[last])
    nodes[next_].call("miner_start")
    wait_until(lambda: min(map(head, running)) == begun + 1)
    # The other one loses that block, and makes one of its own, which is too light for those that have the first.
    nodes[other].call("debug_setHead", hex(begun))
    nodes[other].call("miner_start")
    wait_until(lambda: head(nodes[other]) == begun + 1)
    nodes[last].call("miner_start")
    assert header(nodes[other], "latest").hash != header(nodes[next_], "latest").hash
    clique.end_deadlock(directory)
    wait_until(lambda: min(map(head, running)) > begun + 1)
    clique.start_node(directory, chain.nodes[silent].name)


def before_a_block_of_either(directory: Path, chain: devnet.Devnet, nodes: list[Rpc]) -> tuple[int, int, int, int]:
    """Stop all on one block. The places of who sealed the one before it, of who sealed it, of whose turn is the next
    one, and of the one that may seal that one too, though it is not its turn."""
    by_turn = sorted(chain.validators)
    for _ in range(20):
        heads = stop_sealing(nodes)
        number = head(nodes[0])
        recent = [*(sealers(header(nodes[0], hex(each))) for each in (number - 1, number))]
        silent, last = (chain.validators.index(f"0x{signer.hex()}") for (signer,) in recent)
        next_ = chain.validators.index(by_turn[(number + 1) % len(by_turn)])
        if next_ not in (silent, last) and len(heads) == 1:
            (other,) = {0, 1, 2, 3} - {silent, last, next_}
            return silent, last, next_, other
        for node in nodes:
            node.call("miner_start")
        grow(directory, nodes, max(map(head, nodes)))
    pytest.fail("it was never so that a signer's turn came which had not sealed lately")


def test_who_is_cut_off_stands_still_is_left_alone_and_follows_once_healed(
    directory: Path, chain: devnet.Devnet, nodes: list[Rpc]
) -> None:
    grow(directory, nodes, max(map(head, nodes)))
    recent = [sealers(header(nodes[0], hex(head(nodes[0]) - back))) for back in (0, 1)]
    may_sign = [each for each in chain.validators if not any(bytes.fromhex(each[2:]) in sealed for sealed in recent)]
    place = chain.validators.index(may_sign[0])  # one that has a block to make on its own
    alone, others = nodes[place], [node for node in nodes if node is not nodes[place]]
    clique.partition(directory, {chain.nodes[place].name})
    cut_at = head(alone)
    grow(directory, others, cut_at + 3)
    assert head(alone) <= cut_at + 1, "a signer may sign one of three blocks"
    left = header(alone, "latest").hash
    clique.end_deadlock(directory)
    assert header(alone, "latest").hash == left
    clique.heal(directory, {chain.nodes[place].name})
    grow(directory, [alone], cut_at + 3)
    assert header(alone, hex(cut_at + 2)).hash == header(others[0], hex(cut_at + 2)).hash


def test_a_signer_that_does_not_mine_is_started_again(directory: Path, chain: devnet.Devnet, nodes: list[Rpc]) -> None:
    nodes[1].call("miner_stop")
    wait_until(lambda: nodes[1].call("eth_mining") is False)
    clique.end_deadlock(directory)
    assert nodes[1].call("eth_mining") is True
    now = devnet.status(directory).devnet
    assert now is not None
    assert {one.name for one, other in zip(now.nodes, chain.nodes, strict=True) if one.pid != other.pid} == {"signer2"}
    grow(directory, nodes, max(map(head, nodes)) + 1)


def test_a_network_file_pins_its_validators_where_the_chain_has_them(
    chain: devnet.Devnet, nodes: list[Rpc], tmp_path: Path
) -> None:
    founding = found(tmp_path / "keys", chain.consensus, chain.validators)
    network = deploy_from_file(chain.rpc, founding.alliance_file, tmp_path / "network.json")
    (pinned,) = network.validators
    assert {f"0x{address.hex()}" for address in pinned.addresses} == set(chain.validators)
    assert (network.consensus, pinned.to_block) == ("clique", None)
    assert network.genesis_hash == header(nodes[0], "0x0").hash
    created = max(contract.from_block for contract in network.contracts)
    assert head(nodes[0]) >= created + needed_seals("clique", len(chain.validators))


def test_other_validators_than_the_chain_has_are_refused(chain: devnet.Devnet, tmp_path: Path) -> None:
    founding = found(tmp_path / "keys", chain.consensus, [*chain.validators[1:], "0x" + "11" * 20])
    with pytest.raises(InvalidContent, match=chain.validators[0]):
        deploy_from_file(chain.rpc, founding.alliance_file, tmp_path / "network.json")
    assert not (tmp_path / "network.json").exists()


@pytest.mark.parametrize("said", [None, "geth version 1.14.0-stable"])
def test_without_its_geth_the_build_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if said:
        program = tmp_path / "bidledger" / "geth-1.13.15" / "geth"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho '{said}'\n")
        program.chmod(0o755)
    outcome = bidledger("devnet", "up", "--chain", "clique", "--dir", tmp_path / "devnet")
    assert outcome.returncode == Exit.USAGE
    assert "scripts/geth" in outcome.stderr
    assert not (tmp_path / "devnet").exists(), "the same command works once it is built"
