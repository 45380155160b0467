"""Recursive length prefix, the encoding of everything an Ethereum node hashes.

Promises that one value has one encoding: `decode` takes exactly what `encode` would have written and refuses every
other spelling (long forms of short lengths, leading zeros, trailing bytes), and that hostile bytes cost no more than
their own length. What the items mean is left to the header, the trie and the receipts.
"""

from collections.abc import Sequence
from typing import TypeAlias

from anchors.errors import MalformedRlp

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Item",
    "decode",
    "decode_list",
    "encode",
    "encode_bytes",
    "encode_list",
    "from_uint",
    "to_uint",
]

Item: TypeAlias = "bytes | Sequence[Item]"

MAX_BYTES = 4 << 20  # no file that carries RLP may be larger
MAX_DEPTH = 16  # a receipt nests 4 lists, a Merkle-Patricia node a few more

_EMPTY, _HASH = 0x80, 0x80 + 32  # the first bytes of strings of 0 and of 32


def encode(item: Item) -> bytes:
    """Encode a byte string, or a list of items, however nested.

    Args:
        item: the bytes, or a sequence of items.

    Returns:
        The one canonical encoding.

    Source: Ethereum Yellow Paper, appendix B.
    """
    if isinstance(item, bytes):
        return encode_bytes(item)
    return encode_list([encode(part) for part in item])


def encode_bytes(text: bytes) -> bytes:
    """Encode one byte string."""
    if len(text) == 1 and text[0] < 0x80:
        return text
    return _prefix(0x80, len(text)) + text


def encode_list(parts: Sequence[bytes]) -> bytes:
    """Join items that are already encoded into one encoded list."""
    payload = b"".join(parts)
    return _prefix(0xC0, len(payload)) + payload


def _prefix(kind: int, length: int) -> bytes:
    if length < 56:
        return bytes((kind + length,))
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((kind + 55 + len(digits),)) + digits


def decode(data: bytes) -> Item:
    """Decode one item that fills `data`.

    Args:
        data: at most MAX_BYTES bytes, nested at most MAX_DEPTH lists deep.

    Returns:
        The bytes, or the list of items.

    Raises:
        MalformedRlp: the bytes are too long or too deep, or not the canonical encoding of one item.

    Source: Ethereum Yellow Paper, appendix B.
    """
    if len(data) > MAX_BYTES:
        raise MalformedRlp(f"{len(data)} bytes are more than the {MAX_BYTES} allowed", 0)
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise MalformedRlp("bytes follow the item", end)
    return item


def decode_list(data: bytes) -> Sequence[Item]:
    """Decode one list that fills `data`; raises MalformedRlp as `decode` does, and for a byte string."""
    item = decode(data)
    if isinstance(item, bytes):
        raise MalformedRlp("a byte string stands where a list must be", 0)
    return item


def to_uint(item: Item, max_bytes: int = 8) -> int:
    """Read an item as an unsigned integer: big-endian, no leading zero, at most `max_bytes` long.

    Raises:
        MalformedRlp: the item is a list, too long, or spelt with a leading zero.
    """
    if not isinstance(item, bytes) or len(item) > max_bytes or item[:1] == b"\0":
        raise MalformedRlp(f"not an unsigned integer of at most {max_bytes} bytes without leading zeros", 0)
    return int.from_bytes(item, "big")


def from_uint(number: int) -> bytes:
    """The byte string that stands for an unsigned integer: big-endian, no leading zero, empty for 0."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _item(data: bytes, start: int, limit: int, depth: int) -> tuple[Item, int]:
    """The item at `start` and where it ends; nothing of it may lie at or past `limit`."""
    if start >= limit:
        raise MalformedRlp("the bytes end where an item must be", start)
    first = data[start]
    if first < 0x80:
        return data[start : start + 1], start + 1
    if first < 0xC0:
        begin, end = _span(data, start, limit, 0x80)
        if end - begin == 1 and data[begin] < 0x80:
            raise MalformedRlp("a single byte below 0x80 has a length prefix", start)
        return data[begin:end], end
    if depth == MAX_DEPTH:
        raise MalformedRlp(f"lists are nested more than {MAX_DEPTH} deep", start)
    begin, end = _span(data, start, limit, 0xC0)
    parts: list[Item] = []
    while begin < end:
        # Hashes and empty strings, of which nearly all of a trie consists, are read without a call.
        if data[begin] == _HASH and begin + 33 <= end:
            parts.append(data[begin + 1 : begin + 33])
            begin += 33
        elif data[begin] == _EMPTY:
            parts.append(b"")
            begin += 1
        else:
            part, begin = _item(data, begin, end, depth + 1)
            parts.append(part)
    return parts, end


def _span(data: bytes, start: int, limit: int, kind: int) -> tuple[int, int]:
    """Where the payload of the item at `start` begins and ends."""
    length = data[start] - kind
    begin = start + 1
    if length > 55:
        digits = data[begin : begin + length - 55]
        begin += length - 55
        length = int.from_bytes(digits, "big")
        if begin > limit or digits[0] == 0 or length < 56:
            raise MalformedRlp("a length is not spelt in the shortest way", start)
    if begin + length > limit:
        raise MalformedRlp("an item runs past the end of what holds it", start)
    return begin, begin + length
