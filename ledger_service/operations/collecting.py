"""Operations: acts that wait for the signatures of several people, then for their block.

Promises that only signatures that count are kept, each signer once and each member once in a role, and that an
operation is ready in the very transaction that completes it. What an act says is for whoever drew it up, bringing it to
the chain for `sending`.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import structlog
from sqlalchemy import Engine, and_, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from ledger_service.errors import IdempotencyMismatch, InvalidContent, NotFound, ServiceError
from ledger_service.index.asof import moment
from ledger_service.operations.signers import ENDORSER, Needed, Seat, Signed, who_signed
from ledger_service.operations.tables import Operation, Signature

log = structlog.get_logger(__name__)

OTHERS_LOOKED_AT: Final = 200  # operations for which a signature by nobody may have been meant


class State(StrEnum):
    """How far an operation has come."""

    COLLECTING = "collecting"  # signatures are missing
    READY = "ready"  # to be sent
    SENT = "sent"
    MINED = "mined"  # in a block that may still be given up
    FINAL = "final"
    REFUSED = "refused"  # by the contract, or since another act came first
    EXPIRED = "expired"  # the deadline is over


class OperationExpired(ServiceError):
    """A signature after the deadline."""

    problem, title, status = "operation-expired", "The operation's deadline is over", 409


class OperationClosed(ServiceError):
    """A signature for an operation that takes no more."""

    problem, title, status = "operation-closed", "The operation takes no more signatures", 409


class SignedAlready(InvalidContent):
    """A second signature of one signer, or of one member in one role."""

    problem, title = "signed-already", "The signer has signed already"


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be signed, and whatever its contract must be called with."""

    kind: str  # such as publish
    digest: bytes  # 32 bytes
    typed_data: Mapping[str, Any]
    deadline: int  # POSIX seconds
    needed: Needed
    names: Sequence[bytes]  # of the records that it is about, 32 bytes each
    request: Mapping[str, Any]  # JSON values: what was asked for
    draft: Mapping[str, Any]  # JSON values


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for an act, so that a repeat finds it."""

    api_key: str
    idempotency_key: str | None
    fingerprint: bytes  # of the request, 32 bytes


@dataclass(frozen=True, slots=True)
class Collected:
    """An operation's signatures, 65 bytes each."""

    own: Mapping[Seat, bytes]  # by whose they are
    endorsements: tuple[bytes, ...]  # of other members' regulators

    def one(self, role: str) -> bytes:
        """The one in a role that one member has; empty where the act takes none in it."""
        return next(iter(self.all(role)), b"")

    def all(self, role: str) -> tuple[bytes, ...]:
        """Those in a role, by the members' numbers."""
        return tuple(signature for seat, signature in sorted(self.own.items()) if seat.role == role)


class Operations:
    """The acts of one member.

    Args:
        engine: the database, with the index.
        clock: the time, aware, UTC.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def repeated(self, caller: Caller) -> Operation | None:
        """The operation that the same request made before; None where it is new.

        Raises:
            IdempotencyMismatch: its key was used for another request.
        """
        if caller.idempotency_key is None:
            return None
        with Session(self._engine, expire_on_commit=False) as session:
            same = (Operation.api_key == caller.api_key, Operation.idempotency_key == caller.idempotency_key)
            found = session.exec(select(Operation).where(*same)).first()
        if found is not None and found.fingerprint != caller.fingerprint:
            raise IdempotencyMismatch("The Idempotency-Key was used for another act; take a new one for each.")
        return found

    def draw_up(self, act: Act, signatures: Sequence[bytes], caller: Caller) -> Operation:
        """Keep an act with the signatures that there are already: all of them, or nothing.

        Raises:
            ServiceError: what `who_signed` raises of one of them.
            SignedAlready: two of them are of one signer, or of one member in one role.
        """
        operation = self._row(act, caller)
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                time = moment(session, None, self._clock()).time
                signed = [self._who_signed(session, operation, signature, time) for signature in signatures]
                session.add(operation)
                session.flush()
                for each in signed:
                    self._keep(session, operation, each)
                self._complete(session, operation)
                session.commit()
        except IntegrityError:  # the same request came at the same time
            repeated = self.repeated(caller)
            if repeated is None:
                raise
            return repeated
        log.info("operation_drawn_up", operation=operation.id, act=operation.act, state=operation.state)
        return operation

    def sign(self, identifier: str, signature: bytes) -> Operation:
        """Keep a signature for an operation; the same one again changes nothing.

        Raises:
            NotFound: there is no such operation.
            OperationExpired, OperationClosed: it takes no more signatures.
            ServiceError: what `who_signed` raises.
            SignedAlready: its signer has given another one, or its member has signed in that role.
        """
        with Session(self._engine, expire_on_commit=False) as session:
            operation = _found(session.exec(select(Operation).where(Operation.id == identifier)).first())
            if _is_kept(session, operation, signature):
                return operation
            time = moment(session, None, self._clock()).time
            _check_open(operation, time)
            signed = self._who_signed(session, operation, signature, time)
            _lock(session, operation)
            if _is_kept(session, operation, signature):  # by the same request at the same time
                return operation
            _check_open(operation, time)
            self._keep(session, operation, signed)
            self._complete(session, operation)
            session.commit()
        log.info("operation_signed", operation=operation.id, role=signed.role, member=signed.member)
        return operation

    def find(self, identifier: str) -> Operation:
        """The operation of that id; raises NotFound."""
        with Session(self._engine, expire_on_commit=False) as session:
            return _found(session.exec(select(Operation).where(Operation.id == identifier)).first())

    def page(self, state: State | None, after: int, limit: int) -> list[Operation]:
        """Operations in a state, or all, in the order in which they were drawn up, from a number on."""
        with Session(self._engine, expire_on_commit=False) as session:
            rows = select(Operation).where(col(Operation.number) > after).order_by(col(Operation.number)).limit(limit)
            if state is not None:
                time = moment(session, None, self._clock()).time
                over = and_(col(Operation.state) == State.COLLECTING, col(Operation.deadline) < time)
                stored = col(Operation.state) == state
                rows = rows.where(or_(stored, over) if state is State.EXPIRED else and_(stored, ~over))
            return list(session.exec(rows))

    def state_of(self, operation: Operation) -> State:
        """An operation's state now: one whose deadline is over waits for nobody."""
        if operation.state == State.COLLECTING:
            with Session(self._engine) as session:
                if operation.deadline < moment(session, None, self._clock()).time:
                    return State.EXPIRED
        return State(operation.state)

    def signatures(self, operation: Operation) -> list[Signature]:
        """The signatures of an operation, in the order in which they came."""
        with Session(self._engine) as session:
            return kept_signatures(session, operation)

    def _row(self, act: Act, caller: Caller) -> Operation:
        repeats = caller.idempotency_key is not None
        return Operation(
            id=secrets.token_hex(16),
            act=act.kind,
            state=State.COLLECTING,
            member=act.needed.member,
            digest=act.digest,
            typed_data=json.dumps(act.typed_data),
            deadline=act.deadline,
            seats=json.dumps(act.needed.seats),
            endorsements=act.needed.endorsements,
            names=b"".join(act.names),
            request=json.dumps(act.request, ensure_ascii=False),
            draft=json.dumps(act.draft),
            created_at=self._clock(),
            api_key=caller.api_key,
            idempotency_key=caller.idempotency_key,
            fingerprint=caller.fingerprint if repeats else None,
        )

    def _who_signed(self, session: Session, operation: Operation, signature: bytes, time: int) -> Signed:
        newest = select(Operation.digest).order_by(col(Operation.number).desc()).limit(OTHERS_LOOKED_AT)
        others = session.exec(newest.where(Operation.digest != operation.digest)).all()
        return who_signed(session, operation.digest, needed(operation), signature, time, others)

    def _keep(self, session: Session, operation: Operation, signed: Signed) -> None:
        row = Signature(
            operation=operation.number or 0,
            address=signed.address,
            role=signed.role,
            member=signed.member,
            signature=signed.signature,
            given_at=self._clock(),
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError as error:
            raise SignedAlready(
                f"0x{signed.address.hex()} has signed this already, or another key of its member in the same role "
                f"({signed.role}); the others that are needed are still missing."
            ) from error

    def _complete(self, session: Session, operation: Operation) -> None:
        """Make an operation ready that has all its signatures."""
        given, wanted = collected(session, operation), needed(operation)
        if set(wanted.seats) <= set(given.own) and len(given.endorsements) >= wanted.endorsements:
            operation.state = State.READY
            session.add(operation)


def needed(operation: Operation) -> Needed:
    """Whose signatures an operation takes."""
    seats = tuple(Seat(role, member) for role, member in json.loads(operation.seats))
    return Needed(operation.member, seats, operation.endorsements)


def collected(session: Session, operation: Operation) -> Collected:
    """An operation's signatures, for its contract."""
    rows = kept_signatures(session, operation)
    own = {Seat(row.role, row.member): row.signature for row in rows if row.role != ENDORSER}
    return Collected(own, tuple(row.signature for row in rows if row.role == ENDORSER))


def kept_signatures(session: Session, operation: Operation) -> list[Signature]:
    """The signatures of an operation, in the order in which they came."""
    rows = select(Signature).where(Signature.operation == operation.number)
    return list(session.exec(rows.order_by(col(Signature.given_at), col(Signature.address))))


def _lock(session: Session, operation: Operation) -> None:
    """Read an operation anew, with nobody else completing it: all databases lock a row by writing it."""
    this = col(Operation.number) == operation.number
    session.execute(update(Operation).where(this).values(id=operation.id))
    session.refresh(operation)


def _found(operation: Operation | None) -> Operation:
    if operation is None:
        raise NotFound("There is no such operation; its id is in the answer to the act, and only there.")
    return operation


def _is_kept(session: Session, operation: Operation, signature: bytes) -> bool:
    same = (Signature.operation == operation.number, Signature.signature == signature)
    return session.exec(select(Signature).where(*same)).first() is not None


def _check_open(operation: Operation, time: int) -> None:
    if operation.state == State.EXPIRED or (operation.state == State.COLLECTING and operation.deadline < time):
        raise OperationExpired("The deadline of the operation is over; ask for the act again.")
    if operation.state != State.COLLECTING:
        raise OperationClosed(f"The operation is {operation.state} and takes no more signatures.")
