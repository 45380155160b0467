"""Who may sign a note: names and keys, the messages that each type of signature covers, signing and verifying.

Ed25519 signs a note as it stands (type 01) or cosigns a checkpoint at a time (04); ML-DSA-44 cosigns (06). ML-DSA is
loaded at its first use, so that reading Ed25519 signatures starts fast.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from anchors.errors import BadNoteSignature, MalformedCheckpoint, MalformedKey, UnfitSigner
from anchors.notes.checkpoint import Checkpoint
from anchors.notes.encoding import decode_base64, encode_base64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

__all__ = ["KeyType", "Signer", "Verifier", "is_key_name"]


class KeyType(IntEnum):
    """The types of signature that we write and read, as C2SP signed-note assigns them."""

    ED25519 = 0x01
    COSIGNATURE_ED25519 = 0x04
    COSIGNATURE_MLDSA44 = 0x06


_PUBLIC_BYTES: Final = {KeyType.ED25519: 32, KeyType.COSIGNATURE_ED25519: 32, KeyType.COSIGNATURE_MLDSA44: 1312}
_SIGNATURE_BYTES: Final = {KeyType.ED25519: 64, KeyType.COSIGNATURE_ED25519: 64, KeyType.COSIGNATURE_MLDSA44: 2420}
_MAX_TIME: Final = 2**63 - 1
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,2000})")


def is_key_name(name: str) -> bool:
    """Whether `name` may name a key: not empty, no Unicode space, no control character, no plus.

    Source: C2SP signed-note.
    """
    return name != "" and not any(char.isspace() or char < " " or char == "+" for char in name)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that is known, and by its name and ID the only one whose signatures it checks."""

    name: str
    type: KeyType
    public_key: bytes  # 32 bytes, or 1312 for ML-DSA-44
    key_id: bytes = field(init=False)  # 4 bytes

    def __post_init__(self) -> None:
        """Check the name and the key's length, and compute the key ID.

        Raises:
            MalformedKey: the name is no key name of up to 255 bytes, or the key is not as long as its type's.
        """
        if not is_key_name(self.name) or len(self.name.encode()) > 255:
            raise MalformedKey(f"{self.name[:80]!r} is no key name")
        if len(self.public_key) != _PUBLIC_BYTES[self.type]:
            raise MalformedKey(f"{self.name}: a key of type {self.type:02x} is not {len(self.public_key)} bytes long")
        digest = sha256(self.name.encode() + b"\n" + bytes((self.type,)) + self.public_key).digest()
        object.__setattr__(self, "key_id", digest[:4])

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read `name+hex8(key ID)+base64(type || public key)`.

        Raises:
            MalformedText: it is not of that form, of a type that is not known here, or its key ID is not that of
                the key.

        Source: C2SP signed-note.
        """
        match = _VKEY.fullmatch(vkey)
        if match is None:
            raise MalformedKey(f"{vkey[:80]!r} is not name+ID+key")
        name, key_id, encoded = match.groups()
        key = decode_base64(encoded)
        if not key or key[0] not in _PUBLIC_BYTES:
            raise MalformedKey(f"{name[:80]}: keys of type {key[:1].hex()} are not known")
        verifier = cls(name, KeyType(key[0]), key[1:])
        if verifier.key_id.hex() != key_id:
            raise MalformedKey(f"{name[:80]}: the key ID is {verifier.key_id.hex()}, not {key_id}")
        return verifier

    @property
    def vkey(self) -> str:
        """The key's text form."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes((self.type,)) + self.public_key)}"

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a signature over a note's text.

        Args:
            text: the note text, with its last newline.
            signature: the bytes after the key ID.

        Returns:
            The cosignature's time in POSIX seconds; None for a note signature, which has none.

        Raises:
            BadNoteSignature: this key did not sign this text.
            MalformedText: the text is no checkpoint, and the type signs nothing else.
        """
        stamped = self.type is not KeyType.ED25519
        stamp, rest = (signature[:8], signature[8:]) if stamped else (b"", signature)
        time = int.from_bytes(stamp, "big")
        if len(rest) != _SIGNATURE_BYTES[self.type] or time > _MAX_TIME:
            raise BadNoteSignature(f"the signature of {self.name} has {len(signature)} bytes or an impossible time")
        try:
            self._public().verify(rest, _message(self.type, self.name, text, time))
        except (InvalidSignature, ValueError) as error:
            raise BadNoteSignature(f"{self.name} ({self.key_id.hex()}) did not sign this text") from error
        return time if stamped else None

    def _public(self) -> Ed25519PublicKey | MLDSA44PublicKey:
        if self.type is KeyType.COSIGNATURE_MLDSA44:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415

            return MLDSA44PublicKey.from_public_bytes(self.public_key)
        return Ed25519PublicKey.from_public_bytes(self.public_key)


class Signer:
    """A private key under a name.

    Args:
        name: the key's name; a log's is its origin.
        type: what kind of signatures it makes.
        seed: 32 bytes.

    Raises:
        MalformedKey: the name is no key name, or the seed is not 32 bytes.
    """

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, type: KeyType, seed: bytes) -> None:
        if len(seed) != 32:
            raise MalformedKey(f"{name}: a seed has 32 bytes, not {len(seed)}")
        self._private = _private(type, seed)
        self.verifier: Final = Verifier(name, type, self._private.public_key().public_bytes_raw())

    def sign(self, text: str, time: int | None = None) -> bytes:
        """Sign a note's text.

        Args:
            text: the note text, with its last newline.
            time: POSIX seconds for a cosignature; 0 says nothing of when, and only ML-DSA-44 can say so.

        Returns:
            The signature's bytes, to follow the key ID.

        Raises:
            UnfitSigner: the key's type has no time and one is given, or needs one.
            MalformedText: the text is no checkpoint, and the type signs nothing else.
        """
        key, stamped = self.verifier, self.verifier.type is not KeyType.ED25519
        least = 0 if key.type is KeyType.COSIGNATURE_MLDSA44 else 1
        if stamped is (time is None) or (time is not None and not least <= time <= _MAX_TIME):
            raise UnfitSigner(f"{key.name}: a signature of type {key.type:02x} does not go with the time {time}")
        stamp = b"" if time is None else time.to_bytes(8, "big")
        return stamp + self._private.sign(_message(key.type, key.name, text, time or 0))


def _private(type: KeyType, seed: bytes) -> Ed25519PrivateKey | MLDSA44PrivateKey:
    if type is KeyType.COSIGNATURE_MLDSA44:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415

        return MLDSA44PrivateKey.from_seed_bytes(seed)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _message(type: KeyType, name: str, text: str, time: int) -> bytes:
    """The bytes that a signature of this type covers; a note signature has no time, and covers none.

    Source: C2SP signed-note (01), tlog-cosignature (04, 06).
    """
    if type is KeyType.ED25519:
        return text.encode()
    checkpoint = Checkpoint.parse(text)
    if type is KeyType.COSIGNATURE_ED25519:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    if checkpoint.extensions:
        raise MalformedCheckpoint("it has extension lines, which a signature of type 06 does not cover")
    tree = (0).to_bytes(8, "big") + checkpoint.size.to_bytes(8, "big") + checkpoint.root
    return b"subtree/v1\n\0" + _short(name) + time.to_bytes(8, "big") + _short(checkpoint.origin) + tree


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data
