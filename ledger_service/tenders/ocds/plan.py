"""A plan as facts: the acts of one tender in the order of the register, what each has, lacks, and is refused for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ledger_service.tenders.ocds.facts import Document, Organization
from ledger_service.tenders.ocds.package import Release

__all__ = ["Act", "Given", "Obstacle", "Plan", "Step", "Value"]

Value = bytes | int | str | datetime | tuple[str, ...]


class Act(StrEnum):
    """What is done. All but a contract are acts of the register; a contract is logged as evidence."""

    PUBLISH = "publish"
    AMEND = "amend"
    CLOSE = "close-bids"
    OPEN = "open-bids"
    EVALUATE = "evaluate"
    CANDIDATES = "publish-candidates"
    AWARD = "award"
    FAIL = "fail"
    CONTRACT = "log-contract"


@dataclass(frozen=True, slots=True)
class Given:
    """What packages do not say.

    Args:
        host: code of the member that takes the bids.
        members: codes of the members that publish the notice, the host among them.
        answer_days: how long a claim waits for its answer.
        opens_after: from the deadline to the opening; without it the release's bidOpening counts, where it has one.
        former: the failed tender that the new one replaces, 32 bytes.
        shift: added to every time of the bids, for a tender of the past that is played again. No digest changes by it.
    """

    host: str | None = None
    members: tuple[str, ...] = ()
    answer_days: int | None = None
    opens_after: timedelta | None = None
    former: bytes | None = None
    shift: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an act would be refused, by a stable problem type, and the path to what is wrong in the package."""

    problem: str  # such as amended-too-late; the rule's own where the register has one
    where: str
    what: str

    def __str__(self) -> str:
        """For a person."""
        return f"{self.where} {self.what} ({self.problem})"

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return {"problem": self.problem, "where": self.where, "what": self.what}


@dataclass(frozen=True, slots=True)
class Step:
    """One act."""

    act: Act
    release: str | None  # the id of the release that tells of it
    date: datetime | None  # of that release
    values: Mapping[str, Value]
    missing: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    documents: tuple[Document, ...] = ()
    suppliers: tuple[Organization, ...] = ()

    @property
    def digest(self) -> bytes | None:
        """By which the act is known on the chain; None where no release tells of it."""
        name = {Act.CANDIDATES: "list", Act.AWARD: "award", Act.FAIL: "reason"}.get(self.act, "digest")
        value = self.values.get(name)
        return value if isinstance(value, bytes) else None

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return {
            "act": self.act.value,
            "release": self.release,
            "date": None if self.date is None else _text(self.date),
            "values": {name: _text(value) for name, value in self.values.items()},
            "missing": list(self.missing),
            "obstacles": [each.as_json() for each in self.obstacles],
            "documents": [_document(each) for each in self.documents],
            "suppliers": [
                {"name": each.name, "subject": None if each.subject is None else str(each.subject)}
                for each in self.suppliers
            ],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All acts of one tender."""

    ocid: str
    title: str | None
    buyer: Organization | None
    procuring_entity: Organization | None
    steps: tuple[Step, ...]
    passed_over: tuple[str, ...]  # ids of releases that tell of no act
    releases: Mapping[str, Release] = field(compare=False, repr=False)

    def of(self, act: Act) -> tuple[Step, ...]:
        """The steps that are such an act."""
        return tuple(step for step in self.steps if step.act is act)

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return {
            "ocid": self.ocid,
            "title": self.title,
            "steps": [step.as_json() for step in self.steps],
            "passed_over": list(self.passed_over),
        }


def _document(document: Document) -> dict[str, object]:
    told = {"section": document.section, "id": document.id, "title": document.title, "digest": _text(document.digest)}
    return told if document.file is None else told | {"sha256": _text(document.file)}


def _text(value: Value) -> object:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value
