"""A tender's life: which act follows which and when, each refusal by its name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

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
    ExpertNotDrawn,
    ExpertsOutOfOrder,
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
    PanelUnsealedOtherwise,
    PublishedTooShortly,
    RoundDiffers,
    StillOpen,
    StillPublished,
    TenderEnded,
    VersionDiffers,
)
from anchors.tenders import (
    NO_TENDER,
    Amendment,
    Award,
    Candidates,
    Evaluation,
    Evaluators,
    Failure,
    Notice,
    Objection,
    Opening,
    Ruling,
    State,
    Tender,
    announce,
    least_until,
    members_mask,
)

DAY = 86_400
START = 1_800_000_000
DEADLINE = START + 20 * DAY
OPENING = DEADLINE + 60
PAPER, OTHER, NONE = b"\x70" * 32, b"\x71" * 32, bytes(32)
NOTICE = Notice(1, members_mask(1, 2), PAPER, NO_TENDER, DEADLINE, OPENING, 5)
EXPERTS = tuple(bytes([n]) * 32 for n in range(1, 8))
PANEL = Evaluators(PAPER, EXPERTS, EXPERTS[:5])


def opening(tender: Tender, count: int = 5) -> Opening:
    return Opening(tender.name, PAPER, count, PAPER, PAPER)


def evaluation(tender: Tender, sitting: Evaluators = PANEL, **changes: Any) -> Evaluation:
    plain = Evaluation(
        tender.name, tender.round + 1, tender.manifest, PAPER, members_mask(1, 3), sitting.sealed(), PAPER
    )
    return replace(plain, **changes)


def candidates(tender: Tender, **changes: Any) -> Candidates:
    return replace(Candidates(tender.name, tender.evaluation, PAPER, least_until(OPENING)), **changes)


def objection(tender: Tender, **changes: Any) -> Objection:
    return replace(Objection(tender.name, tender.candidates, OTHER), **changes)


def award(tender: Tender, **changes: Any) -> Award:
    return replace(Award(tender.name, tender.candidates, PAPER), **changes)


def become(state: State, panel: Evaluators = PANEL) -> Tender:
    """A tender in this state."""
    tender = announce(NOTICE, START)
    ways: dict[State, Callable[[Tender], Tender]] = {
        State.CLOSED: lambda t: t.closed(DEADLINE),
        State.OPENED: lambda t: t.opened(opening(t), OPENING),
        State.EVALUATED: lambda t: t.evaluated(evaluation(t, panel)),
        State.CANDIDATES: lambda t: t.with_candidates(candidates(t), OPENING),
        State.AWARDED: lambda t: t.awarded(award(t), panel, t.until),
    }
    if state is State.FAILED:
        return tender.failed(Failure(tender.name, PAPER))
    for each, step in ways.items():
        tender = step(tender) if each <= state else tender
    assert tender.state is state
    return tender


ACTS: dict[str, tuple[State, Callable[[Tender], Tender], dict[State, type[BadTender]]]] = {
    "close": (
        State.PUBLISHED,
        lambda t: t.closed(DEADLINE),
        dict.fromkeys((State.CLOSED, State.OPENED, State.EVALUATED, State.CANDIDATES), AlreadyClosed),
    ),
    "open": (
        State.CLOSED,
        lambda t: t.opened(opening(t), OPENING),
        {State.PUBLISHED: NotClosed} | dict.fromkeys((State.OPENED, State.EVALUATED, State.CANDIDATES), AlreadyOpened),
    ),
    "evaluate": (
        State.OPENED,
        lambda t: t.evaluated(evaluation(t)),
        dict.fromkeys((State.PUBLISHED, State.CLOSED), NotOpened)
        | dict.fromkeys((State.EVALUATED, State.CANDIDATES), AlreadyEvaluated),
    ),
    "name candidates": (
        State.EVALUATED,
        lambda t: t.with_candidates(candidates(t), OPENING),
        dict.fromkeys((State.PUBLISHED, State.CLOSED, State.OPENED), NotEvaluated)
        | {State.CANDIDATES: CandidatesPublished},
    ),
    "object": (
        State.CANDIDATES,
        lambda t: t.objected(objection(t), OPENING),
        dict.fromkeys((State.PUBLISHED, State.CLOSED, State.OPENED, State.EVALUATED), NoCandidates),
    ),
    "award": (
        State.CANDIDATES,
        lambda t: t.awarded(award(t), PANEL, least_until(OPENING)),
        dict.fromkeys((State.PUBLISHED, State.CLOSED, State.OPENED, State.EVALUATED), NoCandidates),
    ),
}


class TestTurns:
    @pytest.mark.parametrize("name", ACTS)
    def test_each_act_has_its_turn(self, name: str) -> None:
        turn, act, refusals = ACTS[name]
        act(become(turn))
        for state in (State.AWARDED, State.FAILED):
            refusals = {**refusals, state: TenderEnded}
        assert set(refusals) | {turn} == set(State) - {State.RETENDERED}
        for state, refusal in refusals.items():
            with pytest.raises(refusal):
                act(become(state))

    def test_what_has_not_ended_can_be_given_up(self) -> None:
        for state in (State.PUBLISHED, State.CLOSED, State.OPENED, State.EVALUATED, State.CANDIDATES):
            tender = become(state)
            assert tender.failed(Failure(tender.name, PAPER)).state is State.FAILED
            with pytest.raises(ActIncomplete, match="reason"):
                tender.failed(Failure(tender.name, NONE))

    def test_a_failed_tender_is_replaced_once_by_its_host(self) -> None:
        failed = become(State.FAILED)
        replaced = failed.replaced(1)
        assert replaced.state is State.RETENDERED
        for tender, host in ((failed, 2), (replaced, 1), (become(State.OPENED), 1)):
            with pytest.raises(NotToReplace):
                tender.replaced(host)


class TestNotice:
    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"digest": NONE}, ActIncomplete),
            ({"members": members_mask(2)}, HostMissing),
            ({"deadline": START}, DeadlineOver),
            ({"opening": DEADLINE - 1}, OpeningBeforeDeadline),
            ({"answer_days": 2}, AnswerDaysOutside),
            ({"answer_days": 31}, AnswerDaysOutside),
        ],
    )
    def test_it_says_what_it_must(self, changes: dict[str, Any], refusal: type[BadTender]) -> None:
        with pytest.raises(refusal):
            announce(replace(NOTICE, **changes), START)


class TestAmendment:
    AMENDMENT = Amendment(NOTICE.struct_hash(), 2, PAPER, PAPER, DEADLINE + DAY, OPENING + DAY)

    def test_it_moves_the_deadline_to_later(self) -> None:
        tender = become(State.PUBLISHED).amended(self.AMENDMENT, DEADLINE - 1)
        assert (tender.version, tender.deadline, tender.opening) == (2, DEADLINE + DAY, OPENING + DAY)

    @pytest.mark.parametrize(
        ("changes", "time", "refusal"),
        [
            ({}, DEADLINE, DeadlineOver),
            ({"deadline": DEADLINE - 1}, START, DeadlineBroughtForward),
            ({"version": 3}, START, VersionDiffers),
            ({"digest": NONE}, START, ActIncomplete),
            ({"reason": NONE}, START, ActIncomplete),
            ({"opening": DEADLINE}, START, OpeningBeforeDeadline),
        ],
    )
    def test_or_is_refused(self, changes: dict[str, Any], time: int, refusal: type[BadTender]) -> None:
        with pytest.raises(refusal):
            become(State.PUBLISHED).amended(replace(self.AMENDMENT, **changes), time)


class TestOpening:
    def test_not_before_its_time(self) -> None:
        with pytest.raises(StillOpen):
            become(State.PUBLISHED).closed(DEADLINE - 1)
        for state in (State.PUBLISHED, State.CLOSED):
            tender = become(state)
            with pytest.raises(OpenedEarly):
                tender.opened(opening(tender), OPENING - 1)

    @pytest.mark.parametrize(("count", "state"), [(0, State.FAILED), (2, State.FAILED), (3, State.OPENED)])
    def test_three_bids_at_least(self, count: int, state: State) -> None:
        tender = become(State.CLOSED)
        assert tender.opened(opening(tender, count), OPENING).state is state

    def test_it_has_a_record(self) -> None:
        tender = become(State.CLOSED)
        with pytest.raises(ActIncomplete, match="record"):
            tender.opened(replace(opening(tender), record=NONE), OPENING)


class TestEvaluation:
    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"manifest": OTHER}, BasisDiffers),  # as after a reorganisation
            ({"round": 2}, RoundDiffers),
            ({"report": NONE}, ActIncomplete),
            ({"panel": NONE}, ActIncomplete),
            ({"result": NONE}, ActIncomplete),
            ({"sites": members_mask(3)}, HostMissing),
        ],
    )
    def test_it_says_what_it_must(self, changes: dict[str, Any], refusal: type[BadTender]) -> None:
        tender = become(State.OPENED)
        with pytest.raises(refusal):
            tender.evaluated(evaluation(tender, **changes))


class TestCandidates:
    def test_three_whole_days_in_china(self) -> None:
        assert (
            least_until(1_800_000_000) == 1_800_288_000
        )  # from 16:00 on the 15th to 00:00 on the 19th of January 2027
        tender = become(State.EVALUATED)
        with pytest.raises(PublishedTooShortly):
            tender.with_candidates(candidates(tender, until=least_until(OPENING) - 1), OPENING)

    @pytest.mark.parametrize(
        ("changes", "refusal"), [({"evaluation": OTHER}, BasisDiffers), ({"list": NONE}, ActIncomplete)]
    )
    def test_they_say_what_they_must(self, changes: dict[str, Any], refusal: type[BadTender]) -> None:
        tender = become(State.EVALUATED)
        with pytest.raises(refusal):
            tender.with_candidates(candidates(tender, **changes), OPENING)


class TestObjection:
    def test_it_suspends_the_award(self) -> None:
        tender = become(State.CANDIDATES)
        tender = tender.objected(objection(tender), OPENING)
        with pytest.raises(AwardSuspended):
            tender.awarded(award(tender), PANEL, tender.until)
        tender = tender.ruled(Ruling(tender.name, OTHER, False, PAPER))
        assert tender.awarded(award(tender), PANEL, tender.until).state is State.AWARDED

    def test_upheld_it_sends_the_bids_back(self) -> None:
        first = become(State.CANDIDATES)
        tender = first.objected(objection(first), OPENING).objected(objection(first, grounds=PAPER), OPENING)
        tender = tender.ruled(Ruling(tender.name, OTHER, True, PAPER))
        assert (tender.state, tender.waiting) == (State.OPENED, 1)
        with pytest.raises(RoundDiffers):
            tender.evaluated(evaluation(first, round=1))
        tender = tender.evaluated(evaluation(tender))
        with pytest.raises(BasisDiffers):
            tender.with_candidates(candidates(first), OPENING)
        tender = tender.with_candidates(candidates(tender), OPENING)
        tender = tender.ruled(Ruling(tender.name, PAPER, True, PAPER))
        assert (tender.state, tender.waiting) == (State.CANDIDATES, 0)  # it was to the candidates before

    def test_or_is_refused(self) -> None:
        tender = become(State.CANDIDATES)
        made = tender.objected(objection(tender), OPENING)
        for act, refusal in (
            (lambda: tender.objected(objection(tender), tender.until), ObjectedTooLate),
            (lambda: tender.objected(objection(tender, candidates=PAPER), OPENING), BasisDiffers),
            (lambda: tender.objected(objection(tender, grounds=NONE), OPENING), ActIncomplete),
            (lambda: made.objected(objection(tender), OPENING), AlreadyObjected),
            (lambda: tender.ruled(Ruling(tender.name, OTHER, True, PAPER)), NothingToRule),
            (lambda: made.ruled(Ruling(tender.name, OTHER, True, NONE)), ActIncomplete),
        ):
            with pytest.raises(refusal):
                act()


class TestAward:
    def test_not_while_candidates_are_published(self) -> None:
        tender = become(State.CANDIDATES)
        with pytest.raises(StillPublished):
            tender.awarded(award(tender), PANEL, tender.until - 1)

    @pytest.mark.parametrize(
        ("changes", "refusal"), [({"candidates": OTHER}, BasisDiffers), ({"award": NONE}, ActIncomplete)]
    )
    def test_it_says_what_it_must(self, changes: dict[str, Any], refusal: type[BadTender]) -> None:
        tender = become(State.CANDIDATES)
        with pytest.raises(refusal):
            tender.awarded(award(tender, **changes), PANEL, tender.until)

    @pytest.mark.parametrize(
        ("panel", "refusal"),
        [
            (Evaluators(PAPER, EXPERTS, (*EXPERTS[:4], b"\x09" * 32)), ExpertNotDrawn),
            (Evaluators(PAPER, EXPERTS[::-1], EXPERTS[:5]), ExpertsOutOfOrder),
            (Evaluators(PAPER, EXPERTS, (EXPERTS[0], EXPERTS[0])), ExpertsOutOfOrder),
        ],
    )
    def test_the_panel_is_who_was_drawn(self, panel: Evaluators, refusal: type[BadTender]) -> None:
        tender = become(State.CANDIDATES, panel)
        with pytest.raises(refusal):
            tender.awarded(award(tender), panel, tender.until)

    def test_the_panel_is_the_sealed_one(self) -> None:
        tender = become(State.CANDIDATES)
        with pytest.raises(PanelUnsealedOtherwise):
            tender.awarded(award(tender), replace(PANEL, salt=OTHER), tender.until)
