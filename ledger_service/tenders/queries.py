"""Tenders as the index holds them, read back as of any block: where each stands, what happened, what was claimed.

Promises the tender as `anchors.tenders` reasons about it, so that its rules decide what may follow. Before the opening
nothing here depends on how many bids there are, since the chain knows of none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import orjson
from sqlalchemy import ColumnElement, or_, tuple_
from sqlmodel import Session, col, select

from anchors.tenders import (
    Bid,
    Opening,
    Refusal,
    State,
    Tender,
    members_mask,
    pack_bids,
    pack_refusals,
)
from ledger_service.index.asof import moment
from ledger_service.index.tables import Block
from ledger_service.index.tender_tables import ClaimVersion, TenderBid, TenderEvent, TenderVersion, read_members
from ledger_service.tenders.ground import TenderGround

__all__ = [
    "Place",
    "Standing",
    "Wanted",
    "claim",
    "claims",
    "current",
    "happened",
    "listed",
    "opened_bids",
    "opening_of",
    "refused_bids",
    "standing",
    "tender_of",
]

Place: TypeAlias = tuple[int, int, int]  # block, transaction, log of a notice
Happened: TypeAlias = tuple[TenderEvent, Block]
_NOTHING: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tenders are asked for."""

    state: State | None = None
    member: int | None = None  # who published it, alone or with others
    joint: bool | None = None  # whether several did


@dataclass(frozen=True, slots=True)
class Standing:
    """A tender as it stands, with the time of its notice, POSIX seconds."""

    row: TenderVersion
    published_at: int

    @property
    def place(self) -> Place:
        """Where its notice is on the chain."""
        return self.row.published_block, self.row.published_transaction, self.row.published_log


def standing(session: Session, tender: bytes, block: int) -> Standing | None:
    """A tender as of a block; None where there is none. Of one notice in two registers that of the newer counts."""
    newest = _standing(block).where(TenderVersion.tender == tender)
    found = session.exec(newest.order_by(col(TenderVersion.published_block).desc()).limit(1)).first()
    return None if found is None else Standing(*found)


def listed(session: Session, wanted: Wanted, block: int, after: Place, limit: int) -> list[Standing]:
    """Tenders as of a block in the order of their notices, from a place on."""
    place = (
        col(TenderVersion.published_block),
        col(TenderVersion.published_transaction),
        col(TenderVersion.published_log),
    )
    rows = _standing(block).where(tuple_(*place) > after, *_conditions(wanted))
    return [Standing(*found) for found in session.exec(rows.order_by(*place).limit(limit))]


def happened(session: Session, row: TenderVersion, block: int) -> list[Happened]:
    """All that happened to a tender until a block, in the chain's order, each with its block."""
    rows = select(TenderEvent, Block).join(Block, col(Block.number) == TenderEvent.block_number)
    rows = rows.where(*_of(TenderEvent, row), TenderEvent.block_number <= block)
    order = (TenderEvent.block_number, TenderEvent.transaction_index, TenderEvent.log_index)
    return list(session.exec(rows.order_by(*map(col, order))))


def opened_bids(session: Session, row: TenderVersion) -> bytes:
    """The opened bids, packed."""
    rows = session.exec(select(TenderBid).where(*_of(TenderBid, row), col(TenderBid.opened).is_(True)))
    return pack_bids([Bid(one.commitment, cast(int, one.index)) for one in rows])


def refused_bids(session: Session, row: TenderVersion) -> bytes:
    """The refused bids, packed."""
    rows = session.exec(select(TenderBid).where(*_of(TenderBid, row), col(TenderBid.opened).is_(False)))
    return pack_refusals([Refusal(one.commitment, cast(bytes, one.reason)) for one in rows])


def claims(session: Session, row: TenderVersion, block: int) -> Sequence[ClaimVersion]:
    """The claims about a tender's bids as of a block, in the order in which they were recorded."""
    rows = select(ClaimVersion).where(*_of(ClaimVersion, row), *_as_of(ClaimVersion, block))
    return session.exec(rows.order_by(col(ClaimVersion.claimed_in), col(ClaimVersion.commitment))).all()


def claim(session: Session, row: TenderVersion, commitment: bytes, block: int) -> ClaimVersion | None:
    """The claim about one bid as of a block; None without one."""
    rows = select(ClaimVersion).where(*_of(ClaimVersion, row), *_as_of(ClaimVersion, block))
    return session.exec(rows.where(ClaimVersion.commitment == commitment)).first()


def opening_of(row: TenderVersion) -> Opening | None:
    """The opening as it was given; None before it."""
    if row.manifest is None:
        return None
    parts = (row.root, row.count, row.refusals, row.record)
    return Opening(row.tender, *cast(tuple[bytes, int, bytes, bytes], parts))


def tender_of(row: TenderVersion, events: Sequence[Happened]) -> Tender:
    """The tender as the rules of `anchors.tenders` take it.

    Args:
        row: where it stands.
        events: all that happened to it.
    """
    return Tender(
        name=row.tender,
        host=row.host,
        members=members_mask(*read_members(row.members)),
        answer_days=row.answer_days,
        deadline=row.deadline,
        opening=row.opening,
        state=State(row.state),
        version=row.version,
        round=row.round,
        manifest=row.manifest or _NOTHING,
        evaluation=row.evaluation or _NOTHING,
        panel=row.panel or _NOTHING,
        candidates=row.candidates or _NOTHING,
        until=row.until or 0,
        objections=_objections(events),
    )


def current(session: Session, ground: TenderGround, tender: bytes) -> Tender:
    """A tender as the rules take it now; raises NotFound, also of one in a register that was replaced."""
    when = moment(session, None, ground.clock())
    found = standing(session, tender, when.block)
    if found is None or found.row.contract != ground.register:
        raise ground.unknown(tender)
    return tender_of(found.row, happened(session, found.row, when.block))


def _objections(events: Sequence[Happened]) -> dict[bytes, tuple[bytes, bool]]:
    found: dict[bytes, tuple[bytes, bool]] = {}
    for event, _ in events:
        grounds = event.subject or _NOTHING
        if event.kind == "objected":
            found[grounds] = (bytes.fromhex(orjson.loads(event.data)["candidates"][2:]), True)
        elif event.kind == "ruled":
            found[grounds] = (found[grounds][0], False)
    return found


def _standing(block: int) -> Any:
    rows = select(TenderVersion, Block.timestamp).join(Block, col(Block.number) == TenderVersion.published_block)
    return rows.where(*_as_of(TenderVersion, block))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool] | bool]:
    conditions: list[ColumnElement[bool] | bool] = []
    members = col(TenderVersion.members)
    if wanted.state is not None:
        conditions.append(TenderVersion.state == wanted.state.value)
    if wanted.member is not None:
        conditions.append(members.like(f"%,{wanted.member},%"))
    if wanted.joint is not None:
        several = members.like("%,%,%,%")  # `,1,` has two commas, `,1,3,` three
        conditions.append(several if wanted.joint else ~several)
    return conditions


def _of(table: Any, row: TenderVersion) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.tender == row.tender, table.contract == row.contract


def _as_of(table: Any, block: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.from_block <= block, or_(col(table.to_block).is_(None), table.to_block > block)
