"""`/v1/screenings`: up to a thousand companies at once, and what of that was withdrawn since."""

from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from ledger_service.bodies import read_body
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.queries import member_of
from ledger_service.credit.screening_lists import MAX_SUBJECTS, read_list
from ledger_service.credit.screening_queries import (
    GivenRecord,
    Withdrawal,
    find_screening,
    given_records,
    list_screenings,
)
from ledger_service.credit.screening_results import Question
from ledger_service.credit.screening_tables import Screening
from ledger_service.credit.screenings import Screenings
from ledger_service.credit.standing import Teller
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.pages import Limit, cached

__all__ = ["MAX_BODY_BYTES", "routes"]

MAX_BODY_BYTES: Final = 1 << 20

_ID: Final = r"^[0-9a-f]{32}$"
_HASH: Final = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["subjects"],
                "additionalProperties": False,
                "properties": {
                    "subjects": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_SUBJECTS,
                        "items": {
                            "type": "string",
                            "description": "SCHEME:IDENTIFIER, or a unified social credit code alone.",
                            "example": "CN-USCC:91110000600037341L",
                        },
                    }
                },
            }
        },
        "text/csv": {
            "schema": {
                "type": "string",
                "description": "UTF-8 or GB18030; identifiers are in the first column, or in that whose header is "
                "subject, identifier or 统一社会信用代码.",
                "example": "subject\nCN-USCC:91110000600037341L\n",
            }
        },
    },
}
_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["certificate", "commitment", "receipt", "result", "statement"],
    "properties": {
        "certificate": {"type": ["object", "null"]},
        "commitment": _HASH,
        "receipt": {"$ref": "#/components/schemas/Receipt"},
        "result": {
            "type": "object",
            "description": "Its RFC 8785 form is the document whose digests are in the statement.",
            "properties": {
                "format": {"const": "bidledger/credit-screening/v1"},
                "id": {"type": "string", "pattern": _ID},
                "member": {"type": "string"},
                "block": {"type": "integer"},
                "block_hash": _HASH,
                "time": {"type": "integer"},
                "recognized_by": {"type": ["string", "null"]},
                "certificate": {"anyOf": [_HASH, {"type": "null"}], "description": "SHA-256 of its RFC 8785 form."},
                "results": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["subject", "result", "records"],
                        "properties": {
                            "subject": {"type": ["string", "null"]},
                            "result": {"enum": ["hit", "clear", "invalid"]},
                            "problem": {"type": "string"},
                            "detail": {"type": "string"},
                            "line": {"type": "integer"},
                            "records": {"type": "array", "items": {"type": "object"}},
                        },
                    },
                },
            },
        },
        "statement": {"type": "object"},
    },
}


class WithdrawalOut(BaseModel):
    """Since when a record is withdrawn, and the digest of why."""

    block: int
    time: int
    grounds: str

    @classmethod
    def of(cls, one: Withdrawal) -> Self:
        """From the index."""
        return cls(block=one.block, time=one.time, grounds=f"0x{one.grounds.hex()}")


class GivenRecordOut(BaseModel):
    """A record that was given. One that is withdrawn since never should have been."""

    record: str
    withdrawn: WithdrawalOut | None

    @classmethod
    def of(cls, one: GivenRecord) -> Self:
        """From what is kept."""
        withdrawn = None if one.withdrawal is None else WithdrawalOut.of(one.withdrawal)
        return cls(record=f"0x{one.record.hex()}", withdrawn=withdrawn)


class ScreeningOut(BaseModel):
    """A screening, without whom it was about: that is in the answer that was given."""

    id: str
    block: int
    time: int
    recognized_by: str | None
    subjects: int
    hits: int
    clear: int
    invalid: int
    commitment: str
    certificate: str | None


class GivenOut(ScreeningOut):
    """A screening and what it gave."""

    records: list[GivenRecordOut]


class ScreeningsOut(BaseModel):
    """A page of screenings."""

    screenings: list[ScreeningOut]


def routes(screenings: Screenings, ground: CreditGround, api_keys: ApiKeys) -> APIRouter:
    """The routes of screenings.

    Args:
        screenings: makes them.
        ground: the alliance, and the database.
        api_keys: who may screen, and how much: the scope `credit`, and the quota of a period.
    """
    router, teller = APIRouter(tags=["credit"]), Teller(ground.network.members)

    def allowed(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.CREDIT)

    @router.post(
        "/v1/screenings",
        status_code=201,
        responses={201: {"content": {"application/json": {"schema": _ANSWER}}}},
        openapi_extra={"requestBody": _BODY},
    )
    async def screen(
        request: Request,
        key: Annotated[ApiKey, Depends(allowed)],
        recognized_by: Annotated[
            str | None, Query(pattern=r"^[a-z0-9-]{1,32}$", description="As this member applies the records.")
        ] = None,
        certificate: Annotated[
            bool, Query(description="As of the last final block, with a certificate of all that is told.")
        ] = False,
        idempotency_key: Annotated[
            str | None,
            Header(pattern=r"^[!-~]{1,255}$", description="The same key with the same request gets the same answer."),
        ] = None,
    ) -> Response:
        """Look up to 1,000 companies up, and log what is told as evidence: `hit` where a record applies, `clear` where
        none does, `invalid` where a row names no company. Only exact identifiers are looked up, never names. Takes one
        slot of the key's quota."""
        viewer = None if recognized_by is None else member_of(teller, recognized_by, "/query/recognized_by")
        media_type = request.headers.get("content-type", "")
        body = await read_body(request.receive, request.headers.get("content-length", ""), MAX_BODY_BYTES)
        rows = await run_in_threadpool(read_list, media_type, body)
        made = await screenings.screen(key, Question(rows, viewer, certificate), idempotency_key)
        headers = {"location": f"/v1/screenings/{made.id}", "cache-control": "no-store"}
        return Response(made.body, 201, headers, media_type="application/json")

    @router.get("/v1/screenings/{id}", response_model=GivenOut)
    def show(
        request: Request, key: Annotated[ApiKey, Depends(allowed)], id: Annotated[str, Path(pattern=_ID)]
    ) -> Response:
        """What a screening gave, and which of it was withdrawn since; to the key that asked for it alone."""
        with Session(ground.engine) as session:
            row = find_screening(session, key.id, id)
            records = [GivenRecordOut.of(one) for one in given_records(session, row)]
        answer = GivenOut(**_members(row), records=records)
        return cached(request, answer.model_dump_json().encode(), "application/json")

    @router.get("/v1/screenings", response_model=ScreeningsOut)
    def show_all(
        request: Request,
        key: Annotated[ApiKey, Depends(allowed)],
        withdrawn: Annotated[
            bool, Query(description="Only those that gave a record which was withdrawn since. A page may be short.")
        ] = False,
        limit: Limit = 100,
        cursor: Annotated[str | None, Query(pattern=_ID, description="From the Link of the page before.")] = None,
    ) -> Response:
        """The screenings of the key, oldest first."""
        with Session(ground.engine) as session:
            page = list_screenings(session, key.id, cursor, limit, withdrawn=withdrawn)
            answer = ScreeningsOut(screenings=[ScreeningOut(**_members(row)) for row in page.screenings])
        response = cached(request, answer.model_dump_json().encode(), "application/json")
        if page.after is not None:
            url = request.url.include_query_params(cursor=page.after)
            response.headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
        return response

    def _members(row: Screening) -> dict[str, Any]:
        plain = row.model_dump(include={"id", "block", "time", "subjects", "hits", "clear", "invalid"})
        return {
            **plain,
            "recognized_by": None if row.recognized_by is None else ground.code_of(row.recognized_by),
            "commitment": f"0x{row.commitment.hex()}",
            "certificate": None if row.certificate is None else f"0x{row.certificate.hex()}",
        }

    return router
