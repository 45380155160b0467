"""What a release says of a tender's life: who buys, until when bids are taken, what was amended and why, who won.

Promises to add nothing: what a release leaves out is None or empty here, and who supplies is a company only where the
release gives an identifier that can be one. Of a natural person neither name nor identifier is taken over.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from anchors.errors import BadSubject, NaturalPerson
from anchors.subjects import Subject
from ledger_service.tenders.ocds.package import Part, Release, content_digest

__all__ = ["Amendment", "Award", "Contract", "Document", "Facts", "Organization", "Tender", "read_facts"]

_PLANNED: Final = {"planning", "planned"}  # tender.status before the tender is one
_ENDED: Final = {"cancelled", "unsuccessful", "withdrawn"}


@dataclass(frozen=True, slots=True)
class Organization:
    """Whom a release names."""

    name: str | None
    subject: Subject | None
    unnamed: str | None = None  # why there is no subject


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a release describes it; the file itself is not in a package."""

    section: str  # "tender", "award", "contract"
    id: str
    kind: str | None  # OCDS's documentType
    title: str | None
    url: str | None
    published: datetime | None
    digest: bytes  # SHA-256 of the RFC 8785 bytes of the document object, 32 bytes
    where: str = field(default="", compare=False)  # the path to it
    stated: str | None = None  # its member `hash`, such as sha256:…
    file: bytes | None = None  # SHA-256 of the file, once it was looked at


@dataclass(frozen=True, slots=True)
class Amendment:
    """Why a notice was amended."""

    rationale: str | None
    release: str | None  # the release that it came with
    published: Mapping[str, object]  # the amendment object itself


@dataclass(frozen=True, slots=True)
class Tender:
    """A release's section on the tender."""

    title: str | None
    status: str | None
    buyer: Organization | None
    procuring_entity: Organization | None
    opens_at: datetime | None  # tenderPeriod.startDate
    deadline: datetime | None  # tenderPeriod.endDate
    award_from: datetime | None  # awardPeriod.startDate
    bid_opening: datetime | None  # bidOpening.date, of OCDS's extension for it
    amendments: tuple[Amendment, ...]

    @property
    def is_planned(self) -> bool:
        """Whether it is no tender yet."""
        return self.status in _PLANNED

    @property
    def has_ended(self) -> bool:
        """Whether it ended without an award."""
        return self.status in _ENDED


@dataclass(frozen=True, slots=True)
class Award:
    """An award, proposed or made."""

    id: str
    status: str | None  # "pending" is proposed, "active" made
    suppliers: tuple[Organization, ...]
    published: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract."""

    id: str
    award: str | None
    signed: datetime | None
    published: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a release says and the ledger has a use for."""

    release: Release
    tender: Tender | None
    awards: tuple[Award, ...]
    contracts: tuple[Contract, ...]
    documents: tuple[Document, ...]


def read_facts(release: Release, parties: MutableMapping[str, Organization]) -> Facts:
    """Read what a release says.

    Args:
        release: of a package.
        parties: those that earlier releases of the same ocid have named, by OCDS's identifier of them; this one's
            are put there, too.

    Raises:
        BadPackage: a part has another form than OCDS gives it.
    """
    content = release.content
    parties.update({part.needed_id("id"): _organization(part) for part in content.parts("parties")})
    tender = content.part("tender")
    awards, contracts = content.parts("awards"), content.parts("contracts")
    return Facts(
        release=release,
        tender=None if tender is None else _tender(tender, content, parties),
        awards=tuple(_award(part, parties) for part in awards),
        contracts=tuple(
            Contract(part.needed_id("id"), part.id("awardID"), part.date("dateSigned"), part.members)
            for part in contracts
        ),
        documents=(
            *(() if tender is None else _documents("tender", tender)),
            *(document for part in awards for document in _documents("award", part)),
            *(document for part in contracts for document in _documents("contract", part)),
        ),
    )


def _tender(part: Part, release: Part, parties: Mapping[str, Organization]) -> Tender:
    tender_period, award_period = part.part("tenderPeriod"), part.part("awardPeriod")
    opening = part.part("bidOpening")
    return Tender(
        title=part.text("title"),
        status=part.text("status"),
        buyer=_reference(release.part("buyer"), parties),
        procuring_entity=_reference(part.part("procuringEntity"), parties),
        opens_at=None if tender_period is None else tender_period.date("startDate"),
        deadline=None if tender_period is None else tender_period.date("endDate"),
        award_from=None if award_period is None else award_period.date("startDate"),
        bid_opening=None if opening is None else opening.date("date"),
        amendments=tuple(
            Amendment(amendment.text("rationale"), amendment.id("releaseID"), amendment.members)
            for amendment in part.parts("amendments")
        ),
    )


def _award(part: Part, parties: Mapping[str, Organization]) -> Award:
    named = (_reference(supplier, parties) for supplier in part.parts("suppliers"))
    return Award(
        id=part.needed_id("id"),
        status=part.text("status"),
        suppliers=tuple(supplier for supplier in named if supplier is not None),
        published=part.members,
    )


def _documents(section: str, part: Part) -> Iterator[Document]:
    for document in part.parts("documents"):
        stated = document.members.get("hash")
        yield Document(
            section=section,
            id=document.needed_id("id"),
            kind=document.text("documentType"),
            title=document.text("title"),
            url=document.text("url"),
            published=document.date("datePublished"),
            digest=content_digest(document.members),
            where=document.where,
            stated=stated if isinstance(stated, str) else None,
        )


def _reference(part: Part | None, parties: Mapping[str, Organization]) -> Organization | None:
    """Whom a reference is to; releases of OCDS 1.0 had the identifier in the reference itself."""
    if part is None:
        return None
    named = parties.get(part.id("id") or "")
    return _organization(part) if named is None else named


def _organization(part: Part) -> Organization:
    name, identifier = part.text("name"), part.part("identifier")
    scheme = None if identifier is None else identifier.text("scheme")
    number = None if identifier is None else identifier.id("id")
    if scheme is None or number is None:
        return Organization(name, None, "the release gives no identifier with its scheme")
    try:
        return Organization(name, Subject.parse(f"{scheme}:{number}"))
    except NaturalPerson as error:
        return Organization(None, None, str(error))
    except BadSubject as error:
        return Organization(name, None, str(error))
