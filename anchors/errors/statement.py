"""What is logged, for whom, and the promise: statements, subjects, receipts, periods."""

from anchors.errors.root import AnchorsError


class BadStatement(AnchorsError):
    """A statement that nothing can be committed to by."""

    remedy = "State the document again, with the names and forms of the statement."

    def __init__(self, what: str) -> None:
        super().__init__(f"the statement cannot be: {what}")


class BadSubject(AnchorsError):
    """A party that is no company's identifier. The message leaves out what was given: it may be a person's."""

    remedy = "Name a company by its scheme and identifier; natural persons are never named."

    def __init__(self, what: str) -> None:
        super().__init__(f"the party {what}")


class NaturalPerson(BadSubject):
    """A party that names a natural person, or reads as if it did."""

    def __init__(self) -> None:
        super().__init__("names a natural person, or reads as an identity number")


class NotInBatch(AnchorsError):
    """A receipt that is not in the batch whose signature it carries."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the receipt for place {index} does not lead to the root of its signed batch")


class PeriodKeyDiffers(AnchorsError):
    """A period's key that was not committed to before."""

    remedy = "Ask the member for the key that it committed to; if it has none, its periods cannot be accounted for."

    def __init__(self, slot: int) -> None:
        super().__init__(f"the leaf in slot {slot} commits to another key than the one revealed for the next period")
