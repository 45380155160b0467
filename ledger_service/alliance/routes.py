"""`/v1/members`, `/v1/members/{code}`, `/v1/members/{code}/anchors` and `/v1/network`."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from ledger_service.alliance import queries
from ledger_service.errors import NotFound
from ledger_service.index.answers import AnchorOut
from ledger_service.index.tables import MemberVersion
from ledger_service.pages import Limit, cached, cursor_query, link_next, read_cursor

AsOf = Annotated[int | None, Query(ge=0, lt=1 << 63, description="As of this block; by default now.")]
Code = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="The member's code, such as sichuan.")]
MemberCursor = Annotated[str | None, cursor_query(1)]
AnchorCursor = Annotated[str | None, cursor_query(2)]
STATUSES = {1: "active", 2: "suspended", 3: "withdrawn"}


class MemberOut(BaseModel):
    """A member as the registry holds it."""

    number: int
    code: str
    name: str
    status: str
    log_key: str
    from_block: int
    to_block: int | None

    @classmethod
    def of(cls, row: MemberVersion) -> Self:
        """From a row of the index."""
        return cls(
            number=row.number,
            code=row.code,
            name=row.name,
            status=STATUSES[row.status],
            log_key=f"0x{row.log_key.hex()}",
            from_block=row.from_block,
            to_block=row.to_block,
        )


class MembersOut(BaseModel):
    """A page of members."""

    members: list[MemberOut]


class AnchorsOut(BaseModel):
    """A page of anchors."""

    anchors: list[AnchorOut]


def routes(engine: Engine, network_file: bytes) -> APIRouter:
    """The routes of this slice.

    Args:
        engine: the database.
        network_file: the bytes of the pinned network file, which are served as they are.
    """
    router = APIRouter(tags=["alliance"])

    @router.get("/v1/members", response_model=MembersOut)
    def list_members(request: Request, as_of: AsOf = None, limit: Limit = 100, cursor: MemberCursor = None) -> Response:
        """The members of the alliance, by number."""
        (after,) = read_cursor(cursor) or (0,)
        with Session(engine) as session:
            rows = queries.members(session, as_of, after, limit)
            page = MembersOut(members=[MemberOut.of(row) for row in rows])
        return _page(request, page, [page.members[-1].number] if len(page.members) == limit else None)

    @router.get("/v1/members/{code}", response_model=MemberOut)
    def show_member(request: Request, code: Code, as_of: AsOf = None) -> Response:
        """One member."""
        with Session(engine) as session:
            return _page(request, MemberOut.of(_member(session, code, as_of)), None)

    @router.get("/v1/members/{code}/anchors", response_model=AnchorsOut)
    def list_anchors(
        request: Request, code: Code, as_of: AsOf = None, limit: Limit = 100, cursor: AnchorCursor = None
    ) -> Response:
        """What a member anchored, oldest first; as of a block, what had been anchored by then."""
        generation, size = read_cursor(cursor) or (0, 0)
        with Session(engine) as session:
            number = _member(session, code, as_of).number
            rows = queries.anchors(session, number, as_of, (generation, size), limit)
            page = AnchorsOut(anchors=[AnchorOut.of(row) for row in rows])
        last = page.anchors[-1] if len(page.anchors) == limit else None
        return _page(request, page, [last.generation, last.size] if last else None)

    @router.get("/v1/network")
    def show_network(request: Request) -> Response:
        """The network file that this service works by, byte for byte. Whoever verifies pins a copy from elsewhere."""
        return cached(request, network_file, "application/json")

    return router


def _member(session: Session, code: str, as_of: int | None) -> MemberVersion:
    row = queries.member(session, code, as_of)
    if row is None:
        when = "" if as_of is None else f" as of block {as_of}"
        raise NotFound(f"The index knows no member {code}{when}; see /v1/members.")
    return row


def _page(request: Request, content: BaseModel, after: list[int] | None) -> Response:
    answer = cached(request, content.model_dump_json().encode(), "application/json")
    if after is not None:
        link_next(request, answer, after)
    return answer
