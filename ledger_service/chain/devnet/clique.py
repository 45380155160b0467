"""Four geth signers on the loopback interface: a Clique chain with a block a second, by the rules of Berlin.

Berlin is the last fork without a base fee, so that a gas price of zero stays possible. Every key is made with the chain
and lies in its folder; a signer's keystore is opened by its own geth alone. A chain that was stopped goes on with the
next `up`. One node or all can be killed and started again, and cut off from the others, as tests of faults need it;
reorganisations of one block happen without any fault.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from coincurve import PrivateKey

from ledger_service.chain.devnet import process, state
from ledger_service.chain.devnet.state import Devnet, Node
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.errors import ChainRefused, ChainUnreachable, Misconfigured, ServiceError
from ledger_service.keys import PASSWORD_FILE, make_ethereum_key, make_password

CHAIN: Final = "clique"
GETH_VERSION: Final = "1.13.15"  # as in scripts/geth
SIGNERS: Final = 4
# A dial that failed is not repeated for 35 s, and two nodes that start at once can miss each other.
READY_SECONDS: Final = 90.0
GAS_LIMIT: Final = 30_000_000
EPOCH_BLOCKS: Final = 30_000
FORKS: Final = (
    *("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin"),
)


def up(directory: Path, *, chain_id: int, period: int) -> Devnet:
    """Start all signers of a folder's chain, made when it is not there, and wait until they are peers and seal.

    Args:
        directory: where the chain's files go, one folder for each signer.
        chain_id: what transactions are signed for, when the chain is made.
        period: seconds between blocks, when the chain is made.

    Raises:
        Misconfigured: geth is not there.
        ChainUnreachable: a signer ended, or they did not seal in time.
    """
    geth = find_geth()
    if state.read(directory) is None:
        _make_chain(directory, geth, chain_id, period)
    devnet = _read(directory)
    for node in devnet.nodes:
        if not node.process.runs:
            devnet = _start(directory, devnet, node, geth)
    try:
        for node in devnet.nodes:
            _let_it_seal(directory, node)
        heads = [_head(node) for node in devnet.nodes]
        for node, head in zip(devnet.nodes, heads, strict=True):
            _wait_until(partial(_has_peers, node, SIGNERS - 1), directory, node, "met its peers")
            _wait_until(partial(_is_past, node, head), directory, node, "come to a new block")
    except ServiceError:
        devnet.end()
        raise
    return devnet


def start_node(directory: Path, name: str) -> None:
    """Start one signer again and wait until it answers; it finds those of its peers that run.

    Raises:
        ChainUnreachable: it ended, or did not answer in time.
    """
    devnet = _read(directory)
    devnet = _start(directory, devnet, devnet.node(name), find_geth())
    _let_it_seal(directory, devnet.node(name))


def stop_node(directory: Path, name: str, sign: signal.Signals = signal.SIGTERM) -> None:
    """End one signer by a signal and wait until it is gone; SIGKILL leaves it no time for anything."""
    _read(directory).node(name).process.end(sign)


def partition(directory: Path, group: Collection[str]) -> None:
    """Cut the signers of those names off from all others that run; who is in the same part stays connected."""
    inside, outside = _sides(_read(directory), group)
    for one in inside:
        for other in outside:
            _call(one, "admin_removePeer", _enode(other))
            _call(other, "admin_removePeer", _enode(one))
    for node in inside:
        _wait_until(partial(_has_peers, node, len(inside) - 1), directory, node, "lost the peers cut off")


def heal(directory: Path, group: Collection[str]) -> None:
    """Connect the signers of those names with all others that run again: the end of a `partition`.

    Nodes that were connected a moment ago wait up to 35 s before they dial each other again.
    """
    inside, outside = _sides(_read(directory), group)
    for one in inside:
        for other in outside:
            _call(one, "admin_addPeer", _enode(other))
            _call(other, "admin_addPeer", _enode(one))
    everyone = len(inside) + len(outside)
    for node in (*inside, *outside):
        _wait_until(partial(_has_peers, node, everyone - 1), directory, node, "met its peers again")


def find_geth() -> Path:
    """The geth that `scripts/geth` built for this user; raises Misconfigured when it is missing or another version."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    geth = cache / "bidledger" / f"geth-{GETH_VERSION}" / "geth"
    if not geth.is_file():
        raise Misconfigured(f"there is no {geth}; build it with scripts/geth, which needs Go 1.23 or newer")
    said = subprocess.run([geth, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    if not said.startswith(f"geth version {GETH_VERSION}-"):
        raise Misconfigured(f"{geth} is not geth {GETH_VERSION}; build it anew with scripts/geth")
    return geth


def _make_chain(directory: Path, geth: Path, chain_id: int, period: int) -> None:
    """Make keys, genesis and configuration of every signer, and last the state file that says they are there."""
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
    state.write(directory, Devnet(CHAIN, chain_id, CHAIN, tuple(f"0x{each.hex()}" for each in validators), nodes))


def _make_signer(folder: Path) -> bytes:
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
        # Only a file can name the static peers and bind the listener to one interface.
        (folder / "geth.toml").write_text(
            f'[Node.P2P]\nListenAddr = "127.0.0.1:{port}"\nNoDiscovery = true\nStaticNodes = {others}\n'
        )


def _initialise(geth: Path, folder: Path, genesis: Path) -> None:
    command: list[str | Path] = [geth, "--datadir", folder / "data", "init", genesis]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own arguments
    if done.returncode != 0:
        raise ChainUnreachable(f"geth init ended with {done.returncode}: {done.stderr.strip()[-500:]}")


def _start(directory: Path, devnet: Devnet, node: Node, geth: Path) -> Devnet:
    """Start the node's process, and keep its number."""
    signer = devnet.validators[devnet.nodes.index(node)]
    command = [geth, *_arguments(directory / node.name, signer, devnet.chain_id, node.rpc.rpartition(":")[2])]
    started = devnet.with_node(replace(node, process=process.start(command, directory / node.name / "geth.log")))
    state.write(directory, started)
    return started


def _arguments(folder: Path, signer: str, chain_id: int, port: str) -> list[str | Path]:
    return [
        *("--config", folder / "geth.toml", "--datadir", folder / "data", "--nodekey", folder / "nodekey"),
        *("--networkid", str(chain_id), "--nodiscover", "--nat", "none", "--ipcdisable", "--authrpc.port", "0"),
        *("--http", "--http.addr", "127.0.0.1", "--http.port", port),
        *("--http.api", "eth,net,web3,clique,admin,txpool,debug,miner"),
        # Every state is kept, so that a kill loses none and storage proofs can be asked for at any block.
        *("--syncmode", "full", "--gcmode", "archive", "--snapshot=false", "--cache", "32"),
        # geth allows a signer's key beside HTTP only so; the interface is the loopback, and the key owns nothing.
        *("--keystore", folder / "keystore", "--unlock", signer, "--password", folder / PASSWORD_FILE),
        *("--allow-insecure-unlock", "--miner.etherbase", signer),
    ]


def _let_it_seal(directory: Path, node: Node) -> None:
    """Start sealing, with a price of zero for transactions of any origin.

    geth's settings do not go below 1 wei, neither for its pool nor for what it seals; only this call does, and it must
    come before the sealing starts.
    """
    _wait_until(partial(_answers, node), directory, node, "answered")
    _call(node, "miner_setGasPrice", "0x0")
    _call(node, "miner_start")


def _wait_until(holds: Callable[[], bool], directory: Path, node: Node, what: str) -> None:
    output = directory / node.name / "geth.log"
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        if not node.process.runs:
            raise ChainUnreachable(f"{node.name} ended before it had {what}; see {output}")
        if time.monotonic() > deadline:
            raise ChainUnreachable(f"{node.name} had not {what} after {READY_SECONDS:.0f} s; see {output}")
        time.sleep(0.05)


def _answers(node: Node) -> bool:
    try:
        _call(node, "eth_chainId")
    except (ChainUnreachable, ChainRefused):
        return False
    return True


def _head(node: Node) -> int:
    return quantity(_call(node, "eth_blockNumber"))


def _is_past(node: Node, head: int) -> bool:
    return _head(node) > head


def _has_peers(node: Node, count: int) -> bool:
    return quantity(_call(node, "net_peerCount")) == count


def _enode(node: Node) -> object:
    return fields(_call(node, "admin_nodeInfo")).get("enode")


def _call(node: Node, method: str, *params: object) -> object:
    with Rpc(node.rpc, timeout=5.0) as rpc:
        return rpc.call(method, *params)


def _sides(devnet: Devnet, group: Collection[str]) -> tuple[list[Node], list[Node]]:
    running = [node for node in devnet.nodes if node.process.runs]
    return [node for node in running if node.name in group], [node for node in running if node.name not in group]


def _read(directory: Path) -> Devnet:
    devnet = state.read(directory)
    if devnet is None:
        raise ChainUnreachable(f"no chain was started from {directory}")
    return devnet
