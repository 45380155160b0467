"""What members send: the terms and the parts of a draw, in the form in which the draw's file has them.

Promises the form alone, closed and bounded. What breaks a rule of draws passes here, and is refused by that rule's
name.
"""

from typing import Annotated, Final, TypeAlias

from pydantic import Field

from anchors.tenders.draw.experts import MAX_EXPERTS
from anchors.tenders.draw.terms import MAX_MEMBERS
from ledger_service.operations.requests import Closed

__all__ = ["ConfirmationIn", "DepositIn", "ListIn", "ResultIn", "RevealIn", "ShareIn", "TermsIn"]

_MOST: Final = (1 << 53) - 1

Word: TypeAlias = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
Point: TypeAlias = Annotated[str, Field(pattern=r"^0x[0-9a-f]{66}$", description="Of secp256k1, compressed.")]
Code: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", description="A member's code.")]
Codes: TypeAlias = Annotated[list[Code], Field(max_length=MAX_MEMBERS)]
Speciality: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{0,15}$")]
Signature: TypeAlias = Annotated[
    str, Field(pattern=r"^0x[0-9a-f]{130}$", description="Of the member's tender officer, over `DrawAct`.")
]


class MemberIn(Closed):
    """A member that takes part."""

    member: Code
    officer: Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$", description="The tender officer who signs for it.")]
    key: Annotated[Word, Field(description="X25519 public key, to which its shares are sealed.")]


class SiteIn(Closed):
    """What a site commits to of its list."""

    site: Code
    root: Word
    count: Annotated[int, Field(ge=0, le=MAX_EXPERTS)]


class QuotaIn(Closed):
    """How many experts of a speciality are drawn from a site's list."""

    site: Code
    speciality: Speciality
    count: Annotated[int, Field(ge=1, le=99)]


class TermsIn(Closed):
    """The terms of a round, as docs/DRAW.md has them."""

    chain_id: Annotated[int, Field(ge=1, le=_MOST)]
    tender: Annotated[Word, Field(description="Its name.")]
    round: Annotated[int, Field(ge=1, le=99)]
    previous: Annotated[Word | None, Field(description="The digest of the round before.")]
    excluded: Codes
    threshold: Annotated[int, Field(ge=2, le=MAX_MEMBERS)]
    members: Annotated[list[MemberIn], Field(max_length=MAX_MEMBERS)]
    sites: Annotated[list[SiteIn], Field(max_length=MAX_MEMBERS)]
    quotas: Annotated[list[QuotaIn], Field(max_length=256)]
    recusals: Annotated[list[Word], Field(max_length=10_000, description="Commitments of experts, ascending.")]


class SealedShareIn(Closed):
    """A share for one member to read."""

    member: Code
    sealed: Annotated[str, Field(pattern=r"^0x[0-9a-f]{160}$")]


class DepositIn(Closed):
    """A site commits to its value."""

    site: Code
    terms: Annotated[Word, Field(description="Their digest.")]
    points: Annotated[list[Point], Field(max_length=MAX_MEMBERS)]
    shares: Annotated[list[SealedShareIn], Field(max_length=MAX_MEMBERS)]
    signature: Signature


class ConfirmationIn(Closed):
    """A member has opened its shares, and holds these lists."""

    member: Code
    deposits: Annotated[Word, Field(description="The digest of all deposits.")]
    lists: Codes
    signature: Signature


class RevealIn(Closed):
    """A site reveals its value."""

    site: Code
    committed: Annotated[Word, Field(description="The digest of all deposits and confirmations.")]
    value: Word
    signature: Signature


class ShareIn(Closed):
    """A member discloses its share of a value that was kept back."""

    site: Code
    member: Code
    committed: Word
    share: Word
    signature: Signature


class GroupIn(Closed):
    """A list's experts of one speciality."""

    speciality: Speciality
    codes: Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=MAX_EXPERTS)]


class ListIn(Closed):
    """A site's list, for the host alone."""

    site: Code
    key: Annotated[Word, Field(description="From which the salts of all its experts come.")]
    experts: Annotated[list[GroupIn], Field(max_length=MAX_EXPERTS)]


class ResultIn(Closed):
    """The host holds the draw."""

    void: Annotated[bool, Field(description="Wait no longer for values that are missing: the draw is void.")] = False
