"""One beat of the log's clock: which index the next commitment gets, and what fills the slots that stay free.

With slots, order and filling come from the period's key, and the last slot of the order commits to the key of the next
period; so a period may take commitments only when the one before it had slots as well. See `anchors.periods`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from anchors.periods import filler, key_commitment, period_key, slot_order
from ledger_service.log.identity import LogIdentity


@dataclass(slots=True)
class OpenPeriod:
    """A period that has not closed, and what has been accepted in it."""

    number: int
    first: int  # index of its first leaf
    slots: int  # 0 in the compact mode
    order: Sequence[int]  # of the slots; empty in the compact mode
    taken: int = 0
    used: Counter[str] = field(default_factory=Counter)  # entries by API key

    @property
    def capacity(self) -> int | None:
        """How many commitments it takes; None without bound."""
        return self.slots - 1 if self.slots else None

    def index(self, place: int) -> int:
        """The index of the commitment that is accepted as number `place`, from 0."""
        return self.first + (self.order[place] if self.slots else place)


def open_period(identity: LogIdentity, number: int, first: int, slots: int) -> OpenPeriod:
    """Open a period at an index, with the order that its key gives its slots."""
    key = period_key(identity.period_secret, identity.origin, number)
    return OpenPeriod(number, first, slots, slot_order(key, slots) if slots else ())


def filling(identity: LogIdentity, period: OpenPeriod) -> list[tuple[int, bytes]]:
    """The entries (index, 32 bytes) that fill a period as it closes; none in the compact mode."""
    if not period.slots:
        return []
    key = period_key(identity.period_secret, identity.origin, period.number)
    free = period.order[period.taken : period.slots - 1]
    entries = [(period.first + slot, filler(key, slot)) for slot in free]
    return [*entries, next_key_leaf(identity, period.number, period.first, period.slots)]


def next_key_leaf(identity: LogIdentity, number: int, first: int, slots: int) -> tuple[int, bytes]:
    """The entry (index, 32 bytes) by which period `number` commits to the key of the one after it."""
    order = slot_order(period_key(identity.period_secret, identity.origin, number), slots)
    return first + order[-1], key_commitment(period_key(identity.period_secret, identity.origin, number + 1))
