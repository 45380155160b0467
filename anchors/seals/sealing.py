"""What all consensuses that seal have in common: the proven fact, whom the network file pins, one seal.

Promises one seal for one act of sealing: 65 bytes r, s, v, the lower of the two values of s, v 0 or 1. Whether the
address that made it is a validator is left to the consensus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anchors.chain.header import SEAL_BYTES, Header
from anchors.chain.signatures import HALF_ORDER, recover_signer
from anchors.errors import BadSignature, ForgedSeal, MalformedSeal, MalleableSeal, NotOfConsensus, ValidatorsUnknown
from anchors.network import ValidatorSet

NO_OMMERS = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")  # keccak256(0xc0)


@dataclass(frozen=True, slots=True)
class Seals:
    """Who is proven to have sealed a block; on a development network nobody."""

    sealers: tuple[bytes, ...]  # addresses, 20 bytes each; under Clique the block's own signer, then later ones
    detail: str  # for a person
    reversible: bool  # whether the chain may still give the block up


def pinned_at(history: Sequence[ValidatorSet], block: int) -> ValidatorSet:
    """The set of validators that the network file pins for a block.

    Args:
        history: the network file's validators.
        block: the block's number.

    Raises:
        ValidatorsUnknown: no span holds the block.
    """
    for span in history:
        if span.from_block <= block and (span.to_block is None or block < span.to_block):
            return span
    raise ValidatorsUnknown(block)


def check_fixed(header: Header, fixed: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Check fields, found and as they must be, that the consensus leaves no choice in; no sealed block has ommers."""
    for name, (found, needed) in {**fixed, "sha3Uncles": (header.ommers_hash, NO_OMMERS)}.items():
        if found != needed:
            raise NotOfConsensus(
                header.number, f"has the {name} 0x{found.hex()}, under {header.consensus} it is 0x{needed.hex()}"
            )


def recover_sealer(block: int, digest: bytes, seal: bytes) -> bytes:
    """Recover who made a seal.

    Args:
        block: the block's number, for messages.
        digest: what was signed, 32 bytes.
        seal: the seal.

    Returns:
        The address, 20 bytes.

    Raises:
        MalformedSeal: it is not 65 bytes that end in 0 or 1.
        MalleableSeal: its s is above half the order.
        ForgedSeal: no key can have made it.
    """
    if len(seal) != SEAL_BYTES or seal[-1] not in (0, 1):
        raise MalformedSeal(block, "has a seal that is not 65 bytes which end in 0 or 1")
    if int.from_bytes(seal[32:64], "big") > HALF_ORDER:
        raise MalleableSeal(
            block, "has a seal with the higher of the two values of s, which its validator did not make"
        )
    try:
        return recover_signer(digest, seal[:64] + bytes((seal[64] + 27,)))
    except BadSignature as error:
        raise ForgedSeal(block, "has a seal that no key can have made") from error
