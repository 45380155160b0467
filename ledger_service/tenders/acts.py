"""What an act in a tender says, kept as JSON: its digest, the call that carries it out, where on the chain it took
effect.

Promises the same act after any restart: what was signed is never worked out again. Before it is sent the rules are
asked once more, with the tender as it is then: what a turn of the chain has taken the ground from is refused by name,
and what only came too early waits.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Protocol

from sqlmodel import Session

from anchors.errors import (
    AnchorsError,
    AwardSuspended,
    NoCandidates,
    NotClosed,
    NotEvaluated,
    NotOpened,
    OpenedEarly,
    StillOpen,
    StillPublished,
)
from anchors.tenders import (
    NO_TENDER,
    Act,
    Amendment,
    Award,
    BidReceipt,
    Candidates,
    Evaluation,
    Evaluators,
    Failure,
    Notice,
    Objection,
    Opening,
    Page,
    Ruling,
    Tender,
    announce,
    claim_dropped,
    claim_late,
    signed_digest,
)
from ledger_service.chain.contracts import TENDER_REGISTER, contract
from ledger_service.index.asof import moment
from ledger_service.index.tender_tables import TenderEvent
from ledger_service.operations.acts import Call, compact
from ledger_service.operations.collecting import Collected
from ledger_service.operations.signers import OFFICER, REGULATOR
from ledger_service.operations.tables import Operation
from ledger_service.operations.typed import TypedData, typed_document
from ledger_service.refusals import Refused
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import happened, standing, tender_of

__all__ = ["KINDS", "Claiming", "Closing", "Drafted", "Signing", "TenderActs", "current"]

_TOO_EARLY: Final = (
    *(StillOpen, OpenedEarly, NotClosed, NotOpened, NotEvaluated, NoCandidates, StillPublished, AwardSuspended),
)
"""What may be right later, as after a turn of the chain or when its time has come."""
OVERTAKEN: Final = frozenset(
    f"TenderRegister_{name}"
    for name in (
        *("UnknownTender", "Over", "AlreadyPublished", "NotToReplace", "OtherVersion", "StillOpen", "AlreadyClosed"),
        *("NotClosed", "OpenedEarly", "AlreadyOpened", "NotOpened", "OtherRound", "AlreadyEvaluated", "NotEvaluated"),
        *("CandidatesAlreadyPublished", "NoCandidates", "OtherBasis", "AlreadyObjected", "NothingToRule", "Suspended"),
        *("StillPublished", "AlreadyClaimed"),
    )
)
"""The register's errors that say only that something came first, or has not yet: the index tells what becomes of it."""


class Drafted(Protocol):
    """An act as it was drawn up."""

    @property
    def tender(self) -> bytes:
        """Its name, 32 bytes."""

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:
        """As `Acts.call`."""

    def is_told(self, event: TenderEvent) -> bool:
        """Whether an event tells that it took effect."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""


class TenderActs:
    """The acts in tenders for `sending`: read back from their operations."""

    overtaken = OVERTAKEN

    def __init__(self, ground: TenderGround) -> None:
        self._ground = ground

    def touches(self, operation: Operation) -> set[bytes]:
        """The tender, and the one that it replaces."""
        drafted = _drafted(operation)
        former = drafted.act.former if isinstance(drafted, Signing) and isinstance(drafted.act, Notice) else NO_TENDER
        return {drafted.tender, former} - {NO_TENDER}

    def call(self, session: Session, operation: Operation, given: Collected) -> Call | None:
        """As `Acts.call`."""
        try:
            return _drafted(operation).call(session, self._ground, operation.deadline, given)
        except _TOO_EARLY:
            return None
        except AnchorsError as error:
            raise Refused(error, "") from error

    def place(self, session: Session, operation: Operation) -> int | None:
        """As `Acts.place`."""
        drafted = _drafted(operation)
        found = standing(session, drafted.tender, moment(session, None, self._ground.clock()).block)
        if found is None or found.row.contract != self._ground.register:
            return None
        events = happened(session, found.row, moment(session, None, self._ground.clock()).block)
        return next((event.block_number for event, _ in events if drafted.is_told(event)), None)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of act is called, what the rules say to it, and which event tells of it."""

    act: type[Act]
    function: str
    rule: Callable[[Tender, Any, int], Tender]
    event: str
    subject: str = ""  # which of its fields is the event's subject; empty: its hash is, or the event has none
    says: tuple[str, ...] = ()  # which others the event repeats
    several: bool = False  # whether officers of several members sign it
    paired: bool = False  # whether the host's regulator signs as well


KINDS: Final[Mapping[str, Kind]] = {
    "tender": Kind(Notice, "publish", lambda _, act, time: announce(act, time), "published", several=True),
    "amendment": Kind(
        Amendment,
        "amend",
        lambda tender, act, time: tender.amended(act, time),
        "amended",
        says=("version", "digest", "reason", "deadline", "opening"),
        several=True,
    ),
    "opening": Kind(Opening, "openBids", lambda tender, act, time: tender.opened(act, time), "opened"),
    "evaluation": Kind(Evaluation, "evaluate", lambda tender, act, _: tender.evaluated(act), "evaluated", several=True),
    "candidates": Kind(
        Candidates, "publishCandidates", lambda tender, act, time: tender.with_candidates(act, time), "candidates"
    ),
    "objection": Kind(
        Objection,
        "objectTo",
        lambda tender, act, time: tender.objected(act, time),
        "objected",
        subject="grounds",
        says=("candidates",),
    ),
    "ruling": Kind(
        Ruling,
        "rule",
        lambda tender, act, _: tender.ruled(act),
        "ruled",
        subject="grounds",
        says=("upheld", "ruling"),
        paired=True,
    ),
    "award": Kind(Award, "award", lambda tender, _act, _time: tender, "awarded", subject="award", paired=True),
    "failure": Kind(
        Failure, "fail", lambda tender, act, _: tender.failed(act), "failed", says=("reason",), paired=True
    ),
}
"""The acts that people sign; the rule of an award needs its panel besides."""


@dataclass(frozen=True, slots=True)
class Signing:
    """An act that people sign."""

    kind: str
    act: Act
    entries: bytes = b""  # of an opening: the opened bids, packed
    refusals: bytes = b""  # and the refused ones
    panel: Evaluators | None = None  # of an award

    @property
    def tender(self) -> bytes:
        """As `Drafted`."""
        name: bytes = self.act.struct_hash() if isinstance(self.act, Notice) else getattr(self.act, "tender")  # noqa: B009
        return name

    def digest(self, ground: TenderGround, deadline: int) -> bytes:
        """What is signed, 32 bytes."""
        return signed_digest(ground.register, ground.network.chain_id, self.act, deadline)

    def typed(self, ground: TenderGround, deadline: int) -> TypedData:
        """The same as EIP-712 JSON."""
        name, _, parameters = self.act.TYPE.removesuffix(")").partition("(")
        named = [tuple(reversed(one.split(" "))) for one in parameters.split(",")]
        types = {f"Signed{name}": (("act", name), ("validUntil", "uint64")), name: tuple(named)}
        words = zip(named, self.act.words(), strict=True)
        act = {field: _typed_value(kind, value) for (field, kind), value in words}
        message = {"act": act, "validUntil": deadline}
        return typed_document(ground.register, ground.network.chain_id, f"Signed{name}", types, message)  # type: ignore[arg-type]

    def check(self, session: Session, ground: TenderGround, time: int) -> None:
        """Hold the act against the rules; raises AnchorsError by the rule's name."""
        if isinstance(self.act, Notice):
            announce(self.act, time)
            if self.act.former != NO_TENDER:
                current(session, ground, self.act.former).replaced(self.act.host)
            return
        tender = current(session, ground, self.tender)
        if isinstance(self.act, Award) and self.panel is not None:
            tender.awarded(self.act, self.panel, time)
        KINDS[self.kind].rule(tender, self.act, time)

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:
        """As `Drafted`."""
        when = moment(session, None, ground.clock())
        named = self.act.former if isinstance(self.act, Notice) else self.tender
        if named != NO_TENDER and standing(session, named, when.block) is None:
            return None  # a turn of the chain took back what it follows
        self.check(session, ground, when.time)
        data = contract(TENDER_REGISTER).call_data(KINDS[self.kind].function, *self._arguments(deadline, given))
        return Call(ground.register, data)

    def is_told(self, event: TenderEvent) -> bool:
        """As `Drafted`."""
        kind, said = KINDS[self.kind], json.loads(event.data)
        if event.kind != kind.event:
            return False
        subject = getattr(self.act, kind.subject) if kind.subject else self.act.struct_hash()
        return event.subject in (None, subject) and all(
            said[name] == _json(getattr(self.act, name)) for name in kind.says
        )

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        panel = self.panel
        return {
            "act": {field.name: _json(getattr(self.act, field.name)) for field in fields(self.act)},
            "entries": self.entries.hex(),
            "refusals": self.refusals.hex(),
            "panel": None if panel is None else [panel.salt.hex(), *map(_hexes, (panel.drawn, panel.signers))],
        }

    def _arguments(self, deadline: int, given: Collected) -> Sequence[object]:
        kind, officer = KINDS[self.kind], compact(given.one(OFFICER)) if given.one(OFFICER) else None
        if isinstance(self.act, Opening):
            return self.act.tender, self.entries, self.refusals, self.act.record, deadline, officer
        words = tuple(self.act.words())
        if kind.several:
            return words, deadline, [compact(each) for each in given.all(OFFICER)]
        if not kind.paired:
            return words, deadline, officer
        pair = (officer, compact(given.one(REGULATOR)))
        if self.panel is None:
            return words, deadline, pair
        return words, (self.panel.salt, list(self.panel.drawn), list(self.panel.signers)), deadline, pair


@dataclass(frozen=True, slots=True)
class Closing:
    """Bids are closed, which anybody may."""

    tender: bytes

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:  # noqa: ARG002  # as for all acts
        """As `Drafted`."""
        when = moment(session, None, ground.clock())
        if standing(session, self.tender, when.block) is None:
            return None
        current(session, ground, self.tender).closed(when.time)
        return Call(ground.register, contract(TENDER_REGISTER).call_data("closeBids", self.tender))

    def is_told(self, event: TenderEvent) -> bool:
        """As `Drafted`."""
        return event.kind == "closed"

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        return {"tender": self.tender.hex()}


@dataclass(frozen=True, slots=True)
class Claiming:
    """A claim about a bid, which anybody may send who has the receipt."""

    receipt: BidReceipt
    signature: bytes  # of the host's receipt signer, 65 bytes
    opening: Opening
    page: Page
    late: bool

    @property
    def tender(self) -> bytes:
        """As `Drafted`."""
        return self.receipt.tender

    def check(self, session: Session, ground: TenderGround, time: int) -> None:
        """Hold the claim against the rules; raises AnchorsError by the rule's name."""
        claim = claim_late if self.late else claim_dropped
        claim(current(session, ground, self.tender), self.opening, self.receipt, self.page, time)

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:  # noqa: ARG002  # as for all acts
        """As `Drafted`."""
        when = moment(session, None, ground.clock())
        if standing(session, self.tender, when.block) is None:
            return None
        self.check(session, ground, when.time)
        page = (self.page.number, self.page.entries, list(self.page.path))
        arguments = (tuple(self.receipt.words()), compact(self.signature), tuple(self.opening.words()), page)
        function = "claimLate" if self.late else "claimDropped"
        return Call(ground.register, contract(TENDER_REGISTER).call_data(function, *arguments))

    def is_told(self, event: TenderEvent) -> bool:
        """As `Drafted`."""
        return event.kind == "claimed" and event.subject == self.receipt.commitment

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        return {
            "receipt": [_json(word) for word in self.receipt.words()],
            "signature": self.signature.hex(),
            "opening": [_json(word) for word in self.opening.words()],
            "page": [self.page.number, self.page.entries.hex(), _hexes(self.page.path)],
            "late": self.late,
        }


def current(session: Session, ground: TenderGround, tender: bytes) -> Tender:
    """A tender as it stands now; raises NotFound, also of one in a register that was replaced."""
    when = moment(session, None, ground.clock())
    found = standing(session, tender, when.block)
    if found is None or found.row.contract != ground.register:
        raise ground.unknown(tender)
    return tender_of(found.row, happened(session, found.row, when.block))


def _drafted(operation: Operation) -> Drafted:
    draft = json.loads(operation.draft)
    if operation.act == "closing":
        return Closing(bytes.fromhex(draft["tender"]))
    if operation.act == "claim":
        number, entries, path = draft["page"]
        page = Page(number, bytes.fromhex(entries), _words(path))
        receipt, opening = BidReceipt(*map(_read, draft["receipt"])), Opening(*map(_read, draft["opening"]))
        return Claiming(receipt, bytes.fromhex(draft["signature"]), opening, page, draft["late"])
    act = KINDS[operation.act].act(**{name: _read(value) for name, value in draft["act"].items()})
    panel = draft["panel"]
    unsealed = None if panel is None else Evaluators(bytes.fromhex(panel[0]), _words(panel[1]), _words(panel[2]))
    return Signing(operation.act, act, bytes.fromhex(draft["entries"]), bytes.fromhex(draft["refusals"]), unsealed)


def _typed_value(kind: str, value: int | bytes) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if kind == "uint256" else value  # more than a number of JavaScript holds


def _json(value: int | bytes) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _read(value: Any) -> Any:
    return bytes.fromhex(value[2:]) if isinstance(value, str) else value


def _hexes(values: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in values]


def _words(values: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(value) for value in values)
