"""What is told of many records at once is what the library says of each: held against it over random histories."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.credit import (
    Change,
    Choice,
    Event,
    Issued,
    Kind,
    Named,
    Publication,
    Record,
    State,
    day_at,
    end_of,
    histories,
    opted_out,
)
from anchors.credit.changes import FOLLOWING, NO_PLEDGE
from anchors.network import Member
from ledger_service.credit.answers import RecordOut
from ledger_service.credit.standing import Happened, Refusals, Teller, courses, day_told, measures_told, today
from ledger_service.index.tables import write_measures

CODES = ("chongqing", "sichuan", "guizhou", "yunnan")
MEMBERS = tuple(Member(number, code, code, (), ()) for number, code in enumerate(CODES, start=1))
FIRST_DAY = date(1970, 1, 1)
DECIDED = date(2026, 1, 31)
START = end_of(DECIDED)
SUBJECT, REGISTER = b"\x01" * 32, b"\x02" * 20


@dataclass
class Life:
    """Events of some records of one subject, ten minutes apart, and the same as the index has them."""

    events: list[Event]
    rows: list[Happened]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    life, states, contents = Life([], []), {}, {}
    for place in range(draw(st.integers(1, 12))):
        time = START + 600 * place
        following = [name for name, state in states.items() if FOLLOWING[state]]
        if following and draw(st.booleans()):
            name = draw(st.sampled_from(following))
            state = draw(st.sampled_from(sorted(FOLLOWING[states[name]])))
            corrected = state is State.CORRECTED
            if corrected:
                contents[name] = draw(records(contents[name].earlier))
            event: Event = Change(name, state, b"\x03" * 32, NO_PLEDGE, contents[name], time)
            life.rows.append(row(name, place, time, state, contents[name] if corrected else None))
        else:
            record = draw(records(place))
            name, state = record.struct_hash(), State.PUBLISHED
            contents[name] = record
            event = Publication(record, time)
            life.rows.append(row(name, place, time, state, record))
        states[name] = state
        life.events.append(event)
    return life


def records(earlier: int) -> st.SearchStrategy[Record]:
    return st.builds(
        Record,
        subject=st.just(SUBJECT),
        member=st.integers(1, 4),
        kind=st.sampled_from(Kind),
        decided_on=st.just(DECIDED),
        last_day=st.integers(0, 4).map(lambda days: DECIDED + timedelta(days=days)),
        earlier=st.just(earlier),
        measures=st.just((101,)),
        statement=st.just(b"\x04" * 32),
        document=st.just(b"\x05" * 32),
    )


def row(name: bytes, place: int, time: int, state: State, content: Record | None) -> Happened:
    said = (
        (None,) * 8
        if content is None
        else (
            *(content.member, content.kind.value, (content.decided_on - FIRST_DAY).days),
            *((content.last_day - FIRST_DAY).days, content.earlier, write_measures(content.measures)),
            *(content.statement, content.document),
        )
    )
    grounds = None if state is State.PUBLISHED else b"\x03" * 32
    objector = 3 if state is State.OBJECTED else None
    return Happened(SUBJECT, name, REGISTER, 10 + place, 0, 0, time, state.value, *said, grounds, objector)


choices = st.lists(
    st.builds(
        Choice,
        member=st.integers(1, 4),
        about=st.builds(Issued, st.integers(1, 4), st.sampled_from(Kind))
        | st.builds(Named, st.binary(min_size=1, max_size=1)),
        applied=st.booleans(),
        reason=st.binary(min_size=32, max_size=32),
        time=st.just(START),
    ).filter(lambda choice: not (isinstance(choice.about, Issued) and choice.about.issuer == choice.member)),
    max_size=20,
)


@given(lives(), st.integers(0, 10 * 24 * 3600), st.randoms())
def test_what_is_told_is_the_standing_of_the_history(life: Life, after: int, random: object) -> None:
    time = START + after
    told = Teller(MEMBERS).records(
        courses(each for each in reversed(life.rows) if each.time <= time).values(), time, Refusals(), None, ended=True
    )
    standings = [(history.name, history.standing(time)) for history in histories(life.events)]
    expected = [
        (
            "0x" + name.hex(),
            standing.title,
            standing.applies,
            CODES[standing.content.member - 1],
            standing.content.kind.name.lower(),
            standing.content.last_day.isoformat(),
        )
        for name, standing in standings
        if standing is not None
    ]
    fields = ("record", "state", "applies", "member", "kind", "last_day")
    assert [tuple(record[name] for name in fields) for record in told] == expected
    for record in told:
        RecordOut.model_validate(record)
    only = Teller(MEMBERS).records(
        courses(each for each in life.rows if each.time <= time).values(), time, Refusals(), None, ended=False
    )
    assert only == [record for record in told if record["applies"]]


@given(choices, st.integers(1, 4), st.sampled_from(Kind), st.binary(min_size=1, max_size=1))
def test_who_does_not_apply_a_record_is_who_opted_out(
    made: list[Choice], issuer: int, kind: Kind, record: bytes
) -> None:
    refusals = Refusals(made)
    expected = [opted_out(made, member, Issued(issuer, kind), record, START) for member in range(1, 5)]
    assert list(refusals.of(issuer, kind.value, record)) == [choice for choice in expected if choice is not None]
    for member in range(1, 5):
        refused = {(about.issuer, about.kind.value) for about in issued() if by_kind(made, member, about)}
        assert set(refusals.kinds_of(member)) == refused


def issued() -> list[Issued]:
    return [Issued(issuer, kind) for issuer in range(1, 5) for kind in Kind]


def by_kind(made: list[Choice], member: int, about: Issued) -> bool:
    return opted_out([each for each in made if isinstance(each.about, Issued)], member, about, b"", START) is not None


@pytest.mark.parametrize(("member", "rule"), [(2, "own-record"), (1, "recognised-by-default"), (3, "opted-out")])
def test_the_view_of_a_member_is_the_last_reason(member: int, rule: str) -> None:
    content = Record(
        SUBJECT, 2, Kind.SERIOUS, DECIDED, DECIDED + timedelta(days=400), 0, (201,), b"\4" * 32, b"\5" * 32
    )
    published = row(content.struct_hash(), 0, START, State.PUBLISHED, content)
    refusals = Refusals([Choice(3, Issued(2, Kind.SERIOUS), False, b"\6" * 32, START)])
    (told,) = Teller(MEMBERS).records(courses([published]).values(), START, refusals, member, ended=True)
    assert [each["rule"] for each in told["why"]] == ["published", rule]
    assert told["applies"] == (rule != "opted-out")


@given(st.integers(0, 4 * 10**9))
def test_the_day_in_china_is_the_librarys(time: int) -> None:
    assert day_told(today(time)) == day_at(time).isoformat()
    day = day_at(time)
    assert today(end_of(day) - 1) == (day - FIRST_DAY).days == today(end_of(day)) - 1


def test_a_measure_that_the_catalogue_does_not_list_has_no_name() -> None:
    assert measures_told(",250,") == [{"code": 250, "zh": None, "en": None}]


def test_a_member_that_the_network_file_does_not_know_is_told_by_its_number() -> None:
    teller = Teller(MEMBERS)
    assert (teller.code(9), teller.number("yunnan"), teller.number("atlantis")) == ("9", 4, None)
