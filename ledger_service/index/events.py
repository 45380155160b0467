"""What the contracts say: one frozen dataclass per event, its fields as the contract's interface names them.

Times are POSIX seconds, addresses 20 bytes, hashes 32. What the tender register says is in `tender_events`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from anchors.credit import Kind, State
from ledger_service.index.tender_events import TenderEvent


class Role(IntEnum):
    """What an address does for its member."""

    GOVERNOR = 0
    ANCHORER = 1
    RECEIPT_SIGNER = 2
    CREDIT_PUBLISHER = 3
    REGULATOR = 4
    TENDER_OFFICER = 5


class Status(IntEnum):
    """A member's standing."""

    ACTIVE = 1
    SUSPENDED = 2
    WITHDRAWN = 3


class Place(NamedTuple):
    """Where an event lies. Events are ordered by it."""

    block_number: int
    transaction_index: int
    log_index: int  # among the logs of its transaction


@dataclass(frozen=True, slots=True)
class Anchored:
    """EvidenceLog: the member's log stands at (generation, size, root)."""

    member: int
    generation: int
    size: int
    root: bytes
    count: int  # of the member's anchors so far, with this one


@dataclass(frozen=True, slots=True)
class GenerationClosed:
    """EvidenceLog: the generation has ended at (size, root)."""

    member: int
    generation: int
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class ReceiptBroken:
    """EvidenceLog: at `index` the log holds `found` where a receipt promised `promised`."""

    member: int
    entry: bytes
    generation: int
    index: int
    promised: bytes
    found: bytes


@dataclass(frozen=True, slots=True)
class ReceiptLate:
    """EvidenceLog: at `anchor_by` the log did not reach beyond `index`."""

    member: int
    entry: bytes
    generation: int
    index: int
    anchor_by: int


@dataclass(frozen=True, slots=True)
class MemberAdded:
    """AllianceRegistry: a member has joined; its log key holds from generation 0, size 0."""

    member: int
    code: str
    name: str
    log_key: bytes


@dataclass(frozen=True, slots=True)
class MemberStatusChanged:
    """AllianceRegistry: a member was suspended, restored or withdrawn."""

    member: int
    status: Status


@dataclass(frozen=True, slots=True)
class MemberRenamed:
    """AllianceRegistry: a member has another name."""

    member: int
    name: str


@dataclass(frozen=True, slots=True)
class LogKeyChanged:
    """AllianceRegistry: `log_key` signs checkpoints of `generation` above `from_size`, and of later generations."""

    member: int
    log_key: bytes
    generation: int
    from_size: int


@dataclass(frozen=True, slots=True)
class RoleGranted:
    """AllianceRegistry: an address holds a role from `from_time` until `until_time` (0: for ever)."""

    member: int
    operator: bytes
    role: Role
    from_time: int
    until_time: int


@dataclass(frozen=True, slots=True)
class RoleRevoked:
    """AllianceRegistry: the tenure ends; a receipt signer's at what its member had anchored in (generation, size)."""

    member: int
    operator: bytes
    role: Role
    until_time: int
    generation: int
    size: int


@dataclass(frozen=True, slots=True)
class RegulatorRequested:
    """AllianceRegistry: a member asks that an address become its regulator."""

    member: int
    operator: bytes
    until_time: int
    lapses_at: int


@dataclass(frozen=True, slots=True)
class RegulatorSeconded:
    """AllianceRegistry: another member agreed to the request."""

    member: int
    operator: bytes
    second: int


@dataclass(frozen=True, slots=True)
class ParameterChanged:
    """AllianceRegistry: a parameter has another value."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class SystemContractChanged:
    """AllianceRegistry: a contract took its place."""

    name: str
    target: bytes


@dataclass(frozen=True, slots=True)
class Proposed:
    """AllianceRegistry: a call was proposed, with the proposer's own voice."""

    proposal: int
    member: int
    governor: bytes
    target: bytes
    data: bytes
    lapses_at: int


@dataclass(frozen=True, slots=True)
class Approved:
    """AllianceRegistry: a member gave its voice to a proposal."""

    proposal: int
    member: int
    governor: bytes


@dataclass(frozen=True, slots=True)
class Executed:
    """AllianceRegistry: a proposal was carried out."""

    proposal: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a record says, in the numbers of the contract; see docs/adr/0015."""

    member: int  # who decided
    kind: Kind
    decided_on: int  # days since 1970-01-01, of the calendar in China, as is the next
    last_day: int
    earlier: int  # the subject's count when it was drawn up
    measures: tuple[int, ...]  # codes of the catalogue, ascending
    statement: bytes
    document: bytes


@dataclass(frozen=True, slots=True)
class RecordPublished:
    """CreditRegister: a record stands; bit n of `endorsers`: a regulator of member n endorsed it."""

    subject: bytes  # subject key
    record: bytes  # its name for ever
    register: bytes  # the contract's address, for old registers are followed as well
    content: Content
    publisher: bytes
    regulator: bytes
    endorsers: int


@dataclass(frozen=True, slots=True)
class RecordObjected:
    """CreditRegister: a member handed in the subject's objection."""

    subject: bytes
    record: bytes
    register: bytes
    member: int
    grounds: bytes
    publisher: bytes


@dataclass(frozen=True, slots=True)
class RecordChanged:
    """CreditRegister: the record was upheld, withdrawn or repaired."""

    subject: bytes
    record: bytes
    register: bytes
    state: State
    grounds: bytes
    pledge: bytes
    publisher: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class RecordCorrected:
    """CreditRegister: the record says something else from now on."""

    subject: bytes
    record: bytes
    register: bytes
    content: Content
    grounds: bytes
    publisher: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class KindRecognitionChanged:
    """RecognitionMatrix: a member applies an issuer's records of a kind from now on, or no longer."""

    member: int
    issuer: int
    kind: Kind
    applied: bool
    reason: bytes
    publisher: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class RecordRecognitionChanged:
    """RecognitionMatrix: a member applies one record from now on, or no longer."""

    member: int
    record: bytes
    applied: bool
    reason: bytes
    publisher: bytes
    regulator: bytes


LogEvent: TypeAlias = Anchored | GenerationClosed | ReceiptBroken | ReceiptLate
RegistryEvent: TypeAlias = (
    MemberAdded
    | MemberStatusChanged
    | MemberRenamed
    | LogKeyChanged
    | RoleGranted
    | RoleRevoked
    | RegulatorRequested
    | RegulatorSeconded
    | ParameterChanged
    | SystemContractChanged
    | Proposed
    | Approved
    | Executed
)
CreditEvent: TypeAlias = RecordPublished | RecordObjected | RecordChanged | RecordCorrected
RecognitionEvent: TypeAlias = KindRecognitionChanged | RecordRecognitionChanged
Event: TypeAlias = LogEvent | RegistryEvent | CreditEvent | RecognitionEvent | TenderEvent
