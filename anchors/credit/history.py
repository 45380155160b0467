"""A subject's records with all that became of them, and the one word that the chain holds for it.

Promises the same leaves, list and word as the contract, so that no list with an entry left out, swapped or stale folds
to it, and what a record was at any time since. Whose word a list must fold to is left to the callers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anchors.chain.keccak import keccak256
from anchors.credit.changes import Change, State, check_change
from anchors.credit.measures import Catalogue
from anchors.credit.record import Record
from anchors.credit.terms import end_of
from anchors.errors import AlreadyPublished, EarlierAhead

__all__ = ["NO_RECORD", "History", "Standing", "check_publication", "fold", "word_count"]

NO_RECORD: Final = bytes(32)  # the word of a subject that never had one

_IN_FORCE: Final = frozenset((State.PUBLISHED, State.OBJECTED, State.UPHELD, State.CORRECTED))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a record is at a time."""

    state: State
    content: Record
    expired: bool  # in force but for its last day, which is over

    @property
    def applies(self) -> bool:
        """Whether it is published, shared and used."""
        return self.state in _IN_FORCE and not self.expired

    @property
    def title(self) -> str:
        """The state in one word, `expired` among them."""
        return "expired" if self.expired else self.state.title


@dataclass(frozen=True, slots=True)
class History:
    """One record, since when it is published, and every change of it in order."""

    record: Record
    published_at: int  # POSIX seconds
    changes: tuple[Change, ...] = ()

    @property
    def name(self) -> bytes:
        """The record's name for ever, 32 bytes."""
        return self.record.struct_hash()

    def leaf(self) -> bytes:
        """The record's leaf in the list of its subject, 32 bytes."""
        name = self.name
        leaf = _leaf(name, name, State.PUBLISHED, _at(name, self.published_at))
        for change in self.changes:
            history = _at(change.struct_hash(leaf), change.time)
            leaf = _leaf(name, change.content.struct_hash(), change.state, history)
        return leaf

    def standing(self, time: int) -> Standing | None:
        """What the record was at a time, POSIX seconds, changes in that second included; None before it was one."""
        if time < self.published_at:
            return None
        state, content = State.PUBLISHED, self.record
        for change in self.changes:
            if change.time > time:
                break
            state, content = change.state, change.content
        return Standing(state, content, state in _IN_FORCE and time >= end_of(content.last_day))

    def changed(self, change: Change, catalogue: Catalogue) -> "History":
        """The history with one more change, if the rules allow it; raises what `check_change` raises."""
        latest = self.changes[-1] if self.changes else None
        state, content = (latest.state, latest.content) if latest else (State.PUBLISHED, self.record)
        check_change(state, content, change, catalogue)
        return History(self.record, self.published_at, (*self.changes, change))


def fold(histories: Sequence[History]) -> bytes:
    """The word, 32 bytes, that the chain holds for a subject with these records, in the order of publication."""
    if not histories:
        return NO_RECORD
    count = sum(1 + len(history.changes) for history in histories)
    return count.to_bytes(4, "big") + keccak256(b"".join(history.leaf() for history in histories))[4:]


def word_count(word: bytes) -> int:
    """How many publications and changes a subject's word commits to."""
    return int.from_bytes(word[:4], "big")


def check_publication(record: Record, histories: Sequence[History]) -> None:
    """See that a record may be the next of its subject.

    Args:
        record: what would be published.
        histories: what the subject has, in the order of publication.

    Raises:
        EarlierAhead: it counts more earlier records than there are.
        AlreadyPublished: it is one of those since it was drawn up.
    """
    if record.earlier > len(histories):
        raise EarlierAhead(record.earlier, len(histories))
    name = record.struct_hash()
    if any(history.name == name for history in histories[record.earlier :]):
        raise AlreadyPublished(name)


def _leaf(name: bytes, content: bytes, state: State, history: bytes) -> bytes:
    return keccak256(name + content + state.to_bytes(32, "big") + history)


def _at(act: bytes, time: int) -> bytes:
    return keccak256(act + time.to_bytes(32, "big"))
