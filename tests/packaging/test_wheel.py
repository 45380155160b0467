"""The wheel in a clean environment without the `service` extra: it verifies evidence and says what else would need."""

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "tests" / "vectors" / "evidence" / "v1"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("bidledger-*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that holds the wheel and the verifier's locked packages, no more."""
    where = tmp_path_factory.mktemp("clean")
    uv = shutil.which("uv")
    venv.create(where, with_pip=uv is None)
    python = where / "bin" / "python"
    pip = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    lock = ["--require-hashes", "-r", ROOT / "requirements-verify.lock"]
    subprocess.run([*pip, "--quiet", *lock], check=True)
    subprocess.run([*pip, "--quiet", "--no-deps", wheel], check=True)
    return where / "bin"


def run(clean: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([clean / "bidledger", *arguments], capture_output=True, text=True, check=False)


def test_the_wheel_holds_what_the_installed_code_reads(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    wanted = {
        "anchors/py.typed",
        "anchors/evidence.schema.json",
        "anchors/credit/certificate.schema.json",
        "anchors/tenders/audit/audit.schema.json",
        "anchors/credit/measures.json",
        "ledger_service/chain/artifacts/EvidenceLog.json",
        "ledger_service/chain/artifacts/AllianceRegistry.json",
        "ledger_service/demo/ocds/02-tender.json",
        "ledger_service/tenders/ocds/extension/extension.json",
        "ledger_service/tenders/ocds/schemas/release-package-schema-1__1__5.json",
    }
    assert wanted <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"anchors", "ledger_service", "bidledger"}


def test_the_verifier_needs_no_service_package(clean: Path) -> None:
    outcome = subprocess.run([clean / "python", "-c", "import fastapi"], capture_output=True, check=False)
    assert outcome.returncode == 1


def test_a_frozen_evidence_file_is_proven(clean: Path) -> None:
    (evidence,) = EVIDENCE.glob("*.evidence.json")
    document = EVIDENCE / evidence.name.removesuffix(".evidence.json")
    outcome = run(clean, "verify", document, evidence, "--network", EVIDENCE / "network.json", "--json")
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["verdict"] == "proven"


def test_a_credit_certificate_is_judged_without_the_service(clean: Path) -> None:
    network = EVIDENCE / "network.json"
    outcome = run(clean, "verify-certificate", network, "--network", network)
    assert (outcome.returncode, outcome.stderr) == (1, "")
    assert "✗ subject" in outcome.stdout


def test_a_command_of_the_service_says_what_to_install(clean: Path) -> None:
    outcome = run(clean, "status")
    assert outcome.returncode == 2
    assert "pip install 'bidledger[service]'" in outcome.stderr
