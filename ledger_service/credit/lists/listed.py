"""A record as an API lists it, held to its form before anything is made of it."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from anchors.credit import Kind
from ledger_service import errors
from ledger_service.credit.client import Told

__all__ = ["Listed"]

_HEX: Final = re.compile("0x[0-9a-f]{40,64}")
_LAST_TIME: Final = 253_370_764_800  # the year 9999, in which calendars end


@dataclass(frozen=True, slots=True)
class Listed:
    """What an export tells of a record."""

    record: str  # 0x and hexadecimal digits, as are the other digests
    subject_key: str
    contract: str
    member: str
    kind: Kind
    state: str
    disputed: bool
    decided_on: date
    last_day: date
    measures: tuple[int, ...]  # codes
    statement: str
    document: str
    published_at: int  # POSIX seconds
    published_block: int
    not_applied_by: tuple[str, ...]  # members

    @classmethod
    def read(cls, told: Told) -> Self:
        """From an entry of an API's list.

        Raises:
            Unavailable: it is not of that form.
        """
        try:
            return cls(
                record=_hex(told["record"]),
                subject_key=_hex(told["subject_key"]),
                contract=_hex(told["contract"]),
                member=_text(told["member"]),
                kind=Kind[_text(told["kind"]).upper()],
                state=_text(told["state"]),
                disputed=told["disputed"] is True,
                decided_on=date.fromisoformat(_text(told["decided_on"])),
                last_day=date.fromisoformat(_text(told["last_day"])),
                measures=tuple(int(measure["code"]) for measure in told["measures"]),
                statement=_hex(told["statement"]),
                document=_hex(told["document"]),
                published_at=_time(told["published_at"]),
                published_block=int(told["published_block"]),
                not_applied_by=tuple(_text(each["member"]) for each in told["not_applied_by"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise errors.Unavailable(f"the API lists something other than credit records ({error!r})") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _hex(value: Any) -> str:
    if not _HEX.fullmatch(_text(value)):
        raise ValueError("not hexadecimal digits")
    return str(value)


def _time(value: Any) -> int:
    if not 0 <= int(value) < _LAST_TIME:
        raise ValueError("not a time")
    return int(value)
