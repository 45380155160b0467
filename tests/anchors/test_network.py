import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from governed_network import ADDRESSES, LOG, NETWORK, OLD_LOG, SIGNED, signed
from hypothesis import given
from hypothesis import strategies as st

from anchors.errors import (
    AnchorsError,
    BadGovernorSignature,
    BadSignature,
    ContractNotInForce,
    LogKeyNotInForce,
    MalformedFile,
    NotCanonical,
    SignerNotInForce,
    TooFewGovernors,
    UnknownMember,
    ValidatorsUnknown,
)
from anchors.network import (
    GovernorSignature,
    network_digest,
    parse_network,
    prove_network,
    write_network,
)
from anchors.seals import pinned_at

DATA = write_network(SIGNED)


def _edited(edit: Callable[[Any], object]) -> bytes:
    """The file with its JSON edited and written canonically again."""
    content = json.loads(DATA)
    edit(content)
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def test_a_written_file_reads_back_and_proves() -> None:
    network = parse_network(DATA)
    assert network == SIGNED
    quorum = prove_network(network)
    assert quorum.members == frozenset(range(1, 10))


def test_the_file_is_readable_and_in_the_order_of_the_format() -> None:
    assert DATA.startswith(b'{\n  "format": "bidledger/network/v1",\n  "alliance": "\xe8\xa5\xbf')
    assert list(json.loads(DATA))[-3:] == ["governors", "threshold", "signatures"]


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_file_with_one_byte_changed_is_refused(at: int, change: int) -> None:
    data = DATA[:at] + bytes([DATA[at] ^ change]) + DATA[at + 1 :]
    with pytest.raises(AnchorsError):
        prove_network(parse_network(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(MalformedFile):
        parse_network(data)


@pytest.mark.parametrize(
    "data",
    [
        DATA[:-1],
        DATA + b"\n",
        DATA.replace(b"  ", b" "),
        json.dumps(json.loads(DATA)).encode(),
        json.dumps(json.loads(DATA), indent=2, ensure_ascii=False, sort_keys=True).encode() + b"\n",
        json.dumps(json.loads(DATA), indent=2).encode() + b"\n",
    ],
    ids=["no last newline", "two newlines", "other indent", "no indent", "other order", "escapes"],
)
def test_another_spelling_of_the_same_content_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse_network(data)


def test_eight_of_thirteen_members_are_too_few() -> None:
    with pytest.raises(TooFewGovernors):
        prove_network(signed(NETWORK, range(8)))


def test_a_threshold_of_two_thirds_or_less_is_refused_however_many_sign() -> None:
    with pytest.raises(TooFewGovernors):
        prove_network(signed(dataclasses.replace(NETWORK, threshold=8), range(13)))


def test_a_member_with_two_governors_has_one_voice() -> None:
    governors = (*NETWORK.governors[:8], dataclasses.replace(NETWORK.governors[8], member=1))
    with pytest.raises(TooFewGovernors):
        prove_network(signed(dataclasses.replace(NETWORK, governors=governors)))


def test_a_governor_whose_time_is_over_gives_no_voice() -> None:
    ended = dataclasses.replace(NETWORK.governors[0], to_block=7)
    network = dataclasses.replace(NETWORK, governors=(ended, *NETWORK.governors[1:]))
    with pytest.raises(TooFewGovernors):
        prove_network(signed(network))
    assert len(prove_network(signed(network, range(10))).members) == 9


def test_a_governor_who_is_not_listed_is_refused() -> None:
    network = dataclasses.replace(NETWORK, governors=NETWORK.governors[1:])
    with pytest.raises(BadGovernorSignature, match="not listed"):
        prove_network(signed(network, range(13)))


def test_a_governor_who_signs_twice_is_refused() -> None:
    network = dataclasses.replace(SIGNED, signatures=(*SIGNED.signatures, SIGNED.signatures[0]))
    with pytest.raises(BadGovernorSignature, match="twice"):
        prove_network(network)


def test_a_signature_under_another_governors_name_is_refused() -> None:
    borrowed = GovernorSignature(ADDRESSES[9], SIGNED.signatures[0].signature)
    with pytest.raises(BadGovernorSignature, match="did not sign"):
        prove_network(dataclasses.replace(SIGNED, signatures=(*SIGNED.signatures, borrowed)))


def test_a_malformed_signature_is_refused() -> None:
    bad = GovernorSignature(ADDRESSES[9], bytes(65))
    with pytest.raises(BadSignature):
        prove_network(dataclasses.replace(SIGNED, signatures=(*SIGNED.signatures, bad)))


@pytest.mark.parametrize(
    ("field", "value"), [("version", 2), ("chain_id", 1), ("alliance", "other"), ("domain", "east.example")]
)
def test_signatures_are_of_all_of_the_file(field: str, value: Any) -> None:
    with pytest.raises(BadGovernorSignature):
        prove_network(dataclasses.replace(SIGNED, **{field: value}))


def test_signing_again_replaces_a_signature_and_adds_others() -> None:
    assert len(signed(SIGNED, [0, 9]).signatures) == 10
    assert network_digest(signed(SIGNED, [9])) == network_digest(NETWORK)


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def edit(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = to

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        _set("format", to="bidledger/network/v2"),
        _set("alliance", to=""),
        _set("alliance", to="a\nb"),
        _set("domain", to="West.example"),
        _set("domain", to="west example"),
        _set("domain", to="west+example"),
        _set("version", to=0),
        _set("chain_id", to=0),
        _set("consensus", to="raft"),
        _set("threshold", to=0),
        _set("genesis_hash", to="0x00"),
        _set("members", 0, "number", to=256),
        _set("members", 0, "number", to=2),
        _set("members", 0, "code", to="member-2"),
        _set("members", 0, "code", to="a/b"),
        _set("members", 0, "name", to="x" * 129),
        _set("members", 0, "log_keys", 0, "vkey", to="other.example/31337/member-1/0+00000000+AQ=="),
        _set("members", 0, "log_keys", 0, "vkey", to="west.example/31337/member-1/1+00000000+AQ=="),
        _set("members", 0, "log_keys", 0, "to_size", to=11),
        _set("members", 0, "log_keys", 0, "to_size", to=None),
        _set("members", 0, "log_keys", 1, "to_size", to=None),
        _set("members", 0, "log_keys", 1, "to_size", to=9),
        _set("members", 0, "receipt_signers", 0, "to_time", to=99),
        _set("members", 0, "receipt_signers", 0, "address", to="0x" + "02" * 20),
        _set("governors", 0, "address", to="0x" + ADDRESSES[1].hex()),
        _set("governors", 0, "member", to=14),
        _set("governors", 0, "extra", to=1),
        _set("validators", to=[]),
        _set("validators", 0, "to_block", to=6),
        _set("validators", 0, "addresses", to=["0x00"]),
        _set("validators", 0, "addresses", to=[]),
        _set("validators", 0, "addresses", to=["0x" + "00" * 20] * 2),
        _set("contracts", 0, "to_block", to=51),
        _set("contracts", 0, "name", to="Evidence Log"),
        _set("signatures", 0, "signature", to="0x"),
        _set("comment", to="x"),
    ],
)
def test_a_file_that_contradicts_its_format_or_itself_is_refused(edit: Callable[[Any], object]) -> None:
    with pytest.raises(MalformedFile):
        parse_network(_edited(edit))


def test_a_development_network_needs_no_validators() -> None:
    network = dataclasses.replace(NETWORK, consensus="development", validators=())
    assert parse_network(write_network(network)) == network


@pytest.mark.parametrize(("size", "key_id"), [(1, "00000000"), (10, "00000000"), (11, "11111111"), (20, "11111111")])
def test_a_log_key_is_good_up_to_the_size_at_which_the_next_begins(size: int, key_id: str) -> None:
    assert f"+{key_id}+" in NETWORK.log_key(NETWORK.member(3), 0, size).vkey


@pytest.mark.parametrize(("generation", "size"), [(0, 21), (0, 0), (2, 1)])
def test_no_key_is_good_outside_its_sizes(generation: int, size: int) -> None:
    with pytest.raises(LogKeyNotInForce):
        NETWORK.log_key(NETWORK.member(3), generation, size)


def test_the_next_generation_begins_at_its_own_size() -> None:
    assert "/1+" in NETWORK.log_key(NETWORK.member(3), 1, 1).vkey


@pytest.mark.parametrize(("block", "address"), [(0, OLD_LOG), (49, OLD_LOG), (50, LOG), (10**9, LOG)])
def test_a_contract_is_in_force_until_the_block_of_its_successor(block: int, address: bytes) -> None:
    assert NETWORK.contract("EvidenceLog", block).address == address


@pytest.mark.parametrize(("block", "count"), [(0, 1), (4, 1), (5, 2), (10**9, 2)])
def test_validators_seal_until_the_block_of_the_next_set(block: int, count: int) -> None:
    assert len(pinned_at(NETWORK.validators, block).addresses) == count


def test_nobody_seals_a_block_outside_all_spans() -> None:
    with pytest.raises(ValidatorsUnknown):
        pinned_at(NETWORK.validators[:1], 5)


def test_a_contract_that_is_not_listed_is_never_in_force() -> None:
    with pytest.raises(ContractNotInForce):
        NETWORK.contract("TenderRegister", 1)


@pytest.mark.parametrize("time", [100, 199])
def test_a_receipt_signer_is_in_force_within_its_times(time: int) -> None:
    assert NETWORK.receipt_signer(NETWORK.member(1), bytes([1]) * 20, time).from_time == 100


@pytest.mark.parametrize(("address", "time"), [(1, 99), (1, 200), (101, 149), (2, 150)])
def test_a_receipt_signer_is_not_in_force_before_after_or_for_another_member(address: int, time: int) -> None:
    with pytest.raises(SignerNotInForce):
        NETWORK.receipt_signer(NETWORK.member(1), bytes([address]) * 20, time)


def test_a_member_that_is_not_listed_is_unknown() -> None:
    with pytest.raises(UnknownMember):
        NETWORK.member(14)
