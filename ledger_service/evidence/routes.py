"""`/v1/evidence/{commitment}` and `/proof`: alike for every published leaf, be it a commitment or filling."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from anchors.notes import TlogProof
from ledger_service.anchoring.proofs import CapturedProof, captured_proof
from ledger_service.chain.finality import Finality
from ledger_service.errors import NotFound
from ledger_service.evidence.queries import covering_anchor
from ledger_service.index.answers import AnchorOut
from ledger_service.index.queries import progress
from ledger_service.log.reader import LoggedEntry, LogReader
from ledger_service.pages import cached
from ledger_service.witness.kept import Kept

Commitment = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The 32 bytes that were logged.")]
RETRY_SECONDS = 1


class State(StrEnum):
    """How far a leaf has come."""

    PENDING = "pending"
    ANCHORED = "anchored"
    FINAL = "final"


class EvidenceOut(BaseModel):
    """Where a leaf stands and how far it has come."""

    commitment: str
    index: int
    state: State
    anchor: AnchorOut | None


class ChainProofOut(BaseModel):
    """The anchor's event, proven in its block."""

    header: str
    receipt_proof: list[str]
    transaction_index: int
    log_index: int


class ProofOut(BaseModel):
    """What an evidence file needs beside the statement and the receipt."""

    tlog_proof: str
    timestamp: str | None
    anchor: ChainProofOut
    finality: None = None


class PendingOut(BaseModel):
    """There is no proof yet; ask again."""

    state: State = State.PENDING


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
            final = finality.final_block(progress(session).block)
        state, anchor = State.PENDING, None
        if found is not None:
            is_final = final is not None and found.anchor.block_number <= final
            state, anchor = State.FINAL if is_final else State.ANCHORED, AnchorOut.of(found)
        answer = EvidenceOut(commitment=commitment, index=entry.index, state=state, anchor=anchor)
        return cached(request, answer.model_dump_json().encode(), "application/json")

    @router.get("/v1/evidence/{commitment}/proof", response_model=ProofOut, responses={202: {"model": PendingOut}})
    def show_proof(request: Request, commitment: Commitment) -> Response:
        """Prove a leaf from its log to its block; 202 with Retry-After until it is anchored."""
        entry = _find(reader, commitment)
        with Session(engine) as session:
            found = covering_anchor(session, member, generation, entry.index) if entry.published else None
            proof = captured_proof(session, found.anchor) if found else None
        if found is None or proof is None:
            pending = PendingOut().model_dump_json()
            return Response(pending, 202, {"retry-after": str(RETRY_SECONDS)}, media_type="application/json")
        answer = _proof(reader, kept, entry, found.anchor.size, proof)
        return cached(request, answer.model_dump_json().encode(), "application/json")

    return router


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
    )
