"""The credit slice put together: its routes for the API, its acts and its webhooks for the part that sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.types import ASGIApp

from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit import (
    certificates,
    commands,
    name_routes,
    routes,
    screening_routes,
    webhook_routes,
)
from ledger_service.credit.acts import KINDS, CreditActs
from ledger_service.credit.certificates import Certificates
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.screenings import Screenings, given
from ledger_service.credit.stream import EVENTS_ROUTE, EventStream
from ledger_service.credit.subjects import DESCRIPTION, SCHEMAS, SubjectEndpoint
from ledger_service.credit.webhook_addresses import Reach
from ledger_service.credit.webhooks import Delivering
from ledger_service.jobs import Job
from ledger_service.log.api_keys import ApiKeys
from ledger_service.log.writer import LogWriter
from ledger_service.operations.acts import Acts

__all__ = ["BARE_ROUTES", "BARE_SCHEMAS", "CreditRooms", "acts", "delivering", "open_rooms"]

BARE_ROUTES: Final = {**DESCRIPTION, **EVENTS_ROUTE}
BARE_SCHEMAS: Final = SCHEMAS
"""The OpenAPI description of what FastAPI does not see."""


@dataclass(frozen=True, slots=True)
class CreditRooms:
    """What the API answers about credit: FastAPI's routes, and the two that are bare ASGI."""

    routers: tuple[APIRouter, ...]
    subjects: ASGIApp
    events: EventStream


def open_rooms(
    ground: CreditGround,
    rpc: Rpc,
    finality: Finality,
    writer: LogWriter,
    api_keys: ApiKeys,
    webhook_secret: bytes | None,
    reach: Reach,
) -> CreditRooms:
    """The rooms of the API.

    Args:
        ground: the alliance, and the database.
        rpc: a node that proves state, for certificates.
        finality: when its blocks are final.
        writer: of the member's log, in which screenings are logged.
        api_keys: who may act, screen and subscribe.
        webhook_secret: 32 bytes from which the secrets of webhooks are derived; None takes no subscription.
        reach: where webhooks may go.
    """
    made = Certificates(ground, rpc, finality)
    return CreditRooms(
        routers=(
            certificates.routes(made),
            commands.routes(ground, api_keys),
            routes.routes(ground),
            screening_routes.routes(Screenings(ground, writer, made), ground, api_keys),
            name_routes.routes(ground.engine, api_keys, ground.clock),
            webhook_routes.routes(ground, finality, api_keys, webhook_secret, reach),
        ),
        subjects=SubjectEndpoint(ground),
        events=EventStream(ground, finality),
    )


def acts(ground: CreditGround) -> Mapping[str, Acts]:
    """The acts about credit by their kinds, for the job that sends."""
    return dict.fromkeys(KINDS, CreditActs(ground))


def delivering(ground: CreditGround, finality: Finality, webhook_secret: bytes, reach: Reach) -> Job:
    """The job that delivers webhooks."""
    return Job("delivering", Delivering(ground, finality, webhook_secret, reach, given).step, eager=True)
