"""What the reads of tenders answer, as models: they describe it, and the tests hold the answers against them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "BidOut",
    "ClaimOut",
    "EventOut",
    "NoticeOut",
    "NoticesOut",
    "OpenedOut",
    "StateName",
    "TenderHistoryOut",
    "TenderOut",
    "TendersOut",
]

StateName = Literal["published", "closed", "opened", "evaluated", "candidates", "awarded", "failed", "retendered"]
KindName = Literal[
    "published",
    "amended",
    "closed",
    "opened",
    "evaluated",
    "candidates",
    "objected",
    "ruled",
    "awarded",
    "failed",
    "claimed",
    "answered",
]
_WORD = "^0x[0-9a-f]{64}$"
_ADDRESS = "^0x[0-9a-f]{40}$"


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoticeOut(_Out):
    """A tender as its notice announces it, with all amendments."""

    tender: str = Field(pattern=_WORD, description="Its name for ever.")
    contract: str = Field(pattern=_ADDRESS, description="The TenderRegister that keeps it.")
    state: StateName
    host: str = Field(description="The member that takes, opens and evaluates the bids.")
    members: list[str] = Field(description="Who published it together, the host among them.")
    version: int = Field(description="Of the notice, 1 without amendments.")
    digest: str = Field(pattern=_WORD, description="SHA-256 of the notice and the tender documents of that version.")
    former: str | None = Field(pattern=_WORD, description="The failed tender that this one replaces.")
    deadline: int = Field(description="Of the bids, POSIX seconds; one of this second is late.")
    opening: int = Field(description="Bids are opened from then on, POSIX seconds.")
    answer_days: int = Field(description="How long a claim waits for its answer.")
    published_block: int
    published_at: int = Field(description="POSIX seconds.")


class NoticesOut(_Out):
    """A page of notices, in the order of their publication."""

    notices: list[NoticeOut]


class ClosedOut(_Out):
    """How far the host's log reached when bids were closed."""

    block: int
    log: str = Field(pattern=_ADDRESS, description="The EvidenceLog.")
    generation: int
    size: int


class ManifestOut(_Out):
    """What was opened; the bids are at the event."""

    manifest: str = Field(pattern=_WORD, description="Hash of the opening.")
    root: str = Field(pattern=_WORD, description="Of the list of opened bids.")
    count: int
    on_receipt: int = Field(description="How many of them had no anchored place when bids were closed.")
    refusals: str = Field(pattern=_WORD, description="Keccak-256 of the list of refused bids.")
    record: str = Field(pattern=_WORD, description="Digest of the record of the opening.")


class EvaluationOut(_Out):
    """The last evaluation."""

    evaluation: str = Field(pattern=_WORD, description="Its hash.")
    round: int
    report: str = Field(pattern=_WORD)
    sites: list[str]
    panel: str = Field(pattern=_WORD, description="Sealed until the award.")
    result: str = Field(pattern=_WORD)


class CandidatesOut(_Out):
    """The last candidates."""

    candidates: str = Field(pattern=_WORD, description="Their hash.")
    list: str = Field(pattern=_WORD)
    until: int = Field(description="Published until then, POSIX seconds.")


class TenderOut(NoticeOut):
    """A tender as it stands; what has not happened yet is null."""

    closed: ClosedOut | None
    opened: ManifestOut | None
    evaluated: EvaluationOut | None
    candidates: CandidatesOut | None
    suspended_by: int = Field(description="How many objections wait for a ruling; none is awarded until then.")
    award: str | None = Field(pattern=_WORD)
    failure: str | None = Field(pattern=_WORD, description="The reason; null as well with fewer than three bids.")


class TendersOut(_Out):
    """A page of tenders, in the order of their notices."""

    tenders: list[TenderOut]


class EventOut(_Out):
    """Something that happened to a tender, with its place on the chain."""

    kind: KindName
    subject: str | None = Field(pattern=_WORD, description="An act's hash, the grounds, or a commitment.")
    data: dict[str, Any] = Field(description="What else the event says; see docs/TENDERS.md.")
    block: int
    block_hash: str = Field(pattern=_WORD)
    transaction_index: int
    log_index: int = Field(description="Among the logs of its transaction.")
    time: int = Field(description="POSIX seconds.")


class ClaimOut(_Out):
    """A claim that a bid was left out, or a late one let in."""

    commitment: str = Field(pattern=_WORD)
    member: str = Field(description="Against whom.")
    late: bool
    index: int = Field(description="The bid's place in the host's log, as the receipt says.")
    received_at: int
    claimed_in: int = Field(description="The block.")
    answer_by: int
    answer: Literal["withdrawn", "replaced", "refused"] | None
    by: str | None = Field(pattern=_WORD, description="The bid in its place, or the reason of the refusal.")
    upheld: bool = Field(description="No answer came in time, or there is none.")


class AsOfOut(_Out):
    """The moment that is told about."""

    block: int
    time: int


class TenderHistoryOut(TenderOut):
    """A tender with all that ever happened to it, and what was claimed."""

    as_of: AsOfOut
    events: list[EventOut]
    claims: list[ClaimOut]


class BidOut(_Out):
    """An opened bid."""

    commitment: str = Field(pattern=_WORD)
    index: int


class PageOut(_Out):
    """The page of the opened list on which the bid stands, or would."""

    number: int
    entries: str = Field(pattern="^0x([0-9a-f]{2})*$", description="40 bytes each, and the commitment that follows.")
    path: list[str]


class OpeningOut(_Out):
    """The opening, whose hash is the tender's manifest."""

    tender: str = Field(pattern=_WORD)
    root: str = Field(pattern=_WORD)
    count: int
    refusals: str = Field(pattern=_WORD)
    record: str = Field(pattern=_WORD)


class OpenedOut(_Out):
    """Whether a bid was opened, with the proof."""

    tender: str = Field(pattern=_WORD)
    commitment: str = Field(pattern=_WORD)
    opened: bool
    bid: BidOut | None = Field(description="Its entry, if it was opened.")
    refused: str | None = Field(pattern=_WORD, description="The digest of the reason, if the opening refused it.")
    manifest: str = Field(pattern=_WORD)
    opening: OpeningOut
    page: PageOut
    claim: ClaimOut | None
