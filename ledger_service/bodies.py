"""Reads the bodies of requests: bounded before anything is made of them, by the bare routes and by FastAPI's."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from anchors.bounded_json import check_depth
from anchors.errors import MalformedFile
from ledger_service.errors import BadRequest, InvalidContent, TooLarge
from ledger_service.problems import Receive


async def read_body(receive: Receive, declared: str, limit: int) -> bytes:
    """Read a whole body.

    Args:
        receive: ASGI's.
        declared: the field Content-Length, empty where there is none.
        limit: the most bytes that are read.

    Raises:
        TooLarge: it is longer, or says so.
        BadRequest: the connection ended within it.
    """
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection ended before the body did.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return body


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may have {limit:,} bytes; send less at a time.")


def bounded_route(limit: int) -> type[APIRoute]:
    """The class of routes, for an APIRouter, that read no more of a body than `limit` bytes of JSON, or none."""

    class BoundedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def bounded(request: Request) -> Response:
                body = await read_body(request.receive, request.headers.get("content-length", ""), limit)
                _check_json(body)
                whole: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

                async def receive() -> Any:
                    return whole.pop() if whole else await request.receive()

                return await handle(Request(request.scope, receive))

            return bounded

    return BoundedRoute


def _check_json(body: bytes) -> None:
    """See that FastAPI can read a body: the library of keystores raises Python's recursion limit, after which lists in
    lists without end crash the reader of JSON."""
    try:
        if b"\0" in body:  # as in every text in UTF-16, which that reader takes as well
            raise InvalidContent("body: it is not JSON in UTF-8.", facts={"pointer": "/body"})
        check_depth(body)
    except MalformedFile as error:
        raise InvalidContent(f"body: {error.diagnostics()}", facts={"pointer": "/body"}) from error
