"""QBFT and IBFT 2.0: what counts as sealed, and every way in which it does not."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from exhibits import address, key
from sealed_headers import MIX_HASH, NAMES, BftBlock, another_seal, malleated, pin, seal

from anchors.chain import rlp
from anchors.chain.header import MAX_HEADER_BYTES, decode_header
from anchors.errors import (
    AnchorsError,
    DuplicateSeal,
    ForeignSeal,
    ForgedSeal,
    HeaderOutOfPlace,
    MalformedExtra,
    MalformedHeader,
    MalformedSeal,
    MalleableSeal,
    NotOfConsensus,
    NotSealed,
    SealsMissing,
    SealsRefused,
    TooManySeals,
    ValidatorsByContract,
    ValidatorsDiffer,
    ValidatorsUnknown,
)
from anchors.network import ValidatorSet
from anchors.seals import Seals, bft_extra, needed_seals, prove_seals, sealers

FOUR = NAMES[:4]
BOTH = pytest.mark.parametrize("consensus", ["qbft", "ibft2"])


def prove(
    block: BftBlock, by: Sequence[str], steps: Sequence[bytes] = (), history: Sequence[ValidatorSet] = (pin(FOUR),)
) -> Seals:
    return prove_seals(decode_header(block.raw(by), block.consensus), history, steps)


def assert_refused(block: BftBlock, seals: Sequence[bytes], error: type[AnchorsError], why: str | None = None) -> None:
    header = decode_header(block.with_seals(seals), block.consensus)
    with pytest.raises(error, match=why):
        prove_seals(header, (pin(FOUR),))


# ---- what holds ----


@BOTH
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 13, 16])
def test_a_quorum_seals_and_one_fewer_does_not(consensus: str, count: int) -> None:
    listed = NAMES[:count]
    enough = {1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 4, 7: 5, 13: 9, 16: 11}[count]
    block = BftBlock(consensus, listed)
    assert needed_seals(consensus, count) == enough
    proven = prove(block, listed[-enough:], history=(pin(listed),))
    assert proven.sealers == tuple(map(address, listed[-enough:]))
    assert not proven.reversible
    assert proven.detail == (
        f"block 100 is sealed by {enough} of its {count} validators, where {enough} are enough: it is final"
    )
    with pytest.raises(SealsMissing, match=f"the seals of {enough - 1} validators, and {enough} are needed"):
        prove(block, listed[: enough - 1], history=(pin(listed),))


@BOTH
def test_all_may_seal_in_any_order_and_any_round(consensus: str) -> None:
    block = BftBlock(consensus, FOUR, round=7, vote=(address("newcomer"), b"\xff"))
    header = decode_header(block.raw(FOUR[::-1]), consensus)
    assert len(prove_seals(header, (pin(FOUR),)).sealers) == 4
    extra = bft_extra(header)
    assert (extra.round, extra.validators, len(extra.seals)) == (7, tuple(map(address, FOUR)), 4)
    assert sealers(header) == tuple(map(address, FOUR[::-1]))


@BOTH
def test_a_block_keeps_its_name_whatever_quorum_sealed_it_in_whatever_round(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    hashes = {
        decode_header(replace(block, round=number).raw(by), consensus).hash
        for number, by in ((0, FOUR), (3, FOUR[1:]), (9, ()))
    }
    assert hashes == {block.hash}


# ---- each seal ----


@BOTH
def test_a_block_without_seals_is_not_sealed(consensus: str) -> None:
    assert_refused(BftBlock(consensus, FOUR), [], SealsMissing, "the seals of 0 validators")


@BOTH
@pytest.mark.parametrize("at", range(65))
def test_a_seal_with_one_byte_changed_is_refused(consensus: str, at: int) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [seal(name, block.digest) for name in FOUR]
    seals[2] = seals[2][:at] + bytes((seals[2][at] ^ 1,)) + seals[2][at + 1 :]
    assert_refused(block, seals, SealsRefused)


@BOTH
def test_a_seal_that_no_key_can_have_made_is_forged(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    good = [seal(name, block.digest) for name in FOUR[:3]]
    assert_refused(block, [*good, bytes(64) + b"\0"], ForgedSeal)
    assert_refused(block, [*good, b"\xff" * 32 + b"\1" * 32 + b"\0"], ForgedSeal)


@BOTH
def test_a_seal_of_another_header_is_foreign(consensus: str) -> None:
    block, other = BftBlock(consensus, FOUR), BftBlock(consensus, FOUR, number=101)
    seals = [*(seal(name, block.digest) for name in FOUR[:2]), seal(FOUR[2], other.digest)]
    assert_refused(block, seals, ForeignSeal, "none of its validators")


@BOTH
def test_a_seal_for_another_round_is_foreign(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [seal(name, replace(block, round=1).digest) for name in FOUR]
    assert_refused(block, seals, ForeignSeal)


@BOTH
def test_a_seal_of_someone_who_is_no_validator_is_foreign_though_a_quorum_is_there(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [seal(name, block.digest) for name in (*FOUR[:3], "stranger")]
    assert_refused(block, seals, ForeignSeal, address("stranger").hex())


@BOTH
def test_one_seal_twice_is_refused(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [seal(name, block.digest) for name in FOUR[:3]]
    assert_refused(block, [*seals, seals[0]], DuplicateSeal, "one seal twice")


@BOTH
def test_two_seals_of_one_validator_are_refused(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [*(seal(name, block.digest) for name in FOUR[:3]), another_seal(FOUR[0], block.digest)]
    assert_refused(block, seals, DuplicateSeal, "two seals by")
    assert prove_seals(decode_header(block.with_seals(seals[1:]), consensus), (pin(FOUR),)).sealers, "it is a good seal"


@BOTH
def test_a_seal_with_the_higher_s_is_refused(consensus: str) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [*(seal(name, block.digest) for name in FOUR[:3]), malleated(seal(FOUR[3], block.digest))]
    assert_refused(block, seals, MalleableSeal)


@BOTH
@pytest.mark.parametrize("form", [lambda made: made[:64], lambda made: made + b"\0", lambda made: made[:64] + b"\x1b"])
def test_a_seal_of_another_form_is_refused(consensus: str, form: Callable[[bytes], bytes]) -> None:
    block = BftBlock(consensus, FOUR)
    seals = [*(seal(name, block.digest) for name in FOUR[:3]), form(seal(FOUR[3], block.digest))]
    assert_refused(block, seals, MalformedSeal)


@BOTH
def test_more_seals_than_validators_are_refused_before_any_is_looked_at(consensus: str) -> None:
    assert_refused(BftBlock(consensus, FOUR), [bytes((n,)) for n in range(5)], TooManySeals, "5 seals for 4")


# ---- the header ----


@BOTH
@pytest.mark.parametrize(
    ("at", "value", "name"),
    [(13, bytes(32), "mixHash"), (14, b"\xff" * 8, "nonce"), (1, key("ommers"), "sha3Uncles")],
)
def test_a_field_that_the_consensus_fixes_has_no_other_value(consensus: str, at: int, value: bytes, name: str) -> None:
    with pytest.raises(NotOfConsensus, match=name):
        prove(BftBlock(consensus, FOUR).changed(at, value), FOUR)
    assert prove(BftBlock(consensus, FOUR).changed(13, MIX_HASH), FOUR)


@BOTH
@pytest.mark.parametrize("vanity", [b"", bytes(31), bytes(33)])
def test_a_vanity_has_32_bytes(consensus: str, vanity: bytes) -> None:
    with pytest.raises(MalformedExtra, match="vanity"):
        prove(BftBlock(consensus, FOUR, vanity=vanity), FOUR)


@BOTH
@pytest.mark.parametrize("vote", [(bytes(20), b"\x01"), (bytes(19), b"\0"), (bytes(20), b"")])
def test_a_vote_adds_or_drops_an_address(consensus: str, vote: tuple[bytes, bytes]) -> None:
    with pytest.raises(MalformedExtra, match="vote"):
        prove(BftBlock(consensus, FOUR, vote=vote), FOUR)


@BOTH
@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        (0, [b"\1"] * 32, "vanity"),
        (1, b"", "validators"),
        (1, bytes(20), "validators"),
        (1, [[bytes(20)]], "validators"),
        (1, [bytes(19)], "validators"),
        (2, bytes(20), "vote"),
        (2, [[], b"\0"], "vote"),
        (2, [bytes(20), b"\0", b"\0"], "vote"),
        (3, [], "round"),
        (4, b"", "seals"),
        (4, bytes(65), "seals"),
        (4, [[bytes(65)]], "seals"),
    ],
    ids=str,
)
def test_each_part_of_the_extra_data_has_its_form(consensus: str, part: int, value: rlp.Item, why: str) -> None:
    parts = list(rlp.decode_list(decode_header(BftBlock(consensus, FOUR).raw(FOUR), consensus).extra))
    parts[part] = value
    block = BftBlock(consensus, FOUR).changed(12, rlp.encode(parts))
    with pytest.raises(MalformedExtra, match=why):
        prove(block, FOUR)


@BOTH
def test_extra_data_past_the_bound_of_a_header_is_refused(consensus: str) -> None:
    with pytest.raises(MalformedHeader, match="more than"):
        decode_header(BftBlock(consensus, FOUR).with_seals([bytes(MAX_HEADER_BYTES)]), consensus)


@BOTH
def test_extra_data_that_is_not_of_five_parts_is_refused(consensus: str) -> None:
    for extra in (b"", b"\xc0", bytes(97), b"\xff" * 40):
        with pytest.raises(MalformedHeader):
            decode_header(BftBlock(consensus, FOUR).changed(12, extra).raw(FOUR), consensus)


def test_one_consensus_does_not_pass_for_the_other() -> None:
    for consensus, other in (("qbft", "ibft2"), ("ibft2", "qbft")):
        header = decode_header(BftBlock(consensus, FOUR, vote=(bytes(20), b"\0"), round=1 << 24).raw(FOUR), other)
        with pytest.raises(ForeignSeal):
            prove_seals(header, (pin(FOUR),))
        with pytest.raises(MalformedExtra):
            prove_seals(decode_header(BftBlock(consensus, FOUR).raw(FOUR), other), (pin(FOUR),))


# ---- who may seal ----


@BOTH
def test_validators_that_a_contract_selects_are_refused_with_the_reason(consensus: str) -> None:
    with pytest.raises(ValidatorsByContract, match="a contract selects them"):
        prove(BftBlock(consensus, ()), ())


@BOTH
def test_a_header_lists_the_validators_that_the_network_file_pins_for_its_block(consensus: str) -> None:
    history = (pin(FOUR, 10, 100), pin(NAMES[4:8], 100, 200))
    assert prove(BftBlock(consensus, FOUR, number=99), FOUR, history=history)
    assert prove(BftBlock(consensus, NAMES[4:8], number=100), NAMES[4:8], history=history)
    with pytest.raises(ValidatorsDiffer):
        prove(BftBlock(consensus, FOUR, number=100), FOUR, history=history)
    for block in (200, 9):
        with pytest.raises(ValidatorsUnknown, match=f"no validators for block {block}"):
            prove(BftBlock(consensus, FOUR, number=block), FOUR, history=history)


@BOTH
def test_a_header_lists_its_validators_once_and_in_order(consensus: str) -> None:
    for listed in (FOUR[::-1], (*FOUR, FOUR[3])):
        with pytest.raises(ValidatorsDiffer, match="twice or out of order"):
            prove(BftBlock(consensus, listed), FOUR)


# ---- steps ----


@BOTH
def test_validators_are_stepped_to_one_by_one(consensus: str) -> None:
    five, other = NAMES[:5], NAMES[1:5]
    steps = [BftBlock(consensus, five, 20).raw(five[:4]), BftBlock(consensus, other, 30).raw(other[:3])]
    proven = prove(BftBlock(consensus, other), other[1:], steps)
    assert proven.sealers == tuple(map(address, other[1:]))
    with pytest.raises(ValidatorsDiffer, match="lists 4 validators, 1 of them not among the 4 in force"):
        prove(BftBlock(consensus, other), other)
    with pytest.raises(ValidatorsDiffer):
        prove(BftBlock(consensus, other), other, steps[1:])


@BOTH
def test_the_block_itself_may_be_where_the_validators_change(consensus: str) -> None:
    assert prove(BftBlock(consensus, NAMES[:5]), NAMES[:4]).sealers
    assert prove(BftBlock(consensus, NAMES[:3]), NAMES[:2]).sealers
    with pytest.raises(SealsMissing, match="3 validators, and 4"):
        prove(BftBlock(consensus, NAMES[:5]), NAMES[2:5])


@BOTH
def test_a_step_without_a_quorum_of_the_set_that_it_lists_is_refused(consensus: str) -> None:
    step = BftBlock(consensus, NAMES[:5], 20).raw(NAMES[:3])
    with pytest.raises(SealsMissing, match="block 20"):
        prove(BftBlock(consensus, NAMES[:5]), NAMES[:5], [step])


@BOTH
def test_a_step_that_changes_nothing_is_refused(consensus: str) -> None:
    with pytest.raises(HeaderOutOfPlace, match="no step"):
        prove(BftBlock(consensus, FOUR), FOUR, [BftBlock(consensus, FOUR, 20).raw(FOUR)])


@BOTH
@pytest.mark.parametrize("numbers", [(30, 20), (20, 20), (20, 100), (20, 101)])
def test_steps_lie_in_order_between_the_pinned_block_and_the_anchors(consensus: str, numbers: Sequence[int]) -> None:
    six = NAMES[:6]
    steps = [BftBlock(consensus, six[:5], numbers[0]).raw(six[:5]), BftBlock(consensus, six, numbers[1]).raw(six)]
    with pytest.raises(HeaderOutOfPlace, match="cannot be a step"):
        prove(BftBlock(consensus, six), six, steps, history=(pin(FOUR, 10),))


@BOTH
@pytest.mark.parametrize("since", [20, 25, 30, 40])
def test_steps_that_a_later_network_file_pins_still_count(consensus: str, since: int) -> None:
    five, six = NAMES[:5], NAMES[:6]
    steps = [BftBlock(consensus, five, 20).raw(five), BftBlock(consensus, six, 30).raw(six)]
    assert prove(BftBlock(consensus, six), six, steps, history=(pin(FOUR, 10),)).sealers
    pinned = (pin(FOUR, 10, since), pin(five if since < 30 else six, since))
    assert prove(BftBlock(consensus, six), six, steps, history=pinned).sealers


@BOTH
def test_a_step_where_a_pinned_span_begins_lists_the_pinned_validators(consensus: str) -> None:
    five, other = NAMES[:5], NAMES[:3]
    for listed in (five, other):
        step = BftBlock(consensus, listed, 10).raw(listed)
        with pytest.raises(HeaderOutOfPlace, match="not those pinned"):
            prove(BftBlock(consensus, listed), listed, [step], history=(pin(FOUR, 10),))


@BOTH
def test_an_old_step_does_not_lead_back_from_a_newer_pin(consensus: str) -> None:
    before = NAMES[:5]  # NAMES[4] is gone from block 50 on
    old = BftBlock(consensus, before, 40).raw(before)
    with pytest.raises(HeaderOutOfPlace):
        prove(BftBlock(consensus, before), before, [old], history=(pin(before, 0, 50), pin(FOUR, 50)))


@BOTH
def test_bytes_that_are_no_header_are_no_step(consensus: str) -> None:
    with pytest.raises(MalformedHeader):
        prove(BftBlock(consensus, FOUR), FOUR, [b"\xc0"])


@pytest.mark.parametrize("size", range(1, 256))
def test_a_quorum_after_one_change_is_more_than_a_third_of_the_set_before(size: int) -> None:
    joined = needed_seals("qbft", size + 1) - 1  # at worst the newcomer is one of those who sealed
    assert 3 * joined > size
    if size > 1:
        assert 3 * needed_seals("qbft", size - 1) > size  # whoever sealed was there before


def test_what_is_missing_and_what_is_wrong_are_told_apart() -> None:
    assert not issubclass(SealsMissing, SealsRefused)
    assert issubclass(SealsMissing, NotSealed)
