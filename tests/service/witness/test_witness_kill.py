"""Kill the witness under load, by many who ask at once: it forgets nothing it cosigned, and has one view of a log."""

import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import witnessing
from witnessing import MemberLog, cosigned

from anchors.notes import Checkpoint, sign_checkpoint
from ledger_service.witness.protocol import Submission

KILLS = 5
CLIENTS = 4
STEP = 3


@dataclass
class Asking:
    """Clients that grow one log on two branches, as fast as the witness takes it."""

    branches: tuple[MemberLog, MemberLog]
    url: str = ""
    cosigned: list[tuple[int, bytes]] = field(default_factory=list)  # size and root, in the order of the answers
    unexpected: list[str] = field(default_factory=list)

    def ask_until_gone(self) -> None:
        size = 0
        with httpx.Client() as client:
            while True:
                submission = secrets.choice(self.branches).submission(size, size + secrets.choice((0, 1, STEP)))
                try:
                    answer = client.post(f"{self.url}/witness/add-checkpoint", content=submission.encode())
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    cosigned(answer, submission.note)
                    _, number, root = submission.note.text.split("\n")[:3]
                    self.cosigned.append((int(number), root.encode()))
                    size = int(number)
                elif answer.status_code == 409:
                    size = int(answer.text)
                elif answer.status_code != 422:
                    self.unexpected.append(answer.text)
                    return

    def await_cosigned(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.cosigned) < count:
            assert self.unexpected == []
            assert time.monotonic() < deadline
            time.sleep(0.01)


def start(database: Path) -> tuple["subprocess.Popen[str]", str]:
    command = [sys.executable, witnessing.__file__, json.dumps({"database": str(database)})]
    path = ":".join(sys.path)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": path})
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{process.stdout.readline().strip()}"


def known_size(url: str, log: MemberLog) -> int:
    """The size that the witness has of a log, asked for by a checkpoint far beyond it."""
    far = sign_checkpoint(Checkpoint(log.origin, 1 << 40, bytes(32)), log.signer)
    answer = httpx.post(f"{url}/witness/add-checkpoint", content=Submission(1 << 40, (), far).encode())
    assert answer.status_code == 409
    return int(answer.text)


def test_no_kill_and_no_race_makes_two_views(tmp_path: Path) -> None:
    asking = Asking((MemberLog("guizhou"), MemberLog("guizhou", leaves=b"fork")))
    for _ in range(KILLS):
        process, asking.url = start(tmp_path / "witness.sqlite")
        answered = max((size for size, _ in asking.cosigned), default=0)
        assert known_size(asking.url, asking.branches[0]) >= answered, "a cosigned view was lost"
        clients = [threading.Thread(target=asking.ask_until_gone) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        asking.await_cosigned(len(asking.cosigned) + 5)
        time.sleep(secrets.randbelow(50) / 1000)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for client in clients:
            client.join()
    assert asking.unexpected == []
    assert len(dict(asking.cosigned)) == len(set(asking.cosigned)), "two roots at one size"
    largest = max(asking.cosigned)[0]
    (branch,) = [one for one in asking.branches if set(asking.cosigned) <= views(one, largest)]
    print(f"{len(asking.cosigned)} cosignatures up to size {largest} of one branch, {KILLS} kills: {branch.origin}")


def views(branch: MemberLog, largest: int) -> set[tuple[int, bytes]]:
    notes = [branch.checkpoint(size).text.split("\n") for size in range(largest + 1)]
    return {(int(note[1]), note[2].encode()) for note in notes}
