"""Draws up acts in tenders: what is asked for, held against every rule, becomes what is signed and kept.

Promises that nothing is stored that a rule of `anchors.tenders` would refuse at this moment: no list of bids before the
opening time, no report before the opening, no candidates before the report. Each rule has its own refusal.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlmodel import Session

from anchors.chain.keccak import keccak256
from anchors.errors import AnchorsError
from anchors.tenders import (
    NO_TENDER,
    Amendment,
    Award,
    Bid,
    Candidates,
    Evaluation,
    Evaluators,
    Failure,
    Notice,
    Objection,
    Opening,
    Refusal,
    Ruling,
    Tender,
    members_mask,
    open_list,
    pack_bids,
    pack_refusals,
    parse_bids,
)
from ledger_service.errors import InvalidContent
from ledger_service.index.asof import moment
from ledger_service.operations.collecting import Act
from ledger_service.operations.requests import Apart, good_until, said
from ledger_service.operations.signers import OFFICER, REGULATOR, Needed, Seat
from ledger_service.refusals import Refused
from ledger_service.tenders.bids import OtherHostsTender, kept_bids
from ledger_service.tenders.claiming import Closing
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.queries import current, standing
from ledger_service.tenders.requests import (
    AwardIn,
    CandidatesIn,
    ClosingIn,
    EvaluationIn,
    FailureIn,
    ObjectionIn,
    OpeningIn,
    RulingIn,
    TenderAmendmentIn,
    TenderIn,
)
from ledger_service.tenders.signing import Signing

__all__ = ["NOBODY_SIGNS", "Drafts"]

NOBODY_SIGNS: Final = bytes(32)
"""The digest of what is sent without signatures."""


class AnnouncedAlready(InvalidContent):
    """The very same notice a second time."""

    problem, title = "announced-already", "This notice is published already"


class Drafts:
    """Draws up the acts of one member.

    Args:
        ground: the member, and the register.
        session: of the index.
        time: of the chain, POSIX seconds.
    """

    def __init__(self, ground: TenderGround, session: Session, time: int) -> None:
        self._ground = ground
        self._session = session
        self._time = time

    def notice(self, body: TenderIn) -> Act:
        """A tender to be announced; raises Refused, UnknownMember, NotFound, AnnouncedAlready."""
        given = body.notice
        members = self._members(given.members, "/notice/members")
        former = NO_TENDER if given.former is None else _word(given.former)
        opening = given.deadline if given.opening is None else given.opening
        mask, host = members_mask(*members), self._ground.member.number
        act = Notice(host, mask, _word(given.digest), former, given.deadline, opening, given.answer_days)
        if standing(self._session, act.struct_hash(), self._block) is not None:
            raise AnnouncedAlready("This notice is published already; say what differs in another one.")
        return self._signed(Signing("tender", act), self._officers(members), body, "/notice")

    def amendment(self, name: bytes, body: TenderAmendmentIn) -> Act:
        """A new version of the notice; raises Refused, NotFound, OtherHostsTender."""
        tender, given = self._own(name), body.amendment
        deadline = tender.deadline if given.deadline is None else given.deadline
        opening = max(tender.opening, deadline) if given.opening is None else given.opening
        version = tender.version + 1
        act = Amendment(name, version, _word(given.digest), _word(given.reason), deadline, opening)
        return self._signed(Signing("amendment", act), self._officers(_members(tender.members)), body, "/amendment")

    def closing(self, name: bytes, body: ClosingIn) -> Act:
        """Bids to be closed, by anyone; raises Refused, NotFound."""
        self._by_rules(lambda: current(self._session, self._ground, name).closed(self._time), "")
        return self.unsigned("closing", Closing(name).to_json(), name, body)

    def opening(self, name: bytes, body: OpeningIn) -> Act:
        """Bids to be opened; raises Refused, NotFound, OtherHostsTender."""
        tender = self._own(name)
        # First, so that nothing is read of the bids before their time.
        empty = Opening(name, bytes(32), 0, keccak256(b""), _word(body.record))
        self._by_rules(lambda: tender.opened(empty, self._time), "")
        refused = [Refusal(_word(one.commitment), _word(one.reason)) for one in body.refusals]
        entries = self._by_rules(lambda: pack_bids(self._opened(name, body, refused)), "/bids")
        refusals = self._by_rules(lambda: pack_refusals(refused), "/refusals")
        opened = open_list(entries)
        act = Opening(name, opened.root, opened.count, keccak256(refusals), _word(body.record))
        listed = [{"commitment": _hex(bid.commitment), "index": bid.place} for bid in parse_bids(entries)]
        drafted = Signing("opening", act, entries, refusals)
        return self._signed(drafted, self._officers([tender.host]), body, "", {"bids": listed})

    def evaluation(self, name: bytes, body: EvaluationIn) -> Act:
        """The bids' evaluation; raises Refused, NotFound, OtherHostsTender, UnknownMember."""
        tender, sites = self._own(name), self._members(body.sites, "/sites")
        digests = (_word(body.panel), _word(body.result))
        mask, report = members_mask(*sites), _word(body.report)
        act = Evaluation(name, tender.round + 1, tender.manifest, report, mask, *digests)
        return self._signed(Signing("evaluation", act), self._officers(sites), body, "")

    def candidates(self, name: bytes, body: CandidatesIn) -> Act:
        """Candidates to be published; raises Refused, NotFound, OtherHostsTender."""
        tender = self._own(name)
        act = Candidates(name, tender.evaluation, _word(body.list), body.until)
        return self._signed(Signing("candidates", act), self._officers([tender.host]), body, "")

    def objection(self, name: bytes, body: ObjectionIn) -> Act:
        """An objection that this member hands in, whoever the host is; raises Refused, NotFound."""
        tender = current(self._session, self._ground, name)
        act = Objection(name, tender.candidates, _word(body.grounds))
        return self._signed(Signing("objection", act), self._officers([self._ground.member.number]), body, "")

    def ruling(self, name: bytes, body: RulingIn) -> Act:
        """The ruling on an objection; raises Refused, NotFound, OtherHostsTender."""
        self._own(name)
        act = Ruling(name, _word(body.grounds), body.upheld, _word(body.ruling))
        return self._signed(Signing("ruling", act), self._pair, body, "")

    def award(self, name: bytes, body: AwardIn) -> Act:
        """The award, with the panel unsealed; raises Refused, NotFound, OtherHostsTender."""
        tender, given = self._own(name), body.panel
        drawn, signers = (tuple(map(_word, experts)) for experts in (given.drawn, given.signers))
        panel = Evaluators(_word(given.salt), drawn, signers)
        act = Award(name, tender.candidates, _word(body.award))
        return self._signed(Signing("award", act, panel=panel), self._pair, body, "")

    def failure(self, name: bytes, body: FailureIn) -> Act:
        """That the tender ends without an award; raises Refused, NotFound, OtherHostsTender."""
        self._own(name)
        return self._signed(Signing("failure", Failure(name, _word(body.reason))), self._pair, body, "")

    def unsigned(self, kind: str, draft: dict[str, Any], name: bytes, body: Apart, digest: bytes = NOBODY_SIGNS) -> Act:
        """What is sent without any signature."""
        return Act(
            kind=kind,
            digest=digest,
            typed_data={},
            deadline=good_until(body.deadline, self._time),
            needed=Needed.of(self._ground.member.number),
            names=[name],
            request={"tender": _hex(name), **said(body)},
            draft=draft,
        )

    # ---- the parts ----

    def _signed(
        self, drafted: Signing, needed: Needed, body: Apart, pointer: str, more: Mapping[str, Any] | None = None
    ) -> Act:
        self._by_rules(lambda: drafted.check(self._session, self._ground, self._time), pointer)
        deadline = good_until(body.deadline, self._time)
        return Act(
            kind=drafted.kind,
            digest=drafted.digest(self._ground, deadline),
            typed_data=drafted.typed(self._ground, deadline),
            deadline=deadline,
            needed=needed,
            names=[drafted.tender],
            request={"tender": _hex(drafted.tender), **said(body), **(more or {})},
            draft=drafted.to_json(),
        )

    def _opened(self, name: bytes, body: OpeningIn, refused: Sequence[Refusal]) -> list[Bid]:
        if body.bids is not None:
            return [Bid(_word(one.commitment), one.index) for one in body.bids]
        without = {one.commitment for one in refused}
        kept = kept_bids(self._session, name)
        return [
            Bid(one.bid.commitment, one.bid.index)
            for one in kept
            if one.replaced is None and one.bid.commitment not in without
        ]

    def _own(self, name: bytes) -> Tender:
        tender = current(self._session, self._ground, name)
        if tender.host != self._ground.member.number:
            host = self._ground.code_of(tender.host)
            raise OtherHostsTender(f"{host} is the host of this tender, and only {host} does this.")
        return tender

    def _members(self, codes: Sequence[str], pointer: str) -> list[int]:
        return [self._ground.number_of(code, f"{pointer}/{place}") for place, code in enumerate(codes)]

    def _officers(self, members: Sequence[int]) -> Needed:
        seats = tuple(Seat(OFFICER, member) for member in sorted(set(members)))
        return Needed(self._ground.member.number, seats)

    @property
    def _pair(self) -> Needed:
        return Needed.of(self._ground.member.number, OFFICER, REGULATOR)

    @property
    def _block(self) -> int:
        return moment(self._session, None, self._ground.clock()).block

    @staticmethod
    def _by_rules(check: Any, pointer: str) -> Any:
        """Refuse what a rule refuses, by that rule's name."""
        try:
            return check()
        except AnchorsError as error:
            raise Refused(error, pointer) from error


def _members(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _word(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _hex(word: bytes) -> str:
    return "0x" + word.hex()
