"""Who seals, how many may still fail, and what is said in words while something is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from anchors.chain.header import CLIQUE, DEVELOPMENT, QBFT
from ledger_service.anchoring.tables import Withdrawal
from ledger_service.chain.finality import SealedBlock
from ledger_service.index.queries import Progress
from ledger_service.status.sealing import WINDOW, Sealing, observe
from ledger_service.status.troubles import Facts, troubles

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FOUR = tuple(bytes([name]) * 20 for name in range(1, 5))
HEALTHY = Progress(500, bytes(32), int(NOW.timestamp()), 500, NOW, 500)


def chain(sealers: Sequence[Sequence[bytes]], *, round_: int | None = None, seconds: int = 2) -> list[SealedBlock]:
    """Blocks sealed by these in order, newest first."""
    return [
        SealedBlock(number, bytes(32), seconds * number, tuple(by), FOUR, round_) for number, by in enumerate(sealers)
    ][::-1]


def in_turns(blocks: int, signers: Sequence[bytes] = FOUR) -> list[list[bytes]]:
    return [[signers[number % len(signers)]] for number in range(blocks)]


def seen(sealers: Sequence[Sequence[bytes]], consensus: str = CLIQUE, *, round_: int | None = None) -> Sealing:
    found = observe(consensus, chain(sealers, round_=round_))
    assert found is not None
    return found


def words(*, how_far: Progress = HEALTHY, sealing: Sealing | None = None, now: datetime = NOW) -> dict[str, str]:
    return {one.problem: one.detail for one in troubles(Facts(how_far, sealing, [], ()), now)}


def test_all_that_seal_are_seen_and_one_of_four_may_fail() -> None:
    found = seen(in_turns(WINDOW))
    assert (found.validators, found.seen, found.silent, found.needed, found.may_fail) == (4, 4, (), 3, 1)
    assert (found.block_seconds, found.round_changes) == (2, None)
    assert words(sealing=found) == {}


def test_who_has_sealed_nothing_for_eight_turns_is_called_silent() -> None:
    found = seen(in_turns(68) + in_turns(32, FOUR[:3]))
    assert (found.seen, found.silent, found.may_fail) == (4, (FOUR[3],), 0)
    assert found.silent_since == 2 * 67, "the last block that the fourth sealed"
    (said,) = words(sealing=found).values()
    assert said.startswith(f"only 3 of 4 validators sealed in the last 32 blocks, 0x{FOUR[3].hex()} did not")
    assert "3 are needed, so none more may fail" in said
    assert seen(in_turns(68) + in_turns(31, FOUR[:3])).silent == (), "one turn is left"
    assert seen(in_turns(31, FOUR[:3])).silent == (), "nobody has had eight turns"
    assert seen([*in_turns(68), *in_turns(32, FOUR[:3]), [FOUR[3]]]).silent == ()


@pytest.mark.parametrize(("sealing", "may_fail"), [(4, 1), (3, 0)])
def test_under_bft_a_quorum_is_needed(sealing: int, may_fail: int) -> None:
    found = seen([FOUR[:sealing]] * WINDOW, QBFT, round_=1)
    assert (found.seen, found.needed, found.may_fail, found.round_changes) == (sealing, 3, may_fail, WINDOW)


def test_where_nobody_seals_nothing_is_said_of_validators() -> None:
    assert observe(DEVELOPMENT, []) is None
    assert observe(DEVELOPMENT, [SealedBlock(1, bytes(32), 0, (), (), None)]) is None
    assert words(now=NOW + timedelta(days=1)) == {}


def test_a_pause_does_not_change_the_usual_time_between_blocks() -> None:
    late = [replace(block, timestamp=block.timestamp + 3600 * (block.number > 50)) for block in chain(in_turns(WINDOW))]
    found = observe(CLIQUE, late)
    assert found is not None
    assert found.block_seconds == 2


@pytest.mark.parametrize(("block_seconds", "patience"), [(1, 10), (15, 150)])
def test_a_head_that_does_not_grow_is_named(block_seconds: int, patience: int) -> None:
    found = observe(CLIQUE, chain(in_turns(WINDOW), seconds=block_seconds))
    assert words(sealing=found, now=NOW + timedelta(seconds=patience)) == {}
    (said,) = words(sealing=found, now=NOW + timedelta(seconds=patience + 1)).values()
    assert said.startswith(f"no new block for {patience + 1} s, where one came every {block_seconds} s")
    silent = Facts(HEALTHY, found, [], {"chain-unreachable"})
    assert list(troubles(silent, NOW + timedelta(days=1))) == [], "the node itself is what does not answer"


def test_a_lagging_index_is_named() -> None:
    assert words(how_far=replace(HEALTHY, node_head=516)) == {}
    assert "17 blocks to follow" in words(how_far=replace(HEALTHY, node_head=517))["index-behind"]


def test_withdrawn_evidence_is_named_until_it_is_proven_anew() -> None:
    rows = [
        Withdrawal(generation=0, from_size=0, size=size, block_number=size, block_hash=b"\x0a" * 32, seen_at=seen_at)
        for size, seen_at in ((7, NOW), (9, NOW + timedelta(hours=1)))
    ]
    (said,) = troubles(Facts(HEALTHY, None, rows, ()), NOW)
    assert (said.part, said.problem, said.since) == ("proofs", "evidence-withdrawn", NOW)
    assert "could be fetched, 2 of them" in said.detail
    assert f"9 leaves in block 9, 0x{'0a' * 32}" in said.detail
