"""Programs in the background: started apart from our own process group, and ended only while they are still the same.

A process number passes to another program once its own has ended, so each is kept with the moment it started at.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 15.0
# Linux gives to whoever connects those from 32768 on, others from 49152. A browser goes to no port 10080.
PORTS: Final = range(11_000, 32_768)
_RESERVED: Final[list[socket.socket]] = []


@dataclass(frozen=True, slots=True)
class Process:
    """A program that was started."""

    pid: int
    started: str  # tells it from a later one with the same number

    @property
    def runs(self) -> bool:
        """Whether it still is the one that was started."""
        if not self.started:
            return False
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)  # when it is our own child, so that it does not stay a zombie
        return _start_mark(self.pid) == self.started

    def tell(self, sign: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.runs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sign)

    def end(self, *signs: signal.Signals) -> None:
        """Send the signals one after the other, each when the one before it was not heeded in STOP_SECONDS."""
        for sign in signs or (signal.SIGTERM, signal.SIGKILL):
            if not self.runs:
                return
            self.tell(sign)
            deadline = time.monotonic() + STOP_SECONDS
            while self.runs and time.monotonic() < deadline:
                time.sleep(0.02)


NEVER_STARTED: Final = Process(0, "")


def start(command: Sequence[str | Path], output: Path) -> Process:
    """Start a program that reads nothing; what it prints is added to the file `output`."""
    with output.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603  # our own program, our own arguments
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    return Process(process.pid, _start_mark(process.pid) or "")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment.

    None of those that the system gives to whoever connects to somewhere: one of these may be gone before a program that
    was told of it has started, or while it is stopped. Nor does this function give it to another process as long as
    this one runs, where the system is Linux.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _reserve(port)
            return port


def _reserve(port: int) -> None:
    """Take the name that stands for a port; raises OSError where another process has it."""
    if sys.platform == "linux":
        name = socket.socket(socket.AF_UNIX)
        name.bind(f"\0bidledger/port/{port}")  # no file; gone with the process
        _RESERVED.append(name)


def _start_mark(pid: int) -> str | None:
    """When process `pid` started, as the system spells it; None when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            state, *rest = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state == "Z" else rest[18]  # field 22 of proc(5), in clock ticks since boot
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return listed.stdout.strip() or None
