"""Reads of tenders: lists, notices, one with its whole timeline, and whether a bid was opened, with the proof."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from anchors.errors import NotOpened
from anchors.tenders import OpenedList, State, find_bid, parse_refusals, show_page
from ledger_service.errors import Conflict
from ledger_service.index.asof import AsOf, Moment, moment
from ledger_service.pages import Limit, cached, cursor_query, link_next, read_cursor
from ledger_service.tenders import queries
from ledger_service.tenders.answers import NoticesOut, OpenedOut, StateName, TenderHistoryOut, TendersOut
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import Place, Standing, Wanted
from ledger_service.tenders.telling import (
    Told,
    bid_told,
    claim_told,
    events_told,
    notice_told,
    opening_told,
    page_told,
    tender_told,
)

__all__ = ["Commitment", "NotOpenedYet", "TenderName", "routes"]

_CODE = r"^[a-z0-9-]{1,32}$"
_MAX_PLACE = (1 << 31) - 1  # of a transaction in its block, and of a log in its transaction, as their columns hold it

TenderName = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The tender's name.")]
Commitment = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="Of the bid.")]
OfMember = Annotated[str | None, Query(pattern=_CODE, description="Published by this member, alone or with others.")]
InState = Annotated[StateName | None, Query(description="In this state.")]
Joint = Annotated[bool | None, Query(description="Published by several members together, or by one alone.")]
Cursor = Annotated[str | None, cursor_query(3)]


class NotOpenedYet(Conflict):
    """A question about opened bids before there are any."""

    problem, title = "not-opened", "The bids are not opened"


def routes(ground: TenderGround) -> APIRouter:
    """The routes of these reads.

    Args:
        ground: the database, and the alliance.
    """
    router = APIRouter(tags=["tenders"])

    @router.get("/v1/tenders", response_model=TendersOut)
    def list_tenders(
        request: Request,
        state: InState = None,
        member: OfMember = None,
        as_of: AsOf = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """Tenders in the order of their notices."""
        wanted = Wanted(state=_state(state), member=_member(member))
        found = _list(wanted, as_of, limit, cursor)
        return _page(request, {"tenders": [tender_told(ground, one) for one in found]}, found, limit)

    @router.get("/v1/notices", response_model=NoticesOut)
    def list_notices(
        request: Request,
        joint: Joint = None,
        member: OfMember = None,
        as_of: AsOf = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """What was announced, by several members together where that is asked for."""
        found = _list(Wanted(member=_member(member), joint=joint), as_of, limit, cursor)
        return _page(request, {"notices": [notice_told(ground, one) for one in found]}, found, limit)

    @router.get("/v1/tenders/{tender}", response_model=TenderHistoryOut)
    def show_tender(request: Request, tender: TenderName, as_of: AsOf = None) -> Response:
        """One tender with all that happened to it, and where on the chain."""
        with Session(ground.engine) as session:
            when = moment(session, as_of, ground.clock())
            told = _history(session, _found(session, tender, when), when)
        return cached(request, orjson.dumps(told), "application/json")

    @router.get("/v1/tenders/{tender}/bids/{commitment}/opened", response_model=OpenedOut)
    def show_opened(request: Request, tender: TenderName, commitment: Commitment) -> Response:
        """Prove that a bid was opened, or that it was not: the page of the list on which it stands, or would."""
        with Session(ground.engine) as session:
            when = moment(session, None, ground.clock())
            told = _opened(session, _found(session, tender, when), _bytes(commitment), when)
        return cached(request, orjson.dumps(told), "application/json")

    def _found(session: Session, tender: str, when: Moment) -> Standing:
        found = queries.standing(session, _bytes(tender), when.block)
        if found is None:
            raise ground.unknown(_bytes(tender))
        return found

    def _history(session: Session, one: Standing, when: Moment) -> Told:
        events = queries.happened(session, one.row, when.block)
        bids, refusals = queries.opened_bids(session, one.row), queries.refused_bids(session, one.row)
        return {
            **tender_told(ground, one),
            "as_of": {"block": when.block, "time": when.time},
            "events": events_told(ground, events, bids, refusals),
            "claims": [claim_told(ground, row, when.time) for row in queries.claims(session, one.row, when.block)],
        }

    def _opened(session: Session, one: Standing, commitment: bytes, when: Moment) -> Told:
        opening = queries.opening_of(one.row)
        if opening is None:
            raise NotOpenedYet(f"{NotOpened().diagnostics()}")
        page = show_page(queries.opened_bids(session, one.row), commitment)
        bid = find_bid(OpenedList(opening.root, opening.count), page, commitment)
        reason = dict(parse_refusals(queries.refused_bids(session, one.row))).get(commitment)
        claimed = queries.claim(session, one.row, commitment, when.block)
        return {
            "tender": "0x" + one.row.tender.hex(),
            "commitment": "0x" + commitment.hex(),
            "opened": bid is not None,
            "bid": None if bid is None else bid_told(bid),
            "refused": None if reason is None else "0x" + reason.hex(),
            "manifest": "0x" + opening.struct_hash().hex(),
            "opening": opening_told(opening),
            "page": page_told(page),
            "claim": None if claimed is None else claim_told(ground, claimed, when.time),
        }

    def _list(wanted: Wanted, as_of: str | None, limit: int, cursor: str | None) -> list[Standing]:
        with Session(ground.engine) as session:
            when = moment(session, as_of, ground.clock())
            return queries.listed(session, wanted, when.block, _after(cursor), limit)

    def _member(code: str | None) -> int | None:
        return None if code is None else ground.number_of(code, "/query/member")

    return router


def _page(request: Request, content: Told, found: list[Standing], limit: int) -> Response:
    answer = cached(request, orjson.dumps(content), "application/json")
    if len(found) == limit:
        link_next(request, answer, found[-1].place)
    return answer


def _state(name: StateName | None) -> State | None:
    return None if name is None else State[name.upper()]


def _after(cursor: str | None) -> Place:
    block, transaction, log = read_cursor(cursor) or (0, 0, -1)
    return block, min(transaction, _MAX_PLACE), min(log, _MAX_PLACE)


def _bytes(word: str) -> bytes:
    return bytes.fromhex(word[2:])
