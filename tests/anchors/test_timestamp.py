"""Trusted time, against what OpenSSL's own authority answered; its signer's certificate was good for that day only."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.errors import (
    AnchorsError,
    AuthorityNotTrusted,
    MalformedAuthorities,
    MalformedTimestamp,
    TimestampDiffers,
)
from anchors.timestamp import MAX_TIMESTAMP_BYTES, prove_timestamp, read_timestamp

VECTORS = Path(__file__).parents[1] / "vectors" / "timestamp"
TEXT = (VECTORS / "text.txt").read_text()
GRANTED, OTHER, BY_SHA512, REJECTED = (
    (VECTORS / f"{name}.tsr").read_bytes() for name in ("granted", "other", "sha512", "rejected")
)
ROOT, OTHER_ROOT = ((VECTORS / f"{name}-root.pem").read_bytes() for name in ("ours", "other"))


@pytest.mark.parametrize("authorities", [ROOT, OTHER_ROOT + ROOT], ids=["one", "several"])
def test_a_timestamp_is_proven_against_its_authority_s_root(authorities: bytes) -> None:
    proven = prove_timestamp(GRANTED, TEXT, authorities)
    assert proven == read_timestamp(GRANTED, TEXT)
    assert proven.time.utcoffset() == timedelta(0)


@pytest.mark.parametrize("response", [OTHER, GRANTED[:-1] + bytes((GRANTED[-1] ^ 1,))], ids=["other", "forged"])
def test_an_authority_that_is_not_pinned_proves_nothing(response: bytes) -> None:
    with pytest.raises(AuthorityNotTrusted):
        prove_timestamp(response, TEXT, ROOT)


def test_a_timestamp_of_another_text_is_told_as_such() -> None:
    with pytest.raises(TimestampDiffers):
        prove_timestamp(GRANTED, TEXT.replace("64", "65"), ROOT)


def test_only_sha256_counts() -> None:
    with pytest.raises(TimestampDiffers):
        prove_timestamp(BY_SHA512, TEXT, ROOT)


@pytest.mark.parametrize(
    ("response", "what"),
    [
        (b"", "no TimeStampResp"),
        (GRANTED[:-1], "no TimeStampResp"),
        (REJECTED, "not granted: status 2"),
        (bytes(MAX_TIMESTAMP_BYTES + 1), "at most 65536 are read"),
    ],
    ids=["empty", "cut off", "rejected", "too long"],
)
def test_what_is_no_granted_timestamp_is_malformed(response: bytes, what: str) -> None:
    with pytest.raises(MalformedTimestamp, match=what):
        prove_timestamp(response, TEXT, ROOT)


@pytest.mark.parametrize("authorities", [b"", b"root", ROOT.replace(b"CERT", b"KEYS")])
def test_a_file_without_certificates_is_malformed(authorities: bytes) -> None:
    with pytest.raises(MalformedAuthorities):
        prove_timestamp(GRANTED, TEXT, authorities)


@given(st.lists(st.tuples(st.integers(0, len(GRANTED) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_give_the_same_time_or_our_own_error(changes: list[tuple[int, int]]) -> None:
    response = bytearray(GRANTED)
    for place, byte in changes:
        response[place] = byte
    try:
        proven = prove_timestamp(bytes(response), TEXT, ROOT)
    except AnchorsError:
        return
    assert proven.time == read_timestamp(GRANTED, TEXT).time
