"""RFC 6962, section 2.1, as its text has it: recursive, slow, and written from the definition alone.

The expected values of the contract tests come from here, never from the code under test.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


class Tree:
    """A tree over `entries`; its roots and proofs are of any prefix of them."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self._entries = entries
        self._subtree = lru_cache(maxsize=None)(self._hash)

    def root(self, size: int) -> bytes:
        return self._subtree(0, size)

    def path(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size])."""
        return self._path(index, 0, size)

    def proof(self, old: int, new: int) -> list[bytes]:
        """PROOF(old, D[new])."""
        return self._subproof(old, 0, new, True)

    def _hash(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return leaf_hash(self._entries[start])
        middle = start + _split(end - start)
        return hashlib.sha256(b"\x01" + self._subtree(start, middle) + self._subtree(middle, end)).digest()

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._subtree(middle, end)]
        return [*self._path(index, middle, end), self._subtree(start, middle)]

    def _subproof(self, old: int, start: int, end: int, whole: bool) -> list[bytes]:
        if old == end:
            return [] if whole else [self._subtree(start, end)]
        middle = start + _split(end - start)
        if old <= middle:
            return [*self._subproof(old, start, middle, whole), self._subtree(middle, end)]
        return [*self._subproof(old, middle, end, False), self._subtree(start, middle)]


class UniformTree(Tree):
    """A tree whose leaves are all alike, so that one of a million leaves costs a few dozen hashes."""

    def __init__(self, entry: bytes) -> None:
        super().__init__(())
        self._leaf = leaf_hash(entry)
        self._by_width = lru_cache(maxsize=None)(self._hash_of_width)
        self._subtree = lambda start, end: self._by_width(end - start)  # type: ignore[assignment]

    def _hash_of_width(self, width: int) -> bytes:
        if width == 1:
            return self._leaf
        left = _split(width)
        return hashlib.sha256(b"\x01" + self._by_width(left) + self._by_width(width - left)).digest()


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)
