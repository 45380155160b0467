"""The routes by which operations are told of, and signed by whoever must.

Promises that a signature needs no API key, for whoever signs is known by the signature, and that an operation is shown
to whoever has its id.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel

from ledger_service.bodies import bounded_route
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.operations.collecting import State
from ledger_service.operations.desk import Desk, OperationOut
from ledger_service.operations.requests import SignatureIn
from ledger_service.pages import Limit, cursor_query, link_next, read_cursor

__all__ = ["routes"]

MAX_BODY_BYTES: Final = 4 << 10
OperationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="From the answer to the act.")]
Cursor = Annotated[str | None, cursor_query(1)]
StateQuery = Annotated[State | None, Query(description="Only operations in this state.")]


class OperationsOut(BaseModel):
    """A page of operations."""

    operations: list[OperationOut]


def routes(desk: Desk, api_keys: ApiKeys) -> APIRouter:
    """The routes of all operations of the served member, whatever slice drew them up."""
    router = APIRouter(tags=["operations"], route_class=bounded_route(MAX_BODY_BYTES))

    def allowed(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        key = api_keys.authenticate(authorization)
        return key if Scope.TENDER in key.scopes else key.require(Scope.CREDIT)

    _add_one(router, desk)
    _add_list(router, desk, Depends(allowed))
    return router


def _add_one(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/operations/{operation}/signatures", status_code=202)
    def sign_operation(response: Response, operation: OperationId, body: SignatureIn) -> OperationOut:
        """Hand in a signature for an operation; who signed, and in which role, the signature says."""
        return desk.sign(response, operation, body.signature)

    @router.get("/v1/operations/{operation}")
    def show_operation(response: Response, operation: OperationId) -> OperationOut:
        """Tell how far an act has come, to whoever has its id."""
        return desk.shown(response, desk.operations.find(operation))


def _add_list(router: APIRouter, desk: Desk, needed: Any) -> None:
    @router.get("/v1/operations")
    def list_operations(
        request: Request,
        response: Response,
        state: StateQuery = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        _key: ApiKey = needed,
    ) -> OperationsOut:
        """List this member's acts, the oldest first."""
        (after,) = read_cursor(cursor) or (0,)
        found = desk.operations.page(state, after, limit)
        if len(found) == limit:
            link_next(request, response, [found[-1].number or 0])
        response.headers["cache-control"] = "no-store"
        return OperationsOut(operations=[desk.told(operation) for operation in found])
