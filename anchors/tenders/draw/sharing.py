"""Shares of a site's value that whoever holds one can check before anything is revealed.

Promises that any `threshold` shares that were checked give one value, and that it is the committed one: whoever keeps
a value back has no say any more, and whoever dealt bad shares is found while it gains nothing. Fewer shares say
nothing. The arithmetic of the curve is libsecp256k1's; what is done modulo the group's order is here. Who holds which
share, and how it reaches the holder, is left to the callers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from coincurve import PrivateKey, PublicKey

from anchors.errors import ShareDiffers, ValueDiffers

__all__ = ["Sharing", "check_points", "check_share", "check_value", "new_value", "recover_value", "share_value"]

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # SEC 2, secp256k1: n


@dataclass(frozen=True, slots=True)
class Sharing:
    """A value in shares, and what they are checked against."""

    points: tuple[bytes, ...]  # threshold compressed points, 33 bytes each; the first commits to the value
    shares: Mapping[int, bytes]  # by the holder's number, 32 bytes each


def new_value() -> bytes:
    """A value for one draw, 32 bytes from the system's random source: a number below the group's order, not zero."""
    return PrivateKey().secret


def share_value(value: bytes, threshold: int, holders: Sequence[int]) -> Sharing:
    """Split a value into shares, any `threshold` of which give it again.

    Args:
        value: of `new_value`.
        threshold: how many shares it takes, 2 or more.
        holders: the numbers of those who get a share, all different, 1 or more.

    Returns:
        The points that commit to the value and to the shares, and the shares.

    Source: P. Feldman, A Practical Scheme for Non-interactive Verifiable Secret Sharing, FOCS 1987.
    """
    coefficients = [value, *(new_value() for _ in range(threshold - 1))]
    points = tuple(PublicKey.from_secret(each).format() for each in coefficients)
    numbers = [int.from_bytes(each, "big") for each in coefficients]
    shares = {holder: _evaluate(numbers, holder).to_bytes(32, "big") for holder in holders}
    return Sharing(points, shares)


def check_points(points: Sequence[bytes]) -> None:
    """Check that points are compressed points of the curve; raises ValueError otherwise."""
    for point in points:
        if len(point) != 33:
            raise ValueError("it is not 33 bytes")
        PublicKey(point)


def check_value(site: str, points: Sequence[bytes], value: bytes) -> None:
    """Check that a value is the one that a site committed to.

    Raises:
        ValueDiffers: it is another, or none.
    """
    if _point(value) != points[0]:
        raise ValueDiffers(site)


def check_share(site: str, points: Sequence[bytes], holder: int, member: str, share: bytes) -> None:
    """Check that a share is one of the value that a site committed to.

    Args:
        site: whose value it is.
        points: what the site committed to it by; they have passed `check_points`.
        holder: the number of the share's holder.
        member: the holder's code, for the message.
        share: 32 bytes.

    Raises:
        ShareDiffers: it is another, or none.
    """
    terms = [PublicKey(points[0])]
    terms += [
        PublicKey(point).multiply(pow(holder, k, _ORDER).to_bytes(32, "big")) for k, point in enumerate(points[1:], 1)
    ]
    try:
        expected = PublicKey.combine_keys(terms).format()
    except ValueError:  # they add up to infinity, which is no share of an honest dealer's
        expected = b""
    if not expected or _point(share) != expected:
        raise ShareDiffers(site, member)


def recover_value(shares: Mapping[int, bytes]) -> bytes:
    """The value that checked shares are of.

    Args:
        shares: by the holder's number, threshold of them or more; each has passed `check_share`.

    Returns:
        The value, 32 bytes.
    """
    value = 0
    for holder, share in shares.items():
        others = [other for other in shares if other != holder]
        above = reduce(lambda product, other: product * other % _ORDER, others, 1)
        below = reduce(lambda product, other: product * (other - holder) % _ORDER, others, 1)
        value += int.from_bytes(share, "big") * above * pow(below, -1, _ORDER)
    return (value % _ORDER).to_bytes(32, "big")


def _evaluate(coefficients: Sequence[int], at: int) -> int:
    return reduce(lambda result, coefficient: (result * at + coefficient) % _ORDER, reversed(coefficients), 0)


def _point(number: bytes) -> bytes:
    """The point of a number, compressed; no bytes where it is no number below the order, or zero."""
    if len(number) != 32 or not 0 < int.from_bytes(number, "big") < _ORDER:
        return b""
    return PublicKey.from_secret(number).format()
