"""HMAC-DRBG with SHA-256: from a seed to numbers that anybody can draw again.

Promises the bits of NIST SP 800-90A and, from them, numbers below a bound that are all equally likely. It is never
reseeded: one draw takes far less than the 2^48 requests that the standard allows. Where the seed comes from is left to
the caller.
"""

import hmac
from typing import Final

__all__ = ["HmacDrbg"]

_MAX_REQUEST: Final = 1 << 16  # bytes; SP 800-90A, table 2


class HmacDrbg:
    """A generator in one state.

    Args:
        entropy: what the draw's chance comes from, at least 32 bytes.
        nonce: at least 16 bytes that no other draw with that entropy has.
        personalization: what else the bits are to depend on.

    Source: NIST SP 800-90A Rev. 1, 10.1.2.3.
    """

    __slots__ = ("_key", "_value")

    def __init__(self, entropy: bytes, nonce: bytes, personalization: bytes = b"") -> None:
        self._key, self._value = bytes(32), b"\x01" * 32
        self._update(entropy + nonce + personalization)

    def generate(self, size: int) -> bytes:
        """The next `size` bytes, at most 65,536.

        Source: NIST SP 800-90A Rev. 1, 10.1.2.5, without additional input.
        """
        if not 0 <= size <= _MAX_REQUEST:
            raise ValueError(f"a request is for at most {_MAX_REQUEST} bytes, and this is for {size}")
        blocks = []
        for _ in range(-(-size // 32)):
            self._value = hmac.digest(self._key, self._value, "sha256")
            blocks.append(self._value)
        self._update(b"")
        return b"".join(blocks)[:size]

    def below(self, bound: int) -> int:
        """A number from 0 up to, without, `bound`, all of them equally likely; below 1 there is no choice to make.

        As many bits as the largest has, from the left of as many bytes as they need; a number that is too large is
        thrown away, since to fold it back would favour some.

        Source: NIST SP 800-90A Rev. 1, appendix A.5, the simple discard method.
        """
        bits = (bound - 1).bit_length()
        size = -(-bits // 8)
        while True:
            number = int.from_bytes(self.generate(size), "big") >> (8 * size - bits) if bits else 0
            if number < bound:
                return number

    def _update(self, provided: bytes) -> None:
        """Source: NIST SP 800-90A Rev. 1, 10.1.2.2."""
        for separator in (b"\x00", b"\x01") if provided else (b"\x00",):
            self._key = hmac.digest(self._key, self._value + separator + provided, "sha256")
            self._value = hmac.digest(self._key, self._value, "sha256")
