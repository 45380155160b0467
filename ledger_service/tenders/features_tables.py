"""The table of records of feature codes that sites have handed in: values under a tender's key, never a code.

A record's salt is not kept: whoever doubts a row asks its site for the statement.
"""

from sqlalchemy import BigInteger, LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel


class KeptRecord(SQLModel, table=True):
    """The opened record of a bid; the first one counts."""

    __tablename__ = "tender_feature_record"
    __table_args__ = (PrimaryKeyConstraint("tender", "bid"), {"sqlite_with_rowid": False})

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    bid: bytes = Field(sa_type=LargeBinary, primary_key=True)  # its commitment
    bidder: str  # SCHEME:IDENTIFIER of a company
    commitment: bytes = Field(sa_type=LargeBinary)  # of the record
    document: bytes = Field(sa_type=LargeBinary)  # RFC 8785 JSON: the bid, and a value for each code
    member: int  # in whose log the record is, as are the next two
    generation: int = Field(sa_type=BigInteger)
    index: int = Field(sa_type=BigInteger)
    received_at: int = Field(sa_type=BigInteger)  # POSIX seconds
