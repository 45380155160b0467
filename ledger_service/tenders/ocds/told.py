"""What happened to a tender on the chain, as an export needs it.

Promises a timeline in the chain's order that begins with the notice. Where each event stands and what it recorded is
taken as the index or a downloaded file has it; to prove that is left to the evidence files that an event names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from ledger_service.tenders.ocds.facts import Organization
from ledger_service.tenders.ocds.package import BadPackage

__all__ = ["Anchored", "Detail", "Event", "Happening", "Leaf", "LogPart", "Place", "Told"]

Detail = str | int | bool | tuple[str, ...]


class Happening(StrEnum):
    """What an event of the register is about."""

    NOTICE = "notice"
    AMENDMENT = "amendment"
    CLOSING = "closing"
    OPENING = "opening"
    EVALUATION = "evaluation"
    CANDIDATES = "candidates"
    OBJECTION = "objection"
    RULING = "ruling"
    AWARD = "award"
    FAILURE = "failure"
    CLAIM = "claim"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands on the chain."""

    block: int
    block_hash: bytes  # 32 bytes
    time: datetime  # the block's, aware, whole seconds
    transaction: int  # its index in the block
    log_index: int  # among the logs of the transaction


@dataclass(frozen=True, slots=True)
class Leaf:
    """A commitment at its place in the host's log."""

    commitment: bytes  # 32 bytes
    index: int
    evidence: tuple[str, ...] = ()  # URLs of what proves it


@dataclass(frozen=True, slots=True)
class Anchored:
    """The log's root at a size, as it was anchored."""

    size: int
    root: bytes  # 32 bytes
    place: Place


@dataclass(frozen=True, slots=True)
class LogPart:
    """What an event has to do with the host's log.

    Args:
        contract: the EvidenceLog that it is anchored in, 20 bytes.
        generation: of the log.
        size: of the log, where the event fixed it.
        leaves: those that the event is about.
        anchors: those that cover them, by size.
    """

    contract: bytes
    generation: int
    size: int | None = None
    leaves: tuple[Leaf, ...] = ()
    anchors: tuple[Anchored, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Args:
        happening: what.
        place: where on the chain.
        digest: what was recorded by it, 32 bytes; None where it records none: closings, claims and their answers.
        evidence: URLs of files that prove it.
        commitments: of bids that it names without their places, 32 bytes each.
        log: its leaves and anchors.
        details: what else was recorded, by name; bytes as 0x-hex, times as RFC 3339. A notice's and an amendment's
            `deadline` and an amendment's `rationale` are given out in OCDS's own members as well.
        release: the JSON of the OCDS release that told of it, where it came from one.
        suppliers: of candidates and awards.
    """

    happening: Happening
    place: Place
    digest: bytes | None = None
    evidence: tuple[str, ...] = ()
    commitments: tuple[bytes, ...] = ()
    log: LogPart | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)
    release: Mapping[str, object] | None = field(default=None, compare=False, repr=False)
    suppliers: tuple[Organization, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A tender and all that happened to it.

    Raises:
        BadPackage: the first event is no notice, there is another one, or events are not in the chain's order.
    """

    ocid: str
    tender: bytes  # its name in the register, 32 bytes
    chain_id: int
    contract: bytes  # the register's address, 20 bytes
    title: str | None
    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        """Let a timeline begin with its notice and go on in order."""
        notices = [at for at, event in enumerate(self.events) if event.happening is Happening.NOTICE]
        if notices != [0]:
            raise BadPackage("The timeline", "does not begin with its only notice")
        places = [(event.place.block, event.place.transaction, event.place.log_index) for event in self.events]
        if any(before >= after for before, after in pairwise(places)):
            raise BadPackage("The timeline", "is not in the chain's order")

    def of(self, happening: Happening) -> tuple[Event, ...]:
        """The events about this."""
        return tuple(event for event in self.events if event.happening is happening)
