"""Transaction receipts: their encoding, their logs, the root over a block's receipts, and the proof of one of them.

Promises that what a node answers for a block's receipts is what its header commits to: `receipts_trie` encodes them
all, and the trie's root is to be compared with the header's. What the logs mean is left to the callers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anchors.chain import rlp
from anchors.chain.answers import Answer, data, quantity
from anchors.chain.trie import Trie, leaf_value, prove_value
from anchors.errors import MalformedAnswer, MalformedReceipt, MalformedRlp

__all__ = [
    "Log",
    "Receipt",
    "claimed_receipt",
    "decode_receipt",
    "encode_receipt",
    "prove_receipt",
    "receipt_key",
    "receipts_trie",
]


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a transaction."""

    address: bytes  # 20 bytes, the contract that emitted it
    topics: tuple[bytes, ...]  # at most 4, 32 bytes each
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction came to."""

    succeeded: bool
    logs: tuple[Log, ...]


def receipts_trie(receipts: Sequence[Answer]) -> Trie:
    """Build the trie of a block's receipts; its root must be the header's, `prove` gives the proof of one.

    Args:
        receipts: all receipts of the block as JSON-RPC writes them, in order of transaction index.

    Raises:
        MalformedAnswer: a field is missing or has the wrong shape.

    Source: Ethereum Yellow Paper, 4.4.2; EIP-2718.
    """
    return Trie({receipt_key(index): encode_receipt(receipt) for index, receipt in enumerate(receipts)})


def receipt_key(transaction_index: int) -> bytes:
    """The key of a receipt in the trie of its block."""
    return rlp.encode_bytes(rlp.from_uint(transaction_index))


def encode_receipt(receipt: Answer) -> bytes:
    """Encode a receipt that JSON-RPC writes, as the trie holds it.

    Args:
        receipt: an element of eth_getBlockReceipts, or the answer of eth_getTransactionReceipt, as raw JSON; of
            any type that EIP-2718 admits, and with a status (Byzantium or later).

    Raises:
        MalformedAnswer: a field is missing or has the wrong shape.

    Source: EIP-2718, EIP-658.
    """
    logs = receipt.get("logs")
    if not isinstance(logs, list):
        raise MalformedAnswer("logs is not a list")
    body = rlp.encode_list(
        [
            rlp.encode_bytes(rlp.from_uint(quantity(receipt, "status"))),
            rlp.encode_bytes(rlp.from_uint(quantity(receipt, "cumulativeGasUsed"))),
            rlp.encode_bytes(data(receipt, "logsBloom")),
            rlp.encode_list([_encode_log(log) for log in logs]),
        ]
    )
    kind = quantity(receipt, "type") if receipt.get("type") is not None else 0
    if kind > 0x7F:
        raise MalformedAnswer(f"a receipt of type {kind} cannot be")
    return bytes((kind,)) + body if kind else body


def _encode_log(log: Mapping[str, str]) -> bytes:
    # Written out by hand: the indexer encodes every log of every block that holds our events.
    try:
        address, text = bytes.fromhex(log["address"][2:]), bytes.fromhex(log["data"][2:])
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedAnswer(f"a log lacks address, topics or data: {error!r}") from error
    # The prefixes below are constant, so of any other length one topic could be written that encodes as two: the root
    # would be right, and the event another than the block's.
    if len(address) != 20 or len(topics) > 4 or {*map(len, topics)} - {32}:
        raise MalformedAnswer("a log is not an address of 20 bytes and at most 4 topics of 32 bytes")
    words = b"".join([b"\xa0" + topic for topic in topics])
    return rlp.encode_list((b"\x94" + address, rlp.encode_list((words,)), rlp.encode_bytes(text)))


def claimed_receipt(proof: Sequence[bytes]) -> Receipt:
    """Read the receipt that a proof ends in, before anything is proven of it.

    Raises:
        BadTrieProof: the proof does not end in a leaf.
        MalformedReceipt: the leaf is no receipt.
    """
    return decode_receipt(leaf_value(proof[-1] if proof else b""))


def prove_receipt(root: bytes, transaction_index: int, proof: Sequence[bytes]) -> Receipt:
    """Prove the receipt at one place of a block.

    Args:
        root: the receipts root, 32 bytes.
        transaction_index: the place.
        proof: trie nodes, root first.

    Returns:
        The receipt.

    Raises:
        BadTrieProof: the nodes do not lead from the root along that index.
        MalformedReceipt: nothing stands there, or no receipt.
    """
    value = prove_value(root, receipt_key(transaction_index), proof)
    if value is None:
        raise MalformedReceipt(f"the block has no transaction {transaction_index}")
    return decode_receipt(value)


def decode_receipt(encoded: bytes) -> Receipt:
    """Decode a receipt of any type, as the trie holds it; raises MalformedReceipt.

    Source: EIP-2718, EIP-658.
    """
    try:
        fields = rlp.decode_list(encoded[1:] if encoded[:1] < b"\x80" else encoded)
        if len(fields) != 4 or isinstance(fields[3], bytes) or fields[0] not in (b"", b"\x01"):
            raise MalformedReceipt("it is not status, gas, bloom and logs")
        return Receipt(fields[0] == b"\x01", tuple(_decode_log(log) for log in fields[3]))
    except MalformedRlp as error:
        raise MalformedReceipt(str(error)) from error


def _decode_log(item: rlp.Item) -> Log:
    if not isinstance(item, bytes) and len(item) == 3:
        address, topics, text = item
        if isinstance(address, bytes) and isinstance(text, bytes) and not isinstance(topics, bytes):
            hashes = tuple(topic for topic in topics if isinstance(topic, bytes) and len(topic) == 32)
            if len(address) == 20 and len(hashes) == len(topics) <= 4:
                return Log(address, hashes, text)
    raise MalformedReceipt("a log is not an address, topics and data")
