"""Kill the server at any moment under load: what it gave a receipt for stays, and what it signed stays true."""

import secrets
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from auditor import Audit, root_of
from running_log import CHAIN_ID, RunningLog, commitments, receipts

from anchors.notes import SignedNote, open_checkpoint
from anchors.receipt import Receipt

MakeLog = Callable[..., RunningLog]
KILLS = 6  # under load, in each mode, and as many just after a restart
CLIENTS = 4


@dataclass
class Load:
    """Clients who submit until the server is gone, and keep what they were given."""

    log: RunningLog
    given: list[Receipt] = field(default_factory=list)
    unanswered: list[tuple[str, list[str]]] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._submit) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        yield
        for client in clients:
            client.join()

    def _submit(self) -> None:
        while True:
            some = commitments(secrets.choice((1, 1, 3, 20)))
            name = some[0]
            try:
                answer = self.log.submit(some, idempotency_key=name)
            except httpx.TransportError:
                self.unanswered.append((name, some))
                return
            if answer.status_code == 201:
                self.given += receipts(answer)
            elif answer.status_code == 429:  # the period is full
                time.sleep(0.01)
            else:
                self.unexpected.append(answer.text)
                return

    def ask_again(self) -> None:
        """Repeat what was not answered: accepted before or now, each has its receipts."""
        for name, some in self.unanswered:
            answer = self.log.submit(some, idempotency_key=name)
            if answer.status_code != 429:
                self.given += receipts(answer)
        self.unanswered.clear()


@pytest.mark.parametrize("slots", [0, 128])
def test_no_kill_breaks_a_receipt_or_a_checkpoint(make_log: MakeLog, slots: int) -> None:
    log = make_log(slots=slots, period_seconds=0.05)
    load = Load(log)
    published = Audit(0, root_of([]), [])
    for _ in range(KILLS):
        log.start()
        with load.running():
            time.sleep(0.02 + secrets.randbelow(400) / 1000)
            log.end(signal.SIGKILL)
        if (log.public_dir / "checkpoint").exists():
            published = _continued(published, log.audit_files())
        log.start()
        published = _continued(published, log.audit())
        assert [published.leaves[one.index] for one in load.given] == [one.commitment for one in load.given]
        load.ask_again()
        log.end(signal.SIGKILL)
        published = _continued(published, log.audit_files())
    _check_receipts(log, load)
    _check_all_checkpoints(log, published)


def _check_receipts(log: RunningLog, load: Load) -> None:
    assert load.unexpected == []
    assert len(load.given) > KILLS
    assert len({one.index for one in load.given}) == len(load.given)
    for one in load.given[:: len(load.given) // 100 + 1]:
        one.prove_entry()
        assert one.signer(CHAIN_ID).hex() == log.config["receipt_address"]


def _continued(before: Audit, after: Audit) -> Audit:
    """The later audit, which must hold the earlier one's tree."""
    assert after.size >= before.size
    assert root_of(after.leaves[: before.size]) == before.root
    return after


def _check_all_checkpoints(log: RunningLog, published: Audit) -> None:
    """Whatever was ever signed is a beginning of the one log, each size signed once."""
    with closing(sqlite3.connect(log.database_file)) as database:
        notes = [note for (note,) in database.execute("SELECT note FROM log_checkpoint ORDER BY size")]
    signed = [open_checkpoint(SignedNote.parse(note), log.verifier).checkpoint for note in notes]
    assert len({checkpoint.size for checkpoint in signed}) == len(signed) > KILLS
    for checkpoint in signed:
        if checkpoint.size <= published.size:  # the last one may not have reached its file
            assert checkpoint.root == root_of(published.leaves[: checkpoint.size])
