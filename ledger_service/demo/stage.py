"""Where the third act plays: the chain and its clock, the members that act, and the services that must have followed.

An act counts as done when every service tells of its block. Before the clock is put forward all of it is final, so
that a turn of the chain takes nothing to a time at which it is refused.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from anchors.network import Network, parse_network
from ledger_service.chain.devnet import Devnet
from ledger_service.chain.devnet.clock import head, put_forward
from ledger_service.cli.console import say
from ledger_service.demo.members import FINAL_SECONDS, POLL_SECONDS, Alliance, Member, digest, wait_for_operation, write
from ledger_service.errors import Unavailable

__all__ = ["DAY", "Stage"]

DAY: Final = 86_400


@dataclass(slots=True)
class Stage:
    """Where the act plays.

    Args:
        node: the chain.
        alliance: who acts.
        host_code: the code of who takes, opens and evaluates the bids.
        where: where files go.
    """

    node: Devnet
    alliance: Alliance
    host_code: str
    where: Path
    forward: list[int] = field(default_factory=list)  # seconds, each time that the chain's clock was put forward
    _sent: list[tuple[Member, Mapping[str, Any]]] = field(default_factory=list)  # operations, not known to be final

    @property
    def host(self) -> Member:
        """Who takes, opens and evaluates the bids."""
        return self.alliance.members[self.host_code]

    @property
    def network(self) -> Network:
        """The alliance as everybody pins it."""
        return parse_network(self.alliance.network.read_bytes())

    @property
    def now(self) -> int:
        """The chain's time, POSIX seconds."""
        return head(self.node.nodes[0])[1]

    def told(self, tender: str) -> dict[str, Any]:
        """A tender as the host's service tells it."""
        return self.host.ask("GET", f"/v1/tenders/{tender}")

    def paper(self, name: str, text: str) -> str:
        """Write a document, and return its digest."""
        return digest(write(self.where / "papers" / f"{name}.txt", text + "\n"))

    def act(
        self,
        path: str,
        body: Mapping[str, Any],
        signers: Sequence[tuple[str, str]],
        at: str | None = None,
    ) -> dict[str, Any]:
        """Draw an act up, have it signed and sent.

        Args:
            path: below that of tenders: a tender's name and what is done to it, or nothing for a notice.
            body: as docs/TENDERS.md has it.
            signers: the code and the role of each.
            at: the code of the member at whose service, by default the host's.

        Returns:
            The operation, once every service tells of its block.
        """
        member = self.host if at is None else self.alliance.members[at]
        operation = member.ask("POST", f"/v1/tenders{path}", body)
        if signers:
            self.alliance.sign("tender", member, operation, signers)
        return self.follow(member, operation)

    def follow(self, member: Member, operation: Mapping[str, Any]) -> dict[str, Any]:
        """An operation at a member, once every service tells of its block."""
        done = wait_for_operation(member, operation, ("mined", "final"))
        self._sent.append((member, operation))
        self._wait("index", "block", int(done["block"]))
        return done

    def settle(self) -> None:
        """Wait until all that was done is final for every service, also where a turn of the chain put it elsewhere."""
        blocks = [int(wait_for_operation(*sent, ("final",))["block"]) for sent in self._sent]
        self._sent.clear()
        self._wait("chain", "final", max(blocks, default=0))

    def wait_until(self, moment: int, why: str) -> None:
        """Let the chain's clock come to a time, POSIX seconds, and every service follow it."""
        self.settle()
        self.forward.append(moment - self.now)
        say(f"   {why}: nobody waits here, the chain's clock is put forward by {self.forward[-1] / DAY:.1f} days")
        put_forward(self.node, moment)
        self._wait("index", "block", head(self.node.nodes[0])[0])

    def _wait(self, part: str, name: str, block: int) -> None:
        """Wait until every service's status names this block, or a later one."""
        deadline = time.monotonic() + FINAL_SECONDS
        for each in self.alliance.served:
            while (found := each.ask("GET", "/v1/status")[part][name]) is None or found < block:
                if time.monotonic() > deadline:
                    raise Unavailable(f"for {each.url} the block {block} is not {name} in time; it is {found}")
                time.sleep(POLL_SECONDS)
