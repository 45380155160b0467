"""A member's real log that grows when a test says so."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from founding import Founded
from sqlalchemy import Engine

from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.keys import open_log_key, open_secret
from ledger_service.log.identity import LogIdentity
from ledger_service.log.reader import LogReader
from ledger_service.log.writer import LogWriter

PERIOD_SECONDS = 0.05
PUBLISH_SECONDS = 20.0


class GrowingLog:
    """Grows by whole checkpoints."""

    def __init__(self, writer: LogWriter, reader: LogReader) -> None:
        self._writer = writer
        self.reader = reader

    def grow(self, leaves: int) -> int:
        """Log that many commitments and wait until they are published; the new size."""
        latest = self.reader.latest_checkpoint()
        wanted = leaves + (latest.size if latest else 0)
        commitments = [secrets.token_bytes(32) for _ in range(leaves)]
        asyncio.run(self._writer.accept(commitments, "test", None, None))
        deadline = time.monotonic() + PUBLISH_SECONDS
        while time.monotonic() < deadline:
            latest = self.reader.latest_checkpoint()
            if latest is not None and latest.size >= wanted:
                return latest.size
            time.sleep(0.005)
        raise AssertionError(f"no checkpoint of {wanted} leaves was published")


@contextmanager
def growing_log(engine: Engine, data_dir: Path, founded: Founded, member: int) -> Iterator[GrowingLog]:
    """The log of a member, in the compact mode."""
    made = founded.members[member]
    identity = LogIdentity(
        origin=founded.network.origin(founded.network.member(member), 0),
        member=member,
        generation=0,
        evidence_log=founded.address(EVIDENCE_LOG),
        chain_id=founded.network.chain_id,
        log_key=open_log_key(made.log_key_file, made.password_file),
        receipt_key=founded.opened[member, "receipt-signer"],
        period_secret=open_secret(made.period_secret_file, made.password_file),
    )
    with written_log(engine, data_dir, identity) as log:
        yield log


@contextmanager
def written_log(engine: Engine, data_dir: Path, identity: LogIdentity) -> Iterator[GrowingLog]:
    """A log, in the compact mode, whoever it is."""
    writer = LogWriter(
        engine,
        data_dir,
        identity,
        slots=0,
        period_seconds=PERIOD_SECONDS,
        anchor_within_seconds=3600,
        clock=lambda: datetime.now(UTC),
    )
    writer.start()
    try:
        yield GrowingLog(writer, LogReader(engine, data_dir, 0, lambda: datetime.now(UTC)))
    finally:
        writer.stop()
