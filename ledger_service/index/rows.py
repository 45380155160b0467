"""The two kinds of rows of the index, and how a number is kept that is too large for a column.

A *fact* happened in one block (`block_number`) and stays. A *version* holds from `from_block` until before `to_block`
(None: still); a change closes one and opens the next, and as of a block exactly one version of a key holds. Numbers
that a contract does not bound below 2^63 are kept as big-endian bytes, which order alike.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlmodel import Field, SQLModel


class BigEndian(TypeDecorator[int]):
    """An unsigned number of a fixed width as bytes."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.width = width

    def process_bind_param(self, value: int | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else value.to_bytes(self.width, "big")

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else int.from_bytes(value, "big")


class Fact(SQLModel):
    """Happened in one block."""

    block_number: int = Field(sa_type=BigInteger)


class PlacedFact(Fact):
    """A fact that nothing but its place in the chain tells from another."""

    block_number: int = Field(sa_type=BigInteger, primary_key=True)
    transaction_index: int = Field(primary_key=True)
    log_index: int = Field(primary_key=True)


class Version(SQLModel):
    """Holds from one block until before another."""

    from_block: int = Field(sa_type=BigInteger, primary_key=True)
    to_block: int | None = Field(default=None, sa_type=BigInteger)

    key: ClassVar[tuple[str, ...]]
