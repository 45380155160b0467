"""An alliance of four members on a real chain, and how a test acts in it: send, be refused, vote, let time pass.

Receipts are signed by eth-account from the typed data as EIP-712 describes it: nothing here shares code with what is
tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import requests
from eth_account import Account
from eth_account.signers.local import LocalAccount
from rfc6962 import Tree
from typed_data import receipt_batch
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.exceptions import ContractCustomError
from web3.types import TxReceipt, Wei

GOVERNOR, ANCHORER, RECEIPT_SIGNER, CREDIT_PUBLISHER, REGULATOR = range(5)
NONE, ACTIVE, SUSPENDED, WITHDRAWN = range(4)
SEATS = 4
DAY = 86_400
NOTICE = 2 * DAY
LIFETIME = 30 * DAY
RECEIPT_DAYS = 90
FREE = Wei(0)  # the price of gas


def key(name: str) -> LocalAccount:
    """The account that a test means by this name."""
    return Account.from_key(Web3.keccak(text=name))


def word(text: str) -> bytes:
    """ASCII, left-aligned in 32 bytes."""
    return text.encode().ljust(32, b"\0")


def entries(count: int, *, seed: str = "leaf") -> list[bytes]:
    return [bytes(Web3.keccak(text=f"{seed} {n}")) for n in range(count)]


@dataclass(frozen=True)
class Receipt:
    """A receipt as a bidder holds it."""

    member: int
    generation: int
    root: bytes
    count: int
    accepted_at: int
    anchor_by: int
    index: int
    commitment: bytes
    position: int
    path: Sequence[bytes]
    signature: bytes = b""

    def as_argument(self) -> tuple[Any, ...]:
        return (*self._facts, self.index, self.commitment, self.position, list(self.path), self.signature)

    def signed_by(self, signer: LocalAccount, log: str, chain_id: int) -> "Receipt":
        signature = signer.sign_typed_data(*receipt_batch(chain_id, log, *self._facts)).signature
        return replace(self, signature=bytes(signature))

    @property
    def _facts(self) -> tuple[Any, ...]:
        return (self.member, self.generation, self.root, self.count, self.accepted_at, self.anchor_by)


@dataclass(frozen=True)
class Alliance:
    """Members 1 to 4; each has a governor, an anchorer and a receipt signer."""

    web3: Web3
    registry: Contract
    log: Contract

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """Whose errors a refusal may have."""
        return (self.registry, self.log)

    @staticmethod
    def governor(member: int) -> LocalAccount:
        return key(f"governor {member}")

    @staticmethod
    def anchorer(member: int) -> LocalAccount:
        return key(f"anchorer {member}")

    @staticmethod
    def signer(member: int) -> LocalAccount:
        return key(f"signer {member}")

    @property
    def now(self) -> int:
        return self.web3.eth.get_block("latest")["timestamp"]

    def pass_time(self, seconds: int) -> None:
        for method, arguments in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            answer = self.web3.provider.make_request(method, arguments)  # type: ignore[arg-type]
            assert "error" not in answer, answer

    def send(self, account: LocalAccount, call: ContractFunction) -> TxReceipt:
        receipt = send(self.web3, account, call.build_transaction(_terms(self.web3, account)))
        assert receipt["status"] == 1, self.refusal(account, call)
        return receipt

    def refusal(self, account: LocalAccount, call: ContractFunction) -> str:
        """The name of the error with which the call is refused, or of what happened instead."""
        try:
            call.call({"from": account.address, "gas": 10_000_000, "gasPrice": FREE})
        except ContractCustomError as refused:
            data = bytes.fromhex(str(refused.data)[2:])
            return next((e for e, selector in self._errors().items() if data.startswith(selector)), f"0x{data.hex()}")
        return "accepted"

    def vote(self, call: ContractFunction) -> TxReceipt:
        """Propose, approve and execute with as many voices as it takes."""
        number = self.propose(1, call)
        for member in (2, 3):
            self.approve(member, number)
        return self.execute(1, number)

    def propose(self, member: int, call: ContractFunction) -> int:
        return self.propose_as(self.governor(member), call)

    def propose_as(self, governor: LocalAccount, call: ContractFunction) -> int:
        return self._proposed(governor, self.proposing(call))

    def propose_raw(self, member: int, target: str, data: bytes) -> int:
        """Propose a call that no contract of the alliance has."""
        return self._proposed(self.governor(member), self.registry.functions.propose(target, data))

    def proposing(self, call: ContractFunction) -> ContractFunction:
        data = call.build_transaction({"gas": 1, "gasPrice": FREE})["data"]
        return self.registry.functions.propose(call.address, data)

    def approve(self, member: int, number: int) -> TxReceipt:
        return self.send(self.governor(member), self.registry.functions.approve(number))

    def execute(self, member: int, number: int) -> TxReceipt:
        return self.send(self.governor(member), self.registry.functions.execute(number))

    def refused_vote(self, call: ContractFunction) -> str:
        """The error with which an approved call is refused at its execution."""
        number = self.propose(1, call)
        for member in (2, 3):
            self.approve(member, number)
        return self.refusal(self.governor(1), self.registry.functions.execute(number))

    def anchor(self, member: int, tree: Tree, size: int, *, old: int = 0) -> TxReceipt:
        return self.send(self.anchorer(member), self.anchoring(tree, size, old=old))

    def anchoring(self, tree: Tree, size: int, *, old: int = 0) -> ContractFunction:
        return self.log.functions.anchor(size, tree.root(size), tree.proof(old, size) if old else [])

    def receipt(self, member: int, index: int, commitment: bytes, **changes: Any) -> Receipt:
        """A receipt of a batch of three, by the member's own signer unless `signer` says otherwise."""
        signer = changes.pop("signer", self.signer(member))
        batch = [(index + 7, b"\1" * 32), (index, commitment), (index + 9, b"\2" * 32)]
        tree = Tree([place.to_bytes(8, "big") + promised for place, promised in batch])
        now = self.now
        plain = Receipt(member, 0, tree.root(3), 3, now, now + 600, index, commitment, 1, tree.path(1, 3))
        return replace(plain, **changes).signed_by(signer, self.log.address, self.web3.eth.chain_id)

    def _proposed(self, governor: LocalAccount, call: ContractFunction) -> int:
        receipt = self.send(governor, call)
        return int(self.registry.events.Proposed().process_receipt(receipt)[0]["args"]["id"])

    def _errors(self) -> dict[str, bytes]:
        found = {}
        for contract in self.contracts:
            for entry in contract.abi:
                if entry["type"] == "error":
                    types = ",".join(argument["type"] for argument in entry.get("inputs", ()))
                    found[entry["name"]] = bytes(Web3.keccak(text=f"{entry['name']}({types})"))[:4]
        return found


def connect(url: str) -> Web3:
    """A client that asks for the chain's id once and not before each call, and looks for no proxy."""
    session = requests.Session()
    session.trust_env = False
    return Web3(HTTPProvider(url, session=session, cache_allowed_requests=True, cacheable_requests={"eth_chainId"}))


def send(web3: Web3, account: LocalAccount, transaction: Any) -> TxReceipt:
    raw = account.sign_transaction(transaction).raw_transaction
    return web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw), poll_latency=0.01)


def deploy(web3: Web3, artifact: dict[str, Any], *arguments: Any, by: str = "deployer") -> Contract:
    """Put a contract of the artifacts on the chain."""
    factory = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    account = key(by)
    receipt = send(web3, account, factory.constructor(*arguments).build_transaction(_terms(web3, account)))
    assert receipt["status"] == 1
    return web3.eth.contract(address=receipt["contractAddress"], abi=artifact["abi"])


def new_member(name: str, operators: Sequence[tuple[str, int]] = ()) -> tuple[Any, ...]:
    return (word(name), name.capitalize(), bytes(Web3.keccak(text=f"log key of {name}")), list(operators))


def genesis_members() -> list[tuple[Any, ...]]:
    return [
        new_member(
            f"centre-{n}",
            [
                (Alliance.governor(n).address, GOVERNOR),
                (Alliance.anchorer(n).address, ANCHORER),
                (Alliance.signer(n).address, RECEIPT_SIGNER),
            ],
        )
        for n in range(1, SEATS + 1)
    ]


def found(web3: Web3, artifacts: dict[str, dict[str, Any]]) -> Alliance:
    """Deploy both contracts, and register the log by a vote."""
    registry = deploy(web3, artifacts["AllianceRegistry"], genesis_members(), [(word("receiptDays"), RECEIPT_DAYS)], [])
    log = deploy(web3, artifacts["EvidenceLog"], registry.address)
    alliance = Alliance(web3, registry, log)
    alliance.vote(registry.functions.setSystemContract(word("EvidenceLog"), log.address))
    return alliance


def _terms(web3: Web3, account: LocalAccount) -> Any:
    nonce = web3.eth.get_transaction_count(account.address)
    return {"from": account.address, "nonce": nonce, "gasPrice": FREE, "gas": 12_000_000, "chainId": 1337}
