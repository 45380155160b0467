"""A life on a chain of its own, with everything that an audit's file shows of it.

The chain is made of real receipts tries, state tries and headers that four validators seal.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audited_life import (
    CHAIN_ID,
    CODE,
    DAY,
    DEADLINE,
    HOST,
    HOUR,
    LOG,
    LOG_CODE,
    ORIGIN,
    REGISTER,
    SECRET,
    SIZE,
    SLOTS,
    START,
    Life,
    commitment,
    layout,
    word,
)
from draw.held_draw import held
from exhibits import CODES, DOMAIN, governed, log_signer
from sealed_headers import NAMES, BftBlock, address, clique_chain, key, pin

from anchors.chain import rlp
from anchors.chain.keccak import keccak256
from anchors.chain.receipts import receipt_key, receipts_trie
from anchors.chain.signatures import sign_digest
from anchors.chain.trie import Trie
from anchors.evidence import Anchor, Finality, Place
from anchors.merkle import Levels
from anchors.network import (
    FORMAT,
    Contract,
    Governor,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    ValidatorSet,
    write_network,
)
from anchors.periods import period_key
from anchors.tenders import (
    BidReceipt,
    Replacement,
)
from anchors.tenders.audit import (
    AuditVerdict,
    FinalState,
    LogPart,
    PeriodLeaves,
    ProvenLog,
    SignedReceipt,
    SignedReplacement,
    audit,
    range_path,
    write_audit,
)

FOUR = NAMES[:4]


@dataclass(frozen=True)
class Block:
    """A block with one transaction before ours and one after it."""

    number: int
    time: int
    receipts: list[dict[str, Any]]
    state_root: bytes
    consensus: str

    @property
    def trie(self) -> Trie:
        return receipts_trie(self.receipts)

    def sealed(self, receipts_root: bytes) -> tuple[bytes, Finality | None]:
        """The header, and what shows beside it that it is sealed."""
        changes = ((3, self.state_root), (5, receipts_root), (11, rlp.from_uint(self.time)))
        if self.consensus == "clique":
            by = [FOUR[(self.number + at) % 4] for at in range(4)]
            header, *later = [block.raw for block in clique_chain(FOUR, self.number, by, changes)]
            return header, Finality(tuple(later))
        block = BftBlock("qbft", FOUR, self.number)
        for at, value in changes:
            block = block.changed(at, value)
        return block.raw(FOUR[:3]), None

    def proven(self) -> ProvenLog:
        trie = self.trie
        header, finality = self.sealed(trie.root)
        return ProvenLog(Anchor(header, tuple(trie.prove(receipt_key(1))), Place(1, 1)), finality)


def receipt(logs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": "0x" + "00" * 256, "logs": logs, "type": "0x0"}


@dataclass(frozen=True)
class Audited:
    """A life on a chain, and the file that an audit reads."""

    life: Life
    consensus: str = "qbft"

    @cached_property
    def blocks(self) -> list[Block]:
        """A block for each event, in order, beside events of others."""
        other = {"address": "0x" + "33" * 20, "topics": [], "data": "0x"}
        return [
            Block(
                *(100 + number, each.time),
                [receipt([]), receipt([other, each.log]), receipt([other])],
                *(self.state_root, self.consensus),
            )
            for number, each in enumerate(self.life.emitted)
        ]

    @cached_property
    def storage(self) -> Trie:
        words = {keccak256(word(n)): rlp.encode(rlp.from_uint(n + 7)) for n in range(40)}
        kept = {slot: value.to_bytes(32, "big").lstrip(b"\0") for slot, value in self.words.items() if value}
        return Trie(words | {keccak256(slot): rlp.encode(value) for slot, value in kept.items()})

    @property
    def words(self) -> dict[bytes, int]:
        return self.life.storage

    @cached_property
    def accounts(self) -> Trie:
        items = {keccak256(word(n)): rlp.encode([b"\1", b"", key("root"), key("code")]) for n in range(40)}
        return Trie({**items, keccak256(REGISTER): rlp.encode([b"\1", b"", self.storage.root, CODE])})

    @property
    def state_root(self) -> bytes:
        return self.accounts.root

    def events(self, *left_out: str) -> list[ProvenLog]:
        return [
            block.proven()
            for block, each in zip(self.blocks, self.life.emitted, strict=True)
            if each.name not in left_out
        ]

    def state(self, time: int = DEADLINE + 30 * DAY, number: int = 500) -> FinalState:
        header, finality = Block(number, time, [], self.state_root, self.consensus).sealed(Trie({}).root)
        nodes = [node for slot in self.words for node in self.storage.prove(keccak256(slot))]
        return FinalState(header, finality, (*self.accounts.prove(keccak256(REGISTER)), *nodes))

    def receipts(self, names: Sequence[str] = ("echo",), **changes: Any) -> list[SignedReceipt]:
        return [self.receipt(name, **changes) for name in names]

    def receipt(
        self, name: str, at: int = DEADLINE - 60, by: str | None = None, tender: bytes | None = None
    ) -> SignedReceipt:
        act = BidReceipt(tender or self.life.name, commitment(name), 55, at)
        signer = by or f"{CODES[HOST - 1]} receipt signer"
        return SignedReceipt(act, sign_digest(key(signer), act.digest(REGISTER, CHAIN_ID)))

    def replacements(self) -> list[SignedReplacement]:
        return [self.replacement("alpha", commitment("alpha again")), self.replacement("beta", bytes(32))]

    def replacement(
        self,
        name: str,
        by: bytes,
        signer: str | None = None,
        at: int = DEADLINE - HOUR,
        tender: bytes | None = None,
    ) -> SignedReplacement:
        act = Replacement(tender or self.life.name, commitment(name), by, at)
        signature = sign_digest(key(signer or f"{name} holder"), act.digest(REGISTER, CHAIN_ID))
        return SignedReplacement(act, layout(name), signature)

    def log(self, periods: Sequence[int] = (0, 1, 3), size: int = SIZE) -> LogPart:
        return LogPart(size, tuple(self.period(number, size) for number in periods))

    def period(self, number: int, size: int = SIZE) -> PeriodLeaves:
        leaves, first = self.life.leaves, number * SLOTS
        own, following = (period_key(SECRET, ORIGIN, number + at) for at in (0, 1))
        path = range_path(first, first + SLOTS, size, node_reader(leaves[:size]))
        return PeriodLeaves(first, tuple(leaves[first : first + SLOTS]), own, following, path)

    def file(self, *left_out: str, **changes: Any) -> bytes:
        """The audit's file, of everything unless told otherwise."""
        parts: dict[str, Any] = {
            "events": self.events(*left_out),
            "state": self.state(),
            "receipts": self.receipts(),
            "replacements": self.replacements(),
            "log": self.log(),
            "draws": [held().write()],
        }
        parts |= changes
        return write_audit(self.life.name, parts.pop("events"), parts.pop("state"), **parts)

    @property
    def network(self) -> Network:
        return governed(
            Network(
                format=FORMAT,
                alliance="西部公共资源交易联盟",
                domain=DOMAIN,
                version=1,
                chain_id=CHAIN_ID,
                genesis_hash=key("genesis"),
                consensus=self.consensus,
                validators=(ValidatorSet(0, None, pin(FOUR).addresses),),
                contracts=(
                    Contract("TenderRegister", REGISTER, CODE, 10, None),
                    Contract("EvidenceLog", LOG, LOG_CODE, 10, None),
                ),
                members=tuple(_member(number, code) for number, code in enumerate(CODES, start=1)),
                governors=tuple(
                    Governor(number, address(f"{code} governor"), 0, None) for number, code in enumerate(CODES, start=1)
                ),
                threshold=9,
                signatures=(),
            )
        )

    @property
    def network_file(self) -> bytes:
        return write_network(self.network)

    def judge(self, file: bytes | None = None, **reader: Any) -> AuditVerdict:
        return audit(self.file() if file is None else file, self.network_file, **reader)


def _member(number: int, code: str) -> Member:
    origin_key = log_signer(code).verifier.vkey
    renamed = origin_key.replace("/31337/", f"/{CHAIN_ID}/")
    signer = ReceiptSigner(address(f"{code} receipt signer"), START, None)
    return Member(number, code, code.title(), (LogKey(0, renamed, 0, None),), (signer,))


def node_reader(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Complete subtrees of a log, as its tiles give them."""
    return lambda level, index: Levels.over(leaves[index << level : (index + 1) << level]).root


def altered(file: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file with its JSON changed."""
    content = json.loads(file)
    change(content)
    return json.dumps(content).encode()


def outcome(verdict: AuditVerdict, rule: str) -> str:
    return next(each.outcome.value for each in verdict.rules if each.rule == rule)


def detail(verdict: AuditVerdict, rule: str) -> str:
    return next(each.detail for each in verdict.rules if each.rule == rule)
