"""What outside eyes have said of this member's checkpoints, as it stands in the database, for every process to read."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, select

from anchors.notes import Checkpoint as CheckpointText
from anchors.notes import Policy, SignatureLine, SignedNote, Verifier
from ledger_service.log.tables import Checkpoint
from ledger_service.witness.tables import Cosignature, Timestamp

BACKLOG = 1000  # checkpoints that one who was away is still asked about, newest first counted
_LOOKED_AT = 1000  # cosignatures among which a quorum is looked for


def key_id(verifier: Verifier) -> str:
    """How a key is named in the table."""
    return f"{verifier.name}+{verifier.key_id.hex()}"


class Kept:
    """Cosignatures and timestamps of one generation's checkpoints.

    Args:
        engine: the database.
        generation: which log.
    """

    def __init__(self, engine: Engine, generation: int) -> None:
        self._engine = engine
        self._generation = generation

    def cosigned(self, note: bytes) -> SignedNote:
        """A checkpoint of this log with all cosignatures that were kept of it."""
        signed = SignedNote.parse(note)
        size = CheckpointText.parse(signed.text).size
        of_this = (Cosignature.generation == self._generation, Cosignature.size == size)
        query = select(Cosignature).where(*of_this).order_by(col(Cosignature.key))
        with Session(self._engine) as session:
            for row in session.exec(query):
                signed = signed.signed(SignatureLine.parse(row.line))
        return signed

    def timestamp(self, size: int) -> bytes | None:
        """The authority's answer about the checkpoint of this size, DER, if there is one."""
        with Session(self._engine) as session:
            row = session.get(Timestamp, (self._generation, size))
        return row.response if row else None

    def last_cosigned(self, verifiers: Iterable[Verifier]) -> int:
        """The largest size that any of these keys cosigned; 0 for none."""
        keys = [key_id(verifier) for verifier in verifiers]
        return self._largest(Cosignature, col(Cosignature.key).in_(keys))

    def last_dated(self) -> int:
        """The largest size with a timestamp; 0 for none."""
        return self._largest(Timestamp)

    def last_witnessed(self, policy: Policy | None) -> int | None:
        """The largest size whose cosignatures reach the policy's quorum, of the last that have any; None for none."""
        if policy is None or policy.quorum is None:
            return None
        query = (
            select(Cosignature.size, Cosignature.key)
            .where(Cosignature.generation == self._generation)
            .order_by(col(Cosignature.size).desc())
            .limit(_LOOKED_AT)
        )
        keys: dict[int, set[str]] = {}
        with Session(self._engine) as session:
            for size, key in session.exec(query):
                keys.setdefault(size, set()).add(key)
        for size, cosigners in keys.items():
            known = [verifier for verifier in policy.verifiers if key_id(verifier) in cosigners]
            if policy.quorum in policy.witnessing(known):
                return size
        return None

    def unseen(self, size: int) -> list[Checkpoint]:
        """The checkpoints above a size, smallest first; of many only the newest."""
        query = (
            select(Checkpoint)
            .where(Checkpoint.generation == self._generation, col(Checkpoint.size) > size)
            .order_by(col(Checkpoint.size).desc())
            .limit(BACKLOG)
        )
        with Session(self._engine) as session:
            return list(reversed(session.exec(query).all()))

    def continuing(self, size: int) -> Checkpoint | None:
        """The smallest checkpoint of at least `size` leaves; None where the log has not so many."""
        of_this = (Checkpoint.generation == self._generation, col(Checkpoint.size) >= size)
        with Session(self._engine) as session:
            return session.exec(select(Checkpoint).where(*of_this).order_by(col(Checkpoint.size)).limit(1)).first()

    def keep_cosignatures(self, size: int, lines: Iterable[SignatureLine]) -> None:
        """Keep verified cosignatures of the checkpoint of this size."""
        with Session(self._engine) as session:
            for line in lines:
                key = f"{line.name}+{line.key_id.hex()}"
                session.merge(Cosignature(generation=self._generation, size=size, key=key, line=line.line))
            session.commit()

    def keep_timestamp(self, size: int, response: bytes) -> None:
        """Keep the authority's answer about the checkpoint of this size."""
        with Session(self._engine) as session:
            session.merge(Timestamp(generation=self._generation, size=size, response=response))
            session.commit()

    def _largest(self, table: type[Cosignature] | type[Timestamp], *conditions: ColumnElement[bool]) -> int:
        query = select(table.size).where(table.generation == self._generation, *conditions)
        with Session(self._engine) as session:
            return session.exec(query.order_by(col(table.size).desc()).limit(1)).first() or 0
