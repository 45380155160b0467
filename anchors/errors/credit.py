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


class DatesOutOfOrder(BadRecord):
    """A publication that would end before the decision."""

    def __init__(self, decided: date, last: date) -> None:
        super().__init__(f"it would be published until {last}, before the decision of {decided}")


class NothingStated(BadRecord):
    """A record without the digest of its statement or of its decision."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the record has no digest of its {what}")


class MeasureMissing(BadRecord):
    """A record that imposes or grants nothing."""

    def __init__(self) -> None:
        super().__init__("the record names no measure")


class EarlierAhead(BadRecord):
    """A record that was drawn up after more records than there are."""

    remedy = "Draw the record up again over the subject's list as it is."

    def __init__(self, earlier: int, count: int) -> None:
        super().__init__(f"it was drawn up after {earlier} records, and its subject has {count}")


class AlreadyPublished(BadRecord):
    """A record that stands in the list already."""

    remedy = "Nothing is left to do: look the record up by its name."

    def __init__(self, name: bytes) -> None:
        super().__init__(f"the record 0x{name.hex()} is published already")


class BadChange(AnchorsError):
    """Root of what refuses a change of a record."""

    remedy: ClassVar[str] = "Look at what the record is now, and at the rules of docs/CREDIT.md."


class IllegalChange(BadChange):
    """A state that does not follow from the one before."""

    def __init__(self, state: str, following: str) -> None:
        super().__init__(f"a record that is {state} does not become {following}")


class GroundsMissing(BadChange):
    """A change without the paper that it rests on."""

    def __init__(self, state: str) -> None:
        super().__init__(f"nothing becomes {state} without the digest of its grounds")


class PledgeMisplaced(BadChange):
    """A repair without a commitment letter, or a letter with another change."""

    def __init__(self, state: str) -> None:
        super().__init__(f"a commitment letter goes with every repair and with nothing else, and this is {state}")


class TooLate(BadChange):
    """An objection or a repair of a record that has expired."""

    def __init__(self, state: str, last: date) -> None:
        super().__init__(f"it ended with {last}, so it does not become {state} any more")


class NotRepairable(BadChange):
    """A repair of an honour."""

    def __init__(self) -> None:
        super().__init__("an honour is not repaired; one that should not be is withdrawn")


class RepairTooSoon(BadChange):
    """A repair before the least period of publication is over."""

    remedy = "Wait until that day is over in China."

    def __init__(self, least: date) -> None:
        super().__init__(f"it must be published until {least} at least")


class CorrectionTooFar(BadChange):
    """A change that alters more than a correction may."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this is no correction: {why}")
