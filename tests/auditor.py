"""An auditor of a log who believes nothing but bytes: reads every public file and recomputes the root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anchors.merkle import ENTRIES, TILE_WIDTH, Frontier, TileId, parse_entry_bundle, tiles_for_growth
from anchors.notes import SignedNote, Verifier, open_checkpoint

_BYTES = {ENTRIES: 34}  # in a bundle: uint16 length, commitment; else a hash


@dataclass(frozen=True)
class Audit:
    size: int
    root: bytes
    leaves: list[bytes]


def root_of(leaves: Sequence[bytes]) -> bytes:
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


def audit(get: Callable[[str], bytes | None], verifier: Verifier) -> Audit:
    """Read a whole log and hold all of it against its checkpoint.

    Args:
        get: the bytes under a path below `/log/`, or None when there is nothing.
        verifier: the log's key.
    """
    note = get("checkpoint")
    assert note is not None
    checkpoint = open_checkpoint(SignedNote.parse(note), verifier).checkpoint
    tiles = {tile: _fetch(get, tile) for tile in tiles_for_growth(0, checkpoint.size)}
    leaves: list[bytes] = []
    for tile, content in tiles.items():
        if tile.level == ENTRIES:
            leaves += parse_entry_bundle(content, tile.width)
    rows: dict[int, bytes] = {}

    def record(level: int, _first: int, nodes: Sequence[bytes]) -> None:
        row, between = divmod(level, 8)
        if not between:
            rows[row] = rows.get(row, b"") + b"".join(nodes)

    tree = Frontier()
    tree.extend(leaves, record)
    assert (tree.size, tree.root()) == (checkpoint.size, checkpoint.root)
    for row, hashes in rows.items():
        stored = b"".join(tiles[tile] for tile in tiles if tile.level == row)
        assert stored == hashes, f"the tiles of level {row} are not the tree's"
    assert all(len(leaf) == 32 for leaf in leaves)
    return Audit(checkpoint.size, checkpoint.root, leaves)


def _fetch(get: Callable[[str], bytes | None], tile: TileId) -> bytes:
    """A tile as clients read it: a partial one that has gone is the beginning of the full one (C2SP tlog-tiles)."""
    content = get(tile.path)
    if content is None and tile.width < TILE_WIDTH:
        full = get(tile.full.path)
        content = full and full[: tile.width * _BYTES.get(tile.level, 32)]
    assert content is not None, f"{tile.path} is missing"
    return content
