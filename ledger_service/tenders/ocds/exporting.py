"""A tender's life as an OCDS 1.1 release package, with references to what the chain has of it.

Promises that a release which an event came from is given out as it was published, so that its digest stays, with
nothing added but the member `bidledger`; and that an event without one gets a release of its own that says no more than
the chain does. Names are of companies only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from anchors.subjects import Subject
from ledger_service.tenders.ocds.package import EXTENSION, VERSION, BadPackage
from ledger_service.tenders.ocds.references import References
from ledger_service.tenders.ocds.told import Event, Happening, Told

__all__ = ["EXTENSION_FILES", "Publication", "export_package"]

EXTENSION_FILES: Final = Path(__file__).parent / "extension"  # what `Publication.extension` must serve

_TAGS: Final = {
    Happening.NOTICE: "tender",
    Happening.AMENDMENT: "tenderAmendment",
    Happening.CANDIDATES: "award",
    Happening.OBJECTION: "awardUpdate",
    Happening.RULING: "awardUpdate",
    Happening.AWARD: "award",
    Happening.FAILURE: "tenderCancellation",
}
_STATUS: Final = {Happening.NOTICE: "active", Happening.AMENDMENT: "active", Happening.FAILURE: "unsuccessful"}
_AWARDED: Final = {Happening.CANDIDATES: "pending", Happening.AWARD: "active"}


@dataclass(frozen=True, slots=True)
class Publication:
    """What a package says of itself.

    Args:
        uri: where this package can be had again.
        publisher: the name of who gives it out.
        extension: URL of `extension.json`, beside which the other files of EXTENSION_FILES lie.
        date: when it is published.
        licence: URL of the licence of the data.
    """

    uri: str
    publisher: str
    extension: str
    date: datetime
    licence: str | None = None


def export_package(told: Told, publication: Publication) -> bytes:
    """Write the release package of a tender: JSON, UTF-8.

    Raises:
        BadPackage: an event comes from a release of another ocid, or two different ones of one id.

    Source: https://standard.open-contracting.org/1.1/, release package; docs/OCDS.md for the extension.
    """
    package = {
        "uri": publication.uri,
        "version": VERSION,
        "extensions": [publication.extension],
        "publishedDate": _time(publication.date),
        "publisher": {"name": publication.publisher},
        **({} if publication.licence is None else {"license": publication.licence}),
        "releases": _releases(told),
    }
    return json.dumps(package, ensure_ascii=False, indent=1).encode()


def _releases(told: Told) -> list[dict[str, object]]:
    grouped: dict[object, tuple[dict[str, object], list[Event]]] = {}
    for event in told.events:
        content = _own_release(told, event) if event.release is None else _published(told, event.release)
        known, events = grouped.setdefault(content["id"], (content, []))
        if known != content:
            raise BadPackage("The timeline", f"has two different releases with the id {content['id']!r}")
        events.append(event)
    return [
        content | {EXTENSION: References(told.tender, told.chain_id, told.contract, tuple(events)).to_json(content)}
        for content, events in grouped.values()
    ]


def _published(told: Told, release: Mapping[str, object]) -> dict[str, object]:
    if release.get("ocid") != told.ocid or not isinstance(release.get("id"), str | int):
        raise BadPackage("The timeline", "has a release of another ocid, or without an id")
    return {name: value for name, value in release.items() if name != EXTENSION}


def _own_release(told: Told, event: Event) -> dict[str, object]:
    happening, place, identifier = event.happening, event.place, _own_id(told, event)
    release: dict[str, object] = {
        "ocid": told.ocid,
        "id": identifier,
        "date": _time(place.time),
        "tag": [_TAGS.get(happening, "tenderUpdate")],
        "initiationType": "tender",
    }
    if happening in _STATUS:
        release["tender"] = _tender(told, event, identifier)
    if happening in _AWARDED:
        proposed = [each for each in told.of(Happening.CANDIDATES) if each.release is None]
        # A made award has the id under which it was proposed, so that whoever merges releases sees one.
        release |= _awards(event, identifier if event in proposed or not proposed else _own_id(told, proposed[-1]))
    return release


def _own_id(told: Told, event: Event) -> str:
    place = event.place
    return f"{told.ocid}-{event.happening}-{place.block}-{place.transaction}-{place.log_index}"


def _tender(told: Told, event: Event, release: str) -> dict[str, object]:
    deadline = event.details.get("deadline")
    tender: dict[str, object] = {"id": f"0x{told.tender.hex()}", "status": _STATUS[event.happening]}
    if told.title is not None:
        tender["title"] = told.title
    if isinstance(deadline, str):
        tender["tenderPeriod"] = {"endDate": deadline}
    if event.happening is Happening.AMENDMENT:
        rationale = event.details.get("rationale")
        said = {"rationale": rationale} if isinstance(rationale, str) else {}
        tender["amendments"] = [{"id": release, "date": _time(event.place.time), "releaseID": release, **said}]
    return tender


def _awards(event: Event, release: str) -> dict[str, object]:
    named = [(each.subject, each.name) for each in event.suppliers if each.subject is not None]
    award: dict[str, object] = {
        "id": f"{release}-award",
        "status": _AWARDED[event.happening],
        "date": _time(event.place.time),
    }
    if not named:
        return {"awards": [award]}
    award["suppliers"] = [_reference(subject, name) for subject, name in named]
    return {"parties": [_party(subject, name) for subject, name in named], "awards": [award]}


def _reference(subject: Subject, name: str | None) -> dict[str, object]:
    return {"id": f"{subject.scheme}-{subject.identifier}", **({} if name is None else {"name": name})}


def _party(subject: Subject, name: str | None) -> dict[str, object]:
    identifier = {"scheme": subject.scheme, "id": subject.identifier}
    return _reference(subject, name) | {"roles": ["supplier"], "identifier": identifier}


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
