"""Files for a network of Besu nodes. No Besu runs here: they are held against Besu's own vectors and read back."""

import json
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from coincurve import PrivateKey

from anchors.chain import rlp
from anchors.chain.header import QBFT, decode_header
from anchors.chain.keccak import keccak256
from anchors.seals import bft_extra
from ledger_service.chain import besu
from ledger_service.errors import InvalidContent, NotFound

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors" / "qbft"
VOTE = ROOT / "hardhat-free-devnet" / "besu" / "vote"
NOW = 1_795_000_000


def _vector(name: str) -> dict[str, Any]:
    return dict(json.loads((VECTORS / name).read_bytes()))


def _trial(out: Path, count: int) -> tuple[besu.Validator, ...]:
    return besu.prepare_trial(count, out, chain_id=2026, period=2, now=NOW)


def _network(file: Path, out: Path) -> tuple[besu.Validator, ...]:
    return besu.prepare_network(file, out, chain_id=2026, period=2, now=NOW)


def test_the_extra_data_is_besus_own_for_the_same_validators(tmp_path: Path) -> None:
    vector = _vector("besu_docs_qbft_genesis_extra.json")
    file = tmp_path / "toEncode.json"
    file.write_text(json.dumps(vector["validators"]))
    _network(file, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "genesis.json").read_bytes())["extraData"] == vector["encoded"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["genesis.json"]  # addresses are nowhere


def _first_header(genesis: dict[str, Any]) -> bytes:
    """The header of the first block, with zeros for what is not of the genesis file."""
    before = [bytes(32), bytes(32), bytes(20), *[bytes(32)] * 3, bytes(256)]
    numbers = [rlp.from_uint(int(genesis[name], 16)) for name in ("difficulty", "gasLimit", "timestamp")]
    difficulty, gas_limit, timestamp = numbers
    extra, mix_hash = (bytes.fromhex(genesis[name][2:]) for name in ("extraData", "mixHash"))
    return rlp.encode([*before, difficulty, b"", gas_limit, b"", timestamp, extra, mix_hash, bytes(8), b""])


@pytest.mark.parametrize("count", [4, 13])
def test_the_first_block_lists_the_validators_whose_keys_lie_beside_it(tmp_path: Path, count: int) -> None:
    validators = [validator.address for validator in _trial(tmp_path, count)]
    genesis = json.loads((tmp_path / "genesis.json").read_bytes())
    extra = bft_extra(decode_header(_first_header(genesis), QBFT))
    assert list(extra.validators) == sorted(validators)
    assert (extra.vote, extra.round, extra.seals) == (None, 0, ())
    keys = [PrivateKey(bytes.fromhex(file.read_text())) for file in sorted(tmp_path.glob("validator-*/key"))]
    assert [keccak256(key.public_key.format(compressed=False)[1:])[12:] for key in keys] == validators
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("validator-*/key")} == {0o600}


@pytest.mark.parametrize("name", ["besu_qbft.json", "besu_qbft-london.json"])
def test_the_genesis_file_has_the_constants_of_besus_own(name: str) -> None:
    theirs, ours = _vector(name), besu.genesis([bytes(20)] * 4, 2026, 2, NOW)
    for constant in ("nonce", "difficulty", "mixHash", "coinbase"):
        assert ours[constant] == theirs[constant]
    config = ours["config"]
    assert isinstance(config, dict)
    assert config["qbft"].keys() == theirs["config"]["qbft"].keys() - {"blockreward"}
    assert set(ours) - {"baseFeePerGas"} <= set(theirs)


def test_gas_is_free_by_the_rules_of_london(tmp_path: Path) -> None:
    _trial(tmp_path, 4)
    config = json.loads((tmp_path / "genesis.json").read_bytes())["config"]
    assert (config["londonBlock"], config["zeroBaseFee"]) == (0, True)
    assert not {"shanghaiTime", "cancunTime", "berlinBlock"} & config.keys()
    assert tomllib.loads((tmp_path / "config.toml").read_text())["min-gas-price"] == 0


def test_every_node_of_a_trial_finds_its_files_and_its_peers(tmp_path: Path) -> None:
    _trial(tmp_path, 13)
    compose = yaml.safe_load((tmp_path / "compose.yaml").read_text())
    hosts = [service["networks"]["chain"]["ipv4_address"] for service in compose["services"].values()]
    enodes = json.loads((tmp_path / "static-nodes.json").read_bytes())
    assert [enode.partition("@")[2] for enode in enodes] == [f"{host}:30303" for host in hosts]
    assert len(set(hosts)) == 13
    config = tomllib.loads((tmp_path / "config.toml").read_text())
    for name, service in compose["services"].items():
        mounted = {entry.split(":")[1]: entry.split(":")[0] for entry in service["volumes"]}
        for option in ("genesis-file", "static-nodes-file", "node-private-key-file", "data-path"):
            assert (tmp_path / mounted[f"{service['working_dir']}/{config[option]}"]).exists()
        assert mounted["/network/key"] == f"./{name}/key"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_members_give_their_enode_urls_and_keep_their_keys(tmp_path: Path) -> None:
    _trial(tmp_path / "trial", 4)
    gathered = tmp_path / "trial" / "static-nodes.json"
    validators = _network(gathered, tmp_path / "out")
    written = tmp_path / "out"
    assert (written / "genesis.json").read_bytes() == (tmp_path / "trial" / "genesis.json").read_bytes()
    assert json.loads((written / "static-nodes.json").read_bytes()) == [each.enode for each in validators]
    (service,) = yaml.safe_load((written / "compose.yaml").read_text())["services"].values()
    assert "./key:/network/key:ro" in service["volumes"]
    assert not list(written.rglob("key"))


ENODES = [
    f"enode://{PrivateKey(bytes([n]) * 32).public_key.format(compressed=False)[1:].hex()}@10.0.0.{n}:30303"
    for n in range(1, 5)
]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[}", "not JSON"),
        ("[" * 100_000, "nested"),
        ("{}", "not a list"),
        (json.dumps(ENODES[:3]), "not a list of 4"),
        (json.dumps([*ENODES[:3], ENODES[0]]), "twice"),
        (json.dumps([*ENODES[:3], "0x" + "00" * 20]), "mixes"),
        (json.dumps([*ENODES[:3], 1]), r"\[3\] is neither"),
        (json.dumps([*ENODES[:3], ENODES[3].upper()]), r"\[3\] is neither"),
        (json.dumps([*ENODES[:3], f"enode://{'00' * 64}@10.0.0.4:30303"]), "no point"),
    ],
)
def test_what_is_no_list_of_validators_is_refused(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "validators.json"
    file.write_text(content)
    with pytest.raises(InvalidContent, match=why):
        _network(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="none"):
        _network(tmp_path / "none", tmp_path / "out")


@pytest.mark.parametrize("count", [0, 3, 101])
def test_fewer_than_four_or_more_than_a_hundred_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(InvalidContent, match="from 4 to 100"):
        _trial(tmp_path / "out", count)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    _trial(tmp_path, 4)
    with pytest.raises(InvalidContent, match="not empty"):
        _trial(tmp_path, 4)


def test_the_command_prints_what_the_alliance_file_says_of_the_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ledger_service.cli", "devnet", "besu", "--validators", "4", "--json"]
    said = subprocess.run([*command, "--out", tmp_path], capture_output=True, check=True)
    answer = json.loads(said.stdout)
    assert (answer["consensus"], len(answer["validators"])) == ("qbft", 4)
    again = subprocess.run([*command, "--out", tmp_path], capture_output=True, check=False)
    assert again.returncode == 2


class _Node(BaseHTTPRequestHandler):
    """Keeps what it is asked, and refuses what a node without validators' keys would."""

    asked: list[dict[str, Any]]
    refuses = False

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(request)
        outcome = {"error": {"code": -32000, "message": "no"}} if self.refuses else {"result": True}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"jsonrpc": "2.0", "id": 1} | outcome).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[False, True], ids=["takes", "refuses"])
def node(request: pytest.FixtureRequest) -> Iterator[tuple[str, type[_Node]]]:
    handler = type("Node", (_Node,), {"asked": [], "refuses": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


NEWCOMER = "0x" + "fe" * 20


@pytest.mark.parametrize(
    ("action", "method", "params"),
    [
        (["add", NEWCOMER], "qbft_proposeValidatorVote", [NEWCOMER, True]),
        (["drop", NEWCOMER], "qbft_proposeValidatorVote", [NEWCOMER, False]),
        (["withdraw", NEWCOMER], "qbft_discardValidatorVote", [NEWCOMER]),
        (["show"], "qbft_getValidatorsByBlockNumber", ["latest"]),
    ],
)
def test_a_vote_is_the_call_that_besu_documents(
    node: tuple[str, type[_Node]], action: list[str], method: str, params: list[object]
) -> None:
    url, handler = node
    outcome = subprocess.run([VOTE, *action, url, url], capture_output=True, check=False)
    assert outcome.returncode == int(handler.refuses)
    assert handler.asked == [{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}] * 2


@pytest.mark.parametrize("arguments", [[], ["add"], ["add", "0x00"], ["add", f'{NEWCOMER}"'], ["ban", NEWCOMER]])
def test_a_wrong_vote_ends_with_2_and_its_usage(arguments: list[str]) -> None:
    outcome = subprocess.run([VOTE, *arguments], capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert "vote add|drop ADDRESS" in outcome.stderr


def test_a_node_that_does_not_answer_ends_with_1() -> None:
    assert subprocess.run([VOTE, "show", "http://127.0.0.1:1"], capture_output=True, check=False).returncode == 1
