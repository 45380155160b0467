"""The demonstration on four geth signers: every file ends sealed, verified offline, and a changed seal is refuted."""

import json
import subprocess
import sys
from pathlib import Path

from anchors.chain.header import decode_header
from anchors.evidence import EvidenceFile
from anchors.seals import needed_seals, sealers


def test_every_file_ends_sealed_by_four_signers_and_a_changed_seal_is_refuted(geth: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ledger_service.cli", "demo", "--chain", "clique", "--dir", str(tmp_path / "demo")]
    outcome = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    assert outcome.returncode == 0
    report = json.loads(outcome.stdout)
    assert report["ok"] is True
    assert {(file["verdict"], file["grade"]) for file in report["files"]} == {("proven", "sealed")}
    assert len(report["files"]) == 6
    assert report["refuted"] == [
        {"changed": "document", "step": "document"},
        {"changed": "evidence", "step": "commitment"},
        {"changed": "network", "step": "network"},
        {"changed": "seal", "step": "seals"},
    ]
    network = json.loads(Path(report["network"]).read_bytes())
    (pinned,) = network["validators"]
    assert (network["consensus"], len(pinned["addresses"])) == ("clique", 4)
    for file in report["files"]:
        finality = EvidenceFile.parse(Path(file["evidence"]).read_bytes()).finality()
        assert finality is not None
        later = {signer for raw in finality.headers for signer in sealers(decode_header(raw, "clique"))}
        assert len(later) >= needed_seals("clique", 4)
        assert {f"0x{signer.hex()}" for signer in later} <= set(pinned["addresses"])
