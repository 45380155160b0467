"""Who sealed a block header, by the rules of the network's consensus.

Promises a fact or a named refusal, never a guess: a development network has nobody who seals, and says so; a
consensus whose seals this version cannot check is refused by its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from anchors.chain.header import Header
from anchors.errors import SealsNotSupported

__all__ = ["CONSENSUSES", "DEVELOPMENT", "Seals", "prove_seals"]

DEVELOPMENT = "development"
CONSENSUSES = (DEVELOPMENT, "qbft", "ibft2", "clique")


@dataclass(frozen=True, slots=True)
class Seals:
    """Who is proven to have sealed a header; on a development network nobody."""

    sealers: tuple[bytes, ...]  # addresses, 20 bytes each
    detail: str  # for a person


def prove_seals(header: Header, consensus: str, validators: Sequence[bytes]) -> Seals:
    """Prove that enough validators sealed a header.

    Args:
        header: the header.
        consensus: as the network file names it.
        validators: the addresses that may seal this header, from the network file.

    Returns:
        Who sealed it.

    Raises:
        SealsNotSupported: this version does not know how that consensus seals.
    """
    if consensus != DEVELOPMENT:
        raise SealsNotSupported(consensus, header.number, len(validators))
    return Seals((), f"{DEVELOPMENT} network: nobody sealed this block")
