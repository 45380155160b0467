"""`bidledger draw replay` as a whole process: 7 of 20,000 experts, against an interpreter that does nothing."""

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from row import Row

TESTS = Path(__file__).parents[2] / "tests"
EXPERTS = 20_000
RECUSED = 40
SEATS = 7
RUNS = 15
MOST_SECONDS = 1.0


def replay() -> Row:
    """The median of fifteen runs, in turn with the floor's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "draw.json")
        file.write_bytes(_held())
        installed = _installed(Path(folder))
        command = [Path(sys.executable).with_name("bidledger"), "draw", "replay", file]
        shown = subprocess.run(command, check=True, capture_output=True, text=True, env=installed).stdout  # it compiles
        if shown.count("  seat ") != SEATS:
            raise RuntimeError(shown)
        measured = [(_seconds(command, installed), _seconds([sys.executable, "-c", "pass"], None)) for _ in range(RUNS)]
    value, floor = (statistics.median(times) for times in zip(*measured, strict=True))
    return Row("draw-replay", value, "s", floor, value / floor, f"<= {MOST_SECONDS:.0f}", value <= MOST_SECONDS)


def _held() -> bytes:
    """The file of a draw as the tests hold it, from lists that have so many experts between them."""
    sys.path.append(str(TESTS / "anchors" / "draw"))
    held_draw = importlib.import_module("held_draw")
    share = EXPERTS // len(held_draw.SITES)
    lists = {
        site: held_draw.ExpertList.of(site, held_draw.experts(site, share + (EXPERTS % share if not at else 0)))
        for at, site in enumerate(held_draw.SITES)
    }
    recused = tuple(sorted(lists["gansu"].commitments[:RECUSED]))
    story = held_draw.story(lists, lambda terms, _: replace(terms, recusals=recused))
    if sum(site.count for site in story.terms.sites) != EXPERTS or story.terms.seats != SEATS:
        raise RuntimeError("this is another draw than the row says")
    written: bytes = story.hold().write()
    return written


def _installed(folder: Path) -> dict[str, str]:
    """The environment of a command that has its modules compiled, as every installer leaves them."""
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return rest | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _seconds(command: list[str | Path], environment: dict[str, str] | None) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started
