"""Refusals on the wire: every service error as one `application/problem+json` document.

The same document from the bare ASGI routes and from the FastAPI application; `type` is stable, `pointer` says where.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final, TypeAlias

import orjson

from ledger_service.errors import MethodNotAllowed, NotAuthenticated, ServiceError

MEDIA_TYPE: Final = "application/problem+json"

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


def problem_document(error: ServiceError) -> dict[str, object]:
    """Write an error as a problem document.

    Args:
        error: what went wrong; its facts become members (`pointer` is the JSON pointer to the bad value).

    Returns:
        JSON values: type, title, status, detail, then the facts.

    Source: RFC 9457.
    """
    return {
        "type": f"urn:bidledger:problem:{error.problem}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        **error.facts,
    }


def problem_headers(error: ServiceError) -> dict[str, str]:
    """The header fields that belong to an error's answer, beside its media type."""
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, NotAuthenticated):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = str(error.facts["allowed"])
    return headers


def method_not_allowed(method: str, *allowed: str) -> MethodNotAllowed:
    """The refusal of `method` by a route that has `allowed` only."""
    detail = f"This route does not take {method}; it takes {' and '.join(allowed)}."
    return MethodNotAllowed(detail, facts={"allowed": ", ".join(allowed)})


async def send_problem(send: Send, error: ServiceError) -> None:
    """Answer an ASGI request with an error."""
    headers = encode_headers({"content-type": MEDIA_TYPE, **problem_headers(error)})
    await send_answer(send, error.status, headers, orjson.dumps(problem_document(error)))


def encode_headers(fields: Mapping[str, str]) -> Headers:
    """Write header fields as ASGI has them."""
    return [(name.encode(), value.encode()) for name, value in fields.items()]


async def send_answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Answer an ASGI request in one piece; its length is added to the headers."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
