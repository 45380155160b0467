"""What stands in a chain's folder: `devnet.json`, with the chain's facts, its nodes and their processes."""

import json
import signal
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ledger_service.chain.devnet.process import Process
from ledger_service.files import write_durably


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a chain."""

    name: str
    rpc: str
    process: Process

    @property
    def pid(self) -> int | None:
        """Its process's number while it runs."""
        return self.process.pid if self.process.runs else None

    def as_json(self) -> dict[str, object]:
        """The facts for a program that asked."""
        return {"name": self.name, "rpc": self.rpc, "pid": self.pid}

    def __str__(self) -> str:
        return f"{self.name} at {self.rpc} ({f'process {self.pid}' if self.pid else 'stopped'})"


@dataclass(frozen=True, slots=True)
class Devnet:
    """A chain that was started: what `devnet.json` holds."""

    chain: str
    chain_id: int
    consensus: str  # as a network file names it
    validators: tuple[str, ...]  # who may seal from the first block on, 0x and 40 digits each
    nodes: tuple[Node, ...]

    @property
    def rpc(self) -> str:
        """The first node's address."""
        return self.nodes[0].rpc

    @property
    def pid(self) -> int:
        """The first node's process number."""
        return self.nodes[0].process.pid

    @property
    def runs(self) -> bool:
        """Whether any of its nodes runs."""
        return any(node.process.runs for node in self.nodes)

    def end(self) -> None:
        """End all of its processes that still run, at the same time."""
        for node in self.nodes:
            node.process.tell(signal.SIGTERM)
        for node in self.nodes:
            node.process.end()

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)

    def with_node(self, changed: Node) -> "Devnet":
        """The same chain with one node, the one of that name, replaced."""
        return replace(self, nodes=tuple(changed if node.name == changed.name else node for node in self.nodes))

    def as_json(self) -> dict[str, object]:
        """The facts for a program that asked."""
        return {
            "chain": self.chain,
            "rpc": self.rpc,
            "pid": self.pid,
            "chain_id": self.chain_id,
            "consensus": self.consensus,
            "validators": self.validators,
            "nodes": [node.as_json() for node in self.nodes],
        }


@dataclass(frozen=True, slots=True)
class DevnetStatus:
    """Whether a folder's chain runs, and the head of each of its nodes that answers."""

    devnet: Devnet | None
    heads: tuple[int | None, ...] = ()

    @property
    def head(self) -> int | None:
        """The newest block that any node has."""
        return max((head for head in self.heads if head is not None), default=None)

    def as_json(self) -> dict[str, object]:
        """The facts for a program that asked."""
        if self.devnet is None:
            return {"running": False, "head": None}
        nodes = [{**node.as_json(), "head": head} for node, head in zip(self.devnet.nodes, self.heads, strict=True)]
        return {"running": True, **self.devnet.as_json(), "nodes": nodes, "head": self.head}

    def __str__(self) -> str:
        if self.devnet is None:
            return "no chain runs from this folder"
        lines = [
            f"{node} {'does not answer' if head is None else f'is at block {head}'}"
            for node, head in zip(self.devnet.nodes, self.heads, strict=True)
        ]
        return "\n".join(lines)


def read(directory: Path) -> Devnet | None:
    """The chain that was last started from a folder, whether it runs or not; None when there is none."""
    try:
        facts = json.loads((directory / "devnet.json").read_bytes())
        nodes = tuple(_node(node) for node in facts.pop("nodes"))
        return Devnet(validators=tuple(facts.pop("validators")), nodes=nodes, **facts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(directory: Path, devnet: Devnet) -> None:
    """Make `devnet.json` say what `devnet` does."""
    write_durably(directory / "devnet.json", (json.dumps(asdict(devnet), indent=2) + "\n").encode())


def _node(facts: dict[str, Any]) -> Node:
    return Node(process=Process(**facts.pop("process")), **facts)
