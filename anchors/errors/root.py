"""The root of every error of the offline library."""

from typing import ClassVar


class AnchorsError(Exception):
    """Root of every error that this library raises on purpose."""

    remedy: ClassVar[str] = "Get the evidence again from whoever handed it out."

    def diagnostics(self) -> str:
        """Say what is wrong, where, and what to do, in sentences for a person."""
        return f"{self}. {self.remedy}"
