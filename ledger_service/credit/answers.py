"""What the reads of credit records answer, as models: they describe it, and the tests hold the answers against them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

KindName = Literal["honour", "general", "serious"]
StateName = Literal["published", "objected", "upheld", "corrected", "withdrawn", "repaired", "expired"]
ChangedName = Literal["published", "objected", "upheld", "corrected", "withdrawn", "repaired"]


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MeasureOut(_Out):
    """A measure by its code; null where the service's catalogue does not list it."""

    code: int = Field(ge=1, le=255)
    zh: str | None
    en: str | None


class WhyOut(_Out):
    """One reason in a row: what happened to the record, that its last day is over, and whether a member applies it."""

    rule: Literal[
        "published",
        "disputed",
        "upheld",
        "corrected",
        "withdrawn",
        "repaired",
        "expired",
        "own-record",
        "recognised-by-default",
        "opted-out",
    ]
    block: int | None = Field(None, description="In which it happened.")
    time: int | None = Field(None, description="When, POSIX seconds; of `expired` when the last day was over.")
    grounds: str | None = Field(None, description="SHA-256 of what a change rests on.")
    member: str | None = Field(None, description="Who handed in the objection.")
    last_day: str | None = Field(None, description="Of an expired record.")
    about: Literal["kind", "record"] | None = Field(None, description="What the member opted out of.")
    reason: str | None = Field(None, description="SHA-256 of its reason.")
    since: int | None = Field(None, description="Since when, POSIX seconds.")


class RefusalOut(_Out):
    """A member that does not apply the record."""

    member: str
    reason: str = Field(pattern="^0x[0-9a-f]{64}$", description="SHA-256 of its reason.")
    since: int = Field(description="POSIX seconds.")


class RecordOut(_Out):
    """A credit record as it stands at the moment that is asked about."""

    record: str = Field(pattern="^0x[0-9a-f]{64}$", description="Its name for ever.")
    contract: str = Field(pattern="^0x[0-9a-f]{40}$", description="The CreditRegister that holds it.")
    member: str = Field(description="Who decided.")
    kind: KindName
    state: StateName
    disputed: bool = Field(description="Whether an objection to it waits for its ruling; it stands until then.")
    applies: bool = Field(description="Whether it is published, and applied by the member that is asked about.")
    why: list[WhyOut]
    decided_on: str
    last_day: str = Field(description="Of its publication, in China.")
    measures: list[MeasureOut]
    statement: str = Field(pattern="^0x[0-9a-f]{64}$", description="SHA-256 of the facts and their legal basis.")
    document: str = Field(pattern="^0x[0-9a-f]{64}$", description="SHA-256 of the decision.")
    earlier: int = Field(description="How much had happened to the subject's records when it was drawn up.")
    published_at: int = Field(description="POSIX seconds.")
    published_block: int
    not_applied_by: list[RefusalOut]


class ListedOut(RecordOut):
    """A record in a list."""

    subject_key: str = Field(pattern="^0x[0-9a-f]{64}$", description="SHA-256 of the subject.")


class AsOfOut(_Out):
    """The moment that is told about."""

    block: int
    time: int = Field(description="POSIX seconds.")


class SubjectOut(_Out):
    """A subject's records."""

    subject: str
    as_of: AsOfOut
    recognized_by: str | None
    count: int = Field(description="How much had happened to its records, as its word on the chain counts.")
    records: list[RecordOut]


class ListOut(_Out):
    """A page of records, in the order of their publication."""

    records: list[ListedOut]


class ContentOut(_Out):
    """What a record says from a publication or correction on."""

    member: str
    kind: KindName
    decided_on: str
    last_day: str
    earlier: int
    measures: list[MeasureOut]
    statement: str
    document: str


class EventOut(_Out):
    """One publication or change of a record."""

    state: ChangedName = Field(description="After it.")
    block: int
    transaction_index: int
    log_index: int = Field(description="Among the logs of its transaction.")
    time: int = Field(description="POSIX seconds.")
    content: ContentOut | None = Field(description="Where it says something else from then on.")
    grounds: str | None = Field(description="SHA-256 of what a change rests on.")
    pledge: str | None = Field(description="SHA-256 of a repair's commitment letter.")
    publisher: str = Field(description="The credit publisher that signed.")
    regulator: str | None = Field(description="The regulator that signed.")
    objector: str | None = Field(description="The member that handed in an objection.")
    endorsers: list[str] = Field(description="The members whose regulators endorsed a publication.")


class RecordHistoryOut(ListedOut):
    """A record with all that ever happened to it."""

    history: list[EventOut]


class AboutOut(_Out):
    """What a choice is about: an issuer's records of a kind, or one record."""

    issuer: str | None = None
    kind: KindName | None = None
    record: str | None = None


class ChoiceOut(_Out):
    """A member's last choice about something."""

    member: str
    about: AboutOut
    applied: bool
    reason: str = Field(pattern="^0x[0-9a-f]{64}$", description="SHA-256 of its reason.")
    since: int = Field(description="POSIX seconds.")
    block: int


class RecognitionOut(_Out):
    """A page of the choices that stand, in the order in which they were made."""

    default: Literal["applied"] = Field(description="What holds for all that no choice is about.")
    choices: list[ChoiceOut]
