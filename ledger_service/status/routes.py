"""`/v1/status`, `/healthz`, `/readyz` and `/metrics`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Header, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy import Engine, func, text
from sqlmodel import Session, col, select

from anchors.network import Network
from ledger_service import conditions
from ledger_service.anchoring.tables import OutboxEntry
from ledger_service.anchoring.withdrawals import outstanding, withdrawn
from ledger_service.chain.finality import Finality
from ledger_service.errors import Unavailable
from ledger_service.index.queries import (
    Progress,
    dated_anchors,
    final_block,
    newest_blocks,
    progress,
    reorganisations,
)
from ledger_service.index.tables import Anchor
from ledger_service.log.api_keys import ApiKeys, Scope
from ledger_service.log.reader import LogReader
from ledger_service.status.sealing import WINDOW, Sealing, observe
from ledger_service.status.troubles import Facts, troubles


class ValidatorsOut(BaseModel):
    """How the validators in force did in the last `blocks` blocks."""

    count: int
    seen: int  # of them sealed any of these blocks
    blocks: int
    silent: list[str]  # have not sealed for many of their turns
    needed: int  # keep the chain going
    may_fail: int  # of those that seal now
    round_changes: int | None  # BFT: blocks whose first proposer failed


class ChainOut(BaseModel):
    """The chain as the index has followed it. No `validators` where nobody seals."""

    id: int
    consensus: str
    head: int | None
    head_time: datetime | None
    final: int | None
    finality_lag: int | None  # blocks from the last final one to the head
    block_seconds: float | None  # the usual time between two blocks
    sealed_by: str
    validators: ValidatorsOut | None
    reorganisations: int


class WithdrawnEvidenceOut(BaseModel):
    """Proofs whose block was reversed; those that are outstanding are not proven anew yet."""

    count: int
    outstanding: int
    newest_block: int | None
    newest_seen_at: datetime | None


class LogOut(BaseModel):
    """The log as it is published. `witnessed` is its largest size that the policy's quorum has cosigned."""

    origin: str
    size: int
    root: str | None
    witnessed: int | None


class IndexOut(BaseModel):
    """How far the index is."""

    block: int | None
    lag: int | None
    verified_block: int | None


class LastAnchorOut(BaseModel):
    """The newest anchor of this log."""

    size: int
    block_number: int
    time: datetime


class ConditionOut(BaseModel):
    """One thing that is wrong now."""

    part: str
    problem: str
    detail: str
    since: datetime


class OutboxOut(BaseModel):
    """The transactions under way."""

    waiting: int
    size_due: int


class StatusOut(BaseModel):
    """How the service is. `outbox` is for a key with the operator's scope."""

    member: str
    chain: ChainOut
    log: LogOut
    index: IndexOut
    last_anchor: LastAnchorOut | None
    withdrawn: WithdrawnEvidenceOut
    conditions: list[ConditionOut]
    outbox: OutboxOut | None


class HealthOut(BaseModel):
    """It is well."""

    status: str = "ok"


@dataclass(frozen=True, slots=True)
class Watched:
    """What the status is of."""

    engine: Engine
    reader: LogReader
    network: Network
    member: int
    generation: int
    finality: Finality
    api_keys: ApiKeys
    accepting: Callable[[], bool]
    clock: Callable[[], datetime]  # aware, UTC
    witnessed: Callable[[], int | None]


def routes(watched: Watched) -> APIRouter:
    """The routes of this slice."""
    router = APIRouter(tags=["status"])

    @router.get("/v1/status")
    def show_status(authorization: str | None = Header(default=None)) -> StatusOut:
        """Chain head, finality, validators, index lag, log size, last anchor, and what is wrong in words."""
        operator = Scope.OPERATOR in watched.api_keys.authenticate(authorization).scopes
        with Session(watched.engine) as session:
            return _status(watched, session, operator=operator)

    @router.get("/healthz")
    def show_health() -> HealthOut:
        """The process answers."""
        return HealthOut()

    @router.get("/readyz")
    def show_readiness() -> HealthOut:
        """The database answers and commitments are accepted; whether the chain answers is in the status."""
        with Session(watched.engine) as session:
            session.connection().execute(text("SELECT 1"))
        if not watched.accepting():
            raise Unavailable("The log's writer does not run; see the service's log.", retry_after=1)
        return HealthOut()

    @router.get("/metrics", response_class=Response)
    def show_metrics(authorization: str | None = Header(default=None)) -> Response:
        """Prometheus metrics, for a key with the operator's scope."""
        watched.api_keys.authenticate(authorization).require(Scope.OPERATOR)
        with Session(watched.engine) as session:
            state = _status(watched, session, operator=True)
        return Response(_metrics(state), media_type=CONTENT_TYPE_LATEST)

    return router


def _status(watched: Watched, session: Session, *, operator: bool) -> StatusOut:
    how_far = progress(session)
    latest = watched.reader.latest_checkpoint()
    member = watched.network.member(watched.member)
    last_anchor = _last_anchor(watched, session)
    size = latest.size if latest else 0
    sealing = observe(watched.network.consensus, newest_blocks(session, WINDOW))
    return StatusOut(
        member=member.code,
        chain=_chain(watched, session, how_far, sealing),
        log=LogOut(
            origin=watched.network.origin(member, watched.generation),
            size=size,
            root=f"0x{latest.root.hex()}" if latest else None,
            witnessed=watched.witnessed(),
        ),
        index=IndexOut(block=how_far.block, lag=how_far.lag, verified_block=how_far.verified_block),
        last_anchor=last_anchor,
        withdrawn=_withdrawn(watched, session),
        conditions=_conditions(watched, session, how_far, sealing),
        outbox=_outbox(session, size - (last_anchor.size if last_anchor else 0)) if operator else None,
    )


def _chain(watched: Watched, session: Session, how_far: Progress, sealing: Sealing | None) -> ChainOut:
    final = final_block(session, watched.finality)
    return ChainOut(
        id=watched.network.chain_id,
        consensus=watched.network.consensus,
        head=how_far.block,
        head_time=None if how_far.block_time is None else datetime.fromtimestamp(how_far.block_time, UTC),
        final=final,
        finality_lag=None if how_far.block is None or final is None else how_far.block - final,
        block_seconds=sealing.block_seconds if sealing else None,
        sealed_by=_sealed_by(watched, sealing),
        validators=_validators(sealing) if sealing else None,
        reorganisations=reorganisations(session)[0],
    )


def _sealed_by(watched: Watched, sealing: Sealing | None) -> str:
    if not watched.finality.seals:
        return "nobody: a development chain"
    if sealing is None:
        return "not seen yet"
    return f"{sealing.seen} of {sealing.validators} validators in the last {sealing.blocks} blocks"


def _validators(sealing: Sealing) -> ValidatorsOut:
    return ValidatorsOut(
        count=sealing.validators,
        seen=sealing.seen,
        blocks=sealing.blocks,
        silent=[f"0x{one.hex()}" for one in sealing.silent],
        needed=sealing.needed,
        may_fail=sealing.may_fail,
        round_changes=sealing.round_changes,
    )


def _withdrawn(watched: Watched, session: Session) -> WithdrawnEvidenceOut:
    count, newest = withdrawn(session, watched.generation)
    return WithdrawnEvidenceOut(
        count=count,
        outstanding=len(outstanding(session, watched.generation)),
        newest_block=newest.block_number if newest else None,
        newest_seen_at=newest.seen_at.replace(tzinfo=UTC) if newest else None,
    )


def _last_anchor(watched: Watched, session: Session) -> LastAnchorOut | None:
    log = (Anchor.member == watched.member, Anchor.generation == watched.generation)
    for newest in dated_anchors(session, *log, limit=1, newest=True):
        anchor, time = newest.anchor, datetime.fromtimestamp(newest.time, UTC)
        return LastAnchorOut(size=anchor.size, block_number=anchor.block_number, time=time)
    return None


def _conditions(watched: Watched, session: Session, how_far: Progress, sealing: Sealing | None) -> list[ConditionOut]:
    reported = conditions.current(watched.engine)
    problems = {one.problem for one in reported}
    facts = Facts(how_far, sealing, outstanding(session, watched.generation), problems)
    return [
        ConditionOut(part=one.part, problem=one.problem, detail=one.detail, since=one.since.replace(tzinfo=UTC))
        for one in (*reported, *troubles(facts, watched.clock()))
    ]


def _outbox(session: Session, size_due: int) -> OutboxOut:
    waiting = select(func.count()).select_from(OutboxEntry).where(col(OutboxEntry.waiting))
    return OutboxOut(waiting=session.exec(waiting).one(), size_due=size_due)


def _metrics(state: StatusOut) -> bytes:
    registry, sealing = CollectorRegistry(), state.chain.validators
    values = {
        "log_size": ("Leaves of the published log", state.log.size),
        "index_block": ("Last block that the index followed", state.index.block),
        "index_lag_blocks": ("Blocks that the index has to follow", state.index.lag),
        "chain_final_block": ("Last final block", state.chain.final),
        "finality_lag_blocks": ("Blocks from the last final one to the head", state.chain.finality_lag),
        "validators": ("Validators in force", sealing.count if sealing else None),
        "validators_seen": (
            f"Validators that sealed any of the last {WINDOW} blocks",
            sealing.seen if sealing else None,
        ),
        "validators_may_fail": ("Validators that may fail before blocks stop", sealing.may_fail if sealing else None),
        "round_changes": (
            f"Of the last {WINDOW} blocks, those whose first proposer failed",
            sealing.round_changes if sealing else None,
        ),
        "evidence_withdrawn": ("Proofs whose block was reversed", state.withdrawn.count),
        "chain_reorganisations": ("Turns of the chain that were followed", state.chain.reorganisations),
        "anchored_size": ("Leaves of the log on the chain", state.last_anchor.size if state.last_anchor else 0),
        "outbox_waiting": ("Anchors under way", state.outbox.waiting if state.outbox else None),
        "conditions": ("Things that are wrong now", len(state.conditions)),
    }
    for name, (meaning, value) in values.items():
        if value is not None:
            Gauge(f"bidledger_{name}", meaning, registry=registry).set(value)
    return generate_latest(registry)
