"""Backfill of an index into SQLite, against decoding the same logs by hand and `executemany` of their rows.

The chain is a real anvil. A contract of a few instructions stands in for the evidence log: it emits anchors by the
hundred and leaves in its storage what the evidence log would, so that all of the indexer runs, state proofs too. Both
sides start from the same answers of the node, fetched and checked; the rate with fetching and checking is said beside.
"""

import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import SQLModel

from anchors.chain.answers import Answer
from anchors.chain.header import Header
from anchors.chain.keccak import keccak256
from anchors.network import Contract
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG, REGISTRY, checkpoint_slots
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.chain.transactions import prepare, sign, wait_mined
from ledger_service.database import open_engine
from ledger_service.demo.alliance import MEMBERS, found
from ledger_service.index.decode import ANCHORED_TOPIC, RawLog
from ledger_service.index.fetch import FetchedBlock, Fetcher
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.keys import EthereumKey, make_ethereum_key, make_password
from row import Row

EVENTS = 200_000
PER_TRANSACTION = 100
MEMBER = list(MEMBERS).index("sichuan") + 1
REACH = 0.5


def backfill() -> Row:
    """Measure the backfill; events per second."""
    with tempfile.TemporaryDirectory() as folder, devnet.running("anvil") as chain, Rpc(chain.rpc) as rpc:
        followed = _emit(rpc, Path(folder))
        gc.freeze()  # as the service does once it is up
        whole = _indexed(_Kept(rpc, followed), rpc, followed, Path(folder) / "whole.sqlite")
        kept = _Kept(rpc, followed)
        for _ in kept.blocks(followed.from_block, quantity(rpc.call("eth_blockNumber")), None):
            pass
        kept.replay = True
        # Two million kept values, where the service holds no more than a range's: to go through them again and again
        # would be the bench's work, not that of either side.
        gc.freeze()
        value = _indexed(kept, rpc, followed, Path(folder) / "index.sqlite")
        floor = _floor(kept.fetched.values(), followed, Path(folder) / "floor.sqlite")
    print(f"backfill with fetching and checking all receipts: {EVENTS / whole:,.0f} events/s", file=sys.stderr)
    return Row(
        "backfill", EVENTS / value, "events/s", EVENTS / floor, floor / value, f">= {REACH}", floor >= REACH * value
    )


class _Kept(Fetcher):
    """Keeps what it has fetched and proven; in the replay it starts from there."""

    def __init__(self, rpc: Rpc, followed: Followed) -> None:
        addresses = {name: pinned.address for name, pinned in followed.contracts.items()}
        super().__init__(rpc, addresses, followed.consensus)
        self.fetched: dict[int, tuple[Header, list[Answer]]] = {}
        self.replay = False

    def _proven_logs(self, header: Header, block: Answer, receipts: list[Answer]) -> tuple[RawLog, ...]:
        self.fetched[header.number] = header, receipts
        return super()._proven_logs(header, block, receipts)

    def blocks(self, first: int, last: int, parent_hash: bytes | None) -> Iterator[FetchedBlock]:
        if not self.replay:
            for block in super().blocks(first, last, parent_hash):
                self.fetched.setdefault(block.header.number, (block.header, []))
                yield block
            return
        for number in range(first, last + 1):
            header, receipts = self.fetched[number]
            yield FetchedBlock(header, tuple(self._ours(number, receipts)))


def _indexed(fetcher: Fetcher, rpc: Rpc, followed: Followed, database: Path) -> float:
    """Seconds to index the whole chain."""
    engine = open_engine(f"sqlite:///{database}")
    SQLModel.metadata.create_all(engine)
    indexer = Indexer(engine, rpc, followed, lambda: datetime.now(UTC))
    indexer._fetcher = fetcher
    started = time.perf_counter()
    while indexer.step():
        pass
    return time.perf_counter() - started


def _floor(fetched: Iterable[tuple[Header, list[Answer]]], followed: Followed, database: Path) -> float:
    """Seconds for the least that must be done: the numbers read from each log, its row written, all of it synced."""
    address = "0x" + followed.contracts[EVIDENCE_LOG].address.hex()
    logs = [log for _, receipts in fetched for one in receipts for log in one["logs"] if log["address"] == address]
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE anchor (member INTEGER, generation INTEGER, size INTEGER, root BLOB, count INTEGER, "
        "block_number INTEGER, transaction_index INTEGER, log_index INTEGER, PRIMARY KEY (member, generation, size))"
    )
    started = time.perf_counter()
    rows = []
    for log in logs:
        data = log["data"]
        row = (
            int(log["topics"][1], 16),
            int(data[2:66], 16),
            int(data[66:130], 16),
            bytes.fromhex(data[130:194]),
            int(data[194:], 16),
            int(log["blockNumber"], 16),
            int(log["transactionIndex"], 16),
            int(log["logIndex"], 16),
        )
        rows.append(row)
    connection.executemany("INSERT INTO anchor VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    seconds = time.perf_counter() - started
    connection.close()
    if len(rows) != EVENTS:
        raise ValueError(f"{len(rows)} events were fetched, not {EVENTS}")
    return seconds


def _emit(rpc: Rpc, folder: Path) -> Followed:
    """Found an alliance, and let the stand-in emit all events; what an index of it follows."""
    network = deploy_from_file(rpc.url, found(folder / "keys").alliance_file, folder / "network.json")
    make_password(folder / "password")
    key = make_ethereum_key(folder / "key.json", folder / "password")
    runtime = _emitter()
    code = bytes.fromhex(f"61{len(runtime):04x}600e60003961{len(runtime):04x}6000f3") + runtime
    made = prepare(rpc, key, None, code, chain=network.chain_id, nonce=0)
    rpc.call("eth_sendRawTransaction", "0x" + made.raw.hex())
    mined = wait_mined(rpc, made.hash, 30)
    address = mined.contract or b""
    _call(rpc, key, address, network.chain_id)
    registry = next(contract for contract in network.contracts if contract.name == REGISTRY)
    stand_in = Contract(EVIDENCE_LOG, address, keccak256(runtime), mined.block_number, None)
    return Followed(network.genesis_hash, network.consensus, {REGISTRY: registry, EVIDENCE_LOG: stand_in})


def _call(rpc: Rpc, key: EthereumKey, emitter: bytes, chain: int) -> None:
    calls = []
    for nonce, first in enumerate(range(1, EVENTS + 1, PER_TRANSACTION), start=1):
        data = first.to_bytes(32, "big") + (first + PER_TRANSACTION).to_bytes(32, "big")
        signed = sign(key, emitter, data, chain=chain, nonce=nonce, gas=1_000_000)
        calls.append(("eth_sendRawTransaction", ["0x" + signed.raw.hex()]))
    for start in range(0, len(calls), 100):
        rpc.batch(calls[start : start + 100])
        rpc.call("evm_mine")  # anvil answers a batch out of order, and may leave what had to wait for its nonce
    wait_mined(rpc, signed.hash, 60)


def _emitter() -> bytes:
    """Emits Anchored for every size from word 0 to below word 1 of the call, and stores the last as a checkpoint."""
    root_slot, packed_slot = checkpoint_slots(MEMBER)
    # Memory: generation (0), size, root, count; the stack holds the size. The root is the size's own hash.
    emit = f"80602052806060526020602020604052 60{MEMBER:02x} 7f{ANCHORED_TOPIC.hex()} 60806000a2"
    loop = f"600035 5b {emit} 600101 80602035 11 6003 57"
    store = f"604051 7f{root_slot.hex()} 55 60019003 8060401b17 4260801b17 7f{packed_slot.hex()} 55 00"
    return bytes.fromhex(loop + store)
