"""A tender's life as its events tell it, put together so that none between the first and the last can be missing.

Promises that each act follows from those before it, by the names that acts have: an event that cannot follow shows that
one was left out, and refutes. What an act must keep to (times, counts, order of the list) is not looked at here: the
rules do that, and find it kept or broken. What stands at the end of a story without a successor only the register's
state can tell, see `anchors.tenders.audit.state`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from anchors.chain.keccak import keccak256
from anchors.errors import ActMissing, ActNamedOtherwise, EventOfAnotherTender, NeedlessParts
from anchors.tenders.acts import Candidates, Evaluation, Opening
from anchors.tenders.audit.events import (
    Answered,
    Awarded,
    CandidatesNamed,
    Claimed,
    Closed,
    Evaluated,
    Event,
    Failed,
    LogAnchored,
    NoticeAmended,
    Objected,
    Opened,
    Published,
    Ruled,
    Told,
)
from anchors.tenders.bids import ENTRY_BYTES
from anchors.tenders.life import State

__all__ = ["Dated", "Objection", "Round", "Story", "tell"]

_REFUSAL_BYTES: Final = 64  # of a refused bid: commitment, digest of the reason


@dataclass(frozen=True, slots=True)
class Dated:
    """An event and the block that it is in."""

    event: Told
    block: int
    time: int  # of the block, POSIX seconds


@dataclass(slots=True)
class Objection:
    """An objection with what became of it."""

    made: Objected
    time: int
    ruled: Ruled | None = None


@dataclass(slots=True)
class Round:
    """An evaluation and what followed from it."""

    evaluated: Evaluated
    named: CandidatesNamed | None = None
    named_at: int = 0


@dataclass(slots=True)
class Story:
    """All that is told of a tender, in its order."""

    published: Published
    published_at: int
    deadline: int  # as it is after the last amendment that is told, as the next
    opening: int
    amendments: list[tuple[NoticeAmended, int]] = field(default_factory=list)
    closed: Closed | None = None
    closed_at: int = 0
    closed_in: int = 0  # the block
    opened: Opened | None = None
    opened_at: int = 0
    rounds: list[Round] = field(default_factory=list)
    objections: dict[bytes, Objection] = field(default_factory=dict)  # by grounds
    awarded: Awarded | None = None
    awarded_at: int = 0
    failed: Failed | None = None
    claims: dict[bytes, Claimed] = field(default_factory=dict)  # by commitment
    answers: dict[bytes, Answered] = field(default_factory=dict)
    elsewhere: set[bytes] = field(default_factory=set)  # commitments that were opened or refused in other tenders
    others: dict[bytes, int] = field(default_factory=dict)  # these tenders, with the times of their openings
    anchors: list[tuple[LogAnchored, int]] = field(default_factory=list)  # of the host's log, with their times
    state: State = State.PUBLISHED
    last_block: int = 0

    @property
    def name(self) -> bytes:
        """The tender's name, 32 bytes."""
        return self.published.tender

    @property
    def waiting(self) -> list[Objection]:
        """The objections that wait for a ruling."""
        return [each for each in self.objections.values() if each.ruled is None]


def tell(tender: bytes, events: Sequence[Dated]) -> Story:
    """Put a story together.

    Args:
        tender: its name.
        events: proven, in the chain's order.

    Raises:
        ActMissing: an event cannot follow those before it.
        ActNamedOtherwise: the hash that it names is not made of its fields.
        EventOfAnotherTender: it is about another one.
    """
    told = [each for each in events if isinstance(each.event, Event) and each.event.tender == tender]
    if not told or not isinstance(told[0].event, Published):
        raise ActMissing("what is told", "it does not begin with the tender's notice")
    story = _begin(told[0].event, told[0].time)
    for each in told[1:]:
        _follow(story, each)
    story.last_block = told[-1].block
    for each in events:
        if isinstance(each.event, LogAnchored):
            _add_anchor(story, each.event, each.time)
    for each in events:
        if isinstance(each.event, Event) and each.event.tender != tender:
            _add_other(story, each.event, each.time)
    return story


def _begin(event: Published, time: int) -> Story:
    if event.notice.struct_hash() != event.tender:
        raise ActNamedOtherwise("the notice")
    return Story(event, time, event.notice.deadline, event.notice.opening)


def _follow(story: Story, each: Dated) -> None:
    """Take one event further; one that cannot follow what is told so far shows that something is left out."""
    if isinstance(each.event, Claimed | Answered):
        _claim(story, each.event)
        return
    _need(story.state < State.AWARDED, "an act", f"{_stands(story)}, and nothing follows")
    match each.event:
        case NoticeAmended() as event:
            _amend(story, event, each.time)
        case Closed() as event:
            _need(story.state is State.PUBLISHED, "the closing", _stands(story))
            story.closed, story.closed_at, story.closed_in, story.state = event, each.time, each.block, State.CLOSED
        case Opened() as event:
            _open(story, event, each.time)
        case Evaluated() as event:
            _evaluate(story, event)
        case CandidatesNamed() as event:
            _name(story, event, each.time)
        case Objected() as event:
            _object(story, event, each.time)
        case Ruled() as event:
            _rule(story, event)
        case Awarded() as event:
            _need(story.state is State.CANDIDATES, "the award", _stands(story))
            story.awarded, story.awarded_at, story.state = event, each.time, State.AWARDED
        case Failed() as event:
            story.failed, story.state = event, State.FAILED
        case _:
            raise ActMissing("a notice", "the tender is published already")


def _claim(story: Story, event: Claimed | Answered) -> None:
    _need(story.opened is not None, "a claim", _stands(story))
    if isinstance(event, Claimed):
        _need(event.commitment not in story.claims, "a claim", "the same bid is claimed already")
        story.claims[event.commitment] = event
        return
    _need(event.commitment in story.claims, "an answer", "nothing is claimed of that bid")
    _need(event.commitment not in story.answers, "an answer", "the claim is answered already")
    story.answers[event.commitment] = event


def _need(holds: bool, event: str, why: str) -> None:
    if not holds:
        raise ActMissing(event, why)


def _stands(story: Story) -> str:
    return f"the tender is {story.state.title}"


def _amend(story: Story, event: NoticeAmended, time: int) -> None:
    following = len(story.amendments) + 2
    _need(event.version == following, f"amendment {event.version}", f"version {following} follows")
    story.amendments.append((event, time))
    story.deadline, story.opening = event.deadline, event.opening


def _open(story: Story, event: Opened, time: int) -> None:
    _need(story.state is State.CLOSED, "the opening", _stands(story))
    act = Opening(story.name, event.root, event.count, keccak256(event.refusals), event.record)
    if act.struct_hash() != event.manifest:
        raise ActNamedOtherwise("the opening")
    story.opened, story.opened_at, story.state = event, time, State.OPENED


def _evaluate(story: Story, event: Evaluated) -> None:
    following = len(story.rounds) + 1
    if story.opened is None or story.state is not State.OPENED or event.round != following:
        raise ActMissing(f"evaluation {event.round}", f"{_stands(story)}, and evaluation {following} follows")
    manifest = story.opened.manifest
    act = Evaluation(story.name, event.round, manifest, event.report, event.sites, event.panel, event.result)
    if act.struct_hash() != event.evaluation:
        raise ActNamedOtherwise(f"evaluation {event.round}")
    story.rounds.append(Round(event))
    story.state = State.EVALUATED


def _name(story: Story, event: CandidatesNamed, time: int) -> None:
    _need(story.state is State.EVALUATED, "a list of candidates", _stands(story))
    last = story.rounds[-1]
    act = Candidates(story.name, last.evaluated.evaluation, event.list, event.until)
    if act.struct_hash() != event.candidates:
        raise ActNamedOtherwise("a list of candidates")
    last.named, last.named_at = event, time
    story.state = State.CANDIDATES


def _object(story: Story, event: Objected, time: int) -> None:
    named = story.rounds[-1].named if story.rounds else None
    follows = story.state is State.CANDIDATES and named is not None and event.candidates == named.candidates
    _need(follows, "an objection", f"{_stands(story)}, or other candidates are the last")
    _need(event.grounds not in story.objections, "an objection", "it is made already")
    story.objections[event.grounds] = Objection(event, time)


def _rule(story: Story, event: Ruled) -> None:
    objection = story.objections.get(event.grounds)
    if objection is None or objection.ruled is not None:
        raise ActMissing("a ruling", "no such objection waits")
    objection.ruled = event
    named = story.rounds[-1].named
    current = named is not None and objection.made.candidates == named.candidates
    if event.upheld and story.state is State.CANDIDATES and current:
        story.state = State.OPENED


def _add_anchor(story: Story, event: LogAnchored, time: int) -> None:
    host = story.published.notice.host
    generation = story.closed.generation if story.closed else event.generation
    if (event.member, event.generation) != (host, generation):
        raise NeedlessParts(
            f"an anchor of member {event.member}, generation {event.generation}, of whose log no bid is"
        )
    story.anchors.append((event, time))


def _add_other(story: Story, event: Event, time: int) -> None:
    if not isinstance(event, Opened):
        raise EventOfAnotherTender(event.tender)
    story.others[event.tender] = time
    story.elsewhere.update(_commitments(event.entries, ENTRY_BYTES), _commitments(event.refusals, _REFUSAL_BYTES))


def _commitments(entries: bytes, width: int) -> list[bytes]:
    return [entries[at : at + 32] for at in range(0, len(entries), width)]
