"""What a record can be: an honour, or a dishonesty of one of the two grades that are published.

Promises the periods of publication of each: the law's for dishonesty, for an honour no longer than the longest of
these. Minor faults are not published, so there is no kind for them.
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
    def term(self) -> Term:
        """How long such a record is published.

        Source: State Council General Office, Guobanfa (2025) No. 22, section 2.
        """
        return _TERMS[self]


_TITLES: Final = {Kind.HONOUR: "an honour", Kind.GENERAL: "general dishonesty", Kind.SERIOUS: "serious dishonesty"}
_TERMS: Final = {Kind.HONOUR: Term(0, 36), Kind.GENERAL: Term(3, 12), Kind.SERIOUS: Term(12, 36)}
