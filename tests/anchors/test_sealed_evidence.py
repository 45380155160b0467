"""The verifier's step `seals`: what reaches the grade sealed, and what falls short of it or is refuted."""

import dataclasses
from collections.abc import Iterator

import pytest
from conftest import running
from exhibits import Exhibit, make_exhibit
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_exhibits import BFT, FOUR, Sealing
from sealed_headers import NAMES, BftBlock, malleated, seal

from anchors.chain.header import decode_header
from anchors.verify import STEPS, Grade, Verdict

FIVE = NAMES[:5]


@pytest.fixture(scope="module")
def exhibit() -> Iterator[Exhibit]:
    with running("anvil") as node:
        yield make_exhibit(node)


@pytest.fixture(params=[*BFT, "clique"])
def sealing(exhibit: Exhibit, request: pytest.FixtureRequest) -> Sealing:
    return Sealing(exhibit, request.param)


@pytest.fixture(params=BFT)
def bft(exhibit: Exhibit, request: pytest.FixtureRequest) -> Sealing:
    return Sealing(exhibit, request.param)


@pytest.fixture
def clique(exhibit: Exhibit) -> Sealing:
    return Sealing(exhibit, "clique")


def assert_refuted(verdict: Verdict, why: str, step: str = "seals") -> None:
    assert [each.step for each in verdict.steps if not each.ok] == [step]
    assert why in verdict.steps[-1].detail
    assert verdict.grade is None


def said(verdict: Verdict) -> str:
    return verdict.steps[STEPS.index("seals")].detail


# ---- what holds ----


@pytest.mark.parametrize("require", [None, *Grade])
def test_a_sealed_block_is_sealed_whatever_is_asked_for(sealing: Sealing, require: str | None) -> None:
    verdict = sealing.judge(*sealing.sealed(), require)
    assert [(each.step, each.ok) for each in verdict.steps] == [(step, True) for step in STEPS]
    assert verdict.grade is Grade.SEALED


def test_the_verdict_tells_a_lay_reader_how_firm_it_is(bft: Sealing, clique: Sealing) -> None:
    assert said(bft.judge(*bft.sealed())).endswith(
        "is sealed by 3 of its 4 validators, where 3 are enough: it is final"
    )
    assert "confirmed by 3 signers, reversible: 3 of 4 are enough" in said(clique.judge(*clique.sealed()))


def test_validators_that_the_network_file_does_not_know_yet_are_stepped_to(bft: Sealing) -> None:
    joining = dataclasses.replace(bft.block(FIVE), number=1)
    block = bft.block(FIVE)
    assert bft.judge(block.raw(FIVE[1:]), [joining.raw(FIVE[:4])]).grade is Grade.SEALED
    leaving = dataclasses.replace(bft.block(FIVE[1:]), number=2)
    steps = [joining.raw(FIVE[:4]), leaving.raw(FIVE[1:])]
    assert bft.judge(bft.block(FIVE[1:]).raw(FIVE[1:]), steps).grade is Grade.SEALED
    assert_refuted(bft.judge(bft.block(FIVE[1:]).raw(FIVE[1:]), steps[1:]), "of them not among the 4 in force")


# ---- stripped ----


@pytest.mark.parametrize("left", [None, 0, 1, 2])
@pytest.mark.parametrize("require", [None, "sealed"])
def test_stripped_later_headers_refute(clique: Sealing, left: int | None, require: str | None) -> None:
    header, later = clique.sealed()
    assert later is not None
    stripped = None if left is None else later[:left]
    assert_refuted(clique.judge(header, stripped, require), f"confirmed by {left or 0} later signers, and 3 are needed")


@pytest.mark.parametrize("require", [None, "sealed"])
def test_stripped_seals_refute(bft: Sealing, require: str | None) -> None:
    assert_refuted(bft.judge(bft.block().raw(FOUR[:2]), None, require), "the seals of 2 validators, and 3 are needed")
    assert_refuted(bft.judge(bft.block().raw(()), None, require), "the seals of 0 validators")


@pytest.mark.parametrize("require", ["logged", "anchored"])
def test_what_is_stripped_falls_to_the_grade_that_holds(bft: Sealing, clique: Sealing, require: str) -> None:
    for verdict in (
        bft.judge(bft.block().raw(FOUR[:2]), None, require),
        clique.judge(clique.sealed()[0], None, require),
    ):
        assert verdict.grade is Grade.ANCHORED
        assert said(verdict).startswith(f"not needed for the grade {require}: block")


def test_stripped_steps_refute(bft: Sealing) -> None:
    block = bft.block(NAMES[:6])
    assert_refuted(bft.judge(block.raw(NAMES[:6]), None), "lists 6 validators, 2 of them not among the 4 in force")


# ---- wrong ----


@pytest.mark.parametrize("require", [None, *Grade])
def test_one_byte_of_a_seal_changed_refutes_whatever_is_asked_for(sealing: Sealing, require: str | None) -> None:
    header, later = sealing.sealed()
    made = bytes(decode_header(header, sealing.consensus).extra[-40:])
    changed = header.replace(made, made[:-8] + bytes((made[-8] ^ 1,)) + made[-7:])
    assert changed != header
    assert_refuted(sealing.judge(changed, later, require), "block")


def test_a_seal_that_anyone_could_have_made_of_another_refutes(bft: Sealing) -> None:
    block = bft.block()
    seals = [*(seal(name, block.digest) for name in FOUR[:3]), malleated(seal(FOUR[3], block.digest))]
    assert_refuted(bft.judge(block.with_seals(seals), None), "the higher of the two values of s")


@pytest.mark.parametrize("require", [None, "anchored"])
def test_later_headers_of_another_branch_refute(clique: Sealing, require: str | None) -> None:
    other = clique.chain(5)[2:]
    assert_refuted(clique.judge(clique.chain(4)[0], other, require), "does not follow")


def test_a_finality_part_where_the_pinned_validators_still_hold_refutes(bft: Sealing) -> None:
    needless = dataclasses.replace(bft.block(), number=1).raw(FOUR)
    assert_refuted(bft.judge(bft.block().raw(FOUR), [needless]), "is no step")
    assert bft.judge(bft.block().raw(FOUR), []).grade is Grade.SEALED


def test_headers_of_another_consensus_refute(exhibit: Exhibit) -> None:
    for consensus in BFT:
        sealing = Sealing(exhibit, consensus)
        assert_refuted(sealing.judge(exhibit.anchor.header, None, "anchored"), "malformed", step="header")
    assert_refuted(Sealing(exhibit, "clique").judge(exhibit.anchor.header, None, "anchored"), "has the mixHash")


# ---- malformed ----


@pytest.mark.parametrize("finality", [[], {}, {"headers": 1}, {"headers": ["0"]}, {"headers": ["0x"] * 1025}])
@pytest.mark.parametrize("require", [None, *Grade])
def test_a_malformed_finality_part_refutes_whatever_is_asked_for(
    sealing: Sealing, finality: object, require: str | None
) -> None:
    assert_refuted(sealing.judge_part(sealing.sealed()[0], finality, require), "finality")


@pytest.mark.parametrize("header", [b"", b"\xc0", bytes(600), b"\xff" * 99])
def test_bytes_that_are_no_header_refute_at_seals(sealing: Sealing, header: bytes) -> None:
    assert_refuted(sealing.judge(sealing.sealed()[0], [header]), "malformed")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_headers_end_in_a_verdict_and_none_makes_a_short_seal_good(exhibit: Exhibit, data: st.DataObject) -> None:
    sealing = Sealing(exhibit, data.draw(st.sampled_from([*BFT, "clique"])))
    chain = Sealing(exhibit, "clique").chain(3)
    others = st.binary(max_size=60) | st.sampled_from([*chain, BftBlock("qbft", FIVE, 1).raw(FIVE)])
    short = sealing.block().raw(FOUR[:2]) if sealing.consensus in BFT else chain[0]
    assert not sealing.judge(short, data.draw(st.lists(others, max_size=4))).proven
