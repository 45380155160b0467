"""Two chains of different makers, each one process a session, spoken to in raw JSON-RPC as any reader would."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ledger_service.chain.devnet.process import free_port

BIN = Path(__file__).parents[2] / "hardhat-free-devnet" / "node_modules" / ".bin"
COMMANDS = {
    "anvil": "anvil --host 127.0.0.1 --port {port} --chain-id 31337 --hardfork london --base-fee 0 --gas-price 0"
    " --prune-history 100 --silent",
    "ganache": "ganache --server.host 127.0.0.1 --server.port {port} --chain.chainId 31337 --chain.hardfork berlin"
    " --miner.defaultGasPrice 0 --wallet.deterministic --logging.quiet",
}


class Node:
    """A chain's JSON-RPC, with accounts that it signs for."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url

    def rpc(self, method: str, *params: object) -> Any:
        """The result of one call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            answer = json.load(response)
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, to: str | None, data: str, **fields: str) -> str:
        """The hash of a transaction from the first account."""
        sender = self.rpc("eth_accounts")[0]
        target = {"to": to} if to else {}
        return str(
            self.rpc(
                "eth_sendTransaction",
                {"from": sender, "data": data, "gas": hex(5_000_000), "gasPrice": "0x0"} | target | fields,
            )
        )

    def in_one_block(self, transactions: list[dict[str, str]]) -> list[str]:
        """The hashes of transactions that one block holds, from the first account where they do not say."""
        first = self.rpc("eth_accounts")[0]
        nonce = int(self.rpc("eth_getTransactionCount", first, "latest"), 16)
        self._mine_by_itself(on=False)
        sent = []
        for transaction in transactions:
            fields = {"nonce": hex(nonce)} | transaction if "from" not in transaction else dict(transaction)
            nonce += "from" not in transaction
            sent.append(self.send(fields.pop("to", first), fields.pop("data"), **fields))
        self.rpc("evm_mine")
        self._mine_by_itself(on=True)
        return sent

    def _mine_by_itself(self, *, on: bool) -> None:
        if self.name == "anvil":
            self.rpc("evm_setAutomine", on)
        else:
            self.rpc("miner_start" if on else "miner_stop")

    def receipt(self, transaction: str) -> dict[str, Any]:
        """The receipt of a transaction, as soon as it is mined."""
        deadline = time.monotonic() + 20
        while (receipt := self.rpc("eth_getTransactionReceipt", transaction)) is None:
            assert time.monotonic() < deadline, "not mined within 20 s"
            time.sleep(0.02)
        assert receipt["status"] == "0x1", receipt
        return dict(receipt)

    def deploy(self, code: str) -> str:
        """The address of a new contract."""
        return str(self.receipt(self.send(None, code))["contractAddress"])

    def block_receipts(self, block: dict[str, Any]) -> list[dict[str, Any]]:
        """All receipts of a block, in order."""
        return [self.rpc("eth_getTransactionReceipt", transaction) for transaction in block["transactions"]]


@pytest.fixture(scope="session", params=["anvil", "ganache"])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    with running(request.param) as node:
        yield node


@contextmanager
def running(name: str) -> Iterator[Node]:
    port = free_port()
    command, *arguments = COMMANDS[name].format(port=port).split()
    process = subprocess.Popen([BIN / command, *arguments], stdout=subprocess.DEVNULL)
    try:
        node = Node(name, f"http://127.0.0.1:{port}")
        _await_answer(node, process)
        yield node
    finally:
        process.terminate()
        process.wait(20)


def _await_answer(node: Node, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            node.rpc("eth_chainId")
            return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, f"{node.name} does not start"
            assert time.monotonic() < deadline, f"{node.name} does not answer"
            time.sleep(0.05)
