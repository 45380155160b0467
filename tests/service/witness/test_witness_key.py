"""`bidledger keys witness`: one secret, made once, and what others write into their policy files of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from anchors.notes import KeyType, Policy
from ledger_service.keys import make_password

NETWORK = Path(__file__).parents[2] / "vectors" / "evidence" / "v1" / "network.json"


def keys_witness(folder: Path, member: str, *options: str) -> "subprocess.CompletedProcess[str]":
    files = ("--key-file", folder / "witness.json", "--password-file", folder / "password", "--network", NETWORK)
    command = [sys.executable, "-m", "ledger_service.cli", "keys", "witness", *map(str, files), "--member", member]
    return subprocess.run(
        [*command, "--url", "https://sichuan.example/", *options], check=False, capture_output=True, text=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_password(tmp_path / "password")
    return tmp_path


def test_the_lines_go_into_a_policy_file_and_are_the_same_the_next_time(folder: Path) -> None:
    printed = keys_witness(folder, "sichuan")
    assert printed.returncode == 0, printed.stderr
    policy = Policy.parse(printed.stdout.encode() + b"group sichuan any sichuan-04 sichuan-06\nquorum sichuan\n")
    assert [one.verifier.type for one in policy.witnesses.values()] == [
        KeyType.COSIGNATURE_ED25519,
        KeyType.COSIGNATURE_MLDSA44,
    ]
    assert {(one.verifier.name, one.url) for one in policy.witnesses.values()} == {
        ("west.example/31337/sichuan/witness", "https://sichuan.example/witness")
    }
    again = json.loads(keys_witness(folder, "sichuan", "--json").stdout)
    assert again == {"policy_lines": printed.stdout.splitlines()}
    assert "address" not in json.loads((folder / "witness.json").read_bytes())


def test_a_member_that_the_network_file_does_not_name_is_refused(folder: Path) -> None:
    refused = keys_witness(folder, "nowhere")
    assert (refused.returncode, (folder / "witness.json").exists()) == (3, False)
    assert "names no member 'nowhere'" in refused.stderr
