"""Transactions: signed here with the operator's key, at a gas price of zero, and sent as raw bytes.

Signing is apart from sending, so that whoever must survive a crash can store the signed bytes first and send the same
ones again: a transaction counts once, by its nonce. Whether a call would be refused is asked before anything is
signed, and why, in the contract's own words.
"""

import time
from dataclasses import dataclass
from typing import Final

from anchors.chain import rlp
from anchors.chain.keccak import keccak256
from ledger_service.chain.rpc import Rpc, fields, hex_bytes, quantity
from ledger_service.errors import ChainRefused, ChainUnreachable
from ledger_service.keys import EthereumKey

# Between the estimate and the block, other members' transactions change what is cold, zero or short.
GAS_MARGIN: Final = 1.25
POLL_SECONDS: Final = 0.05
LEFT_OUT_BLOCKS: Final = 3  # what was sent while one block was made stands in the next, and one more is to be sure


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction that anyone may send, any number of times."""

    raw: bytes
    hash: bytes  # 32 bytes
    sender: bytes  # 20 bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Mined:
    """Where a transaction came to lie. Said by a node; proofs are made from headers and receipts."""

    block_number: int
    block_hash: bytes
    contract: bytes | None  # address of the contract that it made


def chain_id(rpc: Rpc) -> int:
    """The node's chain id."""
    return quantity(rpc.call("eth_chainId"))


def next_nonce(rpc: Rpc, sender: bytes) -> int:
    """The nonce after the sender's last mined transaction."""
    return quantity(rpc.call("eth_getTransactionCount", _hex(sender), "latest"))


def next_free_nonce(rpc: Rpc, sender: bytes) -> int:
    """The nonce after the sender's last transaction that the node means to mine, those that wait counted in."""
    return quantity(rpc.call("eth_getTransactionCount", _hex(sender), "pending"))


def call(rpc: Rpc, to: bytes, data: bytes, block: int | None = None) -> bytes:
    """Ask a contract without a transaction.

    Raises:
        ChainRefused: the contract refused, with its error's name.
    """
    at = "latest" if block is None else hex(block)
    return hex_bytes(rpc.call("eth_call", {"to": _hex(to), "data": _hex(data)}, at))


def prepare(rpc: Rpc, key: EthereumKey, to: bytes | None, data: bytes, *, chain: int, nonce: int) -> SignedTransaction:
    """Estimate and sign, without sending.

    Args:
        rpc: the node that estimates the gas.
        key: who signs.
        to: the contract, 20 bytes, or None to make one.
        data: the call, or the creation code.
        chain: the chain id.
        nonce: the sender's transaction number.

    Raises:
        ChainRefused: the call would be refused, with the contract's error by name.
        ChainUnreachable: no node answers.
    """
    asked = {"from": _hex(key.address), "data": _hex(data), "gasPrice": "0x0"}
    if to is not None:
        asked["to"] = _hex(to)
    gas = int(quantity(rpc.call("eth_estimateGas", asked)) * GAS_MARGIN)
    return sign(key, to, data, chain=chain, nonce=nonce, gas=gas)


def sign(key: EthereumKey, to: bytes | None, data: bytes, *, chain: int, nonce: int, gas: int) -> SignedTransaction:
    """Sign a transaction of type 0 with a gas price of zero.

    Source: EIP-155.
    """
    body = [_uint(nonce), b"", _uint(gas), to or b"", b"", data]
    signature = key.sign(keccak256(rlp.encode([*body, _uint(chain), b"", b""])))
    parity = signature[64] - 27
    r, s = (_uint(int.from_bytes(part, "big")) for part in (signature[:32], signature[32:64]))
    raw = rlp.encode([*body, _uint(2 * chain + 35 + parity), r, s])
    return SignedTransaction(raw, keccak256(raw), key.address, nonce)


def broadcast(rpc: Rpc, raw: bytes) -> bool:
    """Send signed bytes, unless the node knows them: ganache mines what is sent while it is mined once more.

    Returns:
        Whether they were sent.

    Raises:
        ChainRefused: the node does not take it.
        ChainUnreachable: no node answers.
    """
    if rpc.call("eth_getTransactionByHash", _hex(keccak256(raw))) is not None:
        return False
    send(rpc, raw)
    return True


def send(rpc: Rpc, raw: bytes) -> None:
    """Send signed bytes, whether or not the node knows them; raises as `broadcast`."""
    rpc.call("eth_sendRawTransaction", _hex(raw))


class LeftOut:
    """Finds out whether a node leaves out a transaction that it shows, so that it must be sent once more.

    ganache shows for ever what `evm_revert` took back, and mines it no more. What it mines at this very moment looks
    the same in every answer, and sent then would be mined twice; only the blocks that come without it tell the two
    apart. A node that counts the transaction among those that it means to mine leaves out nothing.
    """

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._watched: bytes | None = None
        self._since = 0  # the head when it was first looked at

    def is_left_out(self, transaction: SignedTransaction) -> bool:
        """Whether LEFT_OUT_BLOCKS blocks have come without it since it was looked at first; then they count anew.

        Args:
            transaction: what the node shows, and what is the sender's next by the blocks that there are.
        """
        head = quantity(self._rpc.call("eth_blockNumber"))
        watched = transaction.hash == self._watched and head >= self._since
        if watched and head < self._since + LEFT_OUT_BLOCKS:
            return False
        self._watched, self._since = transaction.hash, head
        return watched and self._is_due(transaction)

    def forget(self) -> None:
        """Count anew: a transaction was sent."""
        self._watched = None

    def _is_due(self, transaction: SignedTransaction) -> bool:
        """Whether it is in no block, and the node means to mine neither it nor another in its place."""
        if find_mined(self._rpc, transaction.hash) is not None:
            return False
        sender = transaction.sender
        return next_nonce(self._rpc, sender) == transaction.nonce == next_free_nonce(self._rpc, sender)


def find_mined(rpc: Rpc, transaction_hash: bytes) -> Mined | None:
    """Where the transaction lies, or None while it waits or when it is gone.

    Raises:
        ChainRefused: it was mined and failed, with the reason that a repeat of the call gives.
    """
    answer = rpc.call("eth_getTransactionReceipt", _hex(transaction_hash))
    if answer is None:
        return None
    receipt = fields(answer)
    number = quantity(receipt.get("blockNumber"))
    if quantity(receipt.get("status")) != 1:
        _explain_failure(rpc, transaction_hash, number)
    made = receipt.get("contractAddress")
    return Mined(number, hex_bytes(receipt.get("blockHash"), 32), None if made is None else hex_bytes(made, 20))


def wait_mined(rpc: Rpc, transaction_hash: bytes, seconds: float) -> Mined:
    """Poll until the transaction is in a block.

    Raises:
        ChainRefused: it failed.
        ChainUnreachable: it is in no block after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        mined = find_mined(rpc, transaction_hash)
        if mined is not None:
            return mined
        time.sleep(POLL_SECONDS)
    raise ChainUnreachable(
        f"transaction {_hex(transaction_hash)} is in no block after {seconds:.0f} s; does the chain go on?"
    )


def _explain_failure(rpc: Rpc, transaction_hash: bytes, number: int) -> None:
    sent = fields(rpc.call("eth_getTransactionByHash", _hex(transaction_hash)))
    repeat = {name: sent[name] for name in ("from", "to", "gas") if sent.get(name) is not None}
    repeat |= {"data": sent.get("input"), "gasPrice": "0x0"}
    rpc.call("eth_call", repeat, hex(number - 1))  # raises with the reason, where nothing else in the block mattered
    raise ChainRefused(f"transaction {_hex(transaction_hash)} failed in block {number}; a repeat of it would not")


def _uint(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
