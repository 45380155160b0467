"""A period of a log that hides its count: the order in which its slots are given, and what fills the free ones.

Everything follows from one key a period. Without it commitments and filling cannot be told apart; with it, after the
opening, an auditor names every leaf that is neither filling nor accounted for. The last slot of the order commits to
the next period's key, so that no key can be chosen afterwards. Which key belongs to which period is derived here too.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anchors.errors import PeriodKeyDiffers

__all__ = ["Account", "account", "filler", "key_commitment", "period_key", "slot_order"]

_DRAW_BYTES = 4
_DRAWS = 1 << (8 * _DRAW_BYTES)


@dataclass(frozen=True, slots=True)
class Account:
    """What the leaves of a period are, by their slots, once its key is known."""

    filling: tuple[int, ...]
    accepted: tuple[int, ...]  # in the order in which they were accepted: neither filling nor the next key's
    next_key: int  # the slot that commits to the next period's key


def period_key(secret: bytes, origin: str, number: int) -> bytes:
    """Derive the key of a period, 32 bytes.

    Args:
        secret: the log's period secret, 32 bytes.
        origin: the log's origin.
        number: the period's number in its generation, from 0.

    Source: RFC 5869.
    """
    info = f"bidledger/period/v1|{origin}|{number}".encode()
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret)


def key_commitment(key: bytes) -> bytes:
    """The leaf, 32 bytes, that commits to a period's key one period before it is used."""
    return hashlib.sha256(b"bidledger/period-key/v1" + key).digest()


def filler(key: bytes, slot: int) -> bytes:
    """What a slot holds when it stays free, 32 bytes."""
    return hmac.digest(key, b"filler" + slot.to_bytes(8, "big"), "sha256")


def slot_order(key: bytes, slots: int) -> list[int]:
    """The order in which a period's slots are given, every order as likely as any other.

    Args:
        key: the period's key.
        slots: how many there are, at least 1.

    Source: Fisher and Yates; drawn from HMAC-SHA256 in counter mode, 32 bits a draw, with rejection.
    """
    order = list(range(slots))
    draws = _Draws(key)
    for last in range(slots - 1, 0, -1):
        chosen = draws.below(last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    return order


def account(key: bytes, leaves: Sequence[bytes], next_key: bytes | None = None) -> Account:
    """Name, for a revealed key, what each leaf of its period is.

    Args:
        key: the period's key.
        leaves: all leaves of the period by slot, 32 bytes each.
        next_key: the next period's key, where it is revealed too.

    Returns:
        The account; what is in `accepted` must be accounted for by openings.

    Raises:
        PeriodKeyDiffers: the period does not commit to `next_key`.
    """
    *given, committed = slot_order(key, len(leaves))
    if next_key is not None and leaves[committed] != key_commitment(next_key):
        raise PeriodKeyDiffers(committed)
    filling = {slot for slot in given if leaves[slot] == filler(key, slot)}
    return Account(
        filling=tuple(sorted(filling)),
        accepted=tuple(slot for slot in given if slot not in filling),
        next_key=committed,
    )


class _Draws:
    """Numbers from a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counter = 0
        self._stream = b""

    def below(self, bound: int) -> int:
        """A number from 0 to, without, `bound`."""
        while True:
            number = self._next()
            if number < _DRAWS - _DRAWS % bound:
                return number % bound

    def _next(self) -> int:
        if not self._stream:
            self._stream = hmac.digest(self._key, b"order" + self._counter.to_bytes(8, "big"), "sha256")
            self._counter += 1
        number, self._stream = self._stream[:_DRAW_BYTES], self._stream[_DRAW_BYTES:]
        return int.from_bytes(number, "big")
