"""A tree's nodes and entries in the static files of C2SP tlog-tiles: their names, which to write, what is in them.

A hash tile holds up to 256 hashes of one level in 8; the levels between are recomputed from it. An entry bundle holds
the entries under a tile of level 0. No file is opened here: paths and bytes go in and out.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from anchors.errors import BadTile, BadTilePath, OutsideTree
from anchors.merkle.hashing import MAX_SIZE, check_size, node_hash

__all__ = [
    "ENTRIES",
    "TILE_WIDTH",
    "TileId",
    "TileReader",
    "encode_entry_bundle",
    "encode_hash_tile",
    "parse_entry_bundle",
    "parse_hash_tile",
    "tiles_for_growth",
]

ENTRIES: Final = -1
"""The level of an entry bundle."""
TILE_WIDTH: Final = 256

_HEIGHT = 8  # levels of the tree in one level of tiles
_HASH = 32
_MAX_ENTRY = 0xFFFF
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_TILES_KEPT = 64  # a proof reads two tiles of each level, and 8 levels hold any tree


@dataclass(frozen=True, slots=True)
class TileId:
    """The name of a tile or entry bundle."""

    level: int  # 0 to 63, or ENTRIES
    index: int
    width: int = TILE_WIDTH  # hashes or entries in it, 1 to 256

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path such as `tile/0/x001/x234/067.p/5`.

        Raises:
            BadTilePath: it is not the one spelling of a tile that a tree can have.

        Source: C2SP tlog-tiles.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise BadTilePath(f"{path[:80]!r} does not name a tile")
        level, digits, width = match.groups()
        tile = cls(
            ENTRIES if level == "entries" else int(level),
            int(digits.replace("x", "").replace("/", "")),
            int(width or TILE_WIDTH),
        )
        # An index has no group of zeros before it, a full tile no width, and no level has more nodes than its tree.
        if tile.path != path or tile.level > 63 or _last_leaf(tile) > MAX_SIZE:
            raise BadTilePath(f"{path[:80]!r} names a tile that no tree has")
        return tile

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        groups, rest = [f"{self.index % 1000:03}"], self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"

    @property
    def full(self) -> "TileId":
        """The full tile that takes this one's place when the tree has grown."""
        return TileId(self.level, self.index)


def _last_leaf(tile: TileId) -> int:
    nodes = tile.index * TILE_WIDTH + tile.width
    return nodes << (_HEIGHT * max(tile.level, 0))


def tiles_for_growth(old_size: int, new_size: int) -> Iterator[TileId]:
    """Name every bundle and tile that a tree grown from `old_size` to `new_size` leaves must have written.

    Args:
        old_size: the size of the last published checkpoint.
        new_size: the size of the next one.

    Yields:
        Entry bundles first, then hash tiles, levels ascending, each level left to right: an order in which a crash
        leaves no tile whose ground is missing.

    Raises:
        OutsideTree: the sizes shrink, or are no tree sizes.

    Source: C2SP tlog-tiles.
    """
    check_size(new_size)
    if not 0 <= old_size <= new_size:
        raise OutsideTree(f"a tree does not grow from {old_size} to {new_size} leaves")
    yield from _row(ENTRIES, old_size, new_size)
    level = 0
    while new_size > old_size:
        yield from _row(level, old_size, new_size)
        level, old_size, new_size = level + 1, old_size >> _HEIGHT, new_size >> _HEIGHT


def _row(level: int, old: int, new: int) -> Iterator[TileId]:
    first = old // TILE_WIDTH
    for start in range(first * TILE_WIDTH, new if new > old else 0, TILE_WIDTH):
        yield TileId(level, start // TILE_WIDTH, min(TILE_WIDTH, new - start))


def encode_hash_tile(hashes: Iterable[bytes]) -> bytes:
    """Join the hashes of a tile, 32 bytes each."""
    return b"".join(hashes)


def parse_hash_tile(data: bytes, width: int) -> list[bytes]:
    """Split a tile into its `width` hashes.

    Raises:
        BadTile: it is not `width` hashes long.
    """
    if len(data) != width * _HASH:
        raise BadTile(f"a tile of {width} hashes has {width * _HASH} bytes, this one {len(data)}")
    return [data[at : at + _HASH] for at in range(0, len(data), _HASH)]


def encode_entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Join entries, each after its length as uint16.

    Raises:
        BadTile: an entry is longer than 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > _MAX_ENTRY:
            raise BadTile(f"an entry of {len(entry)} bytes does not fit a bundle: at most {_MAX_ENTRY}")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def parse_entry_bundle(data: bytes, width: int) -> list[bytes]:
    """Split a bundle into its `width` entries.

    Raises:
        BadTile: it holds fewer or more, or its last entry is cut off.

    Source: C2SP tlog-tiles.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or start > len(data):
            raise BadTile(f"the bundle ends within entry {len(entries)} of {width}")
        entries.append(data[start:at])
    if at != len(data):
        raise BadTile(f"{len(data) - at} bytes follow the last of the bundle's {width} entries")
    return entries


class TileReader:
    """Reads the nodes of a tree of `size` leaves out of its tiles.

    Args:
        size: the number of leaves in the tree.
        fetch: gives a hash tile's bytes, `width` hashes (where only the full tile is left, its first ones).

    Raises:
        OutsideTree: `size` is no tree size.
    """

    def __init__(self, size: int, fetch: Callable[[TileId], bytes]) -> None:
        check_size(size)
        self._size = size
        self._fetch = fetch
        self._tile = lru_cache(maxsize=_TILES_KEPT)(self._load)

    def read(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree (level, index), 32 bytes: a `NodeReader`.

        Raises:
            OutsideTree: the tree has no such complete subtree.
            BadTile: the tile's bytes do not fit its name.
        """
        if not 0 <= level < 63 or not 0 <= index < self._size >> level:
            raise OutsideTree(f"a tree of {self._size} leaves has no complete subtree ({level}, {index})")
        row, height = divmod(level, _HEIGHT)
        first = index << height
        nodes = self._tile(row, first // TILE_WIDTH)[first % TILE_WIDTH :][: 1 << height]
        while len(nodes) > 1:
            pair = iter(nodes)
            nodes = [node_hash(left, right) for left, right in zip(pair, pair, strict=True)]
        return nodes[0]

    def _load(self, row: int, index: int) -> list[bytes]:
        width = min(TILE_WIDTH, (self._size >> (_HEIGHT * row)) - index * TILE_WIDTH)
        return parse_hash_tile(self._fetch(TileId(row, index, width)), width)
