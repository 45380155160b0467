"""`bidledger tender audit`: what it prints, and what it ends with."""

import json
from pathlib import Path
from typing import Any

import pytest
from audited import Audited
from audited_life import Life, commitment
from click.testing import Result
from typer.testing import CliRunner

from anchors.errors import MalformedFile
from anchors.tenders.audit import RULES, STEPS
from ledger_service.cli.tender import app

KEPT = Audited(Life())


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.json"
    path.write_bytes(KEPT.network_file)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return _write(tmp_path, KEPT.file())


def _write(folder: Path, data: bytes) -> Path:
    path = folder / "tender.audit.json"
    path.write_bytes(data)
    return path


def _audit(file: Path, network: Path, *options: object) -> Result:
    return CliRunner().invoke(app, ["audit", str(file), "--network", str(network), *map(str, options)])


def test_each_step_and_each_rule_is_printed_with_its_article(file: Path, network: Path) -> None:
    result = _audit(file, network, "--strict")
    assert result.exit_code == 0, result.output
    for name in (*STEPS, *RULES):
        assert name in result.stdout
    assert "招标投标法 36" in result.stdout
    assert "kept; of 17 rules 17 kept" in result.stdout


def test_as_json_it_is_one_document(file: Path, network: Path) -> None:
    told = json.loads(_audit(file, network, "--json").stdout)
    assert told["verdict"] == "kept"
    assert [rule["rule"] for rule in told["rules"]] == list(RULES)
    assert told["unaccounted"] == []


def test_what_is_not_shown_ends_well_unless_it_must_be(tmp_path: Path, network: Path) -> None:
    file = _write(tmp_path, KEPT.file(log=None))
    assert _audit(file, network).exit_code == 0
    assert _audit(file, network, "--strict").exit_code == 1


def test_a_hidden_bid_is_listed(tmp_path: Path, network: Path) -> None:
    life = Life(accepted=(*Life().accepted, ("hidden", 1)))
    result = _audit(_write(tmp_path, Audited(life).file()), network, "--strict")
    assert result.exit_code == 1
    assert f"0x{commitment('hidden').hex()} is neither filling nor accounted for" in result.stdout


def test_a_broken_rule_and_a_refuted_file_end_with_one(tmp_path: Path, network: Path) -> None:
    broken = _write(tmp_path, Audited(Life(awarded_at=KEPT.life.until_of(2) - 1)).file())
    result = _audit(broken, network)
    assert result.exit_code == 1
    assert "✗ award" in result.stdout
    result = _audit(_write(tmp_path, b"{}"), network)
    assert result.exit_code == 1
    assert "refuted" in result.stdout


def test_a_receipt_of_ones_own_is_held_against_the_opening(tmp_path: Path, file: Path, network: Path) -> None:
    own = tmp_path / "receipt.json"
    own.write_text(json.dumps(KEPT.receipt("golf").to_json()))
    result = _audit(file, network, "--receipt", own)
    assert result.exit_code == 1
    assert "received in time and not opened" in result.stdout


@pytest.mark.parametrize("content", [{}, [], {"tender": 1}])
def test_what_is_no_receipt_is_refused(tmp_path: Path, file: Path, network: Path, content: Any) -> None:
    own = tmp_path / "receipt.json"
    own.write_text(json.dumps(content))
    assert isinstance(_audit(file, network, "--receipt", own).exception, MalformedFile)
