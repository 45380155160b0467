"""`/v1/tenders/{tender}/feature-records` and `/leads`: records in, and what bids of different bidders have in common.

Promises both to keys of the scope `tender` alone: a lead names bidders whom nobody has heard yet, so those read it who
act in tenders for a member, and the authorities to whom it gives such a key; not the public, nor bidders by keys that
submit, nor who runs the machines. No answer tells anything before the opening.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import Field, WithJsonSchema

from anchors.tenders.features import CAUTION, FORMAT, CodeKind, Compared, Lead
from ledger_service.bodies import bounded_route
from ledger_service.index.asof import AsOf
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.operations.requests import Closed
from ledger_service.pages import Limit, cursor_query, link_next, read_cursor
from ledger_service.tenders.features import Features, GivenRecord
from ledger_service.tenders.features_places import LeafProof
from ledger_service.tenders.features_tables import KeptRecord
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.leads import Comparison, Where, compare
from ledger_service.tenders.routes import TenderName

__all__ = ["MAX_RECORDS", "routes"]

MAX_RECORDS: Final = 100  # of a request
MAX_BODY_BYTES: Final = 1 << 20
_WORD: Final = r"^0x[0-9a-f]{64}$"
_CHUNK: Final = 6  # bytes of a value in a part of a cursor, whose parts have at most 15 digits
_PARTS: Final = 3 + -(-32 // _CHUNK)

_HASH: Final = {"type": "string", "pattern": _WORD}
_STATEMENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What it commits to, as in a receipt file, with the salt.",
    "required": ["kind", "tender", "party", "holder", "sha256", "sm3", "extra", "salt"],
    "properties": {
        "kind": {"const": "feature-code"},
        "tender": _HASH,
        "party": {"type": "string", "pattern": "^[A-Z]{2}-[A-Z0-9]{1,8}:[0-9A-Z]{1,18}$"},
        "holder": {"type": ["string", "null"], "pattern": "^0x[0-9a-f]{40}$"},
        "sha256": _HASH,
        "sm3": {"type": ["string", "null"], "pattern": _WORD},
        "extra": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
        "salt": _HASH,
    },
    "additionalProperties": False,
}
_DOCUMENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The document; see docs/FEATURE-CODES.md.",
    "required": ["format", "tender", "bid", "codes"],
    "properties": {
        "format": {"const": FORMAT},
        "tender": _HASH,
        "bid": _HASH,
        "codes": {
            "type": "object",
            "properties": {kind.value: _HASH for kind in CodeKind},
            "additionalProperties": False,
            "minProperties": 1,
        },
        "weak": {"type": "array", "items": {"enum": list(CodeKind)}, "maxItems": len(CodeKind)},
    },
    "additionalProperties": False,
}

Word: TypeAlias = Annotated[str, Field(pattern=_WORD)]
Number: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
Authorization = Annotated[str | None, Header(description="Bearer, and an API key.")]
Between = Annotated[Where | None, Query(description="Only codes that are equal across members, or within one.")]
Cursor = Annotated[str | None, cursor_query(_PARTS)]


class ProofIn(Closed):
    """Where in a member's log the record is: the path to a checkpoint that is anchored."""

    member: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", description="The site: whose log it is.")]
    generation: Number
    index: Number
    size: Annotated[int, Field(ge=1, lt=2**63, description="Of the checkpoint.")]
    path: Annotated[list[Word], Field(max_length=63, description="RFC 9162, leaf to root.")]


class RecordIn(Closed):
    """An opened record."""

    commitment: Annotated[Word, Field(description="Of the record, as it was logged.")]
    statement: Annotated[dict[str, Any], WithJsonSchema(_STATEMENT)]  # read by the library, as is the next
    record: Annotated[dict[str, Any], WithJsonSchema(_DOCUMENT)]
    proof: Annotated[ProofIn | None, Field(description="Not needed where the log is this service's.")] = None


class RecordsIn(Closed):
    """The records of the bids that a site received."""

    records: Annotated[list[RecordIn], Field(min_length=1, max_length=MAX_RECORDS)]


class RecordOut(Closed):
    """A record that is kept."""

    bid: str
    record: str = Field(description="Its commitment.")
    site: str
    index: int = Field(description="In the log of the site.")


class RecordsOut(Closed):
    """The records of the request, in its order."""

    records: list[RecordOut]


class AsOfOut(Closed):
    """Of when the answer is."""

    block: int
    time: int = Field(description="POSIX seconds.")


class SiteOut(Closed):
    """What was compared of one site."""

    site: str
    records: int
    codes: dict[CodeKind, int] = Field(description="How many of its records have a code of the kind.")


class ComparedOut(Closed):
    """What was compared."""

    opened: int = Field(description="Bids that were opened.")
    records: int = Field(description="Of how many of them there is a record.")
    sites: list[SiteOut]


class SharerOut(Closed):
    """A bid that has the code."""

    bid: str
    bidder: str
    member: str = Field(description="The site in whose log its record is.")
    record: str = Field(description="The record's commitment; the site has what it commits to.")


class LeadOut(Closed):
    """A code that bids of several bidders share."""

    kind: CodeKind
    value: str = Field(description="What stands for the code in this tender; not the code.")
    bids: int
    bidders: int
    compared: int = Field(description="How many bids have a code of this kind.")
    across: bool = Field(description="Whether their records are of several sites.")
    within: list[str] = Field(description="The sites at each of which several bidders share it.")
    weak: bool = Field(description="Many machines have such a code.")
    sharers: list[SharerOut]
    text: str


class LeadsOut(Closed):
    """A page of leads, the strongest first."""

    tender: str
    as_of: AsOfOut
    caution: str
    compared: ComparedOut
    leads: list[LeadOut]


def routes(ground: TenderGround, features: Features, api_keys: ApiKeys) -> APIRouter:
    """The routes of feature codes.

    Args:
        ground: the alliance, and the database.
        features: the desk.
        api_keys: who may hand in and read.
    """
    router = APIRouter(tags=["tenders"])
    bounded = APIRouter(tags=["tenders"], route_class=bounded_route(MAX_BODY_BYTES))

    def acts(authorization: Authorization = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.TENDER)

    needed = Depends(acts)

    @bounded.post("/v1/tenders/{tender}/feature-records", status_code=201)
    def hand_in(response: Response, tender: TenderName, body: RecordsIn, _key: ApiKey = needed) -> RecordsOut:
        """Hand in the opened records of feature codes of a site's bids, once the opening is on the chain."""
        kept = features.hand_in(_bytes(tender), [_given(ground, each) for each in body.records])
        response.headers["cache-control"] = "no-store"
        return RecordsOut(records=[_record_told(ground, row) for row in kept])

    @router.get("/v1/tenders/{tender}/leads", response_model=LeadsOut)
    def list_leads(
        request: Request,
        tender: TenderName,
        where: Between = None,
        as_of: AsOf = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        _key: ApiKey = needed,
    ) -> Response:
        """The codes that bids of different bidders share: leads for a person to look into, never a sanction."""
        found = compare(ground, _bytes(tender), as_of)
        page = _page(found.leads, where, cursor, limit)
        told = {"tender": tender, **_told(found), "leads": [lead.as_json() for lead in page]}
        answer = Response(orjson.dumps(told), 200, {"cache-control": "no-store"}, media_type="application/json")
        if len(page) == limit:
            link_next(request, answer, _place(page[-1]))
        return answer

    router.include_router(bounded)
    return router


def _given(ground: TenderGround, body: RecordIn) -> GivenRecord:
    site, proof = ground.member.code, None
    if (given := body.proof) is not None:
        site = given.member
        proof = LeafProof(given.generation, given.index, given.size, tuple(map(_bytes, given.path)))
    return GivenRecord(_bytes(body.commitment), body.statement, body.record, site, proof)


def _record_told(ground: TenderGround, row: KeptRecord) -> RecordOut:
    return RecordOut(
        bid=f"0x{row.bid.hex()}", record=f"0x{row.commitment.hex()}", site=ground.code_of(row.member), index=row.index
    )


def _told(found: Comparison) -> dict[str, Any]:
    return {
        "as_of": {"block": found.when.block, "time": found.when.time},
        "caution": CAUTION,
        "compared": {
            "opened": found.opened,
            "records": sum(each.records for each in found.compared),
            "sites": [_site_told(each) for each in found.compared],
        },
    }


def _site_told(one: Compared) -> dict[str, Any]:
    return {
        "site": one.member,
        "records": one.records,
        "codes": {kind.value: count for kind, count in one.codes.items()},
    }


def _page(leads: Sequence[Lead], where: Where | None, cursor: str | None, limit: int) -> list[Lead]:
    after = read_cursor(cursor)
    wanted = (lead for lead in leads if where is None or where.holds(lead))
    following = [lead for lead in wanted if after is None or _order(_place(lead)) > _order(after)]
    return following[:limit]


def _place(lead: Lead) -> tuple[int, ...]:
    """A lead's place among the others of its tender, as a cursor names it."""
    chunks = [lead.value[at : at + _CHUNK] for at in range(0, 32, _CHUNK)]
    return (int(lead.weak), lead.bidders, lead.kind.code, *(int.from_bytes(chunk, "big") for chunk in chunks))


def _order(place: Sequence[int]) -> tuple[int, ...]:
    weak, bidders, *rest = place
    return (weak, -bidders, *rest)


def _bytes(word: str) -> bytes:
    return bytes.fromhex(word[2:])
