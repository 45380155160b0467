"""The leaves of periods of a log: that they are the log's, and which of them nothing accounts for.

Promises that a run of leaves stands in the tree of an anchored size, by the hashes beside it, and the names of all
leaves of a period that are neither filling nor what commits to the next period's key, for a key that is revealed. No
bid is passed off as filling: no key can be found that makes it so. Where a period begins and ends is the host's word;
with other bounds its filling no longer fits, and is listed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anchors.errors import LeavesDiffer, OutsideTree
from anchors.merkle import NodeReader, leaf_hash, node_hash, tree_root
from anchors.periods import account

__all__ = ["Leaf", "LogPart", "PeriodLeaves", "check_leaves", "range_path"]


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """A leaf at its place."""

    index: int
    leaf: bytes  # 32 bytes

    def as_json(self) -> dict[str, object]:
        """The leaf as `bidledger tender audit --json` prints it."""
        return {"index": self.index, "leaf": "0x" + self.leaf.hex()}


@dataclass(frozen=True, slots=True)
class PeriodLeaves:
    """All leaves of a period, and what tells filling from the rest."""

    first: int  # the place of the first of them
    leaves: tuple[bytes, ...]  # 32 bytes each
    key: bytes | None  # the period's, 32 bytes; None where it is not revealed, or fills nothing (compact mode)
    next_key: bytes | None  # the next period's, where it is revealed too
    path: tuple[bytes, ...]  # `range_path`

    @property
    def end(self) -> int:
        """One past the place of the last."""
        return self.first + len(self.leaves)

    def taken(self) -> tuple[Leaf, ...]:
        """The leaves that something must account for.

        Raises:
            PeriodKeyDiffers: the period does not commit to the next one's key.
        """
        if self.key is None:
            return tuple(self._leaf(slot) for slot in range(len(self.leaves)))
        found = account(self.key, self.leaves, self.next_key)
        pledge = () if self.pledge is None else (self.pledge,)
        return tuple(sorted((*map(self._leaf, found.accepted), *pledge)))

    @property
    def pledge(self) -> Leaf | None:
        """The leaf that should commit to the next period's key where that is not revealed: it may be a bid as well."""
        if self.key is None or self.next_key is not None:
            return None
        return self._leaf(account(self.key, self.leaves).next_key)

    def _leaf(self, slot: int) -> Leaf:
        return Leaf(self.first + slot, self.leaves[slot])


@dataclass(frozen=True, slots=True)
class LogPart:
    """Periods of the host's log, ascending and apart."""

    size: int  # of the tree, which an event anchors
    periods: tuple[PeriodLeaves, ...]


def range_path(first: int, end: int, size: int, read: NodeReader) -> tuple[bytes, ...]:
    """The hashes, 32 bytes each, left to right, that lead from the leaves `first` up to `end` to a tree's root.

    Args:
        first, end: 0 <= first < end <= size.
        size: of the tree.
        read: gives the root of a complete subtree.

    Raises:
        OutsideTree: the tree has no such leaves.
    """
    if not 0 <= first < end <= size:
        raise OutsideTree(f"leaves {first} to {end} are not in a tree of {size} leaves")
    return tuple(_root_between(low, high, read) for low, high in _beside(0, size, first, end))


def check_leaves(period: PeriodLeaves, size: int, root: bytes) -> None:
    """Prove that a period's leaves are those of the tree of this size and root; raises LeavesDiffer."""
    if not period.leaves or period.end > size:
        raise LeavesDiffer(period.first, len(period.leaves), size)
    beside = list(_beside(0, size, period.first, period.end))
    if len(beside) != len(period.path):
        raise LeavesDiffer(period.first, len(period.leaves), size)
    known = dict(zip(beside, period.path, strict=True))
    hashes = [leaf_hash(leaf) for leaf in period.leaves]
    if _fold(0, size, period.first, hashes, known) != root:
        raise LeavesDiffer(period.first, len(period.leaves), size)


def _beside(low: int, high: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest subtrees that hold none of the leaves `first` up to `end`, left to right."""
    if high <= first or low >= end:
        yield low, high
    elif low < first or high > end:
        middle = low + _split(high - low)
        yield from _beside(low, middle, first, end)
        yield from _beside(middle, high, first, end)


def _fold(low: int, high: int, first: int, hashes: Sequence[bytes], known: dict[tuple[int, int], bytes]) -> bytes:
    if (low, high) in known:
        return known[low, high]
    if high - low == 1:
        return hashes[low - first]
    middle = low + _split(high - low)
    return node_hash(_fold(low, middle, first, hashes, known), _fold(middle, high, first, hashes, known))


def _root_between(low: int, high: int, read: NodeReader) -> bytes:
    width = high - low
    level = width.bit_length() - 1
    if width == 1 << level:
        return read(level, low >> level)
    return tree_root(width, lambda level, index: read(level, index + (low >> level)))


def _split(count: int) -> int:
    """The largest power of two below a count of at least two (RFC 9162, 2.1.1)."""
    return 1 << (count - 1).bit_length() - 1
