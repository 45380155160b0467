"""The API of one member as one ASGI application.

The acceptance of commitments and the log's static files bear load, and witnesses speak plain text: these are bare ASGI;
all other routes are FastAPI's. Every refusal is the same kind of problem document, and the OpenAPI description covers
all of them.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

import ledger_service.alliance.routes as alliance
import ledger_service.evidence.routes as evidence
import ledger_service.status.routes as status
from ledger_service.credit.certificates import CERTIFICATE
from ledger_service.credit.rooms import BARE_ROUTES as CREDIT_ROUTES
from ledger_service.credit.rooms import BARE_SCHEMAS as CREDIT_SCHEMAS
from ledger_service.credit.rooms import CreditRooms
from ledger_service.credit.stream import EVENTS_PATH
from ledger_service.credit.subjects import PREFIX as SUBJECTS
from ledger_service.errors import BadRequest, InvalidContent, NotFound, ServiceError
from ledger_service.log.accept import EvidenceEndpoint
from ledger_service.log.routes import LogRoutes
from ledger_service.log.writer import LogWriter
from ledger_service.openapi import BARE_ROUTES, PROBLEM_RESPONSE, SCHEMAS
from ledger_service.problems import MEDIA_TYPE, method_not_allowed, problem_document, problem_headers
from ledger_service.witness.kept import Kept
from ledger_service.witness.routes import PREFIX, WitnessRoutes

ACCEPT_PATH: Final = "/v1/evidence"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API is made of."""

    writer: LogWriter
    accept: EvidenceEndpoint
    log_files: LogRoutes
    witness: WitnessRoutes
    kept: Kept
    watched: status.Watched
    network_file: bytes
    credit: CreditRooms | None  # None where the alliance keeps no credit records
    routers: Sequence[APIRouter]  # of the other slices that stand on the chain


def make_app(parts: Parts) -> ASGIApp:
    """Put the application together; the log's writer, which runs already, is stopped at its end."""
    app = FastAPI(
        title="bidledger",
        version="1",
        description="Evidence of bids: commitments in, receipts and proofs out.",
        lifespan=_lifespan(parts),
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses={"default": PROBLEM_RESPONSE},
    )
    watched = parts.watched
    app.include_router(
        evidence.routes(
            watched.engine, watched.reader, parts.kept, watched.member, watched.generation, watched.finality
        )
    )
    app.include_router(alliance.routes(watched.engine, parts.network_file))
    app.include_router(status.routes(watched))
    for router in (*(parts.credit.routers if parts.credit else ()), *parts.routers):
        app.include_router(router)
    app.add_exception_handler(ServiceError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(Exception, _fail)
    app.openapi = lambda: _openapi(app, credit=parts.credit is not None)  # type: ignore[method-assign]
    return _Front(app, parts)


class _Front:
    """Hands the bare routes their requests, and all others to FastAPI."""

    def __init__(self, app: FastAPI, parts: Parts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path == ACCEPT_PATH:
                await self._parts.accept(scope, receive, send)
                return
            if path.startswith("/log/"):
                await self._parts.log_files({**scope, "root_path": "/log"}, receive, send)
                return
            if path.startswith(PREFIX):
                await self._parts.witness(scope, receive, send)
                return
            if self._parts.credit is not None and (about := _about_credit(self._parts.credit, path)) is not None:
                await about(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _about_credit(credit: CreditRooms, path: str) -> ASGIApp | None:
    """The bare route about credit that a path leads to, or None."""
    if path == EVENTS_PATH:
        return credit.events
    return credit.subjects if path.startswith(SUBJECTS) and not path.endswith(CERTIFICATE) else None


def _lifespan(parts: Parts) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            parts.writer.stop()

    return lifespan


async def _refuse(request: Request, error: Exception) -> Response:
    refused = _as_service_error(request, error)
    return _problem(refused)


async def _fail(_request: Request, _error: Exception) -> Response:
    """What is not ours to explain is in the service's log, and nowhere else."""
    return _problem(ServiceError("The service failed; its log says where. The request may be tried again."))


def _problem(error: ServiceError) -> Response:
    return Response(orjson.dumps(problem_document(error)), error.status, problem_headers(error), media_type=MEDIA_TYPE)


def _as_service_error(request: Request, error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        wrong = error.errors()[0]
        place = "/".join(str(part) for part in wrong["loc"])
        return InvalidContent(f"{place}: {wrong['msg']}.", facts={"pointer": f"/{place}"})
    if isinstance(error, HTTPException) and error.status_code == 405:
        return method_not_allowed(request.method, *_methods(request))
    if isinstance(error, HTTPException) and error.status_code == 404:
        return NotFound("There is no such route; see /v1/openapi.json.")
    return BadRequest(str(error))


def _methods(request: Request) -> list[str]:
    """The methods of all routes that a path leads to; Starlette names those of the first."""
    routes = [each for each in iter_route_contexts(request.app.routes) if each.matches(request.scope)[0] != Match.NONE]
    return sorted({method for each in routes for method in each.methods or ()})


def _openapi(app: FastAPI, *, credit: bool) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        described["paths"] |= BARE_ROUTES
        described["components"]["schemas"] |= SCHEMAS
        if credit:
            described["paths"] |= CREDIT_ROUTES
            described["components"]["schemas"] |= CREDIT_SCHEMAS
        app.openapi_schema = described
    return app.openapi_schema
