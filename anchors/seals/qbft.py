"""QBFT as Besu seals it; what is particular to it is how the extra data is spelt.

The round is a scalar in its shortest form, and an empty list stands where there is no vote.
"""

from collections.abc import Sequence

from anchors.chain import rlp
from anchors.chain.header import Header
from anchors.network import ValidatorSet
from anchors.seals.bft import ROUND_BYTES, BftExtra, prove_committed, read_parts
from anchors.seals.sealing import Seals


def read_extra(header: Header) -> BftExtra:
    """Read a header's extra data; raises MalformedExtra.

    Source: Besu, QbftExtraDataCodec.
    """
    return read_parts(header, lambda item: rlp.to_uint(item, ROUND_BYTES), no_vote=[])


def prove(header: Header, history: Sequence[ValidatorSet], steps: Sequence[bytes]) -> Seals:
    """Prove that a quorum sealed a header, as `bft.prove_committed` does."""
    return prove_committed(header, history, steps, read_extra)
