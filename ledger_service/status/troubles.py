"""What is wrong by what the tables say, in words: a lagging index, silent validators, no blocks, withdrawn evidence.

Unlike what a part of the service reports of its own steps, nothing of this is kept: it holds as long as the facts do.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger_service.anchoring.tables import Withdrawal
from ledger_service.conditions import Condition
from ledger_service.errors import ChainUnreachable
from ledger_service.index.queries import Progress
from ledger_service.status.sealing import Sealing

BEHIND_BLOCKS: Final = 16  # how far the index may be behind its node before the status says so
LATE_BLOCKS: Final = 10  # blocks that are missed by then
LATE_AT_LEAST: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables say."""

    how_far: Progress
    sealing: Sealing | None  # None where nobody seals
    outstanding: Sequence[Withdrawal]
    reported: Collection[str]  # problems that the parts report themselves


def troubles(facts: Facts, now: datetime) -> Iterator[Condition]:
    """What is wrong.

    Args:
        facts: what the tables say.
        now: aware, UTC.
    """
    yield from _index_behind(facts.how_far)
    if facts.sealing is not None:
        yield from _silent_validators(facts.sealing)
        if ChainUnreachable.problem not in facts.reported:
            yield from _no_new_blocks(facts.how_far, facts.sealing, now)
    yield from _withdrawn_evidence(facts.outstanding)


def _index_behind(how_far: Progress) -> Iterator[Condition]:
    if how_far.lag is not None and how_far.lag > BEHIND_BLOCKS:
        detail = f"the index has {how_far.lag} blocks to follow; it goes on by itself"
        yield Condition(part="index", problem="index-behind", detail=detail, since=_time(how_far.block_time or 0))


def _silent_validators(sealing: Sealing) -> Iterator[Condition]:
    if sealing.silent:
        left, names = sealing.validators - len(sealing.silent), ", ".join(f"0x{one.hex()}" for one in sealing.silent)
        detail = (
            f"only {left} of {sealing.validators} validators sealed in the last {sealing.silence} blocks, {names} did "
            f"not; {sealing.needed} are needed, so {sealing.may_fail or 'none'} more may fail. Start them, or ask "
            "who runs them"
        )
        yield Condition(part="chain", problem="validators-silent", detail=detail, since=_time(sealing.silent_since))


def _no_new_blocks(how_far: Progress, sealing: Sealing, now: datetime) -> Iterator[Condition]:
    since, usual = how_far.node_head_since, sealing.block_seconds
    if since is None or usual is None or now - since <= max(LATE_AT_LEAST, timedelta(seconds=LATE_BLOCKS * usual)):
        return
    detail = (
        f"no new block for {(now - since).total_seconds():.0f} s, where one came every {usual:g} s; the node's head is "
        f"block {how_far.node_head}. Too few validators seal ({sealing.needed} of {sealing.validators} are needed), "
        "the node is cut off from them, or the service's index does not run"
    )
    yield Condition(part="chain", problem="no-new-blocks", detail=detail, since=since)


def _withdrawn_evidence(outstanding: Sequence[Withdrawal]) -> Iterator[Condition]:
    if outstanding:
        newest = outstanding[-1]
        detail = (
            f"the chain has reversed blocks of anchors whose evidence could be fetched, {len(outstanding)} of them, "
            f"the last that of {newest.size} leaves in block {newest.block_number}, 0x{newest.block_hash.hex()}. The "
            "leaves are anchored anew without help; then their evidence must be fetched again, see /v1/withdrawals"
        )
        since = outstanding[0].seen_at.replace(tzinfo=UTC)
        yield Condition(part="proofs", problem="evidence-withdrawn", detail=detail, since=since)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
