"""Anchoring on a Clique chain of four geth signers with a block a second, and periods of as long.

How long a commitment takes to be final, against a bare transaction that is sent to the same node at the same moments;
and whether all members of an alliance can anchor every period without falling behind.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from accept_server import writer
from anchors.chain.header import header_of_block
from anchors.network import Network
from anchors.seals import needed_seals, sealers
from ledger_service.anchoring.outbox import Outbox, Target
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG, contract
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.chain.transactions import broadcast, call, find_mined, next_nonce, sign
from ledger_service.database import open_engine
from ledger_service.demo.alliance import Founding, found
from ledger_service.demo.processes import Service, service_settings
from ledger_service.jobs import Job
from ledger_service.keys import EthereumKey, make_ethereum_key, make_password, open_ethereum_key
from ledger_service.log.reader import LogReader
from ledger_service.log.tables import Checkpoint
from ledger_service.log.writer import LogWriter
from row import Row

PERIOD_SECONDS = 1.0
POLL_SECONDS = 0.1  # for a chain with a block a second
SAMPLES = 40
PACE_SECONDS = 0.7  # between two samples, so that they fall everywhere in a period
TICK_SECONDS = 0.05
READY_SECONDS = 60.0
MOST_PERIODS = 2
ANCHORING_SECONDS = 60
PART_SECONDS = 20  # of the beginning, and of the end
MOST_GROWTH = 1  # period


def final() -> Row:
    """From accepted to final: the median of samples, each beside a bare transaction until as many have confirmed it."""
    with tempfile.TemporaryDirectory() as folder, devnet.running("clique") as chain, Rpc(chain.rpc) as rpc:
        founding = found(Path(folder) / "keys", chain.consensus, chain.validators)
        deploy_from_file(chain.rpc, founding.alliance_file, Path(folder) / "network.json")
        with _serving(chain.rpc, founding, Path(folder)) as api:
            bare = _BareTransactions(rpc, chain, Path(folder))
            value, floor = _medians([lambda: _submitted(api), bare.sent])
    most = MOST_PERIODS * PERIOD_SECONDS
    return Row("clique-final", value, "s", floor, value / floor, f"<= floor + {most:g}", value <= floor + most)


def _medians(starts: Sequence[Callable[[], Callable[[], bool]]]) -> tuple[float, ...]:
    """The median seconds of each kind of thing from its start until what the start returned is true."""
    taken: list[list[float]] = [[] for _ in starts]
    waiting: list[tuple[float, Callable[[], bool], list[float]]] = []
    begun = time.monotonic()
    for number in range(SAMPLES):
        while time.monotonic() < begun + number * PACE_SECONDS:
            waiting = _still_waiting(waiting)
        for start, times in zip(starts, taken, strict=True):
            is_done = start()
            waiting.append((time.monotonic(), is_done, times))
    while waiting:
        waiting = _still_waiting(waiting)
    return tuple(median(times) for times in taken)


def _still_waiting(
    waiting: list[tuple[float, Callable[[], bool], list[float]]],
) -> list[tuple[float, Callable[[], bool], list[float]]]:
    left = []
    for started, is_done, times in waiting:
        if is_done():
            times.append(time.monotonic() - started)
        else:
            left.append((started, is_done, times))
    time.sleep(TICK_SECONDS)
    return left


def _submitted(api: httpx.Client) -> Callable[[], bool]:
    """Submit a commitment; whether it is final."""
    commitment = f"0x{os.urandom(32).hex()}"
    api.post("/v1/evidence", json={"commitments": [commitment]}).raise_for_status()
    return lambda: bool(api.get(f"/v1/evidence/{commitment}").json()["state"] == "final")


class _BareTransactions:
    """Transfers of nothing, by somebody who owns nothing."""

    def __init__(self, rpc: Rpc, chain: devnet.Devnet, folder: Path) -> None:
        self._rpc = rpc
        self._chain = chain
        self._key = _stranger(folder)
        self._nonce = next_nonce(rpc, self._key.address)
        self._needed = needed_seals(chain.consensus, len(chain.validators))

    def sent(self) -> Callable[[], bool]:
        """Send one; whether as many distinct signers as are needed have sealed later blocks."""
        made = sign(self._key, bytes(20), b"", chain=self._chain.chain_id, nonce=self._nonce, gas=21_000)
        self._nonce += 1
        broadcast(self._rpc, made.raw)
        return lambda: self._is_confirmed(made.hash)

    def _is_confirmed(self, transaction: bytes) -> bool:
        mined = find_mined(self._rpc, transaction)
        if mined is None:
            return False
        head = quantity(self._rpc.call("eth_blockNumber"))
        later = [("eth_getBlockByNumber", [hex(number), False]) for number in range(mined.block_number + 1, head + 1)]
        blocks = [fields(block) for block in self._rpc.batch(later)]
        signers = {one for block in blocks for one in sealers(header_of_block(block, self._chain.consensus))}
        return len(signers) >= self._needed


def _stranger(folder: Path) -> EthereumKey:
    make_password(folder / "password")
    return make_ethereum_key(folder / "stranger.json", folder / "password")


@contextmanager
def _serving(rpc: str, founding: Founding, where: Path) -> Iterator[httpx.Client]:
    """The member's service as a process of its own; a client of it, once it is ready."""
    service = Service(f"http://127.0.0.1:{devnet.free_port()}", where / "keys" / "operator.key")
    settings = {"SLOTS": "0", "PERIOD_SECONDS": str(PERIOD_SECONDS), "POLL_SECONDS": str(POLL_SECONDS)}
    environment = os.environ | service_settings(rpc, founding, where, service)
    environment |= {f"BIDLEDGER_{name}": value for name, value in settings.items()}
    with (where / "service.log").open("wb") as output:
        command = [sys.executable, "-m", "ledger_service.cli", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        with httpx.Client(base_url=service.url) as api:
            _wait_until_ready(api, process)
            yield api
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(api: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            if api.get("/readyz").is_success:
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the service did not get ready")
        time.sleep(TICK_SECONDS)


def anchors() -> Row:
    """The largest lag of any of all members' anchors at the end, in periods, against that at the beginning."""
    with tempfile.TemporaryDirectory() as folder, devnet.running("clique") as chain, ExitStack() as running:
        founding = found(Path(folder) / "keys", chain.consensus, chain.validators)
        network = deploy_from_file(chain.rpc, founding.alliance_file, Path(folder) / "network.json")
        rpc = running.enter_context(Rpc(chain.rpc))
        logs = [_Log.of(network, founding, code, rpc, Path(folder)) for code in founding.members]
        for log in logs:
            running.enter_context(log.running())
        lags, count = asyncio.run(_largest_lags(logs))
    early, late = max(lags[:PART_SECONDS]), max(lags[-PART_SECONDS:])
    print(
        f"clique-13-anchors: {count} anchors in {ANCHORING_SECONDS} s; the largest lag by second: {lags}",
        file=sys.stderr,
    )
    reach = f"<= that of the first {PART_SECONDS} s + {MOST_GROWTH}"
    return Row("clique-13-anchors", late, "periods", early, late / early, reach, late <= early + MOST_GROWTH)


@dataclass(frozen=True, slots=True)
class _Log:
    """One member's log with its outbox, as its service runs them."""

    member: int
    evidence_log: bytes
    rpc: Rpc
    writer: LogWriter
    engine: Engine
    outbox: Outbox

    @classmethod
    def of(cls, network: Network, founding: Founding, code: str, rpc: Rpc, folder: Path) -> "_Log":
        """An empty log of the member of that code, in a folder of its own."""
        keys, where = founding.members[code], folder / code
        where.mkdir()
        made = writer(where)
        engine = open_engine(f"sqlite:///{where / 'log.sqlite'}")
        member = next(one.number for one in network.members if one.code == code)
        (pinned,) = network.contracts_named(EVIDENCE_LOG)
        key = open_ethereum_key(keys.keystores["anchorer"], keys.password_file)
        reader = LogReader(engine, where, 0, _now)
        target = Target(network.chain_id, pinned.address, member, 0)
        return cls(member, pinned.address, rpc, made, engine, Outbox(engine, reader, rpc, target, key, _now))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Accept, publish and anchor."""
        stop = threading.Event()
        anchoring = threading.Thread(target=Job("anchoring", self.outbox.step).run, args=(stop, POLL_SECONDS))
        self.writer.start()
        anchoring.start()
        try:
            yield
        finally:
            stop.set()
            anchoring.join()
            self.writer.stop()

    def anchored(self) -> tuple[int, int]:
        """How many leaves the chain holds of it, in how many anchors."""
        evidence_log = contract(EVIDENCE_LOG)
        answer = call(self.rpc, self.evidence_log, evidence_log.call_data("checkpoint", self.member))
        _, size, _, count, _ = evidence_log.result("checkpoint", answer)
        return int(size), int(count)

    def lag(self) -> int:
        """How many of its periods the chain does not hold."""
        size, _ = self.anchored()
        with Session(self.engine) as session:
            return session.exec(select(func.count()).select_from(Checkpoint).where(col(Checkpoint.size) > size)).one()


async def _largest_lags(logs: Sequence[_Log]) -> tuple[list[int], int]:
    """The largest lag at the end of each second while every log gets commitments, and the anchors in all."""
    lags, started = list[int](), time.monotonic()
    while len(lags) < ANCHORING_SECONDS:
        await asyncio.gather(*(log.writer.accept([os.urandom(32)], "", None, None) for log in logs))
        if time.monotonic() > started + len(lags) + 1:
            lags.append(max(await asyncio.to_thread(lambda: [log.lag() for log in logs])))
        await asyncio.sleep(PERIOD_SECONDS / 3)
    return lags, sum(log.anchored()[1] for log in logs)


def _now() -> datetime:
    return datetime.now(UTC)
