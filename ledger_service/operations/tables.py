"""The tables of acts: what several people sign, who signed it, and the transaction that carries it to the chain.

An act is known by its kind, what is signed by its digest, and whatever its contract must be called with lies in
`draft`, for the slice that drew it up to read.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class Operation(SQLModel, table=True):
    """An act from its drawing up until its block is final, or until it will never be in one."""

    __tablename__ = "operation"
    __table_args__ = (UniqueConstraint("api_key", "idempotency_key"),)

    number: int | None = Field(
        default=None, sa_type=BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )  # in the order in which they were drawn up
    id: str = Field(unique=True)  # 32 random hex digits: whoever has it may read the operation
    act: str
    state: str = Field(index=True)  # a State of `collecting`
    member: int  # whose act it is: its number in the registry
    digest: bytes = Field(sa_type=LargeBinary)  # what is signed
    typed_data: str  # JSON: the same, as wallets take it
    deadline: int = Field(sa_type=BigInteger)  # POSIX seconds, the last at which the signatures are good
    seats: str  # JSON: who must sign, as pairs of a role and a member
    endorsements: int  # how many other members' regulators must
    names: bytes = Field(sa_type=LargeBinary)  # of the records that it is about, 32 bytes each
    request: str  # JSON: what was asked for, in the words of whoever asked
    draft: str  # JSON: what the contract will be called with, beside the signatures
    created_at: datetime
    api_key: str | None = None  # the id of who asked for it, where a repeat must find it, as do the next two
    idempotency_key: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)  # of the request
    nonce: int | None = Field(default=None, sa_type=BigInteger)  # of the last transaction, as are the next three
    raw: bytes | None = Field(default=None, sa_type=LargeBinary)
    transaction_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    signed_at: datetime | None = None
    block_number: int | None = Field(default=None, sa_type=BigInteger)  # where it took effect
    block_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    error_name: str | None = None  # why it was refused
    error_detail: str | None = None


class Signature(SQLModel, table=True):
    """A signature that counts for an operation: each signer once, and each member once in a role."""

    __tablename__ = "operation_signature"
    __table_args__ = (UniqueConstraint("operation", "role", "member"),)

    operation: int = Field(sa_type=BigInteger, primary_key=True)  # its number
    address: bytes = Field(sa_type=LargeBinary, primary_key=True)  # who signed, 20 bytes
    role: str  # publisher, regulator, officer or endorser
    member: int
    signature: bytes = Field(sa_type=LargeBinary, index=True)  # r ‖ s ‖ v, 65 bytes
    given_at: datetime
