"""Trusted time."""

from anchors.errors.root import AnchorsError


class MalformedTimestamp(AnchorsError):
    """Bytes that are no granted timestamp."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed timestamp: {what}")


class TimestampDiffers(AnchorsError):
    """A timestamp of something else."""

    def __init__(self, stamped: bytes, checkpoint: bytes) -> None:
        super().__init__(f"the timestamp is of 0x{stamped.hex()}, the checkpoint's text is 0x{checkpoint.hex()}")


class AuthorityNotTrusted(AnchorsError):
    """A timestamp that none of the reader's authorities answers for."""

    remedy = "Verify with the certificates of the authority that the log uses, if you trust it (--authorities)."

    def __init__(self, count: int) -> None:
        super().__init__(f"none of the {count} given authorities answers for the signature of the timestamp")


class MalformedAuthorities(AnchorsError):
    """A file of authorities' certificates that holds none."""

    remedy = "Give the authority's root certificate in PEM."

    def __init__(self) -> None:
        super().__init__("the authorities file is not certificates in PEM, or longer than 1 MiB")
