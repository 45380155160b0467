"""That a record of feature codes was logged at its site before the opening: by a proof, or by this service's own log.

Promises a place in a log, below a size that the chain had anchored when bids were opened. Whoever sees the opened bids
first and then makes records up has none.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from anchors.errors import AnchorsError
from anchors.merkle import leaf_hash, prove_inclusion
from ledger_service.errors import InvalidContent
from ledger_service.index.tables import Anchor
from ledger_service.index.tender_tables import TenderEvent, TenderVersion
from ledger_service.log.reader import LogReader
from ledger_service.refusals import Refused
from ledger_service.tenders.ground import TenderGround

__all__ = ["LeafProof", "LoggedPlace", "Place", "RecordPlaces", "opening_place", "size_before"]

Place = tuple[int, int, int]  # block, transaction, log of an event


class RecordNotLogged(InvalidContent):
    """A record that is not where it is said to be in the log of its site."""

    problem, title = "record-not-logged", "The record is not in the log"


class CheckpointNotAnchored(InvalidContent):
    """A proof that leads to no checkpoint that the index knows."""

    problem, title = "checkpoint-not-anchored", "No such checkpoint is anchored"


class RecordLoggedLate(InvalidContent):
    """A record that is in the log, but below no size that was anchored before the opening."""

    problem, title = "record-logged-late", "The record was not anchored before the opening"


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A path from a leaf to the root of an anchored checkpoint."""

    generation: int
    index: int
    size: int
    path: tuple[bytes, ...]  # leaf to root, 32 bytes each


@dataclass(frozen=True, slots=True)
class LoggedPlace:
    """Where a record is logged, proven."""

    member: int
    generation: int
    index: int


class RecordPlaces:
    """Proves where records are logged.

    Args:
        ground: whose service this is.
        reader: of its log.
        generation: of that log.
    """

    def __init__(self, ground: TenderGround, reader: LogReader, generation: int) -> None:
        self._own = ground.member.number
        self._reader = reader
        self._generation = generation

    def prove(
        self, session: Session, commitment: bytes, site: int, given: LeafProof | None, opening: Place, pointer: str
    ) -> LoggedPlace:
        """Prove that a record was logged, and anchored before the opening.

        Args:
            session: of the index.
            commitment: of the record.
            site: the member in whose log it is.
            given: the proof; without it the record is looked for in this service's log.
            opening: the place of the event.
            pointer: JSON pointer to the record.

        Raises:
            RecordNotLogged: the log does not have it there.
            CheckpointNotAnchored: the proof's size is none that the index knows of this log.
            RecordLoggedLate: no size above its place was anchored before the opening.
            Refused: `bad-inclusion-path`: the path does not fit its place; `outside-tree`: this service has no
                checkpoint of the size that is anchored.
            FilesDamaged: the tiles of this service's log do not give a path.
        """
        proof = self._own_proof(session, commitment, pointer) if given is None else given
        anchored = session.get(Anchor, (site, proof.generation, proof.size))
        if anchored is None:
            raise CheckpointNotAnchored(
                f"The index knows no anchored checkpoint of {proof.size} leaves of that log; fetch the proof anew.",
                facts={"pointer": f"{pointer}/proof/size"},
            )
        _check_path(commitment, proof, anchored.root, pointer)
        place = LoggedPlace(site, proof.generation, proof.index)
        if size_before(session, place, opening) is None:
            raise _late(pointer)
        return place

    def _own_proof(self, session: Session, commitment: bytes, pointer: str) -> LeafProof:
        entry = self._reader.find(commitment)
        if entry is None:
            raise RecordNotLogged(
                "This member's log has no such leaf; of another member's give the proof.", facts={"pointer": pointer}
            )
        covering = _covering(session, LoggedPlace(self._own, self._generation, entry.index))
        if covering is None:
            raise _late(pointer)
        try:
            path = self._reader.inclusion(entry, covering.size)
        except AnchorsError as error:
            raise Refused(error, pointer) from error
        return LeafProof(self._generation, entry.index, covering.size, tuple(path))


def size_before(session: Session, place: LoggedPlace, opening: Place) -> int | None:
    """A size above a leaf's place that was anchored before an opening; None where there is none.

    A log only grows, so the first size above the place is the one that was anchored first.
    """
    covering = _covering(session, place)
    return covering.size if covering is not None and _place(covering) < opening else None


def opening_place(session: Session, row: TenderVersion) -> Place:
    """Where on the chain the bids of an opened tender were opened."""
    rows = select(TenderEvent).where(
        TenderEvent.tender == row.tender, TenderEvent.contract == row.contract, TenderEvent.kind == "opened"
    )
    return _place(session.exec(rows).one())


def _covering(session: Session, place: LoggedPlace) -> Anchor | None:
    rows = select(Anchor).where(
        Anchor.member == place.member, Anchor.generation == place.generation, col(Anchor.size) > place.index
    )
    return session.exec(rows.order_by(col(Anchor.size)).limit(1)).first()


def _check_path(commitment: bytes, proof: LeafProof, root: bytes, pointer: str) -> None:
    try:
        found = prove_inclusion(leaf_hash(commitment), proof.index, proof.size, proof.path)
    except AnchorsError as error:
        raise Refused(error, f"{pointer}/proof") from error
    if found.root != root:
        raise RecordNotLogged(
            f"The path leads from the record at {proof.index} to another root than was anchored.",
            facts={"pointer": f"{pointer}/proof"},
        )


def _late(pointer: str) -> RecordLoggedLate:
    return RecordLoggedLate(
        "No checkpoint with the record was anchored before the opening: it may have been made up when the bids were "
        "known.",
        facts={"pointer": pointer},
    )


def _place(row: Anchor | TenderEvent) -> Place:
    return row.block_number, row.transaction_index, row.log_index
