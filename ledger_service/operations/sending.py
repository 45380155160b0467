"""The job that brings operations to the chain: what all have signed is sent, and followed until its block is final.

Promises that an act takes effect once, whatever ends, turns or refuses in between: the bytes of a transaction are
stored before they are sent, they follow each other by nonce, and after a restart the chain and the index are asked, not
a memory. What touches the same matter waits until the one before it is in a block; some others go along with it.
The contracts take a signature once, so that sending too much is harmless; what somebody else sent counts as well. What
is called is for the acts to say.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from ledger_service import conditions
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.chain.transactions import (
    LeftOut,
    Mined,
    SignedTransaction,
    broadcast,
    find_mined,
    next_free_nonce,
    next_nonce,
    prepare,
    send,
)
from ledger_service.errors import ChainRefused, InvalidContent, NodeDishonest, ServiceError
from ledger_service.index.queries import final_block
from ledger_service.index.tables import Block
from ledger_service.keys import EthereumKey
from ledger_service.operations.acts import Acts
from ledger_service.operations.collecting import State, collected
from ledger_service.operations.tables import Operation

log = structlog.get_logger(__name__)

PART: Final = "sending"
STALLED_AFTER: Final = timedelta(minutes=2)  # many blocks, on the slowest chain in use (Clique, 15 s)
MAX_UNDER_WAY: Final = 8  # transactions; batches of 50 fill a block of 30 million gas with as many
TAKEN_BACK: Final = 32  # operations that are looked at again though their blocks were final
EXPIRED_ERROR: Final = "Signers_Expired"


class TransactionStalled(ServiceError):
    """The node answers, but a transaction does not come into a block."""

    problem, title, status = "chain-stalled", "The chain makes no block of a transaction", 503


class Sending:
    """The one sender of a member's acts.

    Args:
        engine: the database, with the index.
        rpc: the node to send to.
        chain_id: of the network.
        key: who sends; its nonces are nobody else's. What counts is who signed the acts, so that any key will do.
        acts: what operations say to their contracts.
        finality: when a block is final.
        clock: the time for what is stored and reported; aware, UTC.
    """

    def __init__(
        self,
        engine: Engine,
        rpc: Rpc,
        chain_id: int,
        key: EthereumKey,
        acts: Acts,
        finality: Finality,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._rpc = rpc
        self._chain_id = chain_id
        self._key = key
        self._acts = acts
        self._finality = finality
        self._clock = clock
        self._left_out = LeftOut(rpc)

    def step(self) -> bool:
        """Follow what was sent, and send what is ready.

        Returns:
            Whether an operation came further, so that another step may find more to do.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PART, self._clock):
            self._expire()
            moved = [self._confirm(operation) for operation in self._in_blocks()]
            moved += self._look_after_sent()
            return self._send_next() or any(moved)

    # ---- what is in a block ----

    def _in_blocks(self) -> list[Operation]:
        """What is mined and not final, and the last of what is."""
        mined = self._in(State.MINED)
        final = select(Operation).where(Operation.state == State.FINAL)
        with Session(self._engine, expire_on_commit=False) as session:
            newest = final.order_by(col(Operation.block_number).desc()).limit(TAKEN_BACK)
            return [*mined, *session.exec(newest)]

    def _confirm(self, operation: Operation) -> bool:
        """Hold a mined operation against the blocks of the index."""
        with Session(self._engine) as session:
            block = session.get(Block, operation.block_number)
            if block is None:
                return False  # not followed yet, or about to turn
            if block.hash != operation.block_hash:
                return self._take_back(operation)
            if operation.state == State.FINAL:
                return False
            if self._acts.place(session, operation) is None:
                self._set(operation, State.READY, block_number=None, block_hash=None)
                raise NodeDishonest(
                    f"the node says that block {block.number} holds the operation {operation.id}, and it does not"
                )
            final = final_block(session, self._finality)
        if final is None or block.number > final:
            return False
        log.info("operation_final", operation=operation.id, block=block.number)
        return self._set(operation, State.FINAL)

    def _take_back(self, operation: Operation) -> bool:
        """Make an operation ready again, unless it is the index that has not followed a turn of the chain yet."""
        if self._node_holds(operation):
            return False
        log.warning("operation_taken_back", operation=operation.id, block=operation.block_number)
        return self._set(operation, State.READY, block_number=None, block_hash=None)

    def _node_holds(self, operation: Operation) -> bool:
        """Whether the node has an operation's transaction in the very block that was known."""
        if operation.transaction_hash is None:
            return False
        try:
            mined = find_mined(self._rpc, operation.transaction_hash)
        except ChainRefused:  # in the other branch it failed
            return False
        return mined is not None and mined.block_hash == operation.block_hash

    # ---- what was sent ----

    def _look_after_sent(self) -> list[bool]:
        sent = self._in(State.SENT)
        # The nonce is asked first: a block that comes before the next question has mined what was next.
        nonce = first = next_nonce(self._rpc, self._key.address) if sent else 0
        moved = []
        for operation in sorted(sent, key=lambda one: one.nonce or 0):
            moved.append(self._look_after(operation, nonce, first))
            if operation.nonce == nonce:
                nonce += 1
        return moved

    def _look_after(self, operation: Operation, nonce: int, first: int) -> bool:
        """Where a transaction is by now; it is sent again to be sure.

        Args:
            operation: what it is of.
            nonce: which it must have to be the next, those counted in that are sent and go before it.
            first: the sender's next nonce by the blocks that there are.
        """
        if self._is_settled(operation):
            return True
        if operation.nonce != nonce:
            # Another transaction has used its nonce, or a turn of the chain took back those that came before it.
            log.warning("operation_overtaken", operation=operation.id)
            return self._set(operation, State.READY)
        signed = _transaction(operation, self._key)
        if not self._broadcast(signed) and nonce == first and self._left_out.is_left_out(signed):
            log.warning("operation_left_out", operation=operation.id, transaction=signed.hash.hex())
            send(self._rpc, signed.raw)
        self._check_age(operation)
        return False

    def _is_settled(self, operation: Operation) -> bool:
        """Whether an operation's last transaction is in a block, which then says what became of the operation."""
        if operation.transaction_hash is None:
            return False
        try:
            mined = find_mined(self._rpc, operation.transaction_hash)
        except ChainRefused as error:
            return self._settle_refused(operation, error)
        return mined is not None and self._set_mined(operation, mined)

    def _check_age(self, operation: Operation) -> None:
        since = (operation.signed_at or self._clock()).replace(tzinfo=UTC)
        if self._clock() - since > STALLED_AFTER:
            head = quantity(self._rpc.call("eth_blockNumber"))
            raise TransactionStalled(
                f"the operation {operation.id} has waited for a block since {since:%Y-%m-%dT%H:%M:%SZ}; the node's "
                f"head is block {head}. If that does not grow, the validators have stopped or the node is cut off from "
                "them; if it does, they leave the transaction out. It needs no help once they take it"
            )

    # ---- what is ready ----

    def _send_next(self) -> bool:
        """Send what can be, until enough is under way."""
        under_way = self._in(State.SENT)
        busy = {matter for operation in under_way for matter in self._acts.touches(operation)}
        moved, refused = False, None
        for operation in self._ready() if len(under_way) < MAX_UNDER_WAY else ():
            touched = set(self._acts.touches(operation))
            if touched & busy:
                continue
            try:
                moved = self._advance(operation, under_way) or moved
            except ChainRefused as error:  # by the node, not by a contract: the next may fare better
                refused = error
            before, under_way = under_way, self._in(State.SENT)
            if len(under_way) > len(before):
                busy |= touched
            if refused is not None or len(under_way) >= MAX_UNDER_WAY:
                break
        if refused is not None:
            raise refused
        return moved

    def _ready(self) -> Iterator[Operation]:
        """What is ready, one by one: a list to be imported makes many."""
        with Session(self._engine) as session:
            ready = select(Operation.number).where(Operation.state == State.READY).order_by(col(Operation.number))
            numbers = session.exec(ready).all()
        for number in numbers:
            with Session(self._engine) as session:
                yield session.exec(select(Operation).where(Operation.number == number)).one()

    def _advance(self, operation: Operation, under_way: Sequence[Operation]) -> bool:
        if self._is_settled(operation) or self._took_effect(operation):
            return True
        nonce, free = (ask(self._rpc, self._key.address) for ask in (next_nonce, next_free_nonce))
        if operation.raw is not None and nonce <= (operation.nonce or 0) < free:
            return self._set(operation, State.SENT)  # a turn of the chain put it back to those that wait
        following = max((one.nonce or 0 for one in under_way), default=-1) + 1
        if free > max(nonce, following):
            return False  # what else the key has sent goes first
        return self._send(operation, max(nonce, following))

    def _took_effect(self, operation: Operation) -> bool:
        """Whether the index has the act already, whoever sent it."""
        with Session(self._engine) as session:
            number = self._acts.place(session, operation)
            block = None if number is None else session.get(Block, number)
        if block is None:
            return False
        return self._set_mined(operation, Mined(block.number, block.hash, None), transaction_hash=None)

    def _send(self, operation: Operation, nonce: int) -> bool:
        try:
            with Session(self._engine) as session:
                call = self._acts.call(session, operation, collected(session, operation))
        except InvalidContent as error:
            return self._refuse(operation, error.problem, error.detail)
        if call is None:
            return False
        try:
            signed = prepare(self._rpc, self._key, call.to, call.data, chain=self._chain_id, nonce=nonce)
        except ChainRefused as error:
            if "error" not in error.facts:
                raise
            return self._settle_refused(operation, error)
        facts = {"nonce": nonce, "raw": signed.raw, "transaction_hash": signed.hash, "signed_at": self._clock()}
        self._set(operation, State.SENT, **facts)
        self._broadcast(signed)
        log.info("operation_sent", operation=operation.id, transaction=signed.hash.hex(), nonce=nonce)
        return True

    # ---- how an operation comes from one state to the next ----

    def _settle_refused(self, operation: Operation, error: ChainRefused) -> bool:
        """What a contract's refusal means: for good, too late, or only that something else came first."""
        if self._took_effect(operation):
            return True
        name = error.facts.get("error")
        if name == EXPIRED_ERROR:
            return self._set(operation, State.EXPIRED)
        if isinstance(name, str) and name not in self._acts.overtaken:
            return self._refuse(operation, name, error.detail)
        log.warning("operation_overtaken", operation=operation.id, detail=error.detail)
        self._set(operation, State.READY, nonce=None, raw=None, transaction_hash=None)
        return operation.state == State.SENT

    def _refuse(self, operation: Operation, name: str, detail: str) -> bool:
        log.warning("operation_refused", operation=operation.id, error=name, detail=detail)
        return self._set(operation, State.REFUSED, error_name=name, error_detail=detail)

    def _set_mined(self, operation: Operation, mined: Mined, **facts: Any) -> bool:
        log.info("operation_mined", operation=operation.id, block=mined.block_number)
        at = {"block_number": mined.block_number, "block_hash": mined.block_hash}
        return self._set(operation, State.MINED, **at, **facts)

    def _expire(self) -> None:
        """End what still waits after its deadline."""
        chain_time = self._chain_time()
        now = max(int(self._clock().timestamp()), chain_time)
        over = (col(Operation.state) == State.COLLECTING, col(Operation.deadline) < now)
        with Session(self._engine) as session:
            session.execute(update(Operation).where(*over).values(state=State.EXPIRED))
            session.commit()
        for operation in self._in(State.READY):
            # Later blocks refuse it, whoever may still send it; but an earlier one may hold it already.
            if operation.deadline < chain_time and not self._took_effect(operation):
                self._set(operation, State.EXPIRED)

    def _chain_time(self) -> int:
        newest = select(Block.timestamp).order_by(col(Block.number).desc()).limit(1)
        with Session(self._engine) as session:
            return session.exec(newest).first() or 0

    def _in(self, state: State) -> list[Operation]:
        """The operations in a state, in the order in which they were drawn up."""
        rows = select(Operation).where(Operation.state == state).order_by(col(Operation.number))
        with Session(self._engine, expire_on_commit=False) as session:
            return list(session.exec(rows))

    def _set(self, operation: Operation, state: State, **facts: Any) -> bool:
        with Session(self._engine) as session:
            this = col(Operation.number) == operation.number
            session.execute(update(Operation).where(this).values(state=state, **facts))
            session.commit()
        return True

    def _broadcast(self, signed: SignedTransaction) -> bool:
        sent = broadcast(self._rpc, signed.raw)
        if sent:
            self._left_out.forget()
        return sent


def _transaction(operation: Operation, key: EthereumKey) -> SignedTransaction:
    raw, transaction_hash, nonce = operation.raw or b"", operation.transaction_hash or b"", operation.nonce or 0
    return SignedTransaction(raw, transaction_hash, key.address, nonce)
