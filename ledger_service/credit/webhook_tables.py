"""The tables of webhooks: who is told what, how far, and how that went. No secret is in them."""

from collections.abc import Iterable

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class WebhookSubscription(SQLModel, table=True):
    """Where the holder of an API key wants to be told. Times are POSIX seconds."""

    __tablename__ = "webhook_subscription"

    id: str = Field(primary_key=True)  # 32 random hex digits, of which its secret is derived
    api_key: str = Field(index=True)  # its id
    url: str
    events: str  # as `write_events` writes them
    created_at: int = Field(sa_type=BigInteger)
    after_block: int = Field(sa_type=BigInteger)  # the position until which all was delivered, as are the next two
    after_turn: int = Field(sa_type=BigInteger)
    after_place: int = Field(sa_type=BigInteger)
    failures: int = 0  # attempts at the next message that failed
    next_attempt_at: int | None = Field(default=None, sa_type=BigInteger)  # None: at once
    disabled_at: int | None = Field(default=None, sa_type=BigInteger)
    disabled_because: str | None = None
    lease: str | None = None  # who delivers now
    leased_until: int | None = Field(default=None, sa_type=BigInteger)


class WebhookDelivery(SQLModel, table=True):
    """How the delivery of one message went."""

    __tablename__ = "webhook_delivery"

    subscription: str = Field(primary_key=True)
    message: str = Field(primary_key=True)  # its webhook-id
    type: str
    attempts: int
    attempted_at: int = Field(sa_type=BigInteger, index=True)  # the last time
    status: int | None = None  # of the last answer; None without one
    error: str | None = None  # of the last attempt
    delivered_at: int | None = Field(default=None, sa_type=BigInteger)


def write_events(names: Iterable[str]) -> str:
    """Event types as the column holds them."""
    return ",".join(names)


def read_events(column: str) -> list[str]:
    """The event types that `write_events` wrote."""
    return column.split(",")
