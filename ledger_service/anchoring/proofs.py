"""Captures what proves each anchor once its block is final, and again when the block was reversed after all.

A development chain's blocks are proven as soon as they are followed: nobody's seals are waited for. A captured proof
answers for ever without a node; every node could give it again, since headers and receipts are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Engine, tuple_
from sqlmodel import Session, col, func, select

from anchors.chain import rlp
from anchors.chain.header import Header
from anchors.chain.receipts import prove_receipt, receipt_key, receipts_trie
from anchors.errors import AnchorsError
from ledger_service import conditions
from ledger_service.anchoring.tables import AnchorProof
from ledger_service.anchoring.withdrawals import withdraw_reversed
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.errors import NodeDishonest
from ledger_service.index.confirming import finality_headers
from ledger_service.index.fetch import ChainMoved, Fetcher
from ledger_service.index.queries import final_block
from ledger_service.index.tables import Anchor, Block, Reorganisation

log = structlog.get_logger(__name__)

PART: Final = "proofs"
BATCH: Final = 64  # proofs captured in one step


@dataclass(frozen=True, slots=True)
class CapturedProof:
    """An anchor's event, proven in its block."""

    header: bytes  # RLP
    receipt_proof: tuple[bytes, ...]  # the trie's nodes, root first
    transaction_index: int
    log_index: int
    finality: tuple[bytes, ...] | None  # headers, RLP, that show it sealed; None on a development chain


def captured_proof(session: Session, anchor: Anchor) -> CapturedProof | None:
    """The proof of an anchor, if it was captured in the block that the index holds now."""
    row = session.get(AnchorProof, (anchor.generation, anchor.size))
    block = session.get(Block, anchor.block_number)
    if row is None or block is None or row.block_hash != block.hash:
        return None
    finality = None if row.finality is None else _byte_strings(row.finality)
    return CapturedProof(row.header, _byte_strings(row.receipt_proof), row.transaction_index, row.log_index, finality)


def _byte_strings(listed: bytes) -> tuple[bytes, ...]:
    return tuple(item for item in rlp.decode_list(listed) if isinstance(item, bytes))


class ProofCapture:
    """Captures the proofs of one member's anchors.

    Args:
        engine: the database.
        rpc: a node.
        member: whose anchors.
        finality: when the chain's blocks are final.
        clock: the time for what is reported; aware, UTC.
    """

    def __init__(
        self, engine: Engine, rpc: Rpc, member: int, finality: Finality, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._fetcher = Fetcher(rpc, {}, finality.consensus)
        self._finality = finality
        self._member = member
        self._clock = clock
        self._looked_at = 0  # the last reorganisation after which all proofs were looked at

    def step(self) -> int:
        """Withdraw the proofs of blocks that were reversed, and capture some of those that are missing.

        Returns:
            How many were captured.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PART, self._clock):
            self._withdraw_reversed()
            return self._capture_missing()

    def _withdraw_reversed(self) -> None:
        """Look at the proofs after each reorganisation, until another block stands in each old one's place."""
        with Session(self._engine) as session:
            newest, highest = session.exec(select(func.max(Reorganisation.id), func.max(Reorganisation.old_head))).one()
            if newest is None or newest == self._looked_at:
                return
            head = session.exec(select(func.max(Block.number))).one()
            for one in withdraw_reversed(session, self._member, self._clock()):
                log.warning("evidence_withdrawn", size=one.size, block=one.block_number, hash=one.block_hash.hex())
            session.commit()
        if head is not None and head >= highest:
            self._looked_at = newest

    def _capture_missing(self) -> int:
        missing = self._missing()
        for anchor, block_hash in missing:
            try:
                proof = self._capture(anchor, block_hash)
            except ChainMoved:
                return 0  # the index will see it
            with Session(self._engine) as session:
                session.merge(proof)
                session.commit()
        return len(missing)

    def _missing(self) -> Sequence[tuple[Anchor, bytes]]:
        """The next anchors after the last one that is proven: within a log that is the order of the chain."""
        with Session(self._engine) as session:
            place = (col(AnchorProof.generation), col(AnchorProof.size))
            proven = session.exec(select(*place).order_by(*(column.desc() for column in place)).limit(1)).first()
            beyond = tuple_(col(Anchor.generation), col(Anchor.size)) > tuple_(*(proven or (0, 0)))
            query = (
                select(Anchor, Block.hash)
                .join(Block, col(Block.number) == col(Anchor.block_number))
                .where(Anchor.member == self._member, beyond, Anchor.block_number <= self._last_provable(session))
                .order_by(col(Anchor.generation), col(Anchor.size))
                .limit(BATCH)
            )
            return session.exec(query).all()

    def _last_provable(self, session: Session) -> int:
        """The last block whose anchors are captured; -1 for none."""
        followed = select(func.max(Block.number))
        last = final_block(session, self._finality) if self._finality.seals else session.exec(followed).one()
        return -1 if last is None else last

    def _capture(self, anchor: Anchor, block_hash: bytes) -> AnchorProof:
        header, block = self._fetcher.block(anchor.block_number, block_hash)
        (receipts,) = self._fetcher.receipts([block])
        try:
            nodes = receipts_trie(receipts).prove(receipt_key(anchor.transaction_index))
            prove_receipt(header.receipts_root, anchor.transaction_index, nodes)
        except AnchorsError as error:
            raise NodeDishonest(f"block {anchor.block_number}: its receipts prove nothing: {error}") from error
        return AnchorProof(
            generation=anchor.generation,
            size=anchor.size,
            from_size=self._covered_before(anchor),
            block_number=anchor.block_number,
            block_hash=block_hash,
            header=header.raw,
            receipt_proof=rlp.encode(nodes),
            transaction_index=anchor.transaction_index,
            log_index=anchor.log_index,
            finality=self._confirming(header) if self._finality.seals else None,
        )

    def _covered_before(self, anchor: Anchor) -> int:
        """How many leaves the anchor before this one covers."""
        before = (Anchor.member == self._member, Anchor.generation == anchor.generation, col(Anchor.size) < anchor.size)
        with Session(self._engine) as session:
            return session.exec(select(func.coalesce(func.max(Anchor.size), 0)).where(*before)).one()

    def _confirming(self, header: Header) -> bytes:
        return rlp.encode(finality_headers(self._engine, self._fetcher, self._finality, header))
