"""Credit records: what one says, what may become of it, and what of it applied when.

Promises the rules of docs/CREDIT.md as pure functions of facts and time, and the same bytes and hashes as the contract
that holds the register. Who may sign is left to the contracts.
"""

from anchors.credit.changes import FOLLOWING, NO_PLEDGE, Change, State, check_change
from anchors.credit.history import (
    NO_RECORD,
    Event,
    History,
    Link,
    Publication,
    Standing,
    check_publication,
    fold,
    histories,
    links,
    word_count,
)
from anchors.credit.kinds import Kind
from anchors.credit.measures import Basis, Catalogue, Measure, read_catalogue
from anchors.credit.recognition import Choice, Issued, Named, check_choice, choice_digest, opted_out
from anchors.credit.record import Record, check_record
from anchors.credit.signing import changes_digest, publication_digest
from anchors.credit.statement import Statement
from anchors.credit.terms import Term, day_at, end_of, last_day

__all__ = [
    "FOLLOWING",
    "NO_PLEDGE",
    "NO_RECORD",
    "Basis",
    "Catalogue",
    "Change",
    "Choice",
    "Event",
    "History",
    "Issued",
    "Kind",
    "Link",
    "Measure",
    "Named",
    "Publication",
    "Record",
    "Standing",
    "State",
    "Statement",
    "Term",
    "changes_digest",
    "check_change",
    "check_choice",
    "check_publication",
    "check_record",
    "choice_digest",
    "day_at",
    "end_of",
    "fold",
    "histories",
    "last_day",
    "links",
    "opted_out",
    "publication_digest",
    "read_catalogue",
    "word_count",
]
