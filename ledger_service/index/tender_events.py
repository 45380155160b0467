"""What the tender register says: one frozen dataclass per event, its fields as the contract's interface names them.

Times are POSIX seconds, addresses 20 bytes, hashes 32; of members bit n stands for number n. `register` is the
contract's address, for old registers are followed as well.
"""

from dataclasses import dataclass
from typing import TypeAlias

from anchors.tenders import Answer, Bid, Refusal


@dataclass(frozen=True, slots=True)
class TenderPublished:
    """A tender is announced."""

    tender: bytes  # its name for ever
    register: bytes
    host: int
    members: int
    digest: bytes
    former: bytes
    deadline: int
    opening: int
    answer_days: int


@dataclass(frozen=True, slots=True)
class TenderAmended:
    """The notice has a new version."""

    tender: bytes
    register: bytes
    version: int
    digest: bytes
    reason: bytes
    deadline: int
    opening: int


@dataclass(frozen=True, slots=True)
class BidsClosed:
    """No more bids are taken; the host's log stands at (generation, size)."""

    tender: bytes
    register: bytes
    host: int
    log: bytes
    generation: int
    size: int


@dataclass(frozen=True, slots=True)
class BidsOpened:
    """These bids were opened, and those refused."""

    tender: bytes
    register: bytes
    manifest: bytes
    root: bytes
    count: int
    on_receipt: int
    record: bytes
    officer: bytes
    entries: tuple[Bid, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class TenderEvaluated:
    """The bids were evaluated."""

    tender: bytes
    register: bytes
    evaluation: bytes
    round: int
    report: bytes
    sites: int
    panel: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class CandidatesPublished:
    """The candidates are published."""

    tender: bytes
    register: bytes
    candidates: bytes
    list: bytes
    until: int
    officer: bytes


@dataclass(frozen=True, slots=True)
class ObjectionMade:
    """A member handed in a bidder's objection."""

    tender: bytes
    register: bytes
    grounds: bytes
    candidates: bytes
    member: int
    officer: bytes


@dataclass(frozen=True, slots=True)
class ObjectionRuled:
    """An objection was ruled on."""

    tender: bytes
    register: bytes
    grounds: bytes
    upheld: bool
    ruling: bytes
    officer: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class TenderAwarded:
    """The tender is awarded, and its panel unsealed."""

    tender: bytes
    register: bytes
    award: bytes
    officer: bytes
    regulator: bytes
    salt: bytes
    drawn: tuple[bytes, ...]
    signers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TenderFailed:
    """The tender has no award; all zeros where fewer than three bids were opened."""

    tender: bytes
    register: bytes
    reason: bytes
    officer: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class BidClaimed:
    """A bid was left out of the opening, or a late one was let in."""

    tender: bytes
    register: bytes
    commitment: bytes
    member: int
    late: bool
    index: int
    received_at: int
    answer_by: int


@dataclass(frozen=True, slots=True)
class ClaimAnswered:
    """A claim has its answer; `by` is the bid in its place, or the reason of the refusal."""

    tender: bytes
    register: bytes
    commitment: bytes
    answer: Answer
    by: bytes


TenderEvent: TypeAlias = (
    TenderPublished
    | TenderAmended
    | BidsClosed
    | BidsOpened
    | TenderEvaluated
    | CandidatesPublished
    | ObjectionMade
    | ObjectionRuled
    | TenderAwarded
    | TenderFailed
    | BidClaimed
    | ClaimAnswered
)
