"""Slots of contracts proven through a node under a followed header, with the trie nodes that a file carries.

Promises that the nodes lead from that header's state root to the values that are returned. What the values must be, and
which code the contract must have, is for whoever asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from anchors.chain.answers import Answer
from anchors.chain.header import Header
from anchors.chain.state import Account, prove_state
from anchors.errors import AnchorsError
from ledger_service.chain.rpc import Rpc, fields, hex_bytes, items
from ledger_service.errors import ChainRefused, NodeDishonest, Unavailable
from ledger_service.index.fetch import ChainMoved, Fetcher
from ledger_service.index.tables import Block

__all__ = ["RETRY_SECONDS", "ProvenSlots", "followed_block", "prove_slots"]

RETRY_SECONDS: Final = 2
SLOTS_A_QUESTION: Final = 100


@dataclass(frozen=True, slots=True)
class ProvenSlots:
    """What a node proves of one contract's state."""

    account: Account | None  # None: the state has no such account
    values: tuple[bytes, ...]  # 32 bytes each, in the order asked
    nodes: tuple[bytes, ...]  # of the tries, in any order, some more than once


def followed_block(engine: Engine, fetcher: Fetcher, number: int) -> tuple[Header, Answer]:
    """The block that the index follows at a number, with the node's answer.

    Raises:
        ChainMoved: it is followed no more, or the node has another one.
        NodeDishonest, ChainUnreachable: as `Fetcher.block` says.
    """
    with Session(engine) as session:
        block = session.get(Block, number)
    if block is None:
        raise ChainMoved(f"block {number} is followed no more")
    return fetcher.block(number, block.hash)


def prove_slots(rpc: Rpc, header: Header, name: str, address: bytes, slots: Sequence[bytes]) -> ProvenSlots:
    """Have a contract's slots proven by the state of a header.

    Args:
        rpc: the node; it must keep that block's state.
        header: of the block.
        name: the contract's, for messages.
        address: the contract's, 20 bytes.
        slots: 32 bytes each, at least one.

    Raises:
        Unavailable: the node keeps no state of that block.
        NodeDishonest: its proof does not lead to the header.
        ChainUnreachable: it does not answer.
    """
    groups = [slots[first : first + SLOTS_A_QUESTION] for first in range(0, len(slots), SLOTS_A_QUESTION)]
    at, of = hex(header.number), "0x" + address.hex()
    asked = [("eth_getProof", [of, ["0x" + slot.hex() for slot in group], at]) for group in groups]
    try:
        answers = [fields(answer) for answer in rpc.batch(asked)]
    except ChainRefused as error:
        raise Unavailable(
            f"The node keeps no state of block {header.number}; ask again, or name a node that does.",
            retry_after=RETRY_SECONDS,
        ) from error
    try:
        proven = [
            prove_state(header.state_root, address, group, answer)
            for group, answer in zip(groups, answers, strict=True)
        ]
    except AnchorsError as error:
        raise NodeDishonest(
            f"block {header.number}: the node's proof about {name} does not lead to the header's state root: "
            f"{error.diagnostics()}"
        ) from error
    values = tuple(value for each in proven for value in each.slots)
    return ProvenSlots(proven[-1].account, values, tuple(node for answer in answers for node in _nodes(answer)))


def _nodes(answer: dict[str, object]) -> Iterator[bytes]:
    yield from (hex_bytes(node) for node in items(answer.get("accountProof")))
    for proof in items(answer.get("storageProof")):
        yield from (hex_bytes(node) for node in items(fields(proof).get("proof")))
