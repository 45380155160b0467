"""A row of another body's list as the credit record that it would be, or why it cannot be one.

Promises that what is drawn up keeps the law as it is at that time, by the catalogue that comes with this version; that
every reason is told that can be seen at once; and that facts and decisions are read here and only hashed. No reason
repeats an identifier: it may be a person's.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

import rfc8785

from anchors.credit import Catalogue, Kind, Record, Statement, check_record, last_day
from anchors.credit.terms import LAST_DAY
from anchors.errors import AnchorsError, MalformedFile
from anchors.subjects import Subject
from ledger_service.credit.lists.listfile import Cell, Row, printable
from ledger_service.credit.lists.mapping import DayPart, LastDayPart, Mapping, parse_day

__all__ = ["Draft", "Drafting", "Refusal"]

STATEMENT_FORMAT: Final = "bidledger/credit-statement/v1"
_FIRST_DAY: Final = date(1970, 1, 1)
_DIGEST: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_MONTHS: Final = re.compile(r"[0-9]{1,2}")
_MOST_MONTHS: Final = 60
_STATEMENT_RULE: Final = (
    "facts have up to 10,000 characters, a basis is 1 to 16 provisions of up to 200 each, "
    "and there are no control characters"
)
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as a list has it, and the statement that it commits to."""

    line: int
    subject: Subject
    record: Record  # member and `earlier` are 0: who publishes it, and after what, is for the service
    statement: bytes  # RFC 8785 JSON

    def request(self) -> dict[str, object]:
        """The record as the API takes it."""
        content = self.record.to_json()
        return {"subject": str(self.subject)} | {k: v for k, v in content.items() if k not in ("member", "earlier")}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is no record."""

    line: int
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return {"line": self.line, "fate": "refused", "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Drafting:
    """What rows are drawn up by."""

    mapping: Mapping
    folder: Path  # of the list, from which the decisions' files are named
    catalogue: Catalogue
    time: int  # now, POSIX seconds

    def draw_up(self, row: Row) -> Draft | Refusal:
        """The record that a row would be, or all that is wrong with it."""
        if row.fault is not None:
            return Refusal(row.line, (f"the entry {row.fault}",))
        reasons: list[str] = []
        subject = _told(reasons, lambda: self._subject(row))
        kind = _told(reasons, lambda: self._kind(row))
        decided_on = _told(reasons, lambda: _day(row, self.mapping.decided_on, self.mapping.decided_on.column))
        last = _told(reasons, lambda: self._last_day(row, decided_on)) if decided_on else None
        measures = _told(reasons, lambda: self._measures(row))
        statement = _told(reasons, lambda: self._statement(row))
        document = _told(reasons, lambda: self._document(row))
        if not (subject and kind and decided_on and last and measures is not None and statement and document):
            return Refusal(row.line, tuple(reasons))
        digest = hashlib.sha256(statement).digest()
        record = Record(subject.key, 0, kind, decided_on, last, 0, measures, digest, document)
        try:
            check_record(record, self.catalogue, self.time)
        except AnchorsError as error:
            return Refusal(row.line, (str(error),))
        return Draft(row.line, subject, record, statement)

    def _subject(self, row: Row) -> Subject:
        part = self.mapping.subject
        text = _text(row, part.column)
        if part.scheme is not None:
            text = f"{part.scheme}:{text}"
        elif part.scheme_column is not None:
            text = f"{_text(row, part.scheme_column)}:{text}"
        return Subject.parse(text)

    def _kind(self, row: Row) -> Kind:
        part = self.mapping.kind
        if part.fixed is not None:
            return Kind[part.fixed.upper()]
        text = _text(row, part.column or "")
        name = text if part.values is None else part.values.get(text)
        if name not in ("honour", "general", "serious"):
            raise ValueError(f"{part.column}: {_short(text)} is mapped to no kind")
        return Kind[name.upper()]

    def _last_day(self, row: Row, decided_on: date) -> date:
        part = self.mapping.last_day
        if part.column is not None:
            return _day(row, part, part.column)
        if part.months is not None:
            return last_day(decided_on, part.months)
        text = _text(row, part.months_column or "")
        if not _MONTHS.fullmatch(text) or int(text) > _MOST_MONTHS:
            raise ValueError(f"{part.months_column}: {_short(text)} is no number of months up to {_MOST_MONTHS}")
        return last_day(decided_on, int(text))

    def _measures(self, row: Row) -> tuple[int, ...]:
        part = self.mapping.measures
        if part.column is None:
            return tuple(sorted(set(part.fixed or ())))
        codes: set[int] = set()
        for text in _texts(row.cells[part.column], part.separator):
            found = (part.values or {}).get(text)
            if found is None and part.values is None and text.isascii() and text.isdecimal() and len(text) <= 3:
                found = int(text)
            if found is None:
                raise ValueError(f"{part.column}: {_short(text)} is mapped to no measure")
            codes.update([found] if isinstance(found, int) else found)
        return tuple(sorted(codes))

    def _statement(self, row: Row) -> bytes:
        part = self.mapping.statement
        basis = part.basis.fixed
        if part.basis.column is not None:
            basis = list(_texts(row.cells[part.basis.column], part.basis.separator))
        written = rfc8785.dumps(
            {
                "format": STATEMENT_FORMAT,
                "facts": _text(row, part.facts).replace("\r\n", "\n"),
                "basis": list(basis or ()),
                "catalogue": "0x" + self.catalogue.digest.hex(),
            }
        )
        try:
            Statement.parse(written)
        except MalformedFile as error:
            raise ValueError(f"{part.facts}, or the legal basis: {_STATEMENT_RULE}") from error
        return written

    def _document(self, row: Row) -> bytes:
        part = self.mapping.document
        if part.file is not None:
            return self._hashed(part.file, _text(row, part.file))
        found = _DIGEST.fullmatch(_text(row, part.digest or ""))
        if found is None:
            raise ValueError(f"{part.digest}: is no SHA-256, 64 hexadecimal digits")
        return bytes.fromhex(found[1])

    def _hashed(self, column: str, name: str) -> bytes:
        if "\x00" in name:
            raise ValueError(f"{column}: is no path")
        folder = self.folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise ValueError(f"{column}: {_short(name)} is outside the list's folder")
        if not path.is_file():
            raise ValueError(f"{column}: there is no file {_short(name)}")
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").digest()
        except OSError as error:
            raise ValueError(f"{column}: {_short(name)}: {error.strerror}") from error


def _told(reasons: list[str], read: Callable[[], _Read]) -> _Read | None:
    try:
        return read()
    except (AnchorsError, ValueError, OSError) as error:
        reasons.append(str(error))
        return None


def _text(row: Row, column: str) -> str:
    cell = row.cells[column]
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        raise ValueError(f"{column}: is a list, and one text is needed")
    if not cell:
        raise ValueError(f"{column}: is empty")
    return cell


def _texts(cell: Cell, separator: str | None) -> list[str]:
    if isinstance(cell, date):
        return [cell.isoformat()]
    texts = cell if isinstance(cell, tuple) else cell.split(separator) if separator else [cell]
    return [text.strip() for text in texts if text.strip()]


def _day(row: Row, part: DayPart | LastDayPart, column: str) -> date:
    cell = row.cells[column]
    day = cell if isinstance(cell, date) else _parsed(_text(row, column), part.format, column)
    if not _FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{column}: {day} is not a day from {_FIRST_DAY} to {LAST_DAY}")
    return day


def _parsed(text: str, layouts: list[str], column: str) -> date:
    for layout in layouts:
        try:
            return parse_day(text, layout)
        except ValueError:
            continue
    raise ValueError(f"{column}: {_short(text)} is no day of the form {' or '.join(layouts)}")


def _short(text: str) -> str:
    return f"“{printable(text[:40])}{'…' if len(text) > 40 else ''}”"
