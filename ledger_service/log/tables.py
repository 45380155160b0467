"""The log's tables, from which everything else about the log can be made again.

A leaf is one row, filling like any other, so that every leaf answers alike. What a period is made of stands in the
batches that were accepted in it and, once it is closed, in its filling; a checkpoint is a row before it is a file.
"""

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel


class Leaf(SQLModel, table=True):
    """Where a commitment stands in the log.

    Keyed by the commitment alone, in a table without a row number: what is looked up and kept unique is the row itself,
    and one random place is written for each leaf, not two.
    """

    __tablename__ = "log_leaf"
    __table_args__ = {"sqlite_with_rowid": False}

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    commitment: bytes = Field(primary_key=True, sa_type=LargeBinary(32))
    index: int = Field(sa_type=BigInteger)


class Period(SQLModel, table=True):
    """One beat of the log's clock; the one without a size is open."""

    __tablename__ = "log_period"
    __table_args__ = (
        Index("ix_log_period_first", "generation", "first"),
        Index("ix_log_period_closed", "generation", "closed_at"),
    )

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    first: int = Field(sa_type=BigInteger)  # index of its first leaf
    first_batch: int = Field(sa_type=BigInteger)  # number of the first batch that may be in it
    end_batch: int | None = Field(default=None, sa_type=BigInteger)  # one past the last, when it closed
    slots: int  # 0: as many leaves as came
    size: int | None = Field(default=None, sa_type=BigInteger)  # of the log when it closed
    filling: bytes = Field(default=b"", sa_type=LargeBinary)  # 40-byte entries, like a batch's
    # POSIX seconds when it closed, by the log's clock and by the last block that the index had followed; None as well
    # where an older version closed it, the second also where there was no block.
    closed_at: int | None = Field(default=None, sa_type=BigInteger)
    chain_time: int | None = Field(default=None, sa_type=BigInteger)


class Batch(SQLModel, table=True):
    """What one disk sync made durable and one signature receipted."""

    __tablename__ = "log_batch"

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    entries: bytes = Field(sa_type=LargeBinary)  # 40 bytes each: uint64 index, commitment; in the order of position
    evidence_log: bytes = Field(sa_type=LargeBinary(20))
    member: int
    accepted_at: int = Field(sa_type=BigInteger)  # POSIX seconds, as is the next
    anchor_by: int = Field(sa_type=BigInteger)
    signature: bytes = Field(sa_type=LargeBinary(65))


class Request(SQLModel, table=True):
    """A request that came with an Idempotency-Key, and where in which batch its entries are."""

    __tablename__ = "log_request"

    name: bytes = Field(primary_key=True, sa_type=LargeBinary(32))  # hash of generation, API key and Idempotency-Key
    body: bytes = Field(sa_type=LargeBinary(32))  # hash of the commitments, in order
    generation: int = Field(sa_type=BigInteger)
    batch: int = Field(sa_type=BigInteger)
    position: int
    count: int


class Checkpoint(SQLModel, table=True):
    """A size at which the log was signed; never changed, never taken back."""

    __tablename__ = "log_checkpoint"

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    size: int = Field(primary_key=True, sa_type=BigInteger)
    period: int = Field(sa_type=BigInteger)  # number of the last one that it covers
    root: bytes = Field(sa_type=LargeBinary(32))
    note: bytes = Field(sa_type=LargeBinary)
