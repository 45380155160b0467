"""One member's service on a chain of four geth signers, loaded all the while, under the faults that such a chain knows.

After each fault the same must hold: what was receipted is in the log at its index and final on the chain, no size was
anchored twice, the index is row by row that of another node's chain from its first block on, and nothing is said to be
wrong any more. Branches of one block come and go all the while, without any fault. Each test prints what it saw.
"""

import json
import os
import platform
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from command_line import bidledger
from index_rows import Rows, rows
from member import DEADLINE, Load, Member, anchors_on_chain, continued, sichuan, wait_until
from sqlmodel import Session, SQLModel, func, select
from wrong_clock import clock_off

from anchors.chain.header import Header, decode_header
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.devnet import clique
from ledger_service.chain.rpc import Rpc, fields, hex_bytes, items, quantity
from ledger_service.chain.transactions import next_nonce
from ledger_service.database import open_engine
from ledger_service.index import tables
from ledger_service.index.decode import ANCHORED_TOPIC
from ledger_service.index.indexer import Followed, Indexer

SIGNERS = ("signer1", "signer2", "signer3", "signer4")
ASKED = "signer1"  # the node that the service asks
CLIENTS = 1
PAUSE = 0.2  # seconds between two commitments
LISTEN_SECONDS = 0.2
STALL_SECONDS = 12.0  # without a block for so long a node will not have one without help
CLOCK_SECONDS = 600
X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="a clock is set wrong by code for x86-64")


class Network:
    """Four signers, the service that asks the first of them, and a client that does not stop."""

    def __init__(self, directory: Path, chain: devnet.Devnet, member: Member, load: Load) -> None:
        self.directory = directory
        self.chain = chain
        self.member = member
        self.load = load
        self.helped = 0  # how often an operator had to end a deadlock, or to start a node again
        self.heard: dict[str, str] = {}  # all that the status said is wrong since the test began
        self.audited = member.audit()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear all that the status says."""
        stop = threading.Event()

        def listen() -> None:
            while not stop.wait(LISTEN_SECONDS):
                self.heard |= self.member.details()

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield
        finally:
            stop.set()
            listener.join()

    def rpc(self, name: str) -> Rpc:
        return Rpc(self.chain.node(name).rpc)

    def head(self, name: str) -> int:
        with self.rpc(name) as rpc:
            return quantity(rpc.call("eth_blockNumber"))

    def heads(self, *names: str) -> dict[str, int]:
        return {name: self.head(name) for name in names or SIGNERS}

    def waiting(self, name: str) -> int:
        """How many transactions wait in a signer's pool."""
        with self.rpc(name) as rpc:
            return quantity(fields(rpc.call("txpool_status"))["pending"])

    def grows(self, blocks: int, *names: str) -> None:
        """Wait until the signers of those names have so many more blocks; an operator helps those that stand still."""
        goal = max(map(self.head, names)) + blocks
        deadline = time.monotonic() + DEADLINE + blocks
        moved = dict.fromkeys(names, time.monotonic())
        before = self.heads(*names)
        while min((heads := self.heads(*names)).values()) < goal:
            assert time.monotonic() < deadline, f"{heads}, not {goal}"
            now = time.monotonic()
            moved |= {name: now for name in names if heads[name] != before[name]}
            before = heads
            standing = [name for name in names if now > moved[name] + STALL_SECONDS]
            if standing:
                self._help(standing, everywhere=len(standing) == len(names))
                moved = dict.fromkeys(names, time.monotonic())
            time.sleep(0.1)

    def goes_on_until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds that needs blocks."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, "did not happen in time"
            self.grows(1, *SIGNERS)

    def _help(self, standing: list[str], *, everywhere: bool) -> None:
        """What an operator does: end a deadlock, or start a node again whose synchronisation hangs."""
        print(f"  {standing} had no block for {STALL_SECONDS:.0f} s: an operator helps")
        self.helped += 1
        if everywhere:
            clique.end_deadlock(self.directory)
            return
        for name in standing:
            clique.stop_node(self.directory, name)
            clique.start_node(self.directory, name)

    def says(self, problem: str) -> str:
        """Wait until the status has said in words that this is wrong."""
        started = time.monotonic()
        wait_until(lambda: problem in self.heard)
        print(f"  after {time.monotonic() - started:.0f} s the status says {problem}: {self.heard[problem]}")
        return self.heard[problem]

    def reorganisations(self) -> int:
        """How many turns of the chain the service has followed."""
        status = self.member.get("/v1/status")
        return int(status["chain"]["reorganisations"])

    def turns(self) -> Counter[str]:
        """How often signers have left a branch for another, by the blocks that each dropped, as they say themselves."""
        logs = [(self.directory / name / "geth.log").read_text() for name in SIGNERS]
        return Counter(found for log in logs for found in re.findall(r"Chain reorg detected .* (drop=\d+) ", log))


@pytest.fixture(scope="module")
def network(geth: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("clique-faults")
    try:
        chain = devnet.up("clique", directory / "chain")
        member = Member(chain, directory, slots=0)
        member.start()
        try:
            load = Load(member, CLIENTS, PAUSE)
            with load.running():
                wait_until(lambda: member.get("/v1/status")["log"]["size"])
                network = Network(directory / "chain", chain, member, load)
                with network.listening():
                    yield network
        finally:
            member.end(signal.SIGTERM)
    finally:
        devnet.down(directory / "chain")


@pytest.fixture(autouse=True)
def unharmed(request: pytest.FixtureRequest, network: Network, tmp_path: Path) -> Iterator[None]:
    """Around each fault: after it all four go on, and nothing is lost, doubled, or still said to be wrong."""
    started, load = time.monotonic(), len(network.load.receipts)
    before, left = network.reorganisations(), network.turns()
    network.heard.clear()
    print(f"\n{request.node.name}: from block {network.head(ASKED)}, load average {os.getloadavg()[0]:.1f}")
    yield
    network.grows(1, *SIGNERS)
    given = list(network.load.receipts)
    network.goes_on_until(lambda: is_final(network.member, given[-1]["commitment"]))
    settled = time.monotonic()
    network.audited = continued(network.audited, network.member.audit(), given)
    anchors = check_anchored_once(network)
    compared = check_index(network, tmp_path)
    network.goes_on_until(lambda: network.member.problems() == set())
    print(
        f"  {len(given) - load} receipts more, all {len(given)} in the log of {network.audited.size} and final; "
        f"{anchors}; {compared}; branches left by the signers {dict(network.turns() - left)}, by the service "
        f"{network.reorganisations() - before}; an operator helped {network.helped} times so far; "
        f"{settled - started:.1f} s, checks {time.monotonic() - settled:.1f} s"
    )


def is_final(member: Member, commitment: str) -> bool:
    return (member.get(f"/v1/evidence/{commitment}") or {}).get("state") == "final"


def check_anchored_once(network: Network) -> str:
    """No size in two events, and as many events as the contract counts; every other transaction came to nothing."""
    member = sichuan(network.member.network())
    (pinned,) = network.member.network().contracts_named(EVIDENCE_LOG)
    topics = ["0x" + ANCHORED_TOPIC.hex(), f"0x{member.number:064x}"]
    asked = {"address": "0x" + pinned.address.hex(), "topics": topics, "fromBlock": "0x0"}
    with network.rpc(ASKED) as rpc:
        for _ in range(20):  # a block may come between the questions
            count = anchors_on_chain(network.member)
            logs = [fields(log) for log in items(rpc.call("eth_getLogs", asked))]
            if count == anchors_on_chain(network.member) == len(logs):
                break
        sender = hex_bytes(fields(rpc.call("eth_getTransactionByHash", logs[-1]["transactionHash"]))["from"], 20)
        sent = next_nonce(rpc, sender)
    anchored = [hex_bytes(log["data"])[:64] for log in logs]  # generation and size
    assert len(set(anchored)) == len({log["transactionHash"] for log in logs}) == len(logs) == count
    return f"{count} anchors, {sent - count} transactions refused"


def check_index(network: Network, directory: Path) -> str:
    """The service's index is, row by row, one that has followed another signer's chain from its beginning."""
    for attempt in range(20):  # one of the two may be on a branch that is about to be left
        ours, block = copied(network, directory / f"ours-{attempt}.sqlite")
        fresh = followed(network, "signer2", block)
        if max(fresh["chain_block"], key=itemgetter(0)) == max(ours["chain_block"], key=itemgetter(0)):  # by number
            assert fresh == ours
            return f"index of {sum(map(len, ours.values()))} rows up to block {block} equal to a fresh one"
    pytest.fail("the two nodes are never on one branch")


def copied(network: Network, file: Path) -> tuple[Rows, int]:
    """The rows of the running service's index at one moment, and its last block."""
    with closing(sqlite3.connect(network.member.database)) as running, closing(sqlite3.connect(file)) as copy:
        running.backup(copy)
    engine = open_engine(f"sqlite:///{file}")
    with Session(engine) as session:
        block = session.exec(select(func.max(tables.Block.number))).one()
    held = rows(engine)
    engine.dispose()
    return held, block


def followed(network: Network, name: str, block: int) -> Rows:
    """The rows that an index of nothing but a signer's chain has at a block."""
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with network.rpc(name) as rpc:
        indexer = Indexer(engine, rpc, Followed.pinned(network.member.network()), lambda: datetime.now(UTC))
        while indexer.step():
            pass
    held = rows(engine, block)
    engine.dispose()
    return held


def test_three_go_on_without_any_one_that_is_killed(network: Network) -> None:
    for killed in SIGNERS:
        clique.stop_node(network.directory, killed, signal.SIGKILL)
        if killed == ASKED:
            network.says("chain-unreachable")
        network.grows(3, *(name for name in SIGNERS if name != killed))
        clique.start_node(network.directory, killed)
        network.grows(1, *SIGNERS)


def test_two_of_four_stand_still_until_the_others_are_back(network: Network) -> None:
    for killed in ("signer3", "signer4"):
        clique.stop_node(network.directory, killed, signal.SIGKILL)
    network.says("no-new-blocks")
    standing = network.heads("signer1", "signer2")
    receipts = len(network.load.receipts)
    wait_until(lambda: len(network.load.receipts) > receipts + 5)
    assert network.heads("signer1", "signer2") == standing
    for killed in ("signer3", "signer4"):
        clique.start_node(network.directory, killed)


def test_what_all_four_forgot_when_they_were_killed_is_sent_again(network: Network) -> None:
    for killed in ("signer3", "signer4"):
        clique.stop_node(network.directory, killed, signal.SIGKILL)
    wait_until(lambda: network.waiting(ASKED))
    for killed in ("signer1", "signer2"):
        clique.stop_node(network.directory, killed, signal.SIGKILL)
    network.says("chain-unreachable")
    forgotten = [journal.stat().st_size for journal in network.directory.glob("signer*/data/geth/transactions.rlp")]
    assert any(forgotten)
    for journal in network.directory.glob("signer*/data/geth/transactions.rlp"):
        journal.unlink()
    devnet.up("clique", network.directory)


def test_three_go_on_without_the_one_that_is_asked_when_it_is_cut_off(network: Network) -> None:
    clique.partition(network.directory, {ASKED})
    network.says("no-new-blocks")
    print(f"  {network.heads()} while it is cut off")
    clique.heal(network.directory, {ASKED})


def test_two_halves_stand_still_and_go_on_together(network: Network) -> None:
    clique.partition(network.directory, {"signer1", "signer3"})
    network.says("no-new-blocks")
    print(f"  {network.heads()} while they are parted")
    clique.heal(network.directory, {"signer1", "signer3"})


@X86
def test_a_signer_whose_clock_is_ahead_seals_for_itself_alone_and_is_named(network: Network) -> None:
    with clock_off(network.directory, "signer2", CLOCK_SECONDS):
        # So long may one be silent.
        network.grows(8 * len(SIGNERS), *(name for name in SIGNERS if name != "signer2"))
        words = network.says("validators-silent")
        assert network.chain.validators[SIGNERS.index("signer2")] in words


@X86
def test_a_node_whose_clock_is_behind_follows_nobody_until_it_is_put_right(network: Network) -> None:
    with clock_off(network.directory, ASKED, -CLOCK_SECONDS):
        network.says("no-new-blocks")
        print(f"  {network.heads()} while it is behind")


def test_evidence_of_a_block_that_is_reversed_is_named_withdrawn_and_issued_anew(
    network: Network, tmp_path: Path
) -> None:
    (tmp_path / "bid.txt").write_text("one bid")
    bidledger("evidence", "submit", tmp_path / "bid.txt", "--url", network.member.service.url, "--out", tmp_path)
    first = fetched(network, tmp_path, "first")
    reverse(network, first.number)
    network.says("evidence-withdrawn")
    wait_until(lambda: withdrawn(network, first))
    second = fetched(network, tmp_path, "second")
    assert second.hash != first.hash
    print(f"  {withdrawn(network, first)}; issued anew in block {second.number}")


def told(*arguments: object) -> Any:
    """What the command line prints as JSON."""
    return json.loads(bidledger(*arguments, "--json").stdout)


def fetched(network: Network, directory: Path, name: str) -> Header:
    """The block in which the evidence file of bid.txt that is fetched now finds its anchor."""
    bidledger(
        "evidence", "fetch", directory / "bid.txt.receipt.json", "--wait", f"{DEADLINE:.0f}", "--out", directory / name
    )
    evidence = directory / name / "bid.txt.evidence.json"
    verdict = told("verify", directory / "bid.txt", evidence, "--network", network.member.network_file)
    assert (verdict["verdict"], verdict["grade"]) == ("proven", "sealed")
    return decode_header(hex_bytes(json.loads(evidence.read_bytes())["anchor"]["header"]), network.chain.consensus)


def reverse(network: Network, block: int) -> None:
    """Take a block and all after it back on each signer while it hears none of the others; they then make new ones."""
    for name in SIGNERS:
        clique.partition(network.directory, {name})
    for name in SIGNERS:
        with network.rpc(name) as rpc:
            rpc.call("debug_setHead", hex(block - 1))
    for name in SIGNERS:
        clique.stop_node(network.directory, name, signal.SIGKILL)  # a node remembers how far its peers once were
    devnet.up("clique", network.directory)


def withdrawn(network: Network, block: Header) -> list[Any]:
    """The withdrawals that name a block."""
    page = network.member.get("/v1/withdrawals?limit=1000") or {"withdrawals": []}
    return [one for one in page["withdrawals"] if one["block_hash"] == f"0x{block.hash.hex()}"]
