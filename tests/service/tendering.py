"""Tenders of a small alliance on a real chain, signed by the keys of those who must, for tests of what follows.

`Tendering(founded, rpc)` acts: `publish` gives a tender's name, all else takes one, and what an act says is given by
its fields where it is not the usual. `tenders` is where each stands by the rules of `anchors.tenders`.
"""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from coincurve import PrivateKey
from founding import Founded, block_time, later

from anchors.chain.keccak import keccak256
from anchors.commitment import Kind, Statement, commit, layout
from anchors.tenders import (
    NO_TENDER,
    WITHDRAWN,
    Act,
    Amendment,
    Award,
    Bid,
    BidReceipt,
    Candidates,
    Evaluation,
    Evaluators,
    Failure,
    Notice,
    Objection,
    OpenedList,
    Opening,
    Refusal,
    Replacement,
    Ruling,
    Tender,
    announce,
    least_until,
    members_mask,
    open_list,
    pack_bids,
    pack_refusals,
    parse_refusals,
    show_page,
    signed_digest,
)
from ledger_service.chain import transactions
from ledger_service.chain.contracts import TENDER_REGISTER, contract
from ledger_service.chain.rpc import Rpc
from ledger_service.keys import EthereumKey

HOUR, DAY = 3_600, 86_400
HOST, PARTNER, THIRD = 1, 2, 3
ANSWER_DAYS = 5
PAPER, REASON, GROUNDS, RULING = b"\x70" * 32, b"\x72" * 32, b"\x67" * 32, b"\x75" * 32
PANEL = Evaluators(b"\x77" * 32, *2 * (tuple(bytes([n]) * 32 for n in range(1, 6)),))


@dataclass(frozen=True)
class Bidder:
    """A bidder with a key of its own, and the bid that it has committed to."""

    name: str

    @property
    def key(self) -> EthereumKey:
        private = PrivateKey(hashlib.sha256(self.name.encode()).digest())
        return EthereumKey(keccak256(private.public_key.format(compressed=False)[1:])[12:], private)

    @property
    def statement(self) -> Statement:
        document = hashlib.sha256(self.name.encode()).digest()
        return Statement(Kind.BID_DOCUMENT, None, None, self.key.address, document, None, None, document[::-1])

    @property
    def commitment(self) -> bytes:
        return commit(self.statement)


BIDDERS = tuple(Bidder(f"bidder {n}") for n in range(1, 7))


def bids(count: int) -> list[Bid]:
    """The bids of the first bidders, at places in a row."""
    return [Bid(bidder.commitment, place) for place, bidder in enumerate(BIDDERS[:count])]


@dataclass
class Tendering:
    """Lets members hold tenders, and remembers how each stands."""

    founded: Founded
    rpc: Rpc
    tenders: dict[bytes, Tender] = field(default_factory=dict)
    notices: dict[bytes, Notice] = field(default_factory=dict)
    openings: dict[bytes, Opening] = field(default_factory=dict)
    lists: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)  # opened and refused bids, packed

    # ---- acts ----

    def publish(self, *, members: tuple[int, ...] = (HOST, PARTNER, THIRD), **fields: Any) -> bytes:
        """Announce a tender; its name. Fields of the same notice twice make one tender, so give `digest`."""
        now = block_time(self.rpc)
        plain = Notice(HOST, members_mask(*members), PAPER, NO_TENDER, now + DAY, now + DAY, ANSWER_DAYS)
        notice = replace(plain, **fields)
        mined = self._signed("publish", notice, _numbers(notice.members))
        tender = announce(notice, self._time(mined))
        self.tenders[tender.name], self.notices[tender.name] = tender, notice
        if notice.former != NO_TENDER:
            self.tenders[notice.former] = self.tenders[notice.former].replaced(notice.host)
        return tender.name

    def amend(self, tender: bytes, **fields: Any) -> transactions.Mined:
        t = self.tenders[tender]
        plain = Amendment(tender, t.version + 1, PAPER, REASON, t.deadline, t.opening)
        act = replace(plain, **fields)
        mined = self._signed("amend", act, _numbers(t.members))
        self.tenders[tender] = t.amended(act, self._time(mined))
        return mined

    def close(self, tender: bytes) -> transactions.Mined:
        """Close bids, after the deadline and the opening time have come."""
        t = self.tenders[tender]
        later(self.rpc, max(0, max(t.deadline, t.opening) - block_time(self.rpc)) + 1)
        mined = self._send("closeBids", tender)
        self.tenders[tender] = t.closed(self._time(mined))
        return mined

    def open(self, tender: bytes, listed: list[Bid] | None = None, refused: tuple[Refusal, ...] = ()) -> Opening:
        """Open bids, and refuse others."""
        t, entries = self.tenders[tender], pack_bids(bids(5) if listed is None else listed)
        refusals, opened = pack_refusals(refused), open_list(entries)
        act = Opening(tender, opened.root, opened.count, keccak256(refusals), PAPER)
        until = self._until
        signature = self._signature(t.host, "tender-officer", act, until)
        mined = self._send("openBids", tender, entries, refusals, act.record, until, signature)
        self.tenders[tender] = t.opened(act, self._time(mined))
        self.openings[tender], self.lists[tender] = act, (entries, refusals)
        return act

    def evaluate(self, tender: bytes, sites: tuple[int, ...] = (HOST, THIRD), **fields: Any) -> transactions.Mined:
        t = self.tenders[tender]
        mask = members_mask(*sites)
        plain = Evaluation(tender, t.round + 1, t.manifest, PAPER, mask, PANEL.sealed(), PAPER)
        act = replace(plain, **fields)
        mined = self._signed("evaluate", act, sites)
        self.tenders[tender] = t.evaluated(act)
        return mined

    def name_candidates(self, tender: bytes, **fields: Any) -> transactions.Mined:
        t = self.tenders[tender]
        act = replace(Candidates(tender, t.evaluation, PAPER, least_until(block_time(self.rpc) + HOUR)), **fields)
        mined = self._signed("publishCandidates", act, t.host)
        self.tenders[tender] = t.with_candidates(act, self._time(mined))
        return mined

    def object_to(self, tender: bytes, grounds: bytes = GROUNDS, by: int = PARTNER) -> transactions.Mined:
        t = self.tenders[tender]
        act = Objection(tender, t.candidates, grounds)
        mined = self._signed("objectTo", act, by)
        self.tenders[tender] = t.objected(act, self._time(mined))
        return mined

    def rule(self, tender: bytes, grounds: bytes = GROUNDS, *, upheld: bool = False) -> transactions.Mined:
        t = self.tenders[tender]
        act = Ruling(tender, grounds, upheld, RULING)
        mined = self._paired("rule", act, t.host)
        self.tenders[tender] = t.ruled(act)
        return mined

    def award(self, tender: bytes, panel: Evaluators = PANEL, **fields: Any) -> transactions.Mined:
        """Award the tender, after its candidates' time is over."""
        t = self.tenders[tender]
        later(self.rpc, max(0, t.until - block_time(self.rpc)) + 1)
        act = replace(Award(tender, t.candidates, PAPER), **fields)
        unsealed = (panel.salt, list(panel.drawn), list(panel.signers))
        mined = self._paired("award", act, t.host, unsealed)
        self.tenders[tender] = t.awarded(act, panel, self._time(mined))
        return mined

    def fail(self, tender: bytes, reason: bytes = REASON) -> transactions.Mined:
        t = self.tenders[tender]
        mined = self._paired("fail", Failure(tender, reason), t.host)
        self.tenders[tender] = t.failed(Failure(tender, reason))
        return mined

    # ---- claims ----

    def receipt(self, tender: bytes, commitment: bytes, index: int = 7, *, late: bool = False) -> BidReceipt:
        """The host's receipt for a bid: an hour before the deadline, or at it."""
        deadline = self.tenders[tender].deadline
        return BidReceipt(tender, commitment, index, deadline if late else deadline - HOUR)

    def sign_receipt(self, receipt: BidReceipt) -> bytes:
        """By the host's receipt signer."""
        host = self.tenders[receipt.tender].host
        return self.founded.opened[host, "receipt-signer"].sign(receipt.digest(self._register, self._chain))

    def claim(self, receipt: BidReceipt) -> transactions.Mined:
        """Claim that a bid was dropped, or that a late one was opened: what the receipt shows."""
        late = receipt.received_at >= self.tenders[receipt.tender].deadline
        page = show_page(self.lists[receipt.tender][0], receipt.commitment)
        opening = _words(self.openings[receipt.tender])
        signature = _compact(self.sign_receipt(receipt))
        shown = (page.number, page.entries, list(page.path))
        return self._send("claimLate" if late else "claimDropped", _words(receipt), signature, opening, shown)

    def answer_as_holder(self, tender: bytes, bidder: Bidder, by: bytes = WITHDRAWN) -> transactions.Mined:
        """Show that the holder has withdrawn the bid, or replaced it."""
        signed_at = self.tenders[tender].deadline - HOUR
        act = Replacement(tender, bidder.commitment, by, signed_at)
        signature = _compact(bidder.key.sign(act.digest(self._register, self._chain)))
        return self._send("answerByHolder", _words(act), layout(bidder.statement), signature)

    def answer_by_refusal(self, tender: bytes, commitment: bytes) -> transactions.Mined:
        """Show that the opening names the bid among the refused ones."""
        refusals = self.lists[tender][1]
        position = [each.commitment for each in parse_refusals(refusals)].index(commitment)
        return self._send("answerByRefusal", commitment, _words(self.openings[tender]), refusals, position)

    def opened_list(self, tender: bytes) -> OpenedList:
        return open_list(self.lists[tender][0])

    # ---- signing and sending ----

    @property
    def _register(self) -> bytes:
        return self.founded.address(TENDER_REGISTER)

    @property
    def _chain(self) -> int:
        return self.founded.network.chain_id

    @property
    def _until(self) -> int:
        return block_time(self.rpc) + HOUR

    def _signature(self, member: int, role: str, act: Act, until: int) -> tuple[bytes, bytes]:
        digest = signed_digest(self._register, self._chain, act, until)
        return _compact(self.founded.opened[member, role].sign(digest))

    def _signed(self, function: str, act: Act, by: int | tuple[int, ...]) -> transactions.Mined:
        """With the signature of one officer, or those of several members' officers."""
        until = self._until
        if isinstance(by, int):
            return self._send(function, _words(act), until, self._signature(by, "tender-officer", act, until))
        given = [self._signature(member, "tender-officer", act, until) for member in by]
        return self._send(function, _words(act), until, given)

    def _paired(self, function: str, act: Act, host: int, *middle: object) -> transactions.Mined:
        """With the signatures of the host's officer and regulator."""
        until = self._until
        pair = tuple(self._signature(host, role, act, until) for role in ("tender-officer", "regulator"))
        return self._send(function, _words(act), *middle, until, pair)

    def _send(self, function: str, *arguments: object) -> transactions.Mined:
        data = contract(TENDER_REGISTER).call_data(function, *arguments)
        return self.founded.send_data(self.rpc, self.founded.opened[1, "anchorer"], TENDER_REGISTER, data)

    def _time(self, mined: transactions.Mined) -> int:
        return block_time(self.rpc, hex(mined.block_number))


def _words(act: Act) -> tuple[int | bytes, ...]:
    return tuple(act.words())


def _numbers(mask: int) -> tuple[int, ...]:
    return tuple(number for number in range(mask.bit_length()) if mask >> number & 1)


def _compact(signature: bytes) -> tuple[bytes, bytes]:
    """The form that contracts take. Source: EIP-2098."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] == 28) << 255
    return signature[:32], s.to_bytes(32, "big")
