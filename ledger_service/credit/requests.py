"""What may be asked for: the bodies of the requests that draw up acts.

Promises the form alone, closed and bounded. What breaks a rule of credit passes here, and is refused by that rule's
name when the act is drawn up: so a digest that an act cannot do without may be left out.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "MAX_BATCH",
    "Apart",
    "BatchIn",
    "ChangeIn",
    "ChoiceIn",
    "EndorsementIn",
    "ObjectionIn",
    "RecordIn",
    "RecordsIn",
    "RepairIn",
    "RulingIn",
    "WithdrawalIn",
    "said",
]

MAX_BATCH: Final = 50
_MAX_SIGNATURES: Final = 300  # a member has one number of 256, and two of its keys sign

Word: TypeAlias = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]  # a digest, or a record's name
SignatureText: TypeAlias = Annotated[
    str, Field(pattern=r"^0x[0-9a-fA-F]{130}$", description="r ‖ s ‖ v, 65 bytes; v is 27 or 28.")
]
Day: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
KindName: TypeAlias = Literal["honour", "general", "serious"]
Code: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Measures: TypeAlias = Annotated[list[Code], Field(max_length=255, description="Codes of the catalogue.")]
Digest: TypeAlias = Annotated[Word | None, Field(description="SHA-256.")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Apart(_In):
    """What goes with every act, and is no part of what it says."""

    deadline: Annotated[
        int | None, Field(ge=0, lt=2**63, description="POSIX seconds, at most 30 days away; by default in 7 days.")
    ] = None
    signatures: Annotated[
        list[SignatureText], Field(max_length=_MAX_SIGNATURES, description="Those that there are already.")
    ] = []


class ContentIn(_In):
    """What a correction lets a record say."""

    kind: KindName
    decided_on: Day
    last_day: Day
    measures: Measures
    statement: Digest = None
    document: Digest = None


class RecordIn(ContentIn):
    """A record to be published."""

    subject: Annotated[str, Field(max_length=128, description="SCHEME:IDENTIFIER, such as CN-USCC:91110000600037341L.")]
    earlier: Annotated[
        int | None,
        Field(ge=0, lt=2**32, description="The subject's count when the record was drawn up; by default that of now."),
    ] = None


class RecordsIn(Apart):
    """Records of the member to be published at once."""

    records: Annotated[list[RecordIn], Field(min_length=1, max_length=MAX_BATCH)]


class WithdrawalIn(Apart):
    """A record should never have been."""

    grounds: Digest = None


class ObjectionIn(WithdrawalIn):
    """A record is disputed."""


class RulingIn(WithdrawalIn):
    """What was ruled on an objection."""

    ruling: Literal["uphold", "correct"]
    content: Annotated[ContentIn | None, Field(description="Of a correction, what the record says from then on.")] = (
        None
    )


class RepairIn(WithdrawalIn):
    """A wrong was put right."""

    pledge: Annotated[Word | None, Field(description="SHA-256 of the commitment letter.")] = None


class ChangeIn(_In):
    """One of many changes."""

    record: Word
    state: Literal["upheld", "withdrawn", "repaired"]
    grounds: Digest = None
    pledge: Digest = None


class BatchIn(Apart):
    """Changes of records of different companies at once."""

    changes: Annotated[list[ChangeIn], Field(min_length=1, max_length=MAX_BATCH)]


class ChoiceIn(Apart):
    """Whether a member applies other members' records."""

    applied: bool
    reason: Digest = None


class EndorsementIn(_In):
    """A signature for an operation."""

    operation: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    signature: SignatureText


def said(body: Apart) -> dict[str, Any]:
    """What a body says of the act itself, as it was given, JSON values."""
    return body.model_dump(mode="json", exclude_unset=True, exclude={"deadline", "signatures"})
