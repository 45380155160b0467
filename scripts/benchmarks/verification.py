"""`bidledger verify` as a whole process: one file, one sealed file, a thousand in one call."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from row import Row

EVIDENCE = Path(__file__).parents[2] / "tests" / "vectors" / "evidence"
RUNS = 15
MOST_SECONDS = 0.25
MOST_SEALED_SECONDS = 0.35
MANY = 1000
LEAST_RATE = 200


def verify() -> Row:
    """The median of fifteen runs, in turn with those of an interpreter that does nothing."""
    value, floor = _one("v1")
    reach = f"<= floor + {MOST_SECONDS}"
    return Row("verify-start", value, "s", floor, value / floor, reach, value <= floor + MOST_SECONDS)


def sealed() -> Row:
    """The same of a file that four signers sealed and confirmed."""
    value, floor = _one("v1-clique")
    reach = f"<= {MOST_SEALED_SECONDS}"
    return Row("verify-sealed", value, "s", floor, value / floor, reach, value <= MOST_SEALED_SECONDS)


def many() -> Row:
    """A thousand sealed files in one call, against reading and parsing as many and nothing more."""
    document, evidence = EVIDENCE / "v1-clique" / "bid.txt", EVIDENCE / "v1-clique" / "bid.txt.evidence.json"
    value = MANY / _seconds(_command("v1-clique", MANY))
    started = time.perf_counter()
    for _ in range(MANY):
        document.read_bytes()
        json.loads(evidence.read_bytes())
    floor = MANY / (time.perf_counter() - started)
    return Row("verify-many", value, "files/s", floor, floor / value, f">= {LEAST_RATE}", value >= LEAST_RATE)


def _one(folder: str) -> tuple[float, float]:
    measured = [(_seconds(_command(folder, 1)), _seconds([sys.executable, "-c", "pass"])) for _ in range(RUNS)]
    value, floor = (statistics.median(times) for times in zip(*measured, strict=True))
    return value, floor


def _command(folder: str, pairs: int) -> list[str | Path]:
    files = [EVIDENCE / folder / name for name in ("bid.txt", "bid.txt.evidence.json", "network.json")]
    return [Path(sys.executable).with_name("bidledger"), "verify", *files[:2] * pairs, "--network", files[2], "--json"]


def _seconds(command: list[str | Path]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
