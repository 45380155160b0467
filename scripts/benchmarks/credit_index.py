"""Indexing of credit events into SQLite, against decoding the same logs by hand and `executemany` into the same tables.

Both sides start from the logs as their receipts hold them, in blocks of a hundred, fold the register's journal over
them and leave the same rows. What fetching and proving cost beside is the row `backfill`'s.
"""

import gc
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from sqlmodel import Session, SQLModel

from anchors.chain.header import DEVELOPMENT, Header
from anchors.chain.keccak import keccak256
from anchors.credit import Kind, State
from anchors.network import Contract
from ledger_service.chain.contracts import CREDIT_REGISTER
from ledger_service.chain.rpc import Rpc
from ledger_service.database import open_engine
from ledger_service.index import store
from ledger_service.index.decode import LAYOUTS, RawLog
from ledger_service.index.events import Place
from ledger_service.index.fetch import FetchedBlock
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.index.seals import SealReader
from row import Row

PUBLICATIONS, CHANGES = 160_000, 40_000
PER_BLOCK = 100
PER_SUBJECT = 4
REGISTER = b"\xcc" * 20
ROUNDS = 2
REACH = 0.5

_Rows: TypeAlias = Sequence[Sequence[object]]

_TOPICS = {layout.signature.partition("(")[0]: topic for topic, layout in LAYOUTS.items()}
_PUBLISHER, _REGULATOR = b"\xaa" * 20, b"\xbb" * 20
_FIRST_SECOND, _BLOCK_SECONDS = 1_770_000_000, 5


def index() -> Row:
    """Measure it; events per second, the best of each side in rounds that take turns."""
    blocks = list(_blocks())
    gc.collect()
    gc.freeze()  # as the service does once it is up, and what was made before is no work of either side
    ours, floors = [], []
    for turn in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            floors.append(_floor(blocks, Path(folder) / "floor.sqlite"))
            ours.append(_indexed(blocks, Path(folder) / "index.sqlite"))
            if turn == 0:
                _compare(Path(folder) / "floor.sqlite", Path(folder) / "index.sqlite")
    events = PUBLICATIONS + CHANGES
    value, floor = events / min(ours), events / min(floors)
    return Row("credit-index", value, "events/s", floor, value / floor, f">= {REACH}", value >= REACH * floor)


def _indexed(blocks: Sequence[FetchedBlock], database: Path) -> float:
    """Seconds that the indexer takes from decoding on, in ranges as it makes them."""
    engine = open_engine(f"sqlite:///{database}")
    SQLModel.metadata.create_all(engine)
    contract = Contract(CREDIT_REGISTER, REGISTER, bytes(32), 1, None)
    followed = Followed(bytes(32), DEVELOPMENT, {CREDIT_REGISTER: contract})
    with Rpc("http://127.0.0.1:9") as nobody:
        indexer = Indexer(engine, nobody, followed, lambda: datetime.now(UTC))
        journals = {CREDIT_REGISTER: bytes(32)}
        started, at = time.perf_counter(), 0
        while at < len(blocks):
            began, some = time.perf_counter(), blocks[at : at + indexer._range]
            changes = indexer._changes(journals, SealReader(DEVELOPMENT, (), ()), some)
            with Session(engine) as session:
                store.write_changes(session.connection(), changes)
                session.commit()
            at += len(some)
            indexer._resize(time.perf_counter() - began)
        seconds = time.perf_counter() - started
    engine.dispose()
    return seconds


def _floor(blocks: Sequence[FetchedBlock], database: Path) -> float:
    """Seconds for the least that must be done: numbers read from each log, its rows written, all of it synced once."""
    engine = open_engine(f"sqlite:///{database}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-65536")
    started = time.perf_counter()
    published_topic, objected = _TOPICS["RecordPublished"], _TOPICS["RecordObjected"]
    word = bytes(32)
    block_rows, event_rows, versions, last, journals = [], [], [], {}, []
    for block in blocks:
        number = block.header.number
        block_rows.append((number, block.header.hash, block.header.timestamp, None, None))
        for (_, transaction, log), address, (topic, subject, record), data in block.logs:
            event_hash = keccak256(topic + subject + record + data)
            word = (int.from_bytes(word[:4], "big") + 1).to_bytes(4, "big") + keccak256(word + event_hash)[4:]
            place = number, transaction, log, subject, record, address
            if topic == published_topic:
                bits = int.from_bytes(data[32:64], "big")
                measures = f",{','.join([str(code) for code in range(256) if bits >> code & 1])},"
                content = (
                    *(int.from_bytes(data[30:32], "big"), data[29], int.from_bytes(data[25:29], "big")),
                    *(int.from_bytes(data[21:25], "big"), int.from_bytes(data[17:21], "big"), measures),
                    *(data[64:96], data[96:128]),
                )
                rest = (None, None, data[140:160], data[172:192], None, data[192:224])
                event_rows.append((*place, 1, *content, *rest))
                version = [subject, record, number, None, address, number, transaction, log, 1, *content]
                last[record] = version
                versions.append(version)
                continue
            before = last[record]
            if topic == objected:
                state, rest = 2, (data[32:64], None, data[76:96], None, int.from_bytes(data[30:32], "big"), None)
            else:
                state = data[31]
                pledge = data[64:96] if any(data[64:96]) else None
                rest = (data[32:64], pledge, data[108:128], data[140:160], None, None)
            event_rows.append((*place, state, *(None,) * 8, *rest))
            if before[2] == number:  # the second within the block
                before[8] = state
                continue
            before[3] = number
            last[record] = [*before[:2], number, None, *before[4:8], state, *before[9:]]
            versions.append(last[record])
        journals.append([CREDIT_REGISTER, word, number, None])
        if len(journals) > 1:
            journals[-2][3] = number
    _write(connection, block_rows, event_rows, versions, journals)
    connection.commit()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _write(connection: sqlite3.Connection, blocks: _Rows, events: _Rows, versions: _Rows, journals: _Rows) -> None:
    _insert(connection, "chain_block (number, hash, timestamp, sealers, round)", blocks)
    content_names = "member, kind, decided_on, last_day, earlier, measures, statement, document"
    _insert(
        connection,
        "chain_credit_event (block_number, transaction_index, log_index, subject, record, contract, state, "
        f"{content_names}, grounds, pledge, publisher, regulator, objector, endorsers)",
        events,
    )
    _insert(
        connection,
        "chain_credit_record (subject, record, from_block, to_block, contract, published_block, "
        f"published_transaction, published_log, state, {content_names})",
        versions,
    )
    _insert(connection, "chain_journal (contract, word, from_block, to_block)", journals)


def _insert(connection: sqlite3.Connection, into: str, rows: _Rows) -> None:
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608


def _compare(floor: Path, ours: Path) -> None:
    """See that both sides wrote the same."""
    connection = sqlite3.connect(ours)
    connection.execute(f"ATTACH '{floor}' AS floor")
    for table in ("chain_block", "chain_credit_event", "chain_credit_record", "chain_journal"):
        ((count,),) = connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        names = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        same = f"SELECT {names} FROM main.{table} INTERSECT SELECT {names} FROM floor.{table}"  # noqa: S608
        ((shared,),) = connection.execute(f"SELECT count(*) FROM ({same})")  # noqa: S608
        if count != shared or not count:
            raise ValueError(f"{table}: {shared} of {count} rows are the floor's")
    connection.close()


def _blocks() -> Iterator[FetchedBlock]:
    logs: list[RawLog] = []
    number = 1
    for topics, data in _events():
        logs.append(RawLog(Place(number, len(logs), 0), REGISTER, topics, data))
        if len(logs) == PER_BLOCK:
            yield FetchedBlock(_header(number), tuple(logs))
            logs, number = [], number + 1
    if logs:
        yield FetchedBlock(_header(number), tuple(logs))


def _events() -> Iterator[tuple[tuple[bytes, ...], bytes]]:
    """Topics and data; every fifth event changes a record that was published at random some time before."""
    chance = random.Random(7)  # noqa: S311
    states: dict[bytes, State] = {}
    open_records: list[tuple[bytes, bytes]] = []
    for place in range(PUBLICATIONS + CHANGES):
        if place % 5 == 4:
            at = chance.randrange(len(open_records))
            subject, record = open_records[at]
            state = State.OBJECTED if states[record] is State.PUBLISHED else State.UPHELD
            states[record] = state
            if state is State.UPHELD:
                open_records[at] = open_records[-1]
                open_records.pop()
            yield _change(subject, record, state, chance)
            continue
        subject = chance.randrange(PUBLICATIONS // PER_SUBJECT).to_bytes(4, "big") + b"\x51" * 28
        subject, record = keccak256(subject), chance.randbytes(32)
        states[record] = State.PUBLISHED
        open_records.append((subject, record))
        yield (_TOPICS["RecordPublished"], subject, record), _published(place, chance)


def _published(place: int, chance: random.Random) -> bytes:
    decided_on = 20_600 + place % 300
    terms = 1 + place % 13 | Kind.SERIOUS << 16 | decided_on << 24 | (decided_on + 700) << 56 | place % 4 << 88
    measures = 1 << 101 | 1 << 102 | 1 << 201
    words = terms.to_bytes(32, "big") + measures.to_bytes(32, "big") + chance.randbytes(64)
    return words + _word(_PUBLISHER) + _word(_REGULATOR) + (0b1110).to_bytes(32, "big")


def _change(subject: bytes, record: bytes, state: State, chance: random.Random) -> tuple[tuple[bytes, ...], bytes]:
    grounds = chance.randbytes(32)
    if state is State.OBJECTED:
        objected = (3).to_bytes(32, "big") + grounds + _word(_PUBLISHER)
        return (_TOPICS["RecordObjected"], subject, record), objected
    changed = state.to_bytes(32, "big") + grounds + bytes(32) + _word(_PUBLISHER) + _word(_REGULATOR)
    return (_TOPICS["RecordChanged"], subject, record), changed


def _word(address: bytes) -> bytes:
    return address.rjust(32, b"\0")


def _header(number: int) -> Header:
    nothing = bytes(32)
    return Header(
        consensus=DEVELOPMENT,
        raw=b"",
        hash=keccak256(number.to_bytes(8, "big")),
        parent_hash=nothing,
        ommers_hash=nothing,
        beneficiary=bytes(20),
        state_root=nothing,
        receipts_root=nothing,
        logs_bloom=bytes(256),
        difficulty=0,
        number=number,
        timestamp=_FIRST_SECOND + _BLOCK_SECONDS * number,
        extra=b"",
        mix_hash=nothing,
        nonce=bytes(8),
    )
