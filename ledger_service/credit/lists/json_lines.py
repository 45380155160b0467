"""JSON Lines lists: one object a line.

Promises the named members of each object as cells; a line that is none, or has a name twice, is refused alone.
"""

import json
from collections.abc import Collection, Iterator
from typing import Final

from ledger_service.credit.lists.listfile import Cell, ListFile, Row

__all__ = ["read_objects"]

_MOST_CHARACTERS: Final = 1 << 20  # of a line
_MOST_BRACKETS: Final = 500  # fewer than the parser may be nested


def read_objects(file: ListFile, columns: Collection[str]) -> Iterator[Row]:
    """The entries of a JSON Lines list; a member that is missing is an empty cell."""
    begins, line = 0, 0
    while begins < len(file.text):
        line += 1
        ends = file.text.find("\n", begins)
        ends = len(file.text) if ends < 0 else ends
        if file.text[begins:ends].strip():
            yield _read(line, file.text[begins:ends], columns)
        begins = ends + 1


def _read(line: int, text: str, columns: Collection[str]) -> Row:
    try:
        value = _parse(text)
        return Row(line, {column: _cell(column, value.get(column)) for column in columns})
    except ValueError as error:
        return Row(line, fault=str(error))


def _parse(text: str) -> dict[str, object]:
    if len(text) > _MOST_CHARACTERS or text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise ValueError("is too long or too deep for an entry")
    try:
        value = json.loads(text, object_pairs_hook=_distinct, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg} at character {error.colno}") from error
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    return value


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("has one name twice")
    return members


def _cell(column: str, value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return tuple(str(each).strip() for each in value)
    raise ValueError(f"has in {column} neither a text nor a number nor a list of them")
