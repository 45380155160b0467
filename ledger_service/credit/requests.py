"""What may be asked for: the bodies of the requests that draw up acts.

Promises the form alone, closed and bounded. What breaks a rule of credit passes here, and is refused by that rule's
name when the act is drawn up: so a digest that an act cannot do without may be left out.
"""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from ledger_service.operations.requests import Apart, Closed, SignatureText

__all__ = [
    "MAX_BATCH",
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
]

MAX_BATCH: Final = 50

Word: TypeAlias = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]  # a digest, or a record's name
Day: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
KindName: TypeAlias = Literal["honour", "general", "serious"]
Code: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Measures: TypeAlias = Annotated[list[Code], Field(max_length=255, description="Codes of the catalogue.")]
Digest: TypeAlias = Annotated[Word | None, Field(description="SHA-256.")]


class ContentIn(Closed):
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


class ChangeIn(Closed):
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


class EndorsementIn(Closed):
    """A signature for an operation."""

    operation: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    signature: SignatureText
