"""A wrong clock for one running signer, and a new start with the right one afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_service.chain import devnet
from ledger_service.chain.devnet import clique
from ledger_service.chain.devnet.clock import set_clocks_off


@contextmanager
def clock_off(directory: Path, name: str, seconds: int) -> Iterator[None]:
    """Let a signer of a Clique chain read the time `seconds` off, and start it again with the right one afterwards.

    A geth that could not follow for long, or whom its peers have dropped for what it sent, may come back to them by
    nothing else.
    """
    running = devnet.status(directory).devnet
    assert running is not None
    set_clocks_off([running.node(name).process.pid], seconds)
    try:
        yield
    finally:
        clique.stop_node(directory, name)
        clique.start_node(directory, name)
