"""The network file on the command line: one alliance through a rotation, and what is refused on the way."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from command_line import bidledger
from eth_keyfile.keyfile import create_keyfile_json

from anchors.chain.keccak import keccak256
from anchors.network import parse_network, sign_network, write_network
from anchors.notes import KeyType, Signer
from ledger_service.chain import devnet
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.demo import alliance

FROZEN = Path(__file__).parents[1] / "vectors" / "evidence" / "v1"
CODES = tuple(alliance.MEMBERS)
PASSWORD = "a governor's password"


@dataclass(frozen=True)
class Governed:
    """A network file and the keystores of its thirteen governors."""

    file: Path
    keystores: Sequence[Path]
    password_files: Sequence[Path]


def answer(*arguments: object, code: int = 0) -> dict[str, Any]:
    """The one JSON document of a command that ends with that exit code."""
    outcome = bidledger(*arguments, "--json")
    assert outcome.returncode == code, outcome.stderr
    return dict(json.loads(outcome.stdout))


def sign(governed: Governed, file: Path, members: Sequence[int]) -> dict[str, Any]:
    """Sign a version by these members' governors, one after the other."""
    for number in members:
        keystore, password = governed.keystores[number - 1], governed.password_files[number - 1]
        said = answer("network", "sign", file, "--keystore", keystore, "--password-file", password)
    return said


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def frozen_key(code: str) -> bytes:
    return hashlib.sha256(f"{code} governor".encode()).digest()


def sign_apart(file: Path, members: Sequence[int]) -> None:
    """Sign a version of the frozen alliance without a process for each signature."""
    keys = [PrivateKey(frozen_key(CODES[number - 1])) for number in members]
    by_address = {keccak256(key.public_key.format(compressed=False)[1:])[12:]: key.secret for key in keys}
    file.write_bytes(write_network(sign_network(parse_network(file.read_bytes()), by_address)))


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Governed:
    """The alliance of the frozen evidence, whose keys are hashes of names."""
    folder = tmp_path_factory.mktemp("governors")
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    keystores = []
    for code in CODES:
        keystore = create_keyfile_json(frozen_key(code), PASSWORD.encode(), kdf="scrypt", iterations=2)
        keystores.append(write(folder / f"{code}.json", keystore))
    return Governed(FROZEN / "network.json", keystores, [password] * len(CODES))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    """An alliance of thirteen that was founded on a chain."""
    folder = tmp_path_factory.mktemp("alliance")
    founding = alliance.found(folder)
    with devnet.running("anvil") as chain:
        deploy_from_file(chain.rpc, founding.alliance_file, folder / "network.json")
        members = [founding.members[code] for code in CODES]
        keystores = [member.keystores["governor"] for member in members]
        yield Governed(folder / "network.json", keystores, [member.password_file for member in members])


def vkey(of: Path, member: int, seed: bytes) -> str:
    """A verifier key for the log of a member."""
    network = parse_network(of.read_bytes())
    return Signer(network.origin(network.member(member), 0), KeyType.ED25519, seed).verifier.vkey


def test_a_founded_alliance_rotates_a_log_key_and_its_validators(deployed: Governed, tmp_path: Path) -> None:
    new_key = {"generation": 0, "vkey": vkey(deployed.file, 2, b"\x07" * 32), "from_size": 640, "to_size": None}
    validators = {"from_block": 100, "to_block": None, "addresses": ["0x" + "05" * 20]}
    changes = write(
        tmp_path / "changes.json",
        {"validators": [validators], "members": [{"number": 2, "log_keys": [new_key]}]},
    )
    second = tmp_path / "network-2.json"
    assert answer("network", "propose", deployed.file, changes, "--out", second)["version"] == 2

    shown = answer("network", "show", second, "--since", deployed.file, code=1)
    assert [f"{each['kind']} {each['where']}" for each in shown["changes"]] == [
        "added validators[0]",
        "ended members[1].log_keys[0]",
        "added members[1].log_keys[1]",
    ]

    assert sign(deployed, second, range(1, 9))["signed_for"] == list(range(1, 9))
    refused = answer("network", "accept", deployed.file, second, "--out", tmp_path / "accepted.json", code=1)
    assert "8 members" in refused["wanting"]
    assert not (tmp_path / "accepted.json").exists()

    sign(deployed, second, [13])
    assert answer("network", "show", second, "--since", deployed.file)["valid"] is True
    assert answer("network", "accept", deployed.file, second, "--out", tmp_path / "accepted.json")["accepted"] is True
    assert (tmp_path / "accepted.json").read_bytes() == second.read_bytes()


def test_frozen_evidence_is_verified_against_versions_signed_apart(frozen: Governed, tmp_path: Path) -> None:
    origin_key = vkey(frozen.file, 2, b"\x07" * 32)
    changes = write(
        tmp_path / "changes.json",
        {
            "members": [
                {"number": 2, "log_keys": [{"generation": 0, "vkey": origin_key, "from_size": 64, "to_size": None}]}
            ]
        },
    )
    one, other, accepted = tmp_path / "one.json", tmp_path / "other.json", tmp_path / "network-2.json"
    answer("network", "propose", frozen.file, changes, "--out", one)
    other.write_bytes(one.read_bytes())
    sign_apart(one, range(1, 6))
    sign_apart(other, range(5, 10))
    said = answer("network", "accept", frozen.file, one, other, "--out", accepted)
    assert said["signed_for"] == list(range(1, 10))

    evidence = (FROZEN / "bid.txt", FROZEN / "bid.txt.evidence.json")
    verdict = answer("verify", *evidence, "--network", frozen.file, "--later", accepted)
    assert verdict["steps"][-1]["detail"].startswith("version 2 of ")
    refuted = answer("verify", *evidence, "--network", frozen.file, "--later", one, code=1)
    assert refuted["steps"][-1]["step"] == "network"


@pytest.fixture
def proposed(frozen: Governed, tmp_path: Path) -> Path:
    """An unsigned next version."""
    changes = write(tmp_path / "changes.json", {"threshold": 10})
    answer("network", "propose", frozen.file, changes, "--out", tmp_path / "proposed.json")
    return tmp_path / "proposed.json"


def test_a_valid_file_is_shown_with_0_and_an_unsigned_one_with_1(frozen: Governed, proposed: Path) -> None:
    shown = answer("network", "show", frozen.file)
    assert (shown["version"], shown["valid"], shown["signed_for"]) == (1, True, list(range(1, 10)))
    shown = answer("network", "show", proposed, code=1)
    assert (shown["version"], shown["valid"], shown["signed_for"]) == (2, False, [])


def test_people_see_what_changes(frozen: Governed, proposed: Path) -> None:
    assert "threshold: 9 -> 10" in bidledger("network", "show", proposed, "--since", frozen.file).stdout


def test_a_key_that_is_no_governors_ends_with_6_and_signs_nothing(frozen: Governed, proposed: Path) -> None:
    stranger = write(
        proposed.with_name("stranger.json"),
        create_keyfile_json(b"\x01" * 32, PASSWORD.encode(), kdf="scrypt", iterations=2),
    )
    before = proposed.read_bytes()
    outcome = bidledger(
        "network", "sign", proposed, "--keystore", stranger, "--password-file", frozen.password_files[0]
    )
    assert outcome.returncode == 6
    assert "is no governor" in outcome.stderr
    assert proposed.read_bytes() == before


def test_signing_twice_is_signing_once(frozen: Governed, proposed: Path) -> None:
    sign(frozen, proposed, [4])
    once = proposed.read_bytes()
    assert sign(frozen, proposed, [4])["signed_for"] == [4]
    assert proposed.read_bytes() == once


def test_nothing_is_written_over(frozen: Governed, proposed: Path) -> None:
    before = proposed.read_bytes()
    changes = proposed.with_name("changes.json")
    outcome = bidledger("network", "propose", frozen.file, changes, "--out", proposed)
    assert outcome.returncode == 2
    assert "never overwritten" in outcome.stderr
    outcome = bidledger("network", "accept", frozen.file, "--out", proposed)
    assert outcome.returncode == 2
    assert proposed.read_bytes() == before


def test_a_change_that_does_not_fit_ends_with_2_and_its_place(frozen: Governed, tmp_path: Path) -> None:
    changes = write(tmp_path / "changes.json", {"governors": [{"member": 1}]})
    outcome = bidledger("network", "propose", frozen.file, changes, "--out", tmp_path / "next.json")
    assert outcome.returncode == 2
    assert "changes.json: governors[0].address is missing" in outcome.stderr


def test_nothing_is_proposed_after_a_file_that_is_not_valid(proposed: Path) -> None:
    outcome = bidledger("network", "propose", proposed, proposed, "--out", proposed.with_name("third.json"))
    assert outcome.returncode == 2
    assert "voices of 0 members" in outcome.stderr


def test_a_reformatted_file_ends_with_2_and_is_named(frozen: Governed, tmp_path: Path) -> None:
    reformatted = write(tmp_path / "network.json", json.loads(frozen.file.read_bytes()))
    outcome = bidledger("network", "show", reformatted)
    assert outcome.returncode == 2
    assert "canonical" in outcome.stderr
    assert str(reformatted) in outcome.stderr


def test_a_missing_file_ends_with_3(frozen: Governed, tmp_path: Path) -> None:
    assert bidledger("network", "show", tmp_path / "none.json").returncode == 3
    assert bidledger("network", "accept", frozen.file, tmp_path / "none", "--out", tmp_path / "x").returncode == 3


def test_the_operators_guide_shows_changes_that_can_be_proposed(frozen: Governed, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "OPERATING.md").read_text()
    example = guide.partition("## A new version of the network file")[2].partition("```json\n")[2].partition("```")[0]
    changes = tmp_path / "changes.json"
    changes.write_text(example)
    answer("network", "propose", frozen.file, changes, "--out", tmp_path / "next.json")
    shown = answer("network", "show", tmp_path / "next.json", "--since", frozen.file, code=1)
    assert [f"{each['kind']} {each['where']}" for each in shown["changes"]] == [
        "added validators[0]",
        "ended members[1].log_keys[0]",
        "added members[1].log_keys[1]",
        "ended governors[4]",
        "added governors[13]",
    ]
