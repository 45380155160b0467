"""The tables of tenders: where each stands and stood, all that happened to it, its opened and refused bids, and claims.

A tender is known by its name and the register that keeps it: one that was replaced goes on with its own. All that an
event said is in the tables, so that each act can be put together again from its rows.
"""

from collections.abc import Iterable
from typing import ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field

from ledger_service.index.rows import BigEndian, Fact, PlacedFact, Version


class TenderVersion(Version, table=True):
    """A tender as it stands after some event; what has not happened yet is None."""

    __tablename__ = "chain_tender"
    __table_args__ = (
        PrimaryKeyConstraint("tender", "contract", "from_block"),
        Index("ix_chain_tender_published", "published_block", "published_transaction", "published_log"),
        {"sqlite_with_rowid": False},
    )
    key: ClassVar[tuple[str, ...]] = ("tender", "contract")

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)  # its name for ever
    contract: bytes = Field(sa_type=LargeBinary, primary_key=True)  # address of the TenderRegister
    published_block: int = Field(sa_type=BigInteger)  # the place of its notice, as are the next two
    published_transaction: int
    published_log: int
    state: int  # a State of anchors.tenders
    host: int
    members: str  # who published it together, as `write_members` writes them
    answer_days: int
    former: bytes | None = Field(sa_type=LargeBinary)  # the failed tender that this one replaces
    version: int  # of the notice, as are the next three
    digest: bytes = Field(sa_type=LargeBinary)
    deadline: int = Field(sa_type=BigEndian(8))
    opening: int = Field(sa_type=BigEndian(8))
    log: bytes | None = Field(sa_type=LargeBinary)  # the host's, when bids were closed; so the next three
    generation: int | None = Field(sa_type=BigInteger)
    size: int | None = Field(sa_type=BigInteger)
    closed_in: int | None = Field(sa_type=BigInteger)  # the block
    manifest: bytes | None = Field(sa_type=LargeBinary)  # hash of the opening, of which the next five are
    root: bytes | None = Field(sa_type=LargeBinary)
    count: int | None = Field(sa_type=BigInteger)
    on_receipt: int | None = Field(sa_type=BigInteger)
    refusals: bytes | None = Field(sa_type=LargeBinary)  # Keccak-256 of the list of refused bids
    record: bytes | None = Field(sa_type=LargeBinary)
    round: int  # of the last evaluation, 0 before it, as are the next five
    evaluation: bytes | None = Field(sa_type=LargeBinary)  # its hash
    report: bytes | None = Field(sa_type=LargeBinary)
    sites: str | None  # as `members`
    panel: bytes | None = Field(sa_type=LargeBinary)  # sealed
    result: bytes | None = Field(sa_type=LargeBinary)
    candidates: bytes | None = Field(sa_type=LargeBinary)  # hash of the last ones, as are the next two
    candidate_list: bytes | None = Field(sa_type=LargeBinary)
    until: int | None = Field(sa_type=BigEndian(8))
    waiting: bytes = Field(sa_type=LargeBinary)  # objections without a ruling: 64 bytes each, candidates ‖ grounds
    award: bytes | None = Field(sa_type=LargeBinary)
    failure: bytes | None = Field(sa_type=LargeBinary)  # the reason; None as well with fewer than three bids


class TenderEvent(PlacedFact, table=True):
    """Something that happened to a tender."""

    __tablename__ = "chain_tender_event"
    __table_args__ = ({"sqlite_with_rowid": False},)

    tender: bytes = Field(sa_type=LargeBinary, index=True)
    contract: bytes = Field(sa_type=LargeBinary)
    kind: str  # such as published; see KINDS of `apply_tenders`
    subject: bytes | None = Field(sa_type=LargeBinary)  # its second name: an act's hash, grounds, a commitment
    data: str  # JSON: what else the event says; opened and refused bids have rows of their own


class TenderBid(Fact, table=True):
    """A bid that an opening names, opened or refused."""

    __tablename__ = "chain_tender_bid"
    __table_args__ = (
        PrimaryKeyConstraint("tender", "contract", "commitment", "opened"),
        {"sqlite_with_rowid": False},
    )

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    contract: bytes = Field(sa_type=LargeBinary, primary_key=True)
    commitment: bytes = Field(sa_type=LargeBinary, primary_key=True)
    opened: bool = Field(primary_key=True)
    index: int | None = Field(sa_type=BigEndian(8))  # of an opened one: its place in the host's log
    reason: bytes | None = Field(sa_type=LargeBinary)  # of a refused one


class ClaimVersion(Version, table=True):
    """A claim that a bid was left out, or a late one let in, and its answer."""

    __tablename__ = "chain_tender_claim"
    __table_args__ = (
        PrimaryKeyConstraint("tender", "commitment", "contract", "from_block"),
        {"sqlite_with_rowid": False},
    )
    key: ClassVar[tuple[str, ...]] = ("tender", "commitment", "contract")

    tender: bytes = Field(sa_type=LargeBinary, primary_key=True)
    commitment: bytes = Field(sa_type=LargeBinary, primary_key=True)
    contract: bytes = Field(sa_type=LargeBinary, primary_key=True)
    member: int  # against which it is
    late: bool  # a late bid was opened, to which there is no answer
    index: int = Field(sa_type=BigEndian(8))  # as the receipt says, as is the next
    received_at: int = Field(sa_type=BigEndian(8))
    claimed_in: int = Field(sa_type=BigInteger)  # the block
    answer_by: int = Field(sa_type=BigInteger)  # of a late one: when it was recorded
    answer: int | None  # an Answer of anchors.tenders
    by: bytes | None = Field(sa_type=LargeBinary)  # the bid in its place, or the reason of the refusal


def write_members(mask: int) -> str:
    """Members as a column holds them: `,1,3,`, so that `,3,` can be looked for."""
    return f",{','.join(map(str, members_in(mask)))},"


def read_members(column: str) -> tuple[int, ...]:
    """The numbers that `write_members` wrote, ascending."""
    return tuple(int(number) for number in column.split(",") if number)


def members_in(mask: int) -> Iterable[int]:
    """The numbers for which a bit stands, ascending."""
    return (number for number in range(mask.bit_length()) if mask >> number & 1)
