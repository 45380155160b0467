"""What the columns of another body's list mean: a small TOML file, written once for each such list.

Promises a mapping in which everything that a record needs has one source, a column or a fixed value, or a refusal that
names the place in the file. What a list's values then are is left to `drafting`.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from anchors.credit.measures import MAX_CODE
from ledger_service.credit.lists.listfile import MAX_HEADER, BadList, Shape
from ledger_service.errors import NotFound

__all__ = ["Mapping", "parse_day"]

_MAX_BYTES: Final = 1 << 20
_ISO: Final = "%Y-%m-%d"
_SAMPLE: Final = date(2001, 2, 3)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[int, Field(ge=1, le=MAX_CODE)]
Months = Annotated[int, Field(ge=0, le=60)]
KindName = Literal["honour", "general", "serious"]


def parse_day(text: str, layout: str) -> date:
    """The day that a text says in a layout such as %Y年%m月%d日; raises ValueError."""
    return datetime.strptime(text, layout).date()  # noqa: DTZ007  # a day of the calendar, at no place


def _check_layout(layout: str) -> str:
    try:
        known = parse_day(_SAMPLE.strftime(layout), layout)
    except ValueError as error:
        raise ValueError(f"is no layout of a day: {error}") from error
    if known != _SAMPLE:
        raise ValueError("does not name year, month and day, such as %Y-%m-%d")
    return layout


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Layout = Annotated[str, Field(max_length=80), AfterValidator(_check_layout)]
Layouts = Annotated[list[Layout], BeforeValidator(_listed), Field(min_length=1, max_length=8)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def _one_of(self, *names: str) -> None:
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"name one of {', '.join(names)}")


class ListPart(_Part):
    """`[list]`: how the list is written; what is left out is found out."""

    format: Literal["csv", "jsonl", "xlsx"] | None = None
    encoding: Literal["utf-8", "gb18030"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r'[^"\r\n\x00]')] = ","
    sheet: Name | None = None
    header: Annotated[int, Field(ge=1, le=MAX_HEADER)] = 1


class SubjectPart(_Part):
    """`[subject]`: whose record it is. Without a scheme the column has SCHEME:IDENTIFIER."""

    column: Name
    scheme: Name | None = None
    scheme_column: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.scheme is not None and self.scheme_column is not None:
            raise ValueError("name one of scheme, scheme_column")
        return self


class KindPart(_Part):
    """`[kind]`: honour, general or serious, for all or by a column's values."""

    fixed: KindName | None = None
    column: Name | None = None
    values: dict[str, KindName] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._one_of("fixed", "column")
        return self


class DayPart(_Part):
    """`[decided_on]`: a day in one of some layouts; a cell that holds a date needs none."""

    column: Name
    format: Layouts = [_ISO]  # tried in this order


class LastDayPart(_Part):
    """`[last_day]`: of publication: a column, or so many months from the decision."""

    column: Name | None = None
    format: Layouts = [_ISO]  # tried in this order
    months: Months | None = None
    months_column: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._one_of("column", "months", "months_column")
        return self


class MeasuresPart(_Part):
    """`[measures]`: codes of the catalogue, for all or by a column; `values` has the codes of the list's own words."""

    fixed: Annotated[list[Code], Field(min_length=1)] | None = None
    column: Name | None = None
    separator: Name | None = None
    values: dict[str, Code | Annotated[list[Code], Field(min_length=1)]] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._one_of("fixed", "column")
        return self


class BasisPart(_Part):
    """`[statement.basis]`: the provisions that the decision rests on, for all or by a column."""

    fixed: Annotated[list[Name], Field(min_length=1, max_length=16)] | None = None
    column: Name | None = None
    separator: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._one_of("fixed", "column")
        return self


class StatementPart(_Part):
    """`[statement]`: the facts in words, which stay here; only a digest is sent."""

    facts: Name
    basis: BasisPart


class DocumentPart(_Part):
    """`[document]`: the decision: a column with its SHA-256, or with a file's path from the list's folder."""

    digest: Name | None = None
    file: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._one_of("digest", "file")
        return self


class Mapping(_Part):
    """A mapping file."""

    format: Literal["bidledger/credit-mapping/v1"]
    written: ListPart = Field(default=ListPart(), alias="list")
    subject: SubjectPart
    kind: KindPart
    decided_on: DayPart
    last_day: LastDayPart
    measures: MeasuresPart
    statement: StatementPart
    document: DocumentPart

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a mapping file.

        Raises:
            NotFound: it cannot be opened.
            BadList: it is no TOML, or no mapping, at that place.
        """
        try:
            with path.open("rb") as stream:
                data = stream.read(_MAX_BYTES + 1)
        except OSError as error:
            raise NotFound(f"{path}: {error.strerror}; name a mapping that can be read") from error
        if len(data) > _MAX_BYTES:
            raise BadList(path, f"has more than {_MAX_BYTES:,} bytes")
        try:
            return cls.model_validate(tomllib.loads(data.decode()))
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in wrong["loc"])
            raise BadList(path, f"at {where}: {wrong['msg']}") from error
        except (ValueError, RecursionError) as error:
            raise BadList(path, f"is no TOML: {error}") from error

    @property
    def shape(self) -> Shape:
        """How the list is written."""
        given = self.written
        return Shape(given.format, given.encoding, given.delimiter, given.sheet, given.header)

    def columns(self) -> frozenset[str]:
        """All columns that are read."""
        return frozenset(column for column in self._columns() if column is not None)

    def _columns(self) -> Iterator[str | None]:
        yield from (self.subject.column, self.subject.scheme_column, self.kind.column, self.decided_on.column)
        yield from (self.last_day.column, self.last_day.months_column, self.measures.column)
        yield from (self.statement.facts, self.statement.basis.column, self.document.digest, self.document.file)
