"""Credit records: what cannot be one, what cannot become of one, and certificates that do not hold."""

from datetime import date
from typing import ClassVar

from anchors.errors.root import AnchorsError


class BadRecord(AnchorsError):
    """Root of what refuses a credit record or a change of one."""

    remedy: ClassVar[str] = "Put the record together again from the decision, by the rules of docs/CREDIT.md."


class UnknownMeasure(BadRecord):
    """A measure that the catalogue does not list."""

    remedy = "Name a measure of the catalogue in force; what no list has, no record may impose."

    def __init__(self, code: int, version: int) -> None:
        super().__init__(f"version {version} of the catalogue has no measure {code}")


class UnfitMeasure(BadRecord):
    """A measure of the catalogue that a record of this kind, severity or period cannot impose."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"measure {code} {why}")


class FutureDecision(BadRecord):
    """A decision of a day that has not come."""

    def __init__(self, decided: date, today: date) -> None:
        super().__init__(f"the decision is dated {decided}, and today is {today}")


class PeriodOutsideLaw(BadRecord):
    """A publication that would be shorter or longer than the law allows."""

    def __init__(self, last: date, earliest: date, latest: date) -> None:
        super().__init__(f"it would be published until {last}; the law allows {earliest} to {latest}")


class PublicationOver(BadRecord):
    """A record whose publication would be over before it began."""

    def __init__(self, last: date, today: date) -> None:
        super().__init__(f"its publication ends with {last}, and today is {today}")
