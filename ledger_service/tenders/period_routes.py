"""The periods of the host's log with the keys that may be told, for whoever accounts for its leaves by its tiles."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from ledger_service.log.past_periods import PastPeriod
from ledger_service.pages import Limit, cached, cursor_query, link_next, read_cursor
from ledger_service.tenders.period_keys import PeriodKeys

__all__ = ["routes"]

_MOST = 10**15 - 1  # as a cursor has it
_WORD = r"^0x[0-9a-f]{64}$"

From = Annotated[int, Query(alias="from", ge=0, le=_MOST, description="Number of the first period that is wanted.")]
Since = Annotated[
    int | None, Query(ge=0, le=_MOST, description="Leave out what closed before this time, POSIX seconds.")
]
Cursor = Annotated[str | None, cursor_query(1)]


class PeriodOut(BaseModel):
    """A closed period."""

    number: int
    first: int = Field(description="Index of its first leaf.")
    size: int = Field(description="How many leaves it has.")
    slots: int = Field(description="0: it was not filled up, and only the period before may have a use for its key.")
    opened_at: int | None = Field(description="POSIX seconds by the log's clock; null: not known.")
    closed_at: int | None
    key_commitment: str | None = Field(
        pattern=_WORD, description="The leaf of the period before that commits to the key; null: none does."
    )
    key: str | None = Field(
        pattern=_WORD, description="Null until every tender that took bids at that time is opened, or over."
    )


class PeriodsOut(BaseModel):
    """Periods in order."""

    origin: str
    periods: list[PeriodOut]


def routes(keys: PeriodKeys) -> APIRouter:
    """The route, which anybody may ask.

    Args:
        keys: tells them.
    """
    router = APIRouter(tags=["log"])

    @router.get("/v1/periods", response_model=PeriodsOut)
    def list_periods(
        request: Request, start: From = 0, since: Since = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        """The log's closed periods in order, each with its key once no unopened tender can be seen by it."""
        (after,) = read_cursor(cursor) or (-1,)
        number = max(start, after + 1, 0 if since is None else keys.periods.number_at(since))
        telling = keys.telling()
        found = keys.periods.from_number(number, limit)
        told = [_told(one, keys.key(one, telling), keys.commitment(one)) for one in found]
        body = orjson.dumps({"origin": keys.periods.origin, "periods": told})
        answer = cached(request, body, "application/json")
        if len(found) == limit:
            link_next(request, answer, (found[-1].number,))
        return answer

    return router


def _told(period: PastPeriod, key: bytes | None, commitment: bytes | None) -> dict[str, Any]:
    return {
        "number": period.number,
        "first": period.first,
        "size": period.end - period.first,
        "slots": period.slots,
        "opened_at": period.opened_at,
        "closed_at": period.closed_at,
        "key_commitment": _hex(commitment),
        "key": _hex(key),
    }


def _hex(data: bytes | None) -> str | None:
    return None if data is None else "0x" + data.hex()
