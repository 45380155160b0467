"""How acts are taken in and told of: the same for every slice that lets a member act.

Promises that the same request under the same Idempotency-Key is one act, and one form in which operations are answered.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from anchors.network import Network
from ledger_service.errors import BadRequest
from ledger_service.index.asof import moment
from ledger_service.log.api_keys import ApiKey
from ledger_service.operations.collecting import Act, Caller, Operations, State, needed
from ledger_service.operations.requests import Apart, said
from ledger_service.operations.signers import OFFICER, PUBLISHER, REGULATOR
from ledger_service.operations.tables import Operation

__all__ = ["Desk", "OperationOut"]

_VISIBLE: Final = re.compile(r"[!-~]{1,255}")


class NeededOut(BaseModel):
    """Whose signatures an operation takes; those of other members' regulators are endorsements."""

    publisher: bool
    regulator: bool
    endorsements: int


class NeededWithOfficersOut(NeededOut):
    """Of an act in a tender also the members whose tender officers must sign, by their codes."""

    officers: list[str]


class SignatureOut(BaseModel):
    """Who has signed."""

    role: Literal["publisher", "regulator", "officer", "endorser"]
    member: str
    address: str


class ErrorOut(BaseModel):
    """Why an operation was refused: the contract's error by name, or the problem type of a rule."""

    name: str
    detail: str


class OperationOut(BaseModel):
    """An act, who has signed it, and how far it has come."""

    id: str
    act: str
    state: State
    deadline: int
    digest: str
    typed_data: dict[str, Any]
    needed: NeededWithOfficersOut | NeededOut
    signatures: list[SignatureOut]
    records: list[str]
    request: dict[str, Any]
    transaction: str | None
    block: int | None
    error: ErrorOut | None
    created_at: str


class Desk:
    """Takes acts in for one member, and tells how they stand.

    Args:
        engine: the database, with the index.
        network: whose members are named.
        clock: the time, aware, UTC.
    """

    def __init__(self, engine: Engine, network: Network, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._codes = {member.number: member.code for member in network.members}
        self.operations = Operations(engine, clock)

    def take(
        self, request: Request, response: Response, key: ApiKey, body: Apart, draw_up: Callable[[Session, int], Act]
    ) -> OperationOut:
        """Draw an act up, by the index and at the chain's time, or find it where the same request did."""
        caller = _caller(request, key, body)
        operation = self.operations.repeated(caller)
        if operation is None:
            with Session(self._engine) as session:
                act = draw_up(session, moment(session, None, self._clock()).time)
            signatures = [bytes.fromhex(signature[2:]) for signature in body.signatures]
            operation = self.operations.draw_up(act, signatures, caller)
        return self.accepted(response, operation)

    def sign(self, response: Response, identifier: str, signature: str) -> OperationOut:
        """Keep a signature for an operation."""
        return self.accepted(response, self.operations.sign(identifier, bytes.fromhex(signature[2:])))

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
                "needed": self._needed(operation),
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
            {"role": row.role, "member": self._code(row.member), "address": _hex(row.address)}
            for row in self.operations.signatures(operation)
        ]

    def _needed(self, operation: Operation) -> dict[str, Any]:
        wanted = needed(operation)
        officers = [self._code(seat.member) for seat in wanted.seats if seat.role == OFFICER]
        return {
            "publisher": wanted.has(PUBLISHER),
            "regulator": wanted.has(REGULATOR),
            "endorsements": wanted.endorsements,
            **({"officers": officers} if officers else {}),
        }

    def _code(self, number: int) -> str:
        """The code of a member; of one that the network file does not know, the number."""
        return self._codes.get(number, str(number))


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


def _time(moment_: datetime) -> str:
    return moment_.strftime("%Y-%m-%dT%H:%M:%SZ")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
