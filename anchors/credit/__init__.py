"""Credit records: what one says, what may become of it, and what of it applied when.

Promises the rules of docs/CREDIT.md as pure functions of facts and time, and the same bytes and hashes as the contract
that holds the register. Who may sign, and which member applies whose records, is left to the contracts.
"""

from anchors.credit.kinds import Kind
from anchors.credit.measures import Basis, Catalogue, Measure
from anchors.credit.terms import Term, day_at, end_of, last_day

__all__ = ["Basis", "Catalogue", "Kind", "Measure", "Term", "day_at", "end_of", "last_day"]
