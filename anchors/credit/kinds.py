"""What a record can be: an honour, or a dishonesty of one of the two grades that are published.

Promises the periods of publication that the law sets for each. Minor faults are not published, so there is no kind for
them.
"""

from enum import IntEnum
from typing import Final

from anchors.credit.terms import Term

__all__ = ["Kind"]


class Kind(IntEnum):
    """The kind of a record; dishonesty with its severity."""

    HONOUR = 1
    GENERAL = 2
    SERIOUS = 3

    @property
    def title(self) -> str:
        """The kind in words, for messages."""
        return _TITLES[self]

    @property
    def term(self) -> Term | None:
        """How long such a record is published; None where the law sets no bounds.

        Source: State Council General Office, Guobanfa (2025) No. 22, section 2.
        """
        return _TERMS.get(self)


_TITLES: Final = {Kind.HONOUR: "an honour", Kind.GENERAL: "general dishonesty", Kind.SERIOUS: "serious dishonesty"}
_TERMS: Final = {Kind.GENERAL: Term(3, 12), Kind.SERIOUS: Term(12, 36)}
