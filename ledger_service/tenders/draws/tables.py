"""The host's tables of draws: the terms of each round, the parts that came in, and what came of it.

Values, shares, lists and seats lie here as whoever holds the draw has them. Nothing that is told before its time is
made from them: see `routes`.
"""

from sqlalchemy import BigInteger, LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel


class DrawRound(SQLModel, table=True):
    """A round of a tender's draw; what has not happened yet is None."""

    __tablename__ = "tender_draw"
    __table_args__ = (PrimaryKeyConstraint("tender", "round"), {"sqlite_with_rowid": False})

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    round: int = Field(primary_key=True)  # from 1
    terms: bytes = Field(sa_type=LargeBinary)  # canonical JSON, as is the next
    begun_at: int = Field(sa_type=BigInteger)  # POSIX seconds, as is the next time
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)  # the sealed file, once it was held
    seats: bytes | None = Field(default=None, sa_type=LargeBinary)  # JSON
    held_at: int | None = Field(default=None, sa_type=BigInteger)
    statement: str | None = None  # JSON: the evidence of the sealed file, with its salt
    logged_by: str | None = None  # the API key that had it logged
    receipt: str | None = None  # JSON: the log's, once it has given one


class DrawPart(SQLModel, table=True):
    """A part of a round, as a member gave it."""

    __tablename__ = "tender_draw_part"
    __table_args__ = (PrimaryKeyConstraint("tender", "round", "kind", "site", "member"), {"sqlite_with_rowid": False})

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    round: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)  # one of the lists of `anchors.tenders.draw.parts`
    site: str = Field(primary_key=True)  # whose value or list it is of; empty for a confirmation
    member: str = Field(primary_key=True)  # who gave its share or its word; empty for what is the site's own
    content: bytes = Field(sa_type=LargeBinary)  # JSON
    received_at: int = Field(sa_type=BigInteger)
