"""An alliance whose four members hold tenders together, and how a test acts in one.

What is signed is hashed by eth-account from the typed data as EIP-712 describes it, and the list of bids is folded here
as docs/adr/0019 draws it: nothing shares code with what is tested.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from founded_alliance import (
    ANCHORER,
    DAY,
    GOVERNOR,
    RECEIPT_DAYS,
    RECEIPT_SIGNER,
    REGULATOR,
    SEATS,
    Alliance,
    deploy,
    key,
    new_member,
    word,
)
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.logs import DISCARD
from web3.types import TxReceipt

TENDER_OFFICER = 5
PUBLISHED, CLOSED, OPENED, EVALUATED, CANDIDATES, AWARDED, FAILED, RETENDERED = range(1, 9)
WITHDRAWN_BID, REPLACED_BID, REFUSED_BID = 1, 2, 3
HOST, PARTNER, OTHER = 1, 2, 3
SENDER, BIDDER = key("whoever sends"), key("a bidder")
NOTHING, PAPER, REASON = bytes(32), b"\x70" * 32, b"\x72" * 32
HOUR = 3_600
CHINESE_TIME = 8 * HOUR
ANSWER_DAYS = 5
PAGE = 8

TYPES = {
    "TenderNotice": "uint16 host,uint256 members,bytes32 digest,bytes32 former,uint64 deadline,uint64 opening,"
    "uint16 answerDays",
    "TenderAmendment": "bytes32 tender,uint16 version,bytes32 digest,bytes32 reason,uint64 deadline,uint64 opening",
    "TenderOpening": "bytes32 tender,bytes32 root,uint32 count,bytes32 refusals,bytes32 record",
    "TenderEvaluation": "bytes32 tender,uint16 round,bytes32 manifest,bytes32 report,uint256 sites,bytes32 panel,"
    "bytes32 result",
    "TenderCandidates": "bytes32 tender,bytes32 evaluation,bytes32 list,uint64 until",
    "TenderObjection": "bytes32 tender,bytes32 candidates,bytes32 grounds",
    "TenderRuling": "bytes32 tender,bytes32 grounds,bool upheld,bytes32 ruling",
    "TenderAward": "bytes32 tender,bytes32 candidates,bytes32 award",
    "TenderFailure": "bytes32 tender,bytes32 reason",
    "BidReceipt": "bytes32 tender,bytes32 commitment,uint64 index,uint64 receivedAt",
    "BidReplacement": "bytes32 tender,bytes32 commitment,bytes32 replacement,uint64 signedAt",
}

Signature = tuple[bytes, bytes]  # r, and s with the parity in its highest bit
Act = tuple[Any, ...]
Bid = tuple[bytes, int]  # commitment and place


def bits(*members: int) -> int:
    """The members as a mask."""
    return sum(1 << member for member in members)


def keccak(*parts: bytes) -> bytes:
    return bytes(Web3.keccak(b"".join(parts)))


def hash_act(kind: str, act: Act) -> bytes:
    """The EIP-712 struct hash."""
    padded = (value if isinstance(value, bytes) else int(value).to_bytes(32, "big") for value in act)
    return keccak(keccak(f"{kind}({TYPES[kind]})".encode()), *padded)


@dataclass(frozen=True)
class Commitment:
    """What a bidder commits to, in the order of the layout."""

    holder: bytes = bytes.fromhex(BIDDER.address[2:])
    salt: bytes = b"\x5a" * 32
    tag: bytes = hashlib.sha256(b"bidledger/commitment/v1").digest()

    @property
    def layout(self) -> bytes:
        holder = self.holder.rjust(32, b"\0")
        return b"".join((self.tag, b"\1", b"\2" * 32, b"\3" * 32, holder, b"\4" * 32, NOTHING, NOTHING, self.salt))

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.layout).digest()


def bids(count: int, *, seed: str = "bid", first: int = 0) -> list[Bid]:
    """Bids at places in a row, ascending by commitment."""
    return sorted((keccak(f"{seed} {n}".encode()), first + n) for n in range(count))


def pack(listed: Sequence[Bid]) -> bytes:
    return b"".join(commitment + place.to_bytes(8, "big") for commitment, place in listed)


def pages(listed: Sequence[Bid]) -> list[bytes]:
    """The list's pages, each with the commitment that follows it."""
    starts = range(0, len(listed), PAGE)
    return [pack(listed[at : at + PAGE]) + b"".join(c for c, _ in listed[at + PAGE : at + PAGE + 1]) for at in starts]


def split(width: int) -> int:
    """The largest power of two below `width` (RFC 6962)."""
    return 1 << (width - 1).bit_length() - 1


def tree(leaves: Sequence[bytes]) -> bytes:
    """The root over pages' hashes, by the RFC's recursion."""
    if len(leaves) < 2:
        return leaves[0] if leaves else NOTHING
    left = split(len(leaves))
    return keccak(tree(leaves[:left]), tree(leaves[left:]))


def path(number: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The siblings of a page, from it to the root, by the RFC's recursion."""
    if len(leaves) == 1:
        return []
    left = split(len(leaves))
    if number < left:
        return [*path(number, leaves[:left]), tree(leaves[left:])]
    return [*path(number - left, leaves[left:]), tree(leaves[:left])]


def root(listed: Sequence[Bid]) -> bytes:
    return tree([keccak(page) for page in pages(listed)])


def page_number(listed: Sequence[Bid], commitment: bytes) -> int:
    """On which page a commitment stands or would stand."""
    return max(sum(each <= commitment for each, _ in listed) - 1, 0) // PAGE


def page(listed: Sequence[Bid], commitment: bytes, number: int | None = None) -> tuple[int, bytes, list[bytes]]:
    """The page on which a commitment stands or would stand, with its path."""
    if not listed:
        return 0, b"", []
    number = page_number(listed, commitment) if number is None else number
    found = pages(listed)
    return number, found[number], path(number, [keccak(each) for each in found])


def seal(salt: bytes, drawn: Sequence[bytes], signers: Sequence[bytes]) -> bytes:
    return keccak(salt, keccak(*drawn), keccak(*signers))


@dataclass(frozen=True)
class Panel:
    """Who evaluated."""

    salt: bytes = b"\x77" * 32
    drawn: tuple[bytes, ...] = tuple(bytes([n]) * 32 for n in range(1, 8))
    signers: tuple[bytes, ...] = tuple(bytes([n]) * 32 for n in range(1, 8))

    @property
    def sealed(self) -> bytes:
        return seal(self.salt, self.drawn, self.signers)

    @property
    def argument(self) -> tuple[Any, ...]:
        return (self.salt, list(self.drawn), list(self.signers))


@dataclass(frozen=True)
class TenderAlliance(Alliance):
    """Members 1 to 4; each has a governor, an anchorer, a receipt signer, a regulator and a tender officer."""

    register: Contract

    @property
    def contracts(self) -> tuple[Contract, ...]:
        return (self.registry, self.log, self.register)

    @staticmethod
    def officer(member: int) -> LocalAccount:
        return key(f"officer {member}")

    @staticmethod
    def regulator(member: int) -> LocalAccount:
        return key(f"regulator {member}")

    # ---- acts ----

    def notice(self, **fields: Any) -> Act:
        plain = {"host": HOST, "members": bits(HOST, PARTNER), "digest": PAPER, "former": NOTHING}
        times = {"deadline": self.now + DAY, "opening": self.now + DAY, "answerDays": ANSWER_DAYS}
        return _act("TenderNotice", plain | times | fields)

    def amendment(self, tender: bytes, **fields: Any) -> Act:
        now = self.tender(tender)
        plain = {"tender": tender, "version": now["version"] + 1, "digest": PAPER, "reason": REASON}
        return _act("TenderAmendment", plain | {"deadline": now["deadline"], "opening": now["opening"]} | fields)

    def opening(self, tender: bytes, listed: Sequence[Bid], refusals: bytes = b"", **fields: Any) -> Act:
        plain = {"tender": tender, "root": root(listed), "count": len(listed), "refusals": keccak(refusals)}
        return _act("TenderOpening", plain | {"record": PAPER} | fields)

    def evaluation(self, tender: bytes, **fields: Any) -> Act:
        now = self.tender(tender)
        plain = {"tender": tender, "round": now["round"] + 1, "manifest": now["manifest"], "report": PAPER}
        return _act(
            "TenderEvaluation",
            plain | {"sites": bits(HOST, OTHER), "panel": Panel().sealed, "result": PAPER} | fields,
        )

    def candidates(self, tender: bytes, **fields: Any) -> Act:
        plain = {"tender": tender, "evaluation": self.tender(tender)["evaluation"], "list": PAPER}
        return _act("TenderCandidates", plain | {"until": self.least_until()} | fields)

    def objection(self, tender: bytes, **fields: Any) -> Act:
        plain = {"tender": tender, "candidates": self.tender(tender)["candidates"], "grounds": REASON}
        return _act("TenderObjection", plain | fields)

    @staticmethod
    def ruling(tender: bytes, **fields: Any) -> Act:
        return _act("TenderRuling", {"tender": tender, "grounds": REASON, "upheld": False, "ruling": PAPER} | fields)

    def awarded(self, tender: bytes, **fields: Any) -> Act:
        plain = {"tender": tender, "candidates": self.tender(tender)["candidates"], "award": PAPER}
        return _act("TenderAward", plain | fields)

    def least_until(self) -> int:
        """When candidates published now may first be awarded."""
        return ((self.now + CHINESE_TIME) // DAY + 4) * DAY - CHINESE_TIME

    # ---- calls, with the signatures that they take unless `signed` has others ----

    def publishing(self, notice: Act, **signed: Any) -> ContractFunction:
        by = signed.pop("by", members_of(notice[1]))
        return self._signed("publish", "TenderNotice", notice, by, **signed)

    def amending(self, amendment: Act, **signed: Any) -> ContractFunction:
        by = signed.pop("by", (HOST, PARTNER))
        return self._signed("amend", "TenderAmendment", amendment, by, **signed)

    def closing(self, tender: bytes) -> ContractFunction:
        return self.register.functions.closeBids(tender)

    def opening_bids(
        self, tender: bytes, listed: Sequence[Bid], refusals: bytes = b"", **signed: Any
    ) -> ContractFunction:
        act = self.opening(tender, listed, refusals)
        until = signed.pop("until", self.now + HOUR)
        by = signed.pop("by", self.officer(HOST))
        data = self.typed("TenderOpening", signed.pop("agreed", act), until, **signed.pop("domain", {}))
        packed = signed.pop("packed", pack(listed))
        record = signed.pop("record", act[4])
        assert not signed, signed
        return self.register.functions.openBids(tender, packed, refusals, record, until, sign(by, data))

    def evaluating(self, evaluation: Act, **signed: Any) -> ContractFunction:
        by = signed.pop("by", members_of(evaluation[4]))
        return self._signed("evaluate", "TenderEvaluation", evaluation, by, **signed)

    def naming(self, candidates: Act, **signed: Any) -> ContractFunction:
        by = signed.pop("by", self.officer(HOST))
        return self._signed("publishCandidates", "TenderCandidates", candidates, by, **signed)

    def objecting(self, objection: Act, **signed: Any) -> ContractFunction:
        by = signed.pop("by", self.officer(OTHER))
        return self._signed("objectTo", "TenderObjection", objection, by, **signed)

    def deciding(self, ruling: Act, **signed: Any) -> ContractFunction:
        return self._signed("rule", "TenderRuling", ruling, self._pair(signed), **signed)

    def awarding(self, award: Act, panel: Panel | None = None, **signed: Any) -> ContractFunction:
        middle = ((panel or Panel()).argument,)
        return self._signed("award", "TenderAward", award, self._pair(signed), middle, **signed)

    def failing(self, tender: bytes, **signed: Any) -> ContractFunction:
        act = (tender, signed.pop("reason", REASON))
        return self._signed("fail", "TenderFailure", act, self._pair(signed), **signed)

    # ---- a life ----

    def publish(self, **fields: Any) -> bytes:
        """A tender's name."""
        notice = self.notice(**fields)
        self.send(SENDER, self.publishing(notice))
        return hash_act("TenderNotice", notice)

    def published(self, **fields: Any) -> bytes:
        """Another name for `publish`, after which the deadline is over."""
        tender = self.publish(**fields)
        self.pass_time(self.tender(tender)["opening"] - self.now + 1)
        return tender

    def close(self, **fields: Any) -> bytes:
        tender = self.published(**fields)
        self.send(SENDER, self.closing(tender))
        return tender

    def open(self, listed: Sequence[Bid] | None = None, refusals: bytes = b"", **fields: Any) -> bytes:
        tender = self.close(**fields)
        self.send(SENDER, self.opening_bids(tender, bids(5) if listed is None else listed, refusals))
        return tender

    def evaluate(self, **fields: Any) -> bytes:
        tender = self.open()
        self.send(SENDER, self.evaluating(self.evaluation(tender, **fields)))
        return tender

    def name(self, **fields: Any) -> bytes:
        """A tender whose candidates are published."""
        tender = self.evaluate(**fields)
        self.send(SENDER, self.naming(self.candidates(tender)))
        return tender

    def become(self, state: int) -> bytes:
        """A tender in this state."""
        ways = {PUBLISHED: self.publish, CLOSED: self.close, OPENED: self.open, EVALUATED: self.evaluate}
        if state in ways:
            return ways[state]()
        if state == FAILED:
            return self.open(bids(2))
        tender = self.name()
        if state == AWARDED:
            self.pass_time(5 * DAY)
            self.send(SENDER, self.awarding(self.awarded(tender)))
        return tender

    # ---- claims ----

    def receipt(self, tender: bytes, commitment: bytes, **fields: Any) -> Act:
        before = self.tender(tender)["deadline"] - HOUR
        plain = {"tender": tender, "commitment": commitment, "index": 7, "receivedAt": before}
        return _act("BidReceipt", plain | fields)

    def claiming(self, receipt: Act, listed: Sequence[Bid], **changes: Any) -> ContractFunction:
        """Claim that a bid was dropped, or with `late` that it was opened though late."""
        by = changes.pop("by", self.signer(HOST))
        name = "claimLate" if changes.pop("late", False) else "claimDropped"
        opening = changes.pop("opening", self.opening(receipt[0], listed, changes.pop("refusals", b"")))
        shown = changes.pop("page", page(listed, receipt[1]))
        data = (self.domain(**changes.pop("domain", {})), types("BidReceipt"), message("BidReceipt", receipt))
        assert not changes, changes
        return self.register.functions[name](receipt, sign(by, data), opening, shown)

    def replacing(self, tender: bytes, bid: Commitment, **changes: Any) -> ContractFunction:
        """Answer by the holder's withdrawal, or replacement."""
        by = changes.pop("by", BIDDER)
        preimage = changes.pop("preimage", bid.layout)
        plain = {"tender": tender, "commitment": bid.hash, "replacement": NOTHING}
        act = _act("BidReplacement", plain | {"signedAt": self.tender(tender)["deadline"] - HOUR} | changes)
        data = (self.domain(), types("BidReplacement"), message("BidReplacement", act))
        return self.register.functions.answerByHolder(act, preimage, sign(by, data))

    # ---- read ----

    def tender(self, tender: bytes) -> dict[str, Any]:
        """What the register keeps of a tender."""
        names = [each["name"] for each in _output(self.register, "tenderAt")["components"]]
        return dict(zip(names, self.register.functions.tenderAt(tender).call(), strict=True))

    def state(self, tender: bytes) -> int:
        return int(self.tender(tender)["state"])

    def claim(self, tender: bytes, commitment: bytes) -> tuple[int, bool, int]:
        return tuple(self.register.functions.claimAt(tender, commitment).call())  # type: ignore[return-value]

    def upheld(self, tender: bytes, commitment: bytes) -> bool:
        return bool(self.register.functions.isUpheld(tender, commitment).call())

    def event(self, name: str, done: TxReceipt) -> dict[str, Any]:
        """The one event of this name in a transaction."""
        (event,) = self.register.events[name]().process_receipt(done, errors=DISCARD)
        return dict(event["args"])

    # ---- sign ----

    def domain(self, **changes: Any) -> dict[str, Any]:
        address, chain = self.register.address, self.web3.eth.chain_id
        return {"name": "bidledger", "version": "1", "chainId": chain, "verifyingContract": address, **changes}

    def typed(self, kind: str, act: Act, until: int, **domain: Any) -> tuple[Any, ...]:
        """The typed data of a signed act."""
        outer = {f"Signed{kind}": [{"name": "act", "type": kind}, {"name": "validUntil", "type": "uint64"}]}
        return self.domain(**domain), outer | types(kind), {"act": message(kind, act), "validUntil": until}

    def _signed(
        self, function: str, kind: str, act: Act, by: Any, middle: tuple[Any, ...] = (), **signed: Any
    ) -> ContractFunction:
        """A call with signatures: `by` is an account, a pair of them or members."""
        until = signed.pop("until", self.now + HOUR)
        data = self.typed(kind, signed.pop("agreed", act), until, **signed.pop("domain", {}))
        assert not signed, signed
        if isinstance(by, LocalAccount):
            given: Any = sign(by, data)
        else:
            given = [sign(each if isinstance(each, LocalAccount) else self.officer(each), data) for each in by]
        return self.register.functions[function](act, *middle, until, given)

    def _pair(self, signed: dict[str, Any]) -> tuple[LocalAccount, LocalAccount]:
        return signed.pop("officer", self.officer(HOST)), signed.pop("regulator", self.regulator(HOST))


def members_of(mask: int) -> list[int]:
    return [n for n in range(1, SEATS + 1) if mask >> n & 1]


def sign(account: LocalAccount, data: tuple[Any, ...]) -> Signature:
    """Sign typed data, and write the signature as EIP-2098 has it."""
    signed = account.sign_typed_data(*data)
    return signed.r.to_bytes(32, "big"), ((signed.v - 27) << 255 | signed.s).to_bytes(32, "big")


def types(kind: str) -> dict[str, list[dict[str, str]]]:
    return {kind: [dict(zip(("type", "name"), each.split(), strict=True)) for each in TYPES[kind].split(",")]}


def message(kind: str, act: Act) -> dict[str, Any]:
    return {each["name"]: value for each, value in zip(types(kind)[kind], act, strict=True)}


def changed(kind: str, act: Act, **fields: Any) -> Act:
    """The same act with other fields."""
    return _act(kind, message(kind, act) | fields)


def tender_members() -> list[tuple[Any, ...]]:
    roles = (
        *(("governor", GOVERNOR), ("anchorer", ANCHORER), ("signer", RECEIPT_SIGNER)),
        *(("regulator", REGULATOR), ("officer", TENDER_OFFICER)),
    )
    return [
        new_member(f"centre-{n}", [(key(f"{name} {n}").address, role) for name, role in roles])
        for n in range(1, SEATS + 1)
    ]


def found_tenders(web3: Web3, artifacts: dict[str, dict[str, Any]]) -> TenderAlliance:
    """Deploy the registry, the evidence log and the register."""
    parameters = [(word("receiptDays"), RECEIPT_DAYS)]
    registry = deploy(web3, artifacts["AllianceRegistry"], tender_members(), parameters, [])
    log = deploy(web3, artifacts["EvidenceLog"], registry.address)
    register = deploy(web3, artifacts["TenderRegister"], registry.address)
    alliance = TenderAlliance(web3, registry, log, register)
    alliance.vote(registry.functions.setSystemContract(word("EvidenceLog"), log.address))
    alliance.vote(registry.functions.setSystemContract(word("TenderRegister"), register.address))
    return alliance


def _act(kind: str, fields: dict[str, Any]) -> Act:
    names = [each["name"] for each in types(kind)[kind]]
    assert set(names) == set(fields), set(names) ^ set(fields)
    return tuple(fields[name] for name in names)


def _output(contract: Contract, function: str) -> dict[str, Any]:
    return next(each["outputs"][0] for each in contract.abi if each.get("name") == function)  # type: ignore[return-value, typeddict-item]
