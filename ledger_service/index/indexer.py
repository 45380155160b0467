"""Follows a node's chain into the index: range by range, each in one transaction with its last block as the cursor.

A step first asks whether the last followed block is still there; if not, the chain has turned, and the index goes back
to the last block that it shares with the node, however deep. Then it fetches the next range, applies what the
contracts said in it and, on reaching the head, holds itself against the state before anything is committed. A node
that is caught lying is named in the service's conditions, and the index does not go on until it is told the truth.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, col, func, select

from anchors.chain.header import Header
from anchors.network import Contract, Network, ValidatorSet
from ledger_service import conditions
from ledger_service.chain.contracts import CONTRACTS, CREDIT_REGISTER, RECOGNITION_MATRIX, TENDER_REGISTER
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.errors import ChainRefused, ChainUnreachable, Misconfigured, NodeDishonest, ServiceError
from ledger_service.index import store
from ledger_service.index.apply import effects
from ledger_service.index.completeness import (
    ContractMissing,
    Words,
    check_completeness,
    journal_word,
    proven_words,
)
from ledger_service.index.decode import decode
from ledger_service.index.effects import Changed
from ledger_service.index.fetch import ChainMoved, FetchedBlock, Fetcher
from ledger_service.index.journal import fold, is_journalled
from ledger_service.index.queries import validators_in_force
from ledger_service.index.seals import SealReader
from ledger_service.index.tables import Block, IndexState, JournalVersion, MemberVersion, Reorganisation

log = structlog.get_logger(__name__)

PART: Final = "index"
FIRST_RANGE: Final = 64  # blocks
MAX_RANGE: Final = 1024
QUICK_SECONDS: Final = 0.5  # a range that took less may be twice as long,
SLOW_SECONDS: Final = 2.0  # one that took more only half
MAX_MOVES: Final = 5  # how often in a row the chain may move under a question before that is no accident


@dataclass(frozen=True, slots=True)
class Followed:
    """Which chain is followed, and which contracts on it: what the network file pins."""

    genesis_hash: bytes  # 32 bytes
    consensus: str  # as the network file names it
    contracts: Mapping[str, Contract]  # by name; a register that was replaced by name@block
    validators: tuple[ValidatorSet, ...] = ()  # who seals; nobody on a development chain

    @classmethod
    def pinned(cls, network: Network) -> Self:
        """What a network file says of them: the contracts that are in force now."""
        current = {contract.name: contract for contract in network.contracts if contract.to_block is None}
        missing = [name for name in CONTRACTS if name not in current]
        if missing:
            raise Misconfigured(f"the network file names no {' and no '.join(missing)} that is in force")
        contracts: dict[str, Contract] = {
            name: current[name] for name in (*CONTRACTS, RECOGNITION_MATRIX) if name in current
        }
        # Records and tenders outlive the register that they were published in, and that one can still end them.
        for name in (CREDIT_REGISTER, TENDER_REGISTER):
            for register in network.contracts_named(name):
                replaced = register.to_block is not None
                contracts[f"{name}@{register.from_block}" if replaced else name] = register
        return cls(network.genesis_hash, network.consensus, contracts, tuple(network.validators))

    @property
    def from_block(self) -> int:
        """The block in which the first of the contracts was made."""
        return min(pinned.from_block for pinned in self.contracts.values())


class Indexer:
    """The one writer of the index.

    Args:
        engine: the database.
        rpc: the node that is followed.
        followed: the chain and its contracts.
        clock: the time for what is reported; aware, UTC.
    """

    def __init__(self, engine: Engine, rpc: Rpc, followed: Followed, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._rpc = rpc
        self._followed = followed
        self._names = {pinned.address: name for name, pinned in followed.contracts.items()}
        addresses = {name: pinned.address for name, pinned in followed.contracts.items()}
        self._fetcher = Fetcher(rpc, addresses, followed.consensus)
        self._clock = clock
        self._range = FIRST_RANGE
        self._moves = 0
        self._genesis_checked = False

    def step(self) -> bool:
        """Follow one range, or one turn of the chain.

        Returns:
            Whether there is more to follow at once.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step goes well.
        """
        reported = [one.problem for one in conditions.current(self._engine) if one.part == PART]
        try:
            behind = self._advance(suspicious=NodeDishonest.problem in reported)
        except ServiceError as error:
            if isinstance(error, ChainUnreachable):
                self._range = max(1, self._range // 2)  # it may have been too much to ask for
            conditions.report(self._engine, PART, error.problem, error.detail, self._clock())
            raise
        for problem in reported:
            # A liar stays one until the head: only there is it certain that the state was asked.
            if not (behind and problem == NodeDishonest.problem):
                conditions.clear(self._engine, PART, problem)
        return behind

    def _advance(self, *, suspicious: bool) -> bool:
        self._check_genesis()
        head = quantity(self._rpc.call("eth_blockNumber"))
        tip = self._tip()
        if tip is not None and not self._is_on_chain(tip):
            self._genesis_checked = False
            self._check_genesis()
            self._turn(tip)
            return True
        first = self._followed.from_block if tip is None else tip.number + 1
        last = min(head, first + self._range - 1)
        if first > last:
            self._note(head)
            return False
        started = time.monotonic()
        try:
            # Whoever was caught lying is checked at every range, so that nothing unproven goes in between.
            self._follow(tip, first, last, head, check=last == head or suspicious)
            self._moves = 0
        except ChainMoved as error:
            self._moves += 1
            if self._moves > MAX_MOVES:
                raise NodeDishonest(f"{self._rpc.shown} contradicts itself again and again: {error.detail}") from error
        self._resize(time.monotonic() - started)
        return last < head or self._moves > 0

    def _follow(self, tip: Block | None, first: int, last: int, head: int, *, check: bool) -> None:
        """Fetch, decode and prove a range, then apply it and move the cursor, all or nothing."""
        with Session(self._engine) as session:
            journals = {name: journal_word(session, name) for name in self._followed.contracts}
            members = session.exec(select(func.max(MemberVersion.number))).one() or 0
            seals = SealReader(self._followed.consensus, self._followed.validators, validators_in_force(session))
        changes = self._changes(journals, seals, self._fetcher.blocks(first, last, tip.hash if tip else None))
        header = changes.headers[-1]
        # Counted, never taken from their numbers: those may be anything as long as nothing is proven.
        members += sum("code" in one.values for _, one in changes.versions[MemberVersion])
        try:
            # The node is asked before the transaction, so that the database is not locked while it thinks.
            words = self._words(header, members, head) if check else None
            with Session(self._engine) as session:
                store.write_changes(session.connection(), changes)
                if words is not None:
                    check_completeness(session, header, words, members)
                self._write_state(session, head, None if words is None else last)
                session.commit()
        except (IntegrityError, DataError, OverflowError) as error:
            said_twice_or_too_large = getattr(error, "orig", error)
            raise NodeDishonest(
                f"blocks {first} to {last} hold what the contracts cannot have said: {said_twice_or_too_large}"
            ) from error
        except (NodeDishonest, ContractMissing) as error:
            if self._has_changed(last, header.hash):
                raise ChainMoved(f"block {last} was replaced") from error
            raise
        log.debug("index_followed", first=first, last=last, head=head)

    def _words(self, header: Header, members: int, head: int) -> Words | None:
        """The state's words, or None when the node keeps no state so far below its head. The range is then held
        against the state with those after it; what was a lie has hashes of its own, and the turn to the true chain
        takes it back."""
        try:
            return proven_words(self._rpc, header, self._followed.contracts, members)
        except ChainRefused:
            if header.number == head:
                raise
            return None

    def _changes(self, journals: dict[str, bytes], seals: SealReader, blocks: Iterable[FetchedBlock]) -> store.Changes:
        """What the blocks, once known as sealed, and their events change; the journals after each block as well."""
        changes = store.Changes()
        for block in blocks:
            changes.take_block(block.header, seals.read(block.header))
            number = block.header.number
            moved = set()
            for raw in block.logs:
                changes.take(number, effects(decode(raw), raw.place))
                if is_journalled(raw):
                    name = self._names[raw.address]
                    journals[name] = fold(journals[name], raw)
                    moved.add(name)
            for name in sorted(moved):
                changes.take(number, [Changed(JournalVersion, {"contract": name}, {"word": journals[name]})])
        return changes

    def _turn(self, tip: Block) -> None:
        """Go back to the last block that the node's chain shares with the index."""
        common = self._last_common(tip)
        kept = -1 if common is None else common
        with Session(self._engine) as session:
            store.roll_back(session.connection(), kept)
            state = session.get(IndexState, 1)
            if state is not None and state.verified_block is not None and state.verified_block > kept:
                state.verified_block = None
            session.add(
                Reorganisation(seen_at=self._clock(), common_block=common, old_head=tip.number, old_hash=tip.hash)
            )
            session.commit()
        log.warning("index_rolled_back", common_block=common, old_head=tip.number, old_hash=tip.hash.hex())

    def _last_common(self, tip: Block) -> int | None:
        """By halving: two chains that share a block share all before it."""
        low, high = self._followed.from_block - 1, tip.number  # shared by assumption, and known not to be
        while high - low > 1:
            middle = (low + high) // 2
            if self._is_on_chain(self._block(middle)):
                low = middle
            else:
                high = middle
        return low if low >= self._followed.from_block else None

    def _is_on_chain(self, block: Block) -> bool:
        return not self._has_changed(block.number, block.hash)

    def _has_changed(self, number: int, block_hash: bytes) -> bool:
        header = self._fetcher.header(number)
        return header is None or header.hash != block_hash

    def _check_genesis(self) -> None:
        if self._genesis_checked:
            return
        genesis = self._fetcher.header(0)
        if genesis is None or genesis.hash != self._followed.genesis_hash:
            found = "nothing" if genesis is None else "0x" + genesis.hash.hex()
            raise WrongChain(
                f"{self._rpc.shown} is a node of another chain: its block 0 is {found}, the network file's is "
                f"0x{self._followed.genesis_hash.hex()}. Name a node of this chain, or the network file of that one; "
                "the index keeps what it has."
            )
        self._genesis_checked = True

    def _tip(self) -> Block | None:
        with Session(self._engine) as session:
            return session.exec(select(Block).order_by(col(Block.number).desc()).limit(1)).first()

    def _block(self, number: int) -> Block:
        with Session(self._engine) as session:
            return session.exec(select(Block).where(Block.number == number)).one()

    def _note(self, head: int) -> None:
        with Session(self._engine) as session:
            state = session.get(IndexState, 1)
            if state is None or state.node_head != head:
                self._write_state(session, head, None)
                session.commit()

    def _write_state(self, session: Session, head: int, verified_block: int | None) -> None:
        state = session.get(IndexState, 1) or IndexState(node_head=head, seen_at=self._clock())
        if state.node_head != head:
            state.node_head, state.seen_at = head, self._clock()
        if verified_block is not None:
            state.verified_block = verified_block
        session.add(state)

    def _resize(self, seconds: float) -> None:
        if seconds < QUICK_SECONDS:
            self._range = min(MAX_RANGE, 2 * self._range)
        elif seconds > SLOW_SECONDS:
            self._range = max(1, self._range // 2)


class WrongChain(Misconfigured):
    """The node is one of another chain."""

    problem, title = "wrong-chain", "The node follows another chain"
