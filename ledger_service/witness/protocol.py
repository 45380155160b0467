"""The texts of C2SP tlog-witness, as a log sends them and a witness answers."""

from dataclasses import dataclass
from typing import Final, Self

from anchors.errors import MalformedEncoding, MalformedNote
from anchors.merkle import MAX_SIZE
from anchors.notes import SignatureLine, SignedNote
from anchors.notes.encoding import decode_base64, decode_decimal, encode_base64

SIZE_MEDIA_TYPE: Final = "text/x.tlog.size"
_MAX_PROOF: Final = 63


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of `add-checkpoint`; nothing in it is proven yet."""

    old_size: int
    proof: tuple[bytes, ...]  # 32 bytes each
    note: SignedNote  # the checkpoint

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            MalformedText: it is not an old size, at most 63 hashes, an empty line and a signed note.
        """
        head, separator, note = body.partition(b"\n\n")
        if not separator or not head.isascii():
            raise MalformedNote("there is no empty line after the old size and its proof")
        first, *lines = head.decode().split("\n")
        if not first.startswith("old ") or len(lines) > _MAX_PROOF:
            raise MalformedNote("it begins with no old size, or has more than 63 lines of proof")
        proof = tuple(decode_base64(line) for line in lines)
        if any(len(node) != 32 for node in proof):
            raise MalformedEncoding("a line of the proof is not a hash of 32 bytes")
        return cls(decode_decimal(first[4:], MAX_SIZE), proof, SignedNote.parse(note))

    def encode(self) -> bytes:
        """Write the body, just as `parse` read it."""
        lines = (f"old {self.old_size}", *map(encode_base64, self.proof), "", "")
        return "\n".join(lines).encode() + self.note.encode()


def write_size(size: int) -> bytes:
    """What a witness answers when another old size is needed."""
    return f"{size}\n".encode()


def read_size(body: bytes) -> int:
    """Read what `write_size` writes; raises MalformedText."""
    text = body.decode("latin-1")
    if not text.endswith("\n"):
        raise MalformedEncoding("a size ends in a newline")
    return decode_decimal(text[:-1], MAX_SIZE)


def write_lines(lines: tuple[SignatureLine, ...]) -> bytes:
    """The cosignatures with which a witness answers."""
    return "".join(f"{line.line}\n" for line in lines).encode()


def read_lines(text: str, body: bytes) -> SignedNote:
    """Read a witness's answer as signatures on the text that it was sent; raises MalformedText."""
    note = SignedNote.parse(text.encode() + b"\n" + body)
    if note.text != text:  # an empty line in the answer would end another text
        raise MalformedNote("the answer is not signature lines alone")
    return note
