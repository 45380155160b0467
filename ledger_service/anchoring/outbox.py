"""The outbox: what the log has signed against what the contract holds, and the one transaction that is due.

Each step looks anew at both, so a crash, a lost node or a reorganisation leaves nothing to be repaired: what the chain
does not hold is anchored, again if need be, and the contract refuses to take the same checkpoint twice. A transaction
is stored before it is sent, and while its outcome is unknown no other is signed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from ledger_service import conditions
from ledger_service.anchoring.tables import OutboxEntry
from ledger_service.chain.contracts import EVIDENCE_LOG, contract
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.chain.transactions import broadcast, call, find_mined, next_nonce, prepare
from ledger_service.errors import ChainRefused, NodeDishonest, ServiceError
from ledger_service.keys import EthereumKey
from ledger_service.log.reader import LogReader
from ledger_service.log.tables import Checkpoint

log = structlog.get_logger(__name__)

PART: Final = "anchor"
STALLED_AFTER: Final = timedelta(minutes=2)  # many blocks, on the slowest chain in use (Clique, 15 s)
MAX_NONCE: Final = 2**63 - 1  # half of what EIP-2681 allows; what the table holds


class CannotAnchor(ServiceError):
    """What the chain holds cannot be continued by this log."""

    problem, title, status = "cannot-anchor", "The log cannot be anchored", 503


class ChainStalled(ServiceError):
    """The node answers, but an anchor does not come into a block."""

    problem, title, status = "chain-stalled", "The chain makes no block of an anchor", 503


@dataclass(frozen=True, slots=True)
class Target:
    """Where a log is anchored."""

    chain_id: int
    evidence_log: bytes  # address, 20 bytes
    member: int
    generation: int


@dataclass(frozen=True, slots=True)
class Anchored:
    """What the contract holds of a member's log."""

    generation: int
    size: int
    root: bytes


class Outbox:
    """The one sender of a member's anchors.

    Args:
        engine: the database.
        reader: the member's log.
        rpc: the node to send to.
        target: where the log is anchored.
        key: an anchorer of the member.
        clock: the time for what is stored and reported; aware, UTC.
    """

    def __init__(
        self,
        engine: Engine,
        reader: LogReader,
        rpc: Rpc,
        target: Target,
        key: EthereumKey,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._rpc = rpc
        self._target = target
        self._key = key
        self._clock = clock

    def step(self) -> bool:
        """Settle what waits, or send what is due.

        Returns:
            Whether a transaction is under way.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PART, self._clock):
            return self._settle() or self._send_due()

    def _settle(self) -> bool:
        """Look after the transaction whose outcome is not known yet; whether it is still under way."""
        with Session(self._engine) as session:
            entry = session.exec(select(OutboxEntry).where(col(OutboxEntry.waiting))).first()
        if entry is None:
            return False
        try:
            if find_mined(self._rpc, entry.transaction_hash) is None:
                if self._next_nonce() == entry.nonce:
                    broadcast(self._rpc, entry.raw)
                    self._check_age(entry)
                    return True
                # Another transaction has used its nonce, or a reorganisation took back those that came before it.
                log.warning("anchor_overtaken", size=entry.size)
        except ChainRefused as error:
            log.warning("anchor_refused", size=entry.size, detail=error.detail)  # looked at anew by the next step
        with Session(self._engine) as session:
            entry.waiting = False
            session.add(entry)
            session.commit()
        return False

    def _check_age(self, entry: OutboxEntry) -> None:
        since = entry.signed_at.replace(tzinfo=UTC)
        if self._clock() - since > STALLED_AFTER:
            head = quantity(self._rpc.call("eth_blockNumber"))
            raise ChainStalled(
                f"the anchor of {entry.size} leaves has waited for a block since {since:%Y-%m-%dT%H:%M:%SZ}; the "
                f"node's head is block {head}. If that does not grow, the validators have stopped or the node is cut "
                "off from them; if it does, they leave the transaction out. It needs no help once they take it"
            )

    def _send_due(self) -> bool:
        due = self._due()
        if due is None:
            return False
        anchored, checkpoint = due
        proof = self._reader.consistency(anchored.size, checkpoint.size) if anchored.size else []
        data = contract(EVIDENCE_LOG).call_data("anchor", checkpoint.size, checkpoint.root, proof)
        nonce = self._next_nonce()
        chain = self._target.chain_id
        signed = prepare(self._rpc, self._key, self._target.evidence_log, data, chain=chain, nonce=nonce)
        with Session(self._engine) as session:
            session.add(
                OutboxEntry(
                    generation=checkpoint.generation,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    nonce=nonce,
                    raw=signed.raw,
                    transaction_hash=signed.hash,
                    signed_at=self._clock(),
                    waiting=True,
                )
            )
            session.commit()
        broadcast(self._rpc, signed.raw)
        log.info("anchor_sent", size=checkpoint.size, transaction=signed.hash.hex())
        return True

    def _due(self) -> tuple[Anchored, Checkpoint] | None:
        """What the contract holds, and the checkpoint that it must hold next; None when it holds the latest."""
        latest = self._reader.latest_checkpoint()
        if latest is None or latest.size == 0:
            return None
        anchored = self._anchored()
        self._check_continues(anchored, latest)
        if anchored.size == latest.size:
            return None
        bound = anchored.size + self._max_growth()
        checkpoint = latest if latest.size <= bound else self._reader.largest_checkpoint(bound)
        if checkpoint is None or checkpoint.size <= anchored.size:
            raise CannotAnchor(
                f"the log grew from {anchored.size} leaves by more than an anchor may between two checkpoints; "
                "a successor of the evidence log must allow more"
            )
        return anchored, checkpoint

    def _anchored(self) -> Anchored:
        generation, size, root, _, _ = self._ask("checkpoint", self._target.member)
        return Anchored(generation, size, root)

    def _max_growth(self) -> int:
        (bound,) = self._ask("maxGrowth")
        return int(bound)

    def _ask(self, view: str, *arguments: object) -> tuple[Any, ...]:
        """What the evidence log's function `view` answers."""
        evidence_log = contract(EVIDENCE_LOG)
        answer = call(self._rpc, self._target.evidence_log, evidence_log.call_data(view, *arguments))
        try:
            return evidence_log.result(view, answer)
        except ValueError as error:
            raise CannotAnchor(f"at 0x{self._target.evidence_log.hex()} there is no evidence log: {error}") from error

    def _next_nonce(self) -> int:
        nonce = next_nonce(self._rpc, self._key.address)
        if nonce > MAX_NONCE:
            raise NodeDishonest(
                f"the node says that the anchorer has sent {nonce}, more transactions than an account can"
            )
        return nonce

    def _check_continues(self, anchored: Anchored, latest: Checkpoint) -> None:
        if anchored.generation != self._target.generation:
            raise CannotAnchor(
                f"the chain is at generation {anchored.generation} of this log, the service at "
                f"{self._target.generation}; set BIDLEDGER_GENERATION, with keys of its own"
            )
        if anchored.size > latest.size:
            raise CannotAnchor(
                f"the chain holds {anchored.size} leaves and this log only {latest.size}: the database is older than "
                "what was anchored. Restore the newer one; if it is lost, the governors must close this generation"
            )
        known = self._reader.checkpoint_of_size(anchored.size) if anchored.size else None
        if known is not None and known.root != anchored.root:
            raise CannotAnchor(
                f"at {anchored.size} leaves the chain holds another root than this log: it was anchored by somebody "
                "else. Revoke the anchorer; the governors must close this generation"
            )
