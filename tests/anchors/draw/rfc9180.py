"""RFC 9180 in base mode with X25519 and HKDF-SHA256, written from its text: it shares no code with what is tested."""

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

_AEADS = {1: (AESGCM, 16), 2: (AESGCM, 32), 3: (ChaCha20Poly1305, 32)}


def open_base(aead: int, key: bytes, enc: bytes, info: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Open the first ciphertext of a context; `key` is the recipient's private key."""
    cipher, size = _AEADS[aead]
    secret, nonce = _key_schedule(aead, size, _decap(key, enc), info)
    return cipher(secret).decrypt(nonce, sealed, aad)


def _decap(key: bytes, enc: bytes) -> bytes:
    private = X25519PrivateKey.from_private_bytes(key)
    exchanged = private.exchange(X25519PublicKey.from_public_bytes(enc))
    suite = b"KEM" + (0x20).to_bytes(2, "big")
    prk = _extract(suite, b"", b"eae_prk", exchanged)
    return _expand(suite, prk, b"shared_secret", enc + private.public_key().public_bytes_raw(), 32)


def _key_schedule(aead: int, size: int, shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x20, 1, aead))
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    return _expand(suite, secret, b"key", context, size), _expand(suite, secret, b"base_nonce", context, 12)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, sha256)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    return hmac.digest(prk, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\1", sha256)[:size]
