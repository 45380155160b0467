"""An alliance that files credit records on a real chain, an index that follows it, and a clock that tests set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from acting import Acting, routers
from filing import Filing
from founding import NOW, Founded, catch_up, indexer
from serving import application, serving
from sqlalchemy import Engine

from ledger_service.chain.rpc import Rpc
from ledger_service.credit.ground import CreditGround

MEMBER = 2  # sichuan, whose service is tested


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
def filing(founded: Founded, rpc: Rpc) -> Filing:
    """Files records and changes with the keys of all members."""
    return Filing(founded, rpc)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ground(engine: Engine, founded: Founded, clock: Clock) -> CreditGround:
    """What the rooms of the credit slice are given, in the service of member 2."""
    member = next(one for one in founded.network.members if one.number == MEMBER)
    return CreditGround.pinned(engine, founded.network, member, clock)


@pytest.fixture
def follow(engine: Engine, rpc: Rpc, founded: Founded) -> Callable[[], None]:
    """Lets the index catch up with the chain, as often as it is called."""
    follower = indexer(engine, rpc, founded)
    return lambda: catch_up(follower)


@pytest.fixture
def acting(
    founded: Founded, rpc: Rpc, engine: Engine, ground: CreditGround, clock: Clock, follow: Callable[[], None]
) -> Iterator[Acting]:
    """Acts at the API of member 2 by the keys of all members, and its job that sends."""
    with serving(application(*routers(ground))) as client:
        yield Acting(client, founded, rpc, engine, ground, clock, follow)
