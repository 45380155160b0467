"""Leads of a tender: equal feature codes of different bidders, among the records that its sites have handed in.

Promises that nothing is compared before the opening, and of what stands on the chain now: a record whose bid or whose
anchor a turn of the chain took out of the opening is left out. A lead is for a person to look into; nothing in the
service follows from one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from anchors.errors import FeaturesNotTogether
from anchors.subjects import Subject
from anchors.tenders.features import Compared, FeatureRecord, Lead, OpenedRecord, compared, leads
from ledger_service.index.asof import Moment, moment
from ledger_service.refusals import Refused
from ledger_service.tenders.features import OpenedTender, opened_tender
from ledger_service.tenders.features_places import LoggedPlace, size_before
from ledger_service.tenders.features_tables import KeptRecord
from ledger_service.tenders.ground import TenderGround

__all__ = ["Comparison", "Where", "compare"]


class Where(StrEnum):
    """Between whom a code is equal."""

    ACROSS = "across"
    WITHIN = "within"

    def holds(self, lead: Lead) -> bool:
        """Whether bidders of different members share the lead's code, or several of one."""
        return lead.across if self is Where.ACROSS else bool(lead.within)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All leads of a tender, and what they come from."""

    when: Moment
    opened: int  # bids
    compared: Sequence[Compared]
    leads: Sequence[Lead]  # the strongest first


def compare(ground: TenderGround, tender: bytes, as_of: str | None) -> Comparison:
    """Compare the records of a tender.

    Args:
        ground: the alliance, and the database.
        tender: its name.
        as_of: as `moment` takes it: by the opening as of a block, and the records that there were by its time.

    Raises:
        NotFound: there is no such tender.
        NotOpenedYet: its bids are not opened.
        Refused: there are more records than are compared at a time.
    """
    with Session(ground.engine) as session:
        when = moment(session, as_of, ground.clock())
        opened = opened_tender(session, ground, tender, when.block)
        records = [_record(ground, row) for row in _kept(session, opened, when)]
    try:
        return Comparison(when, len(opened.bids), compared(records), leads(records))
    except FeaturesNotTogether as error:
        raise Refused(error, "") from error


def _kept(session: Session, opened: OpenedTender, when: Moment) -> list[KeptRecord]:
    rows = select(KeptRecord).where(KeptRecord.tender == opened.row.tender, KeptRecord.received_at <= when.time)
    early: dict[tuple[int, int], int] = {}  # of each log, a size that was anchored before the opening
    found = []
    for row in session.exec(rows.order_by(col(KeptRecord.index).desc())):
        log, place = (row.member, row.generation), LoggedPlace(row.member, row.generation, row.index)
        if row.index >= early.get(log, 0):
            early[log] = size_before(session, place, opened.place) or 0
        if row.index < early[log] and row.bid in opened.bids:
            found.append(row)
    return found


def _record(ground: TenderGround, row: KeptRecord) -> OpenedRecord:
    record = FeatureRecord.from_document(row.document)
    return OpenedRecord(ground.code_of(row.member), row.commitment, Subject.parse(row.bidder), record)
