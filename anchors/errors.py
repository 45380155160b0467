"""Every error of the offline library, grouped by the module that raises it.

A message says what is wrong and where; `diagnostics` adds what to do about it. Whatever bytes a parser is handed,
it answers with its value or with one of these.
"""

from typing import ClassVar


class AnchorsError(Exception):
    """Root of every error that this library raises on purpose."""

    remedy: ClassVar[str] = "Get the evidence again from whoever handed it out."

    def diagnostics(self) -> str:
        """Say what is wrong, where, and what to do, in sentences for a person."""
        return f"{self}. {self.remedy}"
