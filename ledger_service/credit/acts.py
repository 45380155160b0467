"""What an act says, kept as JSON: its digest, the call that carries it out now, and where in the chain it took effect.

Promises the same act after any restart: what was signed is never worked out again, only the links of the subject's
chain, which other acts make longer. Whether an act may be drawn up is for `drafts`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from sqlmodel import Session, col, select

from anchors.bounded_json import Fields
from anchors.credit import (
    Change,
    Choice,
    Event,
    Issued,
    Kind,
    Named,
    Publication,
    Record,
    State,
    changes_digest,
    check_publication,
    choice_digest,
    histories,
    links,
    publication_digest,
)
from anchors.credit.record import RECORD_NAMES, read_record
from anchors.errors import AlreadyPublished, EarlierAhead
from ledger_service.credit.calls import Pair, Told, change_call, choice_call, publish_call
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.records import PlacedEvent, events_in, subject_events
from ledger_service.credit.typed import changes_typed, choice_typed, publication_typed
from ledger_service.errors import InvalidContent
from ledger_service.index.rows import PlacedFact
from ledger_service.index.tables import Recognition
from ledger_service.operations.acts import Call
from ledger_service.operations.collecting import Collected
from ledger_service.operations.signers import PUBLISHER, REGULATOR
from ledger_service.operations.tables import Operation
from ledger_service.operations.typed import TypedData
from ledger_service.refusals import Refused

__all__ = ["KINDS", "Changing", "Choosing", "CreditActs", "Drafted", "Publishing", "Superseded", "choices_about"]

KINDS: Final = ("publish", "object", "uphold", "correct", "withdraw", "repair", "change", "recognise")
"""Of acts: as operations name them."""
OVERTAKEN: Final = frozenset(
    (
        *("CreditRegister_StaleLinks", "CreditRegister_NamedSince", "CreditRegister_NotYet"),
        *("CreditRegister_TooFewLinks", "CreditRegister_TooManyLinks", "RecognitionMatrix_Superseded"),
        *("CreditRegister_RepairTooEarly", "CreditRegister_DecidedInFuture"),
    )
)
"""The contracts' errors that say only that something else has come first, so that the index tells what becomes of the
act; and those that the next block may not have, since its time is later."""


class Superseded(InvalidContent):
    """An act that another one of the same matter came before."""

    problem, title = "superseded", "Another act came first"


class Drafted(Protocol):
    """An act as it was drawn up."""

    def digest(self, ground: CreditGround, deadline: int) -> bytes:
        """What is signed, 32 bytes."""

    def typed(self, ground: CreditGround, deadline: int) -> TypedData:
        """The same as EIP-712 JSON."""

    def call(self, session: Session, ground: CreditGround, deadline: int, given: Collected) -> Call | None:
        """What carries it out, as the index stands; None while that is behind.

        Raises:
            InvalidContent: it can never be carried out any more.
        """

    def touches(self) -> set[bytes]:
        """What its call depends on: the subjects, or the matter of a choice."""

    def place(self, session: Session, ground: CreditGround) -> int | None:
        """The block in which it took effect, by the index; None where it did not."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""


class CreditActs:
    """The credit acts for `sending`: read back from their operations."""

    overtaken = OVERTAKEN

    def __init__(self, ground: CreditGround) -> None:
        self._ground = ground

    def call(self, session: Session, operation: Operation, given: Collected) -> Call | None:
        """As `Drafted.call`."""
        return _drafted(operation).call(session, self._ground, operation.deadline, given)

    def touches(self, operation: Operation) -> set[bytes]:
        """As `Drafted.touches`."""
        return _drafted(operation).touches()

    def place(self, session: Session, operation: Operation) -> int | None:
        """As `Drafted.place`."""
        return _drafted(operation).place(session, self._ground)


@dataclass(frozen=True, slots=True)
class Publishing:
    """Records are published."""

    records: tuple[Record, ...]

    def digest(self, ground: CreditGround, deadline: int) -> bytes:
        """As `Drafted`."""
        return publication_digest(ground.register, ground.network.chain_id, self.records, deadline)

    def typed(self, ground: CreditGround, deadline: int) -> TypedData:
        """As `Drafted`."""
        return publication_typed(ground.register, ground.network.chain_id, self.records, deadline)

    def call(self, session: Session, ground: CreditGround, deadline: int, given: Collected) -> Call | None:
        """As `Drafted`; of two records of one company neither may have been overtaken."""
        events = _events(session, ground, self.touches())
        before: dict[bytes, list[Event]] = {}
        for record in self.records:
            so_far = [*events[record.subject], *before.setdefault(record.subject, [])]
            try:
                check_publication(record, so_far)
            except EarlierAhead:
                return None
            except AlreadyPublished as error:
                raise Refused(error, "/records") from error
            if before[record.subject] and record.earlier < len(so_far):
                raise Superseded("Another act about a company of which this has several records came first; ask again.")
            before[record.subject].append(Publication(record, 0))
        told = [(record, events[record.subject]) for record in self.records]
        pair = _pair(given)
        return Call(ground.register, publish_call(told, deadline, pair, given.endorsements))

    def place(self, session: Session, ground: CreditGround) -> int | None:
        """As `Drafted`."""
        names = {record.struct_hash() for record in self.records}
        blocks: dict[bytes, int] = {}
        for placed in _placed(session, ground, self.touches()):
            if placed.row.state == State.PUBLISHED:
                blocks[placed.row.record] = placed.row.block_number
        return max(blocks[name] for name in names) if names <= blocks.keys() else None

    def touches(self) -> set[bytes]:
        """As `Drafted`."""
        return {record.subject for record in self.records}

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        return {"records": [_write_record(record) for record in self.records]}


@dataclass(frozen=True, slots=True)
class Changing:
    """Records are changed, each from the leaf that was its last when the act was drawn up."""

    changes: tuple[tuple[bytes, Change], ...]

    def digest(self, ground: CreditGround, deadline: int) -> bytes:
        """As `Drafted`."""
        return changes_digest(ground.register, ground.network.chain_id, self.changes, deadline)

    def typed(self, ground: CreditGround, deadline: int) -> TypedData:
        """As `Drafted`."""
        return changes_typed(ground.register, ground.network.chain_id, self.changes, deadline)

    def call(self, session: Session, ground: CreditGround, deadline: int, given: Collected) -> Call | None:
        """As `Drafted`."""
        events = _events(session, ground, self.touches())
        for leaf, change in self.changes:
            _check_last(leaf, change, events[change.content.subject])
        told = [Told(change, events[change.content.subject]) for _, change in self.changes]
        signatures = _pair(given) if given.one(REGULATOR) else given.one(PUBLISHER)
        return Call(ground.register, change_call(told, deadline, signatures))

    def place(self, session: Session, ground: CreditGround) -> int | None:
        """As `Drafted`."""
        steps = {change.struct_hash(leaf) for leaf, change in self.changes}
        blocks: dict[bytes, int] = {}
        for subject in self.touches():
            placed = _placed(session, ground, {subject})
            for one, link in zip(placed, links([each.event for each in placed]), strict=True):
                blocks[link.step] = one.row.block_number
        return max(blocks[step] for step in steps) if steps <= blocks.keys() else None

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        return {"changes": [_write_change(leaf, change) for leaf, change in self.changes]}

    def touches(self) -> set[bytes]:
        """As `Drafted`."""
        return {change.content.subject for _, change in self.changes}


@dataclass(frozen=True, slots=True)
class Choosing:
    """A member opts out of recognition, or in again."""

    choice: Choice
    earlier: int  # how often it had decided about the same before

    def digest(self, ground: CreditGround, deadline: int) -> bytes:
        """As `Drafted`."""
        return choice_digest(ground.matrix, ground.network.chain_id, self.choice, self.earlier, deadline)

    def typed(self, ground: CreditGround, deadline: int) -> TypedData:
        """As `Drafted`."""
        return choice_typed(ground.matrix, ground.network.chain_id, self.choice, self.earlier, deadline)

    def call(self, session: Session, ground: CreditGround, deadline: int, given: Collected) -> Call | None:
        """As `Drafted`."""
        count = len(choices_about(session, self.choice.member, self.choice.about))
        if count > self.earlier:
            raise Superseded("The member has decided about the same since this was drawn up; look at what stands.")
        if count < self.earlier:
            return None
        pair = _pair(given)
        return Call(ground.matrix, choice_call(self.choice, self.earlier, deadline, pair))

    def place(self, session: Session, ground: CreditGround) -> int | None:  # noqa: ARG002  # as for all acts
        """As `Drafted`."""
        rows = choices_about(session, self.choice.member, self.choice.about)
        if len(rows) <= self.earlier:
            return None
        row = rows[self.earlier]
        same = (row.applied, row.reason) == (self.choice.applied, self.choice.reason)
        return row.block_number if same else None

    def touches(self) -> set[bytes]:
        """As `Drafted`."""
        about = self.choice.about
        return {about.record if isinstance(about, Named) else bytes((about.issuer & 0xFF, about.kind.value))}

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        choice, about = self.choice, self.choice.about
        matter: dict[str, Any] = (
            {"issuer": about.issuer, "kind": about.kind.value}
            if isinstance(about, Issued)
            else {"record": about.record.hex()}
        )
        rest = {"member": choice.member, "applied": choice.applied, "reason": choice.reason.hex()}
        return {"choice": {**matter, **rest}, "earlier": self.earlier}


def choices_about(session: Session, member: int, about: Issued | Named) -> Sequence[Recognition]:
    """A member's choices about one matter, in the chain's order."""
    rows = select(Recognition).where(Recognition.member == member)
    if isinstance(about, Issued):
        rows = rows.where(Recognition.issuer == about.issuer, Recognition.kind == about.kind.value)
    else:
        rows = rows.where(Recognition.record == about.record)
    return session.exec(rows.order_by(*_chain_order(Recognition))).all()


def _pair(given: Collected) -> Pair:
    return Pair(given.one(PUBLISHER), given.one(REGULATOR))


def _chain_order(fact: type[PlacedFact]) -> Iterator[Any]:
    return (col(column) for column in (fact.block_number, fact.transaction_index, fact.log_index))


def _placed(session: Session, ground: CreditGround, subjects: set[bytes]) -> list[PlacedEvent]:
    found = subject_events(session, subjects).values()
    return [placed for events in found for placed in events if placed.register == ground.register]


def _events(session: Session, ground: CreditGround, subjects: set[bytes]) -> dict[bytes, list[Event]]:
    found = subject_events(session, subjects)
    return {subject: events_in(found.get(subject, ()), ground.register) for subject in subjects}


def _check_last(leaf: bytes, change: Change, events: Sequence[Event]) -> None:
    history = next((each for each in histories(events) if each.name == change.record), None)
    if history is None or history.leaf() != leaf:
        raise Superseded(
            f"The record 0x{change.record.hex()} was changed since this was drawn up; look at what it is now."
        )


def _drafted(operation: Operation) -> Drafted:
    draft = json.loads(operation.draft)
    if "records" in draft:
        return Publishing(tuple(_read_record(record) for record in draft["records"]))
    if "changes" in draft:
        return Changing(tuple(_read_change(change) for change in draft["changes"]))
    return Choosing(_read_choice(draft["choice"]), draft["earlier"])


def _write_record(record: Record) -> dict[str, Any]:
    return {"subject": record.subject.hex(), "says": record.to_json()}


def _read_record(written: Mapping[str, Any]) -> Record:
    return read_record(Fields(written["says"], "says", RECORD_NAMES), bytes.fromhex(written["subject"]))


_DIGESTS: Final = ("record", "grounds", "pledge")
WrittenChange: TypeAlias = dict[str, Any]


def _write_change(leaf: bytes, change: Change) -> WrittenChange:
    digests = {name: getattr(change, name).hex() for name in _DIGESTS}
    return {"leaf": leaf.hex(), "state": change.state.value, "content": _write_record(change.content), **digests}


def _read_change(written: Mapping[str, Any]) -> tuple[bytes, Change]:
    record, grounds, pledge = (bytes.fromhex(written[name]) for name in _DIGESTS)
    content = _read_record(written["content"])
    return bytes.fromhex(written["leaf"]), Change(record, State(written["state"]), grounds, pledge, content, 0)


def _read_choice(written: Mapping[str, Any]) -> Choice:
    about = (
        Issued(written["issuer"], Kind(written["kind"]))
        if "issuer" in written
        else Named(bytes.fromhex(written["record"]))
    )
    return Choice(written["member"], about, written["applied"], bytes.fromhex(written["reason"]), 0)
