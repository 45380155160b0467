"""A tender's life: its states, which act follows which, and when.

Promises the rules of docs/TENDERS.md and of the register as pure functions of what happened so far, an act and
its time: each act gives the tender as it is after it, or is refused by name. Who must have signed is left to the
register.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from anchors.errors import (
    ActIncomplete,
    AlreadyClosed,
    AlreadyEvaluated,
    AlreadyObjected,
    AlreadyOpened,
    AnswerDaysOutside,
    AwardSuspended,
    BadTender,
    BasisDiffers,
    CandidatesPublished,
    DeadlineBroughtForward,
    DeadlineOver,
    HostMissing,
    NoCandidates,
    NotClosed,
    NotEvaluated,
    NothingToRule,
    NotOpened,
    NotToReplace,
    ObjectedTooLate,
    OpenedEarly,
    OpeningBeforeDeadline,
    PublishedTooShortly,
    RoundDiffers,
    StillOpen,
    StillPublished,
    TenderEnded,
    VersionDiffers,
)
from anchors.tenders.acts import (
    Amendment,
    Award,
    Candidates,
    Evaluation,
    Failure,
    Notice,
    Objection,
    Opening,
    Ruling,
)
from anchors.tenders.evaluators import Evaluators

__all__ = ["ANSWER_DAYS", "LEAST_BIDS", "State", "Tender", "announce", "least_until"]

LEAST_BIDS: Final = 3
ANSWER_DAYS: Final = range(3, 31)

_DAY: Final = 86_400
_CHINESE_TIME: Final = 8 * 3_600
_DAYS_PUBLISHED: Final = 3


class State(IntEnum):
    """Where a tender stands. The last three are its ends."""

    PUBLISHED = 1
    CLOSED = 2
    OPENED = 3
    EVALUATED = 4
    CANDIDATES = 5
    AWARDED = 6
    FAILED = 7
    RETENDERED = 8

    @property
    def title(self) -> str:
        """The state as files and the API write it."""
        return self.name.lower()


_TOO_EARLY: Final[Mapping[State, type[BadTender]]] = {
    State.CLOSED: NotClosed,
    State.OPENED: NotOpened,
    State.EVALUATED: NotEvaluated,
    State.CANDIDATES: NoCandidates,
}
_TOO_LATE: Final[Mapping[State, type[BadTender]]] = {
    State.PUBLISHED: AlreadyClosed,
    State.CLOSED: AlreadyOpened,
    State.OPENED: AlreadyEvaluated,
    State.EVALUATED: CandidatesPublished,
}


@dataclass(frozen=True, slots=True)
class Tender:
    """A tender as it stands after some act."""

    name: bytes
    host: int
    members: int
    answer_days: int
    deadline: int  # POSIX seconds, as is the next
    opening: int
    state: State = State.PUBLISHED
    version: int = 1
    round: int = 0  # of the last evaluation
    manifest: bytes = bytes(32)  # hash of the opening
    evaluation: bytes = bytes(32)  # hash of the last one
    panel: bytes = bytes(32)  # sealed, of the last evaluation
    candidates: bytes = bytes(32)  # hash of the last ones
    until: int = 0  # they are published until then
    objections: Mapping[bytes, tuple[bytes, bool]] = field(default_factory=dict)  # grounds: candidates, waits

    @property
    def waiting(self) -> int:
        """How many objections wait for a ruling."""
        return sum(waits for _, waits in self.objections.values())

    def amended(self, act: Amendment, time: int) -> "Tender":
        """After an amendment.

        Raises:
            DeadlineOver, DeadlineBroughtForward, OpeningBeforeDeadline: it is too late, or moves what may not be moved.
            VersionDiffers, ActIncomplete, TenderEnded
        """
        self._check_going()
        if time >= self.deadline:
            raise DeadlineOver(self.deadline)
        if act.version != self.version + 1:
            raise VersionDiffers(act.version, self.version + 1)
        _check_named(digest=act.digest, reason=act.reason)
        if act.deadline < self.deadline:
            raise DeadlineBroughtForward(self.deadline, act.deadline)
        _check_times(act.deadline, act.opening, time)
        return replace(self, version=act.version, deadline=act.deadline, opening=act.opening)

    def closed(self, time: int) -> "Tender":
        """After bids are closed; raises StillOpen, AlreadyClosed, TenderEnded."""
        self._check_next(State.PUBLISHED)
        if time < self.deadline:
            raise StillOpen(self.deadline)
        return replace(self, state=State.CLOSED)

    def opened(self, act: Opening, time: int) -> "Tender":
        """After the opening; with fewer than three bids the tender has failed.

        Args:
            act: what `open_list` made of the list of bids.
            time: of the opening.

        Raises:
            OpenedEarly, NotClosed, AlreadyOpened: it is not its time, or no longer.
            ActIncomplete, TenderEnded
        """
        self._check_going()
        if time < self.opening:
            raise OpenedEarly(self.opening)
        self._check_next(State.CLOSED)
        _check_named(record=act.record)
        state = State.OPENED if act.count >= LEAST_BIDS else State.FAILED
        return replace(self, state=state, manifest=act.struct_hash())

    def evaluated(self, act: Evaluation) -> "Tender":
        """After an evaluation.

        Raises:
            NotOpened, AlreadyEvaluated, TenderEnded: it is out of its turn.
            BasisDiffers, RoundDiffers, HostMissing, ActIncomplete
        """
        self._check_next(State.OPENED)
        if act.manifest != self.manifest:
            raise BasisDiffers("opening")
        if act.round != self.round + 1:
            raise RoundDiffers(act.round, self.round + 1)
        _check_named(report=act.report, panel=act.panel, result=act.result)
        _check_host(self.host, act.sites)
        evaluation = act.struct_hash()
        return replace(self, state=State.EVALUATED, round=act.round, evaluation=evaluation, panel=act.panel)

    def with_candidates(self, act: Candidates, time: int) -> "Tender":
        """After the candidates are published.

        Raises:
            NotEvaluated, CandidatesPublished, TenderEnded: it is out of its turn.
            BasisDiffers, ActIncomplete, PublishedTooShortly
        """
        self._check_next(State.EVALUATED)
        if act.evaluation != self.evaluation:
            raise BasisDiffers("evaluation")
        _check_named(list=act.list)
        if act.until < least_until(time):
            raise PublishedTooShortly(act.until, least_until(time))
        return replace(self, state=State.CANDIDATES, candidates=act.struct_hash(), until=act.until)

    def objected(self, act: Objection, time: int) -> "Tender":
        """After an objection.

        Raises:
            NoCandidates, TenderEnded: it is out of its turn.
            BasisDiffers, ObjectedTooLate, ActIncomplete, AlreadyObjected
        """
        self._check_next(State.CANDIDATES)
        self._check_candidates(act.candidates)
        if time >= self.until:
            raise ObjectedTooLate(self.until)
        _check_named(grounds=act.grounds)
        if act.grounds in self.objections:
            raise AlreadyObjected
        return replace(self, objections={**self.objections, act.grounds: (act.candidates, True)})

    def ruled(self, act: Ruling) -> "Tender":
        """After a ruling; raises NothingToRule, ActIncomplete, TenderEnded."""
        self._check_going()
        candidates, waits = self.objections.get(act.grounds, (b"", False))
        if not waits:
            raise NothingToRule
        _check_named(ruling=act.ruling)
        again = act.upheld and self.state is State.CANDIDATES and candidates == self.candidates
        objections = {**self.objections, act.grounds: (candidates, False)}
        return replace(self, state=State.OPENED if again else self.state, objections=objections)

    def awarded(self, act: Award, panel: Evaluators, time: int) -> "Tender":
        """After the award, which unseals the panel.

        Raises:
            NoCandidates, TenderEnded: it is out of its turn.
            AwardSuspended, StillPublished: an objection waits, or the candidates' time is not over.
            BasisDiffers, ActIncomplete
            PanelUnsealedOtherwise, ExpertsOutOfOrder, ExpertNotDrawn: as `Evaluators.check` does.
        """
        self._check_next(State.CANDIDATES)
        self._check_candidates(act.candidates)
        if self.waiting:
            raise AwardSuspended(self.waiting)
        if time < self.until:
            raise StillPublished(self.until)
        _check_named(award=act.award)
        panel.check(self.panel)
        return replace(self, state=State.AWARDED)

    def failed(self, act: Failure) -> "Tender":
        """After it is given up; raises ActIncomplete, TenderEnded."""
        self._check_going()
        _check_named(reason=act.reason)
        return replace(self, state=State.FAILED)

    def replaced(self, host: int) -> "Tender":
        """After another tender is announced in its place; raises NotToReplace."""
        if self.state is not State.FAILED or self.host != host:
            raise NotToReplace(self.state.title)
        return replace(self, state=State.RETENDERED)

    def _check_going(self) -> None:
        if self.state >= State.AWARDED:
            raise TenderEnded(self.state.title)

    def _check_next(self, needed: State) -> None:
        """Each step out of its turn has an error of its own: before the one that it follows, and after it is taken."""
        self._check_going()
        if self.state < needed:
            raise _TOO_EARLY[needed]
        if self.state > needed:
            raise _TOO_LATE[needed]

    def _check_candidates(self, given: bytes) -> None:
        if given != self.candidates:
            raise BasisDiffers("list of candidates")


def announce(act: Notice, time: int) -> Tender:
    """A tender after its notice; `Tender.replaced` is for the one in whose place it is.

    Raises:
        ActIncomplete, HostMissing, AnswerDaysOutside: it does not say what it must.
        DeadlineOver, OpeningBeforeDeadline: its times cannot be.
    """
    _check_named(digest=act.digest)
    _check_host(act.host, act.members)
    _check_times(act.deadline, act.opening, time)
    if act.answer_days not in ANSWER_DAYS:
        raise AnswerDaysOutside(act.answer_days, ANSWER_DAYS.start, ANSWER_DAYS.stop - 1)
    return Tender(act.struct_hash(), act.host, act.members, act.answer_days, act.deadline, act.opening)


def least_until(time: int) -> int:
    """Until when candidates published at a time must be, at least: the end of the third day after, in China."""
    return ((time + _CHINESE_TIME) // _DAY + _DAYS_PUBLISHED + 1) * _DAY - _CHINESE_TIME


def _check_named(**parts: bytes) -> None:
    for name, part in parts.items():
        if not any(part):
            raise ActIncomplete(name)


def _check_host(host: int, members: int) -> None:
    if not members >> host & 1:
        raise HostMissing(host)


def _check_times(deadline: int, opening: int, time: int) -> None:
    if deadline <= time:
        raise DeadlineOver(deadline)
    if opening < deadline:
        raise OpeningBeforeDeadline(opening, deadline)
