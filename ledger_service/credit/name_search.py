"""Suggests subjects by names that are like what was asked: in Chinese, by sound, by first letters, with slips.

Promises suggestions and nothing more: only an exact identifier with a right check character is ever looked up. All
names are held in memory, and are those that the database has when a search begins.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from itertools import islice
from threading import BoundedSemaphore, Lock
from typing import Final

from rapidfuzz import fuzz, process
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from ledger_service.credit.names import CreditName, CreditNameState, Forms, is_chinese, search_forms
from ledger_service.errors import Unavailable

__all__ = ["CUT_OFF", "SEARCHES_AT_ONCE", "By", "NameSearch", "Suggestion"]

CUT_OFF: Final = 70.0  # of 100: what is less alike is not suggested
SEARCHES_AT_ONCE: Final = 8  # each keeps a core busy; what else the service does goes on

_PART: Final = 0.75  # worth of a part, however small; the rest goes by its share of the whole
_LEGAL_FORM: Final = 2.0  # what another legal form takes off
_CANDIDATES: Final = 300
_ROUGHLY: Final = 55.0
_LEGAL_INITIALS: Final = re.compile(r"(?<=..)(?:gfyxgs|yxzrgs|yxgs)$")


class By(StrEnum):
    """What of a name was alike."""

    NAME = "name"
    PINYIN = "pinyin"
    INITIALS = "initials"


_WORTH: Final = {By.NAME: 1.0, By.PINYIN: 0.95, By.INITIALS: 0.9}  # of the same likeness


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name that is like what was asked. It says nothing of any record."""

    subject: str
    name: str
    score: float  # CUT_OFF to 100
    by: By


class NameSearch:
    """The search of one process; several threads may ask at once.

    Names are read when the first search needs them. Later ones read what was added since, and all of them only after
    some were taken back.

    Args:
        engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names = _Names()
        self._reading = Lock()
        self._searching = BoundedSemaphore(SEARCHES_AT_ONCE)

    def suggest(self, asked: str, limit: int) -> list[Suggestion]:
        """The names that are most like what was asked.

        Args:
            asked: a name or a part of one, its pinyin or the first letters of that.
            limit: the most that are returned.

        Returns:
            The best first; none that is less alike than CUT_OFF.

        Raises:
            Unavailable: SEARCHES_AT_ONCE are going on.
        """
        if not self._searching.acquire(blocking=False):
            raise Unavailable("Too many search for names now; ask again.", retry_after=1)
        try:
            return _best(search_forms(asked), self._current(), limit)
        finally:
            self._searching.release()

    def _current(self) -> "_Names":
        with self._reading, Session(self._engine) as session:
            state = session.get(CreditNameState, 1)
            version, removed = (state.version, state.removed) if state else (0, 0)
            known = self._names.version
            if version != known:
                since = self._names if removed <= known < version else _Names()
                self._names = _read_on(session, since, version)
            return self._names


@dataclass(frozen=True, slots=True)
class _Column:
    """One form of all names."""

    forms: list[str] = field(default_factory=list)
    lines: str = ""  # the same, each ended by a line feed, which no form has: what is in any is found in one pass

    def and_more(self, forms: list[str]) -> "_Column":
        """With further rows."""
        lines = "".join(f"{form}\n" for form in forms)
        # Cut from the lines anew, they lie side by side in memory, and are compared in a third of the time.
        return _Column(self.forms + lines.split("\n")[:-1], self.lines + lines)

    def rows_with(self, wanted: str) -> Iterator[int]:
        """The rows that have `wanted` in them."""
        row, last, place = 0, 0, self.lines.find(wanted)
        while place >= 0:
            row += self.lines.count("\n", last, place)
            yield row
            last, place = place, self.lines.find(wanted, self.lines.find("\n", place))


@dataclass(frozen=True, slots=True)
class _Names:
    """All names as of one version. Never changed: a search goes on with those that it began with."""

    version: int = 0
    subjects: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    legal_forms: list[str] = field(default_factory=list)
    stems: _Column = field(default_factory=_Column)
    pinyin: _Column = field(default_factory=_Column)
    initials: _Column = field(default_factory=_Column)


def _read_on(session: Session, before: _Names, version: int) -> _Names:
    read = (
        *(CreditName.subject, CreditName.name, CreditName.legal_form),
        *(CreditName.stem, CreditName.pinyin, CreditName.initials),
    )
    rows = select(*map(col, read)).where(CreditName.version > before.version, CreditName.version <= version)
    fresh: tuple[list[str], ...] = ([], [], [], [], [], [])
    for some in session.execute(rows.execution_options(yield_per=10_000)).partitions():
        for column, values in zip(fresh, zip(*some, strict=True), strict=True):
            column.extend(values)
    subjects, names, legal_forms, stems, pinyin, initials = fresh
    return _Names(
        version,
        before.subjects + subjects,
        before.names + names,
        before.legal_forms + [sys.intern(one) for one in legal_forms],  # there are few
        before.stems.and_more(stems),
        before.pinyin.and_more(pinyin),
        before.initials.and_more(initials),
    )


def _best(asked: Forms, names: _Names, limit: int) -> list[Suggestion]:
    found: dict[int, tuple[float, By]] = {}
    for by, wanted, column in _comparisons(asked, names):
        for row, likeness in _alike(wanted, column):
            # A name in letters is its own pinyin, and as good as one in Chinese.
            written = asked.stem == asked.pinyin and column.forms[row] == names.stems.forms[row]
            score, by_what = (likeness, By.NAME) if written else (likeness * _WORTH[by], by)
            if score > found.get(row, (0.0,))[0]:
                found[row] = (score, by_what)
    suggestions = (
        Suggestion(names.subjects[row], names.names[row], round(score - _off(asked, names.legal_forms[row]), 1), by)
        for row, (score, by) in found.items()
    )
    return nsmallest(
        limit, (one for one in suggestions if one.score >= CUT_OFF), key=lambda one: (-one.score, one.name, one.subject)
    )


def _comparisons(asked: Forms, names: _Names) -> Iterator[tuple[By, str, _Column]]:
    """What is compared with which column: Chinese as it is and by its sound, letters as a sound and as initials."""
    if not asked.stem:
        return
    yield By.PINYIN, asked.pinyin, names.pinyin
    if is_chinese(asked.stem):
        yield By.NAME, asked.stem, names.stems
        return
    initials = _LEGAL_INITIALS.sub("", asked.stem)
    if len(initials) > 1:
        yield By.INITIALS, initials, names.initials


def _alike(wanted: str, column: _Column) -> Iterator[tuple[int, float]]:
    """The rows that are like `wanted` as a whole or have it in them, and how much."""
    whole = process.extract(
        wanted, column.forms, scorer=fuzz.ratio, processor=None, limit=_CANDIDATES, score_cutoff=_ROUGHLY
    )
    scores = {row: score for _, score, row in whole}
    for row in islice(column.rows_with(wanted), _CANDIDATES):
        scores.setdefault(row, 0.0)
    for row, score in scores.items():
        yield row, max(score, _as_part(wanted, column.forms[row]))


def _as_part(wanted: str, form: str) -> float:
    if len(wanted) >= len(form):
        return 0.0
    return fuzz.partial_ratio(wanted, form) * (_PART + (1 - _PART) * len(wanted) / len(form))


def _off(asked: Forms, legal_form: str) -> float:
    return _LEGAL_FORM if asked.legal_form not in ("", legal_form) else 0.0
