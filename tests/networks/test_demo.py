"""The demonstration on both chains: every verdict as it must be, every file where it says, every forgery refuted."""

import json
import subprocess
import sys
import time
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from command_line import bidledger
from conftest import Running
from third_act import check_bids, check_third_act
from web3 import HTTPProvider, Web3

from anchors.commitment import Statement, commit
from anchors.notes import SignedNote, TlogProof, Verifier, open_checkpoint

FINAL_SECONDS = 30
SICHUAN = 2  # the member's number


def test_every_file_is_proven_and_every_forgery_refuted_at_its_step(running: Running) -> None:
    assert running.report["ok"] is True
    assert len(running.report["files"]) == 6
    assert {(file["verdict"], file["grade"]) for file in running.report["files"]} == {("proven", "anchored")}
    assert running.report["refuted"] == [
        {"changed": "document", "step": "document"},
        {"changed": "evidence", "step": "commitment"},
        {"changed": "network", "step": "network"},
    ]


def test_a_company_is_punished_and_cleared_and_all_of_it_is_proven(running: Running) -> None:
    credit = running.report["credit"]
    assert credit["ok"] is True
    assert [(read["when"], read["recognized_by"], read["applies"], read["why"]) for read in credit["reads"]] == [
        ("before", "chongqing", False, []),
        ("during", "chongqing", True, ["published", "recognised-by-default"]),
        ("during", "guizhou", False, ["published", "opted-out"]),
        ("after", "chongqing", False, ["published", "repaired", "recognised-by-default"]),
        ("after", "sichuan", False, ["published", "repaired", "own-record"]),
        ("one block before", "chongqing", True, ["published", "recognised-by-default"]),
    ]
    shown = [(each["verdict"], each["state"]) for each in credit["certificates"]]
    assert shown == [("proven", "published"), ("proven", None), ("proven", "repaired")]
    assert credit["refuted"] == {"changed": "record left out", "step": "word"}


def test_a_tender_runs_to_its_award_and_a_dropped_bids_claim_stands(running: Running) -> None:
    check_third_act(running.report, sealed=False)
    assert set(running.report["seconds"]) == {"evidence", "credit", "tenders"}


def test_what_was_opened_and_what_was_not_is_proven_at_the_api(running: Running) -> None:
    check_bids(running.report)


def test_the_tlog_proof_opens_with_the_logs_key_and_holds_the_salt(running: Running) -> None:
    log = running.report["log"]
    for file in running.report["files"]:
        proof = TlogProof.parse(Path(file["tlog_proof"]).read_bytes())
        assert open_checkpoint(proof.note, Verifier.parse(log["vkey"])).checkpoint.origin == log["origin"]
        statement = json.loads(Path(file["evidence"]).read_bytes())["statement"]
        assert proof.extra == bytes.fromhex(statement["salt"][2:])
        assert proof.index == file["index"]


def test_the_published_checkpoint_is_signed_and_grows(running: Running) -> None:
    log = running.report["log"]
    answer = httpx.get(f"{log['url']}/checkpoint")
    opened = open_checkpoint(SignedNote.parse(answer.content), Verifier.parse(log["vkey"]))
    assert opened.checkpoint.size > max(file["index"] for file in running.report["files"])


def test_a_leaf_is_final_after_two_more_blocks_and_the_filling_answers_alike(running: Running) -> None:
    first = running.report["files"][0]
    statement = json.loads(Path(first["evidence"]).read_bytes())["statement"]
    commitment = commit(Statement.from_json(statement))
    bundle = httpx.get(f"{running.report['log']['url']}/tile/entries/000").content
    filling = bundle[2:34]
    deadline = time.monotonic() + FINAL_SECONDS
    while True:
        answers = [httpx.get(f"{running.url}/v1/evidence/0x{leaf.hex()}").json() for leaf in (commitment, filling)]
        if all(answer["state"] == "final" for answer in answers) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert [answer["state"] for answer in answers] == ["final", "final"]
    assert answers[0].keys() == answers[1].keys()
    proofs = [httpx.get(f"{running.url}/v1/evidence/0x{leaf.hex()}/proof") for leaf in (commitment, filling)]
    assert [proof.status_code for proof in proofs] == [200, 200]
    assert proofs[0].json().keys() == proofs[1].json().keys()


def test_a_file_of_ones_own_is_submitted_fetched_and_proven(running: Running, tmp_path: Path) -> None:
    document = tmp_path / "bid.txt"
    document.write_text("our bid")

    party = "CN-USCC:91510000201837253X"
    submit = ("evidence", "submit", document, "--url", running.url, "--out", tmp_path, "--json")
    refused = bidledger(*submit, "--party", party)
    assert refused.returncode == 2, refused.stderr
    assert "check character" in refused.stderr
    submit += ("--holder", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "--extra", "price=1 200 000 CNY")
    submitted = bidledger(*submit)
    assert submitted.returncode == 0, submitted.stderr
    receipt = tmp_path / "bid.txt.receipt.json"
    assert json.loads(submitted.stdout)["files"] == [str(receipt)]
    again = bidledger(*submit)
    assert again.returncode == 2
    assert "holds a receipt already" in again.stderr
    fetched = bidledger("evidence", "fetch", receipt, "--wait", "60", "--out", tmp_path)
    assert fetched.returncode == 0, fetched.stderr
    network = str(running.report["network"])
    verified = bidledger("verify", document, tmp_path / "bid.txt.evidence.json", "--network", network, "--json")
    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["member"] == "sichuan"
    statement = json.loads((tmp_path / "bid.txt.evidence.json").read_bytes())["statement"]
    assert statement["holder"] == "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
    assert statement["extra"] == {"price": "1 200 000 CNY"}
    sealed = bidledger(
        *("verify", document, tmp_path / "bid.txt.evidence.json", "--network", network, "--json"),
        *("--require", "sealed"),
    )
    assert sealed.returncode == 1
    assert json.loads(sealed.stdout)["steps"][-1]["step"] == "seals"


def test_the_status_command_tells_an_operator_of_the_outbox(running: Running) -> None:
    command = [sys.executable, "-m", "ledger_service.cli", "status", "--url", running.url, "--json"]
    public = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert public["outbox"] is None
    key = ["--api-key-file", str(running.directory / "keys" / "operator.key")]
    operator = json.loads(subprocess.run([*command, *key], capture_output=True, check=True).stdout)
    assert operator["outbox"]["waiting"] in (0, 1)
    assert operator["chain"]["sealed_by"].startswith("nobody")


def test_a_thousand_commitments_fit_in_one_request_and_no_more(running: Running) -> None:
    new = [f"0x{sha256(f'{running.url} {number}'.encode()).hexdigest()}" for number in range(1001)]
    refused = httpx.post(f"{running.url}/v1/evidence", json={"commitments": new})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    deadline = time.monotonic() + 20
    while True:
        answer = httpx.post(f"{running.url}/v1/evidence", json={"commitments": new[:1000]})
        if answer.status_code != 429 or time.monotonic() > deadline:
            break
        time.sleep(float(answer.headers["retry-after"]))
    assert answer.status_code == 201, answer.text
    assert len({receipt["index"] for receipt in answer.json()["receipts"]}) == 1000


def test_a_foreign_client_reads_the_anchors_that_the_api_shows(running: Running) -> None:
    """web3 decodes the contract's events and answers itself; of ours it is told the address and the ABI alone."""
    network = json.loads(Path(running.report["network"]).read_bytes())
    (address,) = (contract["address"] for contract in network["contracts"] if contract["name"] == "EvidenceLog")
    node = Web3(HTTPProvider(running.report["rpc"]))
    artifact = json.loads((files("ledger_service.chain") / "artifacts" / "EvidenceLog.json").read_bytes())
    log = node.eth.contract(address=Web3.to_checksum_address(address), abi=artifact["abi"])
    shown = httpx.get(f"{running.url}/v1/members/sichuan/anchors", params={"limit": 1000}).json()["anchors"]
    last = shown[-1]["block_number"]
    events = log.events.Anchored().get_logs(from_block=0, to_block=last, argument_filters={"member": SICHUAN})
    told = [(one["args"]["generation"], one["args"]["size"], "0x" + one["args"]["root"].hex()) for one in events]
    assert told == [(anchor["generation"], anchor["size"], anchor["root"]) for anchor in shown]
    generation, size, root, count, _ = log.functions.checkpoint(SICHUAN).call(block_identifier=last)
    assert (generation, size, "0x" + root.hex(), count) == (*told[-1], len(told))


@pytest.mark.parametrize("path", ["/v1/members", "/v1/members/sichuan", "/v1/members/sichuan/anchors", "/v1/network"])
def test_what_is_known_already_is_not_sent_again(running: Running, path: str) -> None:
    as_of = {"as_of": running.report["files"][0]["block_number"]} if "network" not in path else {}
    first = httpx.get(running.url + path, params=as_of)
    assert first.status_code == 200, first.text
    again = httpx.get(running.url + path, params=as_of, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_pages_follow_one_another_by_their_links(running: Running) -> None:
    url, found = f"{running.url}/v1/members?limit=5", []
    while url:
        answer = httpx.get(url)
        found += [member["code"] for member in answer.json()["members"]]
        url = httpx.URL(running.url).join(answer.links["next"]["url"]) if "next" in answer.links else ""
    assert len(found) == 13
    assert found[1] == "sichuan"


def test_metrics_are_for_the_operator(running: Running) -> None:
    assert httpx.get(f"{running.url}/metrics").status_code == 401
    answer = httpx.get(f"{running.url}/metrics", headers=running.operator)
    assert answer.status_code == 200
    assert "bidledger_anchored_size" in answer.text
