"""What the log holds and proves, for every part and process of the service that does not write it.

Facts come from the database, hashes from the tiles on disk; only what a checkpoint covers can be proven. Each proof is
checked against the signed root before it is handed out, since a disk may have spoilt the tiles that it is made from.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, select

from anchors.errors import BadConsistencyProof, BadInclusionPath, BadTile, LeavesDiffer, OutsideTree
from anchors.merkle import (
    TileReader,
    consistency_path,
    inclusion_path,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    tree_root,
)
from anchors.tenders.audit.leaves import PeriodLeaves, check_leaves, range_path
from ledger_service.log.damage import report_damage
from ledger_service.log.tables import Checkpoint, Leaf
from ledger_service.log.tiles import LogFolder


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """Where a commitment stands."""

    commitment: bytes  # 32 bytes
    index: int
    published: bool  # whether a signed checkpoint covers it


class LogReader:
    """Reads one generation of the log, whoever writes it.

    Args:
        engine: the service's database.
        data_dir: the service's data directory.
        generation: which log.
        clock: the time for what is reported; aware, UTC.
    """

    def __init__(self, engine: Engine, data_dir: Path, generation: int, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._folder = LogFolder(data_dir, generation)
        self._generation = generation
        self._clock = clock

    def find(self, commitment: bytes) -> LoggedEntry | None:
        """Find a leaf by its 32 bytes, be it accepted or filling; None when the log does not hold it."""
        query = select(Leaf.index).where(Leaf.generation == self._generation, Leaf.commitment == commitment)
        with Session(self._engine) as session:
            index = session.exec(query).one_or_none()
        if index is None:
            return None
        latest = self.latest_checkpoint()
        return LoggedEntry(commitment, index, latest is not None and index < latest.size)

    def latest_checkpoint(self) -> Checkpoint | None:
        """The largest signed checkpoint; None before the first."""
        return self._checkpoint(col(Checkpoint.size) >= 0)

    def checkpoint_of_size(self, size: int) -> Checkpoint | None:
        """The checkpoint of just this size, or None."""
        return self._checkpoint(col(Checkpoint.size) == size)

    def largest_checkpoint(self, bound: int) -> Checkpoint | None:
        """The largest checkpoint of at most `bound` leaves, or None."""
        return self._checkpoint(col(Checkpoint.size) <= bound)

    def inclusion(self, entry: LoggedEntry, size: int) -> list[bytes]:
        """Build the path of a leaf in the tree of a checkpoint's size.

        Raises:
            OutsideTree: `size` was never signed, or that tree has no such leaf.
            FilesDamaged: the tiles do not give a path from the leaf to the signed root.
        """
        root = self._signed_root(size)
        with self._damage_reported(size):
            path = inclusion_path(entry.index, size, TileReader(size, self._folder.fetch).read)
            if prove_inclusion(leaf_hash(entry.commitment), entry.index, size, path).root != root:
                raise BadInclusionPath(f"leaf {entry.index} does not lead to the root")
        return path

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Build the proof that the tree of a checkpoint's size continues the tree of `old_size` leaves.

        Raises:
            OutsideTree: `new_size` was never signed, or the sizes shrink.
            FilesDamaged: the tiles do not give a proof that leads to the signed root.
        """
        root = self._signed_root(new_size)
        with self._damage_reported(new_size):
            read = TileReader(new_size, self._folder.fetch).read
            proof = consistency_path(old_size, new_size, read)
            prove_consistency(old_size, tree_root(old_size, read), new_size, root, proof)
        return proof

    def beside(self, runs: Sequence[tuple[int, Sequence[bytes]]], size: int) -> list[tuple[bytes, ...]]:
        """Build what leads from runs of leaves to the root of a checkpoint's size, as `range_path` has it.

        Args:
            runs: of each the place of the first leaf, and the leaves, 32 bytes each, at least one.
            size: of the checkpoint.

        Raises:
            OutsideTree: `size` was never signed, or that tree has no such leaves.
            FilesDamaged: the tiles do not give a path from the leaves to the signed root.
        """
        root = self._signed_root(size)
        with self._damage_reported(size):
            read = TileReader(size, self._folder.fetch).read
            paths = [range_path(first, first + len(leaves), size, read) for first, leaves in runs]
            for (first, leaves), path in zip(runs, paths, strict=True):
                check_leaves(PeriodLeaves(first, tuple(leaves), None, None, path), size, root)
        return paths

    def _signed_root(self, size: int) -> bytes:
        checkpoint = self.checkpoint_of_size(size)
        if checkpoint is None:
            raise OutsideTree(f"no checkpoint of {size} leaves was signed")
        return checkpoint.root

    @contextmanager
    def _damage_reported(self, size: int) -> Iterator[None]:
        try:
            yield
        except (BadTile, BadInclusionPath, BadConsistencyProof, LeavesDiffer) as error:
            raise report_damage(self._engine, size, error, self._clock()) from error

    def _checkpoint(self, condition: ColumnElement[bool]) -> Checkpoint | None:
        """The largest that meets the condition."""
        query = select(Checkpoint).where(Checkpoint.generation == self._generation, condition)
        with Session(self._engine) as session:
            return session.exec(query.order_by(col(Checkpoint.size).desc()).limit(1)).one_or_none()
