"""One log's folder of public files, as C2SP tlog-tiles lays them out, and the growing of the tiles in it.

Whatever is written is synced before its name is, and a tile is only ever written with the same bytes again. Which of
the files are public is for the published checkpoint to say: tiles are there before it is.
"""

import os
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Final

import structlog

from anchors.errors import BadTile
from anchors.merkle import (
    ENTRIES,
    TILE_WIDTH,
    Frontier,
    TileId,
    TileReader,
    encode_entry_bundle,
    encode_hash_tile,
    leaf_hash,
    parse_entry_bundle,
    parse_hash_tile,
    tiles_for_growth,
)
from ledger_service.files import put_in_place, sync_directory, write_durably

log = structlog.get_logger(__name__)

_HASH_BYTES: Final = 32
_ENTRY_BYTES: Final = 34  # in a bundle: uint16 length, commitment
_TILE_HEIGHT: Final = 8


class LogFolder:
    """The public files of one generation of a log.

    Args:
        data_dir: the service's data directory.
        generation: which log in it.
    """

    def __init__(self, data_dir: Path, generation: int) -> None:
        self._root = data_dir / "log" / str(generation)

    def checkpoint(self) -> bytes | None:
        """The published checkpoint, or None before the first."""
        return _read(self._root / "checkpoint")

    def publish(self, note: bytes) -> None:
        """Put a signed checkpoint in the place of the one before."""
        self._root.mkdir(parents=True, exist_ok=True)
        write_durably(self._root / "checkpoint", note)

    def tile(self, tile: TileId) -> bytes | None:
        """The bytes of a tile or bundle under just this name, or None when there is no such file."""
        return _read(self._root / tile.path)

    def fetch(self, tile: TileId) -> bytes:
        """The bytes of a tile or bundle, out of a wider one when this partial one has gone.

        Raises:
            BadTile: none is there.
        """
        content = self.tile(tile)
        if content is not None:
            return content
        for width in (TILE_WIDTH, *self._widths(tile)):
            wider = self.tile(TileId(tile.level, tile.index, width)) if width > tile.width else None
            if wider is not None:
                return wider[: content_length(tile)]
        raise BadTile(f"{tile.path} is missing from {self._root}")

    def length(self, tile: TileId) -> int | None:
        """How many bytes the file under just this name has, or None when there is none."""
        try:
            return os.stat(f"{self._root}/{tile.path}").st_size  # of millions; a Path takes twice as long
        except (FileNotFoundError, NotADirectoryError):
            return None

    def drop_partials(self, old_size: int, new_size: int, *, narrower: bool = False) -> None:
        """Remove the partial forms of the tiles that became full between two sizes.

        Args:
            old_size: leaves of the smaller tree.
            new_size: leaves of the larger tree, whose tiles are there.
            narrower: remove those of the other tiles as well, but for what the larger tree itself has.
        """
        for tile in tiles_for_growth(old_size, new_size):
            full = tile.width == TILE_WIDTH
            folder = self._partials(tile)
            if (full or narrower) and folder.is_dir():
                for partial in folder.iterdir():
                    if partial.name != str(tile.width):
                        partial.unlink()
                if full:
                    folder.rmdir()

    def write(self, tile: TileId, content: bytes) -> Path:
        """Write one tile, unless it is there.

        Returns:
            Its folder, for `sync`, before which the tile cannot be counted on.
        """
        path = self._root / tile.path
        found = None if self.length(tile) is None else self.tile(tile)
        if found != content:
            if found is not None:
                log.warning("tile_was_damaged", tile=tile.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            put_in_place(path, content)
        return path.parent

    def sync(self, folders: Set[Path]) -> None:
        """Make the names in these folders durable, and those of the folders themselves."""
        for folder in {above for one in folders for above in (one, *one.parents) if above.is_relative_to(self._root)}:
            sync_directory(folder)

    def _partials(self, tile: TileId) -> Path:
        return self._root / f"{tile.full.path}.p"

    def _widths(self, tile: TileId) -> list[int]:
        return sorted(int(file.name) for file in self._partials(tile).glob("[0-9]*"))


def content_length(tile: TileId) -> int:
    """The bytes of a tile of hashes or a bundle of commitments."""
    return tile.width * (_ENTRY_BYTES if tile.level == ENTRIES else _HASH_BYTES)


class TileGrowth:
    """A log being grown from a stored size: full tiles are written as they fill, the partial ones at the end.

    Args:
        folder: where the tiles are.
        size: the size to grow from; the tiles at its edge are read.

    Raises:
        BadTile: one of them is missing, or is not what it must be.
    """

    def __init__(self, folder: LogFolder, size: int) -> None:
        self._folder = folder
        self._frontier = Frontier.restore(size, TileReader(size, folder.fetch).read)
        self._entries = _Row(folder, ENTRIES, size)
        self._rows: list[_Row] = []
        while nodes := size >> (_TILE_HEIGHT * len(self._rows)):
            self._rows.append(_Row(folder, len(self._rows), nodes))
        if self._rows and self._rows[0].waiting != [leaf_hash(entry) for entry in self._entries.waiting]:
            raise BadTile(f"the last entries of the log of {size} leaves are not those of its hash tiles")

    @property
    def size(self) -> int:
        """The number of leaves so far."""
        return self._frontier.size

    def root(self) -> bytes:
        """The root over all leaves so far, 32 bytes."""
        return self._frontier.root()

    def extend(self, entries: Sequence[bytes]) -> None:
        """Add entries, and write every tile that they fill."""
        self._entries.waiting += entries
        self._frontier.extend(entries, self._record)
        for row in (self._entries, *self._rows):
            row.write_full()

    def finish(self) -> None:
        """Write the partial tiles; when this returns, every tile of this size is durable."""
        rows = (self._entries, *self._rows)
        for row in rows:
            row.write_partial()
        self._folder.sync(set[Path]().union(*(row.unsynced for row in rows)))

    def _record(self, level: int, _first: int, nodes: Sequence[bytes]) -> None:
        row, between = divmod(level, _TILE_HEIGHT)
        if between:
            return
        if row == len(self._rows):
            self._rows.append(_Row(self._folder, row, 0))
        self._rows[row].waiting += nodes


class _Row:
    """All tiles of one level: how many are full, and what the next one holds so far."""

    def __init__(self, folder: LogFolder, level: int, count: int) -> None:
        self._folder = folder
        self._level = level
        self._full, width = divmod(count, TILE_WIDTH)
        self.waiting: list[bytes] = []
        self.unsynced: set[Path] = set()
        if width:
            content = folder.fetch(TileId(level, self._full, width))
            self.waiting = (parse_entry_bundle if level == ENTRIES else parse_hash_tile)(content, width)

    def write_full(self) -> None:
        whole = len(self.waiting) // TILE_WIDTH * TILE_WIDTH
        for start in range(0, whole, TILE_WIDTH):
            self._write(self.waiting[start : start + TILE_WIDTH])
            self._full += 1
        del self.waiting[:whole]

    def write_partial(self) -> None:
        if self.waiting:
            self._write(self.waiting)

    def _write(self, content: Sequence[bytes]) -> None:
        encode = encode_entry_bundle if self._level == ENTRIES else encode_hash_tile
        self.unsynced.add(self._folder.write(TileId(self._level, self._full, len(content)), encode(content)))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
