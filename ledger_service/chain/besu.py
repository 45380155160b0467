"""Files to start a QBFT network of Besu nodes elsewhere: genesis, peers, configuration, compose file.

Promises a first block whose extra data is byte for byte what Besu's own `rlp encode --type=QBFT_EXTRA_DATA` writes for
the same validators, by the rules of London, where every gas price is zero. Nothing is started, and nothing written
over. In earnest each member makes its validator's key on its own machine and hands out the enode URL alone; keys are
made here only for a trial with all validators on one machine.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coincurve import PrivateKey, PublicKey

from anchors.bounded_json import MAX_FILE_BYTES, read_json
from anchors.chain import rlp
from anchors.chain.keccak import keccak256
from anchors.errors import MalformedFile
from anchors.seals.bft import MIX_HASH
from ledger_service.errors import InvalidContent, NotFound

IMAGE: Final = "hyperledger/besu:25.2.2"
LEAST_VALIDATORS: Final = 4  # three cannot lose one: a quorum of three is three, of four three
MOST_VALIDATORS: Final = 100
GAS_LIMIT: Final = 30_000_000
EPOCH_BLOCKS: Final = 30_000
P2P_PORT: Final = 30303

_ENODE = re.compile(r"enode://([0-9a-f]{128})@[0-9A-Za-z.:\[\]-]{1,255}:[0-9]{1,5}")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")

_CONFIG = """\
# Every validator's configuration: besu --config-file=config.toml, in a folder with the files that it names.
genesis-file="genesis.json"
static-nodes-file="static-nodes.json"
node-private-key-file="key"
data-path="data"

# A free gas network: a node with a higher minimum drops our transactions without a word.
min-gas-price=0
sync-mode="FULL"
# Every state is kept, so that storage proofs can be asked for at any block.
data-storage-format="FOREST"

# The peers are known: nobody is discovered.
discovery-enabled=false
nat-method="NONE"
p2p-port=30303

# QBFT lets whoever can call it vote validators in and out: this port is for this machine alone.
rpc-http-enabled=true
rpc-http-host="127.0.0.1"
rpc-http-port=8545
rpc-http-api=["ETH","NET","WEB3","TXPOOL","QBFT"]
"""

_SERVICE = """\
  {name}:
    image: {image}
    user: "${{BESU_USER:-1000:1000}}"
    restart: unless-stopped
    working_dir: /network
    command: ["--config-file=config.toml", "--rpc-http-host=0.0.0.0"]
    volumes:
      - ./genesis.json:/network/genesis.json:ro
      - ./static-nodes.json:/network/static-nodes.json:ro
      - ./config.toml:/network/config.toml:ro
      - {folder}/key:/network/key:ro
      - {folder}/data:/network/data
"""


@dataclass(frozen=True, slots=True)
class Validator:
    """A validator: the address that seals, and where its node is, if that was said."""

    address: bytes  # 20 bytes
    enode: str | None


def prepare_trial(count: int, out: Path, *, chain_id: int, period: int, now: int) -> tuple[Validator, ...]:
    """Write a network with all validators on one machine, their keys among the files.

    Args:
        count: how many validators, from 4 to 100.
        out: the folder, empty or missing.
        chain_id: what transactions are signed for.
        period: seconds between blocks.
        now: the time of the first block, POSIX seconds.

    Raises:
        InvalidContent: too few or too many, or `out` holds something.
    """
    if not LEAST_VALIDATORS <= count <= MOST_VALIDATORS:
        raise InvalidContent(f"{count} validators: give a number from {LEAST_VALIDATORS} to {MOST_VALIDATORS}")
    _make_folder(out)
    keys = sorted((PrivateKey() for _ in range(count)), key=lambda key: _address(_public(key)))
    validators = tuple(_make_validator(out, number, key) for number, key in enumerate(keys, start=1))
    _write(out, validators, chain_id, period, now)
    (out / "compose.yaml").write_text(_trial_compose(count))
    return validators


def prepare_network(file: Path, out: Path, *, chain_id: int, period: int, now: int) -> tuple[Validator, ...]:
    """Write a network of validators that have their keys already, each on a machine of its own.

    Args:
        file: a JSON list of enode URLs, or, for the first block alone, of addresses.
        out: the folder, empty or missing.
        chain_id: what transactions are signed for.
        period: seconds between blocks.
        now: the time of the first block, POSIX seconds.

    Raises:
        NotFound: the file cannot be read.
        InvalidContent: it is no such list, or `out` holds something.
    """
    validators = _read_validators(file)
    _make_folder(out)
    _write(out, validators, chain_id, period, now)
    if validators[0].enode:
        service = _SERVICE.format(name="validator", image=IMAGE, folder=".")
        ports = f'    ports: ["{P2P_PORT}:{P2P_PORT}", "127.0.0.1:8545:8545"]\n'
        (out / "compose.yaml").write_text("services:\n" + service + ports)
    return validators


def genesis(validators: Sequence[bytes], chain_id: int, period: int, now: int) -> dict[str, object]:
    """The genesis file of a QBFT network.

    Source: Besu's documentation, Configure QBFT consensus and Configure free gas networks.
    """
    return {
        "config": {
            "chainId": chain_id,
            "londonBlock": 0,
            "zeroBaseFee": True,
            "qbft": {
                "blockperiodseconds": period,
                "epochlength": EPOCH_BLOCKS,
                "requesttimeoutseconds": max(2 * period, 4),
            },
        },
        "nonce": "0x0",
        "timestamp": hex(now),
        "extraData": "0x" + genesis_extra(validators).hex(),
        "gasLimit": hex(GAS_LIMIT),
        "baseFeePerGas": "0x0",
        "difficulty": "0x1",
        "mixHash": "0x" + MIX_HASH.hex(),
        "coinbase": "0x" + bytes(20).hex(),
        "alloc": {},
    }


def genesis_extra(validators: Sequence[bytes]) -> bytes:
    """The extra data of the first block: a vanity of zeros, the validators as given, no vote, round 0, no seals.

    Source: Besu, QbftExtraDataCodec.
    """
    return rlp.encode([bytes(32), list(validators), [], rlp.from_uint(0), []])


def _make_folder(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise InvalidContent(f"{out} is not empty; a network's files are never overwritten, so name another --out")


def _make_validator(out: Path, number: int, key: PrivateKey) -> Validator:
    folder = out / f"validator-{number:02}"
    (folder / "data").mkdir(mode=0o700, parents=True)
    key_file = folder / "key"
    key_file.touch(mode=0o600)
    key_file.write_text(key.secret.hex())
    public = _public(key)
    return Validator(_address(public), f"enode://{public.hex()}@{_host(number)}:{P2P_PORT}")


def _host(number: int) -> str:
    return f"172.30.0.{10 + number}"


def _public(key: PrivateKey) -> bytes:
    return key.public_key.format(compressed=False)[1:]


def _address(public: bytes) -> bytes:
    return keccak256(public)[12:]


def _write(out: Path, validators: Sequence[Validator], chain_id: int, period: int, now: int) -> None:
    first = genesis([validator.address for validator in validators], chain_id, period, now)
    (out / "genesis.json").write_text(json.dumps(first, indent=2) + "\n")
    if validators[0].enode:
        (out / "static-nodes.json").write_text(json.dumps([each.enode for each in validators], indent=2) + "\n")
        (out / "config.toml").write_text(_CONFIG)


def _trial_compose(count: int) -> str:
    services = [
        _SERVICE.format(name=name, image=IMAGE, folder=f"./{name}")
        + f'    ports: ["127.0.0.1:{8544 + number}:8545"]\n'
        + f"    networks: {{chain: {{ipv4_address: {_host(number)}}}}}\n"
        for number in range(1, count + 1)
        for name in [f"validator-{number:02}"]
    ]
    network = "networks:\n  chain:\n    ipam: {config: [{subnet: 172.30.0.0/24}]}\n"
    return "services:\n" + "".join(services) + network


def _read_validators(file: Path) -> tuple[Validator, ...]:
    try:
        with file.open("rb") as stream:
            entries = read_json(stream.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}; name a JSON list of enode URLs") from error
    except MalformedFile as error:
        raise InvalidContent(f"{file}: {error}") from error
    if not isinstance(entries, list) or not LEAST_VALIDATORS <= len(entries) <= MOST_VALIDATORS:
        raise InvalidContent(f"{file} is not a list of {LEAST_VALIDATORS} to {MOST_VALIDATORS} validators")
    validators = tuple(_read_validator(entry, f"{file}[{at}]") for at, entry in enumerate(entries))
    if len({validator.address for validator in validators}) < len(validators):
        raise InvalidContent(f"{file} lists a validator twice")
    if len({validator.enode is None for validator in validators}) > 1:
        raise InvalidContent(f"{file} mixes enode URLs and addresses; give one or the other")
    return validators


def _read_validator(entry: object, where: str) -> Validator:
    if isinstance(entry, str) and _ADDRESS.fullmatch(entry):
        return Validator(bytes.fromhex(entry[2:]), None)
    enode = _ENODE.fullmatch(entry) if isinstance(entry, str) else None
    if enode is None:
        raise InvalidContent(f"{where} is neither enode://<128 digits>@host:port nor 0x and 40 digits, in lower case")
    public = bytes.fromhex(enode[1])
    try:
        PublicKey(b"\x04" + public)
    except ValueError as error:
        raise InvalidContent(f"{where} has a public key that is no point of secp256k1") from error
    return Validator(_address(public), enode[0])
