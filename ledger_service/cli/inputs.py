"""The files that a command is given, read within a bound and refused by their paths."""

from pathlib import Path

from ledger_service.errors import NotFound


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
