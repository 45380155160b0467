"""`tlog-proof@v1`: a leaf's place, its path, and the signed checkpoint that the path leads to, as one text."""

from dataclasses import dataclass
from typing import Final, Self

from anchors.errors import MalformedTlogProof
from anchors.merkle.hashing import MAX_SIZE
from anchors.notes.checkpoint import Checkpoint
from anchors.notes.encoding import decode_base64, decode_decimal, encode_base64
from anchors.notes.signed_note import MAX_NOTE_BYTES, SignedNote

__all__ = ["TlogProof"]

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63
_MAX_LINE = 64 << 10  # of the extra line, as transparency-dev/formats takes it
_MAX_EXTRA = _MAX_LINE * 3 // 4 - 8  # in base64, behind the word and its space
_MAX_HEAD = _MAX_LINE + (_MAX_PATH + 2) * 64


@dataclass(frozen=True, slots=True)
class TlogProof:
    """What shows that a leaf is in a signed tree; nothing in it is proven yet."""

    index: int
    path: tuple[bytes, ...]  # sibling hashes, leaf to root, 32 bytes each
    note: SignedNote  # the signed checkpoint
    checkpoint: Checkpoint  # the note's text, read
    extra: bytes | None = None  # not authenticated

    @classmethod
    def of(cls, index: int, path: tuple[bytes, ...], note: SignedNote, extra: bytes | None = None) -> Self:
        """Put a proof together.

        Raises:
            MalformedText: the note holds no checkpoint, or a field is out of bounds.
        """
        checkpoint = Checkpoint.parse(note.text)
        if not 0 <= index < checkpoint.size:
            raise MalformedTlogProof(f"leaf {index} is not in a tree of {checkpoint.size} leaves")
        if len(path) > _MAX_PATH or any(len(node) != 32 for node in path):
            raise MalformedTlogProof(f"a path has at most {_MAX_PATH} hashes of 32 bytes")
        if extra is not None and len(extra) > _MAX_EXTRA:
            raise MalformedTlogProof(f"extra has at most {_MAX_EXTRA} bytes")
        return cls(index, path, note, checkpoint, extra)

    def with_extra(self, extra: bytes) -> Self:
        """Return the proof with other extra data, such as the salt that only the leaf's owner may have."""
        return self.of(self.index, self.path, self.note, extra)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a proof.

        Raises:
            MalformedText: it is too long, or not written as it must be.

        Source: C2SP tlog-proof.
        """
        if len(data) > _MAX_HEAD + MAX_NOTE_BYTES:
            raise MalformedTlogProof(f"it is {len(data)} bytes long")
        head, separator, note = data.partition(b"\n\n")
        if not separator or len(head) > _MAX_HEAD or not head.isascii():
            raise MalformedTlogProof("it is not lines in ASCII, an empty line and a signed checkpoint")
        header, *lines = head.decode().split("\n")
        if header != _HEADER:
            raise MalformedTlogProof(f"its first line is not {_HEADER}")
        extra = decode_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index ") or len(lines) > 1 + _MAX_PATH:
            raise MalformedTlogProof(f"it lacks an index, or has more than {_MAX_PATH} hashes")
        index = decode_decimal(lines[0][6:], MAX_SIZE)
        return cls.of(index, tuple(decode_base64(line) for line in lines[1:]), SignedNote.parse(note), extra)

    def encode(self) -> bytes:
        """Write the proof, just as `parse` read it."""
        extra = () if self.extra is None else (f"extra {encode_base64(self.extra)}",)
        lines = (_HEADER, *extra, f"index {self.index}", *map(encode_base64, self.path), "", "")
        return "\n".join(lines).encode() + self.note.encode()
