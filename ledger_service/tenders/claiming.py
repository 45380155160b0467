"""What is sent in a tender without new signatures: the closing of bids, claims, and the answers to claims.

Promises the calls as they were drawn up; what is shown in them was signed, or fixed on the chain, before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlmodel import Session

from anchors.tenders import BidReceipt, Opening, Page, Replacement, claim_dropped, claim_late
from ledger_service.chain.contracts import TENDER_REGISTER, contract
from ledger_service.index.asof import moment
from ledger_service.index.tender_tables import TenderEvent
from ledger_service.operations.acts import Call, compact
from ledger_service.operations.collecting import Collected
from ledger_service.tenders.drafted import read_word, read_words, write_word, write_words
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import current, standing

__all__ = ["Claiming", "Closing", "HolderAnswering", "RefusalAnswering"]


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
            "receipt": write_words(self.receipt.words()),
            "signature": self.signature.hex(),
            "opening": write_words(self.opening.words()),
            "page": [self.page.number, self.page.entries.hex(), write_words(self.page.path)],
            "late": self.late,
        }

    @classmethod
    def from_json(cls, draft: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        number, entries, path = draft["page"]
        page = Page(number, bytes.fromhex(entries), read_words(path))
        receipt, opening = BidReceipt(*read_words(draft["receipt"])), Opening(*read_words(draft["opening"]))
        return cls(receipt, bytes.fromhex(draft["signature"]), opening, page, draft["late"])


@dataclass(frozen=True, slots=True)
class HolderAnswering:
    """The answer to a claim that the bid's holder gave before the deadline."""

    word: Replacement
    preimage: bytes  # the 257 bytes that the commitment commits to
    signature: bytes  # of the holder, 65 bytes

    @property
    def tender(self) -> bytes:
        """As `Drafted`."""
        return self.word.tender

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:  # noqa: ARG002  # as for all acts
        """As `Drafted`."""
        arguments = (tuple(self.word.words()), self.preimage, compact(self.signature))
        return Call(ground.register, contract(TENDER_REGISTER).call_data("answerByHolder", *arguments))

    def is_told(self, event: TenderEvent) -> bool:
        """As `Drafted`."""
        return event.kind == "answered" and event.subject == self.word.commitment

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        words = write_words(self.word.words())
        return {"word": words, "preimage": self.preimage.hex(), "signature": self.signature.hex()}

    @classmethod
    def from_json(cls, draft: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        word = Replacement(*read_words(draft["word"]))
        return cls(word, bytes.fromhex(draft["preimage"]), bytes.fromhex(draft["signature"]))


@dataclass(frozen=True, slots=True)
class RefusalAnswering:
    """The answer to a claim that the opening names the bid as refused."""

    commitment: bytes
    opening: Opening
    refusals: bytes  # all of them, packed
    position: int  # of the bid among them

    @property
    def tender(self) -> bytes:
        """As `Drafted`."""
        return self.opening.tender

    def call(self, session: Session, ground: TenderGround, deadline: int, given: Collected) -> Call | None:  # noqa: ARG002  # as for all acts
        """As `Drafted`."""
        arguments = (self.commitment, tuple(self.opening.words()), self.refusals, self.position)
        return Call(ground.register, contract(TENDER_REGISTER).call_data("answerByRefusal", *arguments))

    def is_told(self, event: TenderEvent) -> bool:
        """As `Drafted`."""
        return event.kind == "answered" and event.subject == self.commitment

    def to_json(self) -> dict[str, Any]:
        """As `Drafted`."""
        return {
            "commitment": write_word(self.commitment),
            "opening": write_words(self.opening.words()),
            "refusals": self.refusals.hex(),
            "position": self.position,
        }

    @classmethod
    def from_json(cls, draft: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        opening, refusals = Opening(*read_words(draft["opening"])), bytes.fromhex(draft["refusals"])
        return cls(read_word(draft["commitment"]), opening, refusals, draft["position"])
