"""The rules of credit records in Python and in Solidity: the same acts are taken, and refused for the same reason.

The chain's clock stands at noon in China, so that no test crosses the end of a day. Terms of single measures are left
out: only Python knows them, and those who sign.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from credit_acts import CATALOGUE, COMPANY, ISSUER, PAPER, Acting, acting_alliance
from credit_alliance import SENDER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchors.credit import (
    NO_PLEDGE,
    Change,
    Kind,
    Record,
    State,
    check_change,
    check_publication,
    check_record,
    end_of,
    last_day,
)
from anchors.errors import (
    AnchorsError,
    CorrectionTooFar,
    DatesOutOfOrder,
    EarlierAhead,
    FutureDecision,
    GroundsMissing,
    IllegalChange,
    MeasureMissing,
    NothingStated,
    NotRepairable,
    PeriodOutsideLaw,
    PledgeMisplaced,
    PublicationOver,
    RepairTooSoon,
    TooLate,
    UnfitMeasure,
    UnknownMeasure,
)

REFUSALS = {
    CorrectionTooFar: "Worsens",
    DatesOutOfOrder: "UnlawfulTerm",
    EarlierAhead: "NotYet",
    FutureDecision: "DecidedInFuture",
    GroundsMissing: "NoGrounds",
    IllegalChange: "IllegalChange",
    MeasureMissing: "NoMeasures",
    NotRepairable: "NotDishonesty",
    NothingStated: "NothingStated",
    PeriodOutsideLaw: "UnlawfulTerm",
    PledgeMisplaced: "BadPledge",
    PublicationOver: "AlreadyOver",
    RepairTooSoon: "RepairTooEarly",
    TooLate: "AlreadyOver",
    UnfitMeasure: "UnfitMeasures",
    UnknownMeasure: "UnfitMeasures",
}
UNBOUND = dataclasses.replace(
    CATALOGUE, measures=tuple(dataclasses.replace(measure, term=None) for measure in CATALOGUE.measures)
)
FITTING = {kind: [measure.code for measure in CATALOGUE.measures if kind in measure.kinds] for kind in Kind}
EXAMPLES = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def acting() -> Iterator[Acting]:
    with acting_alliance() as acting:
        acting.rpc("evm_setNextBlockTimestamp", end_of(acting.today) + 12 * 3600)
        acting.rpc("evm_mine")
        acting.catalogue = UNBOUND
        yield acting


def agree(acting: Acting, check: Callable[[], None], call: Callable[[], object]) -> str:
    """Both take it, or both refuse it for the same reason; says which."""
    try:
        check()
        expected = "accepted"
    except AnchorsError as error:
        expected = f"CreditRegister_{REFUSALS[type(error)]}"
    assert acting.alliance.refusal(SENDER, call()) == expected  # type: ignore[arg-type]
    return expected


@st.composite
def records(draw: st.DrawFn, today: date) -> Record:
    """Records around every bound of the law, to the day."""
    kind = draw(st.sampled_from(Kind))
    near = st.integers(-1, 1).map(timedelta)
    ages = st.sampled_from([0, 3, 12, 24, 36]).map(lambda months: last_day(today, -months))
    decided = draw(ages) + draw(near) if draw(st.booleans()) else today - timedelta(draw(st.integers(-1, 1500)))
    months = draw(st.sampled_from([0, 1, 3, 6, 12, 24, 36]))
    ends = last_day(decided, months) + draw(near) if draw(st.booleans()) else today + draw(near)
    known = draw(st.sampled_from([FITTING[kind]] * 4 + [[1, 101, 201, 250]]))
    measures = draw(st.sets(st.sampled_from(known), min_size=draw(st.sampled_from([1] * 9 + [0]))))
    statement = draw(st.sampled_from([PAPER] * 9 + [bytes(32)]))
    return Record(COMPANY.key, ISSUER, kind, decided, ends, 0, tuple(sorted(measures)), statement, PAPER)


@given(data=st.data())
@EXAMPLES
def test_the_same_records_are_published(acting: Acting, data: st.DataObject) -> None:
    record = data.draw(records(acting.today))
    record = dataclasses.replace(record, earlier=data.draw(st.sampled_from([0, 0, 0, 1])))

    def check() -> None:
        check_record(record, acting.catalogue, acting.alliance.now)
        check_publication(record, acting.events)

    agree(acting, check, lambda: acting.publishing(record))


RARELY = st.sampled_from([False] * 9 + [True])
PATHS = (
    (),
    *[(State.OBJECTED,)] * 3,
    (State.OBJECTED, State.UPHELD),
    (State.OBJECTED, State.CORRECTED),
    (State.WITHDRAWN,),
    (State.REPAIRED,),
)


@st.composite
def lawful(draw: st.DrawFn, today: date) -> Record:
    """Records that may be published today."""
    kind = draw(st.sampled_from(Kind))
    age = draw(st.sampled_from([0, 89, 90, 91, 92, 93, 200, 364, 365, 366, 367, 500]))
    decided = today - timedelta(age if kind is not Kind.GENERAL else age % 200)
    earliest, latest = kind.term.bounds(decided)
    ends = draw(st.sampled_from([latest, max(earliest, today), latest - timedelta(1)]))
    measures = draw(st.sets(st.sampled_from(FITTING[kind]), min_size=1))
    return Record(COMPANY.key, ISSUER, kind, decided, ends, 0, tuple(sorted(measures)), PAPER, PAPER)


@st.composite
def changes(draw: st.DrawFn, drawn_up: Change, today: date) -> Change:
    """The change, or one that differs in what it needs or corrects."""
    content, facts = drawn_up.content, {}
    if draw(RARELY):
        facts["grounds"] = bytes(32)
    if draw(RARELY):
        facts["pledge"] = draw(st.sampled_from([PAPER, NO_PLEDGE]))
    if drawn_up.state is State.CORRECTED:
        kind = draw(st.sampled_from([content.kind, content.kind, Kind.GENERAL, Kind.SERIOUS]))
        ends = draw(st.sampled_from([content.last_day, *kind.term.bounds(content.decided_on)]))
        measures = tuple(sorted(draw(st.sets(st.sampled_from([*content.measures, 101])))))
        facts["content"] = dataclasses.replace(
            content,
            kind=kind,
            last_day=ends + timedelta(draw(st.sampled_from([0, 0, 1, -1]))),
            measures=draw(st.sampled_from([content.measures, measures])),
            earlier=draw(st.sampled_from([content.earlier] * 4 + [1])),
            decided_on=draw(st.sampled_from([content.decided_on] * 4 + [today + timedelta(1)])),
        )
    return dataclasses.replace(drawn_up, **facts)  # type: ignore[arg-type]


@contextmanager
def undone(acting: Acting) -> Iterator[None]:
    """Undo whatever happens to the chain, and forget it."""
    snapshot, events = acting.rpc("evm_snapshot"), list(acting.events)
    try:
        yield
    finally:
        acting.events[:] = events
        assert acting.rpc("evm_revert", snapshot)


@given(data=st.data())
@EXAMPLES
def test_the_same_changes_are_made(acting: Acting, data: st.DataObject) -> None:
    record = data.draw(lawful(acting.today))
    path = data.draw(st.sampled_from(PATHS))
    days = data.draw(st.lists(st.sampled_from([0, 0, 1, 92, 366]), min_size=len(path), max_size=len(path)))
    with undone(acting):
        acting.publish(record)
        for state, passing in zip(path, days, strict=True):
            acting.rpc("evm_increaseTime", passing * 86_400)
            acting.rpc("evm_mine")
            if agree_on(acting, record, acting.drawn_up(record, state)) == "accepted":
                acting.apply(record, state)
        state = data.draw(st.sampled_from([*list(State)[1:], State.CORRECTED, State.REPAIRED]))
        agree_on(acting, record, data.draw(changes(acting.drawn_up(record, state), acting.today)))


def agree_on(acting: Acting, record: Record, change: Change) -> str:
    return agree(
        acting,
        lambda: check_change(*acting.standing(record), change, acting.catalogue),
        lambda: acting.changing(record, change),
    )
