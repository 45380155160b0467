"""The events of a tender, read from their logs.

Promises the one reading that the contract's encoding has, or EventUnreadable. Nothing is checked here that a rule is
about: the list of opened bids stays as it was given. That a log is in a block is proven before, what the events come to
is for `anchors.tenders.audit.story`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from anchors.chain.keccak import keccak256
from anchors.chain.receipts import Log
from anchors.errors import EventUnreadable
from anchors.tenders.acts import Notice
from anchors.tenders.claims import Answer
from anchors.tenders.evaluators import Evaluators

__all__ = [
    "EVIDENCE_LOG",
    "TENDER_REGISTER",
    "Answered",
    "Awarded",
    "CandidatesNamed",
    "Claimed",
    "Closed",
    "Evaluated",
    "Event",
    "Failed",
    "LogAnchored",
    "NoticeAmended",
    "Objected",
    "Opened",
    "Published",
    "Ruled",
    "Told",
    "read_event",
]

TENDER_REGISTER: Final = "TenderRegister"  # as the network file names the contracts
EVIDENCE_LOG: Final = "EvidenceLog"

_U8, _U16, _U32, _U64, _U160 = (1 << bits for bits in (8, 16, 32, 64, 160))


@dataclass(frozen=True, slots=True)
class Event:
    """What all of a register's events have."""

    CONTRACT: ClassVar[str] = TENDER_REGISTER

    tender: bytes  # its name, 32 bytes


@dataclass(frozen=True, slots=True)
class Published(Event):
    """TenderPublished."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class NoticeAmended(Event):
    """TenderAmended."""

    version: int
    digest: bytes
    reason: bytes
    deadline: int
    opening: int


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """BidsClosed."""

    host: int
    log: bytes  # address, 20 bytes
    generation: int
    size: int


@dataclass(frozen=True, slots=True)
class Opened(Event):
    """BidsOpened."""

    manifest: bytes
    root: bytes
    count: int
    on_receipt: int
    record: bytes
    officer: bytes
    entries: bytes  # as they were given
    refusals: bytes


@dataclass(frozen=True, slots=True)
class Evaluated(Event):
    """TenderEvaluated."""

    evaluation: bytes
    round: int
    report: bytes
    sites: int
    panel: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class CandidatesNamed(Event):
    """CandidatesPublished."""

    candidates: bytes
    list: bytes
    until: int
    officer: bytes


@dataclass(frozen=True, slots=True)
class Objected(Event):
    """ObjectionMade."""

    grounds: bytes
    candidates: bytes
    member: int
    officer: bytes


@dataclass(frozen=True, slots=True)
class Ruled(Event):
    """ObjectionRuled."""

    grounds: bytes
    upheld: bool
    ruling: bytes
    officer: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class Awarded(Event):
    """TenderAwarded."""

    award: bytes
    officer: bytes
    regulator: bytes
    panel: Evaluators


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """TenderFailed; zeros, but for the tender, because too few bids were opened."""

    reason: bytes
    officer: bytes
    regulator: bytes


@dataclass(frozen=True, slots=True)
class Claimed(Event):
    """BidClaimed."""

    commitment: bytes
    member: int
    late: bool
    index: int
    received_at: int
    answer_by: int


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """ClaimAnswered."""

    commitment: bytes
    answer: Answer
    by: bytes


@dataclass(frozen=True, slots=True)
class LogAnchored:
    """Anchored, of a member's log."""

    CONTRACT: ClassVar[str] = EVIDENCE_LOG

    member: int
    generation: int
    size: int
    root: bytes


Told: TypeAlias = Event | LogAnchored


def read_event(log: Log) -> Told:
    """Read a log.

    Raises:
        EventUnreadable: it is no event of a tender or anchor, or not as the contract writes it.
    """
    read = _READERS.get(log.topics[0]) if log.topics else None
    if read is None:
        raise EventUnreadable("of another name")
    words = _Words([*log.topics[1:]], log.data)
    event = read(words)
    words.end()
    return event


class _Words:
    """The words of a log in the order of its event's fields, each read once; each must fit its type."""

    def __init__(self, topics: list[bytes], data: bytes) -> None:
        self._topics = topics
        self._data = data
        self._at = 0

    def topic(self) -> bytes:
        """The next indexed word."""
        if not self._topics:
            raise EventUnreadable("it indexes too little")
        return self._topics.pop(0)

    def indexed(self, bound: int) -> int:
        """The next indexed number."""
        return _bounded(self.topic(), bound)

    def word(self) -> bytes:
        """The next word of the data."""
        word = self._data[self._at : self._at + 32]
        if len(word) < 32:
            raise EventUnreadable("its data end early")
        self._at += 32
        return word

    def number(self, bound: int = 1 << 256) -> int:
        """The next number of the data."""
        return _bounded(self.word(), bound)

    def address(self) -> bytes:
        """The next address of the data."""
        return self.number(_U160).to_bytes(20, "big")

    def tails(self, *units: int) -> list[bytes]:
        """The parts of the data that have no fixed length, all of them; they are the last to be read."""
        places = [self.number() for _ in units]
        found = []
        for place, unit in zip(places, units, strict=True):
            if place != self._at:
                raise EventUnreadable("its parts are not where the contract puts them")
            length = self.number(len(self._data) + 1) * unit
            found.append(self._data[self._at : self._at + length])
            self._at += -(-length // 32) * 32
            if self._at > len(self._data):
                raise EventUnreadable("its data end early")
            if any(self._data[self._at - (-length % 32) : self._at]):
                raise EventUnreadable("its data are not filled with zeros")
        return found

    def end(self) -> None:
        """Nothing may be left."""
        if self._topics or self._at != len(self._data):
            raise EventUnreadable("it says more than its event has")


def _bounded(word: bytes, bound: int) -> int:
    number = int.from_bytes(word, "big")
    if number >= bound:
        raise EventUnreadable("a number is past its type")
    return number


def _published(words: _Words) -> Published:
    tender, host = words.topic(), words.indexed(_U16)
    members, digest, former = words.number(), words.word(), words.word()
    return Published(
        tender,
        Notice(host, members, digest, former, words.number(_U64), words.number(_U64), words.number(_U16)),
    )


def _amended(words: _Words) -> NoticeAmended:
    tender, version = words.topic(), words.indexed(_U16)
    return NoticeAmended(tender, version, words.word(), words.word(), words.number(_U64), words.number(_U64))


def _closed(words: _Words) -> Closed:
    tender, host = words.topic(), words.indexed(_U16)
    return Closed(tender, host, words.address(), words.number(_U32), words.number(_U64))


def _opened(words: _Words) -> Opened:
    tender, manifest = words.topic(), words.topic()
    root, count, on_receipt, record = words.word(), words.number(_U32), words.number(_U32), words.word()
    officer = words.address()
    entries, refusals = words.tails(1, 1)
    return Opened(tender, manifest, root, count, on_receipt, record, officer, entries, refusals)


def _evaluated(words: _Words) -> Evaluated:
    tender, evaluation = words.topic(), words.topic()
    round_, report, sites = words.number(_U16), words.word(), words.number()
    return Evaluated(tender, evaluation, round_, report, sites, words.word(), words.word())


def _candidates(words: _Words) -> CandidatesNamed:
    return CandidatesNamed(words.topic(), words.topic(), words.word(), words.number(_U64), words.address())


def _objected(words: _Words) -> Objected:
    return Objected(words.topic(), words.topic(), words.word(), words.number(_U16), words.address())


def _ruled(words: _Words) -> Ruled:
    tender, grounds, upheld = words.topic(), words.topic(), bool(words.number(2))
    return Ruled(tender, grounds, upheld, words.word(), words.address(), words.address())


def _awarded(words: _Words) -> Awarded:
    tender, award, officer, regulator = words.topic(), words.topic(), words.address(), words.address()
    salt = words.word()
    drawn, signers = (_split(part) for part in words.tails(32, 32))
    return Awarded(tender, award, officer, regulator, Evaluators(salt, drawn, signers))


def _split(part: bytes) -> tuple[bytes, ...]:
    return tuple(part[at : at + 32] for at in range(0, len(part), 32))


def _failed(words: _Words) -> Failed:
    return Failed(words.topic(), words.topic(), words.address(), words.address())


def _claimed(words: _Words) -> Claimed:
    tender, commitment, member = words.topic(), words.topic(), words.number(_U16)
    late = bool(words.number(2))
    return Claimed(tender, commitment, member, late, words.number(_U64), words.number(_U64), words.number(_U64))


def _answered(words: _Words) -> Answered:
    tender, commitment, answer = words.topic(), words.topic(), words.number(_U8)
    if answer not in set(Answer):
        raise EventUnreadable("its answer is none")
    return Answered(tender, commitment, Answer(answer), words.word())


def _anchored(words: _Words) -> LogAnchored:
    member, generation, size, root = words.indexed(_U16), words.number(_U32), words.number(_U64), words.word()
    words.number(_U64)  # how many anchors there were
    return LogAnchored(member, generation, size, root)


def _named(readers: Sequence[tuple[str, Callable[[_Words], Told]]]) -> Mapping[bytes, Callable[[_Words], Told]]:
    return {keccak256(signature.encode()): read for signature, read in readers}


_READERS: Final = _named(
    (
        ("TenderPublished(bytes32,uint16,uint256,bytes32,bytes32,uint64,uint64,uint16)", _published),
        ("TenderAmended(bytes32,uint16,bytes32,bytes32,uint64,uint64)", _amended),
        ("BidsClosed(bytes32,uint16,address,uint32,uint64)", _closed),
        ("BidsOpened(bytes32,bytes32,bytes32,uint32,uint32,bytes32,address,bytes,bytes)", _opened),
        ("TenderEvaluated(bytes32,bytes32,uint16,bytes32,uint256,bytes32,bytes32)", _evaluated),
        ("CandidatesPublished(bytes32,bytes32,bytes32,uint64,address)", _candidates),
        ("ObjectionMade(bytes32,bytes32,bytes32,uint16,address)", _objected),
        ("ObjectionRuled(bytes32,bytes32,bool,bytes32,address,address)", _ruled),
        ("TenderAwarded(bytes32,bytes32,address,address,bytes32,bytes32[],bytes32[])", _awarded),
        ("TenderFailed(bytes32,bytes32,address,address)", _failed),
        ("BidClaimed(bytes32,bytes32,uint16,bool,uint64,uint64,uint64)", _claimed),
        ("ClaimAnswered(bytes32,bytes32,uint8,bytes32)", _answered),
        ("Anchored(uint16,uint32,uint64,bytes32,uint64)", _anchored),
    )
)
