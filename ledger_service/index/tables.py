"""The tables of the index: what the chain says, with the blocks from which and until which it said so.

Rows are facts or versions (`rows`). Rolling back to a block deletes what is younger and reopens what younger blocks
closed, so that the tables are those of an index that never saw them. Those of tenders are in `tender_tables`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from ledger_service.index.rows import BigEndian, Fact, PlacedFact, Version
from ledger_service.index.tender_tables import ClaimVersion, TenderBid, TenderEvent, TenderVersion


class Block(SQLModel, table=True):
    """A block that was followed."""

    __tablename__ = "chain_block"

    number: int = Field(sa_type=BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)
    timestamp: int = Field(sa_type=BigInteger)
    sealers: bytes | None = Field(default=None, sa_type=LargeBinary)  # bits, by their places among the validators
    round: int | None = Field(default=None, sa_type=BigInteger)  # BFT


class Validators(Fact, table=True):
    """The validators from a block on, where they are not those of the block before."""

    __tablename__ = "chain_validators"

    block_number: int = Field(sa_type=BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    addresses: bytes = Field(sa_type=LargeBinary)  # 20 bytes each, one after the other, in order
    header: bytes = Field(sa_type=LargeBinary)  # RLP


class Anchor(Fact, table=True):
    """A member's log was anchored; within a member, order by (generation, size) is that of the chain."""

    __tablename__ = "chain_anchor"
    __table_args__ = ({"sqlite_with_rowid": False},)  # one tree instead of two: half the time of a backfill

    member: int = Field(primary_key=True)
    generation: int = Field(sa_type=BigInteger, primary_key=True)
    size: int = Field(sa_type=BigInteger, primary_key=True)
    root: bytes = Field(sa_type=LargeBinary)
    count: int = Field(sa_type=BigInteger)
    transaction_index: int
    log_index: int  # among the logs of its transaction


class GenerationEnd(Fact, table=True):
    """A generation of a member's log was closed."""

    __tablename__ = "chain_generation_end"

    member: int = Field(primary_key=True)
    generation: int = Field(sa_type=BigInteger, primary_key=True)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)


class Fault(Fact, table=True):
    """A receipt that was shown to be broken, or was reported late."""

    __tablename__ = "chain_fault"

    entry: bytes = Field(sa_type=LargeBinary, primary_key=True)
    kind: str = Field(primary_key=True)  # broken or late
    member: int = Field(index=True)
    generation: int = Field(sa_type=BigInteger)
    index: int = Field(sa_type=BigEndian(8))
    promised: bytes | None = Field(default=None, sa_type=LargeBinary)
    found: bytes | None = Field(default=None, sa_type=LargeBinary)
    anchor_by: int | None = Field(default=None, sa_type=BigInteger)


class LogKey(PlacedFact, table=True):
    """A log key of a member: for checkpoints of `generation` above `from_size`, and of later generations."""

    __tablename__ = "chain_log_key"

    member: int = Field(index=True)
    generation: int = Field(sa_type=BigInteger)
    from_size: int = Field(sa_type=BigInteger)
    public_key: bytes = Field(sa_type=LargeBinary)


class Approval(PlacedFact, table=True):
    """A member's voice for a proposal, the proposer's own among them."""

    __tablename__ = "chain_approval"

    proposal: int = Field(sa_type=BigInteger, index=True)
    member: int
    governor: bytes = Field(sa_type=LargeBinary)


class MemberVersion(Version, table=True):
    """A member as the registry holds it."""

    __tablename__ = "chain_member"
    key: ClassVar[tuple[str, ...]] = ("number",)

    number: int = Field(primary_key=True)
    code: str
    name: str
    log_key: bytes = Field(sa_type=LargeBinary)
    status: int


class OperatorVersion(Version, table=True):
    """The one tenure of an address in a role."""

    __tablename__ = "chain_operator"
    key: ClassVar[tuple[str, ...]] = ("address", "role")

    address: bytes = Field(sa_type=LargeBinary, primary_key=True)
    role: int = Field(primary_key=True)
    member: int = Field(index=True)
    from_time: int = Field(sa_type=BigEndian(8))
    until_time: int = Field(sa_type=BigEndian(8))  # 0: open
    revoked: bool
    generation: int = Field(sa_type=BigInteger)  # of a revoked receipt signer: anchored then
    size: int = Field(sa_type=BigInteger)


class RegulatorRequestVersion(Version, table=True):
    """A member's wish that an address become its regulator, and who agreed."""

    __tablename__ = "chain_regulator_request"
    key: ClassVar[tuple[str, ...]] = ("member", "address")

    member: int = Field(primary_key=True)
    address: bytes = Field(sa_type=LargeBinary, primary_key=True)
    until_time: int = Field(sa_type=BigEndian(8))
    lapses_at: int = Field(sa_type=BigInteger)
    second: int | None


class ProposalVersion(Version, table=True):
    """A proposed call, and whether it was carried out."""

    __tablename__ = "chain_proposal"
    key: ClassVar[tuple[str, ...]] = ("id",)

    id: int = Field(sa_type=BigInteger, primary_key=True)
    member: int
    governor: bytes = Field(sa_type=LargeBinary)
    target: bytes = Field(sa_type=LargeBinary)
    data: bytes = Field(sa_type=LargeBinary)
    lapses_at: int = Field(sa_type=BigInteger)
    executed: bool


class ParameterVersion(Version, table=True):
    """A parameter of the alliance."""

    __tablename__ = "chain_parameter"
    key: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(primary_key=True)
    value: int = Field(sa_type=BigEndian(32))


class SystemContractVersion(Version, table=True):
    """A contract of the alliance."""

    __tablename__ = "chain_system_contract"
    key: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(primary_key=True)
    address: bytes = Field(sa_type=LargeBinary)


class JournalVersion(Version, table=True):
    """The word that a contract folds its events into: uint32 count ‖ 224-bit hash."""

    __tablename__ = "chain_journal"
    key: ClassVar[tuple[str, ...]] = ("contract",)

    contract: str = Field(primary_key=True)
    word: bytes = Field(sa_type=LargeBinary)


class CreditRecordVersion(Version, table=True):
    """A credit record as it stands; that its last day is over closes no version."""

    __tablename__ = "chain_credit_record"
    # In the order of the subjects, since a subject's records are what is asked for most.
    __table_args__ = (
        PrimaryKeyConstraint("subject", "record", "from_block"),
        # With all that lists are narrowed by, so that what is rare among a million is found in a fifth of a second.
        Index(
            "ix_chain_credit_record_published",
            *("published_block", "published_transaction", "published_log"),
            *("state", "last_day", "member", "kind", "measures", "from_block", "to_block"),
        ),
        {"sqlite_with_rowid": False},
    )
    key: ClassVar[tuple[str, ...]] = ("subject", "record")

    subject: bytes = Field(sa_type=LargeBinary, primary_key=True)  # subject key
    record: bytes = Field(sa_type=LargeBinary, primary_key=True, index=True)  # its name for ever
    contract: bytes = Field(sa_type=LargeBinary)  # address of the CreditRegister
    published_block: int = Field(sa_type=BigInteger)  # the place of its publication, as are the next two
    published_transaction: int
    published_log: int
    state: int  # a State, never computed: 1 published, 2 objected, 3 upheld, 4 corrected, 5 withdrawn, 6 repaired
    member: int  # who decided
    kind: int  # 1 honour, 2 general dishonesty, 3 serious dishonesty
    decided_on: int = Field(sa_type=BigInteger)  # days since 1970-01-01, as is the next
    last_day: int = Field(sa_type=BigInteger)
    earlier: int = Field(sa_type=BigInteger)
    measures: str  # as `write_measures` writes them
    statement: bytes = Field(sa_type=LargeBinary)
    document: bytes = Field(sa_type=LargeBinary)


class CreditEvent(PlacedFact, table=True):
    """A publication or change of a credit record. Of the content there is what it sets anew: all or nothing."""

    __tablename__ = "chain_credit_event"
    __table_args__ = ({"sqlite_with_rowid": False},)

    subject: bytes = Field(sa_type=LargeBinary, index=True)
    record: bytes = Field(sa_type=LargeBinary)
    contract: bytes = Field(sa_type=LargeBinary)
    state: int  # after it
    member: int | None
    kind: int | None
    decided_on: int | None = Field(sa_type=BigInteger)
    last_day: int | None = Field(sa_type=BigInteger)
    earlier: int | None = Field(sa_type=BigInteger)
    measures: str | None
    statement: bytes | None = Field(sa_type=LargeBinary)
    document: bytes | None = Field(sa_type=LargeBinary)
    grounds: bytes | None = Field(sa_type=LargeBinary)  # of a change
    pledge: bytes | None = Field(sa_type=LargeBinary)  # of a repair
    publisher: bytes = Field(sa_type=LargeBinary)  # who signed, 20 bytes, as does the next
    regulator: bytes | None = Field(sa_type=LargeBinary)
    objector: int | None  # the member that handed in an objection
    endorsers: bytes | None = Field(sa_type=LargeBinary)  # of a publication; 32 bytes, bit n from the low end: member n


class Recognition(PlacedFact, table=True):
    """A member's choice to apply, or not, an issuer's records of a kind, or one record."""

    __tablename__ = "chain_recognition"

    member: int = Field(index=True)
    issuer: int | None  # with `kind`; None where the choice is of one record
    kind: int | None
    record: bytes | None = Field(sa_type=LargeBinary)
    applied: bool
    reason: bytes = Field(sa_type=LargeBinary)
    publisher: bytes = Field(sa_type=LargeBinary)
    regulator: bytes = Field(sa_type=LargeBinary)


CREDIT_EVENT_PARTS: Final = (
    *("member", "kind", "decided_on", "last_day", "earlier", "measures", "statement", "document"),
    *("grounds", "pledge", "publisher", "regulator", "objector", "endorsers"),
)
"""What not every credit event has."""


def write_measures(codes: Iterable[int]) -> str:
    """Codes of the catalogue as a column holds them: `,3,17,`, so that `,17,` can be looked for."""
    return f",{','.join(map(str, codes))},"


def read_measures(column: str) -> tuple[int, ...]:
    """The codes that `write_measures` wrote."""
    return tuple(int(code) for code in column.split(",") if code)


class IndexState(SQLModel, table=True):
    """What the index knows of its node and of itself; one row."""

    __tablename__ = "index_state"

    id: int = Field(default=1, primary_key=True)
    node_head: int = Field(sa_type=BigInteger)
    seen_at: datetime  # when that head was first seen
    verified_block: int | None = Field(default=None, sa_type=BigInteger)  # the last that agreed with the state


class Reorganisation(SQLModel, table=True):
    """A turn of the chain that the index has followed."""

    __tablename__ = "index_reorganisation"

    id: int | None = Field(default=None, primary_key=True)
    seen_at: datetime
    common_block: int | None = Field(sa_type=BigInteger)  # the last that stayed; None when none did
    old_head: int = Field(sa_type=BigInteger)
    old_hash: bytes = Field(sa_type=LargeBinary)


FACTS: Final[tuple[type[Fact], ...]] = (
    *(Validators, Anchor, GenerationEnd, Fault, LogKey, Approval),
    *(CreditEvent, Recognition),
    *(TenderEvent, TenderBid),
)
VERSIONS: Final[tuple[type[Version], ...]] = (
    MemberVersion,
    OperatorVersion,
    RegulatorRequestVersion,
    ProposalVersion,
    ParameterVersion,
    SystemContractVersion,
    JournalVersion,
    CreditRecordVersion,
    TenderVersion,
    ClaimVersion,
)
