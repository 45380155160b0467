"""A witness of the other members' logs: cosigns a checkpoint only if it continues the one view it has of that log.

The view is on the disk before the cosignature leaves, and is replaced only where it still is the one that the new
checkpoint was held against: so there is one for ever, whatever is killed and however many ask at once. A database
that was restored to an older state would forget what was cosigned: such a witness must take a new key.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from anchors.errors import BadConsistencyProof, BadNoteSignature, MalformedText, WrongEmptyRoot
from anchors.merkle import EMPTY_ROOT, prove_consistency
from anchors.network import LogKey, Member, Network
from anchors.notes import Checkpoint, KeyType, SignatureLine, SignedNote, Signer, Verifier
from ledger_service.errors import BadRequest, NotFound, ServiceError
from ledger_service.witness.protocol import Submission, write_lines
from ledger_service.witness.tables import WitnessedLog

_KEY_TYPES: Final = (KeyType.COSIGNATURE_ED25519, KeyType.COSIGNATURE_MLDSA44)


class Untrusted(ServiceError):
    """No key of the log signed the checkpoint."""

    problem, title, status = "untrusted", "No trusted key signed this", 403


class Inconsistent(ServiceError):
    """A checkpoint that does not continue what was cosigned before."""

    problem, title, status = "inconsistent", "The checkpoint does not continue the log", 422


class OtherSize(ServiceError):
    """The proof begins at another size than the view that the witness has."""

    problem, title, status = "other-size", "The witness has another size", 409

    def __init__(self, size: int) -> None:
        super().__init__(f"The last checkpoint that was cosigned has {size} leaves; prove from there.")
        self.size = size


def witness_name(network: Network, member: Member) -> str:
    """The name of a member's cosigner keys; no log has it, since what stands in its last place is no generation."""
    return f"{network.domain}/{network.chain_id}/{member.code}/witness"


def witness_signers(name: str, secret: bytes) -> tuple[Signer, ...]:
    """A witness's keys, Ed25519 and ML-DSA-44, both from its one secret of 32 bytes."""
    return tuple(
        Signer(name, type, HKDF(SHA256(), 32, None, f"bidledger/witness/v1/{type:02x}".encode()).derive(secret))
        for type in _KEY_TYPES
    )


@dataclass(frozen=True, slots=True)
class _View:
    """What was last cosigned of a log; the empty tree where nothing was."""

    size: int
    root: bytes
    kept: bool  # whether there is a row of it


class Witness:
    """Cosigns for every member but its own.

    Args:
        engine: the database that holds its views.
        network: whose logs, and their keys.
        member: who the witness is.
        signers: its keys.
        clock: the time of the cosignatures; aware, UTC.
    """

    def __init__(
        self,
        engine: Engine,
        network: Network,
        member: Member,
        signers: Iterable[Signer],
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._signers = tuple(signers)
        self._clock = clock
        self._keys: dict[str, list[LogKey]] = {}
        for other in network.members:
            for key in other.log_keys if other.number != member.number else ():
                self._keys.setdefault(network.origin(other, key.generation), []).append(key)

    def add_checkpoint(self, body: bytes) -> bytes:
        """Hold a checkpoint against the view of its log, make it the view, and cosign it.

        Args:
            body: as a log sends it.

        Returns:
            The cosignature lines.

        Raises:
            BadRequest, NotFound, Untrusted, OtherSize, Inconsistent: why it is not cosigned; the view is as it was.

        Source: C2SP tlog-witness, add-checkpoint.
        """
        try:
            submission = Submission.parse(body)
            size, checkpoint = _read(submission.note.text)
        except MalformedText as error:
            raise BadRequest(f"The body is no submission: {error}.") from error
        note = self._signed(submission.note, size)
        if submission.old_size > size:
            raise BadRequest(f"The old size {submission.old_size} is above the checkpoint's, {size}.")
        origin = note.text.partition("\n")[0]
        view = self._view(origin)
        if submission.old_size != view.size:
            raise OtherSize(view.size)
        try:
            if checkpoint is None:
                raise WrongEmptyRoot
            prove_consistency(view.size, view.root, size, checkpoint.root, submission.proof)
        except (BadConsistencyProof, WrongEmptyRoot) as error:
            raise Inconsistent(f"{error}.") from error
        lines = self._cosign(checkpoint, note.text)
        for line in lines:
            note = note.signed(line)
        if not self._advance(view, checkpoint, note):
            raise OtherSize(self._view(origin).size)
        return write_lines(lines)

    def checkpoint(self, origin_hash: bytes) -> bytes:
        """The last checkpoint cosigned for a log, with the log's signature and the witness's.

        Args:
            origin_hash: SHA-256 of the log's origin.

        Raises:
            NotFound: nothing was cosigned for such a log.
        """
        origin = next((one for one in self._keys if sha256(one.encode()).digest() == origin_hash), None)
        with Session(self._engine) as session:
            row = session.get(WitnessedLog, origin) if origin else None
        if row is None:
            raise NotFound("This witness has cosigned nothing for a log of this origin.")
        return row.note

    def _signed(self, note: SignedNote, size: int) -> SignedNote:
        """The note with only those signatures that the log's own keys made."""
        origin = note.text.partition("\n")[0]
        if origin not in self._keys:
            raise NotFound("No other member has a log of this origin.", facts={"origin": origin[:255]})
        keys = [Verifier.parse(key.vkey) for key in self._keys[origin] if _in_force(key, size)]
        try:
            known = {(one.verifier.name, one.verifier.key_id) for one in note.verify(keys)}
        except BadNoteSignature as error:
            raise Untrusted(f"{error}; at {size} leaves the log has {len(keys)} keys.") from error
        return SignedNote(note.text, tuple(line for line in note.signatures if (line.name, line.key_id) in known))

    def _view(self, origin: str) -> _View:
        with Session(self._engine) as session:
            row = session.get(WitnessedLog, origin)
        return _View(0, EMPTY_ROOT, False) if row is None else _View(row.size, row.root, True)

    def _cosign(self, checkpoint: Checkpoint, text: str) -> tuple[SignatureLine, ...]:
        time = int(self._clock().timestamp())
        return tuple(
            SignatureLine.by(signer, text, time)
            for signer in self._signers
            # ML-DSA cosignatures do not cover extension lines, and so do not go with any.
            if not checkpoint.extensions or signer.verifier.type is KeyType.COSIGNATURE_ED25519
        )

    def _advance(self, view: _View, checkpoint: Checkpoint, note: SignedNote) -> bool:
        """Put a checkpoint in the place of a view, durably; false where that is not the view any more."""
        values = {"size": checkpoint.size, "root": checkpoint.root, "note": note.encode()}
        same = (
            col(WitnessedLog.origin) == checkpoint.origin,
            col(WitnessedLog.size) == view.size,
            col(WitnessedLog.root) == view.root,
        )
        try:
            with self._engine.begin() as connection:
                if view.kept:
                    return connection.execute(update(WitnessedLog).where(*same).values(**values)).rowcount == 1
                connection.execute(insert(WitnessedLog).values(origin=checkpoint.origin, **values))
                return True
        except IntegrityError:
            return False


def _read(text: str) -> tuple[int, Checkpoint | None]:
    """A checkpoint's size, and the checkpoint, where it is not of an empty tree with a root that no such tree has."""
    try:
        checkpoint = Checkpoint.parse(text)
    except WrongEmptyRoot:
        return 0, None
    return checkpoint.size, checkpoint


def _in_force(key: LogKey, size: int) -> bool:
    # A key is good from the first leaf after its from_size; the first one of a log also for the empty tree.
    return key.from_size < max(size, 1) and (key.to_size is None or size <= key.to_size)
