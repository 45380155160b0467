"""The script that builds geth: what it says without Go, and that it builds once and trusts nothing but an answer."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "geth"
# Stands for a build of minutes: takes a moment, counts its calls, and leaves a program that answers as it is told.
GO = """#!/bin/sh
[ "$1" = install ] || { echo "$GOVERSION"; exit; }
[ "$MADE" ] || exit 2
sleep 0.3
echo call >>"$CALLS"
printf '#!/bin/sh\\necho "geth version %s"\\n' "$MADE" >"$GOBIN/geth"
chmod +x "$GOBIN/geth"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty cache, and a Go of our own."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "go").write_text(GO)
    (tools / "go").chmod(0o755)
    return {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CALLS": str(tmp_path / "calls"),
        "GOVERSION": "go1.26.6",
        "MADE": "1.13.15-stable",
    }


def start(environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen([SCRIPT], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def builds(environment: dict[str, str]) -> int:
    calls = Path(environment["CALLS"])
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def test_without_go_it_says_so_and_builds_nothing(environment: dict[str, str]) -> None:
    path = environment["PATH"].partition(":")[2]
    if any(os.access(f"{folder}/go", os.X_OK) for folder in path.split(":")):
        pytest.skip(f"there is a Go in {path}")
    process = start(environment | {"PATH": path})
    _, said = process.communicate()
    assert process.returncode == 2
    assert "on PATH is none" in said


def test_an_older_go_is_named(environment: dict[str, str]) -> None:
    process = start(environment | {"GOVERSION": "go1.19.8"})
    _, said = process.communicate()
    assert (process.returncode, builds(environment)) == (2, 0)
    assert "Go 1.23 or newer is needed to build geth 1.13.15; on PATH is go1.19.8" in said


def test_a_build_that_fails_is_another_thing_than_no_go(environment: dict[str, str]) -> None:
    process = start(environment | {"MADE": ""})
    process.communicate()
    assert process.returncode == 1
    assert list(Path(environment["XDG_CACHE_HOME"]).glob("bidledger/*/*")) == [
        Path(environment["XDG_CACHE_HOME"]) / "bidledger/geth-1.13.15/lock"
    ]


def test_two_at_once_build_once_and_both_name_the_program(environment: dict[str, str]) -> None:
    both = [start(environment), start(environment)]
    named = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert named == {f"{environment['XDG_CACHE_HOME']}/bidledger/geth-1.13.15/geth"}
    assert builds(environment) == 1


def test_what_does_not_answer_as_that_version_is_built_anew(environment: dict[str, str]) -> None:
    program = Path(environment["XDG_CACHE_HOME"]) / "bidledger" / "geth-1.13.15" / "geth"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    process = start(environment)
    process.communicate()
    assert (process.returncode, builds(environment)) == (0, 1)
    assert start(environment).wait() == 0
    assert builds(environment) == 1, "a good one is not built again"
    assert list(program.parent.glob("build.*")) == []


def test_a_build_of_another_version_is_refused(environment: dict[str, str]) -> None:
    process = start(environment | {"MADE": "1.14.0-stable"})
    _, said = process.communicate()
    assert process.returncode == 1
    assert "does not answer as version 1.13.15" in said
