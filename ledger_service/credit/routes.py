"""Reads of credit records: lists, one with its whole history, what a member applies, and what members chose."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from anchors.credit import Kind
from ledger_service.credit.answers import KindName, ListOut, RecognitionOut, RecordHistoryOut, StateName
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.listing import Place, Wanted, choices_told, listed
from ledger_service.credit.queries import member_of, told_history, told_record
from ledger_service.credit.standing import Teller, Told
from ledger_service.errors import NotFound
from ledger_service.index.asof import AsOf, moment
from ledger_service.pages import Limit, cached, cursor_query, link_next, read_cursor

__all__ = ["routes"]

_CODE = r"^[a-z0-9-]{1,32}$"
_MAX_PLACE = (1 << 31) - 1  # of a transaction in its block, and of a log in its transaction, as their columns hold it

Code = Annotated[str, Path(pattern=_CODE, description="The member's code, such as sichuan.")]
RecordName = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The record's name.")]
OfMember = Annotated[str | None, Query(pattern=_CODE, description="Of this member, by its code.")]
OfKind = Annotated[KindName | None, Query(description="Of this kind.")]
InState = Annotated[StateName | None, Query(description="In this state; by default those that apply.")]
OfMeasure = Annotated[int | None, Query(ge=1, le=255, description="With this measure of the catalogue.")]
Cursor = Annotated[str | None, cursor_query(3)]


def routes(ground: CreditGround) -> APIRouter:
    """The routes of these reads.

    Args:
        ground: the database, and the alliance.
    """
    router, teller = APIRouter(tags=["credit"]), Teller(ground.network.members)

    @router.get("/v1/credit/records", response_model=ListOut)
    def list_records(
        request: Request,
        member: OfMember = None,
        kind: OfKind = None,
        state: InState = None,
        measure: OfMeasure = None,
        as_of: AsOf = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """Records in the order of their publication; ended ones only where their state is asked for."""
        issuer = None if member is None else member_of(teller, member, "/query/member")
        wanted = Wanted(issuer, _kind(kind), state, measure)
        return _list(request, wanted, as_of, limit, cursor)

    @router.get("/v1/credit/records/{record}", response_model=RecordHistoryOut)
    def show_record(request: Request, record: RecordName) -> Response:
        """One record as it stands now, with all that ever happened to it, be it repaired or withdrawn."""
        name = bytes.fromhex(record[2:])
        with Session(ground.engine) as session:
            told = told_record(session, ground, name, moment(session, None, ground.clock()))
            if told is None:
                raise NotFound(f"The index knows no credit record {record}.")
            history = told_history(session, ground, bytes.fromhex(told["subject_key"][2:]), name)
        return _answer(request, {**told, "history": history}, None)

    @router.get("/v1/members/{code}/effective-list", response_model=ListOut)
    def list_effective(
        request: Request,
        code: Code,
        kind: OfKind = None,
        as_of: AsOf = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """All records that a member applies: every member's that are in force, but those that it opted out of."""
        wanted = Wanted(kind=_kind(kind), applied_by=ground.number_of(code))
        return _list(request, wanted, as_of, limit, cursor)

    @router.get("/v1/recognition", response_model=RecognitionOut)
    def list_choices(
        request: Request, member: OfMember = None, as_of: AsOf = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        """What members chose to apply, or not, each with its reason. What none of the choices is about is applied."""
        chooser = None if member is None else member_of(teller, member, "/query/member")
        with Session(ground.engine) as session:
            block = moment(session, as_of, ground.clock()).block
            choices, after = choices_told(session, teller, chooser, block, _after(cursor), limit)
        return _answer(request, {"default": "applied", "choices": choices}, after)

    def _list(request: Request, wanted: Wanted, as_of: str | None, limit: int, cursor: str | None) -> Response:
        with Session(ground.engine) as session:
            when = moment(session, as_of, ground.clock())
            records, after = listed(session, teller, wanted, when, _after(cursor), limit)
        return _answer(request, {"records": records}, after)

    return router


def _kind(name: KindName | None) -> Kind | None:
    return None if name is None else Kind[name.upper()]


def _after(cursor: str | None) -> Place:
    block, transaction, log = read_cursor(cursor) or (0, 0, -1)
    return block, min(transaction, _MAX_PLACE), min(log, _MAX_PLACE)


def _answer(request: Request, content: Told, after: Place | None) -> Response:
    answer = cached(request, orjson.dumps(content), "application/json")
    if after is not None:
        link_next(request, answer, after)
    return answer
