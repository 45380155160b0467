"""What may be asked for: the bodies of the requests that draw up acts in a tender.

Promises the form alone, closed and bounded. What breaks a rule of tenders passes here, and is refused by that rule's
name when the act is drawn up. `deadline` beside an act is that of its signatures; that of the bids is in the notice.
"""

from typing import Annotated, Final, TypeAlias

from pydantic import Field

from ledger_service.operations.requests import Apart, Closed, SignatureText

__all__ = [
    "MAX_BIDS",
    "AmendmentIn",
    "AnswerIn",
    "AwardIn",
    "CandidatesIn",
    "ClaimIn",
    "ClosingIn",
    "EvaluationIn",
    "FailureIn",
    "NoticeIn",
    "ObjectionIn",
    "OpeningIn",
    "RulingIn",
    "TenderAmendmentIn",
    "TenderIn",
]

MAX_BIDS: Final = 1000
_MAX_EXPERTS: Final = 256

Word: TypeAlias = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
Time: TypeAlias = Annotated[int, Field(ge=0, lt=2**63, description="POSIX seconds.")]
Code: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", description="A member's code.")]
Codes: TypeAlias = Annotated[list[Code], Field(min_length=1, max_length=255)]
Experts: TypeAlias = Annotated[list[Word], Field(max_length=_MAX_EXPERTS, description="Ascending.")]


class NoticeIn(Closed):
    """What is announced; its host is the member whose service this is."""

    members: Annotated[Codes, Field(description="Who publish it together, the host among them.")]
    digest: Annotated[Word, Field(description="SHA-256 of the notice and the tender documents.")]
    former: Annotated[Word | None, Field(description="The failed tender that this one replaces.")] = None
    deadline: Annotated[Time, Field(description="Of the bids, POSIX seconds.")]
    opening: Annotated[Time | None, Field(description="By default at the deadline.")] = None
    answer_days: Annotated[int, Field(ge=0, le=65535, description="How long a claim waits for its answer.")]


class TenderIn(Apart):
    """A tender is announced."""

    notice: NoticeIn


class AmendmentIn(Closed):
    """What the notice is from then on."""

    digest: Annotated[Word, Field(description="SHA-256 of the notice and the tender documents as they are now.")]
    reason: Annotated[Word, Field(description="SHA-256 of why.")]
    deadline: Annotated[Time | None, Field(description="Of the bids; by default as it was.")] = None
    opening: Annotated[Time | None, Field(description="By default as it was, but not before the deadline.")] = None


class TenderAmendmentIn(Apart):
    """The notice is amended."""

    amendment: AmendmentIn


class ClosingIn(Apart):
    """Bids are closed; nobody signs."""


class BidIn(Closed):
    """An opened bid."""

    commitment: Word
    index: Annotated[int, Field(ge=0, lt=2**63, description="Its place in the host's log.")]


class RefusalIn(Closed):
    """A refused bid."""

    commitment: Word
    reason: Annotated[Word, Field(description="SHA-256 of why.")]


class OpeningIn(Apart):
    """Bids are opened."""

    bids: Annotated[
        list[BidIn] | None,
        Field(max_length=MAX_BIDS, description="By default all that were received, but those replaced or refused."),
    ] = None
    refusals: Annotated[list[RefusalIn], Field(max_length=MAX_BIDS, default_factory=list)]
    record: Annotated[Word, Field(description="SHA-256 of the record of the opening.")]


class EvaluationIn(Apart):
    """The bids were evaluated."""

    report: Annotated[Word, Field(description="SHA-256.")]
    sites: Annotated[Codes, Field(description="Where the panel sat, the host among them.")]
    panel: Annotated[Word, Field(description="Sealed, as docs/DRAW.md has it.")]
    result: Annotated[Word, Field(description="SHA-256.")]


class CandidatesIn(Apart):
    """The candidates are published."""

    list: Annotated[Word, Field(description="SHA-256.")]
    until: Annotated[Time, Field(description="Through the third day after this one in China, at the least.")]


class ObjectionIn(Apart):
    """This member hands in a bidder's objection to the candidates."""

    grounds: Annotated[Word, Field(description="SHA-256.")]


class RulingIn(Apart):
    """An objection is ruled on."""

    grounds: Annotated[Word, Field(description="Of the objection.")]
    upheld: bool
    ruling: Annotated[Word, Field(description="SHA-256.")]


class PanelIn(Closed):
    """The panel, unsealed."""

    salt: Word
    drawn: Experts
    signers: Annotated[Experts, Field(description="Of the report, ascending.")]


class AwardIn(Apart):
    """The tender is awarded."""

    award: Annotated[Word, Field(description="SHA-256.")]
    panel: PanelIn


class FailureIn(Apart):
    """The tender ends without an award."""

    reason: Annotated[Word, Field(description="SHA-256.")]


class BidReceiptIn(Closed):
    """The host's word that a bid has arrived."""

    tender: Word
    commitment: Word
    index: Annotated[int, Field(ge=0, lt=2**63)]
    received_at: Time


class ClaimIn(Apart):
    """A bid that had arrived was left out, or a late one let in; nobody signs but who signed the receipt."""

    receipt: BidReceiptIn
    signature: Annotated[SignatureText, Field(description="Of the host's receipt signer.")]


class AnswerIn(Apart):
    """A claim is answered with what the host has; nobody signs anew."""
