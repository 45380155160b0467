"""What one version of a network file says otherwise than the one before, and how its histories may grow.

Promises to name every difference, once, by its path in the file: entries are added at the end of a history, an open
entry is ended, a threshold or a member's name is set; everything else is named a rewriting. Whether the governors
agreed to any of it is for `roll_forward`.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any, TypeAlias, TypeVar

from anchors.network.entries import to_json
from anchors.network.facts import Contract, Governor, LogKey, Member, Network, ReceiptSigner, ValidatorSet

FIXED = ("format", "alliance", "domain", "chain_id", "genesis_hash", "consensus")

Entry: TypeAlias = ValidatorSet | Contract | LogKey | ReceiptSigner | Governor
E = TypeVar("E", bound=Entry)


class Kind(StrEnum):
    """How a later version differs at a place. All but the last leave standing what the earlier one says."""

    ADDED = "added"
    ENDED = "ended"
    SET = "set"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between two versions of a network file."""

    kind: Kind
    where: str  # the path in the file, as in members[1].log_keys[0]
    before: object  # the fact, None where there was none
    after: object  # the fact, None where there is none any more

    def as_json(self) -> dict[str, object]:
        """The difference, its facts in the network file's own form."""
        return {name: to_json(getattr(self, name)) for name in ("kind", "where", "before", "after")}


def changes(before: Network, after: Network) -> Iterator[Change]:
    """Name every difference between two versions of a network file but their numbers and signatures.

    Args:
        before: the earlier version.
        after: the later one, of any alliance.

    Returns:
        The differences in the order of the file.
    """
    for name in FIXED:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(Kind.REWRITTEN, name, old, new)
    yield from _history("validators", before.validators, after.validators)
    yield from _history("contracts", before.contracts, after.contracts)
    for at, (old_member, new_member) in enumerate(zip_longest(before.members, after.members)):
        yield from _member(f"members[{at}]", old_member, new_member)
    yield from _history("governors", before.governors, after.governors)
    if before.threshold != after.threshold:
        yield Change(Kind.SET, "threshold", before.threshold, after.threshold)


def end_of(entry: Entry) -> int | None:
    """The block, size or time before which an entry is in force; None while it is open."""
    end: int | None = getattr(entry, _end_name(entry))
    return end


def start_of(entry: Entry) -> int:
    """The block, size or time from which an entry is in force."""
    start: int = getattr(entry, _end_name(entry).replace("to_", "from_", 1))
    return start


def ended(entry: E, end: int | None) -> E:
    """The same entry with another end."""
    field: dict[str, Any] = {_end_name(entry): end}
    return dataclasses.replace(entry, **field)


def ends(old: Entry, new: Entry) -> bool:
    """Whether `new` is the open entry `old` with an end."""
    return end_of(old) is None and end_of(new) is not None and ended(new, None) == old


def _end_name(entry: Entry) -> str:
    return next(field.name for field in dataclasses.fields(entry) if field.name.startswith("to_"))


def _member(where: str, old: Member | None, new: Member | None) -> Iterator[Change]:
    if old is None:
        yield Change(Kind.ADDED, where, None, new)
    elif new is None or (old.number, old.code) != (new.number, new.code):
        yield Change(Kind.REWRITTEN, where, old, new)
    else:
        if old.name != new.name:
            yield Change(Kind.SET, f"{where}.name", old.name, new.name)
        yield from _history(f"{where}.log_keys", old.log_keys, new.log_keys)
        yield from _history(f"{where}.receipt_signers", old.receipt_signers, new.receipt_signers)


def _history(where: str, before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[Change]:
    for at, (old, new) in enumerate(zip_longest(before, after)):
        if old == new:
            continue
        kind = Kind.ADDED if old is None else Kind.ENDED if new and ends(old, new) else Kind.REWRITTEN
        yield Change(kind, f"{where}[{at}]", old, new)
