"""What the log holds and proves, for every part and process of the service that does not write it.

Facts come from the database, hashes from the tiles on disk; only what a checkpoint covers can be proven.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, select

from anchors.merkle import TileReader, consistency_path, inclusion_path
from ledger_service.log.tables import Checkpoint, Leaf
from ledger_service.log.tiles import LogFolder


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """Where a commitment stands."""

    index: int
    published: bool  # whether a signed checkpoint covers it


class LogReader:
    """Reads one generation of the log, whoever writes it.

    Args:
        engine: the service's database.
        data_dir: the service's data directory.
        generation: which log.
    """

    def __init__(self, engine: Engine, data_dir: Path, generation: int) -> None:
        self._engine = engine
        self._folder = LogFolder(data_dir, generation)
        self._generation = generation

    def find(self, commitment: bytes) -> LoggedEntry | None:
        """Find a leaf by its 32 bytes, be it accepted or filling; None when the log does not hold it."""
        query = select(Leaf.index).where(Leaf.generation == self._generation, Leaf.commitment == commitment)
        with Session(self._engine) as session:
            index = session.exec(query).one_or_none()
        if index is None:
            return None
        latest = self.latest_checkpoint()
        return LoggedEntry(index, latest is not None and index < latest.size)

    def latest_checkpoint(self) -> Checkpoint | None:
        """The largest signed checkpoint; None before the first."""
        return self._checkpoint(col(Checkpoint.size) >= 0, newest=True)

    def checkpoint_of_size(self, size: int) -> Checkpoint | None:
        """The checkpoint of just this size, or None."""
        return self._checkpoint(col(Checkpoint.size) == size)

    def largest_checkpoint(self, bound: int) -> Checkpoint | None:
        """The largest checkpoint of at most `bound` leaves, or None."""
        return self._checkpoint(col(Checkpoint.size) <= bound, newest=True)

    def first_checkpoint_after(self, index: int) -> Checkpoint | None:
        """The smallest checkpoint that covers the leaf at `index`, or None when none does yet."""
        return self._checkpoint(col(Checkpoint.size) > index)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Build the path of the leaf at `index` in the tree of a checkpoint's size.

        Raises:
            OutsideTree: that tree has no such leaf.
            BadTile: `size` was never signed, or its tiles are missing.
        """
        return inclusion_path(index, size, TileReader(size, self._folder.fetch).read)

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Build the proof between the trees of two checkpoints' sizes.

        Raises:
            OutsideTree: the sizes shrink.
            BadTile: `new_size` was never signed, or its tiles are missing.
        """
        return consistency_path(old_size, new_size, TileReader(new_size, self._folder.fetch).read)

    def _checkpoint(self, condition: ColumnElement[bool], *, newest: bool = False) -> Checkpoint | None:
        size = col(Checkpoint.size)
        query = select(Checkpoint).where(Checkpoint.generation == self._generation, condition)
        with Session(self._engine) as session:
            return session.exec(query.order_by(size.desc() if newest else size).limit(1)).one_or_none()
