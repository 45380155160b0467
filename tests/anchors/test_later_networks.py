"""Evidence of one version of the network file, judged by the versions after it."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from exhibits import CODES, LEAVES, address, governed, key
from hypothesis import given
from hypothesis import strategies as st

from anchors.commitment import digest_document
from anchors.network import LogKey, Network, parse_network, sign_network, write_network
from anchors.notes import KeyType, Signer
from anchors.verify import Verdict, verify

FROZEN = Path(__file__).parents[1] / "vectors" / "evidence" / "v1"
DOCUMENT = digest_document(io.BytesIO((FROZEN / "bid.txt").read_bytes()))
EVIDENCE = (FROZEN / "bid.txt.evidence.json").read_bytes()
PINNED = (FROZEN / "network.json").read_bytes()
NETWORK = parse_network(PINNED)
SICHUAN = CODES.index("sichuan")


def _judged(*later: bytes) -> Verdict:
    return verify(DOCUMENT, EVIDENCE, PINNED, later=later)


def _next(network: Network, **fields: Any) -> Network:
    return governed(dataclasses.replace(network, version=network.version + 1, **fields))


def _log_key_ended(at: int) -> Network:
    """The version after the pinned one in which sichuan's log has another key from that size on."""
    origin = NETWORK.origin(NETWORK.members[SICHUAN], 0)
    (old,) = NETWORK.members[SICHUAN].log_keys
    new = LogKey(0, Signer(origin, KeyType.ED25519, key("another log key")).verifier.vkey, at, None)
    keys = (dataclasses.replace(old, to_size=at), new)
    members = tuple(
        dataclasses.replace(member, log_keys=keys) if member.code == "sichuan" else member for member in NETWORK.members
    )
    return _next(NETWORK, members=members)


def test_old_evidence_stays_good_after_a_rotation() -> None:
    verdict = _judged(write_network(_log_key_ended(LEAVES)))
    assert verdict.proven
    assert verdict.steps[-1].detail.startswith("version 2 of ")


def test_old_evidence_stays_good_through_many_versions() -> None:
    third = _next(second := _log_key_ended(LEAVES), threshold=10)
    third = sign_network(third, {address(f"{CODES[9]} governor"): key(f"{CODES[9]} governor")})
    verdict = _judged(write_network(second), write_network(third))
    assert verdict.proven
    assert "version 3 of " in verdict.steps[-1].detail
    assert "signed for 10 of 13 members" in verdict.steps[-1].detail


def test_a_key_that_a_later_version_ends_before_proves_nothing() -> None:
    verdict = _judged(write_network(_log_key_ended(LEAVES - 1)))
    assert [each.step for each in verdict.steps if not each.ok] == ["checkpoint"]


def test_a_contract_that_a_later_version_ends_before_proves_nothing() -> None:
    ended = tuple(dataclasses.replace(each, to_block=each.from_block) for each in NETWORK.contracts)
    verdict = _judged(write_network(_next(NETWORK, contracts=ended)))
    assert [each.step for each in verdict.steps if not each.ok] == ["network"]


def _refuted_at_network(verdict: Verdict, why: str = "") -> None:
    assert [each.step for each in verdict.steps if not each.ok] == ["network"]
    assert why in verdict.steps[-1].detail


def test_a_later_version_that_too_few_agreed_to_refutes() -> None:
    later = _log_key_ended(LEAVES)
    short = dataclasses.replace(later, signatures=later.signatures[:8])
    _refuted_at_network(_judged(write_network(short)), "8 members")


def test_a_later_version_that_rewrites_the_pinned_one_refutes() -> None:
    changed = (dataclasses.replace(NETWORK.contracts[0], address=bytes(20)), *NETWORK.contracts[1:])
    _refuted_at_network(_judged(write_network(_next(NETWORK, contracts=changed))), "rewrites contracts[0]")


def test_versions_out_of_order_refute() -> None:
    second = _log_key_ended(LEAVES)
    _refuted_at_network(_judged(write_network(_next(second)), write_network(second)), "version 3")


@pytest.mark.parametrize("later", [b"", b"{}", PINNED, PINNED[:-1]])
def test_what_is_no_later_version_refutes(later: bytes) -> None:
    _refuted_at_network(_judged(later))


@given(st.integers(0, len(PINNED) - 1), st.integers(1, 255))
def test_one_changed_byte_of_a_later_version_refutes(at: int, change: int) -> None:
    later = bytearray(write_network(_next(NETWORK)))
    later[at] ^= change
    assert not _judged(bytes(later)).proven
