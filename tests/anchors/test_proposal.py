"""The file of changes that the next network file is written from."""

import dataclasses
import json
from typing import Any

import pytest
from governed_network import LOG, NETWORK, SIGNED, signed
from hypothesis import given
from hypothesis import strategies as st

from anchors.errors import MalformedFile
from anchors.network import Change, Network, changes, propose, roll_forward
from anchors.notes import KeyType, Verifier

ORIGIN = "west.example/31337/member-2"
VALIDATORS = {"from_block": 1200, "to_block": None, "addresses": ["0x" + LOG.hex(), "0x" + "05" * 20]}
CURRENT_VALIDATORS = {"from_block": 5, "to_block": None, "addresses": ["0x" + "00" * 20, "0x" + LOG.hex()]}
LOG_KEY = {"generation": 1, "vkey": f"{ORIGIN}/1+33333333+AQ==", "from_size": 640, "to_size": None}
SIGNER = {"address": "0x" + "77" * 20, "from_time": 900, "to_time": None}
CONTRACT = {
    "name": "EvidenceLog",
    "address": "0x" + "05" * 20,
    "code_hash": "0x" + "00" * 32,
    "from_block": 1200,
    "to_block": None,
}
GOVERNOR = {"member": 1, "address": "0x" + "09" * 20, "from_block": 1200, "to_block": None}
JOINED = {"number": 14, "code": "member-14", "name": "第14中心", "log_keys": [], "receipt_signers": []}


def _proposed(**document: Any) -> Network:
    return propose(SIGNED, json.dumps(document).encode())


def _said(network: Network) -> list[str]:
    return [f"{change.kind} {change.where}" for change in changes(SIGNED, network)]


def test_a_proposal_is_the_next_version_without_signatures() -> None:
    network = _proposed(validators=[VALIDATORS])
    assert (network.version, network.signatures) == (2, ())
    assert roll_forward(SIGNED, [signed(network)])[0] == signed(network)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"validators": [VALIDATORS]}, ["ended validators[1]", "added validators[2]"]),
        ({"contracts": [CONTRACT]}, ["ended contracts[1]", "added contracts[2]"]),
        ({"contracts": [CONTRACT | {"name": "TenderRegister"}]}, ["added contracts[2]"]),
        (
            {"members": [{"number": 2, "log_keys": [LOG_KEY]}]},
            ["ended members[1].log_keys[2]", "added members[1].log_keys[3]"],
        ),
        ({"members": [{"number": 2, "receipt_signers": [SIGNER]}]}, ["added members[1].receipt_signers[2]"]),
        ({"members": [{"number": 2, "name": "四川中心"}]}, ["set members[1].name"]),
        (
            {"members": [{"number": 2, "name": "四川中心"}, {"number": 2, "receipt_signers": [SIGNER]}]},
            ["set members[1].name", "added members[1].receipt_signers[2]"],
        ),
        ({"members": [JOINED], "threshold": 10}, ["added members[13]", "set threshold"]),
        ({"governors": [GOVERNOR]}, ["added governors[13]"]),
        ({"threshold": 13}, ["set threshold"]),
    ],
)
def test_only_what_is_new_is_written_and_a_new_span_ends_the_open_one(
    document: dict[str, Any], said: list[str]
) -> None:
    assert _said(_proposed(**document)) == said


PUBLIC_KEY = {"generation": 1, "public_key": "0x" + "07" * 32, "from_size": 640, "to_size": None}
VKEY = Verifier(f"{ORIGIN}/1", KeyType.ED25519, b"\x07" * 32).vkey


def test_a_log_key_may_be_given_by_its_public_key() -> None:
    by_public_key = _proposed(members=[{"number": 2, "log_keys": [PUBLIC_KEY]}])
    assert by_public_key == _proposed(members=[{"number": 2, "log_keys": [LOG_KEY | {"vkey": VKEY}]}])


def test_a_new_members_log_key_is_named_for_its_log() -> None:
    joined = JOINED | {"log_keys": [PUBLIC_KEY | {"generation": 0, "from_size": 0}]}
    (key,) = _proposed(members=[joined], threshold=10).members[13].log_keys
    assert key.vkey.startswith("west.example/31337/member-14/0+")


def test_a_span_ends_where_its_successor_begins() -> None:
    assert _proposed(validators=[VALIDATORS]).validators[1].to_block == 1200
    assert _proposed(members=[{"number": 2, "log_keys": [LOG_KEY]}]).members[1].log_keys[2].to_size == 640


def test_an_open_entry_that_is_written_again_with_an_end_is_ended() -> None:
    governor = {"member": 1, "address": "0x" + NETWORK.governors[0].address.hex(), "from_block": 0, "to_block": 1200}
    network = _proposed(governors=[governor, GOVERNOR])
    assert list(changes(SIGNED, network)) == [
        Change(
            "ended",  # type: ignore[arg-type]
            "governors[0]",
            NETWORK.governors[0],
            dataclasses.replace(NETWORK.governors[0], to_block=1200),
        ),
        Change("added", "governors[13]", None, network.governors[13]),  # type: ignore[arg-type]
    ]


def test_a_generation_is_ended_by_name_before_the_next_begins() -> None:
    ended = {"generation": 1, "vkey": f"{ORIGIN}/1+22222222+AQ==", "from_size": 0, "to_size": 640}
    following = {"generation": 2, "vkey": f"{ORIGIN}/2+33333333+AQ==", "from_size": 0, "to_size": None}
    network = _proposed(members=[{"number": 2, "log_keys": [ended, following]}])
    assert [key.to_size for key in network.members[1].log_keys] == [10, 20, 640, None]
    with pytest.raises(MalformedFile, match="open"):
        _proposed(members=[{"number": 2, "log_keys": [following]}])


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "changes nothing"),
        ({"threshold": 9}, "changes nothing"),
        ({"members": [{"number": 2}]}, "changes nothing"),
        ({"version": 3}, "version is not a name"),
        ({"alliance": "other"}, "alliance is not a name"),
        ({"validators": VALIDATORS}, "validators is not a list"),
        ({"validators": [CURRENT_VALIDATORS]}, r"validators\[0\] stands in the file already"),
        ({"validators": [VALIDATORS | {"from_block": 4}]}, "lies before from_block"),
        ({"validators": [VALIDATORS | {"addresses": []}]}, "without a validator"),
        ({"contracts": [CONTRACT | {"from_block": 40}]}, "lies before from_block"),
        ({"members": [{"number": 14, "name": "x"}]}, r"members\[0\].number is no member's"),
        ({"members": [JOINED | {"number": 2}]}, r"members\[0\].number is a member's already"),
        ({"members": [JOINED]}, "threshold is not above two thirds of the 14 members"),
        ({"members": [{"number": 2, "log_keys": [LOG_KEY | {"vkey": "other+00000000+AQ=="}]}]}, "not the log's origin"),
        ({"members": [{"number": 2, "log_keys": [PUBLIC_KEY | {"public_key": "0x07"}]}]}, "public_key is not 32 bytes"),
        ({"members": [{"number": 2, "log_keys": [PUBLIC_KEY | LOG_KEY]}]}, "vkey is not a name"),
        ({"members": [{"number": 2, "log_keys": [{"public_key": "0x" + "07" * 32}]}]}, "is missing"),
        ({"governors": [GOVERNOR | {"member": 14}]}, "who is not listed"),
        ({"governors": [GOVERNOR | {"address": "0x" + NETWORK.governors[1].address.hex()}]}, "twice"),
        ({"threshold": 8}, "threshold is not above two thirds of the 13 members"),
    ],
)
def test_changes_that_do_not_fit_are_refused_by_their_place(document: dict[str, Any], why: str) -> None:
    with pytest.raises(MalformedFile, match=why):
        _proposed(**document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2000) | st.text(max_size=4) | st.just("0x" + "00" * 20),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from([*VALIDATORS, *LOG_KEY, "public_key", *JOINED, "validators", "members"]), values, max_size=5
        )
    ),
    max_leaves=8,
)


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_changes_or_refused_by_name(data: bytes) -> None:
    try:
        network = propose(SIGNED, data)
    except MalformedFile:
        return
    assert network.version == 2
    assert "rewritten" not in {change.kind for change in changes(SIGNED, network)}
