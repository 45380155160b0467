"""Delivers to each subscription the events of final blocks, in the chain's order, each at least once.

Promises that nothing is left out, whatever is killed and when: a position moves only after the receiver has said that
it has the message, and a message keeps its id, so that one which comes again is known. Several processes over one
database do not deliver the same twice, since each holds a lease on a subscription while it delivers.
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

import structlog
from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, delete, or_, select

from ledger_service import conditions
from ledger_service.chain.finality import Finality
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.happenings import Position, last_turn, page_after
from ledger_service.credit.webhook_addresses import AddressRefused, Answer, NotDelivered, Postman, Reach
from ledger_service.credit.webhook_messages import (
    SCREENING_WITHDRAWN,
    WITHDRAWN,
    Message,
    messages_of,
    reversal,
    secret_of,
    signed_headers,
)
from ledger_service.credit.webhook_tables import WebhookDelivery, WebhookSubscription, read_events
from ledger_service.errors import IndexBehind
from ledger_service.index.queries import final_block

__all__ = ["BACKOFF", "PART", "Delivering", "Given", "position_of"]

log = structlog.get_logger(__name__)

PART: Final = "webhook "  # how the parts of subscriptions begin in the conditions
DISABLED: Final = "webhook-disabled"
BACKOFF: Final = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600)  # seconds after each failure; then no more
GONE: Final = 410  # the receiver wants no more
PAGE_EVENTS: Final = 100
MAX_AT_ONCE: Final = 16  # subscriptions
TURN_SECONDS: Final = 5.0  # after which the others have their turn
LEASE_SECONDS: Final = 60  # longer than an attempt
KEPT_SECONDS: Final = 30 * 24 * 3600  # what was delivered is shown that long

Given: TypeAlias = Callable[[Session, bytes], Sequence[tuple[str, str]]]
"""API key and id of every screening that gave out a record."""

_Step: TypeAlias = tuple[Position, list[Message]]  # the position once these are delivered


def position_of(subscription: WebhookSubscription) -> Position:
    """Until where all was delivered."""
    return Position(subscription.after_block, subscription.after_turn, subscription.after_place)


class Delivering:
    """The job that delivers.

    Args:
        ground: the database and the alliance.
        finality: when blocks are final.
        root: the service's 32 secret bytes, of which those of the subscriptions are derived.
        reach: where webhooks may go.
        given: finds who was given a record.
        tls: whom to believe; None is whom the machine does.
    """

    def __init__(
        self,
        ground: CreditGround,
        finality: Finality,
        root: bytes,
        reach: Reach,
        given: Given,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._ground = ground
        self._finality = finality
        self._root = root
        self._postman = partial(Postman, reach, tls)
        self._given = given
        self._told_all: dict[str, tuple[int, int]] = {}  # until which final block, and turn of the chain

    def step(self) -> bool:
        """Deliver for a while what is due; returns whether there is more at once."""
        with Session(self._ground.engine) as session:
            final = final_block(session, self._finality)
            if final is None:
                return False
            seen = (final, last_turn(session))
            due = session.exec(select(WebhookSubscription.id).where(*self._due())).all()
        self._told_all = {each: seen for each, known in self._told_all.items() if known == seen}
        waiting = [each for each in due if each not in self._told_all]
        return bool(waiting) and asyncio.run(self._deliver(waiting, seen))

    def _due(self) -> tuple[ColumnElement[bool], ...]:
        now = self._now()
        return (
            col(WebhookSubscription.disabled_at).is_(None),
            or_(col(WebhookSubscription.next_attempt_at).is_(None), col(WebhookSubscription.next_attempt_at) <= now),
            or_(col(WebhookSubscription.leased_until).is_(None), col(WebhookSubscription.leased_until) < now),
        )

    async def _deliver(self, waiting: Sequence[str], seen: tuple[int, int]) -> bool:
        places = asyncio.Semaphore(MAX_AT_ONCE)

        async def one(name: str) -> bool:
            async with places:
                return await self._to(name, seen)

        return any(await asyncio.gather(*map(one, waiting)))

    async def _to(self, name: str, seen: tuple[int, int]) -> bool:
        """Deliver to one subscription, under a lease; whether there is more."""
        desk = _Desk(self._ground, name, self._due())
        subscription = await asyncio.to_thread(desk.take)
        if subscription is None:
            return False
        try:
            async with self._postman() as postman:
                return await self._walk(desk, subscription, postman, seen)
        except (_LeaseLost, IndexBehind) as error:
            log.warning("webhook_put_off", subscription=name, reason=str(error))
            return False
        finally:
            await asyncio.to_thread(desk.give_back)

    async def _walk(
        self, desk: "_Desk", subscription: WebhookSubscription, postman: Postman, seen: tuple[int, int]
    ) -> bool:
        position, ends = position_of(subscription), time.monotonic() + TURN_SECONDS
        while True:
            steps, end = await asyncio.to_thread(self._steps, subscription, position, seen[0])
            for after, messages in steps:
                for message in messages:
                    if not await self._attempt(desk, subscription, postman, message):
                        return False
                await asyncio.to_thread(desk.move, after)
                if time.monotonic() > ends:
                    return True
            if end == position:
                self._told_all[subscription.id] = seen
                return False
            await asyncio.to_thread(desk.move, end)
            position = end

    def _steps(self, subscription: WebhookSubscription, position: Position, until: int) -> tuple[list[_Step], Position]:
        """What is next for a subscription, and the position after all of it."""
        wanted = frozenset(read_events(subscription.events))
        with Session(self._ground.engine) as session:
            page = page_after(session, self._ground.code_of, position, PAGE_EVENTS, until)
            if page.reversed_from is not None:
                return [(page.position, [reversal(page)])], page.position
            steps = []
            for happening in page.happenings:
                screenings: list[str] = []
                if happening.type == WITHDRAWN and SCREENING_WITHDRAWN in wanted and happening.record is not None:
                    given = self._given(session, happening.record)
                    screenings = [screening for key, screening in given if key == subscription.api_key]
                messages = messages_of(happening, wanted, screenings)
                if messages:
                    steps.append((happening.position, messages))
        return steps, page.position

    async def _attempt(
        self, desk: "_Desk", subscription: WebhookSubscription, postman: Postman, message: Message
    ) -> bool:
        """Deliver one message, unless that was done before; whether the receiver has it."""
        if await asyncio.to_thread(desk.begin, message):
            return True
        now = self._now()
        headers = signed_headers(secret_of(self._root, subscription.id), message, now)
        headers |= {"content-type": "application/json", "user-agent": "bidledger"}
        answer, error = None, None
        try:
            answer = await postman.post(subscription.url, headers, message.body)
            error = None if 200 <= answer.status < 300 else f"answered {answer.status}"
        except (AddressRefused, NotDelivered) as refused:
            error = refused.detail
        await asyncio.to_thread(desk.settle, message, answer, error)
        return error is None

    def _now(self) -> int:
        return int(self._ground.clock().timestamp())


class _LeaseLost(Exception):
    """Somebody else delivers, or the subscription is no more."""


@dataclass(slots=True)
class _Desk:
    """What is written of one subscription while its lease is held."""

    ground: CreditGround
    name: str
    due: tuple[ColumnElement[bool], ...]  # what must hold for the lease to be taken
    lease: str = field(default_factory=partial(secrets.token_hex, 16))

    def take(self) -> WebhookSubscription | None:
        """Take the lease; the subscription, or None where another process was first."""
        with Session(self.ground.engine, expire_on_commit=False) as session:
            this = update(WebhookSubscription).where(col(WebhookSubscription.id) == self.name, *self.due)
            taken = session.connection().execute(this.values(lease=self.lease, leased_until=self._leased_until()))
            session.commit()
            return session.get(WebhookSubscription, self.name) if taken.rowcount else None

    def give_back(self) -> None:
        """Give the lease back, and forget what was delivered long ago."""
        with Session(self.ground.engine) as session:
            self._held(session, lease=None, leased_until=None)
            old = (
                col(WebhookDelivery.subscription) == self.name,
                col(WebhookDelivery.delivered_at) < self._now() - KEPT_SECONDS,
            )
            session.exec(delete(WebhookDelivery).where(*old))
            session.commit()

    def begin(self, message: Message) -> bool:
        """Hold the lease for one attempt more; whether the message was delivered before; raises _LeaseLost."""
        with Session(self.ground.engine) as session:
            if not self._held(session, leased_until=self._leased_until()):
                raise _LeaseLost("another process delivers, or the subscription was deleted")
            session.commit()
            known = session.get(WebhookDelivery, (self.name, message.id))
            return known is not None and known.delivered_at is not None

    def settle(self, message: Message, answer: Answer | None, error: str | None) -> None:
        """Write down how an attempt went, and what follows from it."""
        now = self._now()
        disabled = None
        with Session(self.ground.engine) as session:
            subscription = session.get(WebhookSubscription, self.name)
            if subscription is None or subscription.lease != self.lease:
                raise _LeaseLost("another process delivers, or the subscription was deleted")
            known = session.get(WebhookDelivery, (self.name, message.id)) or WebhookDelivery(
                subscription=self.name, message=message.id, type=message.type, attempts=0, attempted_at=now
            )
            known.attempts, known.attempted_at, known.error = known.attempts + 1, now, error
            known.status = None if answer is None else answer.status
            known.delivered_at = now if error is None else None
            subscription.failures = 0 if error is None else subscription.failures + 1
            subscription.next_attempt_at = None
            if error is not None:
                disabled = self._after_failure(subscription, answer, error)
            session.add_all([known, subscription])
            session.commit()
        if disabled is not None:
            conditions.report(self.ground.engine, PART + self.name, DISABLED, disabled, self.ground.clock())
            log.warning("webhook_disabled", subscription=self.name, detail=disabled)

    def move(self, position: Position) -> None:
        """All until there is delivered; raises _LeaseLost."""
        with Session(self.ground.engine) as session:
            moved = self._held(
                session, after_block=position.block, after_turn=position.turn, after_place=position.place
            )
            session.commit()
        if not moved:
            raise _LeaseLost("another process delivers, or the subscription was deleted")

    def _after_failure(self, subscription: WebhookSubscription, answer: Answer | None, error: str) -> str | None:
        """When the next attempt is; the reason where there is none."""
        now, gone = self._now(), answer is not None and answer.status == GONE
        if not gone and subscription.failures <= len(BACKOFF):
            wished = (answer.retry_after if answer else None) or 0
            subscription.next_attempt_at = now + max(BACKOFF[subscription.failures - 1], min(wished, BACKOFF[-1]))
            return None
        subscription.disabled_at = now
        subscription.disabled_because = error
        why = "its receiver wants no more" if gone else f"{subscription.failures} attempts failed, the last: {error}"
        return (
            f"the webhook {self.name} of the API key {subscription.api_key} is disabled, since {why}. Its holder takes "
            f"it up where it ended by a new one with after={position_of(subscription)}, and deletes this one"
        )

    def _held(self, session: Session, **values: object) -> bool:
        """Change the subscription, if the lease is still held; the caller commits."""
        mine = (col(WebhookSubscription.id) == self.name, col(WebhookSubscription.lease) == self.lease)
        changed = session.connection().execute(update(WebhookSubscription).where(*mine).values(**values))
        return bool(changed.rowcount)

    def _leased_until(self) -> int:
        return self._now() + LEASE_SECONDS

    def _now(self) -> int:
        return int(self.ground.clock().timestamp())
