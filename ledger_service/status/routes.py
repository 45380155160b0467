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
from ledger_service.chain.finality import Finality
from ledger_service.errors import Unavailable
from ledger_service.index.queries import Progress, dated_anchors, progress, reorganisations
from ledger_service.index.tables import Anchor
from ledger_service.log.api_keys import ApiKeys, Scope
from ledger_service.log.reader import LogReader

BEHIND_BLOCKS = 16  # how far the index may be behind its node before the status says so


class ChainOut(BaseModel):
    """The chain as the index has followed it."""

    id: int
    consensus: str
    head: int | None
    head_time: datetime | None
    final: int | None
    sealed_by: str
    reorganisations: int


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
    witnessed: Callable[[], int | None]


def routes(watched: Watched) -> APIRouter:
    """The routes of this slice."""
    router = APIRouter(tags=["status"])

    @router.get("/v1/status")
    def show_status(authorization: str | None = Header(default=None)) -> StatusOut:
        """Chain head, finality, index lag, log size, last anchor, and what is wrong in words."""
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
    return StatusOut(
        member=member.code,
        chain=_chain(watched, session, how_far),
        log=LogOut(
            origin=watched.network.origin(member, watched.generation),
            size=size,
            root=f"0x{latest.root.hex()}" if latest else None,
            witnessed=watched.witnessed(),
        ),
        index=IndexOut(block=how_far.block, lag=how_far.lag, verified_block=how_far.verified_block),
        last_anchor=last_anchor,
        conditions=_conditions(watched, how_far),
        outbox=_outbox(session, size - (last_anchor.size if last_anchor else 0)) if operator else None,
    )


def _chain(watched: Watched, session: Session, how_far: Progress) -> ChainOut:
    return ChainOut(
        id=watched.network.chain_id,
        consensus=watched.network.consensus,
        head=how_far.block,
        head_time=None if how_far.block_time is None else datetime.fromtimestamp(how_far.block_time, UTC),
        final=watched.finality.final_block(how_far.block),
        sealed_by="nobody: a development chain",
        reorganisations=reorganisations(session)[0],
    )


def _last_anchor(watched: Watched, session: Session) -> LastAnchorOut | None:
    log = (Anchor.member == watched.member, Anchor.generation == watched.generation)
    for newest in dated_anchors(session, *log, limit=1, newest=True):
        anchor, time = newest.anchor, datetime.fromtimestamp(newest.time, UTC)
        return LastAnchorOut(size=anchor.size, block_number=anchor.block_number, time=time)
    return None


def _conditions(watched: Watched, how_far: Progress) -> list[ConditionOut]:
    found = [
        ConditionOut(part=one.part, problem=one.problem, detail=one.detail, since=one.since.replace(tzinfo=UTC))
        for one in conditions.current(watched.engine)
    ]
    if how_far.lag is not None and how_far.lag > BEHIND_BLOCKS:
        since = datetime.fromtimestamp(how_far.block_time or 0, UTC)
        detail = f"the index has {how_far.lag} blocks to follow; it goes on by itself"
        found.append(ConditionOut(part="index", problem="index-behind", detail=detail, since=since))
    return found


def _outbox(session: Session, size_due: int) -> OutboxOut:
    waiting = select(func.count()).select_from(OutboxEntry).where(col(OutboxEntry.waiting))
    return OutboxOut(waiting=session.exec(waiting).one(), size_due=size_due)


def _metrics(state: StatusOut) -> bytes:
    registry = CollectorRegistry()
    values = {
        "log_size": ("Leaves of the published log", state.log.size),
        "index_block": ("Last block that the index followed", state.index.block),
        "index_lag_blocks": ("Blocks that the index has to follow", state.index.lag),
        "chain_final_block": ("Last final block", state.chain.final),
        "chain_reorganisations": ("Turns of the chain that were followed", state.chain.reorganisations),
        "anchored_size": ("Leaves of the log on the chain", state.last_anchor.size if state.last_anchor else 0),
        "outbox_waiting": ("Anchors under way", state.outbox.waiting if state.outbox else None),
        "conditions": ("Things that are wrong now", len(state.conditions)),
    }
    for name, (meaning, value) in values.items():
        if value is not None:
            Gauge(f"bidledger_{name}", meaning, registry=registry).set(value)
    return generate_latest(registry)
