"""That a leaf is in a tree: the path of sibling hashes from the leaf to the root, built and checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from anchors.errors import BadInclusionPath, OutsideTree
from anchors.merkle.hashing import NodeReader, check_size, node_hash, range_root

__all__ = ["Inclusion", "inclusion_path", "prove_inclusion"]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf's proven place in a tree."""

    index: int
    size: int
    root: bytes  # 32 bytes


def prove_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> Inclusion:
    """Recompute the root that `path` leads to from `leaf`.

    Args:
        leaf: the leaf's hash, 32 bytes (already prefixed and hashed).
        index: the leaf's place, 0 <= index < size.
        size: the number of leaves in the tree.
        path: the sibling hashes, leaf to root, 32 bytes each.

    Returns:
        The place and the root it leads to; comparing that root is the caller's step.

    Raises:
        BadInclusionPath: `index` is not below `size`, the path is too long or too short for them, or a hash is not
            32 bytes.

    Source: RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size or len(leaf) != 32:
        raise BadInclusionPath(f"a leaf {index} of {len(leaf)} bytes is not in a tree of {size} leaves")
    here, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            raise BadInclusionPath(f"a path of {len(path)} hashes does not fit leaf {index} of {size}")
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            while here & 1 == 0 and here:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise BadInclusionPath(f"a path of {len(path)} hashes is too short for leaf {index} of {size}")
    return Inclusion(index, size, root)


def inclusion_path(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Build the path that proves a leaf's place.

    Args:
        index: the leaf's place, 0 <= index < size.
        size: the number of leaves in the tree, at most MAX_SIZE.
        read: gives the root of a complete subtree.

    Returns:
        The sibling hashes, leaf to root.

    Raises:
        OutsideTree: there is no such leaf in a tree of that size.

    Source: RFC 9162, 2.1.3.1.
    """
    check_size(size)
    if not 0 <= index < size:
        raise OutsideTree(f"leaf {index} is not in a tree of {size} leaves")
    return path_from(0, index, size, read)


def path_from(level: int, index: int, size: int, read: NodeReader) -> list[bytes]:
    """Build the path from the node (level, index) to the root of the tree of `size` leaves."""
    path = []
    while (1 << level) < size:
        sibling = index ^ 1
        start, end = sibling << level, (sibling + 1) << level
        if end <= size:
            path.append(read(level, sibling))
        elif start < size:  # the ragged right edge: no node of its own, but the root over what is there
            path.append(range_root(start, size, read))
        level, index = level + 1, index >> 1
    return path
