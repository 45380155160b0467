"""One member's service as a process on a chain of its own, clients that load it, and what must hold after any fault."""

import os
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
from auditor import Audit, audit, root_of

from anchors.network import Member as NetworkMember
from anchors.network import Network, parse_network
from anchors.notes import Verifier
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG, contract
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc, fields
from ledger_service.chain.transactions import call
from ledger_service.demo.alliance import found
from ledger_service.demo.processes import Service, service_settings

DEADLINE = 240.0  # seconds: what takes a few may take minutes where other suites load the machine
SEALED_SECONDS = 5.0  # a block is sealed within 2.5 s after a signer began with it


class Member:
    """One member's service on a chain of its own, as a process that can be killed."""

    def __init__(self, node: devnet.Devnet, directory: Path, slots: int = 64) -> None:
        self.node = node
        self.service = Service(f"http://127.0.0.1:{devnet.free_port()}", directory / "keys" / "operator.key")
        founding = found(directory / "keys", node.consensus, node.validators)
        deploy_from_file(node.rpc, founding.alliance_file, directory / "network.json")
        settings = service_settings(node.rpc, founding, directory, self.service)
        self._environment = os.environ | settings | {"BIDLEDGER_SLOTS": str(slots), "BIDLEDGER_PERIOD_SECONDS": "1"}
        self._client = httpx.Client(base_url=self.service.url, timeout=DEADLINE)
        self.database = directory / "data" / "bidledger.sqlite"
        self.network_file = directory / "network.json"
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
            command, env=environment, stdout=output, stderr=output, timeout=DEADLINE, check=False
        ).returncode

    def end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=DEADLINE)

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
        return parse_network(self.network_file.read_bytes())

    def problems(self) -> set[str]:
        """What the status says is wrong."""
        return set(self.details())

    def details(self) -> dict[str, str]:
        """What the status says is wrong, in words."""
        status = self.get("/v1/status")
        return {condition["problem"]: condition["detail"] for condition in status["conditions"]} if status else {}


def wait_until(holds: Callable[[], object], seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def stop_sealing(signers: list[Rpc]) -> set[object]:
    """Stop signers of Clique, which still seal what is under way; the hashes of their heads once those stay."""
    for signer in signers:
        signer.call("miner_stop")
    heads, since = set[object](), time.monotonic()
    while time.monotonic() < since + SEALED_SECONDS:
        before, heads = heads, {fields(one.call("eth_getBlockByNumber", "latest", False))["hash"] for one in signers}
        if heads != before:
            since = time.monotonic()
        time.sleep(0.1)
    return heads


def sichuan(network: Network) -> NetworkMember:
    return next(one for one in network.members if one.code == "sichuan")


class Load:
    """Clients that submit, whether or not there is a service, and keep the receipts that they get."""

    def __init__(self, member: Member, clients: int, pause: float) -> None:
        self.receipts: list[dict[str, Any]] = []
        self._member = member
        self._clients = clients
        self._pause = pause  # of each client between two requests, in seconds
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._submit) for _ in range(self._clients)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._stop.set()
            for client in clients:
                client.join()

    def _submit(self) -> None:
        while not self._stop.wait(self._pause):
            receipt = self._member.submit()
            if receipt is not None:
                self.receipts.append(receipt)


def anchored_sizes(member: Member) -> list[int]:
    anchors = member.get("/v1/members/sichuan/anchors?limit=1000")
    return [anchor["size"] for anchor in anchors["anchors"]] if anchors else []


def continued(before: Audit, after: Audit, receipts: list[dict[str, Any]]) -> Audit:
    """The later audit, which must hold the earlier tree, and every receipted commitment at its index."""
    assert root_of(after.leaves[: before.size]) == before.root
    for receipt in receipts:
        assert after.leaves[receipt["index"]].hex() == receipt["commitment"][2:]
    return after


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
