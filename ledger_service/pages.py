"""Answers that can be paged and cached: opaque cursors, Link to the next page, ETag of the very bytes."""

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Final

from fastapi import Query, Request, Response

from ledger_service.errors import InvalidContent

MAX_PAGE: Final = 1000
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most entries of a page.")]
Cursor = Annotated[str | None, Query(max_length=64, description="From the Link of the page before.")]


def read_cursor(cursor: str | None, parts: int) -> list[int] | None:
    """The numbers after which the page begins; None without a cursor.

    Raises:
        InvalidContent: it is not one of ours.
    """
    if cursor is None:
        return None
    try:
        numbers = [int(part) for part in base64.urlsafe_b64decode(cursor.encode()).decode("ascii").split(".")]
    except (ValueError, binascii.Error) as error:
        raise InvalidContent("The cursor is not one that a Link gave.", facts={"pointer": "/cursor"}) from error
    if len(numbers) != parts or not all(0 <= number < 1 << 63 for number in numbers):
        raise InvalidContent("The cursor is not one that a Link of this route gave.", facts={"pointer": "/cursor"})
    return numbers


def link_next(request: Request, response: Response, after: Sequence[int]) -> None:
    """Name the page that begins after these numbers."""
    cursor = base64.urlsafe_b64encode(".".join(map(str, after)).encode()).decode()
    url = request.url.include_query_params(cursor=cursor)
    response.headers["link"] = f'<{url.path}?{url.query}>; rel="next"'


def cached(request: Request, body: bytes, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with `body` and its ETag, or with 304 when the asker has it."""
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    fields = {**(headers or {}), "etag": etag, "cache-control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=fields)
    return Response(body, media_type=media_type, headers=fields)
