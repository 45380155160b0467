"""The one writer of a member's log: what it has answered is durable, and every place is given once.

One thread takes what has come in, has it decided and made durable by one commit and one signature, while the next
group gathers; it closes the periods as well. A second one makes closed periods public, so that accepting goes on while
tiles are written. A lock on the data directory keeps a second writer out.
"""

import asyncio
import fcntl
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger_service import conditions
from ledger_service.errors import InvalidContent, Misconfigured, ServiceError, Unavailable
from ledger_service.log.admission import Submission
from ledger_service.log.identity import LogIdentity
from ledger_service.log.publisher import Publisher
from ledger_service.log.sequencer import Accepted, Sequencer
from ledger_service.log.store import LogStore
from ledger_service.log.tiles import LogFolder

log = structlog.get_logger(__name__)

PART: Final = "log"
MAX_GROUP: Final = 8192  # commitments made durable at once
RETRY_SECONDS: Final = 1.0
# How often the writer gives way before it takes a group. A busy event loop goes on until it is idle, and then those
# come back who have just been answered: a group of all of them costs each less, and nobody interrupts it.
YIELDS: Final = 3


class _Waiting(NamedTuple):
    submission: Submission
    loop: asyncio.AbstractEventLoop
    outcome: "asyncio.Future[Accepted]"


class LogWriter:
    """Writes one generation of a log.

    Args:
        engine: the service's database.
        data_dir: where the public files go.
        identity: whose log, with its keys.
        slots: entries of each period to come; 0 for as many as come.
        period_seconds: how long a period lasts.
        anchor_within_seconds: what receipts promise.
        clock: the time that receipts state, and at which periods close; aware.
    """

    def __init__(
        self,
        engine: Engine,
        data_dir: Path,
        identity: LogIdentity,
        *,
        slots: int,
        period_seconds: float,
        anchor_within_seconds: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._lock_file = data_dir / f"log-{identity.generation}.lock"
        self._generation = identity.generation
        self._period_seconds = period_seconds
        self._clock = clock
        store = LogStore(engine, identity.generation)
        self._sequencer = Sequencer(store, identity, slots, anchor_within_seconds, clock)
        self._publisher = Publisher(engine, store, LogFolder(data_dir, identity.generation), identity)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._period_closed = threading.Event()  # or all is to stop
        self._stopping = threading.Event()
        self._gate = threading.Lock()  # nothing comes in after the last look at the queue
        self._threads: list[threading.Thread] = []
        self._held = ExitStack()
        self._deadline = 0.0  # of the open period, monotonic

    def start(self) -> None:
        """Take the log up where the database has it, publish what is not public yet, and begin to accept.

        Raises:
            Misconfigured: another process writes this log, or its published files are newer than the database.
            KeyTrouble: the keys are not those that the log was written with.
            LogDamaged: the database contradicts what was signed.
        """
        self._lock()
        try:
            self._publisher.check()
            self._sequencer.take_up()
            self._publisher.publish()
        except BaseException:
            self._held.close()
            raise
        self._deadline = time.monotonic() + self._period_seconds
        self._threads = [
            threading.Thread(target=self._write, name="log-writer", daemon=True),
            threading.Thread(target=self._publish, name="log-publisher", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop accepting; what was accepted stays, and the next start closes the period that is open."""
        self._stopping.set()
        self._queue.put(None)
        self._period_closed.set()
        for thread in self._threads:
            thread.join()
        self._held.close()

    def is_running(self) -> bool:
        """Whether commitments are accepted."""
        return bool(self._threads) and not self._stopping.is_set()

    async def accept(
        self,
        commitments: Sequence[bytes],
        key_id: str,
        quota: int | None,
        idempotency_key: str | None,
        until: int | None = None,
    ) -> Accepted:
        """Give commitments their places and return when they are durable.

        Args:
            commitments: 32 bytes each, at least one.
            key_id: whose quota they count against.
            quota: entries a period; None without bound.
            idempotency_key: under which the same request may come again.
            until: POSIX seconds from which on, by this log's clock, they are refused unless they came before.

        Raises:
            InvalidContent: there is none, or one is not 32 bytes long.
            ServiceError: see `Admission.admit`; Unavailable when the writer does not run.
        """
        if not commitments or any(len(one) != 32 for one in commitments):
            raise InvalidContent("A request has at least one commitment, and each has 32 bytes.")
        loop = asyncio.get_running_loop()
        submission = self._submission(commitments, key_id, quota, idempotency_key, until)
        waiting = _Waiting(submission, loop, loop.create_future())
        with self._gate:
            if not self.is_running():
                raise Unavailable("The log's writer does not run; try again later.", retry_after=1)
            self._queue.put(waiting)
        return await waiting.outcome

    def _submission(
        self,
        commitments: Sequence[bytes],
        key_id: str,
        quota: int | None,
        idempotency_key: str | None,
        until: int | None,
    ) -> Submission:
        if idempotency_key is None:
            return Submission(commitments, key_id, quota, None, b"", until)
        name = f"{self._generation}\n{key_id}\n{idempotency_key}".encode()
        body = sha256(b"".join(commitments)).digest()
        return Submission(commitments, key_id, quota, sha256(name).digest(), body, until)

    def _lock(self) -> None:
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        file = self._held.enter_context(self._lock_file.open("wb"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._held.close()
            raise Misconfigured(
                f"Another process writes this log (it holds {self._lock_file}); a log has one writer."
            ) from error

    # The writer's thread

    def _write(self) -> None:
        group: list[_Waiting] = []
        try:
            while not self._stopping.is_set():
                if time.monotonic() >= self._deadline:
                    self._turn()
                group = self._gather()
                _tell(group, self._decide(group))
                group = []
        finally:
            with self._gate:
                self._stopping.set()
            _tell(group + self._rest(), None)

    def _gather(self) -> list[_Waiting]:
        """All that waits, up to a bound; nothing when the period ends or the service stops before something comes."""
        group: list[_Waiting] = []
        count = 0
        try:
            waiting = self._queue.get(timeout=max(0.0, self._deadline - time.monotonic()))
            for _ in range(YIELDS):
                time.sleep(0)
            while waiting is not None:
                group.append(waiting)
                count += len(waiting.submission.commitments)
                if count >= MAX_GROUP:
                    break
                waiting = self._queue.get_nowait()
        except queue.Empty:
            pass
        return group

    def _decide(self, group: list[_Waiting]) -> list[Accepted | ServiceError]:
        if not group:
            return []
        seconds_left = max(1, math.ceil(self._deadline - time.monotonic()))
        try:
            return self._sequencer.decide([one.submission for one in group], self._clock(), seconds_left)
        except SQLAlchemyError as error:
            log.error("log_write_failed", error=type(error).__name__, cause=str(error.__cause__))
            unavailable = Unavailable("The log's database does not take it now; nothing was accepted.", retry_after=1)
            return [unavailable] * len(group)

    def _turn(self) -> None:
        try:
            closed = self._sequencer.turn()
        except SQLAlchemyError as error:
            log.error("period_not_closed", error=type(error).__name__, cause=str(error.__cause__))
            self._deadline = time.monotonic() + RETRY_SECONDS
            return
        # The beat is kept, but periods that a standstill has missed are not made up for.
        now = time.monotonic()
        self._deadline += self._period_seconds * max(1, math.ceil((now - self._deadline) / self._period_seconds))
        if closed:
            self._period_closed.set()

    def _rest(self) -> list[_Waiting]:
        rest: list[_Waiting] = []
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is not None:
                rest.append(waiting)
        return rest

    # The publisher's thread

    def _publish(self) -> None:
        try:
            self._publish_until_stopped()
        finally:
            self._stopping.set()  # a fault that nobody foresaw: do not accept what would never be anchored
            self._queue.put(None)

    def _publish_until_stopped(self) -> None:
        while True:
            self._period_closed.wait()
            if self._stopping.is_set():
                return
            self._period_closed.clear()
            try:
                self._publisher.publish()
                conditions.clear(self._engine, PART, "not-published")
            except (ServiceError, OSError, SQLAlchemyError) as error:
                self._report(error)
                self._stopping.wait(RETRY_SECONDS)
                self._period_closed.set()

    def _report(self, error: Exception) -> None:
        log.error("log_not_published", error=str(error))
        detail = f"The log's last period is not published: {error}. It is tried again."
        try:
            conditions.report(self._engine, PART, "not-published", detail, self._clock())
        except SQLAlchemyError as failed:
            log.error("condition_not_reported", error=type(failed).__name__)


def _tell(group: Sequence[_Waiting], outcomes: Sequence[Accepted | ServiceError] | None) -> None:
    """Hand the outcomes to those who wait, waking each loop once; None: the writer has stopped."""
    if outcomes is None:
        outcomes = [Unavailable("The log's writer has stopped; nothing was accepted.", retry_after=1)] * len(group)
    told = list(zip(group, outcomes, strict=True))
    for loop in {waiting.loop for waiting, _ in told}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, [(one.outcome, outcome) for one, outcome in told if one.loop is loop])


def _resolve(told: Sequence[tuple["asyncio.Future[Accepted]", Accepted | ServiceError]]) -> None:
    for future, outcome in told:
        if future.done():  # whoever waited has gone
            continue
        if isinstance(outcome, ServiceError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
