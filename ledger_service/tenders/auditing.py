"""Audits of tenders: all that the chain has of one, proven through a node, in a file that anybody recomputes offline.

Promises a file as of the last final block, so that nothing in it is taken back, which the verifier of
`anchors.tenders.audit` does not refute: each is held against it before it is given out. What the host alone keeps is
told from the final opening on (`audit_words`, `audit_leaves`), and the sealed draw from the final award on. The key of
a period is told no sooner than `/v1/periods` tells it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore

from sqlmodel import Session, col, select

from anchors.chain.answers import Answer
from anchors.chain.header import Header
from anchors.chain.receipts import prove_receipt, receipt_key, receipts_trie
from anchors.chain.trie import Trie
from anchors.commitment import Statement, commit
from anchors.errors import AnchorsError, AuditTooLarge
from anchors.evidence import Anchor, Finality, Place
from anchors.network import write_network
from anchors.tenders import State, parse_bids
from anchors.tenders.audit import (
    FinalState,
    Finding,
    LogPart,
    ProvenLog,
    audit,
    audit_slots,
    write_audit,
)
from ledger_service.chain import finality as chain
from ledger_service.chain.contracts import EVIDENCE_LOG, TENDER_REGISTER
from ledger_service.chain.rpc import Rpc
from ledger_service.errors import IndexBehind, NodeDishonest, Unavailable
from ledger_service.index.confirming import finality_headers
from ledger_service.index.fetch import ChainMoved, Fetcher
from ledger_service.index.queries import final_block
from ledger_service.index.state_proofs import RETRY_SECONDS, followed_block, prove_slots
from ledger_service.index.tables import Anchor as LogAnchor
from ledger_service.index.tables import Block
from ledger_service.index.tender_tables import TenderEvent, TenderVersion
from ledger_service.log.reader import LogReader
from ledger_service.refusals import Refused
from ledger_service.tenders.audit_leaves import LogLeaves, Shown
from ledger_service.tenders.audit_words import HostsDesk, HostWords
from ledger_service.tenders.draws.rounds import draw_of, statements_of
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.period_keys import PeriodKeys, Telling
from ledger_service.tenders.queries import Standing, happened, opened_bids, standing

__all__ = ["Audits"]

AT_ONCE = 4  # audits that are being made; a node that answers slowly must not take all threads of the service


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of a tender as of a block."""

    row: TenderVersion
    events: tuple[TenderEvent, ...]
    anchors: tuple[LogAnchor, ...]
    words: HostWords
    shown: Shown  # of the log
    draws: tuple[bytes, ...]  # the files of the draw's rounds, where they are held here
    declared: tuple[Statement, ...]  # of the evidence of draws in this service's log

    def subjects(self, kind: str) -> list[bytes]:
        """What the events of a kind are about."""
        return [event.subject for event in self.events if event.kind == kind and event.subject is not None]

    def slots(self) -> tuple[bytes, ...]:
        """The slots of the register that an audit shows."""
        return audit_slots(self.row.tender, self.subjects("objected"), self.subjects("claimed"))


class Audits:
    """Gathers audits.

    Args:
        ground: the alliance, and the database with the index.
        rpc: a node; it must keep the state of the last final block.
        finality: when the chain's blocks are final.
        reader: of the member's log.
        keys: of its periods.
        desk: what the host adds.
    """

    def __init__(
        self,
        ground: TenderGround,
        rpc: Rpc,
        finality: chain.Finality,
        reader: LogReader,
        keys: PeriodKeys,
        desk: HostsDesk,
    ) -> None:
        self._ground = ground
        self._rpc = rpc
        self._finality = finality
        self._keys = keys
        self._leaves = LogLeaves(reader, keys)
        self._desk = desk
        self._network_file = write_network(ground.network)
        self._places = BoundedSemaphore(AT_ONCE)

    def gather(self, tender: bytes) -> bytes:
        """The audit's file of a tender as of the last final block.

        Raises:
            NotFound: there is no such tender.
            IndexBehind: its notice, or any block, is not final yet; ask again.
            Unavailable: the node keeps no state of that block, the block was replaced, or too many ask at once; ask
                again.
            NodeDishonest: the node's proofs do not lead to the headers, or to another life than the index holds.
            Refused: more happened to it than a file may tell.
            ChainUnreachable: no node answers.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("Many audits are being made; ask again.", retry_after=RETRY_SECONDS)
        try:
            return self._checked(tender, self._gather(tender))
        except ChainMoved as error:
            raise Unavailable("The chain moved meanwhile; ask again.", retry_after=RETRY_SECONDS) from error
        except AuditTooLarge as error:
            raise Refused(error, "/path/tender") from error
        finally:
            self._places.release()

    def _checked(self, tender: bytes, file: bytes) -> bytes:
        verdict = audit(file, self._network_file)
        if verdict.finding is Finding.REFUTED:
            step = verdict.steps[-1]
            raise NodeDishonest(
                f"the audit of 0x{tender.hex()} would be refuted at {step.step}: {step.detail}; what the index tells "
                "is not believed"
            )
        return file

    def _gather(self, tender: bytes) -> bytes:
        with Session(self._ground.engine, expire_on_commit=False) as session:
            number = final_block(session, self._finality)
            block = None if number is None else session.get(Block, number)
            if block is None:
                raise IndexBehind("No block is final yet; ask again later.", retry_after=RETRY_SECONDS)
            known = self._known(session, tender, block)
        proofs = _Proofs(self._ground, self._rpc, self._finality)
        told: list[TenderEvent | LogAnchor] = [*known.events, *known.words.openings, *known.anchors]
        places = map(_place, told)
        events = [proofs.event(place, block_number) for place, block_number in places]
        state = proofs.state(known.row.contract, known.slots(), block.number)
        log = self._leaves.show(known.shown, known.anchors[-1].size) if known.anchors else None
        words = known.words
        return write_audit(
            tender,
            events,
            state,
            receipts=words.receipts,
            replacements=words.replacements,
            statements=_of_leaves(known.declared, log),
            log=log,
            draws=known.draws,
        )

    def _known(self, session: Session, tender: bytes, block: Block) -> _Known:
        found = standing(session, tender, block.number)
        if found is None:
            newest = session.exec(select(Block.number).order_by(col(Block.number).desc()).limit(1)).one()
            if standing(session, tender, newest) is None:
                raise self._ground.unknown(tender)
            raise IndexBehind("The tender's notice is not final yet; ask again later.", retry_after=RETRY_SECONDS)
        row, telling, anchored = (
            found.row,
            self._keys.telling_at(session, block),
            _Anchors(session, found, block.number),
        )
        edges = anchored.edges() if row.log is not None else (None, None, None)
        shown = self._shown(session, found, edges, telling)
        covering = anchored.covering(shown.end) if shown.end else None
        return _Known(
            row=row,
            events=tuple(event for event, _ in happened(session, row, block.number)),
            anchors=self._of_log(row, (*edges, covering)),
            words=self._desk.words(session, row, shown.periods, block.number),
            shown=shown,
            draws=draw_of(session, tender) if row.state == State.AWARDED else (),
            declared=statements_of(session),
        )

    def _shown(self, session: Session, one: Standing, edges: Sequence[LogAnchor | None], telling: Telling) -> Shown:
        """What is shown of the log: nothing before bids are opened, or where they stand in another one."""
        row = one.row
        own = row.host == self._ground.member.number and row.generation == self._keys.generation
        if not own or row.manifest is None:
            return Shown()
        before, *later = (0 if each is None else each.size for each in edges)
        times, places = range(one.published_at, row.deadline), range(before, max(later))
        return self._leaves.choose(parse_bids(opened_bids(session, row)), times, places, telling)

    def _of_log(self, row: TenderVersion, anchors: Sequence[LogAnchor | None]) -> tuple[LogAnchor, ...]:
        """Those in the contract that the closing names, each once, by size."""
        network = self._ground.network
        found = {one.size: one for one in anchors if one is not None}
        of_log = [one for one in found.values() if network.contract(EVIDENCE_LOG, one.block_number).address == row.log]
        return tuple(sorted(of_log, key=lambda one: one.size))


class _Anchors:
    """The anchors of the host's log until a block.

    Args:
        session: of the index.
        one: the tender, whose bids are closed.
        block: the number of the block.
    """

    def __init__(self, session: Session, one: Standing, block: int) -> None:
        rows = select(LogAnchor).join(Block, col(Block.number) == col(LogAnchor.block_number))
        self._rows = rows.where(
            LogAnchor.member == one.row.host,
            LogAnchor.generation == one.row.generation,
            LogAnchor.block_number <= block,
        )
        self._session = session
        self._notice, self._deadline = one.published_at, one.row.deadline

    def edges(self) -> tuple[LogAnchor | None, LogAnchor | None, LogAnchor | None]:
        """The last before the notice, the last before the deadline, and the first from it on: below a size that was
        anchored leaves were there by then."""
        time = Block.timestamp
        before, early = self._last(time < self._notice), self._last(time < self._deadline)
        return before, early, self._first(time >= self._deadline)

    def covering(self, end: int) -> LogAnchor | None:
        """The first of at least so many leaves, or the last there is."""
        return self._first(LogAnchor.size >= end) or self._last(True)

    def _first(self, condition: bool) -> LogAnchor | None:
        return self._session.exec(self._rows.where(condition).order_by(col(LogAnchor.size)).limit(1)).first()

    def _last(self, condition: bool) -> LogAnchor | None:
        return self._session.exec(self._rows.where(condition).order_by(col(LogAnchor.size).desc()).limit(1)).first()


class _Proofs:
    """Proves events and state through a node, each block asked for once.

    Args:
        ground, rpc, finality: as `Audits` has them.
    """

    def __init__(self, ground: TenderGround, rpc: Rpc, finality: chain.Finality) -> None:
        self._ground = ground
        self._rpc = rpc
        self._rule = finality
        self._fetcher = Fetcher(rpc, {}, finality.consensus)
        self._blocks: dict[int, tuple[Header, Trie, Finality | None]] = {}

    def event(self, place: Place, number: int) -> ProvenLog:
        """An event in its block; raises ChainMoved and NodeDishonest."""
        if number not in self._blocks:
            self._blocks[number] = self._block(number)
        header, trie, finality = self._blocks[number]
        try:
            nodes = trie.prove(receipt_key(place.transaction_index))
            prove_receipt(header.receipts_root, place.transaction_index, nodes)
        except AnchorsError as error:
            raise NodeDishonest(f"block {number}: its receipts prove nothing: {error.diagnostics()}") from error
        return ProvenLog(Anchor(header.raw, tuple(nodes), place), finality)

    def state(self, register: bytes, slots: Sequence[bytes], number: int) -> FinalState:
        """A register's slots by the state of a final block.

        Raises:
            Unavailable: the node keeps no state of that block.
            NodeDishonest: its proof does not lead to the header.
        """
        header, _ = self._header(number)
        proven = prove_slots(self._rpc, header, TENDER_REGISTER, register, slots)
        return FinalState(header.raw, self._confirming(header), proven.nodes)

    def _block(self, number: int) -> tuple[Header, Trie, Finality | None]:
        header, answer = self._header(number)
        (receipts,) = self._fetcher.receipts([answer])
        try:
            trie = receipts_trie(receipts)
        except AnchorsError as error:
            raise NodeDishonest(f"a receipt of block {number} cannot be read: {error.diagnostics()}") from error
        return header, trie, self._confirming(header)

    def _header(self, number: int) -> tuple[Header, Answer]:
        return followed_block(self._ground.engine, self._fetcher, number)

    def _confirming(self, header: Header) -> Finality | None:
        if not self._rule.seals:
            return None
        return Finality(tuple(finality_headers(self._ground.engine, self._fetcher, self._rule, header)))


def _place(row: TenderEvent | LogAnchor) -> tuple[Place, int]:
    return Place(row.transaction_index, row.log_index), row.block_number


def _of_leaves(statements: Sequence[Statement], log: LogPart | None) -> list[Statement]:
    """Those whose commitments are among the leaves that are shown."""
    shown = {leaf for period in log.periods for leaf in period.leaves} if log is not None else set()
    return [each for each in statements if commit(each) in shown]
