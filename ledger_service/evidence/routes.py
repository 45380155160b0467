"""`/v1/evidence/{commitment}`, `/proof`, and `/v1/withdrawals`: alike for every published leaf, be it a commitment or
filling."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from anchors.notes import TlogProof
from ledger_service.anchoring.proofs import CapturedProof, captured_proof
from ledger_service.anchoring.tables import Withdrawal
from ledger_service.anchoring.withdrawals import withdrawals, withdrawals_of
from ledger_service.chain.finality import Finality
from ledger_service.errors import NotFound
from ledger_service.evidence.queries import covering_anchor
from ledger_service.index.answers import AnchorOut
from ledger_service.index.queries import DatedAnchor, final_block
from ledger_service.log.reader import LoggedEntry, LogReader
from ledger_service.pages import Limit, cached, cursor_query, link_next, read_cursor
from ledger_service.witness.kept import Kept

Commitment = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The 32 bytes that were logged.")]
WithdrawalCursor = Annotated[str | None, cursor_query(1)]
RETRY_SECONDS = 1


class State(StrEnum):
    """How far a leaf has come."""

    PENDING = "pending"
    ANCHORED = "anchored"
    FINAL = "final"


class WithdrawnOut(BaseModel):
    """A block that held the anchor and was reversed: an evidence file that names it no longer holds."""

    block_number: int
    block_hash: str
    seen_at: datetime

    @classmethod
    def of(cls, row: Withdrawal) -> Self:
        """From a row."""
        return cls(
            block_number=row.block_number,
            block_hash=f"0x{row.block_hash.hex()}",
            seen_at=row.seen_at.replace(tzinfo=UTC),
        )


class EvidenceOut(BaseModel):
    """Where a leaf stands and how far it has come. `withdrawn` is empty unless a proof of it was given out in vain."""

    commitment: str
    index: int
    state: State
    anchor: AnchorOut | None
    withdrawn: list[WithdrawnOut]


class WithdrawalOut(WithdrawnOut):
    """A withdrawn proof: for the leaves from `from_size` to before `size`, and the anchor that covers them now."""

    generation: int
    from_size: int
    size: int
    anchor: AnchorOut | None


class WithdrawalsOut(BaseModel):
    """A page of withdrawn proofs."""

    withdrawals: list[WithdrawalOut]


class ChainProofOut(BaseModel):
    """The anchor's event, proven in its block."""

    header: str
    receipt_proof: list[str]
    transaction_index: int
    log_index: int


class FinalityOut(BaseModel):
    """Headers, RLP: under Clique those that confirm the block, under BFT those at which the validators changed."""

    headers: list[str]


class ProofOut(BaseModel):
    """What an evidence file needs beside the statement and the receipt; no `finality` where nobody seals."""

    tlog_proof: str
    timestamp: str | None
    anchor: ChainProofOut
    finality: FinalityOut | None


class PendingOut(BaseModel):
    """There is no proof yet; ask again."""

    state: State


def routes(
    engine: Engine, reader: LogReader, kept: Kept, member: int, generation: int, finality: Finality
) -> APIRouter:
    """The routes of this slice for one member's log."""
    router = APIRouter(tags=["evidence"])

    @router.get("/v1/evidence/{commitment}", response_model=EvidenceOut)
    def show_evidence(request: Request, commitment: Commitment) -> Response:
        """Say where a leaf stands and how far it has come."""
        entry = _find(reader, commitment)
        with Session(engine) as session:
            found = covering_anchor(session, member, generation, entry.index) if entry.published else None
            state = _state(session, found, finality)
            withdrawn = withdrawals_of(session, generation, entry.index) if entry.published else ()
        answer = EvidenceOut(
            commitment=commitment,
            index=entry.index,
            state=state,
            anchor=AnchorOut.of(found) if found else None,
            withdrawn=[WithdrawnOut.of(row) for row in withdrawn],
        )
        return cached(request, answer.model_dump_json().encode(), "application/json")

    @router.get("/v1/evidence/{commitment}/proof", response_model=ProofOut, responses={202: {"model": PendingOut}})
    def show_proof(request: Request, commitment: Commitment) -> Response:
        """Prove a leaf from its log to its block; 202 with Retry-After until it is anchored and, where blocks are
        sealed, final."""
        entry = _find(reader, commitment)
        with Session(engine) as session:
            found = covering_anchor(session, member, generation, entry.index) if entry.published else None
            proof = captured_proof(session, found.anchor) if found else None
            state = _state(session, found, finality)
        if found is None or proof is None:
            pending = PendingOut(state=state).model_dump_json()
            return Response(pending, 202, {"retry-after": str(RETRY_SECONDS)}, media_type="application/json")
        answer = _proof(reader, kept, entry, found.anchor.size, proof)
        return cached(request, answer.model_dump_json().encode(), "application/json")

    @router.get("/v1/withdrawals", response_model=WithdrawalsOut)
    def list_withdrawals(request: Request, limit: Limit = 100, cursor: WithdrawalCursor = None) -> Response:
        """The proofs whose block was reversed after they could be fetched, oldest first; fetch their evidence anew."""
        (after,) = read_cursor(cursor) or (0,)
        with Session(engine) as session:
            rows = withdrawals(session, generation, after, limit)
            page = WithdrawalsOut(withdrawals=[_withdrawal(session, member, row) for row in rows])
            last = rows[-1].id if len(rows) == limit else None
        answer = cached(request, page.model_dump_json().encode(), "application/json")
        if last is not None:
            link_next(request, answer, [last])
        return answer

    return router


def _state(session: Session, found: DatedAnchor | None, finality: Finality) -> State:
    if found is None:
        return State.PENDING
    final = final_block(session, finality)
    return State.FINAL if final is not None and found.anchor.block_number <= final else State.ANCHORED


def _withdrawal(session: Session, member: int, row: Withdrawal) -> WithdrawalOut:
    now = covering_anchor(session, member, row.generation, row.size - 1)
    return WithdrawalOut(
        **WithdrawnOut.of(row).model_dump(),
        generation=row.generation,
        from_size=row.from_size,
        size=row.size,
        anchor=AnchorOut.of(now) if now else None,
    )


def _find(reader: LogReader, commitment: str) -> LoggedEntry:
    entry = reader.find(bytes.fromhex(commitment[2:]))
    if entry is None:
        raise NotFound("The log holds no such commitment; check it, and that this is the member that receipted it.")
    return entry


def _proof(reader: LogReader, kept: Kept, entry: LoggedEntry, size: int, proof: CapturedProof) -> ProofOut:
    checkpoint = reader.checkpoint_of_size(size)
    if checkpoint is None:
        raise NotFound(f"The log has no checkpoint of size {size}, which the chain says was anchored.")
    path = tuple(reader.inclusion(entry, size))
    timestamp = kept.timestamp(size)
    return ProofOut(
        tlog_proof=TlogProof.of(entry.index, path, kept.cosigned(checkpoint.note)).encode().decode(),
        timestamp=None if timestamp is None else f"0x{timestamp.hex()}",
        anchor=ChainProofOut(
            header=f"0x{proof.header.hex()}",
            receipt_proof=[f"0x{node.hex()}" for node in proof.receipt_proof],
            transaction_index=proof.transaction_index,
            log_index=proof.log_index,
        ),
        finality=None
        if proof.finality is None
        else FinalityOut(headers=[f"0x{header.hex()}" for header in proof.finality]),
    )
