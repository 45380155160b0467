"""IBFT 2.0 as Besu seals it; what is particular to it is how the extra data is spelt.

The round is always four bytes, and an empty byte string stands where there is no vote.
"""

from collections.abc import Sequence

from anchors.chain import rlp
from anchors.chain.header import Header
from anchors.errors import MalformedRlp
from anchors.network import ValidatorSet
from anchors.seals.bft import ROUND_BYTES, BftExtra, prove_committed, read_parts
from anchors.seals.sealing import Seals


def read_extra(header: Header) -> BftExtra:
    """Read a header's extra data; raises MalformedExtra.

    Source: Besu, IbftExtraDataCodec.
    """
    return read_parts(header, _round, no_vote=b"")


def _round(item: rlp.Item) -> int:
    if not isinstance(item, bytes) or len(item) != ROUND_BYTES:
        raise MalformedRlp(f"not {ROUND_BYTES} bytes", 0)
    return int.from_bytes(item, "big")


def prove(header: Header, history: Sequence[ValidatorSet], steps: Sequence[bytes]) -> Seals:
    """Prove that a quorum sealed a header, as `bft.prove_committed` does."""
    return prove_committed(header, history, steps, read_extra)
