"""The alliance's credit records as files for others: CSV, JSON Lines, or entities of FollowTheMoney.

Promises a file that is whole or not there, written record by record as pages come in. The register knows companies by
the hashes of their identifiers; an identifier stands in the file only where the asker named it. No cell of a CSV file
is a formula to the program that opens it.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias

import orjson

from anchors.credit import Catalogue
from anchors.subjects import Subject
from ledger_service import errors
from ledger_service.credit.client import Told
from ledger_service.credit.lists.ftm import company, sanction
from ledger_service.credit.lists.listed import Listed
from ledger_service.files import sync_directory

__all__ = ["COLUMNS", "Format", "Source", "export"]

Format: TypeAlias = Literal["csv", "jsonl", "ftm"]

COLUMNS: Final = (
    *("record", "subject_key", "subject", "member", "kind", "state", "disputed", "decided_on", "last_day"),
    *("measures", "measures_zh", "measures_en", "statement", "document", "published_at", "published_block"),
    *("not_applied_by", "contract"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Source:
    """What an export draws on beside the records.

    Args:
        catalogue: of the measures.
        companies: those whose identifiers the asker knows.
        members: names of the alliance's members, by their codes.
        url: the API's address.
    """

    def __init__(
        self, catalogue: Catalogue, companies: Iterable[Subject], members: Mapping[str, str], url: str
    ) -> None:
        self.catalogue, self.members, self.url = catalogue, members, url
        self._companies = {"0x" + each.key.hex(): each for each in companies}

    def company(self, key: str) -> Subject | None:
        """Who has that subject key, 0x hex, if that is known."""
        return self._companies.get(key)


def export(records: Iterable[Told], form: Format, out: Path, source: Source) -> int:
    """Write records to a file.

    Args:
        records: as the API lists them, asked for while they are written.
        form: of the file.
        out: the file; replaced when all is written.
        source: what else is known.

    Returns:
        How many records there were.

    Raises:
        InvalidContent: the file cannot be written.
        ServiceError: the API's; the file is as it was before.
    """
    write = {"csv": _csv, "jsonl": _json_lines, "ftm": _entities}[form]
    count = 0
    with _whole(out) as stream:
        for chunk, records_in_it in write(records, source):
            stream.write(chunk)
            count += records_in_it
    return count


@contextmanager
def _whole(out: Path) -> Iterator[IO[bytes]]:
    """A stream into a file beside, which takes the place of `out` once all is written and on the disk."""
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(out)
        sync_directory(out.parent)
    except OSError as error:
        raise errors.InvalidContent(f"{out}: {error.strerror}; name a file that can be written") from error
    finally:
        beside.unlink(missing_ok=True)


def _csv(records: Iterable[Told], source: Source) -> Iterator[tuple[bytes, int]]:
    """Source: RFC 4180."""
    yield _line(COLUMNS), 0
    for told in records:
        yield _line(_cells(Listed.read(told), source)), 1


def _cells(record: Listed, source: Source) -> list[str]:
    measures = [measure for measure in source.catalogue.measures if measure.code in record.measures]
    published = datetime.fromtimestamp(record.published_at, UTC)
    return [
        *(record.record, record.subject_key, str(source.company(record.subject_key) or ""), record.member),
        *(record.kind.name.lower(), record.state, "true" if record.disputed else "false"),
        *(record.decided_on.isoformat(), record.last_day.isoformat(), ";".join(map(str, record.measures))),
        *("；".join(measure.zh for measure in measures), "; ".join(measure.en for measure in measures)),
        *(record.statement, record.document, f"{published:%Y-%m-%dT%H:%M:%SZ}", str(record.published_block)),
        *(";".join(record.not_applied_by), record.contract),
    ]


def _line(cells: Iterable[str]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow([_plain(cell) for cell in cells])
    return stream.getvalue().encode()


def _plain(cell: str) -> str:
    """A cell that no spreadsheet computes."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _json_lines(records: Iterable[Told], source: Source) -> Iterator[tuple[bytes, int]]:
    for told in records:
        known = source.company(Listed.read(told).subject_key)
        yield orjson.dumps({"subject": str(known) if known else None, **told}) + b"\n", 1


def _entities(records: Iterable[Told], source: Source) -> Iterator[tuple[bytes, int]]:
    written: set[bytes] = set()
    for told in records:
        record = Listed.read(told)
        entity = sanction(record, source.catalogue, source.members, source.url)
        if entity is None:
            continue
        key = bytes.fromhex(record.subject_key[2:])
        if key not in written:
            written.add(key)
            yield orjson.dumps(company(record.subject_key, source.company(record.subject_key))) + b"\n", 0
        yield orjson.dumps(entity) + b"\n", 1
