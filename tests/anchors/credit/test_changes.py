"""What may become of a record, and what of it applied when."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest
from credit_story import (
    ANNOUNCED,
    BAN,
    CATALOGUE,
    CHAIN_ID,
    GENERAL,
    HONOUR,
    LOWER_BOND,
    PUBLISHED_AT,
    REGISTER,
    SERIOUS,
    by_eth_account,
    change,
    digest,
    history,
    noon,
    publication,
)
from hypothesis import given
from hypothesis import strategies as st

from anchors.chain.keccak import keccak256
from anchors.credit import (
    FOLLOWING,
    NO_PLEDGE,
    NO_RECORD,
    Change,
    Event,
    Kind,
    Record,
    State,
    changes_digest,
    check_change,
    check_publication,
    end_of,
    fold,
    histories,
    links,
    word_count,
)
from anchors.credit.changes import CHANGE_TYPE
from anchors.errors import (
    AlreadyPublished,
    BadChange,
    CorrectionTooFar,
    EarlierAhead,
    FutureDecision,
    GroundsMissing,
    IllegalChange,
    NotRepairable,
    PeriodOutsideLaw,
    PledgeMisplaced,
    RepairTooSoon,
    TooLate,
    UnfitMeasure,
    UnpublishedRecord,
)

LATER = date(2027, 6, 1)  # the least period of serious dishonesty is over, its last day is not
MILDER = dataclasses.replace(SERIOUS, kind=Kind.GENERAL, last_day=date(2027, 3, 15), measures=(ANNOUNCED,))


def content_after(state: State) -> Record:
    return dataclasses.replace(SERIOUS, last_day=date(2028, 1, 1)) if state is State.CORRECTED else SERIOUS


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_only_the_listed_states_follow(before: State, after: State) -> None:
    made = change(after, LATER, content_after(after))
    if after in FOLLOWING[before]:
        check_change(before, SERIOUS, made, CATALOGUE)
    else:
        with pytest.raises(IllegalChange, match=f"{before.title} does not become {after.title}"):
            check_change(before, SERIOUS, made, CATALOGUE)


def test_what_is_repaired_or_withdrawn_stays_so() -> None:
    assert not FOLLOWING[State.REPAIRED] | FOLLOWING[State.WITHDRAWN]


@pytest.mark.parametrize(
    ("before", "content", "made", "refusal"),
    [
        (State.PUBLISHED, SERIOUS, change(State.OBJECTED, LATER, grounds=bytes(32)), GroundsMissing),
        (State.PUBLISHED, SERIOUS, change(State.REPAIRED, LATER, pledge=NO_PLEDGE), PledgeMisplaced),
        (State.PUBLISHED, SERIOUS, change(State.WITHDRAWN, LATER, pledge=digest("x")), PledgeMisplaced),
        (State.PUBLISHED, HONOUR, change(State.REPAIRED, date(2027, 1, 1), HONOUR), NotRepairable),
        (State.PUBLISHED, SERIOUS, change(State.WITHDRAWN, LATER, MILDER), CorrectionTooFar),
    ],
)
def test_a_change_without_what_it_needs_is_refused_by_name(
    before: State, content: Record, made: Change, refusal: type[BadChange]
) -> None:
    with pytest.raises(refusal) as refused:
        check_change(before, content, made, CATALOGUE)
    assert refused.value.diagnostics()


@pytest.mark.parametrize(("record", "least"), [(GENERAL, date(2026, 6, 15)), (SERIOUS, date(2027, 3, 15))])
def test_a_repair_takes_the_least_period_to_the_second(record: Record, least: date) -> None:
    repair = change(State.REPAIRED, least, record, time=end_of(least))
    check_change(State.PUBLISHED, record, repair, CATALOGUE)
    with pytest.raises(RepairTooSoon, match=str(least)):
        check_change(State.PUBLISHED, record, dataclasses.replace(repair, time=repair.time - 1), CATALOGUE)


@pytest.mark.parametrize("state", [State.OBJECTED, State.REPAIRED])
def test_nobody_objects_to_or_repairs_what_is_over(state: State) -> None:
    made = change(state, LATER, time=end_of(SERIOUS.last_day))
    check_change(State.PUBLISHED, SERIOUS, dataclasses.replace(made, time=made.time - 1), CATALOGUE)
    with pytest.raises(TooLate):
        check_change(State.PUBLISHED, SERIOUS, made, CATALOGUE)


@pytest.mark.parametrize(("before", "state"), [(State.OBJECTED, State.UPHELD), (State.PUBLISHED, State.WITHDRAWN)])
def test_a_ruling_and_a_withdrawal_are_never_too_late(before: State, state: State) -> None:
    check_change(before, SERIOUS, change(state, SERIOUS.last_day + timedelta(400)), CATALOGUE)


def test_serious_dishonesty_may_be_corrected_to_general() -> None:
    check_change(State.OBJECTED, SERIOUS, change(State.CORRECTED, LATER, MILDER), CATALOGUE)


@pytest.mark.parametrize(
    ("before", "facts", "refusal"),
    [
        (SERIOUS, {"subject": digest("another")}, CorrectionTooFar),
        (SERIOUS, {"member": 3}, CorrectionTooFar),
        (SERIOUS, {"earlier": 1}, CorrectionTooFar),
        (SERIOUS, {"last_day": SERIOUS.last_day + timedelta(1)}, CorrectionTooFar),
        (SERIOUS, {"measures": (ANNOUNCED, BAN, 203)}, CorrectionTooFar),
        (SERIOUS, {"kind": Kind.HONOUR, "measures": (LOWER_BOND,)}, CorrectionTooFar),
        (dataclasses.replace(GENERAL, last_day=MILDER.last_day), {"kind": Kind.SERIOUS}, CorrectionTooFar),
        (SERIOUS, {"last_day": date(2027, 3, 14)}, PeriodOutsideLaw),
        (SERIOUS, {"decided_on": date(2026, 4, 2)}, FutureDecision),
        (SERIOUS, {"kind": Kind.GENERAL, "last_day": date(2027, 3, 15)}, UnfitMeasure),
    ],
)
def test_a_correction_that_goes_too_far_is_refused(
    before: Record, facts: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        check_change(
            State.OBJECTED,
            before,
            change(State.CORRECTED, date(2026, 4, 1), dataclasses.replace(before, **facts)),
            CATALOGUE,
        )


def test_the_roles_sign_changes_as_eip_712_describes() -> None:
    leaf = history(SERIOUS).leaf()
    repair = change(State.REPAIRED, LATER)
    message = {
        "leaf": leaf,
        "state": 6,
        "grounds": repair.grounds,
        "pledge": repair.pledge,
        "content": SERIOUS.struct_hash(),
    }
    expected = by_eth_account(
        "CreditChanges",
        "CreditChange[] changes,uint64 deadline",
        CHANGE_TYPE,
        {"changes": [message], "deadline": 77},
    )
    assert changes_digest(REGISTER, CHAIN_ID, [(leaf, repair)], 77) == expected


# ---- the word ----


def test_no_record_is_the_empty_word() -> None:
    assert fold([]) == NO_RECORD == bytes(32)


def padded(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_the_word_is_the_chain_that_was_decided_for_it() -> None:
    name, other = SERIOUS.struct_hash(), HONOUR.struct_hash()
    objected, corrected = change(State.OBJECTED, LATER), change(State.CORRECTED, LATER, MILDER)
    leaf = keccak256(name + padded(1) + name + padded(PUBLISHED_AT))
    word = padded(1)[28:] + keccak256(bytes(32) + name + leaf)[4:]
    leaf = keccak256(name + padded(2) + objected.struct_hash(leaf) + padded(objected.time))
    word = padded(2)[28:] + keccak256(word + name + leaf)[4:]
    another = keccak256(other + padded(1) + other + padded(PUBLISHED_AT))
    word = padded(3)[28:] + keccak256(word + other + another)[4:]
    leaf = keccak256(MILDER.struct_hash() + padded(4) + corrected.struct_hash(leaf) + padded(corrected.time))
    word = padded(4)[28:] + keccak256(word + name + leaf)[4:]
    assert fold([publication(SERIOUS), objected, publication(HONOUR), corrected]) == word
    assert history(SERIOUS, objected, corrected).leaf() == leaf
    assert word_count(word) == 4


def test_a_change_of_a_record_that_nobody_published_folds_to_nothing() -> None:
    for tell in (fold, histories):
        with pytest.raises(UnpublishedRecord):
            tell([publication(HONOUR), change(State.OBJECTED, LATER)])


EVENTS = st.lists(st.integers(0, 4), min_size=1, max_size=8).map(
    lambda choices: [
        publication(dataclasses.replace(SERIOUS, document=digest(f"{at}"), earlier=at))
        if choice > 2 or not at
        else change(
            State.OBJECTED,
            LATER + timedelta(at),
            record=dataclasses.replace(SERIOUS, document=digest("0"), earlier=0).struct_hash(),
        )
        for at, choice in enumerate(choices)
    ]
)


@given(EVENTS, st.data())
def test_a_telling_with_an_event_left_out_swapped_or_altered_has_another_word(
    events: list[Event], data: st.DataObject
) -> None:
    word = fold(events)
    at, other = data.draw(st.tuples(*[st.integers(min(1, len(events) - 1), len(events) - 1)] * 2))
    assert fold(events[:-1]) != word
    if at:
        assert fold(events[:at] + events[at + 1 :]) != word
        swapped = list(events)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        assert at == other or fold(swapped) != word
    assert fold([*events[:at], dataclasses.replace(events[at], time=7), *events[at + 1 :]]) != word
    assert len(list(links(events))) == len(events) == word_count(word)


@given(EVENTS)
def test_every_event_is_part_of_the_history_of_its_record(events: list[Event]) -> None:
    told = histories(events)
    assert sum(1 + len(each.changes) for each in told) == len(events)
    last = {link.record: link.leaf() for link in links(events)}
    assert [each.leaf() for each in told] == list(last.values())


def test_a_record_is_not_published_twice() -> None:
    with pytest.raises(AlreadyPublished):
        check_publication(SERIOUS, [publication(GENERAL), publication(SERIOUS)])


def test_the_same_decision_may_follow_a_record_that_it_was_drawn_up_after() -> None:
    check_publication(dataclasses.replace(SERIOUS, earlier=1), [publication(SERIOUS)])


def test_a_record_that_was_drawn_up_after_more_than_happened_is_refused() -> None:
    with pytest.raises(EarlierAhead):
        check_publication(dataclasses.replace(SERIOUS, earlier=2), [publication(GENERAL)])


# ---- what applied when ----

STORY = history(
    SERIOUS,
    change(State.OBJECTED, date(2026, 5, 1)),
    change(State.CORRECTED, date(2026, 6, 1), MILDER),
)


@pytest.mark.parametrize(
    ("day", "title", "applies", "content"),
    [
        (date(2026, 3, 20), "published", True, SERIOUS),
        (date(2026, 4, 30), "published", True, SERIOUS),
        (date(2026, 5, 1), "objected", True, SERIOUS),
        (date(2026, 6, 1), "corrected", True, MILDER),
        (date(2027, 3, 15), "corrected", True, MILDER),
        (date(2027, 3, 16), "expired", False, MILDER),
    ],
)
def test_what_applied_on_a_day(day: date, title: str, applies: bool, content: Record) -> None:
    standing = STORY.standing(noon(day))
    assert standing is not None
    assert (standing.title, standing.applies, standing.content) == (title, applies, content)


def test_before_its_publication_a_record_is_nothing() -> None:
    assert STORY.standing(PUBLISHED_AT - 1) is None
    assert STORY.standing(PUBLISHED_AT) is not None


def test_it_ends_in_the_second_that_its_last_day_does() -> None:
    over = end_of(GENERAL.last_day)
    before, after = history(GENERAL).standing(over - 1), history(GENERAL).standing(over)
    assert before is not None
    assert after is not None
    assert (before.applies, after.applies, after.title) == (True, False, "expired")


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.REPAIRED])
def test_a_repaired_or_withdrawn_record_no_longer_applies_and_never_expires(state: State) -> None:
    ended = history(SERIOUS).changed(change(state, LATER), CATALOGUE)
    for day in (LATER, SERIOUS.last_day + timedelta(1)):
        standing = ended.standing(noon(day))
        assert standing is not None
        assert (standing.applies, standing.title) == (False, state.title)


def test_a_change_that_the_rules_forbid_is_not_added() -> None:
    repaired = history(SERIOUS).changed(change(State.REPAIRED, LATER), CATALOGUE)
    with pytest.raises(IllegalChange):
        repaired.changed(change(State.OBJECTED, LATER), CATALOGUE)


def test_a_change_of_another_record_is_not_added() -> None:
    with pytest.raises(UnpublishedRecord):
        history(SERIOUS).changed(change(State.WITHDRAWN, LATER, record=digest("another")), CATALOGUE)
