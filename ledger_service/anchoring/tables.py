"""The tables of anchoring: what was signed for the chain, and what proves that it is there."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class OutboxEntry(SQLModel, table=True):
    """A transaction that anchors a checkpoint; it is a row before it is sent."""

    __tablename__ = "anchoring_outbox"

    id: int | None = Field(default=None, primary_key=True)
    generation: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    nonce: int = Field(sa_type=BigInteger)
    raw: bytes = Field(sa_type=LargeBinary)
    transaction_hash: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime
    waiting: bool = Field(index=True)  # until its outcome is known


class AnchorProof(SQLModel, table=True):
    """What proves an anchor in its block, for the leaves from `from_size` on that no earlier anchor covers."""

    __tablename__ = "anchoring_proof"

    generation: int = Field(sa_type=BigInteger, primary_key=True)
    size: int = Field(sa_type=BigInteger, primary_key=True)
    from_size: int = Field(sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes = Field(sa_type=LargeBinary)
    header: bytes = Field(sa_type=LargeBinary)  # RLP
    receipt_proof: bytes = Field(sa_type=LargeBinary)  # the trie's nodes, root first, as one RLP list
    transaction_index: int
    log_index: int  # among the logs of its transaction
    finality: bytes | None = Field(
        default=None, sa_type=LargeBinary
    )  # headers as one RLP list, where blocks are sealed


class Withdrawal(SQLModel, table=True):
    """A captured proof whose block was reversed: what was given out for the leaves it was of no longer holds."""

    __tablename__ = "anchoring_withdrawal"

    id: int | None = Field(default=None, primary_key=True)
    generation: int = Field(sa_type=BigInteger)
    from_size: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes = Field(sa_type=LargeBinary)
    seen_at: datetime
