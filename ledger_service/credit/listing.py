"""Lists of credit records as of a moment: a member's, of a kind or state, those that a member applies; choices as well.

Promises pages in the order of the chain that neither leave out nor repeat a record, as long as the moment is the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, and_, not_, or_, select, tuple_
from sqlmodel import Session, col
from sqlmodel import select as select_models

from anchors.credit import Kind, State
from ledger_service.credit.queries import happened, refusals
from ledger_service.credit.standing import IN_FORCE, Happened, Refusals, Teller, Told, courses, hex_told, today
from ledger_service.index.asof import Moment
from ledger_service.index.tables import Block, CreditRecordVersion, Recognition

__all__ = ["Place", "Wanted", "choices_told", "listed"]

Place = tuple[int, int, int]
"""Block, transaction and log."""

VERSION: Final[Table] = CreditRecordVersion.__table__  # type: ignore[attr-defined]
_PUBLISHED: Final = (VERSION.c.published_block, VERSION.c.published_transaction, VERSION.c.published_log)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records a list has; None is any."""

    member: int | None = None  # that decided
    kind: Kind | None = None
    state: str | None = None  # by its name; None are those that apply
    measure: int | None = None
    applied_by: int | None = None


def listed(
    session: Session, teller: Teller, wanted: Wanted, moment: Moment, after: Place, limit: int
) -> tuple[list[Told], Place | None]:
    """A page of records.

    Args:
        session: of the index.
        teller: tells them.
        wanted: which.
        moment: as of when.
        after: the place of publication after which the page begins.
        limit: most records.

    Returns:
        The records, each with its `subject_key`, and the place after which the next page begins; None at the end.
    """
    against = refusals(session, moment.block)
    conditions = _conditions(wanted, moment, against)
    page: list[Told] = []
    while True:
        missing = limit - len(page)
        beyond = tuple_(*_PUBLISHED) > tuple_(*after)
        query = select(VERSION.c.subject, VERSION.c.record, *_PUBLISHED).where(*conditions, beyond)
        rows = session.execute(query.order_by(*_PUBLISHED).limit(missing)).all()
        page += _told(session, teller, wanted, moment, against, rows)
        if len(rows) < missing:
            return page, None
        after = rows[-1].published_block, rows[-1].published_transaction, rows[-1].published_log
        if len(page) == limit:
            return page, after


def choices_told(
    session: Session, teller: Teller, member: int | None, until_block: int, after: Place, limit: int
) -> tuple[list[Told], Place | None]:
    """A page of the last choices about each thing, in the order in which they were made.

    Args:
        session: of the index.
        teller: knows the members' codes.
        member: whose; None is all.
        until_block: as of this block.
        after: the place after which the page begins.
        limit: most choices.

    Returns:
        The choices, and the place after which the next page begins; None at the end.
    """
    query = select_models(Recognition, Block.timestamp).join(Block, col(Block.number) == Recognition.block_number)
    query = query.where(col(Recognition.block_number) <= until_block)
    if member is not None:
        query = query.where(col(Recognition.member) == member)
    order = (Recognition.block_number, Recognition.transaction_index, Recognition.log_index)
    last: dict[object, tuple[Recognition, int]] = {}
    for row, time in session.exec(query.order_by(*map(col, order))):
        about = (row.member, row.issuer, row.kind, row.record)
        last.pop(about, None)  # so that the later one stands in its own place
        last[about] = row, time
    page = [one for one in last.values() if _place(one[0]) > after][:limit]
    told = [_choice_told(teller, row, time) for row, time in page]
    return told, _place(page[-1][0]) if len(page) == limit else None


def _choice_told(teller: Teller, row: Recognition, time: int) -> Told:
    if row.issuer is None or row.kind is None:
        about = {"record": hex_told(row.record)}
    else:
        about = {"issuer": teller.code(row.issuer), "kind": Kind(row.kind).name.lower()}
    return {
        "member": teller.code(row.member),
        "about": about,
        "applied": row.applied,
        "reason": hex_told(row.reason),
        "since": time,
        "block": row.block_number,
    }


def _place(row: Recognition) -> Place:
    return row.block_number, row.transaction_index, row.log_index


def _conditions(wanted: Wanted, moment: Moment, against: Refusals) -> list[ColumnElement[bool]]:
    columns = VERSION.c
    # Of now as well, since the index may grow between the moment and the question.
    ended_later = or_(columns.to_block.is_(None), columns.to_block > moment.block)
    holds = and_(columns.from_block <= moment.block, ended_later)
    conditions = [holds, *_in_state(wanted.state, today(moment.time))]
    if wanted.member is not None:
        conditions.append(columns.member == wanted.member)
    if wanted.kind is not None:
        conditions.append(columns.kind == wanted.kind.value)
    if wanted.measure is not None:
        conditions.append(columns.measures.contains(f",{wanted.measure},"))
    if wanted.applied_by is not None:
        for issuer, kind in against.kinds_of(wanted.applied_by):
            conditions.append(not_(and_(columns.member == issuer, columns.kind == kind)))
    return conditions


def _in_state(state: str | None, today: int) -> list[ColumnElement[bool]]:
    columns, in_force = VERSION.c, [each.value for each in sorted(IN_FORCE)]
    if state is None:
        return [columns.state.in_(in_force), columns.last_day >= today]
    if state == "expired":
        return [columns.state.in_(in_force), columns.last_day < today]
    one = State[state.upper()]
    asked: list[ColumnElement[bool]] = [columns.state == one.value]
    return [*asked, columns.last_day >= today] if one in IN_FORCE else asked


def _told(
    session: Session,
    teller: Teller,
    wanted: Wanted,
    moment: Moment,
    against: Refusals,
    rows: Sequence[Row[Any]],
) -> list[Told]:
    """Those of some rows that are in the list, choices about single records considered."""
    by_subject: defaultdict[bytes, list[Happened]] = defaultdict(list)
    for each in happened(session, [row.subject for row in rows], moment.block):
        by_subject[each.subject].append(each)
    found = {subject: courses(events) for subject, events in by_subject.items()}
    page = []
    for row in rows:
        course, ended = found[row.subject][row.record], wanted.applied_by is None
        for one in teller.records([course], moment.time, against, wanted.applied_by, ended):
            page.append({**one, "subject_key": "0x" + row.subject.hex()})
    return page
