"""Four geth signers on the loopback interface: a Clique chain with a block a second.

A chain that was stopped goes on with the next `up`. Signers can be killed and started again, and cut off from one
another, as tests of faults need it. Reorganisations of one block happen without any fault, and once in a while all
signers have signed on two branches and none may sign again: `end_deadlock` puts all of them on one.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from ledger_service.chain.devnet import process, state
from ledger_service.chain.devnet.clique_setup import make_chain
from ledger_service.chain.devnet.state import Devnet, Node
from ledger_service.chain.rpc import Rpc, fields, items, quantity
from ledger_service.errors import ChainRefused, ChainUnreachable, Misconfigured
from ledger_service.keys import PASSWORD_FILE

GETH_VERSION: Final = "1.13.15"  # as in scripts/geth
# A dial that failed is not repeated for 35 s, and two nodes that start at once can miss each other.
READY_SECONDS: Final = 90.0
# Without a block for so long the signers are in a deadlock, or the machine is far too busy.
STALL_SECONDS: Final = 4.0
SYNCHRONISE_SECONDS: Final = 5.0  # many times what a few blocks take
POLL_SECONDS: Final = 0.05


def up(directory: Path, *, chain_id: int, period: int) -> Devnet:
    """Start the signers of a folder's chain that do not run, and wait until all are peers and see new blocks.

    The chain is made when it is not there; when all run it is left as it is.

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
        make_chain(directory, geth, chain_id, period)
    devnet = _read(directory)
    stopped = [node.name for node in devnet.nodes if not node.process.runs]
    if not stopped:
        return devnet
    try:
        for name in stopped:
            devnet = _start(directory, devnet, devnet.node(name), geth)
        _let_all_seal(directory, devnet, stopped)
    except BaseException:  # an interrupt too: whoever runs is taken for one that seals
        _read(directory).end()
        raise
    return devnet


def start_node(directory: Path, name: str) -> None:
    """Start one signer again and let it seal; it finds those of its peers that run and follows them, with all at once.

    Raises:
        ChainUnreachable: it ended, or did not answer in time.
    """
    devnet = _read(directory)
    devnet = _start(directory, devnet, devnet.node(name), find_geth())
    node = devnet.node(name)
    _let_it_listen(directory, devnet, node)
    _let_it_seal(directory, devnet, node)


def stop_node(directory: Path, name: str, sign: signal.Signals = signal.SIGTERM) -> None:
    """End one signer by a signal and wait until it is gone; SIGKILL leaves it no time for anything."""
    _read(directory).node(name).process.end(sign)


def partition(directory: Path, group: Collection[str]) -> None:
    """Cut the signers of those names off from all others that run; who is in the same part stays connected."""
    inside, outside = _sides(_read(directory), group)
    _wait_until(partial(_cut, inside, outside), directory, inside[0], "lost the peers cut off")


def heal(directory: Path, group: Collection[str]) -> None:
    """Connect the signers of those names with all others that run again: the end of a `partition`.

    Nodes that were connected a moment ago wait up to 35 s before they dial each other again.
    """
    inside, outside = _sides(_read(directory), group)
    _connect(itertools.product(inside, outside))
    everyone = len(inside) + len(outside)
    for node in (*inside, *outside):
        _wait_until(partial(_has_peers, node, everyone - 1), directory, node, "met its peers again")


def end_deadlock(directory: Path) -> None:
    """Put all signers on the heaviest branch, and let each try anew to seal.

    Two branches on which every signer signed lately stand still for good: of the last three blocks of a branch a signer
    may sign one, and a node does not leave its own branch for one that is not heavier by what it knows. Taken back, it
    would not ask for the other one either: of a peer that sent a block it knows that the peer has the block before. So
    it is handed that branch as a file, and seals nothing meanwhile: it could sign its old branch once more.

    Left alone is who is cut off from most of the others. Who is ahead of the time is cut off until it is started by the
    right time: nobody can follow its branch, and who tries to, again and again, seals nothing meanwhile.
    A geth whose synchronisation hangs mines nothing until it is started again, which is done here too.
    """
    devnet = _read(directory)
    running = [node for node in devnet.nodes if node.process.runs]
    together = _largest_part(running)
    if not together:
        return
    times = [quantity(_block(node, "latest")["timestamp"]) for node in together]
    now = time.time()
    # Where all are ahead, it is the chain's own time that was put forward.
    timely = [node for node, sealed in zip(together, times, strict=True) if sealed <= now] or together
    others = [node for node in running if node not in timely]
    _disconnect(itertools.product(timely, [node for node in together if node not in timely]))
    for node in _not_mining(timely):
        devnet = _start_again(directory, devnet, node, apart_from=others)
    timely = [devnet.node(node.name) for node in timely]
    heads = [(node, _block(node, "latest")) for node in timely]
    heaviest, head = max(heads, key=lambda each: quantity(each[1]["totalDifficulty"]))
    for node in timely:
        if not _knows(node, head):
            _put_on_branch(directory, devnet, node, heaviest, quantity(head["number"]))
    for node in timely:
        _let_it_seal(directory, devnet, node)


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


def _start(directory: Path, devnet: Devnet, node: Node, geth: Path) -> Devnet:
    """Start the node's process, and keep its number."""
    command = [
        geth,
        *_arguments(directory / node.name, _signer(devnet, node), devnet.chain_id, node.rpc.rpartition(":")[2]),
    ]
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
        "--allow-insecure-unlock",
    ]


def _let_all_seal(directory: Path, devnet: Devnet, started: Collection[str]) -> None:
    """Let those that were started seal once all are peers and hear each other, and wait until each sees new blocks."""
    new = [devnet.node(name) for name in started]
    for node in new:
        _let_it_listen(directory, devnet, node)
    for node in devnet.nodes:
        _wait_until(partial(_has_peers, node, len(devnet.nodes) - 1), directory, node, "met its peers")
    heads = [_head(node) for node in devnet.nodes]
    for node in new:
        _let_it_seal(directory, devnet, node)
    deadline = time.monotonic() + READY_SECONDS
    while not _all_past(devnet.nodes, heads):
        end_deadlock(directory)  # a chain can have been stopped in one
        if time.monotonic() > deadline:
            raise ChainUnreachable(f"the signers seal no blocks, see {directory}/signer*/geth.log")


def _let_it_listen(directory: Path, devnet: Devnet, node: Node) -> None:
    """Let a node take what its peers send, at a price of zero, as soon as it can use its key.

    A geth that does not mine drops the blocks that are announced to it, and signers that do not hear each other's
    first blocks end in a deadlock. So it mines for an account that is no signer, which seals nothing. Its settings take
    no price below 1 wei, neither for its pool nor for what it seals; only the call before the mining starts does.
    """
    _wait_until(partial(_signs, node, _signer(devnet, node)), directory, node, "opened its key")
    _call(node, "miner_setGasPrice", "0x0")
    _mine_for(directory, node, _idle_account(devnet, node))


def _let_it_seal(directory: Path, devnet: Devnet, node: Node) -> None:
    """Let a node that listens seal as the signer that it is."""
    _mine_for(directory, node, _signer(devnet, node))


def _largest_part(nodes: Sequence[Node]) -> list[Node]:
    """The most of those nodes that hear one another, straight or through others."""
    identities = {str(fields(_call(node, "admin_nodeInfo"))["id"]): node for node in nodes}
    parts: list[set[str]] = []
    for identity, node in identities.items():
        heard = {identity, *(str(fields(peer)["id"]) for peer in items(_call(node, "admin_peers")))}
        parts = [
            *(part for part in parts if not part & heard),
            heard.union(*(part for part in parts if part & heard)),
        ]
    largest = max(parts, key=len, default=set())
    return [node for identity, node in identities.items() if identity in largest]


def _start_again(directory: Path, devnet: Devnet, node: Node, apart_from: Sequence[Node]) -> Devnet:
    """End a node and start it again, listening only, cut off from those that it was cut off from."""
    node.process.end()
    devnet = _start(directory, devnet, node, find_geth())
    _let_it_listen(directory, devnet, devnet.node(node.name))
    _disconnect(itertools.product([devnet.node(node.name)], apart_from))
    return devnet


def _put_on_branch(directory: Path, devnet: Devnet, node: Node, other: Node, last: int) -> None:
    """Put a node on another's branch up to a block of it; from then on it listens only."""
    _mine_for(directory, node, _idle_account(devnet, node))
    own = _head(node)
    common = min(own, last)
    while _block(node, hex(common))["hash"] != _block(other, hex(common))["hash"]:
        common -= 1
    if common < own:
        _call(node, "debug_setHead", hex(common))
    branch = directory.absolute() / "branch.rlp"
    branch.unlink(missing_ok=True)  # geth writes over no file
    _call(other, "admin_exportChain", str(branch), common + 1, last)
    with contextlib.suppress(ChainRefused):  # by a node whose clock is behind: no other can help it
        _call(node, "admin_importChain", str(branch))


def _not_mining(nodes: Collection[Node]) -> list[Node]:
    """The nodes that do not mine for SYNCHRONISE_SECONDS: each stops while it synchronises."""
    deadline = time.monotonic() + SYNCHRONISE_SECONDS
    while (idle := [node for node in nodes if _is_idle(node)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return idle


def _mine_for(directory: Path, node: Node, account: object) -> None:
    _call(node, "miner_stop")
    _wait_until(partial(_is_idle, node), directory, node, "stopped to change its account")
    _call(node, "miner_setEtherbase", account)
    # What is signed names no signer: geth would take it for the block that it failed to seal before, and not try again.
    _call(node, "miner_setExtra", f"{str(account)[:12]} {time.time_ns():019d}")
    _call(node, "miner_start")


def _idle_account(devnet: Devnet, node: Node) -> object:
    """The account of a node that is no signer."""
    (idle,) = (account for account in items(_call(node, "eth_accounts")) if account != _signer(devnet, node))
    return idle


def _wait_until(holds: Callable[[], bool], directory: Path, node: Node, what: str) -> None:
    output = directory / node.name / "geth.log"
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        if not node.process.runs:
            raise ChainUnreachable(f"{node.name} ended before it had {what}: {_last_line(output)}; see {output}")
        if time.monotonic() > deadline:
            raise ChainUnreachable(f"{node.name} had not {what} after {READY_SECONDS:.0f} s; see {output}")
        time.sleep(POLL_SECONDS)


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").splitlines() if output.is_file() else []
    return lines[-1][:300] if lines else "without a word"


def _signs(node: Node, signer: str) -> bool:
    try:
        _call(node, "eth_sign", signer, "0x")
    except (ChainUnreachable, ChainRefused):
        return False
    return True


def _is_idle(node: Node) -> bool:
    return _call(node, "eth_mining") is False


def _head(node: Node) -> int:
    return quantity(_call(node, "eth_blockNumber"))


def _block(node: Node, number: str) -> dict[str, object]:
    return fields(_call(node, "eth_getBlockByNumber", number, False))


def _knows(node: Node, block: dict[str, object]) -> bool:
    """Whether a block is on the node's chain."""
    number = quantity(block["number"])
    return _head(node) >= number and _block(node, hex(number))["hash"] == block["hash"]


def _all_past(nodes: Sequence[Node], heads: Sequence[int]) -> bool:
    """Whether all nodes come past those heads within STALL_SECONDS."""
    deadline = time.monotonic() + STALL_SECONDS
    while time.monotonic() < deadline:
        if all(_head(node) > head for node, head in zip(nodes, heads, strict=True)):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _has_peers(node: Node, count: int) -> bool:
    return quantity(_call(node, "net_peerCount")) == count


def _cut(inside: Sequence[Node], outside: Sequence[Node]) -> bool:
    """Drop every connection between two parts; whether none is left, since a dial may have been under way."""
    _disconnect(itertools.product(inside, outside))
    return all(_has_peers(node, len(inside) - 1) for node in inside)


def _connect(pairs: Iterable[tuple[Node, Node]]) -> None:
    for one, other in pairs:
        _call(one, "admin_addPeer", _enode(other))
        _call(other, "admin_addPeer", _enode(one))


def _disconnect(pairs: Iterable[tuple[Node, Node]]) -> None:
    for one, other in pairs:
        _call(one, "admin_removePeer", _enode(other))
        _call(other, "admin_removePeer", _enode(one))


def _enode(node: Node) -> object:
    return fields(_call(node, "admin_nodeInfo")).get("enode")


def _call(node: Node, method: str, *params: object) -> object:
    with Rpc(node.rpc) as rpc:
        return rpc.call(method, *params)


def _signer(devnet: Devnet, node: Node) -> str:
    return devnet.validators[[each.name for each in devnet.nodes].index(node.name)]


def _sides(devnet: Devnet, group: Collection[str]) -> tuple[list[Node], list[Node]]:
    running = [node for node in devnet.nodes if node.process.runs]
    return [node for node in running if node.name in group], [node for node in running if node.name not in group]


def _read(directory: Path) -> Devnet:
    devnet = state.read(directory)
    if devnet is None:
        raise ChainUnreachable(f"no chain was started from {directory}")
    return devnet
