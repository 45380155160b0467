"""How far a leaf has come: by which anchor it is covered."""

from sqlmodel import Session

from ledger_service.index.queries import DatedAnchor, dated_anchors
from ledger_service.index.tables import Anchor


def covering_anchor(session: Session, member: int, generation: int, index: int) -> DatedAnchor | None:
    """The first anchor of a log that covers the leaf at `index`; None before."""
    log = (Anchor.member == member, Anchor.generation == generation)
    return next(iter(dated_anchors(session, *log, Anchor.size > index, limit=1)), None)
