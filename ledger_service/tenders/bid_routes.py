"""`/v1/tenders/{tender}/bids` at the host: bids in, receipts out; a holder's word about one; and what the host opens
from."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from anchors.tenders import WITHDRAWN, Replacement
from ledger_service.bodies import bounded_route
from ledger_service.log.accept import read_asked
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.tenders.bids import Bids, Kept, SignedReplacement
from ledger_service.tenders.routes import TenderName

__all__ = ["routes"]

_WORD: Final = r"^0x[0-9a-f]{64}$"
_HASH: Final = {"type": "string", "pattern": _WORD}
_NUMBER: Final = {"type": "integer", "minimum": 0}
_TAKING: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same body gets the first receipts again, after the deadline as well.",
            "schema": {"type": "string", "pattern": "^[!#-~]{1,64}$"},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Commitments"}}},
    },
}
_RECEIPTS: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        "description": "Receipts of the log and of the tender, in the order of the commitments",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["receipts", "bid_receipts"],
                    "properties": {
                        "receipts": {"type": "array", "items": {"$ref": "#/components/schemas/Receipt"}},
                        "bid_receipts": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["tender", "commitment", "index", "received_at", "signature"],
                                "properties": {
                                    "tender": _HASH,
                                    "commitment": _HASH,
                                    "index": _NUMBER,
                                    "received_at": _NUMBER,
                                    "signature": {"type": "string", "pattern": "^0x[0-9a-f]{130}$"},
                                },
                            },
                        },
                    },
                }
            }
        },
    }
}
MAX_BODY_BYTES: Final = 4 << 10


class ReplacementIn(BaseModel):
    """A bid's holder replaces or withdraws it, by `BidReplacement`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    commitment: Annotated[str, Field(pattern=_WORD)]
    replacement: Annotated[
        str | None, Field(pattern=_WORD, description="The bid in its place, handed in as any other; null: none.")
    ]
    signed_at: Annotated[int, Field(ge=0, lt=2**63, description="POSIX seconds, before the deadline.")]
    preimage: Annotated[str, Field(pattern=r"^0x[0-9a-f]{514}$", description="What the commitment commits to.")]
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$", description="Of the holder named there.")]

    def read(self, tender: bytes) -> SignedReplacement:
        """The word as the library has it."""
        replacement = WITHDRAWN if self.replacement is None else _bytes(self.replacement)
        act = Replacement(tender, _bytes(self.commitment), replacement, self.signed_at)
        return SignedReplacement(act, _bytes(self.preimage), _bytes(self.signature))


class KeptOut(BaseModel):
    """A bid that was received."""

    commitment: str
    generation: int
    index: int
    received_at: int
    withdrawn: bool
    replacement: str | None = Field(description="The bid in its place.")

    @classmethod
    def of(cls, kept: Kept) -> "KeptOut":
        """From the rows."""
        word = None if kept.replaced is None else kept.replaced.replacement
        return cls(
            commitment="0x" + kept.bid.commitment.hex(),
            generation=kept.bid.generation,
            index=kept.bid.index,
            received_at=kept.bid.received_at,
            withdrawn=word == WITHDRAWN,
            replacement=None if word is None or word == WITHDRAWN else "0x" + word.hex(),
        )


class ReceivedOut(BaseModel):
    """All bids that were received in time, by commitment."""

    bids: list[KeptOut]


def routes(bids: Bids, api_keys: ApiKeys) -> APIRouter:
    """The routes of the host's desk.

    Args:
        bids: the desk.
        api_keys: who may submit how much, and who opens bids.
    """
    router = APIRouter(tags=["tenders"])
    small = APIRouter(tags=["tenders"], route_class=bounded_route(MAX_BODY_BYTES))

    def opens(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.OPERATOR)

    operator = Depends(opens)

    @router.post("/v1/tenders/{tender}/bids", status_code=201, openapi_extra=_TAKING, responses=_RECEIPTS)
    async def take(request: Request, tender: TenderName) -> Response:
        """Log the commitments of bids in this tender; refused from the deadline on, by the log's clock."""
        asked = await read_asked(request.scope, request.receive, api_keys)
        body = await bids.take(_bytes(tender), asked)
        return Response(body, 201, {"cache-control": "no-store"}, media_type="application/json")

    @small.post("/v1/tenders/{tender}/replacements", status_code=204)
    def replace(tender: TenderName, body: ReplacementIn) -> Response:
        """Replace or withdraw a bid before the deadline, by the signature of its holder."""
        bids.replace(body.read(_bytes(tender)))
        return Response(status_code=204, headers={"cache-control": "no-store"})

    @router.get("/v1/tenders/{tender}/bids", response_model=ReceivedOut)
    def list_received(tender: TenderName, _key: ApiKey = operator) -> Response:
        """The bids that were received, for the host's operator, from the opening time on."""
        told = [KeptOut.of(one).model_dump() for one in bids.received(_bytes(tender))]
        return Response(orjson.dumps({"bids": told}), 200, {"cache-control": "no-store"}, media_type="application/json")

    router.include_router(small)
    return router


def _bytes(word: str) -> bytes:
    return bytes.fromhex(word[2:])
