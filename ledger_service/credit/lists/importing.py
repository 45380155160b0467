"""Records of a list sent to a member's API, as operations that wait for their signatures.

Promises that what was agreed to is sent once, whenever the process is killed: a batch is written down before it is
sent, and sent again under the same Idempotency-Key until it is answered. The facts never leave the machine: the
statements are on the disk, in files named by their digests, before the records that name them are sent.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from anchors.credit import Kind
from ledger_service import errors
from ledger_service.credit.client import CreditClient, Told
from ledger_service.credit.lists.drafting import Draft
from ledger_service.credit.lists.journal import Batch, Journal
from ledger_service.credit.lists.planning import Decision, Fate, Plan, decision
from ledger_service.errors import ServiceError
from ledger_service.files import put_in_place, sync_directory

__all__ = ["BATCH", "Outcome", "RefusedEntry", "check_interrupted", "pending", "send", "waiting", "write_statements"]

BATCH: Final = 50
_OVER: Final = frozenset(("refused", "expired"))
_TRANSIENT: Final = frozenset((401, 403, 408, 429))  # of the asker or the moment, not of the records
_PLACE: Final = re.compile(r"/records/([0-9]{1,2})(?:/.*)?")


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry that the API did not take."""

    line: int
    reason: str


@dataclass(slots=True)
class Outcome:
    """What came of sending."""

    operations: list[Told] = field(default_factory=list)
    refused: list[RefusedEntry] = field(default_factory=list)


def waiting(journal: Journal, client: CreditClient) -> dict[Decision, str]:
    """What earlier runs sent, or began to send, that is not over: by decision, the operation.

    Args:
        journal: of the list.
        client: of the API that it was sent to; asked what became of each operation.

    Returns:
        Of a batch that was not answered, an empty text. What is final is in it too: the register has it.
    """
    found: dict[Decision, str] = {}
    for batch in journal.batches.values():
        if batch.refused is not None:
            continue
        if batch.operation is not None and client.operation(batch.operation).get("state") in _OVER:
            continue
        found |= {decision(record): batch.operation or "" for record in batch.records}
    return found


def pending(journal: Journal, client: CreditClient) -> list[Told]:
    """The operations of a list that are not over, in short, with the lines of their entries."""
    found = []
    for batch in journal.batches.values():
        if batch.operation is None:
            continue
        told = client.operation(batch.operation)
        if told.get("state") not in (*_OVER, "final"):
            brief = {part: told.get(part) for part in ("id", "act", "state", "deadline", "digest", "needed")}
            found.append(brief | {"records": len(batch.records), "lines": batch.lines})
    return found


def check_interrupted(journal: Journal, list_digest: str) -> None:
    """Refuse to go on where an interrupted run was of another version of the list.

    Raises:
        Conflict: it was: what was begun must be finished first.
    """
    if any(batch.open and batch.list_digest != list_digest for batch in journal.batches.values()):
        raise errors.Conflict(
            f"{journal.path}: an import of another version of this list was interrupted; put that version back and "
            "run the import again to finish it, or move the journal away once you know what was sent"
        )


def write_statements(drafts: Sequence[Draft], folder: Path) -> None:
    """Write the statements of records into files named by their digests; those that are there stay as they are.

    Raises:
        InvalidContent: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for draft in drafts:
            path = folder / f"{draft.record.statement.hex()}.json"
            if not path.exists() or sha256(path.read_bytes()).digest() != draft.record.statement:
                put_in_place(path, draft.statement)
        sync_directory(folder)
    except OSError as error:
        raise errors.InvalidContent(f"{folder}: {error.strerror}; name a folder that can be written") from error


def send(plan: Plan, journal: Journal, client: CreditClient) -> Iterator[Outcome]:
    """Send what is new, and what an interrupted run may not have sent.

    Args:
        plan: as it was agreed to.
        journal: of the list.
        client: of the member that publishes.

    Returns:
        What came of each batch, as soon as it did.

    Raises:
        ServiceError: nobody answers, or not with this API key. The same run again goes on from there.
    """
    digest = "0x" + plan.file.digest.hex()
    for batch in [batch for batch in journal.batches.values() if batch.open]:
        yield _send(batch, journal, client)
    for drafts in _batches([each.draft for each in plan.of(Fate.NEW)]):
        lines, records = [draft.line for draft in drafts], [draft.request() for draft in drafts]
        yield _send(journal.add(digest, lines, records), journal, client)


def _batches(drafts: Sequence[Draft]) -> Iterator[Sequence[Draft]]:
    """Records of one kind each: serious ones wait for other members, and no other record should wait with them."""
    for kind in Kind:
        some = [draft for draft in drafts if draft.record.kind is kind]
        for begins in range(0, len(some), BATCH):
            yield some[begins : begins + BATCH]


def _send(batch: Batch | None, journal: Journal, client: CreditClient) -> Outcome:
    """Send a batch; where the API refuses one record of it, the others without that one."""
    outcome = Outcome()
    while batch is not None:
        try:
            operation = client.publish(batch.records, batch.key)
        except ServiceError as error:
            if error.status >= 500 or error.status in _TRANSIENT:
                raise
            place = _place(error, batch)
            journal.refuse(batch, error.detail)
            outcome.refused += [RefusedEntry(line, error.detail) for line in _at(batch.lines, place)]
            batch = _without(batch, place, journal)
        else:
            journal.answered(batch, _name(operation, client.url))
            outcome.operations.append(operation | {"lines": batch.lines})
            batch = None
    return outcome


def _place(error: ServiceError, batch: Batch) -> int | None:
    """Which record the API refuses, if it says so."""
    found = _PLACE.fullmatch(str(error.facts.get("pointer", "")))
    return int(found[1]) if found and int(found[1]) < len(batch.records) else None


def _at(lines: list[int], place: int | None) -> list[int]:
    return lines if place is None else [lines[place]]


def _without(batch: Batch, place: int | None, journal: Journal) -> Batch | None:
    if place is None or len(batch.records) == 1:
        return None
    lines, records = list(batch.lines), list[dict[str, Any]](batch.records)
    del lines[place], records[place]
    return journal.add(batch.list_digest, lines, records)


def _name(operation: Told, url: str) -> str:
    name = operation.get("id")
    if not isinstance(name, str) or not name:
        raise errors.Unavailable(f"{url} answered something other than an operation; is it a bidledger API?")
    return name
