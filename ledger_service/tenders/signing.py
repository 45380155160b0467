"""The acts in a tender that people sign: their digest, the call that carries them out, and the event that tells of it.

Promises the same act after any restart: what was signed is never worked out again. The rules are asked before it is
stored and before it is sent, with the tender as it is then.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from sqlmodel import Session

from anchors.tenders import (
    NO_TENDER,
    Act,
    Amendment,
    Award,
    Candidates,
    Evaluation,
    Evaluators,
    Failure,
    Notice,
    Objection,
    Opening,
    Ruling,
    Tender,
    announce,
    signed_digest,
)
from ledger_service.chain.contracts import TENDER_REGISTER, contract
from ledger_service.index.asof import moment
from ledger_service.index.tender_tables import TenderEvent
from ledger_service.operations.acts import Call, compact
from ledger_service.operations.collecting import Collected
from ledger_service.operations.signers import OFFICER, REGULATOR
from ledger_service.operations.typed import TypedData
from ledger_service.tenders.drafted import read_word, read_words, write_word, write_words
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import current, standing
from ledger_service.tenders.typed import typed_act

__all__ = ["KINDS", "Signing"]


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
        return typed_act(ground.register, ground.network.chain_id, self.act, deadline)

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
            said[name] == write_word(getattr(self.act, name)) for name in kind.says
        )

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        panel = self.panel
        return {
            "act": {field.name: write_word(getattr(self.act, field.name)) for field in fields(self.act)},
            "entries": self.entries.hex(),
            "refusals": self.refusals.hex(),
            "panel": None
            if panel is None
            else [write_word(panel.salt), *map(write_words, (panel.drawn, panel.signers))],
        }

    @classmethod
    def from_json(cls, kind: str, draft: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        act = KINDS[kind].act(**{name: read_word(value) for name, value in draft["act"].items()})
        panel = draft["panel"]
        unsealed = (
            None if panel is None else Evaluators(read_word(panel[0]), read_words(panel[1]), read_words(panel[2]))
        )
        return cls(kind, act, bytes.fromhex(draft["entries"]), bytes.fromhex(draft["refusals"]), unsealed)

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
