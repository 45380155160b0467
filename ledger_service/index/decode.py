"""From a log's topics and data to its event, by hand: the layouts are few and fixed, and a backfill reads many.

The logs come from receipts that were held against a header, and from contracts whose code is pinned, so their form is
given; bytes that still do not fit end in UnreadableLog and never in a guess.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from anchors.chain.keccak import keccak256
from anchors.credit import Kind, State
from anchors.errors import AnchorsError
from anchors.tenders import Answer, parse_bids, parse_refusals
from ledger_service.errors import ServiceError
from ledger_service.index import events, tender_events
from ledger_service.index.events import Event, Place


class UnreadableLog(ServiceError):
    """A contract of the alliance has emitted what this version does not know."""

    problem, title = "unreadable-log", "The index cannot read a log"


class RawLog(NamedTuple):
    """One log of one of our contracts, as its receipt holds it."""

    place: Place
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def decode(log: RawLog) -> Event:
    """Read the event that `log` is.

    Raises:
        UnreadableLog: its first topic, or the length of what follows, is not that of a known event.
    """
    layout = LAYOUTS.get(log.topics[0]) if log.topics else None
    if layout is None or len(log.topics) != layout.topics:
        raise _unreadable(log, "it is no event that this version knows; is the service older than the contracts?")
    try:
        return layout.read(log)
    except (struct.error, ValueError, AnchorsError) as error:
        raise _unreadable(log, f"its data is not that of the event: {error}") from error


@dataclass(frozen=True, slots=True)
class Layout:
    """How one event is written."""

    signature: str
    topics: int  # with the signature's hash
    read: Callable[[RawLog], Event]


def _unreadable(log: RawLog, why: str) -> UnreadableLog:
    topic = log.topics[0].hex() if log.topics else "none"
    return UnreadableLog(
        f"log {log.place.log_index} of transaction {log.place.transaction_index} in block {log.place.block_number}, "
        f"by 0x{log.address.hex()} with topic {topic}, cannot be read: {why}"
    )


# Words are 32 bytes, numbers at their right end, bytes32 whole.
_ANCHORED: Final = Struct(">28xI24xQ32s24xQ")
_CHECKPOINT: Final = Struct(">28xI24xQ32s")
_BROKEN: Final = Struct(">28xI24xQ32s32s")
_LATE: Final = Struct(">28xI24xQ24xQ")
_LOG_KEY: Final = Struct(">32s28xI24xQ")
_GRANTED: Final = Struct(">31xB24xQ24xQ")
_REVOKED: Final = Struct(">31xB24xQ28xI24xQ")
_TWO_TIMES: Final = Struct(">24xQ24xQ")
_PROPOSED: Final = Struct(">12x20s12x20s32x24xQ")
_SMALL: Final = Struct(">24xQ")
_ADDRESS: Final = Struct(">12x20s")
_WORD: Final = Struct(">32s")
# CreditRegister's Content: the word of Terms (see contracts/libraries/CreditTerms.sol), measures, statement, document.
_CONTENT: Final = Struct(">17xIIIBH32s32s32s")
_PUBLISHED: Final = Struct(">128s12x20s12x20s32s")
_OBJECTED: Final = Struct(">30xH32s12x20s")
_CHANGED: Final = Struct(">31xB32s32s12x20s12x20s")
_CORRECTED: Final = Struct(">128s32s12x20s12x20s")
_OF_KIND: Final = Struct(">31xB31xB32s12x20s12x20s")
_OF_RECORD: Final = Struct(">31xB32s12x20s12x20s")
_NOTICE: Final = Struct(">32s32s32s24xQ24xQ30xH")
_AMENDMENT: Final = Struct(">32s32s24xQ24xQ")
_CLOSED: Final = Struct(">12x20s28xI24xQ")
_OPENED: Final = Struct(">32s28xI28xI32s12x20s64x")
_EVALUATED: Final = Struct(">30xH32s32s32s32s")
_CANDIDATES: Final = Struct(">32s24xQ12x20s")
_HANDED_IN: Final = Struct(">32s30xH12x20s")
_RULED: Final = Struct(">31xB32s12x20s12x20s")
_AWARDED: Final = Struct(">12x20s12x20s32s64x")
_TWO_SIGNERS: Final = Struct(">12x20s12x20s")
_CLAIMED: Final = Struct(">30xH31xB24xQ24xQ24xQ")
_ANSWERED: Final = Struct(">31xB32s")


def _anchored(log: RawLog) -> Event:
    return events.Anchored(_number(log.topics[1]), *_ANCHORED.unpack(log.data))


def _generation_closed(log: RawLog) -> Event:
    return events.GenerationClosed(_number(log.topics[1]), *_CHECKPOINT.unpack(log.data))


def _receipt_broken(log: RawLog) -> Event:
    return events.ReceiptBroken(_number(log.topics[1]), log.topics[2], *_BROKEN.unpack(log.data))


def _receipt_late(log: RawLog) -> Event:
    return events.ReceiptLate(_number(log.topics[1]), log.topics[2], *_LATE.unpack(log.data))


def _member_added(log: RawLog) -> Event:
    code, log_key = log.data[:32], log.data[64:96]
    return events.MemberAdded(_number(log.topics[1]), _ascii(code), _text(_tail(log.data, 32)), log_key)


def _member_status_changed(log: RawLog) -> Event:
    return events.MemberStatusChanged(_number(log.topics[1]), events.Status(_SMALL.unpack(log.data)[0]))


def _member_renamed(log: RawLog) -> Event:
    return events.MemberRenamed(_number(log.topics[1]), _text(_tail(log.data, 0)))


def _log_key_changed(log: RawLog) -> Event:
    return events.LogKeyChanged(_number(log.topics[1]), *_LOG_KEY.unpack(log.data))


def _role_granted(log: RawLog) -> Event:
    role, from_time, until_time = _GRANTED.unpack(log.data)
    return events.RoleGranted(_number(log.topics[1]), log.topics[2][12:], events.Role(role), from_time, until_time)


def _role_revoked(log: RawLog) -> Event:
    role, *rest = _REVOKED.unpack(log.data)
    return events.RoleRevoked(_number(log.topics[1]), log.topics[2][12:], events.Role(role), *rest)


def _regulator_requested(log: RawLog) -> Event:
    return events.RegulatorRequested(_number(log.topics[1]), log.topics[2][12:], *_TWO_TIMES.unpack(log.data))


def _regulator_seconded(log: RawLog) -> Event:
    return events.RegulatorSeconded(_number(log.topics[1]), log.topics[2][12:], *_SMALL.unpack(log.data))


def _parameter_changed(log: RawLog) -> Event:
    return events.ParameterChanged(_ascii(log.topics[1]), _number(*_WORD.unpack(log.data)))


def _system_contract_changed(log: RawLog) -> Event:
    return events.SystemContractChanged(_ascii(log.topics[1]), *_ADDRESS.unpack(log.data))


def _proposed(log: RawLog) -> Event:
    governor, target, lapses_at = _PROPOSED.unpack_from(log.data)
    return events.Proposed(
        _number(log.topics[1]), _number(log.topics[2]), governor, target, _tail(log.data, 64), lapses_at
    )


def _approved(log: RawLog) -> Event:
    return events.Approved(_number(log.topics[1]), _number(log.topics[2]), *_ADDRESS.unpack(log.data))


def _executed(log: RawLog) -> Event:
    if log.data:
        raise ValueError(f"{len(log.data)} bytes follow where none may")
    return events.Executed(_number(log.topics[1]))


def _record_published(log: RawLog) -> Event:
    content, publisher, regulator, endorsers = _PUBLISHED.unpack(log.data)
    return events.RecordPublished(
        log.topics[1], log.topics[2], log.address, _content(content), publisher, regulator, _number(endorsers)
    )


def _record_objected(log: RawLog) -> Event:
    return events.RecordObjected(log.topics[1], log.topics[2], log.address, *_OBJECTED.unpack(log.data))


def _record_changed(log: RawLog) -> Event:
    state, *rest = _CHANGED.unpack(log.data)
    return events.RecordChanged(log.topics[1], log.topics[2], log.address, State(state), *rest)


def _record_corrected(log: RawLog) -> Event:
    content, *rest = _CORRECTED.unpack(log.data)
    return events.RecordCorrected(log.topics[1], log.topics[2], log.address, _content(content), *rest)


def _kind_recognition_changed(log: RawLog) -> Event:
    kind, applied, *rest = _OF_KIND.unpack(log.data)
    return events.KindRecognitionChanged(
        _number(log.topics[1]), _number(log.topics[2]), Kind(kind), bool(applied), *rest
    )


def _record_recognition_changed(log: RawLog) -> Event:
    applied, *rest = _OF_RECORD.unpack(log.data)
    return events.RecordRecognitionChanged(_number(log.topics[1]), log.topics[2], bool(applied), *rest)


def _tender_published(log: RawLog) -> Event:
    members, *rest = _NOTICE.unpack(log.data)
    return tender_events.TenderPublished(*_named(log), _number(log.topics[2]), _number(members), *rest)


def _tender_amended(log: RawLog) -> Event:
    return tender_events.TenderAmended(*_named(log), _number(log.topics[2]), *_AMENDMENT.unpack(log.data))


def _bids_closed(log: RawLog) -> Event:
    return tender_events.BidsClosed(*_named(log), _number(log.topics[2]), *_CLOSED.unpack(log.data))


def _bids_opened(log: RawLog) -> Event:
    entries, refusals = parse_bids(_tail(log.data, 160)), parse_refusals(_tail(log.data, 192))
    said = (*_OPENED.unpack_from(log.data), entries, refusals)
    return tender_events.BidsOpened(*_named(log), log.topics[2], *said)


def _tender_evaluated(log: RawLog) -> Event:
    round_, report, sites, panel, result = _EVALUATED.unpack(log.data)
    return tender_events.TenderEvaluated(*_named(log), log.topics[2], round_, report, _number(sites), panel, result)


def _candidates_published(log: RawLog) -> Event:
    return tender_events.CandidatesPublished(*_named(log), log.topics[2], *_CANDIDATES.unpack(log.data))


def _objection_made(log: RawLog) -> Event:
    return tender_events.ObjectionMade(*_named(log), log.topics[2], *_HANDED_IN.unpack(log.data))


def _objection_ruled(log: RawLog) -> Event:
    upheld, *rest = _RULED.unpack(log.data)
    return tender_events.ObjectionRuled(*_named(log), log.topics[2], bool(upheld), *rest)


def _tender_awarded(log: RawLog) -> Event:
    said = (*_AWARDED.unpack_from(log.data), _words(log.data, 96), _words(log.data, 128))
    return tender_events.TenderAwarded(*_named(log), log.topics[2], *said)


def _tender_failed(log: RawLog) -> Event:
    return tender_events.TenderFailed(*_named(log), log.topics[2], *_TWO_SIGNERS.unpack(log.data))


def _bid_claimed(log: RawLog) -> Event:
    member, late, *rest = _CLAIMED.unpack(log.data)
    return tender_events.BidClaimed(*_named(log), log.topics[2], member, bool(late), *rest)


def _claim_answered(log: RawLog) -> Event:
    answer, by = _ANSWERED.unpack(log.data)
    return tender_events.ClaimAnswered(*_named(log), log.topics[2], Answer(answer), by)


def _named(log: RawLog) -> tuple[bytes, bytes]:
    """The tender, and the register that speaks of it."""
    return log.topics[1], log.address


def _content(words: bytes) -> events.Content:
    earlier, last_day, decided_on, kind, member, measures, statement, document = _CONTENT.unpack(words)
    return events.Content(member, Kind(kind), decided_on, last_day, earlier, _codes(measures), statement, document)


@lru_cache(maxsize=1 << 12)  # few of all that there could be are ever imposed
def _codes(measures: bytes) -> tuple[int, ...]:
    return tuple(code for code in range(1, 256) if measures[31 - code // 8] >> code % 8 & 1)


def _number(word: bytes) -> int:
    return int.from_bytes(word, "big")


def _tail(data: bytes, at: int) -> bytes:
    """The bytes or string whose offset stands at `at`."""
    start = _number(data[at : at + 32])
    length = _number(data[start : start + 32])
    found = data[start + 32 : start + 32 + length]
    if len(data) < at + 32 or len(data) < start + 32 or len(found) != length:
        raise ValueError("a string or bytes run past the end")
    return found


def _words(data: bytes, at: int) -> tuple[bytes, ...]:
    """The array of words whose offset stands at `at`."""
    start = _number(data[at : at + 32])
    count = _number(data[start : start + 32])
    if len(data) < start + 32 or len(data) < start + 32 + 32 * count:
        raise ValueError("an array runs past the end")
    places = range(start + 32, start + 32 + 32 * count, 32)
    return tuple(data[place : place + 32] for place in places)


def _ascii(word: bytes) -> str:
    return _text(word.rstrip(b"\0"))


def _text(text: bytes) -> str:
    """The contract does not check UTF-8, and PostgreSQL takes no NUL: what is not text shows as U+FFFD."""
    return text.decode("utf-8", "replace").replace("\0", "\ufffd")


_ALL: Final = (
    Layout("Anchored(uint16,uint32,uint64,bytes32,uint64)", 2, _anchored),
    Layout("GenerationClosed(uint16,uint32,uint64,bytes32)", 2, _generation_closed),
    Layout("ReceiptBroken(uint16,bytes32,uint32,uint64,bytes32,bytes32)", 3, _receipt_broken),
    Layout("ReceiptLate(uint16,bytes32,uint32,uint64,uint64)", 3, _receipt_late),
    Layout("MemberAdded(uint16,bytes32,string,bytes32)", 2, _member_added),
    Layout("MemberStatusChanged(uint16,uint8)", 2, _member_status_changed),
    Layout("MemberRenamed(uint16,string)", 2, _member_renamed),
    Layout("LogKeyChanged(uint16,bytes32,uint32,uint64)", 2, _log_key_changed),
    Layout("RoleGranted(uint16,address,uint8,uint64,uint64)", 3, _role_granted),
    Layout("RoleRevoked(uint16,address,uint8,uint64,uint32,uint64)", 3, _role_revoked),
    Layout("RegulatorRequested(uint16,address,uint64,uint64)", 3, _regulator_requested),
    Layout("RegulatorSeconded(uint16,address,uint16)", 3, _regulator_seconded),
    Layout("ParameterChanged(bytes32,uint256)", 2, _parameter_changed),
    Layout("SystemContractChanged(bytes32,address)", 2, _system_contract_changed),
    Layout("Proposed(uint256,uint16,address,address,bytes,uint64)", 3, _proposed),
    Layout("Approved(uint256,uint16,address)", 3, _approved),
    Layout("Executed(uint256)", 2, _executed),
    Layout(
        "RecordPublished(bytes32,bytes32,(uint256,uint256,bytes32,bytes32),address,address,uint256)",
        3,
        _record_published,
    ),
    Layout("RecordObjected(bytes32,bytes32,uint16,bytes32,address)", 3, _record_objected),
    Layout("RecordChanged(bytes32,bytes32,uint8,bytes32,bytes32,address,address)", 3, _record_changed),
    Layout(
        "RecordCorrected(bytes32,bytes32,(uint256,uint256,bytes32,bytes32),bytes32,address,address)",
        3,
        _record_corrected,
    ),
    Layout("KindRecognitionChanged(uint16,uint16,uint8,bool,bytes32,address,address)", 3, _kind_recognition_changed),
    Layout("RecordRecognitionChanged(uint16,bytes32,bool,bytes32,address,address)", 3, _record_recognition_changed),
    Layout(
        "TenderPublished(bytes32,uint16,uint256,bytes32,bytes32,uint64,uint64,uint16)",
        3,
        _tender_published,
    ),
    Layout("TenderAmended(bytes32,uint16,bytes32,bytes32,uint64,uint64)", 3, _tender_amended),
    Layout("BidsClosed(bytes32,uint16,address,uint32,uint64)", 3, _bids_closed),
    Layout("BidsOpened(bytes32,bytes32,bytes32,uint32,uint32,bytes32,address,bytes,bytes)", 3, _bids_opened),
    Layout("TenderEvaluated(bytes32,bytes32,uint16,bytes32,uint256,bytes32,bytes32)", 3, _tender_evaluated),
    Layout("CandidatesPublished(bytes32,bytes32,bytes32,uint64,address)", 3, _candidates_published),
    Layout("ObjectionMade(bytes32,bytes32,bytes32,uint16,address)", 3, _objection_made),
    Layout("ObjectionRuled(bytes32,bytes32,bool,bytes32,address,address)", 3, _objection_ruled),
    Layout("TenderAwarded(bytes32,bytes32,address,address,bytes32,bytes32[],bytes32[])", 3, _tender_awarded),
    Layout("TenderFailed(bytes32,bytes32,address,address)", 3, _tender_failed),
    Layout("BidClaimed(bytes32,bytes32,uint16,bool,uint64,uint64,uint64)", 3, _bid_claimed),
    Layout("ClaimAnswered(bytes32,bytes32,uint8,bytes32)", 3, _claim_answered),
)
LAYOUTS: Final = {keccak256(layout.signature.encode()): layout for layout in _ALL}
ANCHORED_TOPIC: Final = keccak256(_ALL[0].signature.encode())
