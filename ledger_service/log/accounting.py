"""Accounts for the leaves of any member's log over HTTP: which of them its revealed keys do not explain.

Promises leaves that are the log's under a checkpoint that its key signed, whose key the reader's network file names;
bounds and keys of periods are the member's word, and with others the filling would not fit. What the leaves that are
left are is for others: a tender's audit holds them against openings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anchors.bounded_json import Fields
from anchors.errors import MalformedFile
from anchors.merkle import ENTRIES, TILE_WIDTH, TileId, TileReader, parse_entry_bundle
from anchors.network import Network
from anchors.notes import Checkpoint, SignedNote, Verifier, open_checkpoint
from anchors.tenders.audit.leaves import Leaf, PeriodLeaves, check_leaves, range_path
from ledger_service.connection import MAX_PAGE, Connection
from ledger_service.errors import NotFound, Unavailable
from ledger_service.log.tiles import content_length

__all__ = ["Accounted", "account_for"]

MAX_LEAVES: Final = 1 << 22  # that are read at once
_FIELDS: Final = ("number", "first", "size", "slots", "opened_at", "closed_at", "key_commitment", "key")


@dataclass(frozen=True, slots=True)
class Accounted:
    """What a range of periods is made of."""

    origin: str
    size: int  # of the log's checkpoint
    first: int  # the place of the first leaf
    end: int  # one past that of the last
    periods: int
    sealed: tuple[int, ...]  # the numbers of those whose keys are not told
    left: tuple[Leaf, ...]  # of the others: neither filling nor committing to a key that is told

    def as_json(self) -> dict[str, Any]:
        """As `bidledger log account --json` prints it."""
        return {
            "origin": self.origin,
            "size": self.size,
            "first": self.first,
            "end": self.end,
            "periods": self.periods,
            "sealed": list(self.sealed),
            "left": [one.as_json() for one in self.left],
        }


@dataclass(frozen=True, slots=True)
class _Told:
    """A period as the member tells it."""

    number: int
    first: int
    end: int
    slots: int
    opened_at: int | None
    key: bytes | None

    @classmethod
    def read(cls, value: object) -> "_Told":
        fields = Fields(value, "periods", _FIELDS)
        first = fields.number("first")
        return cls(
            fields.number("number"),
            first,
            first + fields.number("size", 0, MAX_LEAVES),
            fields.number("slots"),
            fields.nullable("opened_at", fields.number),
            fields.nullable("key", lambda name: fields.hex(name, 32)),
        )


def account_for(connection: Connection, network: Network, since: int | None, until: int | None) -> Accounted:
    """Account for the periods of a log that were open in a span of time.

    Args:
        connection: to the member's API.
        network: the network file that the reader trusts, proven.
        since, until: POSIX seconds; None: from the first period, to the last that is public.

    Raises:
        ServiceError: the API's refusal, or Unavailable where nobody answers; NotFound: there are no such periods.
        AnchorsError: what is told or read is not the log's: the note, a period, a tile, a key.
    """
    told = list(_told(connection, since, until))  # before the checkpoint, which then covers all of them
    if not told or told[0].first == told[-1].end:
        raise NotFound("No leaves of that time are public; give another, or wait for a period to close.")
    checkpoint = _checkpoint(connection, network)
    leaves = _Reader(connection, checkpoint).leaves(told[0].first, told[-1].end)
    followed = zip(told, [*told[1:], None], strict=True)
    sealed = tuple(one.number for one in told if one.slots and one.key is None)
    left = [
        leaf for one, after in followed if one.number not in sealed for leaf in _left(one, after, leaves, told[0].first)
    ]
    return Accounted(checkpoint.origin, checkpoint.size, told[0].first, told[-1].end, len(told), sealed, tuple(left))


def _told(connection: Connection, since: int | None, until: int | None) -> Iterator[_Told]:
    query: dict[str, str | int] = {"limit": MAX_PAGE} if since is None else {"limit": MAX_PAGE, "since": since}
    first: int | None = None
    before: _Told | None = None
    for value in connection.pages("/v1/periods", "periods", query):
        one = _Told.read(value)
        if until is not None and one.opened_at is not None and one.opened_at >= until:
            return
        first = one.first if first is None else first
        if before is not None and (one.number, one.first) != (before.number + 1, before.end):
            raise MalformedFile("periods", f"tell of {one.number} where {before.number + 1} follows")
        if one.end - first > MAX_LEAVES:
            raise Unavailable(f"There are more than {MAX_LEAVES} leaves in that time; ask for less at a time.")
        yield one
        before = one


def _checkpoint(connection: Connection, network: Network) -> Checkpoint:
    note = SignedNote.parse(connection.ask("GET", "/log/checkpoint").content)
    said = Checkpoint.parse(note.text)
    for member in network.members:
        for generation in {key.generation for key in member.log_keys}:
            if network.origin(member, generation) == said.origin:
                key = network.log_key(member, generation, said.size)
                return open_checkpoint(note, Verifier.parse(key.vkey)).checkpoint
    raise MalformedFile("checkpoint", f"is of {said.origin}, a log that the network file does not name")


def _left(one: _Told, after: _Told | None, leaves: Sequence[bytes], base: int) -> tuple[Leaf, ...]:
    own = tuple(leaves[one.first - base : one.end - base])
    return PeriodLeaves(one.first, own, one.key if one.slots else None, after.key if after else None, ()).taken()


class _Reader:
    """Reads leaves from the tiles, and holds them against the checkpoint."""

    def __init__(self, connection: Connection, checkpoint: Checkpoint) -> None:
        self._connection = connection
        self._checkpoint = checkpoint

    def leaves(self, first: int, end: int) -> tuple[bytes, ...]:
        size, found = self._checkpoint.size, []
        if end > size:
            raise MalformedFile("periods", f"have {end} leaves, and the log {size}")
        for number in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
            tile = TileId(ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
            found += parse_entry_bundle(self._fetch(tile), tile.width)
        base = first // TILE_WIDTH * TILE_WIDTH
        leaves = tuple(found[first - base : end - base])
        path = range_path(first, end, size, TileReader(size, self._fetch).read)
        check_leaves(PeriodLeaves(first, leaves, None, None, path), size, self._checkpoint.root)
        return leaves

    def _fetch(self, tile: TileId) -> bytes:
        """A tile; of one that is full meanwhile the beginning (C2SP tlog-tiles)."""
        try:
            return self._connection.ask("GET", f"/log/{tile.path}").content
        except NotFound:
            return self._connection.ask("GET", f"/log/{tile.full.path}").content[: content_length(tile)]
