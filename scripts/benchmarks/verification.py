"""`bidledger verify` and `verify-certificate` as whole processes: one file, one sealed file, a thousand in one call."""

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from row import Row

TESTS = Path(__file__).parents[2] / "tests"
EVIDENCE = TESTS / "vectors" / "evidence"
RUNS = 15
MOST_SECONDS = 0.25
MOST_SEALED_SECONDS = 0.35
MANY = 1000
LEAST_RATE = 200
MOST_CERTIFICATE_BYTES = 12_000
MOST_CERTIFICATE_SECONDS = 0.3
COMPANIES = 50  # the largest certificate of so many, since it depends on who else is near in the trie
_HASH_ALL = """
import base64, json, sys
from Crypto.Hash import keccak
for node in json.load(open(sys.argv[1]))["nodes"]:
    keccak.new(digest_bits=256, data=base64.b64decode(node)).digest()
"""


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


def certificate_size() -> Row:
    """The largest of a clean company among a million, sealed by thirteen signers, against its bytes before base64."""
    crowd = _crowd()
    made = [crowd.crowded_certificate({company: ()}, "clique")[0] for company in crowd.companies(COMPANIES)]
    largest = max(made, key=len)
    parts = json.loads(largest)
    floor = sum(len(each) * 3 // 4 for each in (*parts["nodes"], parts["headers"]))
    reach = f"<= {MOST_CERTIFICATE_BYTES}"
    return Row(
        "certificate-size",
        len(largest),
        "B",
        floor,
        len(largest) / floor,
        reach,
        len(largest) <= MOST_CERTIFICATE_BYTES,
    )


def certificate() -> Row:
    """That of one company, in turn with an interpreter that does nothing."""
    return _certificate("certificate-start", 1, "pass")


def certificate_of_many() -> Row:
    """That of a thousand companies, one in twenty with a record, against hashing its trie nodes and nothing more."""
    return _certificate("certificate-many", MANY, _HASH_ALL)


def _certificate(name: str, count: int, least: str) -> Row:
    crowd = _crowd()
    told = {
        company: crowd.one_record(company) if at % 20 == 19 else () for at, company in enumerate(crowd.companies(count))
    }
    with _written(*crowd.crowded_certificate(told, "clique")) as (file, network):
        command = [_bidledger(), "verify-certificate", file, "--network", network, "--json"]
        floored = [sys.executable, "-c", least, file]
        _seconds(command, _installed(file.parent))  # which compiles
        measured = [(_seconds(command, _installed(file.parent)), _seconds(floored)) for _ in range(RUNS)]
    value, floor = (statistics.median(times) for times in zip(*measured, strict=True))
    reach = f"<= {MOST_CERTIFICATE_SECONDS}"
    return Row(name, value, "s", floor, value / floor, reach, value <= MOST_CERTIFICATE_SECONDS)


def _installed(folder: Path) -> dict[str, str]:
    """The environment of a command that has its modules compiled, as every installer leaves them."""
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return rest | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _crowd() -> ModuleType:
    """How the tests make up a register of a million companies."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    return importlib.import_module("crowded_register")


@contextmanager
def _written(certificate: bytes, network: bytes) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder, "certificate.json"), Path(folder, "network.json")
        for path, data in zip(paths, (certificate, network), strict=True):
            path.write_bytes(data)
        yield paths


def _one(folder: str) -> tuple[float, float]:
    measured = [(_seconds(_command(folder, 1)), _seconds([sys.executable, "-c", "pass"])) for _ in range(RUNS)]
    value, floor = (statistics.median(times) for times in zip(*measured, strict=True))
    return value, floor


def _command(folder: str, pairs: int) -> list[str | Path]:
    files = [EVIDENCE / folder / name for name in ("bid.txt", "bid.txt.evidence.json", "network.json")]
    return [_bidledger(), "verify", *files[:2] * pairs, "--network", files[2], "--json"]


def _bidledger() -> Path:
    return Path(sys.executable).with_name("bidledger")


def _seconds(command: list[str | Path], environment: dict[str, str] | None = None) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started
