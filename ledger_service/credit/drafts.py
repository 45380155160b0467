"""Draws up acts: what is asked for, held against every rule of credit, becomes what is signed and kept.

Promises that nothing is stored that a rule of `anchors.credit` or the alliance's measures in force would refuse at this
moment; each rule has its own refusal, which says where in the request. What was drawn up is computed once, with the
subject's count of now, so that what happens to the subject later spoils no signature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlmodel import Session, col, select

from anchors.credit import (
    NO_PLEDGE,
    Change,
    Choice,
    Event,
    History,
    Issued,
    Kind,
    Named,
    Publication,
    Record,
    State,
    check_choice,
    check_publication,
    check_record,
    histories,
    read_catalogue,
)
from anchors.credit.terms import LAST_DAY
from anchors.errors import AnchorsError, OwnRecords
from anchors.subjects import Subject
from ledger_service.credit.acts import Changing, Choosing, Drafted, Publishing, choices_about
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.records import events_in, subject_events, subject_of
from ledger_service.credit.requests import BatchIn, ChangeIn, ChoiceIn, ContentIn, RecordIn, RecordsIn
from ledger_service.errors import InvalidContent, NotFound
from ledger_service.index.tables import CreditRecordVersion, ParameterVersion
from ledger_service.operations.collecting import Act
from ledger_service.operations.requests import Apart, good_until, said
from ledger_service.operations.signers import PUBLISHER, REGULATOR, Needed
from ledger_service.refusals import Refused

__all__ = ["LEAST_ENDORSEMENTS", "Drafts"]

LEAST_ENDORSEMENTS: Final = 3
_FIRST_DAY: Final = date(1970, 1, 1)
_NOTHING: Final = bytes(32)
_PAIR: Final = (PUBLISHER, REGULATOR)


class MeasureNotInForce(InvalidContent):
    """A measure of the catalogue that the alliance has not voted in force."""

    problem, title = "measure-not-in-force", "The alliance has not put this measure in force"


class OtherMembersRecord(InvalidContent):
    """A ruling, a repair or a withdrawal of a record that another member made."""

    problem, title = "other-members-record", "Another member's record"


class RecordOfPredecessor(InvalidContent):
    """A record of a register that is no more in force."""

    problem, title = "record-of-predecessor", "The record is in a register that was replaced"


class SubjectNamedTwice(InvalidContent):
    """Two changes of one company's records in a batch."""

    problem, title = "subject-twice", "One company twice in a batch"


class BatchOutOfOrder(InvalidContent):
    """A record that was not drawn up after the one before it in its batch."""

    problem, title = "batch-out-of-order", "A company's records are not drawn up one after the other"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a record is to become."""

    state: State
    grounds: str | None
    pledge: str | None = None
    content: ContentIn | None = None


class Drafts:
    """Draws up the acts of one member.

    Args:
        ground: the member, and the contracts.
        session: of the index.
        time: of the chain, POSIX seconds.
    """

    def __init__(self, ground: CreditGround, session: Session, time: int) -> None:
        self._ground = ground
        self._session = session
        self._time = time

    def publication(self, body: RecordsIn) -> Act:
        """Records to be published; raises Refused, MeasureNotInForce, BatchOutOfOrder, DeadlineNotAllowed."""
        subjects = [_subject(given, f"/records/{place}") for place, given in enumerate(body.records)]
        events = self._events({subject.key for subject in subjects})
        records: list[Record] = []
        for place, (subject, given) in enumerate(zip(subjects, body.records, strict=True)):
            record, before = self._record(subject, given, events[subject.key], f"/records/{place}"), events[subject.key]
            if subject in subjects[:place] and record.earlier < len(before):
                raise BatchOutOfOrder(
                    f"An earlier record of this batch is of the same company: give {len(before)} for `earlier`, or "
                    "nothing.",
                    facts={"pointer": f"/records/{place}/earlier"},
                )
            records.append(record)
            before.append(Publication(record, self._time))
        serious = any(record.kind is Kind.SERIOUS for record in records)
        needed = Needed.of(self._member, *_PAIR, endorsements=self._endorsements() if serious else 0)
        names = [record.struct_hash() for record in records]
        return self._act("publish", Publishing(tuple(records)), needed, names, body, {})

    def objection(self, name: bytes, body: Apart, grounds: str | None) -> Act:
        """An objection to any member's record; raises Refused, NotFound, RecordOfPredecessor, DeadlineNotAllowed."""
        changed = self._change(name, _Wish(State.OBJECTED, grounds), "")
        needed = Needed.of(self._member, PUBLISHER)
        return self._act("object", Changing((changed,)), needed, [name], body, _about(name))

    def decision(
        self,
        act: str,
        name: bytes,
        body: Apart,
        state: State,
        grounds: str | None,
        pledge: str | None = None,
        content: ContentIn | None = None,
    ) -> Act:
        """What the member that issued a record lets it become; raises as `objection`, and OtherMembersRecord."""
        changed = self._own_change(name, _Wish(state, grounds, pledge, content), "")
        return self._act(act, Changing((changed,)), self._pair, [name], body, _about(name))

    def decisions(self, body: BatchIn) -> Act:
        """Many at once; raises as `decision`, and SubjectNamedTwice."""
        changes = [self._one_of_many(given, f"/changes/{place}") for place, given in enumerate(body.changes)]
        subjects = set[bytes]()
        for place, (_, change) in enumerate(changes):
            if change.content.subject in subjects:
                raise SubjectNamedTwice(
                    "Two of the changes are of one company's records; the second waits for the first to be in a block.",
                    facts={"pointer": f"/changes/{place}/record"},
                )
            subjects.add(change.content.subject)
        names = [change.record for _, change in changes]
        return self._act("change", Changing(tuple(changes)), self._pair, names, body, {})

    def choice_of_kind(self, issuer: str, kind: str, body: ChoiceIn) -> Act:
        """Whether the member applies an issuer's records of a kind; raises Refused, NotFound, DeadlineNotAllowed."""
        about = Issued(self._ground.number_of(issuer), Kind[kind.upper()])
        return self._choice(about, body, [], {"issuer": issuer, "kind": kind})

    def choice_of_record(self, name: bytes, body: ChoiceIn) -> Act:
        """Whether the member applies one record; raises Refused, NotFound, DeadlineNotAllowed."""
        issued = select(CreditRecordVersion.member).where(CreditRecordVersion.record == name)
        member = self._session.exec(issued.limit(1)).first()
        if member is None:
            raise _unknown(name)
        if member == self._member:
            raise Refused(OwnRecords(member), "")
        return self._choice(Named(name), body, [name], _about(name))

    # ---- the parts ----

    def _record(self, subject: Subject, given: RecordIn, events: Sequence[Event], where: str) -> Record:
        earlier = len(events) if given.earlier is None else given.earlier
        record = self._content(given, subject.key, self._member, earlier, where)
        _by_rules(lambda: check_record(record, read_catalogue(), self._time), where)
        _by_rules(lambda: check_publication(record, events), where)
        self._check_in_force(record, f"{where}/measures")
        return record

    def _content(self, given: ContentIn, subject: bytes, member: int, earlier: int, where: str) -> Record:
        return Record(
            subject=subject,
            member=member,
            kind=Kind[given.kind.upper()],
            decided_on=_day(given.decided_on, f"{where}/decided_on"),
            last_day=_day(given.last_day, f"{where}/last_day"),
            earlier=earlier,
            measures=tuple(sorted(set(given.measures))),
            statement=_digest(given.statement),
            document=_digest(given.document),
        )

    def _one_of_many(self, given: ChangeIn, where: str) -> tuple[bytes, Change]:
        wish = _Wish(State[given.state.upper()], given.grounds, given.pledge)
        return self._own_change(bytes.fromhex(given.record[2:]), wish, where)

    def _own_change(self, name: bytes, wish: _Wish, where: str) -> tuple[bytes, Change]:
        leaf, change = self._change(name, wish, where)
        if change.content.member != self._member:
            issuer = self._ground.code_of(change.content.member)
            raise OtherMembersRecord(f"{issuer} made this record, and only {issuer} decides what becomes of it.")
        return leaf, change

    def _change(self, name: bytes, wish: _Wish, where: str) -> tuple[bytes, Change]:
        """The record's last leaf and a change of it that the rules allow."""
        history = self._history(name)
        before = history.changes[-1].content if history.changes else history.record
        content = before
        if wish.content is not None:
            at = f"{where}/content"
            content = self._content(wish.content, before.subject, before.member, before.earlier, at)
        pledge = NO_PLEDGE if wish.pledge is None else _digest(wish.pledge)
        change = Change(name, wish.state, _digest(wish.grounds), pledge, content, self._time)
        _by_rules(lambda: history.changed(change, read_catalogue()), where)
        if wish.content is not None:
            self._check_in_force(content, f"{where}/content/measures")
        return history.leaf(), change

    def _history(self, name: bytes) -> History:
        subject = subject_of(self._session, name)
        if subject is None:
            raise _unknown(name)
        for history in histories(self._events({subject})[subject]):
            if history.name == name:
                return history
        raise RecordOfPredecessor("The record is in a register that was replaced, and stands there as it is.")

    def _events(self, subjects: set[bytes]) -> dict[bytes, list[Event]]:
        found = subject_events(self._session, subjects)
        return {subject: events_in(found.get(subject, ()), self._ground.register) for subject in subjects}

    def _choice(self, about: Issued | Named, body: ChoiceIn, names: Sequence[bytes], matter: dict[str, str]) -> Act:
        earlier = choices_about(self._session, self._member, about)
        choice = Choice(self._member, about, body.applied, _digest(body.reason), self._time)
        before = [Choice(row.member, about, row.applied, row.reason, 0) for row in earlier]
        _by_rules(lambda: check_choice(choice, before), "")
        return self._act("recognise", Choosing(choice, len(earlier)), self._pair, names, body, matter)

    def _act(
        self, kind: str, drafted: Drafted, needed: Needed, names: Sequence[bytes], body: Apart, matter: dict[str, str]
    ) -> Act:
        deadline = good_until(body.deadline, self._time)
        return Act(
            kind=kind,
            digest=drafted.digest(self._ground, deadline),
            typed_data=drafted.typed(self._ground, deadline),
            deadline=deadline,
            needed=needed,
            names=names,
            request={**matter, **said(body)},
            draft=drafted.to_json(),
        )

    def _check_in_force(self, record: Record, pointer: str) -> None:
        mask = self._parameter(f"measures:{record.kind.name.lower()}")
        for code in record.measures:
            if not mask >> code & 1:
                raise MeasureNotInForce(
                    f"Measure {code} is in the catalogue, but the alliance has not voted it in force for "
                    f"{record.kind.title}.",
                    facts={"pointer": pointer},
                )

    def _endorsements(self) -> int:
        return max(self._parameter("endorsements"), LEAST_ENDORSEMENTS)

    def _parameter(self, name: str) -> int:
        now = (ParameterVersion.name == name, col(ParameterVersion.to_block).is_(None))
        return self._session.exec(select(ParameterVersion.value).where(*now)).first() or 0

    @property
    def _member(self) -> int:
        return self._ground.member.number

    @property
    def _pair(self) -> Needed:
        return Needed.of(self._member, *_PAIR)


def _by_rules(check: Callable[[], Any], pointer: str) -> None:
    """Refuse what a rule refuses, by that rule's name."""
    try:
        check()
    except AnchorsError as error:
        raise Refused(error, pointer) from error


def _subject(given: RecordIn, where: str) -> Subject:
    try:
        return Subject.parse(given.subject)
    except AnchorsError as error:
        raise Refused(error, f"{where}/subject") from error


def _day(text: str, pointer: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidContent(f"{text} is no day of the calendar.", facts={"pointer": pointer}) from error
    if not _FIRST_DAY <= day <= LAST_DAY:
        raise InvalidContent(f"{text} is not a day from {_FIRST_DAY} to {LAST_DAY}.", facts={"pointer": pointer})
    return day


def _digest(text: str | None) -> bytes:
    return _NOTHING if text is None else bytes.fromhex(text[2:])


def _about(name: bytes) -> dict[str, str]:
    return {"record": "0x" + name.hex()}


def _unknown(name: bytes) -> NotFound:
    return NotFound(f"There is no record 0x{name.hex()}; see /v1/credit/records.")
