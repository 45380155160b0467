"""An alliance that holds tenders on a real chain, an index that follows it, and a clock that tests set."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from founding import NOW, Founded, catch_up, indexer
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
