"""A client that others wrote reads the log: Go's x/mod, whose code for signed notes and tiles runs sum.golang.org.

The code is taken from the Go toolchain itself, which carries a copy; where there is no Go, the test says so.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from running_log import RunningLog, commitments, receipts

SOURCE = Path(__file__).parent / "goclient" / "main.go"


@pytest.fixture(scope="module")
def go_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client, built without any download."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no Go here, so no client of Go's was tried")
    answer = subprocess.run([go, "env", "GOROOT", "GOVERSION"], check=True, capture_output=True, text=True)
    goroot, version = answer.stdout.split()
    vendored = Path(goroot) / "src/cmd/vendor/golang.org/x/mod/sumdb"
    if not vendored.is_dir():
        pytest.skip(f"this Go carries no copy of x/mod ({vendored}), so no client of Go's was tried")
    module = tmp_path_factory.mktemp("goclient")
    for package in ("note", "tlog"):
        shutil.copytree(vendored / package, module / "mod/sumdb" / package)
    language = ".".join(version.removeprefix("go").split(".")[:2])
    (module / "mod/go.mod").write_text(f"module golang.org/x/mod\n\ngo {language}\n")
    (module / "go.mod").write_text(
        f"module client\n\ngo {language}\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
    )
    shutil.copy(SOURCE, module)
    offline = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", "client", "."], cwd=module, env=offline, check=True)
    return module / "client"


def read(client: Path, log: RunningLog, vkey: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(client), f"{log.url}/log", vkey], check=False, capture_output=True, text=True)


@pytest.mark.parametrize("count", [1, 256, 700])
def test_go_reads_every_entry_and_every_tile(make_log: Callable[..., RunningLog], go_client: Path, count: int) -> None:
    log = make_log().start()
    given = receipts(log.submit(commitments(count)))
    log.restart()
    answer = read(go_client, log, log.verifier.vkey)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == [one.commitment.hex() for one in given]


def test_go_refuses_the_log_when_one_entry_is_another(make_log: Callable[..., RunningLog], go_client: Path) -> None:
    log = make_log().start()
    receipts(log.submit(commitments(300)))
    log.restart()
    bundle = log.public_dir / "tile/entries/000"
    content = bytearray(bundle.read_bytes())
    content[100] ^= 1
    bundle.write_bytes(content)
    answer = read(go_client, log, log.verifier.vkey)
    assert answer.returncode != 0
    assert "is not the leaf" in answer.stderr
