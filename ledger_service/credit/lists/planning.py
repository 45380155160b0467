"""What an import would do, shown before anything is sent.

Promises that each entry of a list has one fate: it is new; it is in the register as it stands in the list; the register
has another record of the same decision, which only a correction may change; it waits for signatures from an earlier
run; or it is refused, with its reasons. A decision is known by its document: whoever published it, and whatever became
of it since, it is not published again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final

from anchors.credit import Catalogue
from ledger_service import errors
from ledger_service.credit.client import CreditClient, Told
from ledger_service.credit.lists import mapping as mappings
from ledger_service.credit.lists.drafting import Draft, Drafting, Refusal
from ledger_service.credit.lists.listfile import ListFile
from ledger_service.credit.lists.reading import read_rows

__all__ = ["Decision", "Fate", "Plan", "Planned", "decision", "make_plan", "read_drafts"]

_AT_ONCE: Final = 8  # questions to the API
_ASKED: Final = 1000
_CONTENT: Final = ("kind", "decided_on", "last_day", "measures", "statement", "document")

Decision = tuple[str, str]  # a subject, and the digest of the decision about it


class Fate(StrEnum):
    """What becomes of an entry."""

    NEW = "new"
    WAITING = "waiting"
    UNCHANGED = "unchanged"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry that is a record, and what becomes of it."""

    draft: Draft
    fate: Fate
    record: str | None = None  # the name of the register's, or the operation that waits
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """JSON values, without the facts."""
        known = {} if self.record is None else {"record" if self.fate is not Fate.WAITING else "operation": self.record}
        return {
            "line": self.draft.line,
            "fate": self.fate.value,
            **self.draft.request(),
            **known,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All entries of a list, each kind of them in the list's order."""

    file: ListFile
    planned: list[Planned] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def of(self, fate: Fate) -> list[Planned]:
        """The entries of one fate."""
        return [each for each in self.planned if each.fate is fate]

    def counts(self) -> dict[str, int]:
        """How many entries there are of each kind."""
        return {fate.value: len(self.of(fate)) for fate in Fate} | {"refused": len(self.refused)}

    def as_json(self) -> dict[str, object]:
        """JSON values: what the list is, how many, and every entry by its line."""
        entries = [(each.draft.line, each.as_json()) for each in self.planned]
        entries += [(each.line, each.as_json()) for each in self.refused]
        return {
            "list": str(self.file.path),
            "sha256": "0x" + self.file.digest.hex(),
            "format": self.file.form,
            "encoding": self.file.encoding or None,
            "counts": self.counts(),
            "entries": [entry for _, entry in sorted(entries, key=lambda entry: entry[0])],
        }


def decision(request: Mapping[str, object]) -> Decision:
    """What a record, as the API takes it, is known by."""
    return str(request["subject"]), str(request["document"])


def read_drafts(
    file: ListFile, mapping: mappings.Mapping, catalogue: Catalogue, time: int
) -> tuple[list[Draft], list[Refusal]]:
    """Draw up all entries of a list.

    Args:
        file: the list.
        mapping: what its columns mean.
        catalogue: of the measures.
        time: now, POSIX seconds.

    Returns:
        What can be a record, and what cannot; an entry about a decision that an earlier line has is refused.

    Raises:
        BadList: the list cannot be read.
    """
    drafting = Drafting(mapping, file.path.parent, catalogue, time)
    drafts: list[Draft] = []
    refused: list[Refusal] = []
    first: dict[bytes, Draft] = {}  # by whom and what decision it is about
    for row in read_rows(file, mapping.shape, mapping.columns()):
        drawn = drafting.draw_up(row)
        if isinstance(drawn, Draft):
            before = first.setdefault(drawn.record.subject + drawn.record.document, drawn)
            if before is drawn:
                drafts.append(drawn)
                continue
            same = "says the same as" if before.record == drawn.record else "contradicts"
            drawn = Refusal(row.line, (f"{same} line {before.line}, which is about the same decision",))
        refused.append(drawn)
    return drafts, refused


def make_plan(
    file: ListFile,
    drafts: Sequence[Draft],
    refused: Sequence[Refusal],
    waiting: Mapping[Decision, str],
    client: CreditClient,
) -> Plan:
    """Ask the API what it has of each company, and decide what becomes of each entry.

    Args:
        file: the list.
        drafts: its records.
        refused: the rest.
        waiting: what earlier runs drew up that is not in the register yet, with the operation.
        client: of the member that would publish.

    Raises:
        ServiceError: what the API answered, of a company too.
    """
    plan = Plan(file, [], list(refused))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for some in _pieces(drafts, _ASKED):
            subjects = list(dict.fromkeys(str(draft.subject) for draft in some))
            answers = dict(zip(subjects, threads.map(lambda name: _records(client, name), subjects), strict=True))
            plan.planned.extend(_planned(draft, answers[str(draft.subject)], waiting) for draft in some)
    return plan


def _pieces(drafts: Sequence[Draft], size: int) -> Iterator[list[Draft]]:
    rest = iter(drafts)
    while piece := list(islice(rest, size)):
        yield piece


def _records(client: CreditClient, subject: str) -> list[Told]:
    """All records of a company, ended or not."""
    records = client.subject(subject, ended=True).get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise errors.Unavailable(f"{client.url} answered something other than records; is it a bidledger API?")
    return records


def _planned(draft: Draft, records: Iterable[Told], waiting: Mapping[Decision, str]) -> Planned:
    request = draft.request()
    for record in records:
        if record.get("document") == request["document"]:
            return _known(draft, request, record)
    operation = waiting.get(decision(request))
    if operation is not None:
        note = (
            "was drawn up before and waits for its signatures" if operation else "an interrupted run began to send it"
        )
        return Planned(draft, Fate.WAITING, operation or None, (note,))
    return Planned(draft, Fate.NEW)


def _known(draft: Draft, request: Mapping[str, object], record: Told) -> Planned:
    name, held = str(record.get("record")), _content(record)
    notes = [f"is {record.get('state')}, published by {record.get('member')}"]
    differing = [part for part in _CONTENT if held[part] != request[part]]
    notes += [f"{part}: the list has {_shown(request[part])}, the register {_shown(held[part])}" for part in differing]
    return Planned(draft, Fate.CHANGED if differing else Fate.UNCHANGED, name, tuple(notes))


def _content(record: Told) -> dict[str, object]:
    """A record of an answer as a request has it: of its measures the codes."""
    measures = record.get("measures")
    codes = (
        [each.get("code") if isinstance(each, dict) else each for each in measures]
        if isinstance(measures, list)
        else []
    )
    return {part: record.get(part) for part in _CONTENT} | {"measures": codes}


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
