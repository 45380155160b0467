"""How the validators do: who of them seals, how many may still fail, and how often a block comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from anchors.seals import needed_seals
from ledger_service.chain.finality import SealedBlock

WINDOW: Final = 100  # blocks that are looked at
TURNS: Final = 8  # whoever has sealed nothing while each validator had so many turns is called silent


@dataclass(frozen=True, slots=True)
class Sealing:
    """How the validators of the newest blocks did."""

    validators: int  # in force
    needed: int  # so many of them keep the chain going
    blocks: int  # that were looked at
    seen: int  # validators that sealed any of these
    silent: tuple[bytes, ...]  # addresses of those who sealed none of the last `silence` blocks
    silence: int  # blocks
    silent_since: int  # when any of them last sealed, as far as was looked, POSIX seconds
    round_changes: int | None  # BFT: blocks whose first proposer failed
    block_seconds: float | None  # the usual time between two blocks

    @property
    def may_fail(self) -> int:
        """How many of those that still seal may fail before the chain stands still."""
        return max(0, self.validators - len(self.silent) - self.needed)


def observe(consensus: str, newest: Sequence[SealedBlock]) -> Sealing | None:
    """Look at the newest blocks.

    Args:
        consensus: as the network file names it.
        newest: the newest followed blocks, newest first, WINDOW of them where there are so many.

    Returns:
        What they tell; None where nobody seals, or nothing was followed.
    """
    if not newest or not newest[0].validators:
        return None
    in_force = newest[0].validators
    silence = min(WINDOW, TURNS * len(in_force))
    # Right after the start nobody has had enough turns to be called silent.
    lately = newest[:silence] if len(newest) >= silence else []
    silent = tuple(one for one in in_force if lately and one not in _sealers(lately))
    rounds = [block.round for block in newest if block.round is not None]
    times = [block.timestamp for block in newest]
    return Sealing(
        validators=len(in_force),
        needed=needed_seals(consensus, len(in_force)),
        blocks=len(newest),
        seen=len(set(in_force) & _sealers(newest)),
        silent=silent,
        silence=silence,
        silent_since=next((one.timestamp for one in newest if set(silent) & set(one.sealers)), times[-1]),
        round_changes=sum(one > 0 for one in rounds) if rounds else None,
        block_seconds=median(new - old for new, old in pairwise(times)) if times[1:] else None,
    )


def _sealers(blocks: Sequence[SealedBlock]) -> set[bytes]:
    return {sealer for block in blocks for sealer in block.sealers}
