"""The acts in tenders for the job that sends: read back from their operations, called, and found on the chain.

Before an act is sent the rules are asked once more: what a turn of the chain has taken the ground from is refused by
name, and what only came too early waits.
"""

import json
from typing import Final

from sqlmodel import Session

from anchors.errors import (
    AnchorsError,
    AwardSuspended,
    NoCandidates,
    NotClosed,
    NotEvaluated,
    NotOpened,
    OpenedEarly,
    StillOpen,
    StillPublished,
)
from anchors.tenders import NO_TENDER, Notice
from ledger_service.index.asof import moment
from ledger_service.operations.acts import Call
from ledger_service.operations.collecting import Collected
from ledger_service.operations.tables import Operation
from ledger_service.refusals import Refused
from ledger_service.tenders.claiming import Claiming, Closing, HolderAnswering, RefusalAnswering
from ledger_service.tenders.drafted import Drafted
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import happened, standing
from ledger_service.tenders.signing import KINDS, Signing

__all__ = ["ALL_KINDS", "TenderActs"]

CLOSING, CLAIM, ANSWER = "closing", "claim", "answer"
ALL_KINDS: Final = (*KINDS, CLOSING, CLAIM, ANSWER)
_TOO_EARLY: Final = (
    *(StillOpen, OpenedEarly, NotClosed, NotOpened, NotEvaluated, NoCandidates, StillPublished, AwardSuspended),
)
"""What may be right later, as after a turn of the chain or when its time has come."""
OVERTAKEN: Final = frozenset(
    f"TenderRegister_{name}"
    for name in (
        *("UnknownTender", "Over", "AlreadyPublished", "NotToReplace", "OtherVersion", "StillOpen", "AlreadyClosed"),
        *("NotClosed", "OpenedEarly", "AlreadyOpened", "NotOpened", "OtherRound", "AlreadyEvaluated", "NotEvaluated"),
        *("CandidatesAlreadyPublished", "NoCandidates", "OtherBasis", "AlreadyObjected", "NothingToRule", "Suspended"),
        *("StillPublished", "AlreadyClaimed", "NothingToAnswer"),
    )
)
"""The register's errors that say only that something came first, or has not yet: the index tells what becomes of it."""


class TenderActs:
    """The acts in tenders for `sending`: read back from their operations."""

    overtaken = OVERTAKEN

    def __init__(self, ground: TenderGround) -> None:
        self._ground = ground

    def touches(self, operation: Operation) -> set[bytes]:
        """The tender, and the one that it replaces."""
        drafted = _drafted(operation)
        former = drafted.act.former if isinstance(drafted, Signing) and isinstance(drafted.act, Notice) else NO_TENDER
        return {drafted.tender, former} - {NO_TENDER}

    def call(self, session: Session, operation: Operation, given: Collected) -> Call | None:
        """As `Acts.call`."""
        try:
            return _drafted(operation).call(session, self._ground, operation.deadline, given)
        except _TOO_EARLY:
            return None
        except AnchorsError as error:
            raise Refused(error, "") from error

    def place(self, session: Session, operation: Operation) -> int | None:
        """As `Acts.place`."""
        drafted = _drafted(operation)
        block = moment(session, None, self._ground.clock()).block
        found = standing(session, drafted.tender, block)
        if found is None or found.row.contract != self._ground.register:
            return None
        events = happened(session, found.row, block)
        return next((event.block_number for event, _ in events if drafted.is_told(event)), None)


def _drafted(operation: Operation) -> Drafted:
    draft = json.loads(operation.draft)
    if operation.act == CLOSING:
        return Closing(bytes.fromhex(draft["tender"]))
    if operation.act == CLAIM:
        return Claiming.from_json(draft)
    if operation.act == ANSWER:
        return HolderAnswering.from_json(draft) if "word" in draft else RefusalAnswering.from_json(draft)
    return Signing.from_json(operation.act, draft)
