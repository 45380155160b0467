"""What may become of a record: the states, which follows which, and when.

Promises the rules of docs/CREDIT.md and of the contract as a pure function of the record, its state and the time. Who
must have signed a change is left to the contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from anchors.chain.signatures import struct_hash
from anchors.credit.kinds import Kind
from anchors.credit.measures import Catalogue
from anchors.credit.record import Record, check_content
from anchors.credit.terms import end_of, last_day
from anchors.errors import (
    CorrectionTooFar,
    GroundsMissing,
    IllegalChange,
    NotRepairable,
    PledgeMisplaced,
    RepairTooSoon,
    TooLate,
)

__all__ = ["CHANGE_TYPE", "FOLLOWING", "NO_PLEDGE", "Change", "State", "check_change"]

CHANGE_TYPE: Final = "CreditChange(bytes32 leaf,uint8 state,bytes32 grounds,bytes32 pledge,bytes32 content)"
NO_PLEDGE: Final = bytes(32)


class State(IntEnum):
    """What a record is; that it has expired is computed, and no state."""

    PUBLISHED = 1
    OBJECTED = 2
    UPHELD = 3
    CORRECTED = 4
    WITHDRAWN = 5
    REPAIRED = 6

    @property
    def title(self) -> str:
        """The state as files and the API write it."""
        return self.name.lower()


FOLLOWING: Final[Mapping[State, frozenset[State]]] = {
    State.PUBLISHED: frozenset((State.OBJECTED, State.WITHDRAWN, State.REPAIRED)),
    State.OBJECTED: frozenset((State.UPHELD, State.CORRECTED, State.WITHDRAWN)),
    State.UPHELD: frozenset((State.WITHDRAWN, State.REPAIRED)),
    State.CORRECTED: frozenset((State.OBJECTED, State.WITHDRAWN, State.REPAIRED)),
    State.WITHDRAWN: frozenset(),
    State.REPAIRED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a record, in the block of a time."""

    record: bytes  # its name
    state: State  # after it
    grounds: bytes  # SHA-256 of the objection, the ruling, the withdrawal, or the evidence of what was put right
    pledge: bytes  # SHA-256 of the commitment letter of a repair, NO_PLEDGE for any other change
    content: Record  # what the record says after it
    time: int  # POSIX seconds

    def struct_hash(self, leaf: bytes) -> bytes:
        """The EIP-712 hash, 32 bytes.

        Args:
            leaf: the record's last leaf.
        """
        words = (leaf, self.state, self.grounds, self.pledge, self.content.struct_hash())
        return struct_hash(CHANGE_TYPE, words)


def check_change(state: State, content: Record, change: Change, catalogue: Catalogue) -> None:
    """Hold a change against the rules before it is signed.

    Args:
        state: the record's state before it.
        content: what the record says before it.
        change: the change, at the time that it would take effect.
        catalogue: the measures in force.

    Raises:
        IllegalChange: no such state follows.
        GroundsMissing, PledgeMisplaced: its papers are not there, or a commitment letter is where none belongs.
        TooLate: an objection or a repair after the last day.
        NotRepairable, RepairTooSoon: a repair of an honour, or before the least period is over.
        CorrectionTooFar: the new content is not a correction of the one before, or anything else alters it.
        BadRecord: the new content is not one that a record could have.
    """
    if change.state not in FOLLOWING[state]:
        raise IllegalChange(state.title, change.state.title)
    if not any(change.grounds):
        raise GroundsMissing(change.state.title)
    if any(change.pledge) != (change.state is State.REPAIRED):
        raise PledgeMisplaced(change.state.title)
    if change.state is State.OBJECTED:
        _check_current(content, change)
    elif change.state is State.REPAIRED:
        _check_repair(content, change)
    if change.state is State.CORRECTED:
        _check_correction(content, change, catalogue)
    elif change.content != content:
        raise CorrectionTooFar(f"{change.state.title} does not alter what a record says")


def _check_current(content: Record, change: Change) -> None:
    if change.time >= end_of(content.last_day):
        raise TooLate(change.state.title, content.last_day)


def _check_repair(content: Record, change: Change) -> None:
    if content.kind is Kind.HONOUR:
        raise NotRepairable
    _check_current(content, change)
    least = last_day(content.decided_on, content.kind.term.least)
    if change.time < end_of(least):
        raise RepairTooSoon(least)


def _check_correction(before: Record, change: Change, catalogue: Catalogue) -> None:
    after = change.content
    check_content(after, catalogue, change.time)
    if (after.subject, after.member, after.earlier) != (before.subject, before.member, before.earlier):
        raise CorrectionTooFar("it is of another company, member or place")
    if after.kind is not before.kind and (before.kind, after.kind) != (Kind.SERIOUS, Kind.GENERAL):
        raise CorrectionTooFar(f"{before.kind.title} does not become {after.kind.title}")
    if after.last_day > before.last_day:
        raise CorrectionTooFar(f"it would be published until {after.last_day}, longer than {before.last_day}")
    added = set(after.measures) - set(before.measures)
    if added:
        raise CorrectionTooFar(f"measure {min(added)} was not imposed before")
