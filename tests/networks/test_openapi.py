"""Schemathesis reads the API's own description and finds nothing in the running service that contradicts it."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from conftest import Running

CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.mark.parametrize("who", ["public", "operator"])
@pytest.mark.parametrize("running", ["anvil"], indirect=True)
def test_schemathesis_finds_no_contradiction(running: Running, who: str, tmp_path: Path) -> None:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program is not None
    command = [
        *(
            program,
            "--config-file",
            str(CONFIG),
            "run",
            f"{running.url}/v1/openapi.json",
            "--phases",
            "examples,coverage,fuzzing",
        ),
        *("--max-examples", "15", "--seed", "1", "--suppress-health-check", "too_slow"),
        *("--exclude-checks", "unsupported_method", "--no-color"),
        *("--exclude-path", "/v1/events"),  # an answer without end
        *(part for name, value in running.operator.items() if who == "operator" for part in ("-H", f"{name}: {value}")),
    ]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stdout[-6000:]


@pytest.mark.parametrize("running", ["anvil"], indirect=True)
def test_another_method_is_refused_with_those_that_are_allowed(running: Running) -> None:
    for path, allowed in (("/v1/evidence", "POST"), ("/v1/members", "GET"), ("/log/checkpoint", "GET, HEAD")):
        answer = httpx.request("DELETE", running.url + path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.headers["content-type"] == "application/problem+json"
