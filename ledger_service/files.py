"""Files that must survive a power cut: written beside, synced, and put in place in one step."""

import os
from pathlib import Path


def write_durably(path: Path, content: bytes) -> None:
    """Make `path` hold `content`, or, whatever happens, still what it held before.

    Args:
        path: in a folder that exists.
        content: all of the file.
    """
    put_in_place(path, content)
    sync_directory(path.parent)


def put_in_place(path: Path, content: bytes) -> None:
    """Do as `write_durably`, but leave the directory's sync to a caller who has many files in it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
