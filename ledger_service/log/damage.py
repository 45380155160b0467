"""Whether a log's files are those that its signed root is over, and how damage to them is told.

They are made from the database, so their damage loses nothing: whoever meets it says so in a condition, and the
publisher makes them anew. Nothing is proven from a damaged file meanwhile.
"""

from datetime import datetime

from sqlalchemy import Engine

from anchors.errors import AnchorsError, BadTile
from anchors.merkle import TileReader, node_hash, tiles_for_growth, tree_root
from ledger_service import conditions
from ledger_service.errors import ServiceError
from ledger_service.log.tiles import LogFolder, content_length

_PART = "log"
_FIRST_CHECKED = 16  # the level of the tree from which nodes are compared with what lies below: tiles of level 1 and up


class FilesDamaged(ServiceError):
    """A file of the log is lost, or is not what the signed root is over."""

    problem, title, status = "files-damaged", "Files of the log are damaged", 503


def check_files(folder: LogFolder, size: int, root: bytes) -> None:
    """Hold the files of a tree against its root, reading little of them.

    Every file must be there with its length, and the hashes above level 0, 1/256 of them all, must lead to the root.
    What full tiles of level 0 and bundles hold is not read: of a log of 15 years that is tens of gigabytes. Such a tile
    is checked when a proof is made from it, a bundle by whoever reads it.

    Args:
        folder: the files.
        size: the number of leaves.
        root: the tree's signed root, 32 bytes.

    Raises:
        BadTile: they are not those of this tree.
    """
    for tile in tiles_for_growth(0, size):
        if folder.length(tile) != content_length(tile):
            raise BadTile(f"{tile.path} is lost or cut off")
    read = TileReader(size, folder.fetch).read
    for level in range(_FIRST_CHECKED, size.bit_length(), 8):
        for index in range(size >> level):
            if node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1)) != read(level, index):
                raise BadTile(f"hash {index} of tile level {level // 8} is not that of the tile below it")
    if tree_root(size, read) != root:
        raise BadTile(f"the tiles at the edge of {size} leaves do not lead to the signed root")


def report_damage(engine: Engine, size: int, cause: AnchorsError, now: datetime) -> FilesDamaged:
    """Say in the conditions that files of the tree of `size` leaves are damaged; returns the error to raise."""
    error = FilesDamaged(
        f"The log's files do not prove what was signed for {size} leaves ({cause}). They are made anew from the "
        "database with the next checkpoint, or when the service is started again. If it comes back, look to the disk."
    )
    conditions.report(engine, _PART, error.problem, error.detail, now)
    return error


def is_reported(engine: Engine) -> bool:
    """Whether damage was reported and has not been repaired."""
    return any((one.part, one.problem) == (_PART, FilesDamaged.problem) for one in conditions.current(engine))


def clear_report(engine: Engine) -> None:
    """Say that all files are good."""
    conditions.clear(engine, _PART, FilesDamaged.problem)
