"""XLSX lists: the rows of one sheet, read as they stream from the file.

Promises bounded memory for whatever the file unpacks to: sizes are held against bounds before anything is unpacked, a
part of the package never gives more than it declares, and no part may define entities. Values are those that were last
computed; no formula runs.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import IO, Final
from xml.parsers import expat

import openpyxl

from ledger_service.credit.lists.listfile import MAX_HEADER, MAX_ROWS, BadList, Cell, ListFile

__all__ = ["read_sheet"]

_ENTRY: Final = b"PK\x01\x02"  # begins each entry of a package's directory
_MOST_PARTS: Final = 1000
_MOST_UNPACKED: Final = 512 << 20
_MOST_SHARED: Final = 64 << 20  # texts of all cells, which are held in memory
_MOST_OTHER: Final = 16 << 20
_MOST_DIGITS: Final = 10**15  # a spreadsheet keeps no more digits of a number


def read_sheet(file: ListFile, sheet: str | None) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The rows of a sheet, with the numbers that the program shows.

    Args:
        file: the workbook.
        sheet: its name; None is the first.

    Raises:
        BadList: it is no workbook, has no such sheet, or would unpack to too much.
    """
    line = 0
    try:
        _check_package(file)
        for line, values in enumerate(_values(file, sheet), start=1):
            yield line, [_cell(value) for value in values]
    except BadList:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers do
        why = f"is no workbook that can be read ({type(error).__name__}: {error}); save it again as .xlsx"
        raise BadList(file.path, why, line + 1 if line else None) from error


def _values(file: ListFile, sheet: str | None) -> Iterator[Sequence[object]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which say nothing here
        book = openpyxl.load_workbook(io.BytesIO(file.data), read_only=True, data_only=True, keep_links=False)
    names = [each.title for each in book.worksheets]
    if not names or (sheet is not None and sheet not in names):
        raise BadList(file.path, f"has no sheet {sheet or 'at all'}; its sheets are: {', '.join(names) or 'none'}")
    found = book.worksheets[names.index(sheet) if sheet is not None else 0]
    found.reset_dimensions()  # what it says of its size need not be so
    yield from found.iter_rows(min_row=1, max_row=MAX_ROWS + MAX_HEADER + 1, values_only=True)


def _check_package(file: ListFile) -> None:
    if file.data.count(_ENTRY) > _MOST_PARTS:
        raise BadList(file.path, f"has more than {_MOST_PARTS} parts")
    with zipfile.ZipFile(io.BytesIO(file.data)) as package:
        parts = package.infolist()
        if sum(part.file_size for part in parts) > _MOST_UNPACKED:
            raise BadList(file.path, f"unpacks to more than {_MOST_UNPACKED:,} bytes; hand it in in parts")
        for part in parts:
            _check_size(file, part)
            if part.filename.lower().endswith((".xml", ".rels")):
                with package.open(part) as stream:
                    _check_plain(file, stream)


def _check_size(file: ListFile, part: zipfile.ZipInfo) -> None:
    name = part.filename.lower()
    if name.startswith("xl/worksheets/"):
        return
    most = _MOST_SHARED if name.endswith("sharedstrings.xml") else _MOST_OTHER
    if part.file_size > most:
        raise BadList(file.path, f"has a part {part.filename[:80]} of {part.file_size:,} bytes, more than {most:,}")


class _Begun(Exception):
    """The first element of a document, after which it can define nothing more."""


def _check_plain(file: ListFile, stream: IO[bytes]) -> None:
    def refuse(*_: object) -> None:
        raise BadList(file.path, "defines entities, as no workbook does")

    def begin(*_: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    try:
        while chunk := stream.read(1 << 16):
            parser.Parse(chunk)
    except _Begun:
        return


def _cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date() if value.time() == time.min else value.isoformat()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float):
        return _number(value)
    return str(value).strip()


def _number(value: int | float) -> str:
    """A number as it is shown; one with more digits than a spreadsheet keeps is marked, so that nothing matches it."""
    if abs(value) >= _MOST_DIGITS:
        return f"{value!r} (a number that lost digits; make the column one of text)"
    return str(int(value)) if value == int(value) else repr(value)
