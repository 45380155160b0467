"""A tender from its joint notice to the award, as the contracts' events and storage tell it; each part can be changed.

Events and storage are written with eth-abi and by hand, from the contract's interface: nothing here shares code with
what reads them.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from draw.held_draw import held
from eth_abi.abi import encode
from exhibits import CODES, DOMAIN
from sealed_headers import address, key

from anchors.chain.keccak import keccak256
from anchors.commitment import Kind, Statement, commit
from anchors.errors import BadBidList
from anchors.merkle import Levels
from anchors.periods import filler, key_commitment, period_key, slot_order
from anchors.tenders import (
    NO_TENDER,
    Bid,
    Candidates,
    Evaluation,
    Evaluators,
    Notice,
    Opening,
    least_until,
    members_mask,
    open_list,
    pack_bids,
)
from anchors.tenders.audit import (
    audit_slots,
)
from anchors.tenders.draw import replay

CHAIN_ID = 13013
HOST, PARTNER, OTHER = 2, 7, 13
REGISTER, LOG, REGISTRY = (keccak256(name.encode())[12:] for name in ("register", "evidence log", "registry"))
CODE, LOG_CODE = keccak256(b"code of the register"), keccak256(b"code of the log")
DAY, HOUR = 86_400, 3_600
START = 1_800_000_000
DEADLINE = START + 20 * DAY
PAPER, REASON, RULING = b"\x70" * 32, b"\x72" * 32, b"\x73" * 32
FIRST_GROUNDS, SECOND_GROUNDS = b"\xa1" * 32, b"\xa2" * 32
SLOTS, PERIODS, CLOSED_SIZE, SIZE = 16, 5, 48, 80
SECRET, ORIGIN = key("period secret"), f"{DOMAIN}/{CHAIN_ID}/{CODES[HOST - 1]}/0"
TAG = hashlib.sha256(b"bidledger/commitment/v1").digest()

SHORT = ("few", "given up")  # the ends of a tender without an evaluation

Topics = tuple[bytes, ...]


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def layout(name: str) -> bytes:
    """The 257 bytes of a bidder's commitment."""
    parts = (TAG, b"\1", key("tender"), key(name), address(f"{name} holder").rjust(32, b"\0"), key("document " + name))
    return b"".join((*parts, bytes(32), bytes(32), key("salt " + name)))


def statement(name: str, kind: Kind = Kind.NOTICE) -> Statement:
    """What the host logged that is no bid."""
    return Statement(kind, None, None, None, key("document " + name), None, None, key("salt " + name))


def commitment(name: str) -> bytes:
    """What is logged under a name: a bidder's commitment, or the host's of a notice or of a bid of its own."""
    if name.startswith("notice"):
        return commit(statement(name))
    return hashlib.sha256(layout(name)).digest()


# Which bidder's commitment was accepted in which period; the second of ALPHA's replaces the first.
ACCEPTED = {"alpha": 0, "beta": 0, "alpha again": 1, "gamma": 1, "delta": 1, "foxtrot": 1, "echo": 3}
OPENED = ("alpha again", "gamma", "delta", "echo")


def log_leaves(accepted: dict[str, int] = ACCEPTED) -> list[bytes]:
    """All leaves of the host's log: in each period what came, what fills it, and the next key's commitment."""
    leaves: list[bytes] = []
    for number in range(PERIODS):
        secret = period_key(SECRET, ORIGIN, number)
        order = slot_order(secret, SLOTS)
        period = [filler(secret, slot) for slot in range(SLOTS)]
        for slot, name in zip(order, [name for name, at in accepted.items() if at == number], strict=False):
            period[slot] = commitment(name)
        period[order[-1]] = key_commitment(period_key(SECRET, ORIGIN, number + 1))
        leaves += period
    return leaves


@dataclass(frozen=True)
class Emission:
    """An event as a contract emits it."""

    name: str
    time: int
    address: bytes
    topics: Topics
    data: bytes

    @property
    def log(self) -> dict[str, Any]:
        return {
            "address": "0x" + self.address.hex(),
            "topics": ["0x" + topic.hex() for topic in self.topics],
            "data": "0x" + self.data.hex(),
        }


def seated() -> Evaluators:
    """The panel of the draw that the other tests hold; all but two of it sign."""
    panel = held_panel()
    return Evaluators(key("panel salt"), panel, tuple(panel[:5]))


def held_panel() -> tuple[bytes, ...]:
    panel = replay(held().write()).panel
    assert panel is not None
    return panel.words


@dataclass(frozen=True)
class Life:
    """What happens in a tender, each part to be changed; as it is, all rules are kept."""

    members: int = members_mask(HOST, PARTNER, OTHER)
    first_deadline: int = START + 15 * DAY
    first_opening: int = START + 15 * DAY
    answer_days: int = 5
    amended_at: int = START + DAY
    amended_for: bytes = REASON
    result: bytes = PAPER
    failed_for: bytes = REASON
    deadline: int = DEADLINE
    closed_at: int = DEADLINE + 10
    opening: int = DEADLINE + 60
    opened_at: int = DEADLINE + 100
    named_at: int = DEADLINE + 5 * DAY
    until: int = least_until(DEADLINE + 5 * DAY)
    objected_at: int = DEADLINE + 6 * DAY
    ruled: bool = True
    awarded_at: int = DEADLINE + 20 * DAY
    opened: tuple[str, ...] = OPENED
    accepted: tuple[tuple[str, int], ...] = tuple(ACCEPTED.items())
    entries: bytes | None = None
    root: bytes | None = None
    on_receipt: int | None = None
    refused: tuple[str, ...] = ("foxtrot",)
    sites: int = members_mask(HOST, OTHER)
    unsealed: Evaluators | None = None
    regulator: bytes = address("regulator")
    claimed: tuple[str, ...] = ("beta",)
    answered: bool = True
    late: bool = False
    ends: str = "award"
    elsewhere: tuple[str, ...] = ()  # opened by another tender, whose name is PAPER
    refused_elsewhere: tuple[str, ...] = ()
    change: Callable[[list[Emission]], list[Emission]] = lambda events: events
    panel: Evaluators = field(default_factory=seated)

    @property
    def leaves(self) -> list[bytes]:
        return log_leaves(dict(self.accepted))

    @property
    def notice(self) -> Notice:
        times = (self.first_deadline, self.first_opening)
        return Notice(HOST, self.members, PAPER, NO_TENDER, *times, self.answer_days)

    @property
    def name(self) -> bytes:
        return self.notice.struct_hash()

    @property
    def bids(self) -> list[Bid]:
        return sorted(Bid(commitment(name), self.leaves.index(commitment(name))) for name in self.opened)

    @property
    def refusals(self) -> bytes:
        return b"".join(sorted(commitment(name) + REASON for name in self.refused))

    @property
    def act(self) -> Opening:
        packed = self.packed
        try:
            root = open_list(packed).root
        except BadBidList:
            root = open_list(pack_bids(self.bids)).root
        count = len(packed) // 40
        return Opening(self.name, self.root or root, count, keccak256(self.refusals), PAPER)

    @property
    def packed(self) -> bytes:
        return pack_bids(self.bids) if self.entries is None else self.entries

    def evaluation(self, round_: int) -> Evaluation:
        manifest = self.act.struct_hash()
        return Evaluation(self.name, round_, manifest, PAPER, self.sites, self.panel.sealed(), self.result)

    def candidates(self, round_: int) -> Candidates:
        return Candidates(self.name, self.evaluation(round_).struct_hash(), word(round_), self.until_of(round_))

    def named(self, round_: int) -> int:
        return self.named_at + (round_ - 1) * 8 * DAY

    def until_of(self, round_: int) -> int:
        return self.until + (round_ - 1) * 8 * DAY

    @cached_property
    def emitted(self) -> list[Emission]:
        """All events, in order."""
        return self.change(sorted([*self._beginning(), *self._end()], key=lambda each: each.time))

    def _beginning(self) -> Iterable[Emission]:
        act, notice = self.act, self.notice
        yield self._own(
            "TenderPublished(bytes32,uint16,uint256,bytes32,bytes32,uint64,uint64,uint16)",
            *(START, word(HOST), notice.members, PAPER, NO_TENDER, notice.deadline, notice.opening, self.answer_days),
        )
        yield self._own(
            "TenderAmended(bytes32,uint16,bytes32,bytes32,uint64,uint64)",
            *(self.amended_at, word(2), PAPER, self.amended_for, self.deadline, self.opening),
        )
        for size, time in ((32, DEADLINE - HOUR), (CLOSED_SIZE, DEADLINE + 5), (SIZE, DEADLINE + 300)):
            yield self.anchored(size, time)
        yield self._own(
            "BidsClosed(bytes32,uint16,address,uint32,uint64)",
            *(self.closed_at, word(HOST), "0x" + LOG.hex(), 0, CLOSED_SIZE),
        )
        beyond = sum(bid.place >= CLOSED_SIZE for bid in self.bids)
        on_receipt = beyond if self.on_receipt is None else self.on_receipt
        officer = "0x" + address("officer").hex()
        yield self._own(
            "BidsOpened(bytes32,bytes32,bytes32,uint32,uint32,bytes32,address,bytes,bytes)",
            *(self.opened_at, act.struct_hash(), act.root, act.count, on_receipt, PAPER, officer),
            *(self.packed, self.refusals),
        )
        if self.elsewhere:
            yield self._elsewhere()

    def _end(self) -> Iterable[Emission]:
        if self.ends == "given up":
            officer, regulator = "0x" + address("officer").hex(), "0x" + self.regulator.hex()
            signature = "TenderFailed(bytes32,bytes32,address,address)"
            yield self._own(signature, self.awarded_at, self.failed_for, officer, regulator)
        if self.ends == "few":
            yield self._own(
                "TenderFailed(bytes32,bytes32,address,address)",
                *(self.opened_at, bytes(32), "0x" + "00" * 20, "0x" + "00" * 20),
            )
        if self.ends in SHORT:
            return
        for round_ in (1, 2):
            yield from self._round(round_)
        for name in self.claimed:
            yield from self._claim(name)
        panel = self.unsealed or self.panel
        if self.ends == "award":
            yield self._own(
                "TenderAwarded(bytes32,bytes32,address,address,bytes32,bytes32[],bytes32[])",
                *(self.awarded_at, PAPER, "0x" + address("officer").hex(), "0x" + self.regulator.hex()),
                *(panel.salt, list(panel.drawn), list(panel.signers)),
            )

    def _round(self, round_: int) -> Iterable[Emission]:
        act, named = self.evaluation(round_), self.candidates(round_)
        later = (round_ - 1) * 8 * DAY
        officer, regulator = "0x" + address("officer").hex(), "0x" + address("regulator").hex()
        yield self._own(
            "TenderEvaluated(bytes32,bytes32,uint16,bytes32,uint256,bytes32,bytes32)",
            *(self.named(round_) - HOUR, act.struct_hash(), round_, PAPER, self.sites, act.panel, self.result),
        )
        yield self._own(
            "CandidatesPublished(bytes32,bytes32,bytes32,uint64,address)",
            *(self.named(round_), named.struct_hash(), named.list, named.until, officer),
        )
        grounds = FIRST_GROUNDS if round_ == 1 else SECOND_GROUNDS
        yield self._own(
            "ObjectionMade(bytes32,bytes32,bytes32,uint16,address)",
            *(self.objected_at + later, grounds, named.struct_hash(), OTHER, officer),
        )
        if self.ruled or round_ == 1:
            yield self._own(
                "ObjectionRuled(bytes32,bytes32,bool,bytes32,address,address)",
                *(self.objected_at + later + HOUR, grounds, round_ == 1, RULING, officer, regulator),
            )

    def _claim(self, name: str) -> Iterable[Emission]:
        at, received = DEADLINE + 7 * DAY, DEADLINE - HOUR + (2 * HOUR if self.late else 0)
        by = at if self.late else at + 5 * DAY
        yield self._own(
            "BidClaimed(bytes32,bytes32,uint16,bool,uint64,uint64,uint64)",
            *(at, commitment(name), HOST, self.late, self.leaves.index(commitment(name)), received, by),
        )
        if self.answered and not self.late:
            yield self._own("ClaimAnswered(bytes32,bytes32,uint8,bytes32)", at + DAY, commitment(name), 1, bytes(32))

    def anchored(self, size: int, time: int) -> Emission:
        kinds, name = ["uint32", "uint64", "bytes32", "uint64"], "Anchored(uint16,uint32,uint64,bytes32,uint64)"
        data = encode(kinds, [0, size, Levels.over(self.leaves[:size]).root, 7])
        return Emission("Anchored", time, LOG, (keccak256(name.encode()), word(HOST)), data)

    def _elsewhere(self) -> Emission:
        bids = sorted(Bid(commitment(name), 9) for name in self.elsewhere)
        found = open_list(pack_bids(bids))
        signature = "BidsOpened(bytes32,bytes32,bytes32,uint32,uint32,bytes32,address,bytes,bytes)"
        event = self._own(
            *(signature, self.opened_at + 1, PAPER, found.root, found.count, 0, PAPER, "0x" + "11" * 20),
            *(pack_bids(bids), b"".join(commitment(name) + PAPER for name in self.refused_elsewhere)),
        )
        return replace(event, topics=(event.topics[0], PAPER, PAPER))

    def _own(self, signature: str, time: int, second: bytes, *values: Any) -> Emission:
        name, _, kinds = signature.removesuffix(")").partition("(")
        data = encode(kinds.split(",")[2:], list(values))
        return Emission(name, time, REGISTER, (keccak256(signature.encode()), self.name, second), data)

    # ---- what the register keeps ----

    @property
    def storage(self) -> dict[bytes, int]:
        """The slots of the tender at its end, as the contract's storage layout has them."""
        last = self.evaluation(2)
        closed = next((number for number, each in enumerate(self.emitted) if each.name == "BidsClosed"), 0) + 100
        few = self.ends in SHORT
        state = {"award": 6, "few": 7, "given up": 7, "candidates": 5}[self.ends]
        waiting = 0 if self.ruled else 1
        fields = (
            (HOST, 16),
            (state, 8),
            (2, 16),
            (0 if few else 2, 16),
            (waiting, 16),
            (self.answer_days, 16),
            (self.deadline, 64),
        )
        words = [
            pack(*fields, (self.opening, 64)),
            pack((int.from_bytes(LOG, "big"), 160), (0, 32), (CLOSED_SIZE, 64)),
            pack((closed, 64), (0 if few else self.until_of(2), 64)),
            self.notice.members,
            *(int.from_bytes(part, "big") for part in (self.act.struct_hash(), last.struct_hash(), last.panel)),
            int.from_bytes(self.candidates(2).struct_hash(), "big"),
        ]
        if few:
            words[5:] = [0, 0, 0]
        claims = [commitment(name) for name in self.claimed if not few]
        grounds = [] if few else [FIRST_GROUNDS, SECOND_GROUNDS]
        for at in range(len(grounds)):
            waits = not self.ruled and at == 1
            words += [int.from_bytes(self.candidates(at + 1).struct_hash(), "big"), int(waits)]
        by = DEADLINE + 7 * DAY + (0 if self.late else 5 * DAY)
        words += [by | self.late << 64 | (self.answered and not self.late) << 72 for _ in claims]
        return dict(zip(audit_slots(self.name, grounds, claims), words, strict=True))


def pack(*fields: tuple[int, int]) -> int:
    """Fields of a slot, the lowest first, each with its bits."""
    packed, shift = 0, 0
    for value, bits in fields:
        packed |= value << shift
        shift += bits
    return packed
