"""The files that a command is given, read within a bound and refused by their paths."""

from pathlib import Path
from typing import Any

from ledger_service.errors import InvalidContent, NotFound


def read_bounded(path: Path, limit: int) -> bytes:
    """Read at most one byte over `limit`, so that the reader sees an over-long file without memory for all of it.

    Raises:
        NotFound: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}; check the path") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that is one JSON object.

    Raises:
        NotFound: the file cannot be read.
        InvalidContent: it is none, or too large.
    """
    from anchors.bounded_json import MAX_FILE_BYTES, read_json
    from anchors.errors import AnchorsError

    try:
        body = read_json(read_bounded(path, MAX_FILE_BYTES))
    except AnchorsError as error:
        raise InvalidContent(f"{path}: {error.diagnostics()}") from error
    if not isinstance(body, dict):
        raise InvalidContent(f"{path} is no JSON object.")
    return body
