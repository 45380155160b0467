"""Trusted time: an authority's RFC 3161 timestamp on the text of a checkpoint, so that its tree existed by then.

The text names the log, its size and its root; signatures are left out, since more of them come later. The library that
reads timestamps is loaded at the first one, so that evidence without any is verified as fast as ever.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from anchors.errors import AuthorityNotTrusted, MalformedAuthorities, MalformedTimestamp, TimestampDiffers

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

__all__ = ["MAX_AUTHORITIES_BYTES", "MAX_TIMESTAMP_BYTES", "Timestamp", "prove_timestamp", "read_timestamp"]

MAX_AUTHORITIES_BYTES: Final = 1 << 20
MAX_TIMESTAMP_BYTES: Final = 64 << 10  # with the authority's chain some 7 kB

_GRANTED: Final = 0
_SHA256: Final = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """What an authority says: a text existed at a time."""

    time: datetime  # UTC
    nonce: int | None  # of the request that it answers


def read_timestamp(response: bytes, text: str) -> Timestamp:
    """Read what an authority answered about a text; who it is is not looked at.

    Args:
        response: a TimeStampResp, DER.
        text: the checkpoint's text.

    Raises:
        MalformedTimestamp: it is none, or was not granted.
        TimestampDiffers: it is of another text, or by another digest than SHA-256.

    Source: RFC 3161, 2.4.2.
    """
    return _read(response, text)[1]


def prove_timestamp(response: bytes, text: str, authorities: bytes) -> Timestamp:
    """Prove that an authority that the reader trusts saw a text.

    Args:
        response: a TimeStampResp, DER, that holds the signer's certificate.
        text: the checkpoint's text.
        authorities: the root certificates that the reader trusts, PEM; theirs counts that was good at the time stated.

    Returns:
        When.

    Raises:
        MalformedAuthorities: `authorities` holds no certificates.
        AuthorityNotTrusted: none of them answers for who signed it, or its signature is not good.
        MalformedTimestamp, TimestampDiffers: as `read_timestamp`.

    Source: RFC 3161, 2.2 to 2.4.
    """
    from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415

    roots = _certificates(authorities)
    read, timestamp = _read(response, text)
    try:
        VerifierBuilder(roots=roots).build().verify_message(read, text.encode())
    except (VerificationError, ValueError) as error:
        raise AuthorityNotTrusted(len(roots)) from error
    return timestamp


def _read(response: bytes, text: str) -> "tuple[TimeStampResponse, Timestamp]":
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415

    if len(response) > MAX_TIMESTAMP_BYTES:
        raise MalformedTimestamp(f"it has {len(response)} bytes, at most {MAX_TIMESTAMP_BYTES} are read")
    try:
        read = decode_timestamp_response(response)
        if read.status != _GRANTED:
            raise MalformedTimestamp(f"it was not granted: status {read.status}")
        info = read.tst_info
        imprint, algorithm = info.message_imprint.message, info.message_imprint.hash_algorithm.dotted_string
        timestamp = Timestamp(info.gen_time, info.nonce)
    except ValueError as error:
        raise MalformedTimestamp("it is no TimeStampResp in DER with a token") from error
    if algorithm != _SHA256 or imprint != sha256(text.encode()).digest():
        raise TimestampDiffers(imprint, sha256(text.encode()).digest())
    return read, timestamp


def _certificates(pem: bytes) -> "list[Certificate]":
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    if len(pem) > MAX_AUTHORITIES_BYTES:
        raise MalformedAuthorities
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise MalformedAuthorities from error
