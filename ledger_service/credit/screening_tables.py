"""The tables of screenings: who asked as of which block, and the names of the records that were given.

Neither who was asked about nor what was told is kept, and the salt is not: the document and its statement are with
whoever asked. What is kept is enough to say later which of the records were withdrawn.
"""

from sqlalchemy import BigInteger, Integer, LargeBinary
from sqlmodel import Field, SQLModel


class Screening(SQLModel, table=True):
    """An answer that was given, and logged."""

    __tablename__ = "credit_screening"

    number: int | None = Field(
        default=None, sa_type=BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )  # in the order in which they were made; told to nobody, since it counts them
    id: str = Field(unique=True)  # 32 random hex digits
    api_key: str = Field(index=True)  # the id of who asked
    block: int = Field(sa_type=BigInteger)
    time: int = Field(sa_type=BigInteger)  # as of when, POSIX seconds
    recognized_by: int | None  # the number of the member whose view it is
    subjects: int  # how many rows were asked about, as the next three are
    clear: int
    hits: int
    invalid: int
    records: int  # how many were given, each once
    certificate: bytes | None = Field(sa_type=LargeBinary(32))  # its digest
    commitment: bytes = Field(sa_type=LargeBinary(32))
    name: bytes | None = Field(
        default=None, sa_type=LargeBinary(32), unique=True
    )  # hash of API key and Idempotency-Key
    seed: bytes | None = Field(default=None, sa_type=LargeBinary(32))  # of the salt; the Idempotency-Key is the rest


class ScreeningHit(SQLModel, table=True):
    """A record that a screening gave to whoever asked."""

    __tablename__ = "credit_screening_hit"
    __table_args__ = {"sqlite_with_rowid": False}

    screening: int = Field(sa_type=BigInteger, primary_key=True)  # its number
    record: bytes = Field(sa_type=LargeBinary(32), primary_key=True, index=True)
