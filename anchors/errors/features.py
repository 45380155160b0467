"""Feature codes of bids: what cannot be taken, sealed or opened."""

from typing import ClassVar

from anchors.errors.root import AnchorsError


class BadFeatures(AnchorsError):
    """Root of what refuses a feature code or a record of them."""

    remedy: ClassVar[str] = "Get the record again from the site that took the bid in."


class BadFeatureCode(BadFeatures):
    """What cannot be a code of its kind. The message leaves out what was given: it may point to a person's machine."""

    remedy = "Take the code again as the bidding tool gives it."

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"the {kind} {what}")


class BadFeatureKey(BadFeatures):
    """A key that no codes of a tender can be taken under. The message leaves out the key."""

    remedy = "Get the tender's key again from the sites that share it."

    def __init__(self, what: str) -> None:
        super().__init__(f"the key of the feature codes {what}")


class BadFeatureRecord(BadFeatures):
    """A record of feature codes that is not of its format."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the record of feature codes {what}")


class FeatureRecordDiffers(BadFeatures):
    """A record that is not what was committed to."""

    def __init__(self, commitment: bytes, what: str) -> None:
        super().__init__(f"the record of feature codes under 0x{commitment.hex()} {what}")


class FeaturesStillSealed(BadFeatures):
    """A record that would be opened although its bid is not among the opened ones."""

    remedy = "Wait for the opening; the codes of a bid that was not opened stay sealed."

    def __init__(self, bid: bytes) -> None:
        super().__init__(f"the bid 0x{bid.hex()} is not among the opened ones")


class FeaturesNotTogether(BadFeatures):
    """Records that cannot be compared with each other."""

    remedy = "Compare the records of one tender, one for each bid."

    def __init__(self, what: str) -> None:
        super().__init__(f"the records of feature codes {what}")
