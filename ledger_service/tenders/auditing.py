"""Audits of tenders: all that the chain has of one, proven through a node, in a file that anybody recomputes offline.

Promises a file as of the last final block, so that nothing in it is taken back, which the verifier of
`anchors.tenders.audit` does not refute: each is held against it before it is given out. What the host alone keeps, its
holders' words, is told from the final opening on, and the sealed draw from the final award on. Leaves of the host's log
and the keys of its periods are not told: a key shows how many bids of every tender came in its minutes, and whether all
of those are opened is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore

from sqlmodel import Session, col, select

from anchors.chain.answers import Answer
from anchors.chain.header import Header
from anchors.chain.receipts import prove_receipt, receipt_key, receipts_trie
from anchors.chain.trie import Trie
from anchors.errors import AnchorsError, AuditTooLarge
from anchors.evidence import Anchor, Finality, Place
from anchors.network import write_network
from anchors.tenders import Bid, Replacement, State, parse_bids
from anchors.tenders.audit import (
    FinalState,
    Finding,
    ProvenLog,
    SignedReplacement,
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
from ledger_service.tenders.audit_leaves import show_leaves
from ledger_service.tenders.bids import kept_bids
from ledger_service.tenders.draws.rounds import draw_of
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import happened, opened_bids, standing
from ledger_service.tenders.tables import ReplacedBid

__all__ = ["Audits"]

AT_ONCE = 4  # audits that are being made; a node that answers slowly must not take all threads of the service


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of a tender as of a block."""

    row: TenderVersion
    events: tuple[TenderEvent, ...]
    anchors: tuple[LogAnchor, ...]
    replacements: tuple[SignedReplacement, ...]
    bids: tuple[Bid, ...]  # the opened ones, where the log is this service's
    draws: tuple[bytes, ...]  # the files of the draw's rounds, where they are held here

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
        generation: of that log.
    """

    def __init__(
        self, ground: TenderGround, rpc: Rpc, finality: chain.Finality, reader: LogReader, generation: int
    ) -> None:
        self._ground = ground
        self._rpc = rpc
        self._finality = finality
        self._reader = reader
        self._generation = generation
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
            if number is None or session.get(Block, number) is None:
                raise IndexBehind("No block is final yet; ask again later.", retry_after=RETRY_SECONDS)
            known = self._known(session, tender, number)
        proofs = _Proofs(self._ground, self._rpc, self._finality)
        places = [*map(_place, known.events), *map(_place, known.anchors)]
        events = [proofs.event(place, block) for place, block in places]
        state = proofs.state(known.row.contract, known.slots(), number)
        log = show_leaves(self._reader, known.bids, known.anchors[-1].size) if known.bids and known.anchors else None
        return write_audit(tender, events, state, replacements=known.replacements, log=log, draws=known.draws)

    def _known(self, session: Session, tender: bytes, block: int) -> _Known:
        found = standing(session, tender, block)
        if found is None:
            newest = session.exec(select(Block.number).order_by(col(Block.number).desc()).limit(1)).one()
            if standing(session, tender, newest) is None:
                raise self._ground.unknown(tender)
            raise IndexBehind("The tender's notice is not final yet; ask again later.", retry_after=RETRY_SECONDS)
        events = tuple(event for event, _ in happened(session, found.row, block))
        bids = tuple(parse_bids(opened_bids(session, found.row))) if self._holds_log(found.row) else ()
        anchors = () if found.row.log is None else self._anchors(session, found.row, bids, block)
        replacements = self._replacements(session, found.row)
        draws = draw_of(session, tender) if found.row.state == State.AWARDED else ()
        return _Known(found.row, events, anchors, replacements, bids, draws)

    def _holds_log(self, row: TenderVersion) -> bool:
        """Whether bids are opened, and out of the log that this service has."""
        own = row.host == self._ground.member.number and row.generation == self._generation
        return own and row.manifest is not None

    def _anchors(self, session: Session, row: TenderVersion, bids: Sequence[Bid], block: int) -> tuple[LogAnchor, ...]:
        """The last anchor of the host's log before the deadline, below which bids were there in time, and the first
        one that covers all of them, by size."""
        rows = select(LogAnchor).join(Block, col(Block.number) == col(LogAnchor.block_number))
        rows = rows.where(
            LogAnchor.member == row.host, LogAnchor.generation == row.generation, LogAnchor.block_number <= block
        )
        size, end = col(LogAnchor.size), max((bid.place for bid in bids), default=-1) + 1
        early = session.exec(rows.where(Block.timestamp < row.deadline).order_by(size.desc()).limit(1)).first()
        whole = session.exec(rows.where(size >= end).order_by(size).limit(1)).first() if bids else None
        found = {each.size: each for each in (early, whole) if each is not None}
        network = self._ground.network
        of_log = [one for one in found.values() if network.contract(EVIDENCE_LOG, one.block_number).address == row.log]
        return tuple(sorted(of_log, key=lambda one: one.size))

    def _replacements(self, session: Session, row: TenderVersion) -> tuple[SignedReplacement, ...]:
        """The holders' words that this service keeps, once the bids are opened and where it is the host's."""
        if row.manifest is None or row.host != self._ground.member.number:
            return ()
        words = [each.replaced for each in kept_bids(session, row.tender) if each.replaced is not None]
        return tuple(_signed(word) for word in words if word.signed_at < row.deadline)


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


def _signed(word: ReplacedBid) -> SignedReplacement:
    act = Replacement(word.tender, word.commitment, word.replacement, word.signed_at)
    return SignedReplacement(act, word.preimage, word.signature)
