"""Lists of companies to be screened, as JSON or CSV, read into what each row names.

Promises one entry for each row, in order: a company by its exact identifier, or why it is none. What was given in a row
that names none is kept nowhere, since it may be a person's name or number. Rows are bounded in number, the bytes by
whoever reads them.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from anchors.errors import BadSubject
from anchors.subjects import USCC, Subject
from ledger_service.errors import BadRequest, Exit, InvalidContent, ServiceError, UnsupportedMediaType
from ledger_service.refusals import problem_of

__all__ = ["COLUMNS", "MAX_SUBJECTS", "Asked", "NoCompany", "TooManySubjects", "UnreadableList", "read_list"]

MAX_SUBJECTS: Final = 1000
COLUMNS: Final = ("subject", "identifier", "统一社会信用代码")
"""Headers of the column that holds identifiers; the first of them counts where a list has several."""

_JSON: Final = re.compile(r"application/json *(;.*)?", re.IGNORECASE)
_CSV: Final = re.compile(r"text/csv *(?:;.*)?", re.IGNORECASE)
_CHARSET: Final = re.compile(r'; *charset *= *"?([^";\s]+)', re.IGNORECASE)
_ENCODINGS: Final = {
    **dict.fromkeys(("utf-8", "utf8"), "utf-8-sig"),
    **dict.fromkeys(("gb18030", "gbk", "gb2312"), "gb18030"),
}
_BARE_CODE: Final = re.compile("[0-9A-Za-z]{18}")


class TooManySubjects(ServiceError):
    """More rows than one screening takes."""

    problem, title, status, exit_code = "too-many-subjects", "Too many subjects", 422, Exit.USAGE


class UnreadableList(ServiceError):
    """A CSV file whose characters or quotes cannot be read."""

    problem, title, status, exit_code = "unreadable-list", "The list cannot be read", 422, Exit.USAGE


@dataclass(frozen=True, slots=True)
class NoCompany:
    """Why a row names no company; without what it had."""

    problem: str  # a problem type, such as bad-subject or natural-person
    detail: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What one row asks about."""

    about: Subject | NoCompany
    line: int | None  # of the CSV file, from 1; None in JSON


def read_list(media_type: str, body: bytes) -> list[Asked]:
    """Read who is asked about.

    Args:
        media_type: the field Content-Type: JSON as `{"subjects": [...]}`, or CSV in UTF-8 or GB18030.
        body: as it came.

    Returns:
        1 to MAX_SUBJECTS rows in their order; one that comes twice is there twice.

    Raises:
        UnsupportedMediaType: it is neither.
        BadRequest: it is not JSON.
        InvalidContent: it is JSON of another form, or names nobody.
        UnreadableList: the CSV cannot be read.
        TooManySubjects: it has more rows.
    """
    if _JSON.fullmatch(media_type):
        asked = [Asked(_named(text), None) for text in _json_subjects(body)]
    elif _CSV.fullmatch(media_type):
        asked = [Asked(_named(text), line) for text, line in _csv_subjects(_decoded(media_type, body))]
    else:
        raise UnsupportedMediaType("Send the list as Content-Type: application/json or text/csv.")
    if not asked:
        raise InvalidContent("The list names nobody; one subject is the least.", facts={"pointer": "/body"})
    return asked


def _named(text: str) -> Subject | NoCompany:
    try:
        return Subject.parse(f"{USCC}:{text}" if _BARE_CODE.fullmatch(text) else text)
    except BadSubject as error:
        return NoCompany(problem_of(type(error)), f"{error}.")


def _json_subjects(body: bytes) -> list[str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict) or document.keys() != {"subjects"}:
        raise InvalidContent('The body must be an object with the one member "subjects".', facts={"pointer": "/body"})
    subjects = document["subjects"]
    if not isinstance(subjects, list):
        raise InvalidContent("This must be a list of identifiers.", facts={"pointer": "/body/subjects"})
    _check_count(len(subjects))
    for place, one in enumerate(subjects):
        if not isinstance(one, str):
            raise InvalidContent("A subject is a text.", facts={"pointer": f"/body/subjects/{place}"})
    return subjects


def _decoded(media_type: str, body: bytes) -> str:
    charset = _CHARSET.search(media_type)
    if charset is not None and charset[1].lower() not in _ENCODINGS:
        raise UnsupportedMediaType("A CSV file is read as charset=utf-8 or charset=gb18030.")
    for encoding in [_ENCODINGS[charset[1].lower()]] if charset else ["utf-8-sig", "gb18030"]:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableList("The file's characters are neither UTF-8 nor GB18030; save it anew as CSV in UTF-8.")


def _csv_subjects(text: str) -> Iterator[tuple[str, int]]:
    """The cell of each row that is not empty, with the line on which the row begins."""
    column, rows = 0, 0
    for number, (cells, line) in enumerate(_csv_rows(text)):
        if number == 0 and (named := _header(cells)) is not None:
            column = named
            continue
        rows += 1
        _check_count(rows)
        yield (cells[column] if column < len(cells) else ""), line


def _csv_rows(text: str) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableList(f"Line {line} of the file is no CSV: {error}.", facts={"line": line}) from error
        if any(cells):
            yield cells, line


def _header(cells: Sequence[str]) -> int | None:
    """The column of a header that names it; None where the row is no header."""
    names = [cell.lower() for cell in cells]
    return next((names.index(name) for name in COLUMNS if name in names), None)


def _check_count(count: int) -> None:
    if count > MAX_SUBJECTS:
        raise TooManySubjects(f"A screening is of 1 to {MAX_SUBJECTS:,} subjects; send the rest in another one.")
