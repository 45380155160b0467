"""The gas of an opening and of a dropped-bid claim on a real chain, against a contract that stores and logs the same.

The floor looks at nothing: it takes the list, or the page of a claim, stores one word and logs. What the register costs
more is its checks: order, places, root, signatures, the receipt signer's tenure, the page's path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import solcx
from coincurve import PrivateKey
from eth_abi.abi import encode

from anchors.chain.keccak import keccak256
from anchors.tenders import (
    NO_TENDER,
    Act,
    Bid,
    BidReceipt,
    Notice,
    Opening,
    open_list,
    pack_bids,
    show_page,
    signed_digest,
)
from ledger_service.chain import devnet
from ledger_service.chain.compile import ROOT
from ledger_service.chain.contracts import EVIDENCE_LOG, REGISTRY, TENDER_REGISTER, contract
from ledger_service.chain.deploy import contract_address
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.chain.transactions import broadcast, chain_id, next_nonce, prepare, wait_mined
from ledger_service.keys import EthereumKey
from row import Row

HOST = 1
BIDS = 200
FIRST_PLACE = 1_000_000  # of a log that has grown for a while: its bytes are calldata too
RECEIPT_SIGNER_ROLE, OFFICER_ROLE = 2, 5
DAY = 86_400
WORD = bytes(range(1, 33))  # a digest without a zero byte: those are cheaper


@dataclass(frozen=True, slots=True)
class Costs:
    """Gas, each with that of the floor."""

    opening: tuple[int, int]
    claim: tuple[int, int]


def opening() -> Row:
    """Open 200 bids: the whole transaction."""
    return _row("tender-opening-gas", _costs().opening, 320_000)


def claim() -> Row:
    """Claim that a bid was dropped among 200 that were opened: the whole transaction."""
    return _row("tender-claim-gas", _costs().claim, 150_000)


def _row(name: str, cost: tuple[int, int], most: int) -> Row:
    value, floor = cost
    return Row(name, value, "gas", floor, value / floor, f"<= {most:,}", value <= most)


@cache
def _costs() -> Costs:
    with devnet.running("anvil") as node, Rpc(node.rpc) as rpc:
        return _measure(Chain(rpc))


class Chain:
    """A chain with the register of an alliance, its evidence log and the floor."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc, self.sender, self.chain_id = rpc, _key("sender"), chain_id(rpc)
        sender = self.sender.address
        nonce = next_nonce(rpc, sender)
        log = contract_address(sender, nonce + 1)
        roles = (("signer", RECEIPT_SIGNER_ROLE), ("officer", OFFICER_ROLE))
        operators = [(_address(_key(name).address), role) for name, role in roles]
        members = [(b"m1".ljust(32, b"\0"), "A centre", WORD, operators)]
        named = [(EVIDENCE_LOG.encode().ljust(32, b"\0"), _address(log))]
        self.registry = self.mined(None, contract(REGISTRY).deployment(members, [], named))[0]
        self.mined(None, contract(EVIDENCE_LOG).deployment(_address(self.registry)))
        self.register = self.mined(None, contract(TENDER_REGISTER).deployment(_address(self.registry)))[0]
        self.floor = self.mined(None, _compiled())[0]

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

    def call(self, function: str, *arguments: object) -> int:
        """Call the register, and return the gas."""
        return self.mined(self.register, contract(TENDER_REGISTER).call_data(function, *arguments))[1]

    def close(self) -> Notice:
        """A tender whose bids are closed."""
        deadline = self.now + DAY
        notice = Notice(HOST, 1 << HOST, WORD, NO_TENDER, deadline, deadline, 5)
        until = deadline + 30 * DAY
        self.call("publish", notice.words(), until, [self.sign("officer", notice, until)])
        self.rpc.call("evm_increaseTime", DAY + 1)
        self.rpc.call("evm_mine")
        self.call("closeBids", notice.struct_hash())
        return notice

    def sign(self, name: str, act: Act, until: int) -> tuple[bytes, bytes]:
        return _compact(_key(name).sign(signed_digest(self.register, self.chain_id, act, until)))


def _measure(chain: Chain) -> Costs:
    notice = chain.close()
    tender, until = notice.struct_hash(), chain.now + DAY
    packed = pack_bids([Bid(keccak256(b"bid %d" % n), FIRST_PLACE + n) for n in range(BIDS)])
    whole = open_list(packed)
    act = Opening(tender, whole.root, whole.count, keccak256(b""), WORD)
    opened = chain.call("openBids", tender, packed, b"", WORD, until, chain.sign("officer", act, until))
    dropped = keccak256(b"dropped")
    receipt = BidReceipt(tender, dropped, FIRST_PLACE + BIDS, notice.deadline - 1)
    page = show_page(packed, dropped)
    signature = _compact(_key("signer").sign(receipt.digest(chain.register, chain.chain_id)))
    shown = (page.number, page.entries, page.path)
    claimed = chain.call("claimDropped", receipt.words(), signature, act.words(), shown)
    return Costs((opened, _floor_opening(chain, tender, packed)), (claimed, _floor_claim(chain, tender, page.entries)))


def _floor_opening(chain: Chain, tender: bytes, packed: bytes) -> int:
    chain.mined(chain.floor, _call("close(bytes32)", ["bytes32"], [tender]))
    return chain.mined(chain.floor, _call("open(bytes32,bytes)", ["bytes32", "bytes"], [tender, packed]))[1]


def _floor_claim(chain: Chain, tender: bytes, page: bytes) -> int:
    types = ["bytes32", "bytes32", "bytes"]
    return chain.mined(chain.floor, _call(f"claim({','.join(types)})", types, [tender, WORD, page]))[1]


def _compiled() -> bytes:
    name = "scripts/benchmarks/TenderFloor.sol"
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
    return bytes.fromhex(output["contracts"][name]["TenderFloor"]["evm"]["bytecode"]["object"])


def _compact(signed: bytes) -> tuple[bytes, bytes]:
    """A signature as EIP-2098 writes it."""
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
