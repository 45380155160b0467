"""What an import has sent: a file beside the list, so that a run that was cut short is finished and nothing goes twice.

Promises that each batch is on the disk before it is sent, with the Idempotency-Key under which the API knows it, and
its operation after that; what a power cut left half written is passed over, since it was not sent yet. One process at a
time has a journal.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson

from ledger_service import errors
from ledger_service.files import sync_directory, write_durably

__all__ = ["Batch", "Journal", "journal_path"]

_FORMAT: Final = "bidledger/credit-import/v1"
_MAX_BYTES: Final = 2 << 30
_KEY: Final = re.compile(r"[0-9a-f]{64}")


def journal_path(path: Path) -> Path:
    """Where the journal of a list is."""
    return path.with_name(f"{path.name}.import.jsonl")


@dataclass(slots=True)
class Batch:
    """Records that are sent together."""

    key: str  # the Idempotency-Key
    list_digest: str  # of the list that had them
    lines: list[int]
    records: list[dict[str, Any]]  # as the API takes them
    operation: str | None = None  # once it is answered
    refused: str | None = None  # why the API does not take it

    @property
    def open(self) -> bool:
        """Whether it may have been sent, and nobody knows what came of it."""
        return self.operation is None and self.refused is None


@dataclass(slots=True)
class Journal:
    """The journal of a list, held by this process until it is closed; a context manager."""

    path: Path
    url: str
    batches: dict[str, Batch] = field(default_factory=dict)  # by their keys, in the order in which they were made
    _descriptor: int = -1

    @classmethod
    def read(cls, path: Path, url: str) -> Self:
        """What a journal holds, or an empty one where there is no file.

        Args:
            path: the journal.
            url: the API that the list goes to.

        Raises:
            Conflict: it is of an import to another API.
            InvalidContent: it is no journal.
        """
        journal = cls(path, url)
        try:
            with path.open("rb") as stream:
                data = stream.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return journal
        except OSError as error:
            raise errors.NotFound(f"{path}: {error.strerror}; it must be readable to go on with the import") from error
        if data:
            journal._replay(data)
        return journal

    @classmethod
    def begin(cls, path: Path, url: str) -> Self:
        """Take the journal for this process, and make it where there is none.

        Raises:
            Conflict: another process has it, or it is of an import to another API.
            InvalidContent: it is no journal.
        """
        if not path.exists():
            write_durably(path, orjson.dumps({"format": _FORMAT, "url": url}) + b"\n")
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            journal = cls.read(path, url)
            journal._descriptor = descriptor
            journal._cut_torn_end()
        except BlockingIOError as error:
            os.close(descriptor)
            raise errors.Conflict(f"{path} is in use: another import of this list is running") from error
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor < 0:
            return
        if not self.batches:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def add(self, list_digest: str, lines: list[int], records: list[dict[str, Any]]) -> Batch:
        """Write down a batch that is about to be sent."""
        content = orjson.dumps([list_digest, len(self.batches), records], option=orjson.OPT_SORT_KEYS)
        batch = Batch(sha256(content).hexdigest(), list_digest, lines, records)
        self._append({"key": batch.key, "list": list_digest, "lines": lines, "records": records})
        self.batches[batch.key] = batch
        return batch

    def answered(self, batch: Batch, operation: str) -> None:
        """Write down which operation a batch became."""
        self._append({"key": batch.key, "operation": operation})
        batch.operation = operation

    def refuse(self, batch: Batch, why: str) -> None:
        """Write down that the API does not take a batch."""
        self._append({"key": batch.key, "refused": why})
        batch.refused = why

    def _append(self, entry: Mapping[str, object]) -> None:
        data = orjson.dumps(entry) + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)

    def _cut_torn_end(self) -> None:
        """Take away what a power cut left after the last whole line."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._descriptor, whole)
            os.fsync(self._descriptor)
        sync_directory(self.path.parent)

    def _replay(self, data: bytes) -> None:
        entries = self._entries(data)
        header = next(entries, {})
        if header.get("format") != _FORMAT:
            raise errors.InvalidContent(f"{self.path} is no journal of an import; move it away")
        if header.get("url") != self.url:
            raise errors.Conflict(
                f"{self.path} is of an import to {header.get('url')}; move it away to import into another register"
            )
        for entry in entries:
            self._apply(entry)

    def _entries(self, data: bytes) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                entry = None
            if not isinstance(entry, dict):
                raise errors.InvalidContent(f"{self.path}, line {number}: is no entry of a journal; move it away")
            yield entry

    def _apply(self, entry: dict[str, Any]) -> None:
        key = entry.get("key")
        known = self.batches.get(key) if isinstance(key, str) else None
        if known is not None:
            known.operation = entry.get("operation", known.operation)
            known.refused = entry.get("refused", known.refused)
        elif isinstance(key, str) and _KEY.fullmatch(key) and isinstance(entry.get("records"), list):
            self.batches[key] = Batch(key, str(entry.get("list")), entry.get("lines", []), entry["records"])
        else:
            raise errors.InvalidContent(f"{self.path} has an entry that is none of an import; move it away")
