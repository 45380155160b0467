"""Which block of a chain is final, by the rules of its consensus.

A development chain is sealed by nobody; there a block counts as final once enough others stand on it, which is a
promise of the operator's own making and said so by the verifier. What needs seals to be checked is refused by name.
"""

from dataclasses import dataclass

from anchors.chain.header import DEVELOPMENT
from ledger_service.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Finality:
    """The rule by which a chain's blocks become final.

    Args:
        consensus: as the network file names it.
        confirmations: how many blocks on top of one make it final on a development chain.

    Raises:
        Misconfigured: this version cannot check that consensus.
    """

    consensus: str
    confirmations: int

    def __post_init__(self) -> None:
        if self.consensus != DEVELOPMENT:
            raise Misconfigured(
                f"this version knows when a block is final on a {DEVELOPMENT} chain, not under {self.consensus}"
            )

    def final_block(self, head: int | None) -> int | None:
        """The last final block when `head` is the newest that was followed; None when none is final yet."""
        return head - self.confirmations if head is not None and head >= self.confirmations else None
