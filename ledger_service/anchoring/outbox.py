"""The outbox: what the log has signed against what the contract holds, and the transactions that are due.

Each step looks anew at both, so a crash, a lost node or a reorganisation leaves nothing to be repaired: what the chain
does not hold is anchored, again if need be, and the contract refuses to take the same checkpoint twice. A transaction
is stored before it is sent. While it waits for its block the next checkpoint may follow it, by the next nonce and with
a proof from its size on, so that no leaf waits for the block of the one before it; where the first does not come
about, the contract refuses what continues it.
"""

from collections.abc import Callable, Sequence
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
from ledger_service.chain.transactions import (
    LeftOut,
    SignedTransaction,
    broadcast,
    call,
    find_mined,
    next_free_nonce,
    next_nonce,
    prepare,
    send,
    sign,
)
from ledger_service.errors import ChainRefused, NodeDishonest, ServiceError
from ledger_service.keys import EthereumKey
from ledger_service.log.reader import LogReader
from ledger_service.log.tables import Checkpoint

log = structlog.get_logger(__name__)

PART: Final = "anchor"
STALLED_AFTER: Final = timedelta(minutes=2)  # many blocks, on the slowest chain in use (Clique, 15 s)
MAX_NONCE: Final = 2**63 - 1  # half of what EIP-2681 allows; what the table holds
MAX_UNDER_WAY: Final = 3  # a chain that takes two blocks for a transaction, and a period as short as a block
TAKEN_BACK: Final = 8  # transactions, as many as short reorganisations take back
FOLLOWING_GAS: Final = 500_000  # ten times an anchor's; of what cannot be estimated before the one that it follows


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
        self._left_out = LeftOut(rpc)

    def step(self) -> bool:
        """Settle what waits, and send what is due.

        Returns:
            Whether a transaction is under way.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PART, self._clock):
            under_way = self._settle()
            return self._send_due(under_way) or bool(under_way)

    def _settle(self) -> list[OutboxEntry]:
        """Look after the transactions whose outcome is not known yet; those that are under way, in order."""
        # The nonce is asked first: a block that comes before the next question has mined what was next.
        nonce = self._next_nonce()
        under_way: list[OutboxEntry] = []
        for entry in self._unsettled(nonce):
            mined, waits = self._look_after(entry, nonce)
            if waits:
                under_way.append(entry)
            if (mined or waits) and entry.nonce == nonce:
                nonce += 1
            if entry.waiting != waits:
                with Session(self._engine, expire_on_commit=False) as session:
                    entry.waiting = waits
                    session.add(entry)
                    session.commit()
        return under_way

    def _unsettled(self, nonce: int) -> list[OutboxEntry]:
        """What waits, and what had been mined before a reorganisation took it back, in the order of nonces."""
        newest = select(OutboxEntry).order_by(col(OutboxEntry.id).desc()).limit(TAKEN_BACK)
        with Session(self._engine) as session:
            found = {entry.id: entry for entry in session.exec(select(OutboxEntry).where(col(OutboxEntry.waiting)))}
            found |= {entry.id: entry for entry in session.exec(newest) if entry.nonce >= nonce}
        return sorted(found.values(), key=lambda entry: (entry.nonce, entry.id))

    def _look_after(self, entry: OutboxEntry, nonce: int) -> tuple[bool, bool]:
        """Whether a transaction is mined, and whether it still waits for its block; it is sent again to be sure."""
        try:
            if find_mined(self._rpc, entry.transaction_hash) is not None:
                return True, False
            if entry.nonce == nonce and (entry.waiting or self._was_put_back(entry)):
                self._send_again(entry)
                self._check_age(entry)
                return False, True
            if entry.waiting:
                # Another transaction has used its nonce, or a reorganisation took back those that came before it.
                log.warning("anchor_overtaken", size=entry.size)
        except ChainRefused as error:
            log.warning("anchor_refused", size=entry.size, detail=error.detail)  # looked at anew by the next step
        return False, False

    def _was_put_back(self, entry: OutboxEntry) -> bool:
        """Whether a transaction that a reorganisation took back waits again. That the node shows it does not say so:
        ganache shows for ever what it will not mine again."""
        return next_free_nonce(self._rpc, self._key.address) > entry.nonce

    def _send_again(self, entry: OutboxEntry) -> None:
        """Send what the node does not show, and what it shows but leaves out."""
        signed = SignedTransaction(entry.raw, entry.transaction_hash, self._key.address, entry.nonce)
        if not self._broadcast(signed) and self._left_out.is_left_out(signed):
            log.warning("anchor_left_out", size=entry.size, transaction=signed.hash.hex())
            send(self._rpc, signed.raw)

    def _broadcast(self, signed: SignedTransaction) -> bool:
        sent = broadcast(self._rpc, signed.raw)
        if sent:
            self._left_out.forget()
        return sent

    def _check_age(self, entry: OutboxEntry) -> None:
        since = entry.signed_at.replace(tzinfo=UTC)
        if self._clock() - since > STALLED_AFTER:
            head = quantity(self._rpc.call("eth_blockNumber"))
            raise ChainStalled(
                f"the anchor of {entry.size} leaves has waited for a block since {since:%Y-%m-%dT%H:%M:%SZ}; the "
                f"node's head is block {head}. If that does not grow, the validators have stopped or the node is cut "
                "off from them; if it does, they leave the transaction out. It needs no help once they take it"
            )

    def _send_due(self, under_way: Sequence[OutboxEntry]) -> bool:
        due = self._due(under_way)
        if due is None:
            return False
        base, checkpoint, following = due
        proof = self._reader.consistency(base.size, checkpoint.size) if base.size else []
        data = contract(EVIDENCE_LOG).call_data("anchor", checkpoint.size, checkpoint.root, proof)
        signed = self._sign_following(following, data) if following else self._sign_first(data)
        with Session(self._engine) as session:
            session.add(
                OutboxEntry(
                    generation=checkpoint.generation,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    nonce=signed.nonce,
                    raw=signed.raw,
                    transaction_hash=signed.hash,
                    signed_at=self._clock(),
                    waiting=True,
                )
            )
            session.commit()
        self._broadcast(signed)
        log.info("anchor_sent", size=checkpoint.size, transaction=signed.hash.hex())
        return True

    def _sign_first(self, data: bytes) -> SignedTransaction:
        target = self._target
        nonce = self._next_nonce()
        return prepare(self._rpc, self._key, target.evidence_log, data, chain=target.chain_id, nonce=nonce)

    def _sign_following(self, last: OutboxEntry, data: bytes) -> SignedTransaction:
        target, nonce = self._target, last.nonce + 1
        return sign(self._key, target.evidence_log, data, chain=target.chain_id, nonce=nonce, gas=FOLLOWING_GAS)

    def _due(self, under_way: Sequence[OutboxEntry]) -> tuple[Anchored, Checkpoint, OutboxEntry | None] | None:
        """What the contract holds or will, the checkpoint that it must hold next, and whose transaction this follows;
        None when nothing is due, or enough is under way."""
        latest = self._reader.latest_checkpoint()
        if latest is None or latest.size == 0:
            return None
        base = self._anchored()
        self._check_continues(base, latest)
        ahead = [entry for entry in under_way if entry.generation == base.generation and entry.size > base.size]
        following = ahead[-1] if ahead else None
        if following is not None:
            base = Anchored(following.generation, following.size, following.root)
        if base.size == latest.size or len(ahead) >= MAX_UNDER_WAY:
            return None
        bound = base.size + self._max_growth()
        checkpoint = latest if latest.size <= bound else self._reader.largest_checkpoint(bound)
        if checkpoint is None or checkpoint.size <= base.size:
            raise CannotAnchor(
                f"the log grew from {base.size} leaves by more than an anchor may between two checkpoints; "
                "a successor of the evidence log must allow more"
            )
        return base, checkpoint, following

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
