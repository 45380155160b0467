"""Development chains on this machine: one process that nobody seals, or a network of signers, all alike to start.

`up`, `down`, `status` and `running` take any of them. `state` is what stands in a chain's folder, `process` starts and
ends programs, `unsealed` runs anvil and ganache, `clique` four geth signers, whose faults it can bring about, with what
`clique_setup` makes for them.
"""

from ledger_service.chain.devnet.lifecycle import CHAINS, UNSEALED, down, running, status, up
from ledger_service.chain.devnet.process import free_port
from ledger_service.chain.devnet.state import Devnet, DevnetStatus, Node

__all__ = [
    "CHAINS",
    "UNSEALED",
    "Devnet",
    "DevnetStatus",
    "Node",
    "down",
    "free_port",
    "running",
    "status",
    "up",
]
