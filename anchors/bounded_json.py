"""JSON that others wrote, read strictly and within bounds.

Promises that hostile bytes cost time and memory in proportion to their length at most, and end in MalformedFile with
the path to what is wrong. No name stands twice in an object, no number is past 2^53 - 1 (what every JSON reader keeps
exact) or a fraction, unless the reader of others' data allows it, every text can be written as UTF-8. What the fields
mean is left to the files' own modules.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from anchors.errors import MalformedFile

__all__ = ["MAX_FILE_BYTES", "MAX_NUMBER", "MAX_VALUES", "Fields", "check_depth", "read_json"]

MAX_FILE_BYTES = 4 << 20
MAX_VALUES = 200_000
MAX_NUMBER = (1 << 53) - 1  # RFC 8785, RFC 7493: the largest integer that every reader keeps exact
_MAX_DEPTH = 16
_LONG_TEXT = 16  # bytes
_MAX_DIGITS = 64
# A text that never ends is one as well: looking for an end from each of its quotes would take time quadratic in them.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_HEX = re.compile(r"0x((?:[0-9a-f]{2})*)")

_Read = TypeVar("_Read")


def read_json(
    data: bytes, most_bytes: int = MAX_FILE_BYTES, most_values: int = MAX_VALUES, *, fractions: bool = False
) -> object:
    """Parse one JSON text.

    Args:
        data: UTF-8.
        most_bytes: how long it may be.
        most_values: how many values may be in it.
        fractions: whether numbers may be fractions; they come as the nearest double, as RFC 8785 takes them.

    Returns:
        Objects as dicts, arrays as lists, texts, integers, booleans and None; floats where they are allowed.

    Raises:
        MalformedFile: the bytes are too many, no JSON, or break one of this module's promises.

    Source: RFC 8259; RFC 7493 for names and numbers.
    """
    if len(data) > most_bytes:
        raise MalformedFile("the file", f"has {len(data)} bytes, more than the {most_bytes} allowed")
    # Every value but the first follows one of these, so their number bounds what parsing can allocate; and each has at
    # most a name and itself in quotes.
    quotes = data.count(b'"') - data.count(b'\\"')
    if data.count(b",") + data.count(b"[") + data.count(b"{") > most_values or quotes > 4 * (most_values + 1):
        raise MalformedFile("the file", f"has more than {most_values} values")
    check_depth(data)
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_distinct_names,
            parse_int=_integer,
            parse_float=_fraction if fractions else _no_fraction,
            parse_constant=_no_fraction,
        )
    except ValueError as error:
        raise MalformedFile("the file", f"is not JSON: {error}") from error
    _check_texts(value)
    return value


def check_depth(data: bytes) -> None:
    """See before JSON is parsed that its parser can: it recurses on the C stack, and where a host has raised Python's
    recursion limit it crashes.

    Args:
        data: UTF-8.

    Raises:
        MalformedFile: it is nested too deep, or closes what it did not open.
    """
    # Where nothing is escaped, texts are what stands between every other pair of quotes. That takes a tenth of the
    # time where they are long, and too much memory where they are not.
    plain = b"\\" not in data and data.count(b'"') * _LONG_TEXT <= len(data)
    outside = b"".join(data.split(b'"')[::2]) if plain else _STRING.sub(b"", data)
    depth = 0
    for bracket in outside.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if not 0 <= depth <= _MAX_DEPTH:
            raise MalformedFile("the file", f"is nested more than {_MAX_DEPTH} deep, or closes what it did not open")


def _distinct_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise MalformedFile("the file", "has an object with one name twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > 17 or digits == "-0" or abs(int(digits)) > MAX_NUMBER:
        raise MalformedFile("the file", f"has the number {digits[:40]}, not an integer of at most {MAX_NUMBER}")
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > _MAX_DIGITS or not math.isfinite(value := float(digits)):
        raise MalformedFile("the file", f"has the number {digits[:40]}, which no double comes near")
    return value


def _no_fraction(digits: str) -> object:
    raise MalformedFile("the file", f"has the number {digits[:40]}, which is no integer")


def _check_texts(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for element in value:
            _check_texts(element)
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            _check_texts(member)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # a lone surrogate, written as an escape
        raise MalformedFile("the file", "has a text that is no Unicode") from error


class Fields:
    """The members of one JSON object, read by name and kind.

    Args:
        value: what must be an object with exactly these names.
        where: the path to it, for messages.
        names: the names it may have, in any order.
        may_lack: those of them that need not be there; to read one that is not there raises.

    Raises:
        MalformedFile: it is no object, or has other names; so do all methods, for a member of another kind.
    """

    def __init__(self, value: object, where: str, names: Iterable[str], may_lack: Iterable[str] = ()) -> None:
        if not isinstance(value, dict):
            raise MalformedFile(where, "is not an object")
        self.members: Mapping[str, object] = value
        self._where = where
        known = set(names)
        for name in sorted(value.keys() - known):
            raise MalformedFile(self.path(name[:80]), "is not a name of this format")
        for name in sorted(known - value.keys() - set(may_lack)):
            self.raw(name)

    def path(self, name: str) -> str:
        """The path to a member, for messages."""
        return f"{self._where}.{name}" if self._where else name

    def text(self, name: str, pattern: str) -> str:
        """Read a text that matches a regular expression as a whole."""
        value = self.raw(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise MalformedFile(self.path(name), f"is not a text of the form {pattern}")
        return value

    def number(self, name: str, least: int = 0, most: int = MAX_NUMBER) -> int:
        """Read an integer from `least` to `most`."""
        value = self.raw(name)
        if type(value) is not int or not least <= value <= most:
            raise MalformedFile(self.path(name), f"is not an integer from {least} to {most}")
        return value

    def hex(self, name: str, size: int | None = None) -> bytes:
        """Read bytes, `size` of them where it is given, written 0x and lower-case hexadecimal."""
        return _bytes(self.raw(name), self.path(name), size)

    def hex_list(self, name: str, most: int, size: int | None = None) -> tuple[bytes, ...]:
        """Read a list of at most `most` byte strings."""
        return self.each(name, most, lambda value, where: _bytes(value, where, size))

    def each(self, name: str, most: int, read: Callable[[object, str], _Read]) -> tuple[_Read, ...]:
        """Read a list of at most `most` elements, each by `read(element, path)`."""
        values = self.raw(name)
        path = self.path(name)
        if not isinstance(values, list) or len(values) > most:
            raise MalformedFile(path, f"is not a list of at most {most} elements")
        return tuple(read(value, f"{path}[{at}]") for at, value in enumerate(values))

    def nullable(self, name: str, read: Callable[[str], _Read]) -> _Read | None:
        """Read a member by one of these methods unless it is null."""
        return None if self.raw(name) is None else read(name)

    def raw(self, name: str) -> object:
        """The member as it was parsed."""
        if name not in self.members:
            raise MalformedFile(self.path(name), "is missing")
        return self.members[name]


def _bytes(value: object, where: str, size: int | None) -> bytes:
    digits = _HEX.fullmatch(value) if isinstance(value, str) else None
    if digits is None or (size is not None and len(digits[1]) != 2 * size):
        length = "" if size is None else f"{size} "
        raise MalformedFile(where, f"is not {length}bytes as 0x and lower-case hexadecimal digits")
    return bytes.fromhex(digits[1])
