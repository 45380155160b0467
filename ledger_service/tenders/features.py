"""Takes records of feature codes in: opened by their sites after the opening, checked, and kept to be compared.

Promises that nothing is looked at before the opening is on the chain, and that what is kept is what was sealed: of this
tender, of an opened bid, and in the log of a site since before the opening. That a record's bidder is the bid's, and
that its codes are those of the bid, is the word of that site. All records of a request are kept, or none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from anchors.commitment import Statement
from anchors.errors import AnchorsError, BadFeatureRecord, NotOpened
from anchors.tenders import LEAST_BIDS, parse_bids
from anchors.tenders.features import OpenedRecord, SealedRecord, open_record
from ledger_service.errors import InvalidContent
from ledger_service.index.asof import moment
from ledger_service.index.tender_tables import TenderVersion, read_members
from ledger_service.log.reader import LogReader
from ledger_service.refusals import Refused
from ledger_service.tenders import queries
from ledger_service.tenders.features_places import LeafProof, LoggedPlace, Place, RecordPlaces, opening_place
from ledger_service.tenders.features_tables import KeptRecord
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.routes import NotOpenedYet

__all__ = ["Features", "GivenRecord", "OpenedTender", "opened_tender"]

log = structlog.get_logger(__name__)


class RecordOfOtherTender(InvalidContent):
    """A record that was sealed for another tender."""

    problem, title = "record-of-other-tender", "The record is of another tender"


class NotASite(InvalidContent):
    """A record in the log of a member that does not hold the tender."""

    problem, title = "not-a-site", "The member is no site of the tender"


class RecordGivenOtherwise(InvalidContent):
    """A second record of one bid, which says something else."""

    problem, title = "record-given-otherwise", "The bid has another record already"


@dataclass(frozen=True, slots=True)
class GivenRecord:
    """A record as a site hands it in, unread."""

    commitment: bytes  # 32 bytes
    statement: Mapping[str, Any]  # JSON values, as are the next
    record: Mapping[str, Any]
    site: str  # code of the member in whose log it is
    proof: LeafProof | None  # None: that is this service's log


@dataclass(frozen=True, slots=True)
class OpenedTender:
    """A tender whose bids are opened."""

    row: TenderVersion
    place: Place  # of the opening
    bids: frozenset[bytes]  # the commitments of the opened ones


class Features:
    """The desk for records of feature codes, at any member.

    Args:
        ground: the alliance, and the database.
        reader: of this member's log.
        generation: of that log.
    """

    def __init__(self, ground: TenderGround, reader: LogReader, generation: int) -> None:
        self._ground = ground
        self._places = RecordPlaces(ground, reader, generation)

    def hand_in(self, tender: bytes, given: Sequence[GivenRecord]) -> list[KeptRecord]:
        """Check records and keep them; the same ones again change nothing.

        Args:
            tender: its name.
            given: one for each bid.

        Returns:
            What is kept of each, in their order.

        Raises:
            NotFound: there is no such tender.
            NotOpenedYet: its bids are not opened; nothing is looked at.
            Refused: a record is not what was committed to, or of a bid that was not opened.
            RecordOfOtherTender, UnknownMember, NotASite: it is not of this tender, or in the log of one who does not
                hold it.
            RecordNotLogged, CheckpointNotAnchored, RecordLoggedLate: it was not logged before the opening.
            RecordGivenOtherwise: its bid has another record.
        """
        for _ in given:
            try:
                return self._hand_in(tender, given)
            except IntegrityError:  # another request kept one of them meanwhile: by now that one is seen
                continue
        return self._hand_in(tender, given)

    def _hand_in(self, tender: bytes, given: Sequence[GivenRecord]) -> list[KeptRecord]:
        with Session(self._ground.engine, expire_on_commit=False) as session:
            when = moment(session, None, self._ground.clock())
            opened = opened_tender(session, self._ground, tender, when.block)
            rows = [
                self._checked(session, opened, each, when.time, f"/records/{number}")
                for number, each in enumerate(given)
            ]
            kept = _first_ones(session, rows)
            session.commit()
        log.info("feature_records_kept", tender=tender.hex(), given=len(given))
        return kept

    def _checked(
        self, session: Session, opened: OpenedTender, given: GivenRecord, time: int, pointer: str
    ) -> KeptRecord:
        site = self._ground.number_of(given.site, f"{pointer}/proof/member")
        if site not in read_members(opened.row.members):
            raise NotASite(
                f"{given.site} has not published this tender, so it received no bids of it.",
                facts={"pointer": pointer},
            )
        record = _open(opened, given, pointer)
        place = self._places.prove(session, given.commitment, site, given.proof, opened.place, pointer)
        return _row(opened.row.tender, record, place, time)


def opened_tender(session: Session, ground: TenderGround, tender: bytes, block: int) -> OpenedTender:
    """A tender whose bids are opened, as of a block.

    Raises:
        NotFound: there is no such tender.
        NotOpenedYet: its bids are not opened, or were too few to be; alike however many there are.
    """
    found = queries.standing(session, tender, block)
    if found is None:
        raise ground.unknown(tender)
    if found.row.manifest is None or (found.row.count or 0) < LEAST_BIDS:
        raise NotOpenedYet(NotOpened().diagnostics())
    bids = frozenset(bid.commitment for bid in parse_bids(queries.opened_bids(session, found.row)))
    return OpenedTender(found.row, opening_place(session, found.row), bids)


def _open(opened: OpenedTender, given: GivenRecord, pointer: str) -> OpenedRecord:
    try:
        statement = Statement.from_json(given.statement)
    except AnchorsError as error:
        raise Refused(error, f"{pointer}/statement") from error
    if statement.tender != "0x" + opened.row.tender.hex():
        raise RecordOfOtherTender(
            "The statement names another tender; in this one it is the name that the register gave.",
            facts={"pointer": f"{pointer}/statement/tender"},
        )
    try:
        sealed = SealedRecord(given.site, given.commitment)
        return open_record(sealed, statement, _document(given.record), opened.bids)
    except AnchorsError as error:
        raise Refused(error, f"{pointer}/record") from error


def _document(record: Mapping[str, Any]) -> bytes:
    """The bytes that were committed to: of one content there is one canonical form."""
    try:
        return rfc8785.dumps(dict(record))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise BadFeatureRecord("has no canonical form") from error


def _first_ones(session: Session, rows: Sequence[KeptRecord]) -> list[KeptRecord]:
    """Add the rows whose bids have none yet; what is kept for each."""
    kept: dict[bytes, KeptRecord] = {}
    for number, row in enumerate(rows):
        first = kept.get(row.bid) or session.get(KeptRecord, (row.tender, row.bid))
        if first is not None and first.commitment != row.commitment:
            raise RecordGivenOtherwise(
                "Of this bid another record was handed in before; the first one counts.",
                facts={"pointer": f"/records/{number}"},
            )
        kept[row.bid] = first or row
    session.add_all(kept.values())
    return [kept[row.bid] for row in rows]


def _row(tender: bytes, opened: OpenedRecord, place: LoggedPlace, time: int) -> KeptRecord:
    return KeptRecord(
        tender=tender,
        bid=opened.record.bid,
        bidder=str(opened.bidder),
        commitment=opened.commitment,
        document=opened.record.document(),
        member=place.member,
        generation=place.generation,
        index=place.index,
        received_at=time,
    )
