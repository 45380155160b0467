"""Block headers of any fork, read by position: what a header says, and the hash that stands for it.

Promises that the fields come from the very bytes that were hashed. A fork only ever appends fields, so the first
fifteen mean the same everywhere. Who sealed a header is left to `anchors.seals`.
"""

from dataclasses import dataclass

from anchors.chain import rlp
from anchors.chain.answers import Answer, data, quantity
from anchors.chain.keccak import keccak256
from anchors.errors import FalseAnswer, MalformedHeader, MalformedRlp

__all__ = ["MAX_HEADER_BYTES", "Header", "bloom_admits", "decode_header", "header_of_block"]

MAX_HEADER_BYTES = 1 << 16  # a header that carries the seals of 255 validators takes 30,000
_LAST_SECOND = 253_402_300_799  # of the year 9999, the last that ISO 8601 writes in four digits


def _scalar(block: Answer, name: str) -> bytes:
    return rlp.from_uint(quantity(block, name))


# JSON-RPC names in the order of the encoding; those from baseFeePerGas on came one fork after the other.
_FIELDS = (
    ("parentHash", data),
    ("sha3Uncles", data),
    ("miner", data),
    ("stateRoot", data),
    ("transactionsRoot", data),
    ("receiptsRoot", data),
    ("logsBloom", data),
    ("difficulty", _scalar),
    ("number", _scalar),
    ("gasLimit", _scalar),
    ("gasUsed", _scalar),
    ("timestamp", _scalar),
    ("extraData", data),
    ("mixHash", data),
    ("nonce", data),
    ("baseFeePerGas", _scalar),
    ("withdrawalsRoot", data),
    ("blobGasUsed", _scalar),
    ("excessBlobGas", _scalar),
    ("parentBeaconBlockRoot", data),
    ("requestsHash", data),
)
_ALWAYS = 15


@dataclass(frozen=True, slots=True)
class Header:
    """What one block header says."""

    raw: bytes  # the RLP that the hash is of
    hash: bytes  # 32 bytes
    parent_hash: bytes  # 32 bytes
    state_root: bytes  # 32 bytes
    receipts_root: bytes  # 32 bytes
    logs_bloom: bytes  # 256 bytes
    number: int
    timestamp: int  # POSIX seconds


def decode_header(raw: bytes) -> Header:
    """Read a header from its RLP.

    Args:
        raw: the encoded header, at most MAX_HEADER_BYTES.

    Returns:
        The header with its hash.

    Raises:
        MalformedHeader: the bytes are no header, or a field is out of bounds.

    Source: Ethereum Yellow Paper, 4.4.3; EIP-1559, 4895, 4844, 4788, 7685 for the later fields.
    """
    if len(raw) > MAX_HEADER_BYTES:
        raise MalformedHeader(f"{len(raw)} bytes are more than the {MAX_HEADER_BYTES} allowed")
    try:
        fields = rlp.decode_list(raw)
        if len(fields) < _ALWAYS:
            raise MalformedHeader(f"{len(fields)} fields are fewer than the {_ALWAYS} of the first fork")
        texts = [field for field in fields if isinstance(field, bytes)]
        if len(texts) != len(fields):
            raise MalformedHeader("a field is a list")
        number, timestamp = rlp.to_uint(texts[8]), rlp.to_uint(texts[11])
    except MalformedRlp as error:
        raise MalformedHeader(str(error)) from error
    _check_bounds(texts, number, timestamp)
    return Header(raw, keccak256(raw), texts[0], texts[3], texts[5], texts[6], number, timestamp)


def _check_bounds(texts: list[bytes], number: int, timestamp: int) -> None:
    if [len(texts[at]) for at in (0, 3, 5, 6)] != [32, 32, 32, 256]:
        raise MalformedHeader("a hash does not have 32 bytes, or the logs bloom not 256")
    if number >= 1 << 63:
        raise MalformedHeader(f"block number {number} is not below 2^63")
    if timestamp > _LAST_SECOND:
        raise MalformedHeader(f"time {timestamp} is past the year 9999")


def header_of_block(block: Answer) -> Header:
    """Encode the header that a JSON-RPC block shows, and hold it against the hash that the block goes by.

    Args:
        block: the answer of eth_getBlockByNumber or eth_getBlockByHash, as raw JSON. Of the later forks' fields
            those count that it shows: anvil's genesis block has some of Cancun without one of Shanghai.

    Returns:
        The header, proven to have that hash.

    Raises:
        MalformedAnswer: a field is missing or has the wrong shape.
        FalseAnswer: the header does not have the hash that the answer gives.
        MalformedHeader: a field is out of bounds.
    """
    shown = _FIELDS[:_ALWAYS] + tuple(field for field in _FIELDS[_ALWAYS:] if block.get(field[0]) is not None)
    fields = [read(block, name) for name, read in shown]
    header = decode_header(rlp.encode(fields))
    claimed = data(block, "hash")
    if header.hash != claimed:
        raise FalseAnswer(f"block {header.number} hashes to 0x{header.hash.hex()}, not to 0x{claimed.hex()}")
    return header


def bloom_admits(bloom: bytes, value: bytes) -> bool:
    """Whether a logs bloom leaves it possible that `value`, an address or a topic, was logged.

    Args:
        bloom: 256 bytes.
        value: the 20 bytes of an address, or the 32 of a topic.

    Returns:
        False only where no log holds the value.

    Source: Ethereum Yellow Paper, 4.4.1.
    """
    digest = keccak256(value)
    bits = [int.from_bytes(digest[at : at + 2], "big") % 2048 for at in (0, 2, 4)]
    return all(bloom[255 - bit // 8] >> bit % 8 & 1 for bit in bits)
