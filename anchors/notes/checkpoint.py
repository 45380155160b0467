"""The text of a checkpoint: which log, how many leaves, which root."""

from dataclasses import dataclass
from typing import Self

from anchors.errors import MalformedCheckpoint, WrongEmptyRoot
from anchors.merkle.hashing import EMPTY_ROOT, MAX_SIZE
from anchors.notes.encoding import decode_base64, decode_decimal, encode_base64

__all__ = ["Checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's statement of its tree, before it is signed."""

    origin: str  # 1 to 255 bytes in UTF-8
    size: int  # leaves, 0 to 2**63 - 1
    root: bytes  # 32 bytes
    extensions: tuple[str, ...] = ()  # lines that no auditor can check; our logs write none

    def __post_init__(self) -> None:
        """Refuse what has no text, or not the one that it is read from.

        Raises:
            MalformedCheckpoint: a field is out of bounds.
        """
        if "" in (self.origin, *self.extensions) or "\n" in "".join((self.origin, *self.extensions)):
            raise MalformedCheckpoint("an empty line stands where the origin or an extension must be")
        if len(self.origin.encode()) > 255:
            raise MalformedCheckpoint("the origin is longer than 255 bytes")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != 32:
            raise MalformedCheckpoint(f"size {self.size} or a root of {len(self.root)} bytes is out of bounds")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise WrongEmptyRoot

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note's text as a checkpoint.

        Raises:
            MalformedText: it has fewer than three lines or an empty one, does not end in a newline, or its size or
                root is not written as it must be.

        Source: C2SP tlog-checkpoint.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise MalformedCheckpoint("it is not three lines or more that each end in a newline")
        origin, size, root, *extensions = lines[:-1]
        return cls(origin, decode_decimal(size, MAX_SIZE), decode_base64(root), tuple(extensions))

    @property
    def text(self) -> str:
        """The note text to be signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, encode_base64(self.root), *self.extensions))
