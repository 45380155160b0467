"""The tree's two hashes, and the arithmetic of which complete subtrees a range of leaves is made of.

A node is named (level, index): the root of the complete subtree over the leaves `index * 2**level` up to, without,
`(index + 1) * 2**level`; level 0 holds the leaf hashes.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, TypeAlias

from anchors.errors import OutsideTree

__all__ = [
    "EMPTY_ROOT",
    "LEAF_PREFIX",
    "MAX_SIZE",
    "NODE_PREFIX",
    "NodeReader",
    "leaf_hash",
    "node_hash",
    "peaks",
    "range_root",
    "tree_root",
]

LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = sha256(b"").digest()
MAX_SIZE: Final = 2**63 - 1  # what the contract stores, and the largest size that every language's int64 holds

NodeReader: TypeAlias = Callable[[int, int], bytes]  # (level, index) of a complete subtree -> its root, 32 bytes


def leaf_hash(entry: bytes) -> bytes:
    """Hash a log entry into its leaf.

    Source: RFC 9162, 2.1.1.
    """
    return sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children, 32 bytes each, into their parent.

    Source: RFC 9162, 2.1.1.
    """
    return sha256(NODE_PREFIX + left + right).digest()


def tree_root(size: int, read: NodeReader) -> bytes:
    """Compute the root of the tree of the first `size` leaves.

    Args:
        size: the number of leaves, 0 to MAX_SIZE.
        read: gives the root of a complete subtree.

    Returns:
        The root, 32 bytes.

    Raises:
        OutsideTree: `size` is no tree size.
    """
    check_size(size)
    return range_root(0, size, read) if size else EMPTY_ROOT


def check_size(size: int) -> None:
    """Refuse what is not the size of a tree.

    Raises:
        OutsideTree: `size` is negative or above MAX_SIZE.
    """
    if not 0 <= size <= MAX_SIZE:
        raise OutsideTree(f"a tree size of {size} is outside 0 to {MAX_SIZE}")


def peaks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Name the complete subtrees that make up the leaves `start` up to `end`, left to right.

    Args:
        start: the first leaf, a multiple of the largest power of two below `end - start` or equal to it.
        end: one past the last leaf.

    Yields:
        (level, index), from the largest subtree to the smallest.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def range_root(start: int, end: int, read: NodeReader) -> bytes:
    """Compute the root over the leaves `start` up to `end`, as `peaks` splits them; at least one leaf."""
    subtrees = [read(level, index) for level, index in peaks(start, end)]
    root = subtrees.pop()
    while subtrees:
        root = node_hash(subtrees.pop(), root)
    return root
