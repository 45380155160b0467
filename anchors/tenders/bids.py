"""The list of opened bids: its bytes, its root, and one page of it that shows whether a bid was opened.

Promises that a list has one form and one root, the register's, and that one page proves that a commitment is on the
list, or that it is not. An entry is 40 bytes: commitment, uint64 place in the log, big-endian; entries ascend by
commitment. A page is eight entries and the commitment that follows; the last page has what is left, and nothing
follows. The root is a Keccak-256 tree over the pages' hashes in the shape of RFC 6962. See docs/adr/0019.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from anchors.chain.keccak import keccak256
from anchors.errors import ForgedPage, ListTorn, NotAscending, NotRefused, PageDiffers

__all__ = [
    "ENTRY_BYTES",
    "Bid",
    "OpenedList",
    "Page",
    "Refusal",
    "find_bid",
    "open_list",
    "pack_bids",
    "pack_refusals",
    "parse_bids",
    "parse_refusals",
    "reason_of",
    "show_page",
]

ENTRY_BYTES: Final = 40
PAGE_ENTRIES: Final = 8

_PAGE_BYTES: Final = PAGE_ENTRIES * ENTRY_BYTES
_NEXT_BYTES: Final = 32
_REFUSAL_BYTES: Final = 64
_EMPTY: Final = bytes(32)


class Bid(NamedTuple):
    """An opened bid."""

    commitment: bytes  # 32 bytes
    place: int  # in the host's log


class Refusal(NamedTuple):
    """A bid that was refused, and why."""

    commitment: bytes  # 32 bytes
    reason: bytes  # digest, 32 bytes


@dataclass(frozen=True, slots=True)
class OpenedList:
    """What stands for a whole list."""

    root: bytes  # 32 bytes, zeros for the empty list
    count: int


@dataclass(frozen=True, slots=True)
class Page:
    """What the list says between the first commitment of a page and that of the next."""

    number: int  # from 0
    entries: bytes  # with the commitment that follows
    path: tuple[bytes, ...]  # the siblings, page to root, 32 bytes each


def pack_bids(bids: Sequence[Bid]) -> bytes:
    """The list as the register takes it, ascending whatever their order here.

    Raises:
        NotAscending: a commitment stands twice, or is zero.
    """
    packed = b"".join(bid.commitment + bid.place.to_bytes(8, "big") for bid in sorted(bids))
    parse_bids(packed)
    return packed


def parse_bids(packed: bytes) -> tuple[Bid, ...]:
    """Read a list.

    Raises:
        ListTorn: it does not divide into entries.
        NotAscending: a commitment stands twice or out of order, or is zero.
    """
    if len(packed) % ENTRY_BYTES:
        raise ListTorn(len(packed))
    entries = (packed[at : at + ENTRY_BYTES] for at in range(0, len(packed), ENTRY_BYTES))
    bids = tuple(Bid(entry[:32], int.from_bytes(entry[32:], "big")) for entry in entries)
    _check_ascending([bid.commitment for bid in bids])
    return bids


def open_list(packed: bytes) -> OpenedList:
    """The root and count of a list; raises as `parse_bids` does."""
    bids = parse_bids(packed)
    return OpenedList(_root([keccak256(page) for page in _pages(packed)]), len(bids))


def show_page(packed: bytes, commitment: bytes) -> Page:
    """The page of a list that shows whether a commitment is on it; raises as `parse_bids` does."""
    bids, pages = parse_bids(packed), _pages(packed)
    if not pages:
        return Page(0, b"", ())
    number = max(bisect_right(bids, commitment, key=lambda bid: bid.commitment) - 1, 0) // PAGE_ENTRIES
    return Page(number, pages[number], tuple(_path(number, [keccak256(page) for page in pages])))


def find_bid(opened: OpenedList, page: Page, commitment: bytes) -> Bid | None:
    """Prove that a bid was opened, or that it was not.

    Args:
        opened: what the manifest says.
        page: from anyone.
        commitment: of the bid.

    Returns:
        The bid's entry, or None: it is on no page.

    Raises:
        ForgedPage: the list has no such page.
        PageDiffers: the bid would stand on another page.
    """
    entries = _proven_entries(opened, page)
    last = page.number + 1 >= _page_count(opened.count)
    before = page.number > 0 and commitment < page.entries[:32]
    if before or (not last and commitment >= page.entries[_PAGE_BYTES:]):
        raise PageDiffers(page.number)
    return next((bid for bid in entries if bid.commitment == commitment), None)


def pack_refusals(refusals: Sequence[Refusal]) -> bytes:
    """The list of refused bids as the register takes it: 64 bytes each, ascending whatever their order here.

    Raises:
        NotAscending: a commitment stands twice, or is zero.
    """
    packed = b"".join(refusal.commitment + refusal.reason for refusal in sorted(refusals))
    parse_refusals(packed)
    return packed


def parse_refusals(packed: bytes) -> tuple[Refusal, ...]:
    """Read a list of refused bids.

    Raises:
        ListTorn: it does not divide into entries.
        NotAscending: a commitment stands twice or out of order, or is zero.
    """
    if len(packed) % _REFUSAL_BYTES:
        raise ListTorn(len(packed))
    entries = (packed[at : at + _REFUSAL_BYTES] for at in range(0, len(packed), _REFUSAL_BYTES))
    refusals = tuple(Refusal(entry[:32], entry[32:]) for entry in entries)
    _check_ascending([refusal.commitment for refusal in refusals])
    return refusals


def reason_of(packed: bytes, digest: bytes, commitment: bytes) -> bytes:
    """Prove that an opening names a bid among the refused ones.

    Args:
        packed: the list of refused bids.
        digest: what the manifest says of it, 32 bytes.
        commitment: of the bid.

    Returns:
        The digest of the reason, 32 bytes.

    Raises:
        NotRefused: the list is another one, or the bid is not on it, or without a reason.
    """
    named = dict(parse_refusals(packed)) if keccak256(packed) == digest else {}
    reason = named.get(commitment, b"")
    if not any(reason):
        raise NotRefused
    return reason


def _check_ascending(commitments: Sequence[bytes]) -> None:
    last = _EMPTY
    for commitment in commitments:
        if commitment <= last:
            raise NotAscending(commitment)
        last = commitment


def _page_count(count: int) -> int:
    return -(-count // PAGE_ENTRIES)


def _pages(packed: bytes) -> list[bytes]:
    return [packed[at : at + _PAGE_BYTES + _NEXT_BYTES] for at in range(0, len(packed), _PAGE_BYTES)]


def _proven_entries(opened: OpenedList, page: Page) -> tuple[Bid, ...]:
    pages = _page_count(opened.count)
    if not pages and page == Page(0, b"", ()):
        return ()
    if page.number >= pages:
        raise ForgedPage(page.number)
    last = page.number + 1 == pages
    size = (opened.count - page.number * PAGE_ENTRIES) * ENTRY_BYTES if last else _PAGE_BYTES + _NEXT_BYTES
    climbed = _climb(keccak256(page.entries), page.number, pages - 1, page.path)
    if len(page.entries) != size or climbed != opened.root:
        raise ForgedPage(page.number)
    return parse_bids(page.entries[:_PAGE_BYTES])


def _root(nodes: list[bytes]) -> bytes:
    while len(nodes) > 1:
        nodes = _next_level(nodes)
    return nodes[0] if nodes else _EMPTY


def _path(number: int, nodes: list[bytes]) -> list[bytes]:
    path = []
    while len(nodes) > 1:
        if number ^ 1 < len(nodes):
            path.append(nodes[number ^ 1])
        number, nodes = number >> 1, _next_level(nodes)
    return path


def _next_level(nodes: list[bytes]) -> list[bytes]:
    """Neighbours are paired; one without a neighbour moves up as it is."""
    return [
        keccak256(b"".join(nodes[at : at + 2])) if at + 1 < len(nodes) else nodes[at] for at in range(0, len(nodes), 2)
    ]


def _climb(node: bytes, number: int, last: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to; None where it does not fit."""
    siblings = list(path)
    while last > 0:
        if number & 1 or number < last:
            if not siblings:
                return None
            sibling = siblings.pop(0)
            node = keccak256(sibling + node if number & 1 else node + sibling)
        number, last = number >> 1, last >> 1
    return None if siblings else node
