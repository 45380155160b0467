"""What four geth signers need before their first start: keys, the first block, and whom each knows as its peers.

By the rules of Berlin, the last fork without a base fee, so that a gas price of zero stays possible. Every key is made
with the chain and lies in its folder; a signer's keystore is opened by its own geth alone.
"""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

from coincurve import PrivateKey

from anchors.chain.header import CLIQUE
from ledger_service.chain.devnet import process, state
from ledger_service.chain.devnet.state import Devnet, Node
from ledger_service.errors import Misconfigured
from ledger_service.keys import PASSWORD_FILE, make_ethereum_key, make_password

CHAIN: Final = "clique"
SIGNERS: Final = 4
GAS_LIMIT: Final = 30_000_000
EPOCH_BLOCKS: Final = 30_000
FORKS: Final = (
    *("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin"),
)


def make_chain(directory: Path, geth: Path, chain_id: int, period: int) -> Devnet:
    """Make everything in a folder, and last the state file that says it is there.

    Args:
        directory: where it goes, one folder for each signer.
        geth: the program that writes the first block into each signer's database.
        chain_id: what transactions are signed for.
        period: seconds between blocks.

    Raises:
        Misconfigured: geth does not take the first block.
    """
    names = [f"signer{number}" for number in range(1, SIGNERS + 1)]
    for name in names:
        shutil.rmtree(directory / name, ignore_errors=True)  # of a chain whose making was cut short
        (directory / name / "keystore").mkdir(mode=0o700, parents=True)
        make_password(directory / name / PASSWORD_FILE)
    validators = [_make_signer(directory / name) for name in names]
    genesis = directory / "genesis.json"
    genesis.write_text(json.dumps(_genesis(chain_id, period, validators, int(time.time())), indent=2) + "\n")
    _connect([directory / name for name in names])
    nodes = tuple(Node(name, f"http://127.0.0.1:{process.free_port()}", process.NEVER_STARTED) for name in names)
    for name in names:
        _initialise(geth, directory / name, genesis)
    devnet = Devnet(CHAIN, chain_id, CLIQUE, tuple(f"0x{each.hex()}" for each in validators), nodes)
    state.write(directory, devnet)
    return devnet


def _make_signer(folder: Path) -> bytes:
    """Make the signer's key, and that of an account which geth can mine for without sealing; the signer's address."""
    make_ethereum_key(folder / "keystore" / "idle.json", folder / PASSWORD_FILE)
    return make_ethereum_key(folder / "keystore" / "signer.json", folder / PASSWORD_FILE).address


def _genesis(chain_id: int, period: int, validators: list[bytes], now: int) -> dict[str, object]:
    """The first block. Source: EIP-225, which wants the signers between 32 and 65 zero bytes, in ascending order."""
    return {
        "config": {
            "chainId": chain_id,
            **{f"{fork}Block": 0 for fork in FORKS},
            "clique": {"period": period, "epoch": EPOCH_BLOCKS},
        },
        "difficulty": "0x1",
        "gasLimit": hex(GAS_LIMIT),
        "timestamp": hex(now),
        "extraData": "0x" + bytes(32).hex() + b"".join(sorted(validators)).hex() + bytes(65).hex(),
        "alloc": {},
    }


def _connect(folders: list[Path]) -> None:
    """Give every node an identity, and the others' as its only peers: nobody is discovered."""
    enodes = []
    ports = [process.free_port() for _ in folders]
    for folder, port in zip(folders, ports, strict=True):
        identity = PrivateKey()
        key_file = folder / "nodekey"
        key_file.touch(mode=0o600)
        key_file.write_text(identity.secret.hex())
        enodes.append(f"enode://{identity.public_key.format(compressed=False)[1:].hex()}@127.0.0.1:{port}")
    for number, (folder, port) in enumerate(zip(folders, ports, strict=True)):
        others = json.dumps([enode for other, enode in enumerate(enodes) if other != number])
        # Only a file can name the static peers and bind the listener to one interface. With as many peers as it may
        # have a node follows a heavier chain at once, with fewer every 10 s; trusted ones may dial it beyond that.
        (folder / "geth.toml").write_text(
            f'[Node.P2P]\nListenAddr = "127.0.0.1:{port}"\nNoDiscovery = true\nMaxPeers = {len(folders) - 1}\n'
            f"DialRatio = 1\nStaticNodes = {others}\nTrustedNodes = {others}\n"
        )


def _initialise(geth: Path, folder: Path, genesis: Path) -> None:
    command: list[str | Path] = [geth, "--datadir", folder / "data", "init", genesis]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own arguments
    if done.returncode != 0:
        raise Misconfigured(f"geth init ended with {done.returncode}: {done.stderr.strip()[-500:]}")
