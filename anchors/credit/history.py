"""A subject's records with all that became of them, and the one word that the chain holds for it.

Promises the same leaves, links and word as the contract, so that no telling with an event left out, swapped or put
elsewhere folds to it, and what a record was at any time since. Whose word it must fold to is left to the callers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from anchors.chain.keccak import keccak256
from anchors.credit.changes import Change, State, check_change
from anchors.credit.measures import Catalogue
from anchors.credit.record import Record
from anchors.credit.terms import end_of
from anchors.errors import AlreadyPublished, EarlierAhead, UnpublishedRecord

__all__ = [
    "NO_RECORD",
    "Event",
    "History",
    "Link",
    "Publication",
    "Standing",
    "check_publication",
    "fold",
    "histories",
    "links",
    "word_count",
]

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
class Link:
    """What one publication or change adds to the chain of its subject."""

    record: bytes  # its name, 32 bytes
    content: bytes  # struct hash of what it says now, 32 bytes
    state: State
    step: bytes  # what was signed: the record, or the change, by its struct hash
    time: int  # of the block, POSIX seconds

    def leaf(self) -> bytes:
        """How the record stands from then on, 32 bytes."""
        return keccak256(self.content + self.state.to_bytes(32, "big") + self.step + self.time.to_bytes(32, "big"))


@dataclass(frozen=True, slots=True)
class Publication:
    """A record's publication, in the block of a time."""

    record: Record
    time: int  # POSIX seconds


Event: TypeAlias = Publication | Change


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
        """The record's last leaf, 32 bytes, which the next change must name."""
        *_, last = links((Publication(self.record, self.published_at), *self.changes))
        return last.leaf()

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
        """The history with one more change, if the rules allow it.

        Raises:
            UnpublishedRecord: the change is of another record.
            BadChange, BadRecord: what `check_change` raises.
        """
        if change.record != self.name:
            raise UnpublishedRecord(change.record)
        latest = self.changes[-1] if self.changes else None
        state, content = (latest.state, latest.content) if latest else (State.PUBLISHED, self.record)
        check_change(state, content, change, catalogue)
        return replace(self, changes=(*self.changes, change))


def links(events: Iterable[Event]) -> Iterator[Link]:
    """The links of a subject's chain, one for each event in the chain's order.

    Raises:
        UnpublishedRecord: a change is of a record that no event before it published.
    """
    leaves: dict[bytes, bytes] = {}
    for event in events:
        link = _link(event, leaves)
        leaves[link.record] = link.leaf()
        yield link


def fold(events: Iterable[Event]) -> bytes:
    """The word, 32 bytes, that the chain holds for a subject to whose records this happened, in this order.

    Raises:
        UnpublishedRecord: as `links`.
    """
    word = NO_RECORD
    for link in links(events):
        word = (word_count(word) + 1).to_bytes(4, "big") + keccak256(word + link.record + link.leaf())[4:]
    return word


def histories(events: Iterable[Event]) -> tuple[History, ...]:
    """A subject's records in the order of publication, each with what became of it.

    Raises:
        UnpublishedRecord: as `links`.
    """
    made: dict[bytes, History] = {}
    for event in events:
        if isinstance(event, Publication):
            made[event.record.struct_hash()] = History(event.record, event.time)
        elif event.record in made:
            before = made[event.record]
            made[event.record] = replace(before, changes=(*before.changes, event))
        else:
            raise UnpublishedRecord(event.record)
    return tuple(made.values())


def word_count(word: bytes) -> int:
    """How many publications and changes a subject's word commits to."""
    return int.from_bytes(word[:4], "big")


def check_publication(record: Record, events: Sequence[Event]) -> None:
    """See that a record may be the next of its subject.

    Args:
        record: what would be published.
        events: what happened to the subject's records, in the chain's order.

    Raises:
        EarlierAhead: it was drawn up after more than has happened.
        AlreadyPublished: it was published since it was drawn up.
    """
    if record.earlier > len(events):
        raise EarlierAhead(record.earlier, len(events))
    if any(isinstance(event, Publication) and event.record == record for event in events[record.earlier :]):
        raise AlreadyPublished(record.struct_hash())


def _link(event: Event, leaves: Mapping[bytes, bytes]) -> Link:
    if isinstance(event, Publication):
        name = event.record.struct_hash()
        return Link(name, name, State.PUBLISHED, name, event.time)
    if event.record not in leaves:
        raise UnpublishedRecord(event.record)
    step = event.struct_hash(leaves[event.record])
    return Link(event.record, event.content.struct_hash(), event.state, step, event.time)
