"""What the rules of a tender are held against: the story and all that is proven beside it.

Promises facts alone, each proven by a step of `anchors.tenders.audit.verdict`; what the rules make of them is for
`anchors.tenders.audit.rules`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from anchors.commitment import Kind
from anchors.network import Network
from anchors.tenders.audit.leaves import Leaf, LogPart
from anchors.tenders.audit.story import Story
from anchors.tenders.bids import ENTRY_BYTES, Bid
from anchors.tenders.draw.verdict import DrawVerdict
from anchors.tenders.life import State
from anchors.tenders.receipt import BidReceipt, Replacement

__all__ = ["Facts"]


@dataclass(frozen=True)
class Facts:
    """All that is proven of a tender."""

    network: Network
    story: Story
    state: State | None  # as the register keeps it; None where no state is shown
    asked_at: int  # the time of the newest block that is shown, POSIX seconds
    receipts: Sequence[BidReceipt]  # of this tender, signed by the host's signers
    replacements: Mapping[bytes, Replacement]  # by commitment, signed by the holders
    log: LogPart | None
    declared: Mapping[bytes, Kind]  # leaves that are opened as something else than bids
    draw: DrawVerdict | None
    draw_chain: int  # the chain that the draw's terms name

    @cached_property
    def bids(self) -> tuple[Bid, ...]:
        """The opened bids as they were given, whether or not the list is in order."""
        entries = self.story.opened.entries if self.story.opened else b""
        whole = range(0, len(entries) // ENTRY_BYTES * ENTRY_BYTES, ENTRY_BYTES)
        return tuple(Bid(entries[at : at + 32], int.from_bytes(entries[at + 32 : at + 40], "big")) for at in whole)

    @cached_property
    def opened(self) -> frozenset[bytes]:
        """The commitments of the opened bids."""
        return frozenset(bid.commitment for bid in self.bids)

    @cached_property
    def reasons(self) -> Mapping[bytes, bytes]:
        """The digests of the reasons of refusals, by commitment, likewise."""
        refusals = self.story.opened.refusals if self.story.opened else b""
        return {refusals[at : at + 32]: refusals[at + 32 : at + 64] for at in range(0, len(refusals), 64)}

    @cached_property
    def leaves(self) -> Mapping[int, bytes]:
        """The proven leaves of the host's log by place."""
        periods = self.log.periods if self.log else ()
        return {each.first + at: leaf for each in periods for at, leaf in enumerate(each.leaves)}

    @cached_property
    def unaccounted(self) -> tuple[Leaf, ...]:
        """The leaves that are neither filling nor accounted for."""
        periods = self.log.periods if self.log else ()
        known = {*self.opened, *self.reasons, *self.replacements, *self.story.elsewhere, *self.declared}
        return tuple(leaf for each in periods for leaf in each.taken() if leaf.leaf not in known)

    def timely(self, commitment: bytes) -> BidReceipt | None:
        """A receipt for a bid from before the deadline."""
        return self._received.get((commitment, False))

    def late(self, commitment: bytes) -> BidReceipt | None:
        """A receipt for a bid from the deadline on."""
        return self._received.get((commitment, True))

    def member(self, number: int) -> str:
        """The code of a member, for messages."""
        return next((each.code for each in self.network.members if each.number == number), f"number {number}")

    def members(self, mask: int) -> str:
        """The codes of members, bit n for number n."""
        return ", ".join(self.member(number) for number in range(mask.bit_length()) if mask >> number & 1) or "nobody"

    def strangers(self, mask: int) -> list[int]:
        """The numbers in a mask that are no member's."""
        listed = {each.number for each in self.network.members}
        return [number for number in range(mask.bit_length()) if mask >> number & 1 and number not in listed]

    @cached_property
    def _received(self) -> Mapping[tuple[bytes, bool], BidReceipt]:
        deadline = self.story.deadline
        return {(each.commitment, each.received_at >= deadline): each for each in self.receipts}
