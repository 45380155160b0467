"""A small tree kept whole in memory, for a batch whose every leaf is given its path at once."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from anchors.errors import OutsideTree
from anchors.merkle.hashing import EMPTY_ROOT, leaf_hash, node_hash

__all__ = ["Levels"]


class Levels:
    """All levels of a tree, each with its last node carried up when it has no sibling.

    Args:
        leaves: the leaf hashes, in order, 32 bytes each.
    """

    __slots__ = ("_levels",)

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pair = iter(below)
            above = [node_hash(left, right) for left, right in zip(pair, pair, strict=False)]
            if len(below) & 1:
                above.append(below[-1])
            self._levels.append(above)

    @classmethod
    def over(cls, entries: Iterable[bytes]) -> Self:
        """Make the tree over `entries`, hashing each into its leaf."""
        return cls(leaf_hash(entry) for entry in entries)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def below_root(self) -> Iterator[Sequence[bytes]]:
        """Go through the levels from the one below the root to the leaves."""
        return reversed(self._levels[:-1])

    def path(self, index: int) -> list[bytes]:
        """Return the inclusion path of the leaf at `index`, leaf to root.

        Raises:
            OutsideTree: there is no such leaf.

        Source: RFC 9162, 2.1.3.1: a node carried up has no sibling, and adds nothing to the path.
        """
        if not 0 <= index < self.size:
            raise OutsideTree(f"leaf {index} is not in a tree of {self.size} leaves")
        path = []
        for nodes in self._levels:
            sibling = index ^ 1
            if sibling < len(nodes):
                path.append(nodes[sibling])
            index >>= 1
        return path
