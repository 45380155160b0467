"""The rooms of the tender slice put together: its routes for the API, and its acts for the part that sends."""

from collections.abc import Mapping

from fastapi import APIRouter

from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.keys import EthereumKey
from ledger_service.log.api_keys import ApiKeys
from ledger_service.log.past_periods import PastPeriods
from ledger_service.log.reader import LogReader
from ledger_service.log.writer import LogWriter
from ledger_service.operations.acts import Acts
from ledger_service.tenders import audit_routes, bid_routes, commands, features_routes, period_routes, routes
from ledger_service.tenders.acts import ALL_KINDS, TenderActs
from ledger_service.tenders.audit_words import HostsDesk
from ledger_service.tenders.auditing import Audits
from ledger_service.tenders.bids import Bids
from ledger_service.tenders.draws import routes as draw_routes
from ledger_service.tenders.draws.reading import DrawReads
from ledger_service.tenders.draws.room import Draws
from ledger_service.tenders.features import Features
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.period_keys import PeriodKeys

__all__ = ["acts", "open_rooms"]


def open_rooms(
    ground: TenderGround,
    rpc: Rpc,
    finality: Finality,
    reader: LogReader,
    writer: LogWriter,
    generation: int,
    receipt_key: EthereumKey,
    api_keys: ApiKeys,
    periods: PastPeriods,
) -> tuple[APIRouter, ...]:
    """The routes of the API.

    Args:
        ground: the alliance, and the database.
        rpc: a node, which proves what audits tell.
        finality: when the chain's blocks are final.
        reader: of the member's log.
        writer: of the same, in which bids are logged.
        generation: of that log.
        receipt_key: of the member's receipt signer.
        api_keys: who may act, submit and open.
        periods: of the member's log, with their keys.
    """
    bids = Bids(ground, writer, generation, receipt_key, finality)
    keys = PeriodKeys(ground, finality, periods, generation)
    return (
        routes.routes(ground),
        audit_routes.routes(Audits(ground, rpc, finality, reader, keys, HostsDesk(ground, receipt_key))),
        period_routes.routes(keys),
        bid_routes.routes(bids, api_keys),
        draw_routes.routes(Draws(ground, writer), DrawReads(ground, finality), api_keys),
        commands.routes(ground, api_keys),
        features_routes.routes(ground, Features(ground, reader, generation), api_keys),
    )


def acts(ground: TenderGround) -> Mapping[str, Acts]:
    """The acts in tenders by their kinds, for the job that sends."""
    return dict.fromkeys(ALL_KINDS, TenderActs(ground))
