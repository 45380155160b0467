"""The leaves of opened bids in this member's own log, each with the hashes that lead from it to an anchored root.

Promises nothing but what is public: the leaves of bids that an opening names, and no period's key. Which leaves are
filling is not told, so the audit says of the rest that it is not seen.
"""

from collections.abc import Sequence

from anchors.tenders import Bid
from anchors.tenders.audit import LogPart, PeriodLeaves
from ledger_service.log.reader import LogReader

__all__ = ["show_leaves"]

MOST_LEAVES = 1_000  # of a file; each is proven by itself


def show_leaves(reader: LogReader, bids: Sequence[Bid], size: int) -> LogPart | None:
    """Show the leaves of opened bids.

    Args:
        reader: of the log.
        bids: the opened ones; those that the log has elsewhere, or not below `size`, are left out.
        size: of a tree that is anchored.

    Returns:
        Each leaf as a run of its own; None where there is nothing to show, or too much.

    Raises:
        FilesDamaged: the log's tiles do not give a path.
    """
    below = [bid for bid in bids if bid.place < size]
    if len(below) > MOST_LEAVES or reader.checkpoint_of_size(size) is None:
        return None
    found = [entry for bid in below if (entry := reader.find(bid.commitment)) and entry.index == bid.place]
    shown = [
        PeriodLeaves(one.index, (one.commitment,), None, None, _left_to_right(one.index, size, path))
        for one in sorted(found, key=lambda entry: entry.index)
        for path in [reader.inclusion(one, size)]
    ]
    return LogPart(size, tuple(shown)) if shown else None


def _left_to_right(index: int, size: int, path: Sequence[bytes]) -> tuple[bytes, ...]:
    """An inclusion path (RFC 9162, 2.1.3: from the leaf upwards) as `range_path` of that leaf has it."""
    left: list[bytes] = []
    right: list[bytes] = []
    low, high = 0, size
    for node in reversed(path):
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if index < middle:
            right.append(node)
            high = middle
        else:
            left.append(node)
            low = middle
    return (*left, *reversed(right))
