"""A list of companies, for whoever asks about them: identifiers in a column, with the lines that they stand on.

Promises a company by its exact identifier, or why a line names none, without repeating what stands there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from anchors.errors import BadSubject
from anchors.subjects import USCC, Subject
from ledger_service.credit.lists.listfile import BadList, Cell, ListFile, Shape
from ledger_service.credit.lists.reading import read_rows, read_table
from ledger_service.credit.screening_lists import COLUMNS

__all__ = ["Named", "read_companies"]

_CODE_LENGTH = 18


@dataclass(frozen=True, slots=True)
class Named:
    """What one line names."""

    line: int
    company: Subject | str  # or why it is none


def read_companies(path: Path, most: int | None = None) -> list[Named]:
    """Read the companies of a list.

    Args:
        path: CSV, JSON Lines, XLSX, or a text with one identifier a line; identifiers stand in the column that one of
            COLUMNS names, or else in the first.
        most: how many there may be.

    Raises:
        NotFound: it cannot be opened.
        BadList: it cannot be read, or names nobody, or more.
    """
    shape = Shape()
    file = ListFile.open(path, shape)
    texts = _members(file, shape) if file.form == "jsonl" else _column(file, shape)
    named = []
    for line, text in texts:
        named.append(Named(line, _company(text)))
        if most is not None and len(named) > most:
            raise BadList(path, f"names more than {most:,} companies; ask about them in parts", line)
    if not named:
        raise BadList(path, "names no company")
    return named


def _company(text: str) -> Subject | str:
    bare = len(text) == _CODE_LENGTH and ":" not in text
    try:
        return Subject.parse(f"{USCC}:{text}" if bare else text)
    except BadSubject as error:
        return str(error)


def _column(file: ListFile, shape: Shape) -> Iterator[tuple[int, str]]:
    column: int | None = None
    for line, cells in read_table(file, shape):
        if not any(cells):
            continue
        if column is None:
            named = _header(cells)
            column = named or 0
            if named is not None:
                continue
        yield line, _text(cells[column]) if column < len(cells) else ""


def _header(cells: Sequence[Cell]) -> int | None:
    names = [_text(cell).lower() for cell in cells]
    return next((names.index(name) for name in COLUMNS if name in names), None)


def _members(file: ListFile, shape: Shape) -> Iterator[tuple[int, str]]:
    for row in read_rows(file, shape, COLUMNS):
        yield row.line, next((_text(row.cells[name]) for name in COLUMNS if row.cells.get(name)), "")


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else ""
