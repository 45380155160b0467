"""The demonstration on four geth signers: files, certificates and audits end sealed and are verified offline."""

import json
import subprocess
import sys
from pathlib import Path

from third_act import check_third_act

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
    credit = report["credit"]
    assert credit["ok"] is True
    shown = [(each["verdict"], each["sealed"], each["state"]) for each in credit["certificates"]]
    assert shown == [("proven", True, "published"), ("proven", True, None), ("proven", True, "repaired")]
    check_third_act(report, sealed=True)
    for file in report["files"]:
        finality = EvidenceFile.parse(Path(file["evidence"]).read_bytes()).finality()
        assert finality is not None
        later = {signer for raw in finality.headers for signer in sealers(decode_header(raw, "clique"))}
        assert len(later) >= needed_seals("clique", 4)
        assert {f"0x{signer.hex()}" for signer in later} <= set(pinned["addresses"])
