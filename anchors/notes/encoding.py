"""Base64 and decimals as C2SP's texts take them: each value has exactly one spelling, and any other is refused."""

import binascii
import re
from typing import Final

from anchors.errors import MalformedEncoding

__all__ = ["decode_base64", "decode_decimal", "encode_base64"]

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]*", re.ASCII)


def decode_base64(text: str) -> bytes:
    """Read standard, padded, canonical base64.

    Raises:
        MalformedEncoding: it is not base64, or not the spelling that encoding the bytes again gives.

    Source: RFC 4648, section 4 and 3.5.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise MalformedEncoding(f"{text[:80]!r} is not base64") from error
    if encode_base64(data) != text:
        raise MalformedEncoding(f"{text[:80]!r} is not canonical base64")
    return data


def encode_base64(data: bytes) -> str:
    """Write standard, padded base64."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_decimal(text: str, maximum: int) -> int:
    """Read a whole number, 0 to `maximum`.

    Raises:
        MalformedEncoding: it has a sign, a leading zero or anything but digits, or it is larger than `maximum`.
    """
    # Its length is looked at before its digits: reading a number takes time quadratic in them.
    if len(text) > len(str(maximum)) or _DECIMAL.fullmatch(text) is None or int(text) > maximum:
        raise MalformedEncoding(f"{text[:80]!r} is not a decimal from 0 to {maximum}")
    return int(text)
