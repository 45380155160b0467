"""Lists as other bodies hand them out: CSV, JSON Lines or XLSX, read within bounds as rows of named cells.

Promises that whatever bytes a list has, reading it ends, with its rows or with BadList, which says the line where one
is known; and that each row bears the number under which the list's own program shows it. A row that stands apart (a
line of JSON, a row of a sheet) is refused alone; where a fault makes the rest doubtful, the list is. What the cells
mean is left to `mapping`.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ledger_service.errors import Exit, NotFound, ServiceError

__all__ = [
    "MAX_HEADER",
    "MAX_LIST_BYTES",
    "MAX_ROWS",
    "BadList",
    "Cell",
    "Form",
    "ListFile",
    "Row",
    "Shape",
    "printable",
]

MAX_LIST_BYTES: Final = 64 << 20
MAX_ROWS: Final = 1_000_000
MAX_HEADER: Final = 100

Cell: TypeAlias = str | date | tuple[str, ...]  # a text without white space around it; "" where there is nothing
Form: TypeAlias = Literal["csv", "jsonl", "xlsx"]

_FORMS: Final[dict[str, Form]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
}


class BadList(ServiceError):
    """A list that cannot be read.

    Args:
        path: the list.
        why: what is wrong, as the rest of a sentence.
        line: where, as the list's own program counts, or None where that is not known.
    """

    problem, title, status, exit_code = "bad-list", "The list cannot be read", 422, Exit.USAGE

    def __init__(self, path: Path, why: str, line: int | None = None) -> None:
        where = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {printable(why)}", facts={} if line is None else {"line": line})


def printable(text: str) -> str:
    """A text of a list for a person's terminal: what steers one is shown as a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a list is written; None is found out."""

    form: Form | None = None  # by the file's ending
    encoding: Literal["utf-8", "gb18030"] | None = None  # UTF-8 where the bytes are that, else GB18030
    delimiter: str = ","
    sheet: str | None = None  # of a workbook: the first
    header: int = 1  # the line with the columns' names; what stands above it is passed over


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list."""

    line: int  # from 1; of an entry of several lines the first
    cells: dict[str, Cell] = field(default_factory=dict)
    fault: str | None = None  # why it cannot be read, if so

    def empty(self) -> bool:
        """Whether nothing stands in it."""
        return self.fault is None and not any(self.cells.values())


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list as it was read, once: what is shown and what is sent are of the same bytes."""

    path: Path
    data: bytes
    form: Form
    encoding: str
    text: str  # "" of a workbook

    @classmethod
    def open(cls, path: Path, shape: Shape) -> "ListFile":
        """Read a list's bytes.

        Raises:
            NotFound: it cannot be opened.
            BadList: it is too large, of no form that is known, or text in no encoding that is known.
        """
        form = shape.form or _FORMS.get(path.suffix.lower())
        if form is None:
            raise BadList(path, "its name does not say what it is; name it .csv, .jsonl or .xlsx, or say the format")
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_LIST_BYTES + 1)
        except OSError as error:
            raise NotFound(f"{path}: {error.strerror}; name a list that can be read") from error
        if len(data) > MAX_LIST_BYTES:
            raise BadList(path, f"has more than {MAX_LIST_BYTES:,} bytes; hand it in in parts")
        if form == "xlsx":
            return cls(path, data, form, "", "")
        encoding, text = _decode(path, data, shape.encoding)
        return cls(path, data, form, encoding, text)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).digest()

    def rows(self, shape: Shape, columns: Collection[str]) -> Iterator[Row]:
        """The list's entries, in their order; empty ones are passed over.

        Args:
            shape: how it is written.
            columns: which cells are read; each must be there, under one name.

        Raises:
            BadList: while it is read, too.
        """
        if self.form == "jsonl":
            from ledger_service.credit.lists.json_lines import read_objects  # noqa: PLC0415  # they know this module

            rows = read_objects(self, columns)
        else:
            rows = self._named(shape, columns)
        for row in rows:
            if row.line > shape.header + MAX_ROWS:
                raise BadList(self.path, f"has more than {MAX_ROWS:,} entries; hand it in in parts", row.line)
            if not row.empty():
                yield row if all(map(_is_unicode, row.cells.values())) else Row(row.line, fault="has no Unicode text")

    def table(self, shape: Shape) -> Iterator[tuple[int, Sequence[Cell]]]:
        """The lines of a CSV list or a sheet, with their numbers, as they stand.

        Raises:
            BadList: while it is read, too.
        """
        if self.form == "xlsx":
            from ledger_service.credit.lists.workbook import read_sheet  # noqa: PLC0415  # openpyxl takes its time

            return read_sheet(self, shape.sheet)
        from ledger_service.credit.lists.delimited import read_lines  # noqa: PLC0415  # they know this module

        return read_lines(self, shape.delimiter)

    def _named(self, shape: Shape, columns: Collection[str]) -> Iterator[Row]:
        places: dict[str, int] | None = None
        width = 0
        for line, cells in self.table(shape):
            if places is not None:
                lacking = (
                    width - len(cells) if self.form == "xlsx" else 0
                )  # a sheet ends its rows where nothing follows
                yield _row(line, [*cells, *[""] * lacking], places, width)
            elif line >= shape.header:
                places, width = self._places(line, cells, columns), len(cells)
        if places is None:
            raise BadList(self.path, f"has no line {shape.header} with the names of columns")

    def _places(self, line: int, names: Sequence[Cell], columns: Collection[str]) -> dict[str, int]:
        for column in columns:
            if names.count(column) != 1:
                known = ", ".join(str(name)[:40] for name in names[:40] if name) or "none at all"
                why = "more than one column" if column in names else "no column"
                raise BadList(self.path, f"has {why} {column}; its columns are: {known}", line)
        return {column: names.index(column) for column in columns}


def _row(line: int, cells: Sequence[Cell], places: dict[str, int], width: int) -> Row:
    if not any(cells):
        return Row(line)
    if len(cells) < width or any(cells[width:]):
        return Row(line, fault=f"has {len(cells)} fields, and the line of names {width}")
    return Row(line, {column: cells[place] for column, place in places.items()})


def _is_unicode(cell: Cell) -> bool:
    """Whether it can be written: no half of a pair stands alone, as escapes let it."""
    try:
        "".join(cell).encode() if isinstance(cell, str | tuple) else None
    except UnicodeEncodeError:
        return False
    return True


def _decode(path: Path, data: bytes, named: str | None) -> tuple[str, str]:
    """The encoding, and the text without a byte order mark."""
    reached = 0
    for encoding in (named,) if named else ("utf-8", "gb18030"):
        try:
            return encoding, data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            reached = max(reached, error.start)
    line = data.count(b"\n", 0, reached) + 1
    raise BadList(path, f"is no text in {named or 'UTF-8 or GB18030'}; save it as CSV in UTF-8", line)
