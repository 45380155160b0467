"""What an event can do to the tables of the index: add a fact, or change what the version of some key says."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from ledger_service.index.rows import Fact, Version

Values: TypeAlias = Mapping[str, Any]


class Added(NamedTuple):
    """A new fact."""

    table: type[Fact]
    row: Values


class Changed(NamedTuple):
    """From the event's block on, the version of `key` has `values`; what they do not name stays."""

    table: type[Version]
    key: Values
    values: Values
    derived: Callable[[Values], Values] | None = None
    """Further values, from what the version said before; all its columns are None where there was none."""


Effect: TypeAlias = Added | Changed
