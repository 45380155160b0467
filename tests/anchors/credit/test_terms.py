"""Periods of the law: by the calendar, in Chinese time."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.credit.kinds import Kind
from anchors.credit.terms import LAST_DAY, Term, day_at, end_of, last_day


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-03-15", 3, "2026-06-15"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2024-02-29", 36, "2027-02-28"),
        ("2026-12-31", 12, "2027-12-31"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-08-31", 1, "2026-09-30"),
    ],
)
def test_a_period_ends_on_the_day_of_the_same_number_or_the_last_of_the_month(
    start: str, months: int, end: str
) -> None:
    assert last_day(date.fromisoformat(start), months) == date.fromisoformat(end)


def test_the_last_day_ends_at_midnight_in_china() -> None:
    assert end_of(date(2026, 6, 15)) == int(datetime(2026, 6, 15, 16, tzinfo=UTC).timestamp())


@given(st.dates(date(1949, 10, 1), LAST_DAY))
def test_a_day_is_over_when_the_next_one_begins(day: date) -> None:
    assert day_at(end_of(day) - 1) == day
    assert day_at(end_of(day)).toordinal() == day.toordinal() + 1


@given(st.dates(date(1949, 10, 1), LAST_DAY), st.integers(0, 12))
def test_a_period_of_months_never_runs_into_a_later_month(start: date, months: int) -> None:
    end = last_day(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day <= start.day


def test_the_longest_period_from_the_last_day_is_in_the_calendar() -> None:
    assert last_day(LAST_DAY, 60) == date(9995, 12, 31)


def test_the_law_bounds_each_grade_of_dishonesty() -> None:
    decided = date(2026, 11, 24)
    general, serious = Kind.GENERAL.term, Kind.SERIOUS.term
    assert general.bounds(decided) == (date(2027, 2, 24), date(2027, 11, 24))
    assert serious == Term(12, 36)
