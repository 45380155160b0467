"""Evidence whose block was reversed is named, withdrawn and issued anew; what is only gone for a while is not."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from founding import Founded
from growing_log import GrowingLog
from liar import lying
from sqlalchemy import Engine
from sqlmodel import Session, select

from anchors.chain.header import DEVELOPMENT
from ledger_service.anchoring.proofs import ProofCapture
from ledger_service.anchoring.withdrawals import outstanding, withdrawn
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.evidence.routes import routes
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.log.tables import Leaf
from ledger_service.witness.kept import Kept

MEMBER = 2
SEEN = datetime(2026, 11, 24, 12, tzinfo=UTC)
CONFIRMATIONS = 1


class Story:
    """A log that is anchored on a chain which turns back, and what its members see of it."""

    def __init__(self, founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog) -> None:
        self.rpc, self.engine, self.log = rpc, engine, log
        self._founded = founded
        self._indexer = Indexer(engine, rpc, Followed.pinned(founded.network), lambda: SEEN)
        self._finality = Finality(DEVELOPMENT, CONFIRMATIONS)
        self.restart()
        self._api = FastAPI()
        self._api.include_router(routes(engine, log.reader, Kept(engine, 0), MEMBER, 0, self._finality))

    def restart(self) -> None:
        self._capture = ProofCapture(self.engine, self.rpc, MEMBER, self._finality, lambda: SEEN)

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._api)
            async with httpx.AsyncClient(transport=transport, base_url="http://member") as client:
                return await client.get(path)

        return asyncio.run(ask())

    def anchor(self, old: int = 0) -> int:
        """Anchor what the log has signed last; the size."""
        latest = self.log.reader.latest_checkpoint()
        assert latest is not None
        proof = self.log.reader.consistency(old, latest.size) if old else []
        key = self._founded.opened[MEMBER, "anchorer"]
        self._founded.send(self.rpc, key, EVIDENCE_LOG, "anchor", latest.size, latest.root, proof)
        return latest.size

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.rpc.call("evm_mine")

    def look(self) -> None:
        """What the service does again and again."""
        while self._indexer.step():
            pass
        self._capture.step()

    def leaf(self, index: int) -> str:
        """The route of the leaf at `index`."""
        with Session(self.engine) as session:
            commitment = session.exec(select(Leaf.commitment).where(Leaf.index == index)).one()
        return f"/v1/evidence/0x{commitment.hex()}"

    def hash_of(self, number: int) -> str:
        return str(fields(self.rpc.call("eth_getBlockByNumber", hex(number), False))["hash"])


@pytest.fixture
def story(founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog) -> Story:
    return Story(founded, rpc, engine, log)


def test_reversed_evidence_is_named_withdrawn_and_issued_anew(story: Story) -> None:
    story.log.grow(2)
    snapshot = story.rpc.call("evm_snapshot")
    size = story.anchor()
    story.mine(CONFIRMATIONS)
    story.look()
    before = story.get(story.leaf(0)).json()
    assert (before["state"], before["withdrawn"]) == ("final", [])
    old_proof = story.get(f"{story.leaf(0)}/proof").json()
    old_hash = story.hash_of(before["anchor"]["block_number"])

    story.rpc.call("evm_revert", snapshot)
    story.mine(3)
    story.look()
    named = {
        "block_number": before["anchor"]["block_number"],
        "block_hash": old_hash,
        "seen_at": "2026-11-24T12:00:00Z",
    }
    assert story.get(story.leaf(0)).json()["withdrawn"] == [named]
    pending = story.get(f"{story.leaf(0)}/proof")
    assert (pending.status_code, pending.json()) == (202, {"state": "pending"})
    listed = story.get("/v1/withdrawals").json()["withdrawals"]
    assert listed == [named | {"generation": 0, "from_size": 0, "size": size, "anchor": None}]
    with Session(story.engine) as session:
        (waiting,) = outstanding(session, 0)
        assert (waiting.size, withdrawn(session, 0)[0]) == (size, 1)

    story.anchor()
    story.mine(CONFIRMATIONS)
    story.look()
    after = story.get(story.leaf(0)).json()
    assert (after["state"], after["withdrawn"]) == ("final", [named])
    new_proof = story.get(f"{story.leaf(0)}/proof").json()
    assert new_proof["tlog_proof"] == old_proof["tlog_proof"]
    assert new_proof["anchor"]["header"] != old_proof["anchor"]["header"]
    assert story.get("/v1/withdrawals").json()["withdrawals"][0]["anchor"] == after["anchor"]
    with Session(story.engine) as session:
        assert outstanding(session, 0) == []
        count, newest = withdrawn(session, 0)
    assert newest is not None
    assert (count, newest.block_hash.hex()) == (1, old_hash[2:])


def test_what_earlier_anchors_cover_is_not_withdrawn_with_later_ones(story: Story) -> None:
    first = story.log.grow(2)
    story.anchor()
    snapshot = story.rpc.call("evm_snapshot")
    second = story.log.grow(3)
    story.anchor(first)
    story.look()
    story.rpc.call("evm_revert", snapshot)
    third = story.log.grow(1)
    story.mine(2)
    story.anchor(first)
    story.look()
    (listed,) = story.get("/v1/withdrawals").json()["withdrawals"]
    assert (listed["from_size"], listed["size"], listed["anchor"]["size"]) == (first, second, third)
    told = [len(story.get(story.leaf(index)).json()["withdrawn"]) for index in range(third)]
    assert told == [int(first <= index < second) for index in range(third)]
    with Session(story.engine) as session:
        assert outstanding(session, 0) == [], "a later checkpoint covers the same leaves"


def test_withdrawals_are_listed_page_by_page_and_seen_after_a_restart(story: Story) -> None:
    story.log.grow(2)
    for blocks in range(3):
        snapshot = story.rpc.call("evm_snapshot")
        story.mine(blocks)
        story.anchor()
        story.look()
        story.rpc.call("evm_revert", snapshot)
    story.mine(6)
    story.restart()
    story.look()
    first = story.get("/v1/withdrawals?limit=2")
    rest = story.get(first.links["next"]["url"])
    numbers = [one["block_number"] for page in (first, rest) for one in page.json()["withdrawals"]]
    assert len(numbers) == len(set(numbers)) == 3
    assert "next" not in rest.links


def test_a_chain_that_is_shorter_for_a_while_withdraws_nothing(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog
) -> None:
    with lying(rpc) as node, Rpc(node.url) as short:
        story = Story(founded, short, engine, log)
        before = quantity(rpc.call("eth_blockNumber"))
        log.grow(2)
        story.anchor()
        story.look()
        proof = story.get(f"{story.leaf(0)}/proof").json()

        def shorten(method: str, parameters: list[Any], result: Any) -> Any:
            if method == "eth_blockNumber":
                return hex(before)
            return None if method == "eth_getBlockByNumber" and int(parameters[0], 16) > before else result

        node.tamper = shorten
        story.look()
        gone = story.get(story.leaf(0)).json()
        assert (gone["state"], gone["withdrawn"]) == ("pending", [])
        assert story.get(f"{story.leaf(0)}/proof").status_code == 202
        node.tamper = None
        story.look()
        assert story.get(story.leaf(0)).json()["withdrawn"] == []
        assert story.get(f"{story.leaf(0)}/proof").json() == proof
