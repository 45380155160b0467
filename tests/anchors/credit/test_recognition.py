"""Who applies whose records: all of them, but what was opted out of with a reason."""

import dataclasses

import pytest
from credit_story import CHAIN_ID, REGISTER, SERIOUS, digest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from anchors.credit.kinds import Kind
from anchors.credit.recognition import Choice, Issued, Named, check_choice, choice_digest, opted_out
from anchors.errors import BadChoice, ChoiceUnchanged, OwnRecords, ReasonMissing

CHONGQING, SICHUAN, GUIZHOU = 1, 2, 3
NAME = SERIOUS.struct_hash()
OF_SICHUAN = Issued(SICHUAN, Kind.SERIOUS)
OUT = Choice(GUIZHOU, OF_SICHUAN, applied=False, reason=digest("reason"), time=100)
BACK = dataclasses.replace(OUT, applied=True, reason=digest("another reason"), time=200)
OUT_OF_ONE = dataclasses.replace(OUT, about=Named(NAME), time=150)


def test_every_member_applies_every_record_by_default() -> None:
    assert opted_out([], CHONGQING, OF_SICHUAN, NAME, 100) is None


@pytest.mark.parametrize(("time", "choice"), [(99, None), (100, OUT), (199, OUT), (200, None)])
def test_an_opt_out_counts_from_its_block_until_the_member_opts_in_again(time: int, choice: Choice | None) -> None:
    assert opted_out([OUT, BACK], GUIZHOU, OF_SICHUAN, NAME, time) == choice


@pytest.mark.parametrize(
    ("member", "of"),
    [(CHONGQING, OF_SICHUAN), (GUIZHOU, Issued(CHONGQING, Kind.SERIOUS)), (GUIZHOU, Issued(SICHUAN, Kind.GENERAL))],
)
def test_an_opt_out_is_of_one_member_one_issuer_and_one_kind(member: int, of: Issued) -> None:
    assert opted_out([OUT], member, of, NAME, 100) is None


def test_one_record_can_be_opted_out_of() -> None:
    choices = [OUT, OUT_OF_ONE, BACK]
    assert opted_out(choices, GUIZHOU, OF_SICHUAN, NAME, 200) == OUT_OF_ONE
    assert opted_out(choices, GUIZHOU, OF_SICHUAN, digest("another record"), 200) is None


def test_a_member_always_applies_its_own_records() -> None:
    assert opted_out([dataclasses.replace(OUT_OF_ONE, member=SICHUAN)], SICHUAN, OF_SICHUAN, NAME, 200) is None


@pytest.mark.parametrize(
    ("choice", "earlier", "refusal"),
    [
        (dataclasses.replace(OUT, member=SICHUAN), [], OwnRecords),
        (dataclasses.replace(OUT, reason=bytes(32)), [], ReasonMissing),
        (OUT, [OUT], ChoiceUnchanged),
        (BACK, [], ChoiceUnchanged),
        (BACK, [OUT, BACK], ChoiceUnchanged),
    ],
)
def test_a_choice_that_is_none_is_refused(choice: Choice, earlier: list[Choice], refusal: type[BadChoice]) -> None:
    with pytest.raises(refusal) as refused:
        check_choice(choice, earlier)
    assert refused.value.diagnostics()


def test_out_and_in_again_are_choices() -> None:
    check_choice(OUT, [])
    check_choice(BACK, [OUT])
    check_choice(OUT, [OUT, BACK])


@pytest.mark.parametrize(
    ("choice", "name", "about"),
    [
        (OUT, "RecognitionOfKind", (("issuer", "uint16", SICHUAN), ("kind", "uint8", 3))),
        (OUT_OF_ONE, "RecognitionOfRecord", (("record", "bytes32", NAME),)),
    ],
)
def test_the_roles_sign_what_eip_712_describes(
    choice: Choice, name: str, about: tuple[tuple[str, str, object], ...]
) -> None:
    fields = (
        *(("member", "uint16", GUIZHOU), *about),
        *(("applied", "bool", False), ("reason", "bytes32", choice.reason)),
        *(("earlier", "uint32", 4), ("deadline", "uint64", 77)),
    )
    domain = {"name": "bidledger", "version": "1", "chainId": CHAIN_ID, "verifyingContract": "0x" + REGISTER.hex()}
    types = {name: [{"name": field, "type": kind} for field, kind, _ in fields]}
    made = encode_typed_data(domain, types, {field: value for field, _, value in fields})
    expected = keccak(b"\x19" + made.version + made.header + made.body)
    assert choice_digest(REGISTER, CHAIN_ID, choice, 4, 77) == expected
