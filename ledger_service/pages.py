"""Answers that can be paged and cached: cursors, Link to the next page, ETag of the very bytes."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from fastapi import Query, Request, Response

from ledger_service.connection import MAX_PAGE

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most entries of a page.")]


def cursor_query(parts: int) -> object:
    """The query parameter that says after which entry, named by so many numbers, a page begins."""
    pattern = rf"^[0-9]{{1,15}}(\.[0-9]{{1,15}}){{{parts - 1}}}$"
    return Query(pattern=pattern, description="From the Link of the page before.")


def read_cursor(cursor: str | None) -> tuple[int, ...] | None:
    """The numbers after which the page begins; None without a cursor."""
    return None if cursor is None else tuple(int(part) for part in cursor.split("."))


def link_next(request: Request, response: Response, after: Sequence[int]) -> None:
    """Name the page that begins after these numbers."""
    url = request.url.include_query_params(cursor=".".join(map(str, after)))
    response.headers["link"] = f'<{url.path}?{url.query}>; rel="next"'


def cached(request: Request, body: bytes, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with `body` and its ETag, or with 304 when the asker has it."""
    etag = entity_tag(body)
    fields = {**(headers or {}), "etag": etag, "cache-control": "no-cache"}
    if is_known(etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=fields)
    return Response(body, media_type=media_type, headers=fields)


def entity_tag(body: bytes) -> str:
    """The ETag of these bytes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_known(etag: str, if_none_match: str) -> bool:
    """Whether the asker has what an ETag names, by its field If-None-Match."""
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in known or "*" in known
