"""`/v1/tenders/{tender}/draws` at the host: terms and parts in, the draw held, and of it to each what is for each.

Promises that without an API key nothing is told that is not in the sealed file, until the award is final; then one seat
at a time, with its proof. Values and shares go to the members, who hold keys of the scope `tender`, as they come in: so
the host alone cannot call a draw void that is not. Seats go to the host's `operator`, who must call the experts and
seal the panel at the evaluation. Lists are taken in and not given out; the open file, in which they are, goes to the
host's `operator` once the award is final, for courts and regulators.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import orjson
from fastapi import APIRouter, Depends, Header, Path, Request, Response

from anchors.errors import AnchorsError
from anchors.tenders.draw import Confirmation, Deposit, Disclosure, ExpertList, Reveal, Terms
from ledger_service.bodies import bounded_route
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.operations.requests import Closed
from ledger_service.pages import cached
from ledger_service.refusals import Refused
from ledger_service.tenders.draws.answers import (
    DrawsOut,
    RevealedOut,
    RoundOut,
    SeatProofOut,
    SeatsOut,
    round_told,
)
from ledger_service.tenders.draws.reading import DrawReads
from ledger_service.tenders.draws.requests import (
    ConfirmationIn,
    DepositIn,
    ListIn,
    ResultIn,
    RevealIn,
    ShareIn,
    TermsIn,
)
from ledger_service.tenders.draws.room import Draws
from ledger_service.tenders.draws.rounds import Round
from ledger_service.tenders.routes import TenderName

__all__ = ["routes"]

MAX_TERMS_BYTES: Final = 1 << 20  # ten thousand recusals
MAX_PART_BYTES: Final = 64 << 10
MAX_LIST_BYTES: Final = 4 << 20  # a hundred thousand experts

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "bidledger/expert-draw/v1"}
}
_DRAWS: Final = "/v1/tenders/{tender}/draws"
_ROUND: Final = _DRAWS + "/{number}"

Number: TypeAlias = Annotated[int, Path(ge=1, le=99, description="Of the round.")]
SeatNumber: TypeAlias = Annotated[int, Path(ge=1, le=1 << 14, description="Of the seat, in the order of drawing.")]
Authorization = Annotated[str | None, Header(description="Bearer, and an API key.")]


def routes(draws: Draws, reads: DrawReads, api_keys: ApiKeys) -> APIRouter:
    """The routes of the host's room for draws.

    Args:
        draws: takes the parts in.
        reads: tells what may be told.
        api_keys: who is the host's operator, and who acts for a member.
    """
    router = APIRouter(tags=["tenders"])

    def needing(*scopes: Scope) -> Any:
        def allowed(authorization: Authorization = None) -> ApiKey:
            key = api_keys.authenticate(authorization)
            for scope in scopes:
                key.require(scope)
            return key

        return Depends(allowed)

    member, operator = needing(Scope.TENDER), needing(Scope.OPERATOR)
    _add_terms(router, draws, operator)
    _add_parts(router, draws, member)
    _add_list(router, draws, member)
    _add_result(router, draws, needing(Scope.OPERATOR, Scope.SUBMIT))
    _add_public_reads(router, reads)
    _add_reads(router, reads, member, operator)
    return router


def _add_terms(router: APIRouter, draws: Draws, needed: Any) -> None:
    bounded = APIRouter(route_class=bounded_route(MAX_TERMS_BYTES))

    @bounded.post(_DRAWS, status_code=201, response_model=RoundOut)
    def begin(tender: TenderName, body: TermsIn, _key: ApiKey = needed) -> Response:
        """Begin a round under its terms, or begin it anew as long as nobody has revealed."""
        terms = _read(Terms.from_json, body)
        begun = draws.begin(_name(tender), terms)
        return _answer(begun, 201, {"location": f"/v1/tenders/{tender}/draws/{terms.round}"})

    router.include_router(bounded)


def _add_parts(router: APIRouter, draws: Draws, needed: Any) -> None:
    bounded = APIRouter(route_class=bounded_route(MAX_PART_BYTES))

    @bounded.post(_ROUND + "/deposits", response_model=RoundOut)
    def deposit(tender: TenderName, number: Number, body: DepositIn, _key: ApiKey = needed) -> Response:
        """Take a site's deposit in: its commitment to a value, with a share for every other member."""
        return _answer(draws.add(_name(tender), number, _read(Deposit.from_json, body)))

    @bounded.post(_ROUND + "/confirmations", response_model=RoundOut)
    def confirm(tender: TenderName, number: Number, body: ConfirmationIn, _key: ApiKey = needed) -> Response:
        """Take in that a member has opened its share of every deposit, and whose lists it holds."""
        return _answer(draws.add(_name(tender), number, _read(Confirmation.from_json, body)))

    @bounded.post(_ROUND + "/reveals", response_model=RoundOut)
    def reveal(tender: TenderName, number: Number, body: RevealIn, _key: ApiKey = needed) -> Response:
        """Take a site's value in, once enough others have confirmed and the host has every list."""
        return _answer(draws.add(_name(tender), number, _read(Reveal.from_json, body)))

    @bounded.post(_ROUND + "/shares", response_model=RoundOut)
    def disclose(tender: TenderName, number: Number, body: ShareIn, _key: ApiKey = needed) -> Response:
        """Take in a member's share of a value that its site keeps back."""
        return _answer(draws.add(_name(tender), number, _read(Disclosure.from_json, body)))

    router.include_router(bounded)


def _add_list(router: APIRouter, draws: Draws, needed: Any) -> None:
    bounded = APIRouter(route_class=bounded_route(MAX_LIST_BYTES))

    @bounded.post(_ROUND + "/lists", response_model=RoundOut)
    def give_list(tender: TenderName, number: Number, body: ListIn, _key: ApiKey = needed) -> Response:
        """Take a site's list in, which is the one that it committed to, for the host alone."""
        return _answer(draws.add(_name(tender), number, _read(ExpertList.from_json, body)))

    router.include_router(bounded)


def _add_result(router: APIRouter, draws: Draws, needed: Any) -> None:
    bounded = APIRouter(route_class=bounded_route(MAX_PART_BYTES))

    @bounded.post(_ROUND + "/result", response_model=RoundOut)
    async def conclude(tender: TenderName, number: Number, body: ResultIn, key: ApiKey = needed) -> Response:
        """Hold the draw, and log its sealed file as evidence of the kind `expert-draw`."""
        return _answer(await draws.conclude(_name(tender), number, key, void=body.void))

    router.include_router(bounded)


def _add_public_reads(router: APIRouter, reads: DrawReads) -> None:
    @router.get(_DRAWS, response_model=DrawsOut)
    def list_draws(request: Request, tender: TenderName) -> Response:
        """The rounds of a tender's draw: how each stands, and whose part is missing."""
        told = [round_told(one) for one in reads.rounds(_name(tender))]
        return cached(request, orjson.dumps({"draws": told}), "application/json")

    @router.get(_ROUND, response_model=RoundOut)
    def show_round(request: Request, tender: TenderName, number: Number) -> Response:
        """A round: how it stands, and whose part is missing."""
        return cached(request, orjson.dumps(round_told(reads.round(_name(tender), number))), "application/json")

    @router.get(_ROUND + "/file", responses=_FILE)
    def show_file(request: Request, tender: TenderName, number: Number) -> Response:
        """The sealed file, as far as the draw has come: once it was held its SHA-256 is the digest of the draw."""
        return cached(request, reads.round(_name(tender), number).draw.sealed().write(), "application/json")

    @router.get(_ROUND + "/seats/{seat}", response_model=SeatProofOut)
    def show_seat(request: Request, tender: TenderName, number: Number, seat: SeatNumber) -> Response:
        """One seat of the panel with its proof, once the award is final."""
        proof = reads.seat(_name(tender), number, seat)
        return cached(request, orjson.dumps(proof.to_json()), "application/json")


def _add_reads(router: APIRouter, reads: DrawReads, member: Any, operator: Any) -> None:
    @router.get(_ROUND + "/reveals", response_model=RevealedOut)
    def show_reveals(tender: TenderName, number: Number, _key: ApiKey = member) -> Response:
        """The values and shares that came in, for the members."""
        opened = reads.round(_name(tender), number).opened
        told = {name: [each.to_json() for each in getattr(opened, name)] for name in ("reveals", "shares")}
        return _untold(orjson.dumps(told))

    @router.get(_ROUND + "/seats", response_model=SeatsOut)
    def show_seats(tender: TenderName, number: Number, _key: ApiKey = operator) -> Response:
        """Who was drawn, for the host's operator, who calls them."""
        panel = reads.drawn(_name(tender), number).panel()
        words = ["0x" + word.hex() for word in panel.words]
        return _untold(orjson.dumps({"seats": [seat.to_json() for seat in panel.seats], "words": words}))

    @router.get(_ROUND + "/opened", responses=_FILE)
    def show_opened(tender: TenderName, number: Number, _key: ApiKey = operator) -> Response:
        """The open file, with every code of every list, for the host's operator once the award is final."""
        return _untold(reads.opened(_name(tender), number))


def _answer(found: Round, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _untold(orjson.dumps(round_told(found)), status, headers)


def _untold(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that nobody on its way keeps."""
    return Response(body, status, {**(headers or {}), "cache-control": "no-store"}, media_type="application/json")


def _read(read: Callable[[object, str], Any], body: Closed) -> Any:
    """What a body says, as the library has it."""
    try:
        return read(body.model_dump(), "")
    except AnchorsError as error:
        raise Refused(error, "") from error


def _name(tender: str) -> bytes:
    return bytes.fromhex(tender[2:])
