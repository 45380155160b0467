"""The headers that show a final block sealed, as evidence files and certificates carry them."""

from sqlalchemy import Engine
from sqlmodel import Session

from anchors.chain.header import Header
from anchors.errors import AnchorsError
from anchors.seals import pinned_at
from ledger_service.chain.finality import Finality
from ledger_service.index.fetch import ChainMoved, Fetcher
from ledger_service.index.queries import blocks_from, headers_of_changes, validators_in_force
from ledger_service.index.seals import NotSealed

__all__ = ["finality_headers"]


def finality_headers(engine: Engine, fetcher: Fetcher, finality: Finality, header: Header) -> list[bytes]:
    """Headers, RLP, that prove a final block sealed beside its own, held against what the reader will ask.

    Args:
        engine: the database with the index.
        fetcher: the node.
        finality: the rule of a chain whose blocks are sealed.
        header: of the block.

    Raises:
        ChainMoved: the index no longer holds this block.
        NotSealed: a reader of the network file would not be convinced.
    """
    with Session(engine) as session:
        look_at = finality.blocks_to_look_at(len(validators_in_force(session)))
        blocks = blocks_from(session, header.number, look_at)
        steps = headers_of_changes(session, pinned_at(finality.history, header.number), header.number)
    if not blocks or blocks[0].hash != header.hash:
        raise ChainMoved(f"block {header.number} was replaced")
    confirming = finality.confirming(blocks[0], blocks[1:])
    headers = [fetcher.block(one.number, one.hash)[0].raw for one in confirming] or steps
    try:
        finality.prove(header, headers)
    except AnchorsError as error:
        raise NotSealed(f"block {header.number} would not be proven as sealed: {error.diagnostics()}") from error
    return headers
