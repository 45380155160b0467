"""An alliance whose four members keep a credit register and a recognition matrix, and how a test acts in it.

What is signed is hashed by eth-account from the typed data as EIP-712 describes it, and the chains of links are folded
here as docs/adr/0015 draws them: nothing shares code with what is tested.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import date
from typing import Any

from eth_account.signers.local import LocalAccount
from founded_alliance import CREDIT_PUBLISHER, DAY, GOVERNOR, REGULATOR, SEATS, Alliance, deploy, key, new_member, word
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import TxReceipt

HONOUR, GENERAL, SERIOUS = 1, 2, 3
PUBLISHED, OBJECTED, UPHELD, CORRECTED, WITHDRAWN, REPAIRED = 1, 2, 3, 4, 5, 6
MEASURES = {HONOUR: 0b0110, GENERAL: 0b0011_0000, SERIOUS: 0b1111_0000}
SUBJECT = bytes(Web3.keccak(text="a company"))
REASON = b"\x72" * 32
GROUNDS, PLEDGE, NOTHING = b"\x67" * 32, b"\x70" * 32, bytes(32)
SENDER = key("whoever sends")
HOUR = 3_600
CHINESE_TIME = 8 * HOUR

_RECORD = (
    "CreditRecord(bytes32 subject,uint16 member,uint8 kind,uint32 decidedOn,uint32 lastDay,uint32 earlier,"
    "uint256 measures,bytes32 statement,bytes32 document)"
)
_CHANGE = "CreditChange(bytes32 leaf,uint8 state,bytes32 grounds,bytes32 pledge,bytes32 content)"
_PUBLICATION = "CreditPublication(CreditRecord[] records,uint64 deadline)"
_OF_KIND = (
    "RecognitionOfKind(uint16 member,uint16 issuer,uint8 kind,bool applied,bytes32 reason,uint32 earlier,"
    "uint64 deadline)"
)
_OF_RECORD = (
    "RecognitionOfRecord(uint16 member,bytes32 record,bool applied,bytes32 reason,uint32 earlier,uint64 deadline)"
)
_CHANGES = "CreditChanges(CreditChange[] changes,uint64 deadline)"

Signature = tuple[bytes, bytes]  # r, and s with the parity in its highest bit
Step = tuple[bytes, int, bytes, bytes, bytes]  # the fields of a CreditChange


@dataclass(frozen=True)
class Record:
    """What is published of a subject."""

    subject: bytes
    member: int
    kind: int
    decided_on: int
    last_day: int
    earlier: int
    measures: int
    statement: bytes
    document: bytes

    @property
    def content(self) -> tuple[int, int, bytes, bytes]:
        """All but the subject, as the contract takes it."""
        terms = self.member | self.kind << 16 | self.decided_on << 24 | self.last_day << 56 | self.earlier << 88
        return (terms, self.measures, self.statement, self.document)

    @property
    def hash(self) -> bytes:
        return _keccak(bytes(Web3.keccak(text=_RECORD)), *astuple(self))


@dataclass(frozen=True)
class Link:
    """How a record stands after its publication or a change, and the subject's word before that."""

    word: bytes
    record: bytes
    now: Record
    state: int
    signed: bytes
    time: int

    @property
    def leaf(self) -> bytes:
        return _keccak(self.now.hash, self.state, self.signed, self.time)

    @property
    def next_word(self) -> bytes:
        count = int.from_bytes(self.word[:4], "big") + 1
        return count.to_bytes(4, "big") + _keccak(self.word, self.record, self.leaf)[4:]

    def step(self, state: int, grounds: bytes = GROUNDS, pledge: bytes = NOTHING, now: Record | None = None) -> Step:
        """The change that follows."""
        return (self.leaf, state, grounds, pledge, (now or self.now).hash)


@dataclass
class Subject:
    """All that became of a subject, one link after the other."""

    links: list[Link] = field(default_factory=list)

    @property
    def word(self) -> bytes:
        return self.links[-1].next_word if self.links else NOTHING

    def word_at(self, count: int) -> bytes:
        return self.links[count].word if count < len(self.links) else self.word

    def last(self, record: bytes) -> Link:
        """The link that last named the record."""
        return next(link for link in reversed(self.links) if link.record == record)

    def since(self, count: int) -> list[bytes]:
        """The links from number `count` on, as they are shown."""
        return [part for link in self.links[count:] for part in (link.record, link.leaf)]

    def since_publication(self, record: Record) -> list[bytes]:
        """What is shown with a record that was drawn up before the subject's last links."""
        shown = self.since(record.earlier)
        return [self.word_at(record.earlier), *shown] if shown else []

    def since_last(self, record: bytes) -> list[bytes]:
        """What is shown with a change of the record."""
        return self.since(self.links.index(self.last(record)) + 1)

    def publish(self, record: Record, time: int) -> Link:
        self.links.append(Link(self.word, record.hash, record, PUBLISHED, record.hash, time))
        return self.links[-1]

    def change(self, record: bytes, step: Step, time: int, now: Record | None = None) -> Link:
        before, signed = self.last(record), _keccak(bytes(Web3.keccak(text=_CHANGE)), *step)
        self.links.append(Link(self.word, record, now or before.now, step[1], signed, time))
        return self.links[-1]


@dataclass(frozen=True)
class CreditAlliance(Alliance):
    """Members 1 to 4; each has a governor, a credit publisher and a regulator."""

    register: Contract
    matrix: Contract

    @property
    def contracts(self) -> tuple[Contract, ...]:
        return (self.registry, self.register, self.matrix)

    @staticmethod
    def publisher(member: int) -> LocalAccount:
        return key(f"publisher {member}")

    @staticmethod
    def regulator(member: int) -> LocalAccount:
        return key(f"regulator {member}")

    @property
    def today(self) -> int:
        return (self.now + CHINESE_TIME) // DAY

    def record(self, **changes: Any) -> Record:
        """A record of general dishonesty that was decided today and stands for half a year."""
        kind = changes.get("kind", GENERAL)
        plain = Record(SUBJECT, 1, kind, self.today, 0, 0, MEASURES[kind], b"\x73" * 32, b"\x64" * 32)
        changed = replace(plain, **changes)
        months = {HONOUR: 12, GENERAL: 6, SERIOUS: 24}.get(kind, 6)
        return changed if "last_day" in changes else replace(changed, last_day=months_after(changed.decided_on, months))

    # ---- publish ----

    def publishing(self, records: Sequence[Record], links: Sequence[bytes] = (), **signed: Any) -> ContractFunction:
        """Publish with the signatures that it takes, unless `signed` has others (see `_pair`)."""
        deadline = signed.pop("deadline", self.now + HOUR)
        data = self.publication(signed.pop("agreed", records), deadline, **signed.pop("domain", {}))
        serious = any(record.kind == SERIOUS for record in records)
        others = [self.regulator(n) for n in range(1, SEATS + 1) if n != records[0].member]
        endorsements = [sign(each, data) for each in signed.pop("endorsers", others if serious else [])]
        pair = self._pair(records[0].member, data, **signed)
        given = [(record.subject, record.content) for record in records]
        return self.register.functions.publish(given, list(links), deadline, pair, endorsements)

    def publish(self, subject: Subject, record: Record) -> Link:
        """Publish one record and follow it."""
        done = self.send(SENDER, self.publishing([record], subject.since_publication(record)))
        return subject.publish(record, self.time_of(done))

    # ---- change ----

    def deciding(self, moves: Sequence[tuple[Subject, bytes, Step]], **signed: Any) -> ContractFunction:
        """Uphold, withdraw or repair: each move is a subject, a record of it, and the step."""
        deadline = signed.pop("deadline", self.now + HOUR)
        data = self.changes([step for _, _, step in moves], deadline, **signed.pop("domain", {}))
        given = [change(subject.last(record), step) for subject, record, step in moves]
        links = signed.pop("links", [part for subject, record, _ in moves for part in subject.since_last(record)])
        pair = self._pair(moves[0][0].last(moves[0][1]).now.member, data, **signed)
        return self.register.functions.decide(given, links, deadline, pair)

    def decide(self, subject: Subject, record: bytes, state: int) -> Link:
        """Uphold, withdraw or repair one record and follow it."""
        step = subject.last(record).step(state, pledge=PLEDGE if state == REPAIRED else NOTHING)
        done = self.send(SENDER, self.deciding([(subject, record, step)]))
        return subject.change(record, step, self.time_of(done))

    def objecting(self, subject: Subject, record: bytes, step: Step | None = None, **signed: Any) -> ContractFunction:
        last = subject.last(record)
        step = step or last.step(OBJECTED)
        deadline = signed.pop("deadline", self.now + HOUR)
        by = sign(signed.pop("publisher", self.publisher(2)), self.changes([step], deadline, **signed))
        return self.register.functions.objectTo(change(last, step), subject.since_last(record), deadline, by)

    def object_to(self, subject: Subject, record: bytes) -> Link:
        done = self.send(SENDER, self.objecting(subject, record))
        return subject.change(record, subject.last(record).step(OBJECTED), self.time_of(done))

    def correcting(self, subject: Subject, record: bytes, now: Record, **signed: Any) -> ContractFunction:
        last = subject.last(record)
        step = signed.pop("step", last.step(CORRECTED, now=now))
        deadline = signed.pop("deadline", self.now + HOUR)
        pair = self._pair(last.now.member, self.changes([step], deadline, **signed.pop("domain", {})), **signed)
        links = subject.since_last(record)
        return self.register.functions.correct(change(last, step), now.content, links, deadline, pair)

    def correct(self, subject: Subject, record: bytes, now: Record) -> Link:
        step = subject.last(record).step(CORRECTED, now=now)
        done = self.send(SENDER, self.correcting(subject, record, now))
        return subject.change(record, step, self.time_of(done), now)

    # ---- recognise ----

    def choosing(self, member: int, about: tuple[int, int] | bytes, **fields: Any) -> ContractFunction:
        """Opt out of an issuer's kind or of a record, or in again, as `fields` and `signed` say."""
        signed = {name: fields.pop(name) for name in ("publisher", "regulator") if name in fields}
        domain = {"verifyingContract": self.matrix.address, **fields.pop("domain", {})}
        plain = {"applied": False, "reason": REASON, "earlier": 0, "deadline": self.now + HOUR}
        subject = about if isinstance(about, tuple) else (about,)
        values = (member, *subject, *{**plain, **fields}.values())
        kind = _OF_KIND if isinstance(about, tuple) else _OF_RECORD
        data = (self._domain(**domain), _types(kind), _message(kind, values))
        functions = self.matrix.functions
        choose = functions.recogniseKind if isinstance(about, tuple) else functions.recogniseRecord
        return choose(*values, self._pair(member, data, **signed))

    def applies(self, member: int, issuer: int, kind: int, record: bytes = b"\1" * 32) -> bool:
        return bool(self.matrix.functions.applies(member, issuer, kind, record).call())

    # ---- read ----

    def word(self, subject: bytes = SUBJECT) -> bytes:
        return bytes(self.register.functions.subjectWord(subject).call())

    def time_of(self, done: TxReceipt) -> int:
        return self.web3.eth.get_block(done["blockNumber"])["timestamp"]

    # ---- sign ----

    def publication(self, records: Sequence[Record], deadline: int, **domain: Any) -> tuple[Any, ...]:
        message = {"records": [_message(_RECORD, astuple(record)) for record in records], "deadline": deadline}
        return (self._domain(**domain), {**_types(_PUBLICATION), **_types(_RECORD)}, message)

    def changes(self, steps: Sequence[Step], deadline: int, **domain: Any) -> tuple[Any, ...]:
        message = {"changes": [_message(_CHANGE, step) for step in steps], "deadline": deadline}
        return (self._domain(**domain), {**_types(_CHANGES), **_types(_CHANGE)}, message)

    def _domain(self, **changes: Any) -> dict[str, Any]:
        address, chain = self.register.address, self.web3.eth.chain_id
        return {"name": "bidledger", "version": "1", "chainId": chain, "verifyingContract": address, **changes}

    def _pair(self, member: int, data: tuple[Any, ...], **by: LocalAccount) -> tuple[Signature, Signature]:
        """The member's two signatures, or those of `publisher` and `regulator`."""
        publisher, regulator = by.pop("publisher", self.publisher(member)), by.pop("regulator", self.regulator(member))
        assert not by, by
        return sign(publisher, data), sign(regulator, data)


def change(last: Link, step: Step) -> tuple[Any, ...]:
    """A Change as the contract takes it."""
    before = (last.now.content, last.state, last.signed, last.time, last.word)
    return (last.now.subject, last.record, *before, *step[1:4])


def sign(account: LocalAccount, data: tuple[Any, ...]) -> Signature:
    """Sign typed data, and write the signature as EIP-2098 has it."""
    signed = account.sign_typed_data(*data)
    return signed.r.to_bytes(32, "big"), ((signed.v - 27) << 255 | signed.s).to_bytes(32, "big")


def months_after(day: int, months: int) -> int:
    """The day with the same number some months later, by Python's calendar; the tests keep off the ends of months."""
    start = date.fromordinal(date(1970, 1, 1).toordinal() + day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for number in range(start.day, start.day - 4, -1):
        try:
            return (date(year, month + 1, number) - date(1970, 1, 1)).days
        except ValueError:
            continue
    raise AssertionError(start)


def credit_members() -> list[tuple[Any, ...]]:
    roles = (("governor", GOVERNOR), ("publisher", CREDIT_PUBLISHER), ("regulator", REGULATOR))
    return [
        new_member(f"centre-{n}", [(key(f"{name} {n}").address, role) for name, role in roles])
        for n in range(1, SEATS + 1)
    ]


def found_credit(web3: Web3, artifacts: dict[str, dict[str, Any]]) -> CreditAlliance:
    """Deploy the registry with the catalogue's measures, and the register."""
    names = {HONOUR: "measures:honour", GENERAL: "measures:general", SERIOUS: "measures:serious"}
    parameters = [(word(names[kind]), measures) for kind, measures in MEASURES.items()]
    registry = deploy(web3, artifacts["AllianceRegistry"], credit_members(), parameters, [])
    register = deploy(web3, artifacts["CreditRegister"], registry.address)
    matrix = deploy(web3, artifacts["RecognitionMatrix"], registry.address)
    alliance = CreditAlliance(web3, registry, registry, register, matrix)
    alliance.vote(registry.functions.setSystemContract(word("CreditRegister"), register.address))
    alliance.vote(registry.functions.setSystemContract(word("RecognitionMatrix"), matrix.address))
    return alliance


def _keccak(*values: bytes | int) -> bytes:
    return bytes(Web3.keccak(b"".join(v if isinstance(v, bytes) else v.to_bytes(32, "big") for v in values)))


def _types(kind: str) -> dict[str, list[dict[str, str]]]:
    name, _, fields = kind.rstrip(")").partition("(")
    return {name: [dict(zip(("type", "name"), each.split(), strict=True)) for each in fields.split(",")]}


def _message(kind: str, values: Sequence[Any]) -> dict[str, Any]:
    (fields,) = _types(kind).values()
    return {each["name"]: value for each, value in zip(fields, values, strict=True)}
