"""A share on its way to its holder: HPKE, so that nobody else reads it.

Promises that a sealed share opens for one member, of one site, under one draw's terms. That it fits what the site
committed to is left to `anchors.tenders.draw.sharing`.
"""

from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from anchors.errors import ShareUnreadable

__all__ = ["SEALED_BYTES", "open_share", "seal_share"]

SEALED_BYTES: Final = 32 + 32 + 16  # the encapsulated key, the share, the tag

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def seal_share(share: bytes, key: bytes, terms: bytes, site: str, member: str) -> bytes:
    """Seal a share to its holder.

    Args:
        share: 32 bytes.
        key: the holder's X25519 public key, 32 bytes.
        terms: the digest of the draw's terms, 32 bytes.
        site: whose value it is a share of.
        member: the holder's code.

    Returns:
        SEALED_BYTES bytes: the encapsulated key, then what it seals.

    Raises:
        ShareUnreadable: nothing can be sealed to such a key.

    Source: RFC 9180, 6.1, mode_base; 7.1 DHKEM(X25519, HKDF-SHA256), 7.2 HKDF-SHA256, 7.3 ChaCha20Poly1305.
    """
    try:
        return _SUITE.encrypt(share, X25519PublicKey.from_public_bytes(key), _info(terms, site, member))
    except ValueError as error:  # a point of small order
        raise ShareUnreadable(site) from error


def open_share(sealed: bytes, key: X25519PrivateKey, terms: bytes, site: str, member: str) -> bytes:
    """Open a share that is sealed to `key`; the other arguments are those of `seal_share`.

    Raises:
        ShareUnreadable: it is sealed to another key, for other terms, by another site, or altered.
    """
    try:
        return _SUITE.decrypt(sealed, key, _info(terms, site, member))
    except (InvalidTag, ValueError) as error:
        raise ShareUnreadable(site) from error


def _info(terms: bytes, site: str, member: str) -> bytes:
    names = (b"bidledger/expert-draw/share/v1", site.encode(), member.encode())
    return b"".join(sha256(name).digest() for name in names) + terms
