"""The routes by which a member acts on credit records: every act is answered with its operation, to be signed.

Promises that an act is asked for with an API key, that the same request under the same Idempotency-Key is one act, and
that a signature needs no key: whoever signs is known by the signature.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from anchors.credit import State as RecordState
from ledger_service.bodies import bounded_route
from ledger_service.credit.drafts import Drafts
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.requests import (
    BatchIn,
    ChoiceIn,
    EndorsementIn,
    KindName,
    ObjectionIn,
    RecordsIn,
    RepairIn,
    RulingIn,
    WithdrawalIn,
)
from ledger_service.errors import InvalidContent
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.operations.collecting import Act
from ledger_service.operations.desk import Desk, OperationOut
from ledger_service.operations.requests import Apart

MAX_BODY_BYTES: Final = 256 << 10  # 50 records, each with all measures that there can be
RecordName = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The record's name.")]
MemberCode = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="Code of the member that issued them.")]


class _CreditDesk(Desk):
    """Takes credit acts in."""

    def __init__(self, ground: CreditGround) -> None:
        super().__init__(ground.engine, ground.network, ground.clock)
        self._ground = ground

    def draw_up(
        self, request: Request, response: Response, key: ApiKey, body: Apart, how: Callable[[Drafts], Act]
    ) -> OperationOut:
        """Draw an act up, or find it where the same request did."""
        return self.take(request, response, key, body, lambda session, time: how(Drafts(self._ground, session, time)))


def routes(ground: CreditGround, api_keys: ApiKeys) -> APIRouter:
    """The routes that draw up acts of the served member, and take endorsements."""
    router, desk = APIRouter(tags=["credit"], route_class=bounded_route(MAX_BODY_BYTES)), _CreditDesk(ground)

    def allowed(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.CREDIT)

    key = Depends(allowed)
    _add_records(router, desk, key)
    _add_changes(router, desk, key)
    _add_recognition(router, desk, key)
    _add_endorsements(router, desk)
    return router


def _add_records(router: APIRouter, desk: _CreditDesk, needed: Any) -> None:
    @router.post("/v1/credit/records", status_code=202)
    def publish(request: Request, response: Response, body: RecordsIn, key: ApiKey = needed) -> OperationOut:
        """Publish records of this member, once its two roles have signed; serious dishonesty needs others as well."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.publication(body))

    @router.post("/v1/credit/records/{record}/objections", status_code=202)
    def object_to(
        request: Request, response: Response, record: RecordName, body: ObjectionIn, key: ApiKey = needed
    ) -> OperationOut:
        """Hand in an objection to any member's record, once this member's credit publisher has signed."""
        name = _name(record)
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.objection(name, body, body.grounds))


def _add_changes(router: APIRouter, desk: _CreditDesk, needed: Any) -> None:
    @router.post("/v1/credit/records/{record}/rulings", status_code=202)
    def rule(
        request: Request, response: Response, record: RecordName, body: RulingIn, key: ApiKey = needed
    ) -> OperationOut:
        """Uphold or correct a record that is disputed."""
        if (body.ruling == "correct") != (body.content is not None):
            raise InvalidContent("A correction has a content, and nothing else does.", facts={"pointer": "/content"})
        name, state = _name(record), RecordState.CORRECTED if body.content else RecordState.UPHELD
        return desk.draw_up(
            request,
            response,
            key,
            body,
            lambda drafts: drafts.decision(body.ruling, name, body, state, grounds=body.grounds, content=body.content),
        )

    @router.post("/v1/credit/records/{record}/repairs", status_code=202)
    def repair(
        request: Request, response: Response, record: RecordName, body: RepairIn, key: ApiKey = needed
    ) -> OperationOut:
        """End a record whose wrong was put right, after its least period."""
        name, state = _name(record), RecordState.REPAIRED
        return desk.draw_up(
            request,
            response,
            key,
            body,
            lambda drafts: drafts.decision("repair", name, body, state, grounds=body.grounds, pledge=body.pledge),
        )

    @router.post("/v1/credit/records/{record}/withdrawal", status_code=202)
    def withdraw(
        request: Request, response: Response, record: RecordName, body: WithdrawalIn, key: ApiKey = needed
    ) -> OperationOut:
        """Take back a record that never should have been."""
        name, state = _name(record), RecordState.WITHDRAWN
        return desk.draw_up(
            request,
            response,
            key,
            body,
            lambda drafts: drafts.decision("withdraw", name, body, state, grounds=body.grounds),
        )

    @router.post("/v1/credit/changes", status_code=202)
    def change(request: Request, response: Response, body: BatchIn, key: ApiKey = needed) -> OperationOut:
        """Uphold, withdraw or repair records of up to 50 companies under one set of signatures."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.decisions(body))


def _add_recognition(router: APIRouter, desk: _CreditDesk, needed: Any) -> None:
    @router.put("/v1/recognition/kinds/{issuer}/{kind}", status_code=202)
    def recognise_kind(
        request: Request, response: Response, issuer: MemberCode, kind: KindName, body: ChoiceIn, key: ApiKey = needed
    ) -> OperationOut:
        """Opt out of what another member issues of a kind, or in again."""
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.choice_of_kind(issuer, kind, body))

    @router.put("/v1/recognition/records/{record}", status_code=202)
    def recognise_record(
        request: Request, response: Response, record: RecordName, body: ChoiceIn, key: ApiKey = needed
    ) -> OperationOut:
        """Opt out of one record of another member, or in again."""
        name = _name(record)
        return desk.draw_up(request, response, key, body, lambda drafts: drafts.choice_of_record(name, body))


def _add_endorsements(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/credit/endorsements", status_code=202)
    def endorse(response: Response, body: EndorsementIn) -> OperationOut:
        """Hand in a signature for an operation: the roles of the member whose act it is, or another's regulator."""
        return desk.sign(response, body.operation, body.signature)


def _name(record: str) -> bytes:
    return bytes.fromhex(record[2:])
