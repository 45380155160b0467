"""The gas of credit records on a real chain, against a contract that stores and logs the same and looks at nothing.

"Before signatures" is what a transaction costs less what its two roles' signatures cost. That is measured in the same
run, as the difference of two calls to a contract that does nothing else: one with the two signatures, which are
checked against the registry as the register does it, and one without. It holds the signatures' own bytes, and what is
paid once for looking into the registry. What one signature more costs is the difference of a record with two
endorsements and one with one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

import solcx
from coincurve import PrivateKey
from eth_abi.abi import encode

from anchors.chain.keccak import keccak256
from anchors.credit import (
    Change,
    Kind,
    Publication,
    Record,
    State,
    changes_digest,
    fold,
    links,
    publication_digest,
)
from anchors.credit.terms import day_at
from ledger_service.chain import devnet
from ledger_service.chain.compile import ROOT
from ledger_service.chain.contracts import CREDIT_REGISTER, REGISTRY, contract
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.chain.transactions import broadcast, chain_id, next_nonce, prepare, wait_mined
from ledger_service.keys import EthereumKey
from row import Row

MEMBERS = 6
ISSUER = 1
BATCH = 50
MEASURE = 101
PUBLISHER_ROLE, REGULATOR_ROLE = 3, 4
WORD = bytes(range(1, 33))  # a digest without a zero byte: those are cheaper


@dataclass(frozen=True, slots=True)
class Costs:
    """Gas, each with that of the floor."""

    first: tuple[int, int]
    further: tuple[int, int]
    signature: tuple[int, int]
    change: tuple[int, int]
    batch: tuple[int, int]  # for each of the changes


def first() -> Row:
    """The first record of a subject, before signatures."""
    return _row("credit-first-gas", _costs().first, 66_000)


def further() -> Row:
    """The sixth record of a subject, before signatures."""
    return _row("credit-next-gas", _costs().further, 50_000)


def signature() -> Row:
    """One member's signature more; the floor recovers the key and asks nobody about it."""
    return _row("credit-sign-gas", _costs().signature, 8_000)


def change() -> Row:
    """Withdraw the last of a subject's six records, before signatures."""
    return _row("credit-change-gas", _costs().change, 50_000)


def batch() -> Row:
    """Withdraw a record of each of fifty subjects at once, before signatures; for each."""
    return _row("credit-batch-gas", _costs().batch, 22_000)


def _row(name: str, cost: tuple[int, int], most: int) -> Row:
    value, floor = cost
    return Row(name, value, "gas", floor, value / floor, f"<= {most:,}", value <= most)


@cache
def _costs() -> Costs:
    with devnet.running("anvil") as node, Rpc(node.rpc) as rpc:
        return _measure(Chain(rpc))


@dataclass
class Chain:
    """A chain with the register of an alliance, its floor, and what happened to each subject so far."""

    rpc: Rpc
    happened: dict[bytes, list[Publication]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sender, self.chain_id = _key("sender"), chain_id(self.rpc)
        members = [_member(n) for n in range(1, MEMBERS + 1)]
        parameters = [(b"measures:general".ljust(32, b"\0"), 1 << MEASURE)]
        self.registry = self.deploy(contract(REGISTRY).deployment(members, parameters, []))
        self.register = self.deploy(contract(CREDIT_REGISTER).deployment(_address(self.registry)))
        compiled = _compiled()
        self.floor = self.deploy(compiled["CreditFloor"])
        self.checks = self.deploy(compiled["SignatureChecks"] + encode(["address"], [_address(self.registry)]))

    def deploy(self, code: bytes) -> bytes:
        return self.mined(None, code)[0]

    def gas(self, to: bytes, data: bytes) -> int:
        return self.mined(to, data)[1]

    def mined(self, to: bytes | None, data: bytes) -> tuple[bytes, int]:
        """The address of the contract that was made, if one was, and the gas."""
        nonce = next_nonce(self.rpc, self.sender.address)
        signed = prepare(self.rpc, self.sender, to, data, chain=self.chain_id, nonce=nonce)
        broadcast(self.rpc, signed.raw)
        mined = wait_mined(self.rpc, signed.hash, 10)
        receipt = fields(self.rpc.call("eth_getTransactionReceipt", "0x" + signed.hash.hex()))
        return mined.contract or b"", quantity(receipt["gasUsed"])

    @property
    def now(self) -> int:
        return quantity(fields(self.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"])

    def record(self, subject: bytes) -> Record:
        """The next record of a subject, decided today."""
        day = day_at(self.now)
        earlier = len(self.happened.get(subject, []))
        document = keccak256(subject + bytes([earlier]))
        return Record(subject, ISSUER, Kind.GENERAL, day, day + timedelta(200), earlier, (MEASURE,), WORD, document)

    def publish(self, records: Sequence[Record], endorsers: Sequence[int] = ()) -> int:
        """Publish, and return the gas."""
        deadline = self.now + 3_600
        digest = publication_digest(self.register, self.chain_id, records, deadline)
        given = [(record.subject, _content(record)) for record in records]
        endorsements = [_sign(f"regulator {n}", digest) for n in endorsers]
        data = contract(CREDIT_REGISTER).call_data("publish", given, [], deadline, _pair(digest), endorsements)
        gas = self.gas(self.register, data)
        for record in records:
            self.happened.setdefault(record.subject, []).append(Publication(record, self.now))
        return gas

    def withdraw(self, subjects: Sequence[bytes]) -> int:
        """Withdraw the last record of each subject, and return the gas."""
        deadline = self.now + 3_600
        given, signed = [], []
        for subject in subjects:
            *before, last = self.happened[subject]
            *_, link = links(self.happened[subject])
            after = Change(link.record, State.WITHDRAWN, WORD, bytes(32), last.record, self.now)
            opened = (link.state, link.step, link.time, fold(before))
            given.append((subject, link.record, _content(last.record), *opened, State.WITHDRAWN, WORD, bytes(32)))
            signed.append((link.leaf(), after))
        digest = changes_digest(self.register, self.chain_id, signed, deadline)
        return self.gas(
            self.register, contract(CREDIT_REGISTER).call_data("decide", given, [], deadline, _pair(digest))
        )


def _measure(chain: Chain) -> Costs:
    warm, subject, another = keccak256(b"warm"), keccak256(b"subject"), keccak256(b"another")
    chain.publish([chain.record(warm)])  # the journal's word is never empty again
    roles = _roles(chain)
    first = chain.publish([chain.record(subject)])
    for _ in range(4):
        chain.publish([chain.record(subject)])
    further = chain.publish([chain.record(subject)])
    endorsed = [chain.publish([chain.record(another)], endorsers) for endorsers in ((), (2,), (2, 3))]
    one = chain.withdraw([subject])
    many = [keccak256(bytes([n])) for n in range(BATCH)]
    chain.publish([chain.record(each) for each in many])
    batch = chain.withdraw(many)
    floor_first, floor_further = _floor_publish(chain, subject)
    floor_one, floor_batch = _floor_change(chain, [subject]), _floor_change(chain, many)
    return Costs(
        (first - roles, floor_first),
        (further - roles, floor_further),
        (endorsed[2] - endorsed[1], _recovery(chain)),
        (one - roles, floor_one),
        ((batch - roles) // BATCH, floor_batch // BATCH),
    )


def _roles(chain: Chain) -> int:
    """What the two roles' signatures cost, and looking up their keys in the registry."""
    digest = keccak256(b"whatever is signed")
    plain = _call("nothing(uint16,bytes32)", ["uint16", "bytes32"], [ISSUER, digest])
    pair = "((bytes32,bytes32),(bytes32,bytes32))"
    checked = _call(f"pair(uint16,bytes32,{pair})", ["uint16", "bytes32", pair], [ISSUER, digest, _pair(digest)])
    return chain.gas(chain.checks, checked) - chain.gas(chain.checks, plain)


def _recovery(chain: Chain) -> int:
    digest = keccak256(b"whatever is signed")
    types = ["bytes32", "(bytes32,bytes32)[]"]
    used = [
        chain.gas(chain.checks, _call(f"recover({','.join(types)})", types, [digest, [_sign("one", digest)] * count]))
        for count in (1, 2)
    ]
    return used[1] - used[0]


def _floor_publish(chain: Chain, subject: bytes) -> tuple[int, int]:
    types = ["bytes32", "(uint256,uint256,bytes32,bytes32)"]
    content = _content(chain.record(subject))
    _, first, further = (  # the first makes the journal's word, which is never empty again
        chain.gas(chain.floor, _call(f"publish({','.join(types)})", types, [each, content]))
        for each in (keccak256(b"warm"), subject, subject)
    )
    return first, further


def _floor_change(chain: Chain, subjects: Sequence[bytes]) -> int:
    types = ["bytes32[]", "bytes32", "bytes32", "bytes32"]
    data = _call(f"change({','.join(types)})", types, [subjects, WORD, WORD, bytes(32)])
    chain.gas(chain.floor, data)  # so that no subject's word is empty
    return chain.gas(chain.floor, data)


def _compiled() -> dict[str, bytes]:
    name = "scripts/benchmarks/CreditFloor.sol"
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": (ROOT / name).read_text(encoding="utf-8")}},
            "settings": {
                "viaIR": True,
                "evmVersion": "london",
                "optimizer": {"enabled": True, "runs": 200},
                "outputSelection": {name: {"*": ["evm.bytecode.object"]}},
            },
        },
        base_path=str(ROOT),
        solc_binary=str(ROOT / "hardhat-free-devnet" / "solc"),
    )
    return {each: bytes.fromhex(made["evm"]["bytecode"]["object"]) for each, made in output["contracts"][name].items()}


def _member(number: int) -> tuple[bytes, str, bytes, list[tuple[str, int]]]:
    roles = (("publisher", PUBLISHER_ROLE), ("regulator", REGULATOR_ROLE))
    operators = [(_address(_key(f"{name} {number}").address), role) for name, role in roles]
    return f"m{number}".encode().ljust(32, b"\0"), "A centre", WORD, operators


def _content(record: Record) -> tuple[int, int, bytes, bytes]:
    decided_on, last_day = ((day - day_at(0)).days for day in (record.decided_on, record.last_day))
    terms = record.member | record.kind << 16 | decided_on << 24 | last_day << 56 | record.earlier << 88
    return terms, sum(1 << code for code in record.measures), record.statement, record.document


def _pair(digest: bytes) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    return _sign(f"publisher {ISSUER}", digest), _sign(f"regulator {ISSUER}", digest)


def _sign(name: str, digest: bytes) -> tuple[bytes, bytes]:
    """A signature as EIP-2098 writes it."""
    signed = _key(name).sign(digest)
    parity = (signed[64] - 27) << 255
    return signed[:32], (parity | int.from_bytes(signed[32:64], "big")).to_bytes(32, "big")


@cache
def _key(name: str) -> EthereumKey:
    private = PrivateKey(keccak256(name.encode()))
    return EthereumKey(keccak256(private.public_key.format(compressed=False)[1:])[12:], private)


def _address(raw: bytes) -> str:
    return "0x" + raw.hex()


def _call(function: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    return keccak256(function.encode())[:4] + encode(types, values)
