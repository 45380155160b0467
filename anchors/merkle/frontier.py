"""The growing edge of a tree: append leaves, know the root, in memory logarithmic in the tree's size.

What it has hashed it forgets, but for one root per complete subtree on the edge. Whoever stores the tree passes a
recorder to `extend` and gets each node once, so that nothing is hashed twice.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import islice
from typing import Self, TypeAlias

from anchors.errors import BadFrontier
from anchors.merkle.hashing import EMPTY_ROOT, LEAF_PREFIX, NODE_PREFIX, NodeReader, check_size, node_hash, peaks

__all__ = ["Frontier", "NodeRecorder"]

NodeRecorder: TypeAlias = Callable[[int, int, Sequence[bytes]], None]
"""Takes (level, index of the first, hashes): a run of nodes of one level that have just become complete."""

_RUN = 4096  # leaves hashed at a time: their hashes stay in the processor's cache until they are merged


class Frontier:
    """An append-only tree of which only the edge is kept.

    Args:
        size: the number of leaves already in the tree.
        peaks: the roots of its complete subtrees, largest first: one for each bit that is set in `size`.

    Raises:
        BadFrontier: the peaks are not as many as `size` needs, or not 32 bytes each.
        OutsideTree: `size` is no tree size.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        check_size(size)
        self._size = size
        self._peaks = list(peaks)
        if len(self._peaks) != size.bit_count() or any(len(peak) != 32 for peak in self._peaks):
            raise BadFrontier(f"the edge of a tree of {size} leaves is {size.bit_count()} hashes of 32 bytes")

    @classmethod
    def restore(cls, size: int, read: NodeReader) -> Self:
        """Take up a stored tree again at `size` leaves, reading its edge through `read`."""
        check_size(size)
        return cls(size, (read(level, index) for level, index in peaks(0, size)))

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, largest first: all that `Frontier` needs to go on from here."""
        return tuple(self._peaks)

    def root(self) -> bytes:
        """Return the root over all leaves so far, 32 bytes."""
        if not self._peaks:
            return EMPTY_ROOT
        *left, root = self._peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root

    def append(self, leaf: bytes) -> None:
        """Add one leaf by its hash, 32 bytes."""
        node, remaining = leaf, self._size
        while remaining & 1:
            node = node_hash(self._peaks.pop(), node)
            remaining >>= 1
        self._peaks.append(node)
        self._size += 1

    def extend(self, entries: Iterable[bytes], record: NodeRecorder | None = None) -> None:
        """Hash many entries into leaves and add them, in about the time that the hashing alone takes.

        Args:
            entries: the log entries, in order.
            record: called with every run of nodes that became complete, leaves first, levels ascending within each
                run of leaves.
        """
        feed = iter(entries)
        while leaves := [sha256(LEAF_PREFIX + entry).digest() for entry in islice(feed, _RUN)]:
            self._merge(leaves, record)

    def _merge(self, nodes: list[bytes], record: NodeRecorder | None) -> None:
        level, first = 0, self._size
        self._size += len(nodes)
        unpaired = []
        while nodes:
            if record is not None:
                record(level, first, tuple(nodes))
            if first & 1:
                nodes.insert(0, self._peaks.pop())
            if len(nodes) & 1:
                unpaired.append(nodes.pop())
            # One list per level, not one node at a time: nothing but the two concatenations and the hash is left.
            pair = iter(nodes)
            nodes = [sha256(NODE_PREFIX + left + right).digest() for left, right in zip(pair, pair, strict=True)]
            level, first = level + 1, first >> 1
        self._peaks.extend(reversed(unpaired))
