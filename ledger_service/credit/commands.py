"""The routes by which a member acts on credit records: every act is answered with its operation, to be signed.

Promises that an act is asked for with an API key, that the same request under the same Idempotency-Key is one act, and
that a signature needs no key: whoever signs is known by the signature.
"""

import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from anchors.credit import State as RecordState
from ledger_service.bodies import bounded_route
from ledger_service.credit.drafts import Drafts
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.operations import Act, Caller, Operations, State
from ledger_service.credit.requests import (
    Apart,
    BatchIn,
    ChoiceIn,
    EndorsementIn,
    KindName,
    ObjectionIn,
    RecordsIn,
    RepairIn,
    RulingIn,
    WithdrawalIn,
    said,
)
from ledger_service.credit.tables import Operation
from ledger_service.errors import BadRequest, InvalidContent
from ledger_service.index.asof import moment
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.pages import Limit, cursor_query, link_next, read_cursor

MAX_BODY_BYTES: Final = 256 << 10  # 50 records, each with all measures that there can be
RecordName = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The record's name.")]
MemberCode = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="Code of the member that issued them.")]
OperationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="From the answer to the act.")]
Cursor = Annotated[str | None, cursor_query(1)]
StateQuery = Annotated[State | None, Query(description="Only operations in this state.")]
_VISIBLE: Final = re.compile(r"[!-~]{1,255}")

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]


class NeededOut(BaseModel):
    """Whose signatures an operation takes; those of other members' regulators are endorsements."""

    publisher: bool
    regulator: bool
    endorsements: int


class SignatureOut(BaseModel):
    """Who has signed."""

    role: Literal["publisher", "regulator", "endorser"]
    member: str
    address: str


class ErrorOut(BaseModel):
    """Why an operation was refused: the contract's error by name, or the problem type of a rule."""

    name: str
    detail: str


class OperationOut(BaseModel):
    """An act, who has signed it, and how far it has come."""

    id: str
    act: Literal["publish", "object", "uphold", "correct", "withdraw", "repair", "change", "recognise"]
    state: State
    deadline: int
    digest: str
    typed_data: dict[str, Any]
    needed: NeededOut
    signatures: list[SignatureOut]
    records: list[str]
    request: dict[str, Any]
    transaction: str | None
    block: int | None
    error: ErrorOut | None
    created_at: str


class OperationsOut(BaseModel):
    """A page of operations."""

    operations: list[OperationOut]


class _Desk:
    """Takes acts in for one member, and tells how they stand."""

    def __init__(self, ground: CreditGround) -> None:
        self._ground = ground
        self.operations = Operations(ground.engine, ground.clock)

    def take(
        self, request: Request, response: Response, key: ApiKey, body: Apart, draw_up: Callable[[Drafts], Act]
    ) -> OperationOut:
        """Draw an act up, or find it where the same request did."""
        caller = _caller(request, key, body)
        operation = self.operations.repeated(caller)
        if operation is None:
            with Session(self._ground.engine) as session:
                time = moment(session, None, self._ground.clock()).time
                act = draw_up(Drafts(self._ground, session, time))
            signatures = [bytes.fromhex(signature[2:]) for signature in body.signatures]
            operation = self.operations.draw_up(act, signatures, caller)
        return self.accepted(response, operation)

    def accepted(self, response: Response, operation: Operation) -> OperationOut:
        """The answer that an operation is under way."""
        response.headers["location"] = f"/v1/operations/{operation.id}"
        return self.shown(response, operation)

    def shown(self, response: Response, operation: Operation) -> OperationOut:
        """An operation as it stands now."""
        response.headers["cache-control"] = "no-store"
        return self.told(operation)

    def told(self, operation: Operation) -> OperationOut:
        """An operation as the API writes it."""
        names = [operation.names[at : at + 32] for at in range(0, len(operation.names), 32)]
        error = None
        if operation.error_name is not None:
            error = ErrorOut(name=operation.error_name, detail=operation.error_detail or "")
        return OperationOut.model_validate(
            {
                "id": operation.id,
                "act": operation.act,
                "state": self.operations.state_of(operation),
                "deadline": operation.deadline,
                "digest": _hex(operation.digest),
                "typed_data": json.loads(operation.typed_data),
                "needed": NeededOut.model_validate(operation, from_attributes=True),
                "signatures": self._signatures(operation),
                "records": [_hex(name) for name in names],
                "request": json.loads(operation.request),
                "transaction": None if operation.transaction_hash is None else _hex(operation.transaction_hash),
                "block": operation.block_number,
                "error": error,
                "created_at": _time(operation.created_at),
            }
        )

    def _signatures(self, operation: Operation) -> list[dict[str, str]]:
        return [
            {"role": row.role, "member": self._ground.code_of(row.member), "address": _hex(row.address)}
            for row in self.operations.signatures(operation)
        ]


def routes(ground: CreditGround, api_keys: ApiKeys) -> APIRouter:
    """The routes that draw up acts of the served member, take signatures, and tell of operations."""
    router, desk = APIRouter(tags=["credit"], route_class=bounded_route(MAX_BODY_BYTES)), _Desk(ground)

    def allowed(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.CREDIT)

    key = Depends(allowed)
    _add_records(router, desk, key)
    _add_changes(router, desk, key)
    _add_recognition(router, desk, key)
    _add_operations(router, desk, key)
    return router


def _add_records(router: APIRouter, desk: _Desk, needed: Any) -> None:
    @router.post("/v1/credit/records", status_code=202)
    def publish(request: Request, response: Response, body: RecordsIn, key: ApiKey = needed) -> OperationOut:
        """Publish records of this member, once its two roles have signed; serious dishonesty needs others as well."""
        return desk.take(request, response, key, body, lambda drafts: drafts.publication(body))

    @router.post("/v1/credit/records/{record}/objections", status_code=202)
    def object_to(
        request: Request, response: Response, record: RecordName, body: ObjectionIn, key: ApiKey = needed
    ) -> OperationOut:
        """Hand in an objection to any member's record, once this member's credit publisher has signed."""
        name = _name(record)
        return desk.take(request, response, key, body, lambda drafts: drafts.objection(name, body, body.grounds))


def _add_changes(router: APIRouter, desk: _Desk, needed: Any) -> None:
    @router.post("/v1/credit/records/{record}/rulings", status_code=202)
    def rule(
        request: Request, response: Response, record: RecordName, body: RulingIn, key: ApiKey = needed
    ) -> OperationOut:
        """Uphold or correct a record that is disputed."""
        if (body.ruling == "correct") != (body.content is not None):
            raise InvalidContent("A correction has a content, and nothing else does.", facts={"pointer": "/content"})
        name, state = _name(record), RecordState.CORRECTED if body.content else RecordState.UPHELD
        return desk.take(
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
        return desk.take(
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
        return desk.take(
            request,
            response,
            key,
            body,
            lambda drafts: drafts.decision("withdraw", name, body, state, grounds=body.grounds),
        )

    @router.post("/v1/credit/changes", status_code=202)
    def change(request: Request, response: Response, body: BatchIn, key: ApiKey = needed) -> OperationOut:
        """Uphold, withdraw or repair records of up to 50 companies under one set of signatures."""
        return desk.take(request, response, key, body, lambda drafts: drafts.decisions(body))


def _add_recognition(router: APIRouter, desk: _Desk, needed: Any) -> None:
    @router.put("/v1/recognition/kinds/{issuer}/{kind}", status_code=202)
    def recognise_kind(
        request: Request, response: Response, issuer: MemberCode, kind: KindName, body: ChoiceIn, key: ApiKey = needed
    ) -> OperationOut:
        """Opt out of what another member issues of a kind, or in again."""
        return desk.take(request, response, key, body, lambda drafts: drafts.choice_of_kind(issuer, kind, body))

    @router.put("/v1/recognition/records/{record}", status_code=202)
    def recognise_record(
        request: Request, response: Response, record: RecordName, body: ChoiceIn, key: ApiKey = needed
    ) -> OperationOut:
        """Opt out of one record of another member, or in again."""
        name = _name(record)
        return desk.take(request, response, key, body, lambda drafts: drafts.choice_of_record(name, body))


def _add_operations(router: APIRouter, desk: _Desk, needed: Any) -> None:
    @router.post("/v1/credit/endorsements", status_code=202)
    def endorse(response: Response, body: EndorsementIn) -> OperationOut:
        """Hand in a signature for an operation: the roles of the member whose act it is, or another's regulator."""
        signature = bytes.fromhex(body.signature[2:])
        return desk.accepted(response, desk.operations.sign(body.operation, signature))

    @router.get("/v1/operations/{operation}")
    def show_operation(response: Response, operation: OperationId) -> OperationOut:
        """Tell how far an act has come, to whoever has its id."""
        return desk.shown(response, desk.operations.find(operation))

    @router.get("/v1/operations")
    def list_operations(
        request: Request,
        response: Response,
        state: StateQuery = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        _key: ApiKey = needed,
    ) -> OperationsOut:
        """List this member's acts, the oldest first."""
        (after,) = read_cursor(cursor) or (0,)
        found = desk.operations.page(state, after, limit)
        if len(found) == limit:
            link_next(request, response, [found[-1].number or 0])
        response.headers["cache-control"] = "no-store"
        return OperationsOut(operations=[desk.told(operation) for operation in found])


def _caller(request: Request, key: ApiKey, body: Apart) -> Caller:
    asked = [request.method, request.url.path, said(body), body.deadline, list(body.signatures)]
    fingerprint = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
    return Caller(key.id, _idempotency_key(request.headers.getlist("idempotency-key")), fingerprint)


def _idempotency_key(fields: list[str]) -> str | None:
    """The key, which may come bare or as a quoted string (RFC 9651, 3.3.3)."""
    if not fields:
        return None
    key = fields[0]
    if len(key) > 2 and key[0] == key[-1] == '"':
        key = re.sub(r"\\(.)", r"\1", key[1:-1])
    if len(fields) > 1 or not _VISIBLE.fullmatch(key):
        raise BadRequest(
            "The Idempotency-Key comes once, as 1 to 255 visible ASCII characters.", facts={"field": "Idempotency-Key"}
        )
    return key


def _name(record: str) -> bytes:
    return bytes.fromhex(record[2:])


def _time(moment_: datetime) -> str:
    return moment_.strftime("%Y-%m-%dT%H:%M:%SZ")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
