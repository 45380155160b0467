"""The one writer of a member's log: what it has answered is durable, and every place is given once.

One thread takes what has come in, decides on all of it, and makes it durable by one transaction and one signature;
meanwhile the next group gathers. The same thread closes the periods. A second one makes closed periods public, so that
accepting goes on while tiles are written. How much each key has used of its quota is forgotten by a restart; what has
been accepted is not.
"""

import asyncio
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger_service import conditions
from ledger_service.errors import KeyTrouble, ServiceError, Unavailable
from ledger_service.log.admission import Admission, Place, Submission
from ledger_service.log.batch import SignedBatch
from ledger_service.log.identity import LogIdentity
from ledger_service.log.period import OpenPeriod, filling, next_key_leaf, open_period
from ledger_service.log.publisher import Publisher
from ledger_service.log.store import LogStore, pack_entries
from ledger_service.log.tables import Period, Request
from ledger_service.log.tiles import LogFolder

log = structlog.get_logger(__name__)

PART: Final = "log"
MAX_GROUP: Final = 8192  # commitments made durable at once
RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that was accepted, now or before."""

    batch: SignedBatch
    place: Place

    @property
    def repeated(self) -> bool:
        """Whether these are the receipts of an earlier request."""
        return self.place.repeated

    def to_json(self) -> bytes:
        """The receipts in the order of the commitments: `{"receipts": [...]}`."""
        return b'{"receipts":[' + self.batch.receipts(self.place.position, self.place.count) + b"]}"


@dataclass(frozen=True, slots=True)
class _Waiting:
    submission: Submission
    outcome: "Future[Accepted]"


_Outcome: TypeAlias = Place | ServiceError


class LogWriter:
    """Writes one generation of a log. There must be no other writer of it.

    Args:
        engine: the service's database.
        data_dir: where the public files go.
        identity: whose log, with its keys.
        slots: entries of each period to come; 0 for as many as come.
        period_seconds: how long a period lasts.
        anchor_within_seconds: what receipts promise.
        clock: the time that receipts state; aware.
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
        self._identity = identity
        self._slots = slots
        self._period_seconds = period_seconds
        self._anchor_within = anchor_within_seconds
        self._clock = clock
        self._store = LogStore(engine, identity.generation)
        self._publisher = Publisher(self._store, LogFolder(data_dir, identity.generation), identity)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closed = threading.Event()  # a period has closed, or all is to stop
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._period: OpenPeriod
        self._first_batch = 0  # of the open period
        self._next_batch = 0
        self._deadline = 0.0  # of the open period, monotonic

    def start(self) -> None:
        """Take the log up where the database has it, and begin to accept.

        Raises:
            KeyTrouble: the keys are not those that the log was written with.
            LogDamaged: the database contradicts what was signed.
        """
        self._publisher.check_key()
        self._take_up()
        self._publisher.publish()
        self._threads = [
            threading.Thread(target=self._write, name="log-writer", daemon=True),
            threading.Thread(target=self._publish, name="log-publisher", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop accepting; what was accepted stays, and the open period is taken up again by the next start."""
        self._stopping = True
        self._queue.put(None)
        self._closed.set()
        for thread in self._threads:
            thread.join()

    def is_running(self) -> bool:
        """Whether commitments are accepted."""
        return not self._stopping and bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    async def accept(
        self, commitments: Sequence[bytes], key_id: str, quota: int | None, idempotency_key: str | None
    ) -> Accepted:
        """Give commitments their places and return when they are durable.

        Args:
            commitments: 32 bytes each, at least one.
            key_id: whose quota they count against.
            quota: entries a period; None without bound.
            idempotency_key: under which the same request may come again.

        Raises:
            ServiceError: see `Admission.admit`; Unavailable when the writer does not run.
        """
        if not self.is_running():
            raise Unavailable("The log's writer does not run; try again later.", retry_after=1)
        waiting = _Waiting(self._submission(commitments, key_id, quota, idempotency_key), Future())
        self._queue.put(waiting)
        return await asyncio.wrap_future(waiting.outcome)

    def _submission(
        self, commitments: Sequence[bytes], key_id: str, quota: int | None, idempotency_key: str | None
    ) -> Submission:
        if idempotency_key is None:
            return Submission(commitments, key_id, quota, None, b"")
        name = f"{self._identity.generation}\n{key_id}\n{idempotency_key}".encode()
        body = sha256(b"".join(commitments)).digest()
        return Submission(commitments, key_id, quota, sha256(name).digest(), body)

    # ---- the writer's thread ----

    def _write(self) -> None:
        try:
            while not self._stopping:
                group = self._gather()
                if group:
                    self._settle(group)
                if time.monotonic() >= self._deadline:
                    self._turn()
        finally:
            self._stopping = True
            self._refuse_rest()

    def _gather(self) -> list[_Waiting]:
        """All that waits, up to a bound; at the latest when the period ends, even if that is nothing."""
        group: list[_Waiting] = []
        count = 0
        try:
            first = self._queue.get(timeout=max(0.0, self._deadline - time.monotonic()))
            while first is not None:
                group.append(first)
                count += len(first.submission.commitments)
                if count >= MAX_GROUP:
                    break
                first = self._queue.get_nowait()
        except queue.Empty:
            pass
        return group

    def _settle(self, group: list[_Waiting]) -> None:
        try:
            outcomes, batch = self._decide([one.submission for one in group])
        except DBAPIError as error:
            log.error("log_write_failed", error=type(error.orig).__name__)
            unavailable = Unavailable("The log's database does not take it now; nothing was accepted.", retry_after=1)
            outcomes, batch = [unavailable] * len(group), None
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, ServiceError):
                waiting.outcome.set_exception(outcome)
                continue
            found = batch if outcome.batch is None else SignedBatch.stored(self._store.batch(outcome.batch))
            if found is not None:
                waiting.outcome.set_result(Accepted(found, outcome))

    def _decide(self, submissions: list[Submission]) -> tuple[list[_Outcome], SignedBatch | None]:
        """Decide on a group and make what is accepted durable."""
        earlier = self._store.requests({one.name for one in submissions if one.name is not None})
        logged: set[bytes] = set()
        while True:
            admission, outcomes = self._admit(submissions, earlier, logged)
            if not admission.entries:
                return outcomes, None
            accepted_at = int(self._clock().timestamp())
            batch = SignedBatch.sign(self._identity, admission.entries, accepted_at, accepted_at + self._anchor_within)
            try:
                self._store.append(
                    batch.row(self._next_batch), admission.entries, self._requests(submissions, outcomes)
                )
            except IntegrityError:
                # Rare, so it is asked only now: somebody sent what is in the log already.
                logged = self._store.logged([one for each in submissions for one in each.commitments])
                continue
            self._next_batch += 1
            self._period.taken += len(admission.entries)
            self._period.used += admission.used
            return outcomes, batch

    def _admit(
        self, submissions: list[Submission], earlier: Mapping[bytes, Request], logged: set[bytes]
    ) -> tuple[Admission, list[_Outcome]]:
        seconds_left = max(1, math.ceil(self._deadline - time.monotonic()))
        admission = Admission(self._period, seconds_left, earlier, logged)
        outcomes: list[_Outcome] = []
        for submission in submissions:
            try:
                outcomes.append(admission.admit(submission))
            except ServiceError as error:
                outcomes.append(error)
        return admission, outcomes

    def _requests(self, submissions: list[Submission], outcomes: list[_Outcome]) -> list[Request]:
        """The rows by which requests with an Idempotency-Key are known again."""
        return [
            Request(
                name=submission.name,
                body=submission.body,
                generation=self._identity.generation,
                batch=self._next_batch,
                position=place.position,
                count=place.count,
            )
            for submission, place in zip(submissions, outcomes, strict=True)
            if submission.name is not None and isinstance(place, Place) and not place.repeated
        ]

    def _refuse_rest(self) -> None:
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is not None:
                waiting.outcome.set_exception(Unavailable("The service is stopping; nothing was accepted."))

    # ---- periods ----

    def _take_up(self) -> None:
        """Continue the open period, or open the first one."""
        self._next_batch = self._store.last_batch() + 1
        periods = self._store.last_periods()
        self._deadline = time.monotonic() + self._period_seconds
        if not periods:
            self._open([], 0, 0, committed=False)
            return
        newest = periods[0]
        if len(periods) > 1 and periods[1].slots and newest.slots:
            self._check_secret(periods[1])
        self._period = open_period(self._identity, newest.number, newest.first, newest.slots)
        self._period.taken = self._store.accepted_in(newest)
        self._first_batch = newest.first_batch

    def _check_secret(self, before: Period) -> None:
        index, commitment = next_key_leaf(self._identity, before.number, before.first, before.slots)
        if not self._store.holds(index, commitment):
            raise KeyTrouble(
                f"the period secret is not the one that {self._identity.origin} committed to in period "
                f"{before.number}; name that secret's file, or open the next generation"
            )

    def _turn(self) -> None:
        """Close the open period and open the next; an empty one of the compact mode just goes on."""
        self._deadline = time.monotonic() + self._period_seconds
        period = self._period
        if not period.slots and not period.taken and not self._slots:
            return
        row, filled = self._close(period, self._first_batch)
        try:
            self._open([row], period.number + 1, row.size or 0, committed=bool(period.slots), filled=filled)
        except DBAPIError as error:
            log.error("period_not_closed", error=type(error.orig).__name__)
            self._deadline = time.monotonic() + RETRY_SECONDS
            return
        self._closed.set()

    def _close(self, period: OpenPeriod, first_batch: int) -> tuple[Period, list[tuple[int, bytes]]]:
        filled = filling(self._identity, period)
        return (
            Period(
                generation=self._identity.generation,
                number=period.number,
                first=period.first,
                first_batch=first_batch,
                end_batch=self._next_batch,
                slots=period.slots,
                size=period.first + (period.slots or period.taken),
                filling=pack_entries(filled),
            ),
            filled,
        )

    def _open(
        self,
        rows: list[Period],
        number: int,
        first: int,
        *,
        committed: bool,
        filled: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """Open a period, in one transaction with the closing of the one before it.

        A period with slots takes commitments only when its key was committed to; where it was not, one that takes none
        comes first and closes at once.
        """
        fillings = list(filled)
        period = open_period(self._identity, number, first, self._slots)
        if self._slots and not committed:
            row, more = self._close(period, self._next_batch)
            rows, fillings = [*rows, row], fillings + more
            period = open_period(self._identity, number + 1, first + self._slots, self._slots)
        opened = Period(
            generation=self._identity.generation,
            number=period.number,
            first=period.first,
            first_batch=self._next_batch,
            slots=period.slots,
        )
        self._store.turn([*rows, opened], fillings)
        self._period, self._first_batch = period, self._next_batch

    # ---- the publisher's thread ----

    def _publish(self) -> None:
        while True:
            self._closed.wait()
            if self._stopping:
                return
            self._closed.clear()
            try:
                self._publisher.publish()
                conditions.clear(self._engine, PART, "not-published")
            except (ServiceError, OSError, DBAPIError) as error:
                log.error("log_not_published", error=str(error))
                detail = f"the log's last period is not published: {error}; it is tried again"
                conditions.report(self._engine, PART, "not-published", detail, self._clock())
                time.sleep(RETRY_SECONDS)
                self._closed.set()
