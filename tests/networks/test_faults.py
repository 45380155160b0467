"""The whole service under faults: killed under load, without its chain, on a chain that turns back."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from member import Load, Member, anchored_sizes, anchors_on_chain, check_states, continued, wait_until

from ledger_service.chain import devnet
from ledger_service.chain.rpc import Rpc, fields, items
from ledger_service.errors import Exit
from ledger_service.keys import make_secret

KILLS = 20
START_KILLS = 5  # more of them, before the service is ready
CLIENTS = 2
PAUSE = 0.03  # seconds


@pytest.fixture(params=["anvil", "ganache"])
def member(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Member]:
    with devnet.running(request.param, block_seconds=1) as node:
        running = Member(node, tmp_path)
        running.start()
        try:
            yield running
        finally:
            running.end(signal.SIGTERM)


@pytest.mark.parametrize("member", ["anvil"], indirect=True)
def test_a_period_secret_that_the_log_did_not_commit_to_ends_as_key_trouble(member: Member, tmp_path: Path) -> None:
    member.end(signal.SIGTERM)
    other = tmp_path / "other-secret.json"
    make_secret(other, tmp_path / "keys" / "sichuan" / "password")
    assert member.exit_code(PERIOD_SECRET_FILE=str(other)) == Exit.KEY_TROUBLE
    member.start()


@pytest.mark.parametrize("member", ["anvil"], indirect=True)
def test_killed_under_load_it_keeps_every_receipt_and_anchors_nothing_twice(member: Member) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(2**32)))
    print(f"KILL_SEED={seed} gives these kills again")
    chance = random.Random(seed)
    starting = set(chance.sample(range(KILLS), START_KILLS))
    load, before, anchored = Load(member, CLIENTS, PAUSE), member.audit(), anchored_sizes(member)
    with load.running():
        for kill in range(KILLS):
            time.sleep(chance.uniform(0.0, 1.5))
            member.end(signal.SIGKILL)
            given = list(load.receipts)
            if kill in starting:
                member.spawn()
                time.sleep(chance.uniform(0.5, 2.0))
                member.end(signal.SIGKILL)
            member.start()
            before = continued(before, member.audit(), given)
            anchored = anchored_further(member, anchored, by=int(kill % 4 == 3))
            print(f"kill {kill}: {len(given)} receipts, log of {before.size}, {len(anchored)} anchors")
    last = max(receipt["index"] for receipt in load.receipts)
    wait_until(lambda: anchored_sizes(member)[-1:] > [last])
    continued(before, member.audit(), load.receipts)
    check_states(member, load.receipts)
    wait_until(lambda: member.problems() == set())
    # The index follows the contract, which goes on counting; had it counted an anchor twice, they would never meet.
    wait_until(lambda: len(anchored_sizes(member)) == anchors_on_chain(member))
    sizes = anchored_further(member, anchored)
    assert len(sizes) > KILLS // 2
    print(f"{KILLS + START_KILLS} kills, {len(load.receipts)} receipts, {len(sizes)} anchors up to {sizes[-1]} leaves")


def anchored_further(member: Member, before: list[int], by: int = 0) -> list[int]:
    """The sizes that are anchored now: what was, and at least that many larger ones, each once."""
    wait_until(lambda: len(anchored_sizes(member)) >= len(before) + by)
    sizes = anchored_sizes(member)
    assert sizes[: len(before)] == before
    assert sizes == sorted(set(sizes))
    return sizes


def test_without_its_chain_it_accepts_says_so_and_resumes(member: Member) -> None:
    wait_until(lambda: anchored_sizes(member))
    os.kill(member.node.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: "chain-unreachable" in member.problems())
        receipt = member.submit()
        assert receipt is not None
    finally:
        os.kill(member.node.pid, signal.SIGCONT)
    wait_until(lambda: (member.get(f"/v1/evidence/{receipt['commitment']}") or {}).get("state") == "final")
    wait_until(lambda: member.problems() == set())


def turn_back(member: Member, rpc: Rpc) -> tuple[str, int]:
    """Turn the chain back below the anchor of a new commitment; returns its route and the index of its receipt.

    A transaction that the old branch did not have makes the new one another: blocks that are mined again with the same
    content and time would be the same. Close to a block anvil undoes a revert, so it is tried until it held.
    """
    for _ in range(10):
        snapshot = rpc.call("evm_snapshot")
        receipt = member.submit()
        assert receipt is not None
        path = f"/v1/evidence/{receipt['commitment']}"
        wait_until(lambda path=path: (member.get(path) or {}).get("anchor"))
        number = hex(member.get(path)["anchor"]["block_number"])
        before = rpc.call("eth_getBlockByNumber", number, False)
        with no_block_meanwhile(member, rpc):
            rpc.call("evm_revert", snapshot)
            stranger = items(rpc.call("eth_accounts"))[0]
            rpc.call("eth_sendTransaction", {"from": stranger, "to": stranger, "gas": "0x5208", "gasPrice": "0x0"})
        wait_until(lambda number=number: rpc.call("eth_getBlockByNumber", number, False))
        if fields(rpc.call("eth_getBlockByNumber", number, False))["hash"] != fields(before)["hash"]:
            return path, receipt["index"]
    pytest.fail("the chain did not turn back")


@contextmanager
def no_block_meanwhile(member: Member, rpc: Rpc) -> Iterator[None]:
    """Let ganache begin no block: one that it begins while it turns back follows the last of those that it takes back,
    and between the two there are never any blocks again."""
    if member.node.chain != "ganache":
        yield
        return
    rpc.call("miner_stop")
    try:
        yield
    finally:
        rpc.call("miner_start")


def test_when_the_chain_turns_back_the_same_checkpoints_are_anchored_again(member: Member) -> None:
    wait_until(lambda: anchored_sizes(member))
    with Rpc(member.node.rpc) as rpc:
        path, index = turn_back(member, rpc)
    wait_until(lambda: (member.get("/v1/status") or {"chain": {"reorganisations": 0}})["chain"]["reorganisations"])
    wait_until(lambda: (member.get(path) or {}).get("state") == "final")
    assert member.get(path)["index"] == index
    wait_until(lambda: member.get(f"{path}/proof"))
