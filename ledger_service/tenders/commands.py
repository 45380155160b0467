"""The routes by which a member acts in tenders: every act is answered with its operation, to be signed or sent.

Promises that an act is asked for with an API key, and a claim without one: whoever has the receipt may claim. What is
asked for before its time is refused before anything is stored.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from ledger_service.bodies import bounded_route
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.operations.collecting import Act
from ledger_service.operations.desk import Desk, OperationOut
from ledger_service.operations.requests import Apart
from ledger_service.tenders.claims import Claims
from ledger_service.tenders.drafts import Drafts
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.requests import (
    AnswerIn,
    AwardIn,
    CandidatesIn,
    ClaimIn,
    ClosingIn,
    EvaluationIn,
    FailureIn,
    ObjectionIn,
    OpeningIn,
    RulingIn,
    TenderAmendmentIn,
    TenderIn,
)
from ledger_service.tenders.routes import Commitment, TenderName

__all__ = ["routes"]

MAX_BODY_BYTES: Final = 512 << 10  # a thousand opened bids and as many refused ones

Authorization = Annotated[str | None, Header(description="Bearer, and an API key.")]


class _TenderDesk(Desk):
    """Takes acts in tenders in."""

    def __init__(self, ground: TenderGround) -> None:
        super().__init__(ground.engine, ground.network, ground.clock)
        self._ground = ground

    def draw_up(
        self, request: Request, response: Response, key: ApiKey, body: Apart, how: Callable[[Drafts], Act]
    ) -> OperationOut:
        """Draw an act up, or find it where the same request did."""
        return self.take(request, response, key, body, lambda session, time: how(Drafts(self._ground, session, time)))


def routes(ground: TenderGround, api_keys: ApiKeys) -> APIRouter:
    """The routes that draw up acts of the served member, and claims of anybody.

    Args:
        ground: the alliance, and the database.
        api_keys: who may act for the member.
    """
    router, desk = APIRouter(tags=["tenders"], route_class=bounded_route(MAX_BODY_BYTES)), _TenderDesk(ground)

    def allowed(authorization: Authorization = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.TENDER)

    def anybody(authorization: Authorization = None) -> ApiKey:
        return api_keys.authenticate(authorization)

    key = Depends(allowed)
    _add_notices(router, desk, key)
    _add_opening(router, desk, key)
    _add_evaluation(router, desk, key)
    _add_ends(router, desk, key)
    _add_claims(router, desk, Claims(ground), key, Depends(anybody))
    return router


def _add_notices(router: APIRouter, desk: _TenderDesk, needed: Any) -> None:
    @router.post("/v1/tenders", status_code=202)
    def publish(request: Request, response: Response, body: TenderIn, key: ApiKey = needed) -> OperationOut:
        """Announce a tender of this member, alone or with others, once an officer of each has signed."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.notice(body))

    @router.post("/v1/tenders/{tender}/amendments", status_code=202)
    def amend(
        request: Request, response: Response, tender: TenderName, body: TenderAmendmentIn, key: ApiKey = needed
    ) -> OperationOut:
        """Amend the notice before its deadline, which may only move to later."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.amendment(_name(tender), body))


def _add_opening(router: APIRouter, desk: _TenderDesk, needed: Any) -> None:
    @router.post("/v1/tenders/{tender}/closing", status_code=202)
    def close(
        request: Request, response: Response, tender: TenderName, body: ClosingIn, key: ApiKey = needed
    ) -> OperationOut:
        """Close the bids of any member's tender, from the deadline on; nobody signs."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.closing(_name(tender), body))

    @router.post("/v1/tenders/{tender}/opening", status_code=202)
    def open_bids(
        request: Request, response: Response, tender: TenderName, body: OpeningIn, key: ApiKey = needed
    ) -> OperationOut:
        """Open the bids, from the opening time on."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.opening(_name(tender), body))


def _add_evaluation(router: APIRouter, desk: _TenderDesk, needed: Any) -> None:
    @router.post("/v1/tenders/{tender}/evaluation", status_code=202)
    def evaluate(
        request: Request, response: Response, tender: TenderName, body: EvaluationIn, key: ApiKey = needed
    ) -> OperationOut:
        """Record the evaluation, its panel sealed, once an officer of each site has signed."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.evaluation(_name(tender), body))

    @router.post("/v1/tenders/{tender}/candidates", status_code=202)
    def publish_candidates(
        request: Request, response: Response, tender: TenderName, body: CandidatesIn, key: ApiKey = needed
    ) -> OperationOut:
        """Publish the candidates, for three days at the least."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.candidates(_name(tender), body))

    @router.post("/v1/tenders/{tender}/objections", status_code=202)
    def object_to(
        request: Request, response: Response, tender: TenderName, body: ObjectionIn, key: ApiKey = needed
    ) -> OperationOut:
        """Hand in a bidder's objection to the candidates of any member's tender, by this member's officer."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.objection(_name(tender), body))

    @router.post("/v1/tenders/{tender}/rulings", status_code=202)
    def rule(
        request: Request, response: Response, tender: TenderName, body: RulingIn, key: ApiKey = needed
    ) -> OperationOut:
        """Rule on an objection; one that is upheld sends the tender back to its evaluation."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.ruling(_name(tender), body))


def _add_ends(router: APIRouter, desk: _TenderDesk, needed: Any) -> None:
    @router.post("/v1/tenders/{tender}/award", status_code=202)
    def award(
        request: Request, response: Response, tender: TenderName, body: AwardIn, key: ApiKey = needed
    ) -> OperationOut:
        """Award the tender, and unseal its panel, once the candidates' time is over and no objection waits."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.award(_name(tender), body))

    @router.post("/v1/tenders/{tender}/failure", status_code=202)
    def fail(
        request: Request, response: Response, tender: TenderName, body: FailureIn, key: ApiKey = needed
    ) -> OperationOut:
        """End the tender without an award."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.failure(_name(tender), body))


def _add_claims(router: APIRouter, desk: _TenderDesk, claims: Claims, needed: Any, anybody: Any) -> None:
    @router.post("/v1/tenders/{tender}/dropped-bid-claims", status_code=202)
    def claim(
        request: Request, response: Response, tender: TenderName, body: ClaimIn, key: ApiKey = anybody
    ) -> OperationOut:
        """Claim that a bid was left out, or a late one let in, by the host's receipt; sent as it is."""
        under_way = claims.under_way(body)
        if under_way is not None:
            return desk.accepted(response, under_way)
        name = _name(tender)
        return desk.take(request, response, key, body, lambda session, time: claims.draw_up(session, time, name, body))

    @router.post("/v1/tenders/{tender}/claims/{commitment}/answer", status_code=202)
    def answer(
        request: Request,
        response: Response,
        tender: TenderName,
        commitment: Commitment,
        body: AnswerIn,
        key: ApiKey = needed,
    ) -> OperationOut:
        """Answer a claim: by the word of the bid's holder, or by the refusal that the opening named; sent as it is."""
        name, bid = _name(tender), _name(commitment)
        return desk.take(
            request, response, key, body, lambda session, time: claims.answer(session, time, name, bid, body)
        )


def _name(tender: str) -> bytes:
    return bytes.fromhex(tender[2:])
