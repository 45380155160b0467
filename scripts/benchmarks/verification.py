"""`bidledger verify` of one file as a whole process, against an interpreter that does nothing."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from row import Row

EVIDENCE = Path(__file__).parents[2] / "tests" / "vectors" / "evidence" / "v1"
RUNS = 15
MOST_SECONDS = 0.25


def verify() -> Row:
    """The median of fifteen runs, in turn with the floor's."""
    document = EVIDENCE / "bid.txt"
    command = [
        *(Path(sys.executable).with_name("bidledger"), "verify", document, EVIDENCE / "bid.txt.evidence.json"),
        *("--network", EVIDENCE / "network.json", "--json"),
    ]
    measured = [(_seconds(command), _seconds([sys.executable, "-c", "pass"])) for _ in range(RUNS)]
    value, floor = (statistics.median(times) for times in zip(*measured, strict=True))
    reach = f"<= floor + {MOST_SECONDS}"
    return Row("verify-start", value, "s", floor, value / floor, reach, value <= floor + MOST_SECONDS)


def _seconds(command: list[str | Path]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
