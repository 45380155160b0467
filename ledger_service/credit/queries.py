"""What happened to credit records and what members chose, read from the index and told as of a moment.

Promises few statements for many subjects: one for five hundred of them, one for all choices. What follows from the rows
is `ledger_service.credit.standing`'s.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, null, or_, select
from sqlmodel import Session, col
from sqlmodel import select as select_models

from anchors.credit import Kind, State
from anchors.subjects import Subject
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.records import choices, subject_of
from ledger_service.credit.standing import Happened, Refusals, Teller, Told, courses, day_told, hex_told, measures_told
from ledger_service.errors import InvalidContent
from ledger_service.index.asof import Moment
from ledger_service.index.tables import Block, CreditEvent, CreditRecordVersion

__all__ = [
    "BLOCK",
    "EVENT",
    "HAPPENED",
    "UnknownMember",
    "happened",
    "member_of",
    "refusals",
    "told",
    "told_by_key",
    "told_history",
    "told_record",
]

MAX_KEYS: Final = 500  # that are looked for at once, as in the index's writing
EVENT: Final[Table] = CreditEvent.__table__  # type: ignore[attr-defined]
BLOCK: Final[Table] = Block.__table__  # type: ignore[attr-defined]
HAPPENED: Final[tuple[ColumnElement[Any], ...]] = (
    *(EVENT.c.subject, EVENT.c.record, EVENT.c.contract),
    *(EVENT.c.block_number, EVENT.c.transaction_index, EVENT.c.log_index, BLOCK.c.timestamp),
    *(EVENT.c.state, EVENT.c.member, EVENT.c.kind, EVENT.c.decided_on, EVENT.c.last_day, EVENT.c.earlier),
    *(EVENT.c.measures, EVENT.c.statement, EVENT.c.document, EVENT.c.grounds, EVENT.c.objector),
)
"""The columns of `Happened`, of the events joined with their blocks."""
VERSION: Final[Table] = CreditRecordVersion.__table__  # type: ignore[attr-defined]
_STANDING: Final = select(
    *(VERSION.c.subject, VERSION.c.record, VERSION.c.contract),
    *(VERSION.c.published_block, VERSION.c.published_transaction, VERSION.c.published_log, BLOCK.c.timestamp),
    *(VERSION.c.state, VERSION.c.member, VERSION.c.kind, VERSION.c.decided_on, VERSION.c.last_day, VERSION.c.earlier),
    *(VERSION.c.measures, VERSION.c.statement, VERSION.c.document, null(), null()),
).join_from(VERSION, BLOCK, BLOCK.c.number == VERSION.c.published_block)
"""The same of records to which nothing happened but their publication."""


class UnknownMember(InvalidContent):
    """A parameter names a member that the alliance does not have."""

    problem, title = "unknown-member", "No such member"


def member_of(teller: Teller, code: str, pointer: str) -> int:
    """The number of the member that a parameter names; raises UnknownMember, which says where it stands."""
    number = teller.number(code)
    if number is None:
        raise UnknownMember(f"The alliance has no member {code[:64]!r}; see /v1/members.", facts={"pointer": pointer})
    return number


def told(
    session: Session,
    ground: CreditGround,
    subjects: Sequence[Subject],
    moment: Moment,
    recognized_by: int | None = None,
    ended: bool = False,
) -> dict[Subject, list[Told]]:
    """The records of subjects, as the API tells them.

    Args:
        session: of the index.
        ground: for the members' codes.
        subjects: whose; each is in the answer, with an empty list where nothing is told.
        moment: as of when.
        recognized_by: the number of the member that applies them; None tells what is published.
        ended: whether to tell of those as well that do not apply.
    """
    keys = {subject: subject.key for subject in subjects}
    found = told_by_key(session, ground, list(keys.values()), moment, recognized_by, ended)
    return {subject: found[key] for subject, key in keys.items()}


def told_by_key(
    session: Session,
    ground: CreditGround,
    keys: Sequence[bytes],
    moment: Moment,
    recognized_by: int | None = None,
    ended: bool = False,
) -> dict[bytes, list[Told]]:
    """The same by subject keys, 32 bytes each."""
    teller, against = Teller(ground.network.members), refusals(session, moment.block)
    by_subject: defaultdict[bytes, list[Happened]] = defaultdict(list)
    for each in happened(session, keys, moment.block):
        by_subject[each.subject].append(each)
    return {
        key: teller.records(courses(by_subject[key]).values(), moment.time, against, recognized_by, ended)
        if key in by_subject
        else []
        for key in keys
    }


def told_record(session: Session, ground: CreditGround, record: bytes, moment: Moment) -> Told | None:
    """One record by its name, whether it applies or not, with its `subject_key`; None where there is none then."""
    subject = subject_of(session, record)
    if subject is None:
        return None
    course = courses(happened(session, [subject], moment.block)).get(record)
    if course is None:
        return None
    teller = Teller(ground.network.members)
    (one,) = teller.records([course], moment.time, refusals(session, moment.block), None, ended=True)
    return {**one, "subject_key": "0x" + subject.hex()}


def told_history(session: Session, ground: CreditGround, subject: bytes, record: bytes) -> list[Told]:
    """All that ever happened to one record, in the order of the chain, with who signed it.

    Args:
        session: of the index.
        ground: for the members' codes.
        subject: its subject's key.
        record: its name.
    """
    teller = Teller(ground.network.members)
    rows = select_models(CreditEvent, Block.timestamp).join(Block, col(Block.number) == CreditEvent.block_number)
    rows = rows.where(CreditEvent.subject == subject, CreditEvent.record == record)
    order = (CreditEvent.block_number, CreditEvent.transaction_index, CreditEvent.log_index)
    return [_event_told(teller, row, time) for row, time in session.exec(rows.order_by(*map(col, order)))]


def happened(session: Session, keys: Collection[bytes], until_block: int) -> Iterator[Happened]:
    """All that happened to the records of subjects until a block, in no order.

    How records stood then lies in the order of the subjects, events in that of the chain, so that each costs a page of
    its own: only those records are looked for among the events to which more happened than that they were published.
    """
    wanted = list(dict.fromkeys(keys))
    for at in range(0, len(wanted), MAX_KEYS):
        some = _STANDING.where(VERSION.c.subject.in_(wanted[at : at + MAX_KEYS]), VERSION.c.from_block <= until_block)
        stood = some.where(or_(VERSION.c.to_block.is_(None), VERSION.c.to_block > until_block))
        changed = []
        for each in map(Happened._make, session.execute(stood)):
            if each.state == State.PUBLISHED:
                yield each
            else:
                changed.append(each)
        yield from _events(session, changed, until_block)


def _events(session: Session, records: Sequence[Happened], until_block: int) -> Iterator[Happened]:
    rows = select(*HAPPENED).join_from(EVENT, BLOCK, BLOCK.c.number == EVENT.c.block_number)
    for at in range(0, len(records), MAX_KEYS):
        some = records[at : at + MAX_KEYS]
        of_subjects = EVENT.c.subject.in_({each.subject for each in some})
        of_records = EVENT.c.record.in_([each.record for each in some])
        found = session.execute(rows.where(of_subjects, of_records, EVENT.c.block_number <= until_block))
        yield from map(Happened._make, found)


def refusals(session: Session, until_block: int) -> Refusals:
    """Which members do not apply what, as of a block."""
    return Refusals(choices(session, until_block))


def _event_told(teller: Teller, row: CreditEvent, time: int) -> Told:
    endorsers = int.from_bytes(row.endorsers or b"", "big")
    return {
        "state": State(row.state).title,
        "block": row.block_number,
        "transaction_index": row.transaction_index,
        "log_index": row.log_index,
        "time": time,
        "content": _content_told(teller, row),
        "grounds": hex_told(row.grounds),
        "pledge": hex_told(row.pledge),
        "publisher": hex_told(row.publisher),
        "regulator": hex_told(row.regulator),
        "objector": None if row.objector is None else teller.code(row.objector),
        "endorsers": [teller.code(number) for number in range(256) if endorsers >> number & 1],
    }


def _content_told(teller: Teller, row: CreditEvent) -> Told | None:
    if row.kind is None:
        return None
    return {
        "member": teller.code(row.member or 0),
        "kind": Kind(row.kind).name.lower(),
        "decided_on": day_told(row.decided_on or 0),
        "last_day": day_told(row.last_day or 0),
        "earlier": row.earlier,
        "measures": measures_told(row.measures or ""),
        "statement": hex_told(row.statement),
        "document": hex_told(row.document),
    }
