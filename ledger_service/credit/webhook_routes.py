"""`/v1/webhooks`: subscriptions of the holder of an API key. Whose they are not, does not see that there are any."""

import secrets
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter, Depends, Header, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, delete, func, select

from ledger_service import conditions
from ledger_service.bodies import bounded_route
from ledger_service.chain.finality import Finality
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.happenings import POSITION_PATTERN, REVERSED, Position, end_of_block
from ledger_service.credit.webhook_addresses import MAX_URL, Reach
from ledger_service.credit.webhook_messages import WEBHOOK_TYPES, secret_of, written_secret
from ledger_service.credit.webhook_tables import WebhookDelivery, WebhookSubscription, read_events, write_events
from ledger_service.credit.webhooks import PART, position_of
from ledger_service.errors import Exit, InvalidContent, NotFound, ServiceError, Unavailable
from ledger_service.index.queries import final_block
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope

__all__ = ["MAX_SUBSCRIPTIONS", "TooManyWebhooks", "routes"]

MAX_SUBSCRIPTIONS: Final = 20  # of one API key
SHOWN_DELIVERIES: Final = 20
MAX_BODY_BYTES: Final = 16 << 10

Id = Annotated[str, InPath(pattern="^[0-9a-f]{32}$")]


class TooManyWebhooks(ServiceError):
    """The API key has as many subscriptions as one may have."""

    problem, title, status, exit_code = "too-many-webhooks", "The key has enough webhooks", 409, Exit.USAGE


class WebhookIn(BaseModel):
    """What is asked for. The secret is the service's to choose."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[
        str, Field(max_length=MAX_URL, description="https, at a public address or one that the operator allows.")
    ]
    events: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=len(WEBHOOK_TYPES),
            description=f"Some of {', '.join(WEBHOOK_TYPES)}. {REVERSED} is told in any case.",
        ),
    ]
    after: Annotated[
        str | None,
        Field(pattern=POSITION_PATTERN, description="Events after this one; 0:0 is all, none is from now on."),
    ] = None


class DeliveryOut(BaseModel):
    """How the delivery of one message went."""

    message: str
    type: str
    attempts: int
    attempted_at: int
    status: int | None
    error: str | None
    delivered_at: int | None

    @classmethod
    def of(cls, row: WebhookDelivery) -> Self:
        """From a row."""
        return cls(**row.model_dump(exclude={"subscription"}))


class WebhookOut(BaseModel):
    """A subscription; times are POSIX seconds. All until `after` is delivered."""

    id: str
    url: str
    events: list[str]
    created_at: int
    state: Literal["active", "failing", "disabled"]
    after: str
    failures: int
    next_attempt_at: int | None
    disabled_at: int | None
    disabled_because: str | None

    @classmethod
    def of(cls, row: WebhookSubscription) -> Self:
        """From a row."""
        failing = "failing" if row.failures else "active"
        return cls(
            id=row.id,
            url=row.url,
            events=read_events(row.events),
            created_at=row.created_at,
            state=failing if row.disabled_at is None else "disabled",  # type: ignore[arg-type]  # one of the three
            after=str(position_of(row)),
            failures=row.failures,
            next_attempt_at=row.next_attempt_at,
            disabled_at=row.disabled_at,
            disabled_because=row.disabled_because,
        )


class NewWebhookOut(WebhookOut):
    """A new subscription, with the secret that is shown this once."""

    secret: str


class WebhookWithDeliveriesOut(WebhookOut):
    """A subscription, and its last deliveries, newest first."""

    deliveries: list[DeliveryOut]


class WebhooksOut(BaseModel):
    """All subscriptions of the key, oldest first."""

    webhooks: list[WebhookOut]


def routes(ground: CreditGround, finality: Finality, api_keys: ApiKeys, root: bytes | None, reach: Reach) -> APIRouter:
    """The routes of webhooks.

    Args:
        ground: the database.
        finality: when blocks are final.
        api_keys: who may subscribe: the scope `credit`.
        root: the service's 32 secret bytes; None where no webhooks are sent.
        reach: where they may go.
    """
    router = APIRouter(tags=["webhooks"], route_class=bounded_route(MAX_BODY_BYTES))

    def allowed(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.CREDIT)

    Key = Annotated[ApiKey, Depends(allowed)]  # noqa: N806  # a type

    @router.post("/v1/webhooks", status_code=201)
    def subscribe(body: WebhookIn, key: Key, response: Response) -> NewWebhookOut:
        """Be told by Standard Webhooks. The secret in the answer is shown this once."""
        if root is None:
            raise Unavailable("This service sends no webhooks; ask its operator, or listen to /v1/events.")
        _check_events(body.events)
        reach.addresses(body.url)
        row = _subscribe(ground, finality, key.id, body)
        response.headers["location"] = f"/v1/webhooks/{row.id}"
        response.headers["cache-control"] = "no-store"
        return NewWebhookOut(**WebhookOut.of(row).model_dump(), secret=written_secret(secret_of(root, row.id)))

    @router.get("/v1/webhooks")
    def list_subscriptions(key: Key) -> WebhooksOut:
        """The key's subscriptions."""
        with Session(ground.engine) as session:
            rows = _of_key(session, key.id)
            return WebhooksOut(webhooks=[WebhookOut.of(row) for row in rows])

    @router.get("/v1/webhooks/{id}")
    def show_subscription(id: Id, key: Key) -> WebhookWithDeliveriesOut:
        """One of them, and how its last deliveries went."""
        with Session(ground.engine) as session:
            row = _find(session, id, key.id)
            of_this = select(WebhookDelivery).where(WebhookDelivery.subscription == id)
            newest_first = of_this.order_by(col(WebhookDelivery.attempted_at).desc(), col(WebhookDelivery.message))
            deliveries = [DeliveryOut.of(each) for each in session.exec(newest_first.limit(SHOWN_DELIVERIES))]
            return WebhookWithDeliveriesOut(**WebhookOut.of(row).model_dump(), deliveries=deliveries)

    @router.delete("/v1/webhooks/{id}", status_code=204)
    def unsubscribe(id: Id, key: Key) -> None:
        """Be told no more."""
        with Session(ground.engine) as session:
            session.delete(_find(session, id, key.id))
            session.exec(delete(WebhookDelivery).where(col(WebhookDelivery.subscription) == id))
            session.commit()
        conditions.clear_parts(ground.engine, PART + id)

    return router


def _check_events(events: Sequence[str]) -> None:
    for place, name in enumerate(events):
        if name not in WEBHOOK_TYPES or name in events[:place]:
            raise InvalidContent(
                f"{name!r} is no event, or comes twice; there are {', '.join(WEBHOOK_TYPES)}.",
                facts={"pointer": f"/events/{place}"},
            )


def _subscribe(ground: CreditGround, finality: Finality, api_key: str, body: WebhookIn) -> WebhookSubscription:
    with Session(ground.engine, expire_on_commit=False) as session:
        of_key = select(func.count()).select_from(WebhookSubscription).where(WebhookSubscription.api_key == api_key)
        if session.exec(of_key).one() >= MAX_SUBSCRIPTIONS:
            raise TooManyWebhooks(f"The API key {api_key} has {MAX_SUBSCRIPTIONS} webhooks; delete one first.")
        position = _start(session, finality) if body.after is None else Position.parse(body.after)
        row = WebhookSubscription(
            id=secrets.token_hex(16),
            api_key=api_key,
            url=body.url,
            events=write_events(body.events),
            created_at=int(ground.clock().timestamp()),
            after_block=position.block,
            after_turn=position.turn,
            after_place=position.place,
        )
        session.add(row)
        session.commit()
        return row


def _start(session: Session, finality: Finality) -> Position:
    """After all that is final now: what is not final yet is told when it is."""
    final = final_block(session, finality)
    return end_of_block(session, -1 if final is None else final)


def _of_key(session: Session, api_key: str) -> Sequence[WebhookSubscription]:
    of_key = select(WebhookSubscription).where(WebhookSubscription.api_key == api_key)
    return session.exec(of_key.order_by(col(WebhookSubscription.created_at), col(WebhookSubscription.id))).all()


def _find(session: Session, id: str, api_key: str) -> WebhookSubscription:
    row = session.get(WebhookSubscription, id)
    if row is None or row.api_key != api_key:
        raise NotFound("The API key has no such webhook; see GET /v1/webhooks.")
    return row
