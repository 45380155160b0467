"""Published releases put back into a package that a service made from the index, where the chain recorded them.

Promises that a release is put back only for an event that recorded its digest, or that of its awards, and as it was
published. So a tender that was taken in goes out under its own ocid, and a service needs to keep no release of others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from ledger_service.tenders.ocds.exporting import Publication, export_package
from ledger_service.tenders.ocds.package import BadPackage, Package
from ledger_service.tenders.ocds.plan import Act, Given, Plan
from ledger_service.tenders.ocds.planning import make_plans
from ledger_service.tenders.ocds.references import References, read_references
from ledger_service.tenders.ocds.told import Event, Happening, Told

__all__ = ["NotRecorded", "restore"]

_TELLS: Final = {
    Act.PUBLISH: Happening.NOTICE,
    Act.AMEND: Happening.AMENDMENT,
    Act.CANDIDATES: Happening.CANDIDATES,
    Act.AWARD: Happening.AWARD,
    Act.FAIL: Happening.FAILURE,
}


class NotRecorded(BadPackage):
    """Packages that have no release of this tender's notice."""

    problem, title = "not-recorded", "The releases are not those that the chain recorded"


def restore(exported: Package, packages: Iterable[Package]) -> bytes:
    """Write a service's package anew with the releases that the chain recorded.

    Args:
        exported: from a service, with references.
        packages: as they were published.

    Raises:
        NotRecorded: none of their releases is this tender's notice.
        BadPackage: a package or the references have another form, or are of several tenders.
    """
    references = [found for each in exported.releases if (found := read_references(each)) is not None]
    named = {(each.tender, each.chain_id, each.contract) for each in references}
    if len(named) != 1 or not exported.extensions or exported.published is None:
        raise BadPackage(exported.content.where, "is no package of one tender as a service of the ledger makes it")
    events = sorted(
        (event for each in references for event in each.events),
        key=lambda event: (event.place.block, event.place.transaction, event.place.log_index),
    )
    plans = make_plans(packages, Given(), datetime.min.replace(tzinfo=UTC))
    plan = next((plan for plan in plans if _recorded(plan, events[0]) is not None), None)
    if plan is None:
        raise NotRecorded(exported.content.where, "is of a tender whose notice is none of the releases")
    return export_package(_told(plan, references[0], events), _publication(exported, exported.published))


def _told(plan: Plan, named: References, events: Iterable[Event]) -> Told:
    restored = tuple(replace(event, release=_recorded(plan, event)) for event in events)
    return Told(plan.ocid, named.tender, named.chain_id, named.contract, plan.title, restored)


def _recorded(plan: Plan, event: Event) -> Mapping[str, object] | None:
    """The release that an event recorded; None where the packages have none."""
    for step in plan.steps:
        if step.release is not None and _TELLS.get(step.act) is event.happening and step.digest == event.digest:
            return plan.releases[step.release].published
    return None


def _publication(exported: Package, date: datetime) -> Publication:
    return Publication(
        uri=exported.uri or "",
        publisher=exported.publisher or "",
        extension=exported.extensions[0],
        date=date,
        licence=exported.licence,
    )
