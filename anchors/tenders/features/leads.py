"""Which codes bids of different bidders share: leads for a person, never a sanction by a machine.

Promises that only opened records of one tender are compared, kind by kind, and that each lead says what was compared,
how many share it, and whether within one member or across several. A site cannot weaken a lead by itself: it is weak
only if all who share the code have it marked so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Final

from anchors.errors import FeaturesNotTogether
from anchors.subjects import Subject
from anchors.tenders.features.codes import CodeKind
from anchors.tenders.features.records import OpenedRecord, SealedRecord

__all__ = ["CAUTION", "MAX_RECORDS", "Compared", "Lead", "Sharer", "compared", "leads"]

MAX_RECORDS: Final = 20_000
CAUTION: Final = (
    "This is a lead for a person to look into, never a sanction: what counts as collusion is for the authority to find "
    "(Regulations on the Tendering Law, 40)."
)
_NAMES: Final = {
    CodeKind.MACHINE: "machine code",
    CodeKind.FILE_CREATION: "code of the file's creation",
    CodeKind.PRICING_LOCK: "lock of the pricing software",
    CodeKind.NETWORK_CARD: "network card",
    CodeKind.NETWORK_ADDRESS: "network address",
}


@dataclass(frozen=True, slots=True)
class Sharer:
    """A bid that has the code."""

    bid: bytes  # commitment, 32 bytes
    bidder: Subject
    member: str
    commitment: bytes  # of the record that was opened, 32 bytes


@dataclass(frozen=True, slots=True)
class Lead:
    """A code that bids of at least two bidders share."""

    kind: CodeKind
    value: bytes  # what stands for the code, 32 bytes
    sharers: tuple[Sharer, ...]  # by bid
    compared: int  # how many opened bids have a code of this kind
    weak: bool  # many have such a code

    @property
    def bidders(self) -> int:
        """How many bidders share it."""
        return len({sharer.bidder for sharer in self.sharers})

    @property
    def across(self) -> bool:
        """Whether the bids came in at more than one member."""
        return len({sharer.member for sharer in self.sharers}) > 1

    @property
    def within(self) -> tuple[str, ...]:
        """The members at each of which bids of several bidders share it, by their codes."""
        bidders: dict[str, set[Subject]] = {}
        for sharer in self.sharers:
            bidders.setdefault(sharer.member, set()).add(sharer.bidder)
        return tuple(sorted(member for member, sharing in bidders.items() if len(sharing) > 1))

    def __str__(self) -> str:
        where = "across members" if self.across else "within one member"
        if self.across and self.within:
            where += f" and within {', '.join(self.within)}"
        weak = " Many machines have such a code, so it says little by itself." if self.weak else ""
        return (
            f"{len(self.sharers)} bids of {self.bidders} bidders, {where}, have the same {_NAMES[self.kind]} "
            f"({self.compared} bids were compared).{weak} {CAUTION}"
        )

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return {
            "kind": self.kind.value,
            "value": f"0x{self.value.hex()}",
            "bids": len(self.sharers),
            "bidders": self.bidders,
            "compared": self.compared,
            "across": self.across,
            "within": list(self.within),
            "weak": self.weak,
            "sharers": [
                {
                    "bid": f"0x{sharer.bid.hex()}",
                    "bidder": str(sharer.bidder),
                    "member": sharer.member,
                    "record": f"0x{sharer.commitment.hex()}",
                }
                for sharer in self.sharers
            ],
            "text": str(self),
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared of one member's records."""

    member: str
    records: int
    codes: Mapping[CodeKind, int]  # how many of its records have a code of the kind, where any has


def leads(records: Iterable[OpenedRecord | SealedRecord]) -> list[Lead]:
    """List the codes that bids of different bidders share.

    Args:
        records: of one tender, at most 20,000; sealed ones are passed over.

    Returns:
        Strong leads before weak ones, then those that more bidders share first.

    Raises:
        FeaturesNotTogether: there are too many, they are of several tenders, or two are of one bid.
    """
    taken = list(islice(records, MAX_RECORDS + 1))
    if len(taken) > MAX_RECORDS:
        raise FeaturesNotTogether(f"are more than {MAX_RECORDS}")
    opened = [record for record in taken if isinstance(record, OpenedRecord)]
    _check_together(opened)
    found = [lead for kind in CodeKind for lead in _leads_of(kind, opened)]
    return sorted(found, key=lambda lead: (lead.weak, -lead.bidders, lead.kind.code, lead.value))


def compared(records: Iterable[OpenedRecord | SealedRecord]) -> list[Compared]:
    """Say what `leads` compares of the same records.

    Args:
        records: as there.

    Returns:
        For each member with opened records, by its code.
    """
    of_member: dict[str, list[OpenedRecord]] = {}
    for record in records:
        if isinstance(record, OpenedRecord):
            of_member.setdefault(record.member, []).append(record)
    return [Compared(member, len(opened), _counted(opened)) for member, opened in sorted(of_member.items())]


def _counted(opened: list[OpenedRecord]) -> Mapping[CodeKind, int]:
    counts = {kind: sum(kind in each.record.values for each in opened) for kind in CodeKind}
    return MappingProxyType({kind: count for kind, count in counts.items() if count})


def _check_together(opened: list[OpenedRecord]) -> None:
    if len({each.record.tender for each in opened}) > 1:
        raise FeaturesNotTogether("are of several tenders")
    if len({each.record.bid for each in opened}) < len(opened):
        raise FeaturesNotTogether("have two for one bid")


def _leads_of(kind: CodeKind, opened: list[OpenedRecord]) -> list[Lead]:
    having = [each for each in opened if kind in each.record.values]
    by_value: dict[bytes, list[OpenedRecord]] = {}
    for each in sorted(having, key=lambda each: each.record.bid):
        by_value.setdefault(each.record.values[kind], []).append(each)
    return [
        Lead(
            kind=kind,
            value=value,
            sharers=tuple(Sharer(each.record.bid, each.bidder, each.member, each.commitment) for each in sharing),
            compared=len(having),
            weak=all(kind in each.record.weak for each in sharing),
        )
        for value, sharing in by_value.items()
        if len({each.bidder for each in sharing}) > 1
    ]
