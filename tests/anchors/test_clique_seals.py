"""Clique: what counts as confirmed, and every way in which it does not."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from exhibits import address, key
from sealed_headers import NAMES, CliqueBlock, clique_chain, malleated, pin, seal

from anchors.chain import rlp
from anchors.chain.header import decode_header
from anchors.errors import (
    AnchorsError,
    ConfirmationsMissing,
    ForeignSeal,
    ForgedSeal,
    HeaderOutOfPlace,
    MalformedExtra,
    MalformedHeader,
    MalformedSeal,
    MalleableSeal,
    NotOfConsensus,
    SealsMissing,
    SealsRefused,
    SignedTooSoon,
    ValidatorsDiffer,
    ValidatorsUnknown,
    WrongDifficulty,
)
from anchors.network import ValidatorSet
from anchors.seals import Seals, needed_seals, prove_seals, sealers

FOUR = NAMES[:4]  # in turn at blocks 100, 101, 102, 103
FIRST = 100


def prove(chain: Sequence[CliqueBlock], history: Sequence[ValidatorSet] = (pin(FOUR),)) -> Seals:
    first, *later = (block.raw for block in chain)
    return prove_seals(decode_header(first, "clique"), history, later)


def chain_of(*turns: int) -> list[CliqueBlock]:
    """Blocks by these of the four signers."""
    return clique_chain(FOUR, FIRST, [FOUR[turn] for turn in turns])


def assert_refused(first: bytes, error: type[AnchorsError], why: str | None = None) -> None:
    with pytest.raises(error, match=why):
        prove_seals(decode_header(first, "clique"), (pin(FOUR),))


# ---- what holds ----


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 13])
def test_more_than_half_of_the_signers_after_it_confirm_a_block_and_one_fewer_does_not(count: int) -> None:
    signers = NAMES[:count]
    enough = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 4, 13: 7}[count]
    assert needed_seals("clique", count) == enough
    chain = clique_chain(signers, FIRST, [signers[number % count] for number in range(FIRST, FIRST + enough + 1)])
    proven = prove(chain, (pin(signers),))
    assert proven.reversible
    assert f"confirmed by {enough} signers, reversible" in proven.detail
    assert proven.sealers[0] == address(chain[0].signer)
    assert set(proven.sealers) == {address(block.signer) for block in chain}
    with pytest.raises(ConfirmationsMissing, match=f"confirmed by {enough - 1} later signers, and {enough} are needed"):
        prove(chain[:-1], (pin(signers),))


def test_signers_may_be_out_of_turn_as_long_as_they_say_so() -> None:
    assert prove(chain_of(1, 0, 2, 1)).sealers == tuple(address(FOUR[turn]) for turn in (1, 0, 2))
    assert prove(chain_of(3, 2, 1, 3, 2, 0)).detail.count("confirmed by 4 signers")


def test_the_signer_of_a_block_is_known_without_knowing_the_signers() -> None:
    (block,) = clique_chain(FOUR, FIRST, ["stranger"])
    assert sealers(decode_header(block.raw, "clique")) == (address("stranger"),)


def test_a_vote_and_a_checkpoints_list_of_signers_are_no_hindrance() -> None:
    listed = b"".join(map(address, FOUR))
    chain = [replace(block, listed=listed) if at == 0 else block for at, block in enumerate(chain_of(0))]
    voting = CliqueBlock(FIRST + 1, FOUR[1], 2, chain[0].hash, nonce=b"\xff" * 8, changes=((2, address("newcomer")),))
    chain += [voting, CliqueBlock(FIRST + 2, FOUR[2], 2, voting.hash)]
    chain += [CliqueBlock(FIRST + 3, FOUR[3], 2, chain[2].hash)]
    assert prove(chain).sealers == tuple(map(address, FOUR))


def test_each_header_is_held_against_the_signers_of_its_own_block() -> None:
    history = (pin(FOUR, 0, FIRST + 2), pin(NAMES[:5], FIRST + 2))
    chain = clique_chain(FOUR, FIRST, [FOUR[0], FOUR[1]])
    for number, name in ((FIRST + 2, NAMES[4]), (FIRST + 3, NAMES[3])):
        turn = NAMES[number % 5] == name
        chain.append(CliqueBlock(number, name, 2 if turn else 1, chain[-1].hash))
    assert prove(chain, history).sealers == tuple(map(address, (*NAMES[:2], NAMES[4], NAMES[3])))
    with pytest.raises(ForeignSeal, match="none of its 4 signers"):
        prove(chain)
    with pytest.raises(ValidatorsUnknown, match=f"block {FIRST + 2}"):
        prove(chain, history[:1])


def test_one_signer_alone_does_not_confirm_what_five_had_to() -> None:
    history = (pin(NAMES[:5], 0, FIRST + 1), pin(NAMES[:1], FIRST + 1))
    chain = clique_chain(NAMES[:5], FIRST, [NAMES[1]])
    for number in range(FIRST + 1, FIRST + 9):
        chain.append(CliqueBlock(number, NAMES[0], 2, chain[-1].hash))
    with pytest.raises(ConfirmationsMissing, match="by 1 later signers, and 3"):
        prove(chain, history)


# ---- the seal ----


@pytest.mark.parametrize("at", range(65))
def test_a_seal_with_one_byte_changed_is_refused(at: int) -> None:
    block = chain_of(0)[0]
    made = bytearray(seal(block.signer, block.digest))
    made[at] ^= 1
    assert_refused(block.with_seal(bytes(made)), SealsRefused)


def test_a_block_without_a_seal_is_not_sealed() -> None:
    assert_refused(chain_of(0)[0].with_seal(bytes(65)), SealsMissing, "0 validators, and 1")


def test_a_seal_that_no_key_can_have_made_is_forged() -> None:
    assert_refused(chain_of(0)[0].with_seal(b"\xff" * 32 + b"\1" * 32 + b"\0"), ForgedSeal)


def test_a_seal_with_the_higher_s_is_refused() -> None:
    block = chain_of(0)[0]
    assert_refused(block.with_seal(malleated(seal(block.signer, block.digest))), MalleableSeal)


def test_a_seal_that_ends_in_neither_0_nor_1_is_refused() -> None:
    block = chain_of(0)[0]
    assert_refused(block.with_seal(seal(block.signer, block.digest)[:64] + b"\x1b"), MalformedSeal)


def test_a_seal_of_someone_who_is_no_signer_is_foreign() -> None:
    (block,) = clique_chain(FOUR, FIRST, ["stranger"])
    assert_refused(block.raw, ForeignSeal, address("stranger").hex())


@pytest.mark.parametrize("extra", [b"", bytes(96), bytes(98), bytes(32 + 19 + 65)])
def test_extra_data_is_a_vanity_addresses_and_a_seal(extra: bytes) -> None:
    fields = list(rlp.decode_list(chain_of(0)[0].raw))
    fields[12] = extra
    assert_refused(rlp.encode(fields), MalformedExtra)


# ---- the header ----


@pytest.mark.parametrize(
    ("at", "value", "name"),
    [(13, key("mix"), "mixHash"), (14, b"\1" * 8, "nonce"), (1, key("ommers"), "sha3Uncles")],
)
def test_a_field_that_the_consensus_fixes_has_no_other_value(at: int, value: bytes, name: str) -> None:
    (block,) = clique_chain(FOUR, FIRST, FOUR[:1], changes=((at, value),))
    assert_refused(block.raw, NotOfConsensus, name)


@pytest.mark.parametrize("difficulty", [0, 1, 3, 1 << 200])
def test_a_signer_in_turn_says_so(difficulty: int) -> None:
    assert_refused(CliqueBlock(FIRST, FOUR[0], difficulty).raw, WrongDifficulty, "in turn")


@pytest.mark.parametrize("difficulty", [0, 2])
def test_a_signer_out_of_turn_says_so(difficulty: int) -> None:
    assert_refused(CliqueBlock(FIRST, FOUR[1], difficulty).raw, WrongDifficulty, "out of turn")


def test_turns_go_by_ascending_address_whatever_the_network_files_order() -> None:
    assert prove(chain_of(0, 1, 2, 3), (pin(FOUR[::-1]),))


def test_a_checkpoint_that_lists_other_signers_is_refused() -> None:
    for listed in (FOUR[:3], NAMES[1:5], FOUR[::-1]):
        block = CliqueBlock(FIRST, FOUR[0], 2, listed=b"".join(map(address, listed)))
        assert_refused(block.raw, ValidatorsDiffer)


# ---- the chain ----


@pytest.mark.parametrize("turns", [(0, 0), (0, 1, 0), (0, 1, 2, 1)])
def test_a_signer_lets_others_sign_first(turns: Sequence[int]) -> None:
    with pytest.raises(SignedTooSoon, match="within the 2 before it"):
        prove(chain_of(*turns))


Change = Callable[[list[bytes]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda raws: raws.pop(1),
        lambda raws: raws.reverse(),
        lambda raws: raws.insert(1, raws[1]),
        lambda raws: raws.pop(2),
    ],
    ids=["gap", "backwards", "twice", "hole"],
)
def test_later_headers_follow_one_another(change: Change) -> None:
    raws = [block.raw for block in chain_of(0, 1, 2, 3, 0)]
    change(raws)
    with pytest.raises(HeaderOutOfPlace, match="does not follow"):
        prove_seals(decode_header(raws[0], "clique"), (pin(FOUR),), raws[1:])


def test_a_number_that_does_not_follow_is_refused_though_the_parent_does() -> None:
    chain = chain_of(0)
    chain.append(CliqueBlock(FIRST + 2, FOUR[2], 2, chain[0].hash))
    with pytest.raises(HeaderOutOfPlace):
        prove(chain)


def test_headers_of_another_branch_confirm_nothing() -> None:
    with pytest.raises(HeaderOutOfPlace):
        prove([chain_of(0)[0], *chain_of(1, 2, 3, 0)[1:]])


def test_one_bad_header_refutes_even_past_what_is_needed() -> None:
    chain = chain_of(0, 1, 2, 3, 0, 1)
    assert prove(chain)
    chain[-1] = replace(chain[-1], difficulty=1)
    with pytest.raises(WrongDifficulty):
        prove(chain)


def test_bytes_that_are_no_header_confirm_nothing() -> None:
    with pytest.raises(MalformedHeader):
        prove_seals(decode_header(chain_of(0)[0].raw, "clique"), (pin(FOUR),), [b"\xc0"])
