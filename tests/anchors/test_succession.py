"""How a later network file replaces a pinned one: what may change, who must agree, and each way to cheat at it."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from governed_network import ADDRESSES, LOG, NETWORK, SIGNED, address_of, signed

from anchors.errors import (
    AnchorsError,
    BadGovernorSignature,
    HistoryRewritten,
    TooFewGovernors,
    TooFewPredecessors,
    VersionGap,
)
from anchors.network import (
    Change,
    Contract,
    Governor,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    ValidatorSet,
    changes,
    parse_network,
    roll_forward,
    sign_network,
    write_network,
)

REPLACE = dataclasses.replace
ORIGIN = "west.example/31337/member-2"


def _next(network: Network = NETWORK, **fields: Any) -> Network:
    """The version after this one, unsigned."""
    return REPLACE(network, version=network.version + 1, signatures=(), **fields)


def _with_member(number: int, **fields: Any) -> tuple[Member, ...]:
    return tuple(REPLACE(each, **fields) if each.number == number else each for each in NETWORK.members)


def _followed(*later: Network) -> Network:
    """The newest version, as a reader of the files finds it."""
    pinned, *versions = (parse_network(write_network(each)) for each in (SIGNED, *later))
    return roll_forward(pinned, versions)[0]


def test_a_pinned_file_alone_is_the_newest() -> None:
    network, quorum = roll_forward(SIGNED)
    assert network == SIGNED
    assert quorum.members == frozenset(range(1, 10))


def test_a_pinned_file_that_is_not_valid_leads_nowhere() -> None:
    with pytest.raises(TooFewGovernors):
        roll_forward(NETWORK, [signed(_next())])


MEMBER = NETWORK.members[1]
ROTATED = (
    *MEMBER.log_keys[:2],
    REPLACE(MEMBER.log_keys[2], to_size=640),
    LogKey(1, f"{ORIGIN}/1+33333333+AQ==", 640, None),
)
REPLACED_SIGNER = (
    MEMBER.receipt_signers[0],
    REPLACE(MEMBER.receipt_signers[1], to_time=900),
    ReceiptSigner(b"\x77" * 20, 900, None),
)
ROTATED_VALIDATORS = (
    NETWORK.validators[0],
    ValidatorSet(5, 1200, NETWORK.validators[1].addresses),
    ValidatorSet(1200, None, (LOG, ADDRESSES[0])),
)
NEW_CONTRACT = (
    NETWORK.contracts[0],
    REPLACE(NETWORK.contracts[1], to_block=1200),
    Contract("EvidenceLog", b"\x05" * 20, bytes(32), 1200, None),
)
NEW_GOVERNOR = (
    REPLACE(NETWORK.governors[0], to_block=1200),
    *NETWORK.governors[1:],
    Governor(1, b"\x09" * 20, 1200, None),
)
JOINED = Member(14, "member-14", "第14中心", (), ())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"validators": ROTATED_VALIDATORS}, ["ended validators[1]", "added validators[2]"]),
        ({"contracts": NEW_CONTRACT}, ["ended contracts[1]", "added contracts[2]"]),
        (
            {"members": _with_member(2, log_keys=ROTATED)},
            ["ended members[1].log_keys[2]", "added members[1].log_keys[3]"],
        ),
        (
            {"members": _with_member(2, receipt_signers=REPLACED_SIGNER)},
            ["ended members[1].receipt_signers[1]", "added members[1].receipt_signers[2]"],
        ),
        ({"members": _with_member(2, name="四川中心")}, ["set members[1].name"]),
        ({"members": (*NETWORK.members, JOINED), "threshold": 10}, ["added members[13]", "set threshold"]),
        ({"governors": NEW_GOVERNOR}, ["ended governors[0]", "added governors[13]"]),
        ({}, []),
    ],
    ids=["validators", "contract", "log key", "receipt signer", "name", "member", "governor", "nothing"],
)
def test_what_may_change_is_named_and_followed(fields: dict[str, Any], said: list[str]) -> None:
    later = signed(_next(**fields), range(10))
    assert [f"{change.kind} {change.where}" for change in changes(SIGNED, later)] == said
    assert _followed(later) == later


def test_a_change_holds_what_was_and_what_is() -> None:
    later = _next(contracts=NEW_CONTRACT)
    assert list(changes(NETWORK, later)) == [
        Change("ended", "contracts[1]", NETWORK.contracts[1], NEW_CONTRACT[1]),  # type: ignore[arg-type]
        Change("added", "contracts[2]", None, NEW_CONTRACT[2]),  # type: ignore[arg-type]
    ]


def test_versions_are_followed_one_after_the_other() -> None:
    second = signed(_next(validators=ROTATED_VALIDATORS))
    third = signed(_next(second, contracts=NEW_CONTRACT))
    newest = _followed(second, third)
    assert newest.version == 3
    assert (newest.validators, newest.contracts) == (ROTATED_VALIDATORS, NEW_CONTRACT)


@pytest.mark.parametrize("order", [(3,), (2, 2), (3, 2), (2, 4)])
def test_a_gap_a_repetition_and_another_order_are_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(VersionGap):
        _followed(*(signed(REPLACE(NETWORK, version=version)) for version in order))


def test_the_pinned_version_itself_is_no_later_one() -> None:
    with pytest.raises(VersionGap, match="version 1 of the network file stands where version 2"):
        _followed(SIGNED)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"alliance": "other"}, "alliance"),
        ({"genesis_hash": b"\x01" * 32}, "genesis_hash"),
        ({"consensus": "ibft2"}, "consensus"),
        ({"validators": NETWORK.validators[1:]}, r"validators\[0\]"),
        ({"validators": NETWORK.validators[:1]}, r"validators\[1\]"),
        (
            {"validators": (ValidatorSet(0, 5, (LOG,)), NETWORK.validators[1])},
            r"validators\[0\]",
        ),
        ({"validators": (ValidatorSet(0, 4, (bytes(20),)), NETWORK.validators[1])}, r"validators\[0\]"),
        ({"contracts": (NETWORK.contracts[0], REPLACE(NETWORK.contracts[1], address=b"\x05" * 20))}, r"contracts\[1\]"),
        (
            {"contracts": (NETWORK.contracts[0], REPLACE(NETWORK.contracts[1], code_hash=b"\x05" * 32))},
            r"contracts\[1\]",
        ),
        ({"members": NETWORK.members[:12], "governors": NETWORK.governors[:12]}, r"members\[12\]"),
        ({"members": (NETWORK.members[1], NETWORK.members[0], *NETWORK.members[2:])}, r"members\[0\]"),
        (
            {"members": _with_member(2, log_keys=(*MEMBER.log_keys[:1], REPLACE(MEMBER.log_keys[1], to_size=None)))},
            r"members\[1\].log_keys\[1\]",
        ),
        (
            {"members": _with_member(2, log_keys=MEMBER.log_keys[:2])},
            r"members\[1\].log_keys\[2\]",
        ),
        (
            {
                "members": _with_member(
                    2,
                    receipt_signers=(
                        REPLACE(MEMBER.receipt_signers[0], to_time=None),
                        MEMBER.receipt_signers[1],
                    ),
                )
            },
            r"members\[1\].receipt_signers\[0\]",
        ),
        ({"governors": (REPLACE(NETWORK.governors[0], member=2), *NETWORK.governors[1:])}, r"governors\[0\]"),
        ({"governors": NETWORK.governors[1:]}, r"governors\[0\]"),
    ],
)
def test_an_entry_that_stands_is_never_rewritten(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(HistoryRewritten, match=f"version 2 of the network file rewrites {where}$"):
        _followed(signed(_next(**fields), range(1, 13)))


@pytest.mark.parametrize(("name", "value"), [("chain_id", 1), ("domain", "east.example")])
def test_another_chain_or_domain_is_another_alliance(name: str, value: Any) -> None:
    members = tuple(REPLACE(each, log_keys=()) for each in NETWORK.members)  # else their names would not fit
    with pytest.raises(HistoryRewritten, match=name):
        _followed(signed(_next(members=members, **{name: value})))


def test_an_entry_that_ended_does_not_end_anew() -> None:
    second = signed(_next(governors=NEW_GOVERNOR), range(1, 13))
    moved = (REPLACE(NEW_GOVERNOR[0], to_block=1201), *NEW_GOVERNOR[1:])
    with pytest.raises(HistoryRewritten, match=r"governors\[0\]"):
        _followed(second, signed(_next(second, governors=moved), range(1, 13)))


def test_a_version_that_is_not_valid_by_its_own_threshold_is_refused() -> None:
    with pytest.raises(TooFewGovernors):
        _followed(signed(_next(threshold=10)))


NEWCOMERS = [number.to_bytes(32, "big") for number in range(21, 30)]
TAKEN_OVER = (
    *(REPLACE(each, to_block=7) for each in NETWORK.governors),
    *(Governor(number, address_of(key), 7, None) for number, key in enumerate(NEWCOMERS, start=1)),
)


def _taken_over(old_voices: int) -> Network:
    """Nine newcomers end all governors, sign the version themselves, and have these voices of the old ones."""
    newcomers = {address_of(key): key for key in NEWCOMERS}
    return sign_network(signed(_next(governors=TAKEN_OVER), range(old_voices)), newcomers)


def test_governors_in_force_before_hand_over_to_others() -> None:
    newest = _followed(_taken_over(9))
    with pytest.raises(TooFewGovernors, match="voices of 0 members"):  # the old ones have none any more
        roll_forward(newest, [signed(_next(newest), range(13))])


def test_nobody_takes_over_without_the_threshold_of_the_version_before() -> None:
    with pytest.raises(
        TooFewPredecessors, match=r"version 2 .* voices of 8 members .* version 1, whose threshold is 9"
    ):
        _followed(_taken_over(8))


def test_two_governors_of_one_member_are_one_voice_of_the_version_before() -> None:
    twin = (*NETWORK.governors[:8], REPLACE(NETWORK.governors[8], member=1), *NETWORK.governors[9:])
    pinned = signed(REPLACE(NETWORK, governors=twin), range(13))
    joined = Governor(9, address_of(NEWCOMERS[0]), 7, None)
    later = signed(_next(pinned, governors=(*twin, joined)), range(9))
    with pytest.raises(TooFewPredecessors, match="voices of 8 members"):
        roll_forward(pinned, [sign_network(later, {joined.address: NEWCOMERS[0]})])


def test_a_signature_of_another_version_gives_no_voice() -> None:
    with pytest.raises(BadGovernorSignature, match="did not sign this file"):
        _followed(REPLACE(_next(), signatures=SIGNED.signatures))


def test_a_signature_of_other_content_gives_no_voice() -> None:
    agreed = signed(_next())
    with pytest.raises(BadGovernorSignature, match="did not sign this file"):
        _followed(REPLACE(agreed, validators=ROTATED_VALIDATORS))


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value in a JSON document that is no object and no list, with the way to it."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield path, value
    else:
        for name, part in parts:
            yield from _leaves(part, (*path, name))


def _other(value: Any) -> Any:
    """Another value of that kind; an open end becomes one, an end becomes another."""
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1] != "1" else "2")
    return 5_000 if value is None else value + 1


def test_no_value_that_stands_is_changed_whoever_signs() -> None:
    """Each value of the file by itself, signed by all governors: only open ends, names and the threshold may change."""
    following = json.loads(write_network(_next()))
    del following["signatures"], following["version"]
    allowed = set()
    for path, value in _leaves(following):
        content = json.loads(write_network(_next()))
        place = content
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = _other(value)
        try:
            unsigned = parse_network((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
            roll_forward(SIGNED, [signed(unsigned, range(13))])
        except AnchorsError:
            continue
        allowed.add((path[0], path[-1], value is None))
    assert allowed == {
        ("validators", "to_block", True),
        ("contracts", "to_block", True),
        ("members", "name", False),
        ("members", "to_size", True),
        ("members", "to_time", True),
        ("governors", "to_block", True),
        ("threshold", "threshold", False),
    }
