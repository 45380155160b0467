"""Founding an alliance: what the file says is on the chain and in a valid network file, and a wrong file says where."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from founding import CODES, Founded, alliance, found

from anchors.network import parse_network, prove_network, write_network
from ledger_service import keys
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG, REGISTRY
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc
from ledger_service.errors import ChainRefused, ChainUnreachable, InvalidContent, KeyTrouble, NotFound


def test_the_contracts_hold_what_the_file_says(founded: Founded, rpc: Rpc) -> None:
    assert founded.ask(rpc, REGISTRY, "memberCount") == (len(CODES),)
    for number, code in enumerate(CODES, start=1):
        found_code, name, log_key, status = founded.ask(rpc, REGISTRY, "memberAt", number)
        assert (found_code, name) == (code.encode().ljust(32, b"\0"), f"{code} 中心")
        assert (log_key, status) == (founded.members[number].log_public_key, 1)
        for role, name in enumerate(("governor", "anchorer", "receipt-signer")):
            operator = "0x" + founded.members[number].addresses[name].hex()
            assert founded.ask(rpc, REGISTRY, "roleMember", operator, role) == (number,)
    registered = founded.ask(rpc, REGISTRY, "systemContract", EVIDENCE_LOG.encode())
    assert registered == ("0x" + founded.address(EVIDENCE_LOG).hex(),)
    assert founded.ask(rpc, EVIDENCE_LOG, "registry") == ("0x" + founded.address(REGISTRY).hex(),)


def test_the_network_file_is_valid_and_canonical(founded: Founded) -> None:
    folder = founded.members[1].directory.parent
    content = (folder / "network.json").read_bytes()
    network = parse_network(content)
    assert network == founded.network
    assert write_network(network) == content
    assert prove_network(network).members == {1, 2, 3, 4}
    assert network.threshold == 3


def test_a_network_file_is_never_overwritten(founded: Founded, chain_process: devnet.Devnet) -> None:
    folder = founded.members[1].directory.parent
    with pytest.raises(InvalidContent, match="never overwritten"):
        deploy_from_file(chain_process.rpc, folder / "alliance.json", folder / "network.json")


def _no_domain(file: dict[str, Any]) -> None:
    del file["domain"]


def _bad_role(file: dict[str, Any]) -> None:
    file["members"][1]["operators"][0]["role"] = "king"


def _bad_number(file: dict[str, Any]) -> None:
    file["members"][1]["number"] = 7


def _bad_key(file: dict[str, Any]) -> None:
    file["members"][0]["log_key"] = "0x12"


def _unknown_consensus(file: dict[str, Any]) -> None:
    file["consensus"] = "work"


def _nobody_seals(file: dict[str, Any]) -> None:
    file["consensus"] = "qbft"


def _sealed_by_none(file: dict[str, Any]) -> None:
    file["validators"] = ["0x" + "11" * 20]


def _bad_validator(file: dict[str, Any]) -> None:
    file["validators"] = ["0x12"]


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (_no_domain, "/domain"),
        (_bad_role, "/members/1/operators/0/role"),
        (_bad_number, "/members"),
        (_bad_key, "/members/0/log_key"),
        (_unknown_consensus, "/consensus"),
        (_nobody_seals, "/validators"),
        (_sealed_by_none, "/validators"),
        (_bad_validator, "/validators/0"),
    ],
)
def test_a_wrong_alliance_file_says_where(
    founded: Founded, tmp_path: Path, spoil: Callable[[dict[str, Any]], None], place: str
) -> None:
    file: dict[str, Any] = alliance(founded.members)
    spoil(file)
    path = tmp_path / "alliance.json"
    path.write_text(json.dumps(file))
    with pytest.raises(InvalidContent) as trouble:
        deploy_from_file("http://127.0.0.1:1", path, tmp_path / "network.json")
    assert f"{path}: at {place}:" in trouble.value.detail


def test_a_missing_alliance_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="name the alliance file"):
        deploy_from_file("http://127.0.0.1:1", tmp_path / "nowhere.json", tmp_path / "network.json")


def test_too_few_governors_make_no_network_file(founded: Founded, rpc: Rpc, tmp_path: Path) -> None:
    file: dict[str, Any] = alliance(founded.members)
    file["governors"] = file["governors"][:2]
    path = tmp_path / "alliance.json"
    path.write_text(json.dumps(file))
    with pytest.raises(InvalidContent, match="would not be valid"):
        deploy_from_file(rpc.url, path, tmp_path / "network.json")
    assert not (tmp_path / "network.json").exists()


def test_a_refused_founding_names_the_contracts_error(rpc: Rpc, tmp_path: Path) -> None:
    members = {number: keys.make_member_keys(tmp_path / code) for number, code in enumerate(CODES[:3], start=1)}
    file: dict[str, Any] = alliance(members)
    file["members"][2]["operators"][1]["address"] = file["members"][0]["operators"][1]["address"]
    path = tmp_path / "alliance.json"
    path.write_text(json.dumps(file))
    with pytest.raises(ChainRefused, match="AllianceRegistry_ServesAnother"):
        deploy_from_file(rpc.url, path, tmp_path / "network.json")


def test_a_missing_keystore_and_a_missing_chain_are_told_apart(founded: Founded, tmp_path: Path) -> None:
    file: dict[str, Any] = alliance(founded.members)
    path = tmp_path / "alliance.json"
    path.write_text(json.dumps(file))
    with pytest.raises(ChainUnreachable):
        deploy_from_file("http://127.0.0.1:1", path, tmp_path / "network.json")
    file["deployer"] = {"keystore": "nowhere.json", "password_file": file["deployer"]["password_file"]}
    path.write_text(json.dumps(file))
    with pytest.raises(KeyTrouble, match=r"nowhere\.json"):
        deploy_from_file("http://127.0.0.1:1", path, tmp_path / "network.json")


def test_two_alliances_can_stand_on_one_chain(founded: Founded, rpc: Rpc, tmp_path: Path) -> None:
    other = found(rpc.url, tmp_path)
    assert other.address(REGISTRY) != founded.address(REGISTRY)
    assert other.network.genesis_hash == founded.network.genesis_hash
