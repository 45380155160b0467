"""An alliance that holds tenders on a real chain, an index that follows it, and a clock that tests set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from bidding import Room, bidding
from founding import NOW, Founded, block_time, catch_up, indexer
from holding import Holding
from hosting import Hosted, Hosting, hosting
from sqlalchemy import Engine
from tendering import Tendering

from ledger_service.chain.rpc import Rpc
from ledger_service.tenders.ground import TenderGround

MEMBER = 1  # chongqing, the host of tenders, whose service is tested


@dataclass
class Clock:
    """The service's clock; as long as it is behind the chain's last block, that block's time counts."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def set(self, time: int) -> None:
        """To a time, POSIX seconds."""
        self.now = datetime.fromtimestamp(time, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tendering(founded: Founded, rpc: Rpc) -> Tendering:
    """Holds tenders with the keys of all members."""
    return Tendering(founded, rpc)


@pytest.fixture
def ground(engine: Engine, founded: Founded, clock: Clock) -> TenderGround:
    """What the rooms of the tender slice are given, in the service of member 1."""
    member = next(one for one in founded.network.members if one.number == MEMBER)
    return TenderGround.pinned(engine, founded.network, member, clock)


@pytest.fixture
def follow(engine: Engine, rpc: Rpc, founded: Founded) -> Callable[[], None]:
    """Lets the index catch up with the chain, as often as it is called."""
    follower = indexer(engine, rpc, founded)
    return lambda: catch_up(follower)


@pytest.fixture
def room(
    ground: TenderGround, founded: Founded, rpc: Rpc, tmp_path: Path, clock: Clock, follow: Callable[[], None]
) -> Iterator[Room]:
    """The host's service, with a log whose period does not end."""
    clock.set(block_time(rpc))
    follow()
    with bidding(ground, founded, rpc, tmp_path / "data", clock) as opened:
        yield opened


@pytest.fixture
def hosted(
    ground: TenderGround, founded: Founded, rpc: Rpc, tmp_path: Path, clock: Clock, follow: Callable[[], None]
) -> Hosted:
    """Opens the host's service, with a log whose periods close and are anchored."""
    return partial(hosting, ground, founded, rpc, tmp_path / "data", clock, follow)


@pytest.fixture
def host(hosted: Hosted) -> Iterator[Hosting]:
    """That service, as it is by default."""
    with hosted() as opened:
        yield opened


@pytest.fixture
def holding(
    room: Room, founded: Founded, rpc: Rpc, ground: TenderGround, clock: Clock, follow: Callable[[], None]
) -> Holding:
    """Holds tenders at that service, with the keys of all members, and its job that sends."""
    return Holding(room, founded, rpc, ground, clock, follow)
