"""Block headers of any fork, read by position: what a header says, and the hash that stands for it.

Promises that the fields come from the very bytes that were hashed. A fork only ever appends fields, so the first
fifteen mean the same everywhere. What of a header is hashed depends on the consensus, since no seal can be part of
what it seals; that rule stands here and nowhere else. Who sealed a header is left to `anchors.seals`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anchors.chain import rlp
from anchors.chain.answers import Answer, data, quantity
from anchors.chain.keccak import keccak256
from anchors.errors import FalseAnswer, MalformedHeader, MalformedRlp

__all__ = [
    "CLIQUE",
    "CONSENSUSES",
    "DEVELOPMENT",
    "IBFT2",
    "LAST_SECOND",
    "MAX_HEADER_BYTES",
    "QBFT",
    "SEAL_BYTES",
    "Header",
    "bloom_admits",
    "decode_header",
    "header_of_block",
    "signed_hash",
]

DEVELOPMENT = "development"
QBFT, IBFT2, CLIQUE = "qbft", "ibft2", "clique"
CONSENSUSES = (DEVELOPMENT, QBFT, IBFT2, CLIQUE)
SEAL_BYTES = 65  # r, s, v

MAX_HEADER_BYTES = 1 << 16  # a header that carries the seals of 255 validators takes 30,000
LAST_SECOND = 253_402_300_799  # of the year 9999, the last that ISO 8601 writes in four digits


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
_EXTRA = 12
_SIZES = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}  # bytes, by the field's position


@dataclass(frozen=True, slots=True)
class Header:
    """What one block header says."""

    consensus: str  # by whose rule the hash was made
    raw: bytes  # RLP, seals and all, as the node has it
    hash: bytes  # 32 bytes, the block's name on its chain
    parent_hash: bytes  # 32 bytes
    ommers_hash: bytes  # 32 bytes
    beneficiary: bytes  # 20 bytes
    state_root: bytes  # 32 bytes
    receipts_root: bytes  # 32 bytes
    logs_bloom: bytes  # 256 bytes
    difficulty: int
    number: int
    timestamp: int  # POSIX seconds
    extra: bytes
    mix_hash: bytes  # 32 bytes
    nonce: bytes  # 8 bytes


def decode_header(raw: bytes, consensus: str) -> Header:
    """Read a header from its RLP.

    Args:
        raw: the encoded header, at most MAX_HEADER_BYTES.
        consensus: as the network file names it.

    Returns:
        The header with its hash.

    Raises:
        MalformedHeader: the bytes are no header, a field is out of bounds, or the extra data is not of the consensus.

    Source: Ethereum Yellow Paper, 4.4.3; EIP-1559, 4895, 4844, 4788, 7685 for the later fields.
    """
    if len(raw) > MAX_HEADER_BYTES:
        raise MalformedHeader(f"{len(raw)} bytes are more than the {MAX_HEADER_BYTES} allowed")
    try:
        texts = _texts(raw)
        difficulty, number, timestamp = rlp.to_uint(texts[7], 32), rlp.to_uint(texts[8]), rlp.to_uint(texts[11])
        _check_bounds(texts, number, timestamp)
        named = _hash_with(texts, _named_extra(texts[_EXTRA], consensus)) if consensus in _BFT else keccak256(raw)
    except MalformedRlp as error:
        raise MalformedHeader(str(error)) from error
    return Header(
        consensus=consensus,
        raw=raw,
        hash=named,
        parent_hash=texts[0],
        ommers_hash=texts[1],
        beneficiary=texts[2],
        state_root=texts[3],
        receipts_root=texts[5],
        logs_bloom=texts[6],
        difficulty=difficulty,
        number=number,
        timestamp=timestamp,
        extra=texts[_EXTRA],
        mix_hash=texts[13],
        nonce=texts[14],
    )


def _texts(raw: bytes) -> list[bytes]:
    fields = rlp.decode_list(raw)
    if len(fields) < _ALWAYS:
        raise MalformedHeader(f"{len(fields)} fields are fewer than the {_ALWAYS} of the first fork")
    texts = [field for field in fields if isinstance(field, bytes)]
    if len(texts) != len(fields):
        raise MalformedHeader("a field is a list")
    return texts


def _check_bounds(texts: Sequence[bytes], number: int, timestamp: int) -> None:
    for at, size in _SIZES.items():
        if len(texts[at]) != size:
            raise MalformedHeader(f"{_FIELDS[at][0]} has {len(texts[at])} bytes, not {size}")
    if number >= 1 << 63:
        raise MalformedHeader(f"block number {number} is not below 2^63")
    if timestamp > LAST_SECOND:
        raise MalformedHeader(f"time {timestamp} is past the year 9999")


def signed_hash(header: Header) -> bytes:
    """The 32 bytes that a header's sealers sign: the hash of all of it but their seals.

    Args:
        header: a header of a consensus that seals; its extra data has room for the seal (Clique).

    Source: EIP-225; Besu, QbftExtraDataCodec and IbftExtraDataCodec.
    """
    signed = header.extra[:-SEAL_BYTES] if header.consensus == CLIQUE else _signed_extra(header.extra, header.consensus)
    return _hash_with(_texts(header.raw), signed)


def _hash_with(texts: Sequence[bytes], extra: bytes) -> bytes:
    return keccak256(rlp.encode([*texts[:_EXTRA], extra, *texts[_EXTRA + 1 :]]))


# A BFT header's extra data is a list: vanity, validators, vote, round, seals. Each validator may hold another quorum's
# seals, found in another round, so the block's name leaves out both; its sealers sign the round, but not the seals.
# What is left out stands there empty under QBFT, and is not there under IBFT 2.0.
_BFT: Mapping[str, Sequence[rlp.Item]] = {QBFT: (b"", []), IBFT2: ()}


def _named_extra(extra: bytes, consensus: str) -> bytes:
    return rlp.encode([*_parts(extra)[:3], *_BFT[consensus]])


def _signed_extra(extra: bytes, consensus: str) -> bytes:
    return rlp.encode([*_parts(extra)[:4], *_BFT[consensus][1:]])


def _parts(extra: bytes) -> Sequence[rlp.Item]:
    parts = rlp.decode_list(extra)
    if len(parts) != 5:
        raise MalformedHeader(f"the extra data has {len(parts)} parts, not vanity, validators, vote, round and seals")
    return parts


def header_of_block(block: Answer, consensus: str) -> Header:
    """Encode the header that a JSON-RPC block shows, and hold it against the hash that the block goes by.

    Args:
        block: the answer of eth_getBlockByNumber or eth_getBlockByHash, as raw JSON. Of the later forks' fields
            those count that it shows: anvil's genesis block has some of Cancun without one of Shanghai.
        consensus: as the network file names it.

    Returns:
        The header, proven to have that hash.

    Raises:
        MalformedAnswer: a field is missing or has the wrong shape.
        FalseAnswer: the header does not have the hash that the answer gives.
        MalformedHeader: a field is out of bounds.
    """
    shown = _FIELDS[:_ALWAYS] + tuple(field for field in _FIELDS[_ALWAYS:] if block.get(field[0]) is not None)
    fields = [read(block, name) for name, read in shown]
    header = decode_header(rlp.encode(fields), consensus)
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
