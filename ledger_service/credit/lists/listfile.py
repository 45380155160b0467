"""A list as another body hands it out: its bytes, read once, and how they are written.

Promises that what is shown and what is sent are of the same bytes, within bounds and in an encoding that is known, or
BadList, which says the line where one is known. What stands in them is left to `reading`.
"""

import hashlib
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
        return self.fault is None and not self.cells


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
