"""Gives every commitment its one place: decides on groups of requests, makes them durable, and turns the periods.

All of it happens in the caller's one thread, and each step is one transaction. Memory follows the database: after a
step that failed the log is taken up from its rows again. Taking it up closes the period that was open, since how much
of its quota each key had used is not written down; so the quotas of the next one hold in full, whatever was before.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ledger_service.errors import KeyTrouble, ServiceError
from ledger_service.log.admission import Admission, Place, Submission
from ledger_service.log.batch import SignedBatch
from ledger_service.log.identity import LogIdentity
from ledger_service.log.period import OpenPeriod, filling, next_key_leaf, open_period
from ledger_service.log.store import LogStore, pack_entries
from ledger_service.log.tables import Batch, Period, Request


class Accepted(NamedTuple):
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


class Sequencer:
    """The sequence of one generation of a log. There must be no other one of it at work.

    Args:
        store: the log's rows.
        identity: whose log, with its keys.
        slots: entries of each period to come; 0 for as many as come.
        anchor_within_seconds: what receipts promise.
        clock: the time at which periods close; aware.
    """

    def __init__(
        self,
        store: LogStore,
        identity: LogIdentity,
        slots: int,
        anchor_within_seconds: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._identity = identity
        self._slots = slots
        self._anchor_within = anchor_within_seconds
        self._clock = clock
        self._period: OpenPeriod | None = None  # None: what the database holds is to be read first
        self._first_batch = 0  # of the open period
        self._next_batch = 0

    def take_up(self) -> None:
        """Read where the log stands, close the period that was open, and open the next.

        Raises:
            KeyTrouble: the period secret is not the one that the log has committed to.
        """
        self._period = None
        self._next_batch = self._store.last_batch() + 1
        periods = self._store.last_periods()
        if not periods:
            self._open([], [], number=0, first=0, committed=False)
            return
        newest, *before = periods
        if before and before[0].slots:
            self._check_secret(before[0])
        period = open_period(self._identity, newest.number, newest.first, newest.slots)
        period.taken = self._store.accepted_in(newest)
        self._first_batch = newest.first_batch
        self._close(period)

    def decide(
        self, submissions: Sequence[Submission], now: datetime, seconds_left: int
    ) -> list[Accepted | ServiceError]:
        """Decide on a group of requests, and make what is accepted durable by one commit.

        Args:
            submissions: the requests, in the order in which they came.
            now: the time that the receipts state.
            seconds_left: whole seconds until the open period closes, at least 1.

        Returns:
            For each request its places, or the error that refuses it; see `Admission.admit`.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not take it; nothing is accepted.
        """
        try:
            period = self._current()
            outcomes, batch = self._place(period, submissions, int(now.timestamp()), seconds_left)
            return [self._answer(outcome, batch) for outcome in outcomes]
        except SQLAlchemyError:
            self._period = None
            raise

    def turn(self) -> bool:
        """Close the open period and open the next.

        Returns:
            Whether one was closed; an empty one of the compact mode just goes on.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not take it; the period stays open.
        """
        try:
            return self._close(self._current())
        except SQLAlchemyError:
            self._period = None
            raise

    def _current(self) -> OpenPeriod:
        if self._period is None:
            self.take_up()
        assert self._period is not None  # noqa: S101  # taken up, or an error was raised
        return self._period

    # Requests

    def _place(
        self, period: OpenPeriod, submissions: Sequence[Submission], accepted_at: int, seconds_left: int
    ) -> tuple[list[Place | ServiceError], SignedBatch | None]:
        earlier = self._store.requests([one.name for one in submissions if one.name is not None])
        logged: set[bytes] = set()
        while True:
            admission = Admission(period, seconds_left, earlier, logged, accepted_at)
            outcomes = [_outcome(admission, one) for one in submissions]
            if not admission.entries:
                return outcomes, None
            batch = SignedBatch.sign(self._identity, admission.entries, accepted_at, accepted_at + self._anchor_within)
            row = batch.row(self._next_batch)
            try:
                self._store.append(row, admission.entries, _requests(submissions, outcomes, row))
            except IntegrityError:
                # Rare, so it is asked only now which of them the log holds already.
                found = self._store.logged([commitment for one in submissions for commitment in one.commitments])
                if found <= logged:
                    raise
                logged = found
                continue
            self._next_batch += 1
            period.taken += len(admission.entries)
            period.used += admission.used
            return outcomes, batch

    def _answer(self, outcome: Place | ServiceError, batch: SignedBatch | None) -> Accepted | ServiceError:
        if isinstance(outcome, ServiceError):
            return outcome
        if outcome.batch is not None:
            return Accepted(SignedBatch.stored(self._store.batch(outcome.batch)), outcome)
        assert batch is not None  # noqa: S101  # a place in the batch that is being made
        return Accepted(batch, outcome)

    # Periods

    def _check_secret(self, before: Period) -> None:
        index, commitment = next_key_leaf(self._identity, before.number, before.first, before.slots)
        if not self._store.holds(index, commitment):
            raise KeyTrouble(
                f"The period secret is not the one that {self._identity.origin} committed to in period "
                f"{before.number}; name that secret's file, or open the next generation."
            )

    def _close(self, period: OpenPeriod) -> bool:
        if not (period.slots or period.taken or self._slots):
            self._period = period
            return False
        row, filled = self._closed(period, self._first_batch)
        self._open([row], filled, number=period.number + 1, first=row.size or 0, committed=bool(period.slots))
        return True

    def _open(
        self, closed: list[Period], filled: list[tuple[int, bytes]], *, number: int, first: int, committed: bool
    ) -> None:
        """Open a period, in one transaction with the closing of the one before it.

        One with slots takes commitments only when its key was committed to in the one before. Where it was not, it
        takes none and closes at once.
        """
        period = open_period(self._identity, number, first, self._slots)
        if self._slots and not committed:
            row, more = self._closed(period, self._next_batch)
            closed, filled = [*closed, row], [*filled, *more]
            period = open_period(self._identity, number + 1, first + self._slots, self._slots)
        opened = Period(
            generation=self._identity.generation,
            number=period.number,
            first=period.first,
            first_batch=self._next_batch,
            slots=period.slots,
        )
        self._store.turn([*closed, opened], filled)
        self._period, self._first_batch = period, self._next_batch

    def _closed(self, period: OpenPeriod, first_batch: int) -> tuple[Period, list[tuple[int, bytes]]]:
        """The row of a period that closes, and the entries that fill it."""
        filled = filling(self._identity, period)
        row = Period(
            generation=self._identity.generation,
            number=period.number,
            first=period.first,
            first_batch=first_batch,
            end_batch=self._next_batch,
            slots=period.slots,
            size=period.first + (period.slots or period.taken),
            filling=pack_entries(filled),
            closed_at=int(self._clock().timestamp()),
            chain_time=self._store.chain_time(),
        )
        return row, filled


def _outcome(admission: Admission, submission: Submission) -> Place | ServiceError:
    try:
        return admission.admit(submission)
    except ServiceError as error:
        return error


def _requests(
    submissions: Sequence[Submission], outcomes: Sequence[Place | ServiceError], batch_row: Batch
) -> list[Request]:
    """The rows by which requests with an Idempotency-Key are known again."""
    return [
        Request(
            name=submission.name,
            body=submission.body,
            generation=batch_row.generation,
            batch=batch_row.number,
            position=place.position,
            count=place.count,
        )
        for submission, place in zip(submissions, outcomes, strict=True)
        if submission.name is not None and isinstance(place, Place) and not place.repeated
    ]
