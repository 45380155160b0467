"""Captures what proves each anchor, as soon as the index has followed its block, and again when the block has changed.

A captured proof answers for ever without a node; every node could give it again, since headers and receipts are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, or_, select

from anchors.chain import rlp
from anchors.chain.answers import Answer
from anchors.chain.header import Header, header_of_block
from anchors.chain.receipts import prove_receipt, receipt_key, receipts_trie
from anchors.errors import AnchorsError
from ledger_service import conditions
from ledger_service.anchoring.tables import AnchorProof
from ledger_service.chain.rpc import Rpc, fields
from ledger_service.errors import NodeDishonest
from ledger_service.index.fetch import ChainMoved, Fetcher
from ledger_service.index.tables import Anchor, Block

PART: Final = "proofs"
BATCH: Final = 64  # proofs captured in one step


@dataclass(frozen=True, slots=True)
class CapturedProof:
    """An anchor's event, proven in its block."""

    header: bytes  # RLP
    receipt_proof: tuple[bytes, ...]  # the trie's nodes, root first
    transaction_index: int
    log_index: int


def captured_proof(session: Session, anchor: Anchor) -> CapturedProof | None:
    """The proof of an anchor, if it was captured in the block that the index holds now."""
    row = session.get(AnchorProof, (anchor.generation, anchor.size))
    block = session.get(Block, anchor.block_number)
    if row is None or block is None or row.block_hash != block.hash:
        return None
    nodes = tuple(node for node in rlp.decode_list(row.receipt_proof) if isinstance(node, bytes))
    return CapturedProof(row.header, nodes, row.transaction_index, row.log_index)


class ProofCapture:
    """Captures the proofs of one member's anchors.

    Args:
        engine: the database.
        rpc: a node.
        member: whose anchors.
        consensus: by whose rule headers hash, as the network file names it.
        clock: the time for what is reported; aware, UTC.
    """

    def __init__(self, engine: Engine, rpc: Rpc, member: int, consensus: str, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._rpc = rpc
        self._fetcher = Fetcher(rpc, {}, consensus)
        self._consensus = consensus
        self._member = member
        self._clock = clock

    def step(self) -> int:
        """Capture some of the proofs that are missing.

        Returns:
            How many were captured.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PART, self._clock):
            return self._capture_missing()

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
        query = (
            select(Anchor, Block.hash)
            .join(Block, col(Block.number) == col(Anchor.block_number))
            .outerjoin(
                AnchorProof,
                (col(AnchorProof.generation) == col(Anchor.generation)) & (col(AnchorProof.size) == col(Anchor.size)),
            )
            .where(
                Anchor.member == self._member,
                or_(col(AnchorProof.block_hash).is_(None), col(AnchorProof.block_hash) != col(Block.hash)),
            )
            .order_by(col(Anchor.block_number))
            .limit(BATCH)
        )
        with Session(self._engine) as session:
            return session.exec(query).all()

    def _capture(self, anchor: Anchor, block_hash: bytes) -> AnchorProof:
        answer = self._rpc.call("eth_getBlockByHash", "0x" + block_hash.hex(), False)
        if answer is None:
            raise ChainMoved(f"the node no longer has block {anchor.block_number}")
        block = fields(answer)
        header = self._header(anchor.block_number, block, block_hash)
        (receipts,) = self._fetcher.receipts([block])
        try:
            nodes = receipts_trie(receipts).prove(receipt_key(anchor.transaction_index))
            prove_receipt(header.receipts_root, anchor.transaction_index, nodes)
        except AnchorsError as error:
            raise NodeDishonest(f"block {anchor.block_number}: its receipts prove nothing: {error}") from error
        return AnchorProof(
            generation=anchor.generation,
            size=anchor.size,
            block_hash=block_hash,
            header=header.raw,
            receipt_proof=rlp.encode(nodes),
            transaction_index=anchor.transaction_index,
            log_index=anchor.log_index,
        )

    def _header(self, number: int, block: Answer, block_hash: bytes) -> Header:
        try:
            header = header_of_block(block, self._consensus)
        except AnchorsError as error:
            raise NodeDishonest(f"block {number} is not what its hash says: {error}") from error
        if header.hash != block_hash:
            raise NodeDishonest(f"block {number} is not what its hash says: it is block 0x{header.hash.hex()}")
        return header
