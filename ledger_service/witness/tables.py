"""What outside eyes have said of this member's log, and what it has said of the logs of others."""

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class WitnessedLog(SQLModel, table=True):
    """The one view of a log that this witness ever has; it only grows."""

    __tablename__ = "witness_log"

    origin: str = Field(primary_key=True)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary(32))
    note: bytes = Field(sa_type=LargeBinary)  # its checkpoint, with the log's signatures and this witness's


class Cosignature(SQLModel, table=True):
    """A witness's line on a checkpoint of this member's log, verified before it was kept."""

    __tablename__ = "witness_cosignature"

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    size: int = Field(primary_key=True, sa_type=BigInteger)
    key: str = Field(primary_key=True)  # the key's name, a plus, its ID in hexadecimal
    line: str


class Timestamp(SQLModel, table=True):
    """An authority's answer, RFC 3161, about the text of a checkpoint."""

    __tablename__ = "witness_timestamp"

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    size: int = Field(primary_key=True, sa_type=BigInteger)
    response: bytes = Field(sa_type=LargeBinary)  # DER
