"""Makes closed periods public: their tiles, then the signed checkpoint as a row, then the checkpoint's file.

All of it follows from the rows, so whatever a crash left undone is done again and gives the same bytes, and files that
are lost or spoilt are made anew. Nothing is signed that does not continue what was signed before: the tiles must first
give the last checkpoint's root again.
"""

from collections.abc import Iterable
from itertools import takewhile

import structlog
from sqlalchemy import Engine

from anchors.errors import AnchorsError, BadTile
from anchors.notes import Checkpoint as CheckpointText
from anchors.notes import SignedNote, open_checkpoint, sign_checkpoint
from ledger_service.errors import KeyTrouble, Misconfigured, ServiceError
from ledger_service.log.damage import check_files, clear_report, is_reported
from ledger_service.log.identity import LogIdentity
from ledger_service.log.store import LogStore
from ledger_service.log.tables import Checkpoint, Period
from ledger_service.log.tiles import LogFolder, TileGrowth

log = structlog.get_logger(__name__)


class LogDamaged(ServiceError):
    """The rows and the signed checkpoints of a log do not agree."""

    problem, title, status = "log-damaged", "The log's database is damaged", 503


class Publisher:
    """Publishes one generation of a log.

    Args:
        engine: the service's database.
        store: its rows.
        folder: its public files.
        identity: who signs.
    """

    def __init__(self, engine: Engine, store: LogStore, folder: LogFolder, identity: LogIdentity) -> None:
        self._engine = engine
        self._store = store
        self._folder = folder
        self._identity = identity

    def check(self) -> None:
        """Hold the key and the files against what the database says was signed; damaged files are made anew.

        Raises:
            KeyTrouble: the log's earlier checkpoints were signed with another key.
            Misconfigured: a checkpoint was published that the database does not know.
            LogDamaged: the rows do not give the last signed root again.
        """
        last = next(iter(self._store.last_checkpoints()), None)
        if last is not None:
            self._open(last.note)
        published = self._folder.checkpoint()
        if published is not None and (last is None or self._open(published).size > last.size):
            raise Misconfigured(
                f"The published checkpoint of {self._identity.origin} is not in the database, which must be older. A "
                "log is never rolled back: restore a newer copy, or open the next generation."
            )
        if last is not None:
            self._check_files(last)

    def publish(self) -> None:
        """Publish all closed periods that are not public yet.

        Raises:
            LogDamaged: the rows do not give the last signed root again.
        """
        last = next(iter(self._store.last_checkpoints()), None)
        growth = self._growth(last)
        period = self._extend(growth, self._store.closed_after(last.period if last else -1))
        growth.finish()
        if period is not None:
            note = self._sign(period, growth)
        elif last is not None:
            note = last.note
        else:
            return
        if note != self._folder.checkpoint():
            self._folder.publish(note)
        self._folder.drop_partials(last.size if last else 0, growth.size)

    def _open(self, note: bytes) -> CheckpointText:
        try:
            return open_checkpoint(SignedNote.parse(note), self._identity.signer().verifier).checkpoint
        except AnchorsError as error:
            raise KeyTrouble(
                f"The log key is not the one that signed the checkpoints of {self._identity.origin} ({error}); name "
                "that key's file, or open the next generation."
            ) from error

    def _check_files(self, last: Checkpoint) -> None:
        try:
            check_files(self._folder, last.size, last.root)
        except BadTile as error:
            self._made_anew(last, str(error))

    def _growth(self, last: Checkpoint | None) -> TileGrowth:
        """The log's tiles at the last checkpoint."""
        if last is None:
            return TileGrowth(self._folder, 0)
        if is_reported(self._engine):
            return self._made_anew(last, "a proof could not be made")
        try:
            growth = TileGrowth(self._folder, last.size)
        except BadTile as error:
            return self._made_anew(last, str(error))
        if growth.root() != last.root:
            return self._made_anew(last, "the tiles at the edge do not lead to the signed root")
        return growth

    def _made_anew(self, last: Checkpoint, reason: str) -> TileGrowth:
        """Make all tiles up to the last checkpoint from the rows, writing those that are not there as they must be."""
        log.warning("log_files_damaged", size=last.size, reason=reason)
        growth = TileGrowth(self._folder, 0)
        self._extend(growth, takewhile(lambda one: one.number <= last.period, self._store.closed_after(-1)))
        if growth.root() != last.root:
            raise LogDamaged(
                f"The entries up to {last.size} do not give the root that was signed for them. Restore the database "
                "from a copy; nothing is signed until then."
            )
        growth.finish()
        self._folder.drop_partials(0, last.size, narrower=True)
        clear_report(self._engine)
        log.info("log_files_made_anew", size=last.size)
        return growth

    def _extend(self, growth: TileGrowth, periods: Iterable[Period]) -> Period | None:
        """Add the leaves of closed periods; returns the last of them."""
        period = None
        for period in periods:
            for commitments in self._store.leaves(period):
                growth.extend(commitments)
            if growth.size != period.size:
                raise LogDamaged(
                    f"Period {period.number} closed at size {period.size}, and its rows lead to {growth.size}. Restore "
                    "the database from a copy; nothing is signed until then."
                )
        return period

    def _sign(self, period: Period, growth: TileGrowth) -> bytes:
        text = CheckpointText(self._identity.origin, growth.size, growth.root())
        note = sign_checkpoint(text, self._identity.signer()).encode()
        self._store.add_checkpoint(
            Checkpoint(
                generation=self._identity.generation,
                size=text.size,
                period=period.number,
                root=text.root,
                note=note,
            )
        )
        return note
