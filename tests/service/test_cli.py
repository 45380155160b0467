"""The command line's promises: exit codes, one JSON document, errors that say what, where and what to do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import bidledger

from ledger_service.chain.devnet import free_port

FROZEN = Path(__file__).parents[1] / "vectors" / "evidence" / "v1"
DOCUMENT, EVIDENCE, NETWORK = (str(FROZEN / name) for name in ("bid.txt", "bid.txt.evidence.json", "network.json"))


def test_a_proven_document_ends_with_0_and_one_json_document() -> None:
    outcome = bidledger("verify", DOCUMENT, EVIDENCE, "--network", NETWORK, "--json")
    assert outcome.returncode == 0
    verdict = json.loads(outcome.stdout)
    assert (verdict["verdict"], verdict["grade"], verdict["member"]) == ("proven", "anchored", "sichuan")
    assert [step["step"] for step in verdict["steps"]] == (
        ["document", "commitment", "inclusion", "checkpoint", "event", "receipt", "header", "seals", "network"]
    )


def test_a_refuted_document_ends_with_1(tmp_path: Path) -> None:
    changed = tmp_path / "bid.txt"
    changed.write_text("another bid")
    outcome = bidledger("verify", changed, EVIDENCE, "--network", NETWORK)
    assert outcome.returncode == 1
    assert "refuted" in outcome.stdout


def test_several_pairs_are_proven_together_only_if_each_is(tmp_path: Path) -> None:
    changed = tmp_path / "bid.txt"
    changed.write_text("another bid")
    good = bidledger("verify", DOCUMENT, EVIDENCE, DOCUMENT, EVIDENCE, "--network", NETWORK, "--json")
    mixed = bidledger("verify", DOCUMENT, EVIDENCE, changed, EVIDENCE, "--network", NETWORK, "--json")
    assert (good.returncode, mixed.returncode) == (0, 1)
    assert (json.loads(good.stdout)["verdict"], json.loads(mixed.stdout)["verdict"]) == ("proven", "refuted")
    first, second = json.loads(mixed.stdout)["files"]
    assert (first["verdict"], first["document"], first["evidence"]) == ("proven", DOCUMENT, EVIDENCE)
    assert (second["verdict"], second["document"], second["steps"][0]["ok"]) == ("refuted", str(changed), False)
    told = bidledger("verify", DOCUMENT, EVIDENCE, changed, EVIDENCE, "--network", NETWORK)
    assert told.stdout.splitlines()[-1] == "1 of 2 documents are proven"


def test_witnesses_and_authorities_are_steps_where_the_reader_names_them(tmp_path: Path) -> None:
    policy, authorities = tmp_path / "policy", FROZEN.parents[1] / "timestamp" / "ours-root.pem"
    policy.write_text("quorum none\n")
    outside = bidledger("verify", DOCUMENT, EVIDENCE, "--network", NETWORK, "--policy", policy, "--json")
    assert [step["step"] for step in json.loads(outside.stdout)["steps"]][3:5] == ["checkpoint", "witnesses"]
    undated = bidledger("verify", DOCUMENT, EVIDENCE, "--network", NETWORK, "--authorities", authorities)
    assert (outside.returncode, undated.returncode) == (0, 1)
    assert "✗ timestamp   the evidence has no timestamp" in undated.stdout
    missing = bidledger("verify", DOCUMENT, EVIDENCE, "--network", NETWORK, "--policy", tmp_path / "none")
    assert missing.returncode == 3


def test_a_document_without_its_evidence_file_ends_with_2() -> None:
    outcome = bidledger("verify", DOCUMENT, EVIDENCE, DOCUMENT, "--network", NETWORK)
    assert outcome.returncode == 2
    assert "stands alone" in outcome.stderr


@pytest.mark.parametrize("place", range(3))
def test_a_missing_file_ends_with_3_and_is_named(place: int) -> None:
    files = [DOCUMENT, EVIDENCE, NETWORK]
    files[place] = "/nowhere/at-all"
    outcome = bidledger("verify", files[0], files[1], "--network", files[2])
    assert outcome.returncode == 3
    assert "/nowhere/at-all" in outcome.stderr


def test_a_wrong_option_ends_with_2() -> None:
    assert bidledger("verify", DOCUMENT, EVIDENCE, "--network", NETWORK, "--require", "maybe").returncode == 2


def test_verify_opens_no_socket() -> None:
    program = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    assert not event.startswith('socket.'), event\n"
        "sys.addaudithook(refuse)\n"
        "from ledger_service.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, "verify", DOCUMENT, EVIDENCE, "--network", NETWORK]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_service_that_does_not_answer_ends_with_4() -> None:
    outcome = bidledger("status", "--url", f"http://127.0.0.1:{free_port()}")
    assert outcome.returncode == 4
    assert "is the service running?" in outcome.stderr


def test_an_alliance_file_is_refused_with_the_place_of_its_fault(tmp_path: Path) -> None:
    alliance = tmp_path / "alliance.json"
    alliance.write_text('{"format": "bidledger/alliance/v1", "alliance": ""}')
    outcome = bidledger("deploy", "--rpc", "http://127.0.0.1:1", "--alliance", alliance, "--out", tmp_path / "n.json")
    assert outcome.returncode == 2
    assert "at /alliance" in outcome.stderr
    assert not (tmp_path / "n.json").exists()


def test_keys_are_made_once_and_only_their_public_parts_are_printed(tmp_path: Path) -> None:
    made = bidledger("keys", "create", "--dir", tmp_path / "keys", "--json")
    assert made.returncode == 0, made.stderr
    assert {operator["role"] for operator in json.loads(made.stdout)["operators"]} == {
        "governor",
        "anchorer",
        "receipt-signer",
        "credit-publisher",
        "regulator",
        "tender-officer",
    }
    password = (tmp_path / "keys" / "password").read_text().strip()
    assert password not in made.stdout + made.stderr
    again = bidledger("keys", "create", "--dir", tmp_path / "keys")
    assert again.returncode == 6
    assert "never overwritten" in again.stderr


def test_serve_says_which_setting_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(NETWORK, tmp_path / "network.json")
    monkeypatch.setenv("BIDLEDGER_NETWORK_FILE", str(tmp_path / "network.json"))
    monkeypatch.setenv("BIDLEDGER_DATA_DIR", str(tmp_path / "data"))
    outcome = bidledger("serve", "--only", "anchor")
    assert outcome.returncode == 2
    assert "BIDLEDGER_PASSWORD_FILE" in outcome.stderr


def test_serve_refuses_a_wrong_setting_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIDLEDGER_SLOTS", "1")
    outcome = bidledger("serve")
    assert outcome.returncode == 2
    assert "slots" in outcome.stderr


HOLDER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # an example of EIP-55


def submit(directory: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Submit a document to an API that does not answer; returns also the receipt file that is begun before."""
    document = directory / "bid.txt"
    document.write_text("our bid")
    api = ("--url", f"http://127.0.0.1:{free_port()}", "--out", directory)
    return bidledger("evidence", "submit", document, *api, *options), directory / "bid.txt.receipt.json"


@pytest.mark.parametrize("holder", [HOLDER, HOLDER.lower()])
def test_a_holder_and_extra_facts_are_stated(tmp_path: Path, holder: str) -> None:
    facts = ("--extra", "price=1 200 000 CNY = all in", "--extra", "工期=180 天")
    outcome, receipt = submit(tmp_path, "--holder", holder, *facts)
    assert outcome.returncode == 4, outcome.stderr
    statement = json.loads(receipt.read_bytes())["statement"]
    assert statement["holder"] == HOLDER.lower()
    assert statement["extra"] == {"price": "1 200 000 CNY = all in", "工期": "180 天"}


def test_what_is_not_declared_is_not_stated(tmp_path: Path) -> None:
    _, receipt = submit(tmp_path)
    statement = json.loads(receipt.read_bytes())["statement"]
    assert (statement["holder"], statement["extra"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--holder", HOLDER[:-1] + "D"], "capitals are not those of EIP-55"),
        (["--holder", "0x" + HOLDER[2:].upper()], "capitals are not those of EIP-55"),
        (["--holder", HOLDER[:-1]], "is no address"),
        (["--holder", HOLDER[2:]], "is no address"),
        (["--holder", "0x" + "00" * 20], "all zeros"),
        (["--extra", "price"], "is not NAME=VALUE"),
        (["--extra", "=1"], "is not NAME=VALUE"),
        (["--extra", "price="], "is not NAME=VALUE"),
        (["--extra", "price=\udcff"], "is not NAME=VALUE"),  # a byte that is no UTF-8
        (["--extra", f"{'n' * 65}=1"], "is not NAME=VALUE"),
        (["--extra", f"n={'v' * 1025}"], "is not NAME=VALUE"),
        (["--extra", "price=1", "--extra", "price=2"], "declared twice"),
        ([word for number in range(65) for word in ("--extra", f"{number}=1")], "64 is the most"),
    ],
)
def test_a_mistyped_particular_is_refused_before_anything_is_written(
    tmp_path: Path, options: list[str], words: str
) -> None:
    outcome, receipt = submit(tmp_path, *options)
    assert outcome.returncode == 2, outcome.stderr
    assert words in outcome.stderr
    assert not receipt.exists()


def test_an_interrupted_submission_is_not_finished_with_other_facts(tmp_path: Path) -> None:
    submit(tmp_path, "--extra", "price=1")
    outcome, _ = submit(tmp_path, "--extra", "price=2")
    assert outcome.returncode == 2
    assert "begun for other bytes or particulars" in outcome.stderr


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b'{"format": "bidledger/receipt/v1"}', b"\xff"])
def test_what_is_no_receipt_file_is_refused(tmp_path: Path, content: bytes) -> None:
    receipt = tmp_path / "x.receipt.json"
    receipt.write_bytes(content)
    outcome = bidledger("evidence", "fetch", receipt, "--url", "http://127.0.0.1:1")
    assert outcome.returncode == 2, outcome.stderr
    assert "is not a receipt file" in outcome.stderr


def test_a_development_chain_is_started_asked_and_stopped(tmp_path: Path) -> None:
    started = bidledger("devnet", "up", "--dir", tmp_path, "--json")
    assert started.returncode == 0, started.stderr
    try:
        status = json.loads(bidledger("devnet", "status", "--dir", tmp_path, "--json").stdout)
        assert status["running"] is True
        assert status["rpc"] == json.loads(started.stdout)["rpc"]
    finally:
        stopped = bidledger("devnet", "down", "--dir", tmp_path, "--json")
    assert json.loads(stopped.stdout) == {"stopped": True}
    assert json.loads(bidledger("devnet", "status", "--dir", tmp_path, "--json").stdout)["running"] is False
