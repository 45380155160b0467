"""The route of a tender's audit: a file that `bidledger tender audit` recomputes offline, believing nobody."""

from fastapi import APIRouter, Request, Response

from ledger_service.pages import cached
from ledger_service.tenders.auditing import Audits
from ledger_service.tenders.routes import TenderName

__all__ = ["routes"]


def routes(audits: Audits) -> APIRouter:
    """The route, which anybody may ask.

    Args:
        audits: gathers them.
    """
    router = APIRouter(tags=["tenders"])

    @router.get(
        "/v1/tenders/{tender}/audit",
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    def show_audit(request: Request, tender: TenderName) -> Response:
        """The audit's file of a tender as of the last final block, for `bidledger tender audit`."""
        return cached(request, audits.gather(bytes.fromhex(tender[2:])), "application/json")

    return router
