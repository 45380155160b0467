"""The whole service under faults: killed under load, without its chain, on a chain that turns back."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from auditor import Audit, audit, root_of

from anchors.network import Member as NetworkMember
from anchors.network import Network, parse_network
from anchors.notes import Verifier
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG, contract
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc, fields, items
from ledger_service.chain.transactions import call
from ledger_service.demo.alliance import found
from ledger_service.demo.scenario import Service, service_settings
from ledger_service.errors import Exit
from ledger_service.keys import make_secret

KILLS = 20
START_KILLS = 5  # more of them, before the service is ready
CLIENTS = 2
DEADLINE = 60.0


class Member:
    """One member's service on a chain of its own, as a process that can be killed."""

    def __init__(self, node: devnet.Devnet, directory: Path) -> None:
        self.node = node
        self.service = Service(f"http://127.0.0.1:{devnet.free_port()}", directory / "keys" / "operator.key")
        founding = found(directory / "keys")
        deploy_from_file(node.rpc, founding.alliance_file, directory / "network.json")
        settings = service_settings(node.rpc, founding, directory, self.service)
        self._environment = os.environ | settings | {"BIDLEDGER_SLOTS": "64", "BIDLEDGER_PERIOD_SECONDS": "1"}
        self._client = httpx.Client(base_url=self.service.url, timeout=5)
        self._network_file = directory / "network.json"
        self._output = (directory / "service.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        command = [sys.executable, "-m", "ledger_service.cli", "serve"]
        self._process = subprocess.Popen(command, env=self._environment, stdout=self._output, stderr=self._output)

    def start(self) -> None:
        self.spawn()
        wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "it ended by itself; see service.log"
        return self.get("/readyz") is not None

    def exit_code(self, **settings: str) -> int:
        """How a start with other settings ends that must not succeed."""
        command = [sys.executable, "-m", "ledger_service.cli", "serve"]
        environment = self._environment | {f"BIDLEDGER_{name}": value for name, value in settings.items()}
        output = self._output
        return subprocess.run(
            command, env=environment, stdout=output, stderr=output, timeout=30, check=False
        ).returncode

    def end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)

    def get(self, path: str) -> Any:
        """The answer's JSON, or None without a good answer."""
        try:
            answer = self._client.get(path)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None

    def submit(self) -> dict[str, Any] | None:
        """The receipt of a new commitment, or None when it was not receipted."""
        try:
            answer = self._client.post("/v1/evidence", json={"commitments": [f"0x{os.urandom(32).hex()}"]})
        except httpx.HTTPError:
            return None
        return answer.json()["receipts"][0] if answer.status_code == 201 else None

    def audit(self) -> Audit:
        """All that the log has published, held against its signed checkpoint."""

        def read(path: str) -> bytes | None:
            answer = self._client.get(f"/log/{path}")
            return answer.content if answer.status_code == 200 else None

        return audit(read, Verifier.parse(sichuan(self.network()).log_keys[0].vkey))

    def network(self) -> Network:
        return parse_network(self._network_file.read_bytes())

    def problems(self) -> set[str]:
        """What the status says is wrong."""
        status = self.get("/v1/status")
        return {condition["problem"] for condition in status["conditions"]} if status else set()


def wait_until(holds: Callable[[], object], seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


@pytest.fixture(params=["anvil", "ganache"])
def member(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Member]:
    with devnet.running(request.param, block_seconds=1) as node:
        running = Member(node, tmp_path)
        running.start()
        try:
            yield running
        finally:
            running.end(signal.SIGTERM)


def anchored_sizes(member: Member) -> list[int]:
    anchors = member.get("/v1/members/sichuan/anchors?limit=1000")
    return [anchor["size"] for anchor in anchors["anchors"]] if anchors else []


@pytest.mark.parametrize("member", ["anvil"], indirect=True)
def test_a_period_secret_that_the_log_did_not_commit_to_ends_as_key_trouble(member: Member, tmp_path: Path) -> None:
    member.end(signal.SIGTERM)
    other = tmp_path / "other-secret.json"
    make_secret(other, tmp_path / "keys" / "sichuan" / "password")
    assert member.exit_code(PERIOD_SECRET_FILE=str(other)) == Exit.KEY_TROUBLE
    member.start()


def sichuan(network: Network) -> NetworkMember:
    return next(one for one in network.members if one.code == "sichuan")


class Load:
    """Clients that submit, whether or not there is a service, and keep the receipts that they get."""

    def __init__(self, member: Member) -> None:
        self.receipts: list[dict[str, Any]] = []
        self._member = member
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._submit) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._stop.set()
            for client in clients:
                client.join()

    def _submit(self) -> None:
        while not self._stop.wait(0.03):
            receipt = self._member.submit()
            if receipt is not None:
                self.receipts.append(receipt)


@pytest.mark.parametrize("member", ["anvil"], indirect=True)
def test_killed_under_load_it_keeps_every_receipt_and_anchors_nothing_twice(member: Member) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(2**32)))
    print(f"KILL_SEED={seed} gives these kills again")
    chance = random.Random(seed)
    starting = set(chance.sample(range(KILLS), START_KILLS))
    load, before, anchored = Load(member), member.audit(), anchored_sizes(member)
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
    sizes = anchored_further(member, anchored)
    assert anchors_on_chain(member) == len(sizes) > KILLS // 2
    print(f"{KILLS + START_KILLS} kills, {len(load.receipts)} receipts, {len(sizes)} anchors up to {sizes[-1]} leaves")


def continued(before: Audit, after: Audit, receipts: list[dict[str, Any]]) -> Audit:
    """The later audit, which must hold the earlier tree, and every receipted commitment at its index."""
    assert root_of(after.leaves[: before.size]) == before.root
    for receipt in receipts:
        assert after.leaves[receipt["index"]].hex() == receipt["commitment"][2:]
    return after


def anchored_further(member: Member, before: list[int], by: int = 0) -> list[int]:
    """The sizes that are anchored now: what was, and at least that many larger ones, each once."""
    wait_until(lambda: len(anchored_sizes(member)) >= len(before) + by)
    sizes = anchored_sizes(member)
    assert sizes[: len(before)] == before
    assert sizes == sorted(set(sizes))
    return sizes


def anchors_on_chain(member: Member) -> int:
    """How often the contract has taken an anchor of this member, as it counts itself."""
    network = member.network()
    data = contract(EVIDENCE_LOG).call_data("checkpoint", sichuan(network).number)
    (address,) = [pinned.address for pinned in network.contracts_named(EVIDENCE_LOG)]
    with Rpc(member.node.rpc) as rpc:
        _, _, _, count, _ = contract(EVIDENCE_LOG).result("checkpoint", call(rpc, address, data))
    return int(count)


def check_states(member: Member, receipts: list[dict[str, Any]]) -> None:
    for receipt in receipts[:: len(receipts) // 200 + 1]:
        answer = member.get(f"/v1/evidence/{receipt['commitment']}")
        assert (answer["index"], answer["state"] != "pending") == (receipt["index"], True)


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
        rpc.call("evm_revert", snapshot)
        stranger = items(rpc.call("eth_accounts"))[0]
        rpc.call("eth_sendTransaction", {"from": stranger, "to": stranger, "gas": "0x5208", "gasPrice": "0x0"})
        wait_until(lambda number=number: rpc.call("eth_getBlockByNumber", number, False))
        if fields(rpc.call("eth_getBlockByNumber", number, False))["hash"] != fields(before)["hash"]:
            return path, receipt["index"]
    pytest.fail("the chain did not turn back")


def test_when_the_chain_turns_back_the_same_checkpoints_are_anchored_again(member: Member) -> None:
    wait_until(lambda: anchored_sizes(member))
    with Rpc(member.node.rpc) as rpc:
        path, index = turn_back(member, rpc)
    wait_until(lambda: (member.get("/v1/status") or {"chain": {"reorganisations": 0}})["chain"]["reorganisations"])
    wait_until(lambda: (member.get(path) or {}).get("state") == "final")
    assert member.get(path)["index"] == index
    wait_until(lambda: member.get(f"{path}/proof"))
