"""A text with the signatures on it, and a checkpoint so signed.

Reading a note says nothing about who signed it; `verify` and `open_checkpoint` do.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from anchors.errors import BadNoteSignature, MalformedNote, UnfitSigner
from anchors.notes.checkpoint import Checkpoint
from anchors.notes.encoding import decode_base64, encode_base64
from anchors.notes.keys import Signer, Verifier, is_key_name

__all__ = [
    "SignatureLine",
    "SignedCheckpoint",
    "SignedNote",
    "VerifiedSignature",
    "open_checkpoint",
    "sign_checkpoint",
]

MAX_NOTE_BYTES = 1_000_000  # what the reference implementation takes
_MAX_SIGNATURES = 100
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_LINE = re.compile("— ([^ ]+) ([^ ]+)")


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line of signature, from a key known or not."""

    name: str
    key_id: bytes  # 4 bytes
    signature: bytes  # at least 1 byte; a cosignature's begins with its time

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read `— <name> <base64(key ID || signature)>`, without its newline.

        Raises:
            MalformedText: it is not of that form.
        """
        match = _LINE.fullmatch(line)
        if match is None or not is_key_name(match[1]):
            raise MalformedNote(f"{line[:80]!r} is no signature line")
        signature = decode_base64(match[2])
        if len(signature) < 5:
            raise MalformedNote(f"{line[:80]!r} has no signature after its key ID")
        return cls(match[1], signature[:4], signature[4:])

    @classmethod
    def by(cls, signer: Signer, text: str, time: int | None = None) -> Self:
        """Sign a note's text; what `time` means and what is refused is told by `Signer.sign`."""
        return cls(signer.verifier.name, signer.verifier.key_id, signer.sign(text, time))

    @property
    def line(self) -> str:
        """The line as it stands in a note, without its newline."""
        return f"— {self.name} {encode_base64(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """The proven fact that a key signed a note."""

    verifier: Verifier
    time: int | None  # POSIX seconds; only a cosignature has one


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note's text and all its signature lines."""

    text: str  # with its last newline
    signatures: tuple[SignatureLine, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a signed note.

        Raises:
            MalformedText: it is too long, no UTF-8, has a control character, no text, no signature or too many, or a
                signature line that is none.

        Source: C2SP signed-note.
        """
        if len(data) > MAX_NOTE_BYTES:
            raise MalformedNote(f"it is {len(data)} bytes long, at most {MAX_NOTE_BYTES} are read")
        try:
            note = data.decode()
        except UnicodeDecodeError as error:
            raise MalformedNote("it is not UTF-8") from error
        text, separator, signatures = note.rpartition("\n\n")
        if not separator or not signatures.endswith("\n") or _CONTROL.search(note):
            raise MalformedNote("it is not a text, an empty line and signature lines, without control characters")
        lines = signatures[:-1].split("\n")
        if len(lines) > _MAX_SIGNATURES:
            raise MalformedNote(f"it has {len(lines)} signatures, at most {_MAX_SIGNATURES} are read")
        return cls(text + "\n", tuple(SignatureLine.parse(line) for line in lines))

    def encode(self) -> bytes:
        """Write the note, just as `parse` read it."""
        return "\n".join((self.text, *(signature.line for signature in self.signatures), "")).encode()

    def signed(self, line: SignatureLine) -> Self:
        """Return the note with one more signature line, in the place of an older one by the same key."""
        key = line.name, line.key_id
        kept = (other for other in self.signatures if (other.name, other.key_id) != key)
        return type(self)(self.text, (*kept, line))

    def verify(self, verifiers: Iterable[Verifier]) -> tuple[VerifiedSignature, ...]:
        """Check the signatures of all known keys; lines of other keys are passed over.

        Args:
            verifiers: the known keys.

        Returns:
            Who signed, in the order of the lines: one or more, no key twice.

        Raises:
            BadNoteSignature: a known key's signature does not verify, a key signed twice, or no known key signed.
            MalformedText: a known key cosigned what is no checkpoint.

        Source: C2SP signed-note.
        """
        known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
        verified: list[VerifiedSignature] = []
        for line in self.signatures:
            verifier = known.get((line.name, line.key_id))
            if verifier is None:
                continue
            if any(verifier == other.verifier for other in verified):
                raise BadNoteSignature(f"{verifier.name} ({verifier.key_id.hex()}) signed twice")
            verified.append(VerifiedSignature(verifier, verifier.verify(self.text, line.signature)))
        if not verified:
            raise BadNoteSignature("no known key signed the note")
        return tuple(verified)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """The proven fact that a log signed a checkpoint, and which known witnesses did."""

    checkpoint: Checkpoint
    cosignatures: tuple[VerifiedSignature, ...]


def open_checkpoint(note: SignedNote, log: Verifier, witnesses: Iterable[Verifier] = ()) -> SignedCheckpoint:
    """Prove that the log signed the checkpoint that the note holds.

    Args:
        note: the signed checkpoint.
        log: the log's key; its name is the log's origin.
        witnesses: the known witnesses' keys; how many must have signed is the caller's policy.

    Returns:
        The checkpoint, and the cosignatures of known witnesses.

    Raises:
        BadNoteSignature: the log's key did not sign, a known key's signature does not verify, or the checkpoint is
            another log's.
        MalformedText: the note holds no checkpoint.

    Source: C2SP tlog-checkpoint.
    """
    verified = note.verify((log, *witnesses))
    cosignatures = tuple(signature for signature in verified if signature.verifier != log)
    if len(cosignatures) == len(verified):
        raise BadNoteSignature(f"{log.name} ({log.key_id.hex()}) did not sign the checkpoint")
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise BadNoteSignature(f"the checkpoint is of {checkpoint.origin!r}, the key of {log.name!r}")
    return SignedCheckpoint(checkpoint, cosignatures)


def sign_checkpoint(checkpoint: Checkpoint, log: Signer) -> SignedNote:
    """Sign a checkpoint as the log, by an Ed25519 note signature.

    Raises:
        UnfitSigner: the key has another name than the checkpoint's origin, or is a cosigner's.
    """
    if log.verifier.name != checkpoint.origin:
        raise UnfitSigner(f"the key of {log.verifier.name!r} does not sign for {checkpoint.origin!r}")
    return SignedNote(checkpoint.text, (SignatureLine.by(log, checkpoint.text),))
