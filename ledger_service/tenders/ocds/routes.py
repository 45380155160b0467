"""Open contracting data over HTTP: a tender as a release package, the extension that it is written with, and which
tenders had a notice of some digest.

Promises a package that changes only when something happens to the tender, and whose addresses are this service's own.
"""

import re
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from ledger_service.errors import BadRequest
from ledger_service.index.asof import AsOf, moment
from ledger_service.index.tender_tables import TenderVersion
from ledger_service.pages import cached
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.ocds.exporting import EXTENSION_FILES, Publication, export_package
from ledger_service.tenders.ocds.timeline import Addresses, Timeline
from ledger_service.tenders.queries import standing
from ledger_service.tenders.routes import TenderName

__all__ = ["routes"]

MAX_TENDERS: Final = 100  # with a notice of one digest
_URL: Final = re.compile(r"https?://[!-~]{1,500}")
_OBJECT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}
_PACKAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A release package, https://standard.open-contracting.org/1.1/",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["uri", "version", "extensions", "publishedDate", "publisher", "releases"],
                    "properties": {
                        "uri": {"type": "string"},
                        "version": {"type": "string", "enum": ["1.1"]},
                        "extensions": {"type": "array", "items": {"type": "string"}},
                        "publishedDate": {"type": "string", "format": "date-time"},
                        "publisher": {"type": "object"},
                        "releases": {"type": "array", "minItems": 1, "items": {"type": "object"}},
                    },
                }
            }
        },
    }
}
Digest = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", description="SHA-256 of a notice, in any of its versions.")]


class NoticesOfDigestOut(BaseModel):
    """The tenders whose notice has, or had, a digest; the newest first."""

    tenders: Annotated[list[str], Field(max_length=MAX_TENDERS)]


def routes(ground: TenderGround, prefix: str | None, public_url: str | None) -> APIRouter:
    """These routes, which anybody may ask.

    Args:
        ground: the database, and the alliance.
        prefix: of ocids; None while the alliance has none.
        public_url: the service's address as others reach it; None is as each request names it.
    """
    router = APIRouter(tags=["open contracting"])

    @router.get("/v1/tenders/{tender}/ocds", responses=_PACKAGE)
    def show_package(request: Request, tender: TenderName, as_of: AsOf = None) -> Response:
        """A tender as an OCDS 1.1 release package that says where on the chain each step is recorded and proven."""
        name, addresses = bytes.fromhex(tender[2:]), Addresses(_base(request, public_url), prefix)
        with Session(ground.engine) as session:
            when = moment(session, as_of, ground.clock())
            found = standing(session, name, when.block)
            if found is None:
                raise ground.unknown(name)
            told = Timeline(ground, session, addresses, when.block).tell(found)
        publication = Publication(
            uri=addresses.of(name, "ocds"),
            publisher=ground.member.name,
            extension=addresses.extension,
            date=told.events[-1].place.time,  # of its last change, as the standard has it for packages made on demand
        )
        if as_of is not None:
            publication = replace(publication, uri=f"{publication.uri}?as_of={as_of}")
        return cached(request, export_package(told, publication), "application/json")

    @router.get("/v1/ocds/notices/{digest}", response_model=NoticesOfDigestOut)
    def find_notices(request: Request, digest: Digest) -> Response:
        """Which tenders have, or had, a notice of this digest: what was taken in once is known by it."""
        newest = col(TenderVersion.published_block).desc()
        rows = select(TenderVersion.tender).where(TenderVersion.digest == bytes.fromhex(digest[2:]))
        with Session(ground.engine) as session:
            found = session.exec(rows.order_by(newest, col(TenderVersion.from_block))).all()
        names = [f"0x{tender.hex()}" for tender in dict.fromkeys(found)]
        answer = NoticesOfDigestOut(tenders=names[:MAX_TENDERS])
        return cached(request, answer.model_dump_json().encode(), "application/json")

    @router.get("/v1/ocds/extension/extension.json", responses=_OBJECT)
    def show_extension(request: Request) -> Response:
        """What the packages' extension is, as OCDS extensions describe themselves."""
        return cached(request, (EXTENSION_FILES / "extension.json").read_bytes(), "application/json")

    @router.get("/v1/ocds/extension/release-schema.json", responses=_OBJECT)
    def show_extension_schema(request: Request) -> Response:
        """What the extension adds to the standard's schema of releases, as a JSON merge patch."""
        return cached(request, (EXTENSION_FILES / "release-schema.json").read_bytes(), "application/json")

    return router


def _base(request: Request, public_url: str | None) -> str:
    if public_url is not None:
        return public_url.rstrip("/")
    named = str(request.base_url).rstrip("/")
    if not _URL.fullmatch(named):
        raise BadRequest("The field Host names no address that a package could repeat.", facts={"field": "Host"})
    return named
