"""The host's own tables of bids, which no public route, metric or log line is made from.

Which leaf of the log is a bid in which tender is known to the host alone until the opening, as whoever takes the bids
knows it: these rows are what its officers open from. They hold commitments, never a bid.
"""

from sqlalchemy import BigInteger, LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel


class ReceivedBid(SQLModel, table=True):
    """A bid that the log took before its tender's deadline."""

    __tablename__ = "tender_bid"
    __table_args__ = (PrimaryKeyConstraint("tender", "commitment"), {"sqlite_with_rowid": False})

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    commitment: bytes = Field(sa_type=LargeBinary, primary_key=True)
    generation: int = Field(sa_type=BigInteger)  # of the log, as is the next
    index: int = Field(sa_type=BigInteger)
    received_at: int = Field(sa_type=BigInteger)  # POSIX seconds


class ReplacedBid(SQLModel, table=True):
    """The word of a bid's holder that it is replaced or withdrawn; the first one counts."""

    __tablename__ = "tender_replacement"
    __table_args__ = (PrimaryKeyConstraint("tender", "commitment"), {"sqlite_with_rowid": False})

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    commitment: bytes = Field(sa_type=LargeBinary, primary_key=True)
    replacement: bytes = Field(sa_type=LargeBinary)  # the bid in its place; zeros: it is withdrawn
    signed_at: int = Field(sa_type=BigInteger)  # POSIX seconds, as is the next
    received_at: int = Field(sa_type=BigInteger)
    preimage: bytes = Field(sa_type=LargeBinary)  # the 257 bytes that the commitment commits to
    signature: bytes = Field(sa_type=LargeBinary)  # r ‖ s ‖ v, 65 bytes
