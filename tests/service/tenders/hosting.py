"""The host's service with a log whose periods close in a moment, whose checkpoints are anchored on the chain."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bidding import SLOTS, Room, bidding
from founding import Founded, block_time
from sqlmodel import Session, col, select
from tendering import HOST, Tendering

from anchors.merkle import ENTRIES, TILE_WIDTH, TileId, TileReader, consistency_path, parse_entry_bundle
from anchors.notes import Checkpoint
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.rpc import Rpc
from ledger_service.log.tables import Period
from ledger_service.tenders.ground import TenderGround

PERIOD = 0.4
Hosted = Callable[..., AbstractContextManager["Hosting"]]  # with the keyword arguments of `hosting`


@dataclass
class Hosting:
    """What happens at the host, step by step."""

    room: Room
    founded: Founded
    rpc: Rpc
    clock: Any  # the fixture
    follow: Callable[[], None]
    anchored: int = 0

    def catch_up(self) -> None:
        """Bring the index to the chain's head, and the service's clock to its time."""
        self.follow()
        self.clock.set(block_time(self.rpc))

    def pass_block(self) -> None:
        """Let the chain go on by a second, and the index with it."""
        self.rpc.call("evm_increaseTime", 1)
        self.rpc.call("evm_mine")
        self.catch_up()

    def turn(self) -> int:
        """Wait until the period that is open now is closed and public; the number of leaves at its end."""
        with Session(self.room.ground.engine) as session:
            first = session.exec(select(Period.first).where(col(Period.size).is_(None))).one()
        self.grow(first + SLOTS)
        return first + SLOTS

    def pass_periods(self, place: int) -> None:
        """Wait until the period of a leaf and the one after it are closed and public."""
        self.grow((place // SLOTS + 2) * SLOTS)

    def grow(self, least: int) -> None:
        """Wait until so many leaves are public."""
        deadline = time.monotonic() + 60
        while (found := self.room.checkpoint()) is None or found.size < least:
            assert time.monotonic() < deadline, f"the log stays at {found}"
            time.sleep(0.02)

    def anchor(self) -> int:
        """Anchor what is public, as the outbox does; its size."""
        checkpoint, old = self._checkpoint(), self.anchored
        proof = consistency_path(old, checkpoint.size, TileReader(checkpoint.size, self._tile).read) if old else []
        key = self.founded.opened[HOST, "anchorer"]
        self.founded.send(self.rpc, key, EVIDENCE_LOG, "anchor", checkpoint.size, checkpoint.root, list(proof))
        self.anchored = checkpoint.size
        return checkpoint.size

    def periods(self, **query: int) -> list[dict[str, Any]]:
        answer = self.room.client.get("/v1/periods", params={"limit": 1000, **query})
        assert answer.status_code == 200, answer.text
        told: list[dict[str, Any]] = answer.json()["periods"]
        return told

    def period_of(self, place: int) -> dict[str, Any]:
        return next(one for one in self.periods() if one["first"] <= place < one["first"] + one["size"])

    def leaves(self, period: dict[str, Any]) -> list[bytes]:
        """The leaves of a period, as anybody reads them from the tiles."""
        size, found = self._checkpoint().size, []
        first, end = period["first"], period["first"] + period["size"]
        for number in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
            tile = TileId(ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
            found += parse_entry_bundle(self._tile(tile), tile.width)
        from_tile = first // TILE_WIDTH * TILE_WIDTH
        return found[first - from_tile : end - from_tile]

    def _checkpoint(self) -> Checkpoint:
        found = self.room.checkpoint()
        assert found is not None
        return found

    def _tile(self, tile: TileId) -> bytes:
        answer = self.room.client.get(f"/log/{tile.path}")
        assert answer.status_code == 200, tile.path
        return answer.content


@contextmanager
def hosting(
    ground: TenderGround,
    founded: Founded,
    rpc: Rpc,
    data_dir: Path,
    clock: Any,
    follow: Callable[[], None],
    *,
    slots: int = SLOTS,
    confirmations: int = 0,
) -> Iterator[Hosting]:
    """The service runs, on an index that has caught up."""
    follow()
    clock.set(block_time(rpc))
    with bidding(ground, founded, rpc, data_dir, clock, slots, PERIOD, confirmations) as room:
        while slots and room.checkpoint() is None:
            time.sleep(0.02)
        yield Hosting(room, founded, rpc, clock, follow)


def announced(host: Hosting, tendering: Tendering, digest: bytes = b"\x70" * 32) -> bytes:
    """Publish a tender of the host, and let its service know of it."""
    tender = tendering.publish(digest=digest)
    host.catch_up()
    return tender
