"""From a log's topics and data to its event, by hand: the layouts are few and fixed, and a backfill reads many.

The logs come from receipts that were held against a header, and from contracts whose code is pinned, so their form is
given; bytes that still do not fit end in UnreadableLog and never in a guess.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from anchors.chain.keccak import keccak256
from ledger_service.errors import ServiceError
from ledger_service.index import events
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
        return layout.read(log.topics, log.data)
    except (struct.error, ValueError) as error:
        raise _unreadable(log, f"its data is not that of the event: {error}") from error


@dataclass(frozen=True, slots=True)
class Layout:
    """How one event is written."""

    signature: str
    topics: int  # with the signature's hash
    read: Callable[[tuple[bytes, ...], bytes], Event]


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


def _anchored(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.Anchored(_number(topics[1]), *_ANCHORED.unpack(data))


def _generation_closed(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.GenerationClosed(_number(topics[1]), *_CHECKPOINT.unpack(data))


def _receipt_broken(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.ReceiptBroken(_number(topics[1]), topics[2], *_BROKEN.unpack(data))


def _receipt_late(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.ReceiptLate(_number(topics[1]), topics[2], *_LATE.unpack(data))


def _member_added(topics: tuple[bytes, ...], data: bytes) -> Event:
    code, log_key = data[:32], data[64:96]
    return events.MemberAdded(_number(topics[1]), _ascii(code), _text(_tail(data, 32)), log_key)


def _member_status_changed(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.MemberStatusChanged(_number(topics[1]), events.Status(_SMALL.unpack(data)[0]))


def _member_renamed(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.MemberRenamed(_number(topics[1]), _text(_tail(data, 0)))


def _log_key_changed(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.LogKeyChanged(_number(topics[1]), *_LOG_KEY.unpack(data))


def _role_granted(topics: tuple[bytes, ...], data: bytes) -> Event:
    role, from_time, until_time = _GRANTED.unpack(data)
    return events.RoleGranted(_number(topics[1]), topics[2][12:], events.Role(role), from_time, until_time)


def _role_revoked(topics: tuple[bytes, ...], data: bytes) -> Event:
    role, *rest = _REVOKED.unpack(data)
    return events.RoleRevoked(_number(topics[1]), topics[2][12:], events.Role(role), *rest)


def _regulator_requested(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.RegulatorRequested(_number(topics[1]), topics[2][12:], *_TWO_TIMES.unpack(data))


def _regulator_seconded(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.RegulatorSeconded(_number(topics[1]), topics[2][12:], *_SMALL.unpack(data))


def _parameter_changed(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.ParameterChanged(_ascii(topics[1]), _number(*_WORD.unpack(data)))


def _system_contract_changed(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.SystemContractChanged(_ascii(topics[1]), *_ADDRESS.unpack(data))


def _proposed(topics: tuple[bytes, ...], data: bytes) -> Event:
    governor, target, lapses_at = _PROPOSED.unpack_from(data)
    return events.Proposed(_number(topics[1]), _number(topics[2]), governor, target, _tail(data, 64), lapses_at)


def _approved(topics: tuple[bytes, ...], data: bytes) -> Event:
    return events.Approved(_number(topics[1]), _number(topics[2]), *_ADDRESS.unpack(data))


def _executed(topics: tuple[bytes, ...], data: bytes) -> Event:
    if data:
        raise ValueError(f"{len(data)} bytes follow where none may")
    return events.Executed(_number(topics[1]))


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
)
LAYOUTS: Final = {keccak256(layout.signature.encode()): layout for layout in _ALL}
ANCHORED_TOPIC: Final = keccak256(_ALL[0].signature.encode())
