"""What of a subject's records applied at a time, to whom, and why: from what happened to them, told as JSON values.

Promises the same standing as `anchors.credit.History` and the same opt-outs as `anchors.credit.opted_out`, made for
many records at once; the tests hold them against each other. What happened is read by `ledger_service.credit.queries`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from anchors.credit import Choice, Issued, Kind, State, read_catalogue
from anchors.network import Member
from ledger_service.credit.records import day
from ledger_service.index.tables import read_measures

__all__ = [
    "IN_FORCE",
    "Course",
    "Happened",
    "Refusals",
    "Teller",
    "Told",
    "courses",
    "day_told",
    "hex_told",
    "measures_told",
    "today",
]

Told: TypeAlias = dict[str, Any]  # JSON values

IN_FORCE: Final = frozenset((State.PUBLISHED, State.OBJECTED, State.UPHELD, State.CORRECTED))
"""States in which a record is published until its last day is over."""

_KINDS: Final = {kind.value: kind.name.lower() for kind in Kind}
_STATES: Final = {state.value: state.title for state in State}
_RULES: Final = {**_STATES, State.OBJECTED.value: "disputed"}
_PLACE: Final = itemgetter(3, 4, 5)
_DAY_SECONDS: Final = 24 * 60 * 60
_AHEAD: Final = 8 * 60 * 60  # Chinese time is UTC+8


class Happened(NamedTuple):
    """A publication or change as the index holds it; of the content all or nothing."""

    subject: bytes
    record: bytes
    register: bytes
    block: int
    transaction: int  # its place in the block
    log: int  # its place in the transaction
    time: int  # of the block, POSIX seconds
    state: int  # after it
    member: int | None
    kind: int | None
    decided_on: int | None
    last_day: int | None
    earlier: int | None
    measures: str | None
    statement: bytes | None
    document: bytes | None
    grounds: bytes | None
    objector: int | None


@dataclass(slots=True)
class Course:
    """One record, and what became of it until a block."""

    published: Happened
    content: Happened  # the last that says anew what the record says
    changes: list[Happened] = field(default_factory=list)

    @property
    def state(self) -> int:
        """The state, without regard to the last day."""
        return self.changes[-1].state if self.changes else self.published.state

    def expired(self, today: int) -> bool:
        """Whether it would be in force on a day but for its last, which is over."""
        return (self.content.last_day or 0) < today and self.state in IN_FORCE


def courses(happened: Iterable[Happened]) -> dict[bytes, Course]:
    """Records by name, in the order of publication, from all that happened to them, in any order."""
    found: dict[bytes, Course] = {}
    for each in sorted(happened, key=_PLACE):
        if each.state == State.PUBLISHED:
            found[each.record] = Course(each, each)
            continue
        course = found[each.record]
        course.changes.append(each)
        if each.kind is not None:
            course.content = each
    return found


def today(time: int) -> int:
    """The day that it is in China at a time, counted from 1970-01-01; a record is published on its last day."""
    return (time + _AHEAD) // _DAY_SECONDS


class Refusals:
    """Which members do not apply what, by their last choices.

    Args:
        choices: of all members, in the order of the chain, up to the moment that is told about.
    """

    def __init__(self, choices: Iterable[Choice] = ()) -> None:
        last = {(choice.member, choice.about): choice for choice in choices}
        self._kinds: dict[tuple[int, int], dict[int, Choice]] = {}
        self._records: dict[bytes, dict[int, Choice]] = {}
        for (member, about), choice in sorted(last.items(), key=lambda item: item[0][0]):
            if choice.applied:
                continue
            if isinstance(about, Issued):
                self._kinds.setdefault((about.issuer, about.kind.value), {})[member] = choice
            else:
                self._records.setdefault(about.record, {})[member] = choice

    def of(self, issuer: int, kind: int, record: bytes) -> Sequence[Choice]:
        """The choices by which members do not apply a record, by member; that of its kind before that of itself."""
        of_kind, of_record = self._kinds.get((issuer, kind)), self._records.get(record)
        if of_record is None:
            return [*of_kind.values()] if of_kind else ()
        both = {**of_record, **(of_kind or {})}
        return [both[member] for member in sorted(both) if member != issuer]

    def kinds_of(self, member: int) -> list[tuple[int, int]]:
        """The (issuer, kind) that a member does not apply."""
        return [about for about, choices in self._kinds.items() if member in choices]


class Teller:
    """Tells records of an alliance.

    Args:
        members: of the network file, for their codes.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._codes = {member.number: member.code for member in members}
        self._numbers = {code: number for number, code in self._codes.items()}

    def code(self, number: int) -> str:
        """The code of a member; of one that the network file does not know, the number."""
        return self._codes.get(number) or str(number)

    def number(self, code: str) -> int | None:
        """The number of a member by its code, or None."""
        return self._numbers.get(code)

    def records(
        self, found: Iterable[Course], time: int, refusals: Refusals, recognized_by: int | None, ended: bool
    ) -> list[Told]:
        """The records of one subject, those that do not apply only with `ended`.

        Args:
            found: the courses, until the block of the moment.
            time: POSIX seconds.
            refusals: as of that moment.
            recognized_by: whose view it is; None tells what is published.
            ended: whether to tell of expired, repaired, withdrawn and not recognised ones as well.
        """
        told, now = [], today(time)
        for course in found:
            in_force = course.state in IN_FORCE and not course.expired(now)
            if not in_force and not ended:
                continue
            record = self._record(course, now, in_force, refusals, recognized_by)
            if record["applies"] or ended:
                told.append(record)
        return told

    def _record(self, course: Course, now: int, in_force: bool, refusals: Refusals, recognized_by: int | None) -> Told:
        content, published = course.content, course.published
        member, kind, last_day = content.member or 0, content.kind or 0, content.last_day or 0
        refused = refusals.of(member, kind, published.record)
        expired = course.expired(now)
        told: Told = {
            "record": _hex(published.record),
            "contract": _hex(published.register),
            "member": self.code(member),
            "kind": _KINDS[kind],
            "state": "expired" if expired else _STATES[course.state],
            "disputed": course.state == State.OBJECTED,
            "applies": in_force,
            "why": self._why(course, expired),
            "decided_on": day_told(content.decided_on or 0),
            "last_day": day_told(last_day),
            "measures": measures_told(content.measures or ""),
            "statement": _hex(content.statement or b""),
            "document": _hex(content.document or b""),
            "earlier": content.earlier,
            "published_at": published.time,
            "published_block": published.block,
            "not_applied_by": [
                {"member": self.code(each.member), "reason": _hex(each.reason), "since": each.time} for each in refused
            ],
        }
        if recognized_by is not None:
            choice = next((each for each in refused if each.member == recognized_by), None)
            told["applies"] = in_force and choice is None
            told["why"].append(_view(choice, own=member == recognized_by))
        return told

    def _why(self, course: Course, expired: bool) -> list[Told]:
        published = course.published
        why: list[Told] = [{"rule": "published", "block": published.block, "time": published.time}]
        for change in course.changes:
            sentence = {"rule": _RULES[change.state], "block": change.block, "time": change.time}
            if change.objector is not None:
                sentence["member"] = self.code(change.objector)
            why.append({**sentence, "grounds": _hex(change.grounds or b"")})
        if expired:
            last_day = course.content.last_day or 0
            over = (last_day + 1) * _DAY_SECONDS - _AHEAD
            why.append({"rule": "expired", "last_day": day_told(last_day), "time": over})
        return why


def _view(choice: Choice | None, *, own: bool) -> Told:
    """Why the member that is asked about applies a record, or does not."""
    if own:
        return {"rule": "own-record"}
    if choice is None:
        return {"rule": "recognised-by-default"}
    about = "kind" if isinstance(choice.about, Issued) else "record"
    return {"rule": "opted-out", "about": about, "reason": _hex(choice.reason), "since": choice.time}


@lru_cache(maxsize=1 << 14)
def day_told(number: int) -> str:
    """The day of a number, as the API writes it."""
    return day(number).isoformat()


@lru_cache(maxsize=1 << 12)
def measures_told(column: str) -> list[Told]:
    """The measures of a column in words; one that this version's catalogue does not list has no name."""
    names, nameless = _catalogue(), {"zh": None, "en": None}
    return [{"code": code, **names.get(code, nameless)} for code in read_measures(column)]


@cache
def _catalogue() -> dict[int, Told]:
    return {measure.code: {"zh": measure.zh, "en": measure.en} for measure in read_catalogue().measures}


def hex_told(value: bytes | None) -> str | None:
    """Bytes as the API writes them."""
    return None if value is None else _hex(value)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
