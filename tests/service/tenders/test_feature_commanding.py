"""The commands of feature codes: a bid's codes from a file to a lead, over a real API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bidding import SLOTS, bidding, identity
from command_line import bidledger
from conftest import Clock
from founding import Founded, block_time
from sealed_features import COMPANIES, Sealed, Sites
from tendering import BIDDERS, THIRD, Tendering
from test_feature_records import anchor

from anchors.evidence import FORMAT, EvidenceFile, write_evidence
from anchors.merkle import Levels
from anchors.notes import Checkpoint, TlogProof, sign_checkpoint
from anchors.tenders.features import CodeKind, FeatureKey, FeatureRecord, seal_record
from ledger_service.errors import Exit
from ledger_service.evidence.submission import ReceiptFile
from ledger_service.tenders.ground import TenderGround

CODE = "4C4C4544-0042-3510"
NAME, WORD = "0x" + "7a" * 32, "0x" + "b1" * 32


def run(*arguments: object, status: int = 0) -> Any:
    outcome = bidledger(*arguments)
    assert outcome.returncode == status, outcome.stderr
    return outcome


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_codes_are_taken_from_files_and_told_to_nobody(tmp_path: Path) -> None:
    key, record = tmp_path / "key.json", tmp_path / "record.json"
    run("tender", "features", "key", NAME, "--out", key)
    assert key.stat().st_mode & 0o777 == 0o600
    codes = written(tmp_path / "codes.json", {"machine-code": CODE, "network-address": "10.0.0.7"})
    taking = ("tender", "features", "take", key, codes, "--bid", WORD, "--json")
    outcome = run(*taking, "--out", record)
    told = json.loads(outcome.stdout)
    assert (told["tender"], told["codes"], list(told["weak"])) == (
        NAME,
        ["machine-code", "network-address"],
        ["network-address"],
    )
    assert "network-address is weak" in outcome.stderr
    again = written(tmp_path / "again.json", {"machine-code": "{4c4c4544 0042 3510}"})
    run("tender", "features", "take", key, again, "--bid", WORD, "--out", tmp_path / "other.json")
    first, second = (
        FeatureRecord.from_document((tmp_path / name).read_bytes()) for name in ("record.json", "other.json")
    )
    assert first.values[CodeKind.MACHINE] == second.values[CodeKind.MACHINE]
    everything = outcome.stdout + outcome.stderr + record.read_text()
    assert "10.0.0.7" not in everything
    assert "4c4c4544" not in everything.lower()
    assert FeatureKey.from_bytes(key.read_bytes()).secret.hex() not in everything


def test_what_cannot_be_taken_is_refused_and_nothing_is_overwritten(tmp_path: Path) -> None:
    key, out = tmp_path / "key.json", tmp_path / "record.json"
    run("tender", "features", "key", "T-1", "--out", key, status=Exit.USAGE)
    run("tender", "features", "key", NAME, "--out", key)
    run("tender", "features", "key", NAME, "--out", key, status=Exit.USAGE)
    codes = written(tmp_path / "codes.json", {"machine-code": CODE})
    for wrong in ({}, {"machine": CODE}, {"machine-code": ""}, {"network-card": CODE[:4]}, [CODE], {"machine-code": 7}):
        given = written(tmp_path / "wrong.json", wrong)
        refused = run("tender", "features", "take", key, given, "--bid", WORD, "--out", out, status=Exit.USAGE)
        assert CODE not in refused.stderr
    run("tender", "features", "take", key, codes, "--bid", "0xb1", "--out", out, status=Exit.USAGE)
    run("tender", "features", "take", codes, codes, "--bid", WORD, "--out", out, status=Exit.USAGE)
    run("tender", "features", "take", key, tmp_path / "none", "--bid", WORD, "--out", out, status=Exit.NOT_FOUND)
    assert not out.exists()
    run("tender", "features", "take", key, codes, "--bid", WORD, "--out", out)
    run("tender", "features", "take", key, codes, "--bid", WORD, "--out", out, status=Exit.USAGE)


def test_from_codes_in_files_to_a_lead_across_provinces(
    tendering: Tendering,
    ground: TenderGround,
    founded: Founded,
    clock: Clock,
    follow: Callable[[], None],
    tmp_path: Path,
) -> None:
    """One record is logged here and handed in by its receipt file, one at another site, by its evidence file."""
    tender = tendering.publish()
    clock.set(block_time(tendering.rpc))
    follow()
    with bidding(ground, founded, tendering.rpc, tmp_path / "data", clock, SLOTS, 0.5) as room:
        sites = Sites(tendering, founded, room, follow, tender)
        url, keys = ("--url", str(room.client.base_url).rstrip("/")), {}
        for name in ("bidder", "officer"):
            (tmp_path / name).write_text(f"secret-{name}\n")
            keys[name] = ("--api-key-file", tmp_path / name)
        codes = written(tmp_path / "codes.json", {"machine-code": CODE})
        run("tender", "features", "key", sites.name, "--out", tmp_path / "key.json")
        ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
        for out, bidder in ((ours, BIDDERS[0]), (theirs, BIDDERS[1])):
            bid = ("--bid", "0x" + bidder.commitment.hex(), "--out", out)
            run("tender", "features", "take", tmp_path / "key.json", codes, *bid)
        stated = ("--kind", "feature-code", "--tender", sites.name, "--party", str(COMPANIES[0]), "--out", tmp_path)
        run("evidence", "submit", ours, *stated, *url, *keys["bidder"])
        record = FeatureRecord.from_document(theirs.read_bytes())
        sealed = sites.put(THIRD, record, seal_record(record, COMPANIES[1]))
        (tmp_path / "theirs.json.evidence.json").write_bytes(evidence(founded, sites, sealed))
        receipt = ReceiptFile.read(tmp_path / "ours.json.receipt.json").receipt
        assert receipt is not None
        anchor(room, founded, tendering, receipt["index"])
        sites.anchor(THIRD)
        follow()
        submitting = ("tender", "features", "submit", sites.name, ours, theirs, *url, *keys["officer"])
        early = run(*submitting, status=Exit.USAGE)
        assert "not opened" in early.stderr
        sites.open()
        follow()
        kept = json.loads(run(*submitting, "--json").stdout)["records"]
        assert [one["site"] for one in kept] == ["chongqing", "guizhou"]
        reading = ("tender", "leads", sites.name, *url, *keys["officer"])
        (lead,) = json.loads(run(*reading, "--json").stdout)["leads"]
        assert (lead["kind"], lead["bidders"], lead["across"]) == ("machine-code", 2, True)
        shown = run(*reading, "--where", "across").stdout
        for said in (str(COMPANIES[0]), "at guizhou", "never a sanction", "2 records of 5 opened bids"):
            assert said in shown
        within = json.loads(run(*reading, "--where", "within", "--json").stdout)
        assert (within["leads"], within["compared"]["records"]) == ([], 2)
        run("tender", "leads", sites.name, *url, *keys["bidder"], status=Exit.KEY_TROUBLE)


def evidence(founded: Founded, sites: Sites, sealed: Sealed) -> bytes:
    """An evidence file of a record in another site's log, as far as its proof."""
    log, site = sites.logs[sealed.site], identity(founded, sealed.site)
    tree = Levels.over(log)
    note = sign_checkpoint(Checkpoint(site.origin, len(log), tree.root), site.signer())
    proof = TlogProof.of(sealed.index, tuple(tree.path(sealed.index)), note)
    sections = {
        "format": FORMAT,
        "statement": sealed.statement.to_json(),
        "receipt": None,
        "tlog_proof": proof.encode().decode(),
    }
    return write_evidence(EvidenceFile(sections))
