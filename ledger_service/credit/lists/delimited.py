"""CSV lists: fields between delimiters, quoted where need be.

Promises the fields of each entry with the line that it begins on. A list whose quotes do not close is refused as a
whole: after them nobody can say where an entry begins.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from ledger_service.credit.lists.listfile import BadList, Cell, ListFile

__all__ = ["read_lines"]

_MOST_FIELDS: Final = 1024


def read_lines(file: ListFile, delimiter: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The entries of a CSV list.

    Args:
        file: the list.
        delimiter: one character.

    Raises:
        BadList: it is no CSV, at that line.

    Source: RFC 4180.
    """
    reader = csv.reader(io.StringIO(file.text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for fields in reader:
            if len(fields) > _MOST_FIELDS:
                raise BadList(file.path, f"has {len(fields)} fields; is the delimiter right?", begins)
            yield begins, [field.strip() for field in fields]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadList(
            file.path, f"is no CSV from here on: {error}; look for a quote that does not close", begins
        ) from error
