"""Which block of a chain is final, by the rules of its consensus.

A development chain is sealed by nobody; there a block counts as final once enough others stand on it, which is a
promise of the operator's own making and said so by the verifier. What needs seals to be checked is refused by name.
"""

from anchors.seals import DEVELOPMENT
from ledger_service.errors import Misconfigured


def final_block(consensus: str, head: int, confirmations: int) -> int | None:
    """The last final block.

    Args:
        consensus: as the network file names it.
        head: number of the newest block that was followed.
        confirmations: how many blocks on top of one make it final on a development chain.

    Returns:
        Its number, or None when none is final yet.

    Raises:
        Misconfigured: this version cannot check that consensus.
    """
    if consensus != DEVELOPMENT:
        raise Misconfigured(f"this version knows when a block is final on a {DEVELOPMENT} chain, not under {consensus}")
    return head - confirmations if head >= confirmations else None
