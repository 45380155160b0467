"""The entries of lists as other bodies hand them out: CSV, JSON Lines or XLSX, read as rows of named cells.

Promises that whatever bytes a list has, reading it ends, with its rows or with BadList, which says the line where one
is known; that each row bears the number under which the list's own program shows it; and that no row is passed over
but an empty one. A row that stands apart (a line of JSON, a row of a sheet) is refused alone; where a fault makes the
rest doubtful, the list is. What the cells mean is left to `mapping`.
"""

from collections.abc import Collection, Iterator, Sequence

from ledger_service.credit.lists.delimited import read_lines
from ledger_service.credit.lists.json_lines import read_objects
from ledger_service.credit.lists.listfile import MAX_ROWS, BadList, Cell, ListFile, Row, Shape
from ledger_service.credit.lists.workbook import read_sheet

__all__ = ["read_rows", "read_table"]


def read_rows(file: ListFile, shape: Shape, columns: Collection[str]) -> Iterator[Row]:
    """The entries of a list, in their order.

    Args:
        file: the list.
        shape: how it is written.
        columns: which cells are read; in CSV and sheets each must be there, under one name.

    Raises:
        BadList: while it is read, too.
    """
    rows = read_objects(file, columns) if file.form == "jsonl" else _named(file, shape, columns)
    for row in rows:
        if row.line > shape.header + MAX_ROWS:
            raise BadList(file.path, f"has more than {MAX_ROWS:,} entries; hand it in in parts", row.line)
        if not row.empty():
            yield row if all(map(_is_unicode, row.cells.values())) else Row(row.line, fault="has no Unicode text")


def read_table(file: ListFile, shape: Shape) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The lines of a CSV list or a sheet, with their numbers, as they stand.

    Raises:
        BadList: while it is read, too.
    """
    return read_sheet(file, shape.sheet) if file.form == "xlsx" else read_lines(file, shape.delimiter)


def _named(file: ListFile, shape: Shape, columns: Collection[str]) -> Iterator[Row]:
    places: dict[str, int] | None = None
    width = 0
    for line, cells in read_table(file, shape):
        if places is not None:
            # A sheet ends its rows where nothing follows; a line of CSV has all its fields.
            lacking = width - len(cells) if file.form == "xlsx" else 0
            yield _row(line, [*cells, *[""] * lacking], places, width)
        elif line >= shape.header:
            places = _places(file, line, cells, columns)
            width = max((place for place, name in enumerate(cells, start=1) if name), default=0)
    if places is None:
        raise BadList(file.path, f"has no line {shape.header} with the names of columns")


def _places(file: ListFile, line: int, names: Sequence[Cell], columns: Collection[str]) -> dict[str, int]:
    for column in columns:
        if names.count(column) != 1:
            known = ", ".join(str(name)[:40] for name in names[:40] if name) or "none at all"
            why = "more than one column" if column in names else "no column"
            raise BadList(file.path, f"has {why} {column}; its columns are: {known}", line)
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
