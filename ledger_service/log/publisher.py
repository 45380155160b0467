"""Makes closed periods public: their tiles, then the signed checkpoint as a row, then the checkpoint's file.

All of it follows from the rows, so whatever a crash left undone is done again and gives the same bytes. Nothing is
signed that does not continue what was signed before: the tiles must first give the last checkpoint's root again.
"""

from anchors.errors import AnchorsError, BadTile
from anchors.notes import Checkpoint as CheckpointText
from anchors.notes import SignedNote, open_checkpoint, sign_checkpoint
from ledger_service.errors import KeyTrouble, ServiceError
from ledger_service.log.identity import LogIdentity
from ledger_service.log.store import LogStore
from ledger_service.log.tables import Checkpoint, Period
from ledger_service.log.tiles import LogFolder, TileGrowth


class LogDamaged(ServiceError):
    """The rows and the signed checkpoints of a log do not agree."""

    problem, title, status = "log-damaged", "The log's database is damaged", 503


class Publisher:
    """Publishes one generation of a log.

    Args:
        store: its rows.
        folder: its public files.
        identity: who signs.
    """

    def __init__(self, store: LogStore, folder: LogFolder, identity: LogIdentity) -> None:
        self._store = store
        self._folder = folder
        self._identity = identity

    def check_key(self) -> None:
        """Raises KeyTrouble when the log's earlier checkpoints were signed with another key."""
        for last in self._store.last_checkpoints()[:1]:
            try:
                open_checkpoint(SignedNote.parse(last.note), self._identity.signer().verifier)
            except AnchorsError as error:
                raise KeyTrouble(
                    f"the log key is not the one that signed {self._identity.origin} at size {last.size}; name that "
                    "key's file, or open the next generation"
                ) from error

    def publish(self) -> None:
        """Publish all closed periods that are not public yet, and the checkpoint's file in any case.

        Raises:
            LogDamaged: the rows do not give the last signed root again.
        """
        checkpoints = self._store.last_checkpoints()
        last = checkpoints[0] if checkpoints else None
        if last is not None:
            self._folder.publish(last.note)
        size = last.size if last else 0
        closed = self._store.closed_beyond(size)
        if not closed:
            return
        growth = self._growth(last)
        for period in closed:
            for commitments in self._store.leaves(period):
                growth.extend(commitments)
        growth.finish()
        note = self._sign(closed[-1], growth.root())
        self._folder.publish(note)
        self._folder.drop_partials(size, closed[-1].size or 0)

    def _sign(self, period: Period, root: bytes) -> bytes:
        size = period.size or 0
        text = CheckpointText(self._identity.origin, size, root)
        note = sign_checkpoint(text, self._identity.signer()).encode()
        generation = self._identity.generation
        self._store.add_checkpoint(
            Checkpoint(generation=generation, size=size, period=period.number, root=root, note=note)
        )
        return note

    def _growth(self, last: Checkpoint | None) -> TileGrowth:
        """The log's tiles at the last checkpoint; made anew from the rows where they are lost."""
        if last is None:
            return TileGrowth(self._folder, 0)
        try:
            growth = TileGrowth(self._folder, last.size)
        except BadTile:
            growth = TileGrowth(self._folder, 0)
            for period in self._store.closed_beyond(0):
                if (period.size or 0) <= last.size:
                    for commitments in self._store.leaves(period):
                        growth.extend(commitments)
        if growth.root() != last.root:
            raise LogDamaged(
                f"the entries up to {last.size} do not give the root that was signed for them; restore the database "
                "from a copy, and sign nothing until then"
            )
        return growth
