"""That a tree only grew: the hashes that lead to the old root and to the new one alike, built and checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from anchors.errors import BadConsistencyProof, OutsideTree
from anchors.merkle.hashing import EMPTY_ROOT, NodeReader, check_size, node_hash
from anchors.merkle.inclusion import path_from

__all__ = ["Consistency", "consistency_path", "prove_consistency"]


@dataclass(frozen=True, slots=True)
class Consistency:
    """The proven fact that the new tree begins with the old one."""

    old_size: int
    old_root: bytes  # 32 bytes
    new_size: int
    new_root: bytes  # 32 bytes


def prove_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> Consistency:
    """Prove that the new tree is the old one with leaves added, or the same.

    Args:
        old_size: leaves in the old tree, 0 <= old_size <= new_size.
        old_root: the old root, 32 bytes.
        new_size: leaves in the new tree.
        new_root: the new root, 32 bytes.
        proof: the hashes between them, 32 bytes each; empty when the sizes are equal or the old tree is empty.

    Returns:
        The two trees, now known to agree.

    Raises:
        BadConsistencyProof: the sizes shrink, the proof has the wrong length, or it does not lead to both roots.

    Source: RFC 9162, 2.1.4.2; the empty tree as the contract takes it: everything grows from it.
    """
    if not 0 <= old_size <= new_size:
        raise BadConsistencyProof(f"a tree does not grow from {old_size} to {new_size} leaves")
    if old_size == 0:
        possible = len(new_root) == 32 if new_size else new_root == EMPTY_ROOT
        agree = possible and old_root == EMPTY_ROOT and not proof
    elif old_size == new_size:
        agree = old_root == new_root and not proof
    else:
        agree = _roots(old_size, old_root, new_size, proof) == (old_root, new_root)
    if not agree:
        raise BadConsistencyProof(f"from {old_size} to {new_size} leaves, the proof does not lead to both roots")
    return Consistency(old_size, old_root, new_size, new_root)


def _roots(old_size: int, old_root: bytes, new_size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Follow the proof, 0 < old_size < new_size, to the old and the new root."""
    unfit = BadConsistencyProof(f"a proof of {len(proof)} hashes does not fit {old_size} to {new_size} leaves")
    if any(len(node) != 32 for node in proof):
        raise unfit
    seed, *rest = [old_root, *proof] if old_size.bit_count() == 1 else proof or [b""]
    here, last = old_size - 1, new_size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = seed
    for node in rest:
        if last == 0:
            raise unfit
        if here & 1 or here == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while here & 1 == 0 and here:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, node)
        here, last = here >> 1, last >> 1
    if last:
        raise unfit
    return old, new


def consistency_path(old_size: int, new_size: int, read: NodeReader) -> list[bytes]:
    """Build the proof that the tree of `new_size` leaves begins with that of `old_size`.

    Args:
        old_size: leaves in the old tree, 0 <= old_size <= new_size.
        new_size: leaves in the new tree, at most MAX_SIZE.
        read: gives the root of a complete subtree of the new tree.

    Returns:
        The hashes; none when the sizes are equal or the old tree is empty.

    Raises:
        OutsideTree: the sizes shrink, or are no tree sizes.

    Source: RFC 9162, 2.1.4.1.
    """
    check_size(new_size)
    if not 0 <= old_size <= new_size:
        raise OutsideTree(f"a tree does not grow from {old_size} to {new_size} leaves")
    if old_size in (0, new_size):
        return []
    # The old tree's last complete subtree is where both roots' paths begin. When it is the whole old tree, its root is
    # known to the verifier and left out.
    level = (old_size & -old_size).bit_length() - 1
    index = (old_size - 1) >> level
    seed = [read(level, index)] if index else []
    return seed + path_from(level, index, new_size, read)
