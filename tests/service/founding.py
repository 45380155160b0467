"""A small alliance on a real chain, and what its members do there, for tests of everything that faces the chain."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from anchors.merkle import Levels, consistency_path
from anchors.network import Network
from anchors.receipt import ReceiptBatch, batch_entry, batch_tree
from ledger_service import keys
from ledger_service.chain import transactions
from ledger_service.chain.contracts import EVIDENCE_LOG, REGISTRY, contract
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.keys import EthereumKey

CODES = ("chongqing", "sichuan", "guizhou", "yunnan")  # three of four voices carry a vote, and three endorse
MINED_SECONDS = 20.0
GAS = 12_000_000
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Founded:
    """An alliance with all keys at hand; members are named by their numbers from 1."""

    network: Network
    members: dict[int, keys.MemberKeys]
    opened: dict[tuple[int, str], EthereumKey]

    def address(self, name: str) -> bytes:
        return self.network.contracts_named(name)[-1].address

    def send(self, rpc: Rpc, key: EthereumKey, name: str, function: str, *arguments: object) -> transactions.Mined:
        """Send a transaction to one of the contracts and wait until it is mined."""
        return self.send_data(rpc, key, name, contract(name).call_data(function, *arguments))

    def send_data(self, rpc: Rpc, key: EthereumKey, name: str, data: bytes) -> transactions.Mined:
        """The same with a call that is encoded. What is refused is not sent; that is asked by one call, since ganache
        runs one twenty times to estimate its gas."""
        to, nonce = self.address(name), transactions.next_nonce(rpc, key.address)
        asked = {"from": "0x" + key.address.hex(), "to": "0x" + to.hex(), "data": "0x" + data.hex(), "gasPrice": "0x0"}
        rpc.call("eth_call", asked, "latest")
        signed = transactions.sign(key, to, data, chain=self.network.chain_id, nonce=nonce, gas=GAS)
        transactions.broadcast(rpc, signed.raw)
        return transactions.wait_mined(rpc, signed.hash, MINED_SECONDS)

    def ask(self, rpc: Rpc, name: str, function: str, *arguments: object) -> tuple[Any, ...]:
        """What a contract's view answers."""
        data = contract(name).call_data(function, *arguments)
        return contract(name).result(function, transactions.call(rpc, self.address(name), data))

    def anchor(self, rpc: Rpc, member: int, tree: "Tree", size: int) -> transactions.Mined:
        """Anchor the first `size` leaves of a member's log."""
        _, old, *_ = self.ask(rpc, EVIDENCE_LOG, "checkpoint", member)
        proof = tree.consistency(old, size) if old else []
        key = self.opened[member, "anchorer"]
        return self.send(rpc, key, EVIDENCE_LOG, "anchor", size, tree.root(size), proof)

    def vote(self, rpc: Rpc, name: str, function: str, *arguments: object) -> int:
        """Propose a call, approve it by the three first members, execute it; the proposal's number."""
        data = contract(name).call_data(function, *arguments)
        governors = [self.opened[number, "governor"] for number in (1, 2, 3)]
        self.send(rpc, governors[0], REGISTRY, "propose", self.address(name), data)
        number = next(n for n in range(1, 1000) if not self._exists(rpc, n + 1))
        for governor in governors[1:]:
            self.send(rpc, governor, REGISTRY, "approve", number)
        self.send(rpc, governors[0], REGISTRY, "execute", number)
        return number

    def signed_receipt(
        self, member: int, generation: int, index: int, commitment: bytes, times: tuple[int, int]
    ) -> tuple[object, ...]:
        """A receipt as the contract takes it, accepted and to be anchored at the two times."""
        root = batch_tree([batch_entry(index, commitment)]).root
        log = self.address(EVIDENCE_LOG)
        batch = ReceiptBatch(log, member, generation, root, 1, *times)
        signature = self.opened[member, "receipt-signer"].sign(batch.digest(self.network.chain_id))
        return (member, generation, root, 1, *times, index, commitment, 0, [], signature)

    def _exists(self, rpc: Rpc, proposal: int) -> bool:
        (found,) = self.ask(rpc, REGISTRY, "proposal", proposal)
        return bool(found[1])  # when it lapses; 0 for none


class Tree:
    """The leaves of a member's log, in memory."""

    def __init__(self, name: bytes) -> None:
        self._name = name

    def entries(self, size: int) -> list[bytes]:
        return [self._name.ljust(24, b"-") + index.to_bytes(8, "big") for index in range(size)]

    def root(self, size: int) -> bytes:
        return Levels.over(self.entries(size)).root

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return Levels.over(self.entries(size)).path(index)

    def consistency(self, old: int, new: int) -> list[bytes]:
        entries = self.entries(new)
        return list(
            consistency_path(
                old, new, lambda level, index: Levels.over(entries[index << level : (index + 1) << level]).root
            )
        )


def found(url: str, folder: Path) -> Founded:
    """Found the alliance by the public way: an alliance file, keystores, `deploy_from_file`."""
    members = {number: keys.make_member_keys(folder / code) for number, code in enumerate(CODES, start=1)}
    alliance_file = folder / "alliance.json"
    alliance_file.write_text(json.dumps(alliance(members)))
    network = deploy_from_file(url, alliance_file, folder / "network.json")
    opened = {
        (number, role): keys.open_ethereum_key(path, made.password_file)
        for number, made in members.items()
        for role, path in made.keystores.items()
    }
    return Founded(network, members, opened)


def alliance(members: dict[int, keys.MemberKeys]) -> dict[str, object]:
    """An alliance file of these members, the first one's governor deploying."""
    keystores = [
        {"keystore": str(made.keystores["governor"]), "password_file": str(made.password_file)}
        for made in members.values()
    ]
    return {
        "format": "bidledger/alliance/v1",
        "alliance": "西部",
        "domain": "west.example",
        "consensus": "development",
        "members": [
            {
                "number": number,
                "code": CODES[number - 1],
                "name": f"{CODES[number - 1]} 中心",
                "log_key": "0x" + made.log_public_key.hex(),
                "operators": [{"address": "0x" + a.hex(), "role": role} for role, a in made.addresses.items()],
            }
            for number, made in members.items()
        ],
        "deployer": keystores[0],
        "governors": keystores,
    }


def indexer(engine: Engine, rpc: Rpc, founded: Founded) -> Indexer:
    return Indexer(engine, rpc, Followed.pinned(founded.network), lambda: NOW)


def catch_up(follower: Indexer) -> None:
    """Step until there is nothing more to follow."""
    for _ in range(100):
        if not follower.step():
            return
    raise AssertionError("the index does not come to an end")


def later(rpc: Rpc, seconds: int) -> None:
    """Move the chain's clock on."""
    rpc.call("evm_increaseTime", seconds)
    rpc.call("evm_mine")


def block_time(rpc: Rpc, block: str = "latest") -> int:
    return quantity(fields(rpc.call("eth_getBlockByNumber", block, False))["timestamp"])
