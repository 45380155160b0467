"""Anchoring: what the log has signed comes onto the chain once, whatever ends, turns or refuses in between."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest
from founding import Founded, Tree
from growing_log import GrowingLog
from liar import lying
from sqlalchemy import Engine
from sqlmodel import Session, select

from ledger_service import conditions
from ledger_service.anchoring import outbox as outbox_module
from ledger_service.anchoring import proofs
from ledger_service.anchoring.outbox import (
    MAX_UNDER_WAY,
    STALLED_AFTER,
    CannotAnchor,
    ChainStalled,
    Outbox,
    Target,
)
from ledger_service.anchoring.tables import OutboxEntry
from ledger_service.chain import devnet, transactions
from ledger_service.chain.contracts import EVIDENCE_LOG, REGISTRY, contract
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.chain.transactions import LEFT_OUT_BLOCKS
from ledger_service.errors import ChainRefused, ChainUnreachable, NodeDishonest
from ledger_service.jobs import Job

MEMBER = 2
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class KilledHereError(BaseException):
    """The process ends at this point."""


@pytest.fixture
def make_outbox(engine: Engine, rpc: Rpc, founded: Founded, log: GrowingLog) -> Callable[..., Outbox]:
    """Makes the outbox anew, as a restart does."""

    def make(node: Rpc = rpc, generation: int = 0, clock: Callable[[], datetime] = lambda: NOW) -> Outbox:
        target = Target(
            chain_id=founded.network.chain_id,
            evidence_log=founded.address(EVIDENCE_LOG),
            member=MEMBER,
            generation=generation,
        )
        return Outbox(engine, log.reader, node, target, founded.opened[MEMBER, "anchorer"], clock)

    return make


def anchored(founded: Founded, rpc: Rpc) -> tuple[int, int]:
    """The size that the chain holds and how many anchors led to it."""
    _, size, _, count, _ = founded.ask(rpc, EVIDENCE_LOG, "checkpoint", MEMBER)
    return size, count


def settle(outbox: Outbox) -> None:
    """Step until nothing is under way."""
    for _ in range(50):
        if not outbox.step():
            return
    raise AssertionError("anchoring does not come to an end")


def entries(engine: Engine) -> list[OutboxEntry]:
    with Session(engine) as session:
        return list(session.exec(select(OutboxEntry)))


def problems(engine: Engine) -> dict[str, str]:
    return {one.problem: one.detail for one in conditions.current(engine) if one.part == "anchor"}


def test_an_empty_log_sends_nothing(rpc: Rpc, engine: Engine, make_outbox: Callable[..., Outbox]) -> None:
    assert not make_outbox().step()
    assert entries(engine) == []


def test_each_checkpoint_is_anchored_once(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    outbox = make_outbox()
    for count, leaves in enumerate((3, 5, 1), start=1):
        size = log.grow(leaves)
        assert outbox.step(), "the transaction is under way"
        settle(outbox)
        assert anchored(founded, rpc) == (size, count)
        settle(outbox)
        assert anchored(founded, rpc) == (size, count), "nothing is due"
    assert [(entry.size, entry.waiting) for entry in entries(engine)] == [(3, False), (8, False), (9, False)]
    assert problems(engine) == {}


def _killed_before(_rpc: Rpc, _raw: bytes) -> NoReturn:
    raise KilledHereError


def _killed_after(rpc: Rpc, raw: bytes) -> NoReturn:
    transactions.broadcast(rpc, raw)
    raise KilledHereError


@pytest.mark.parametrize("killed", [_killed_before, _killed_after])
def test_a_restart_between_storing_and_knowing_anchors_once(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
    killed: Callable[[Rpc, bytes], NoReturn],
) -> None:
    size = log.grow(4)
    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "broadcast", killed)
        with pytest.raises(KilledHereError):
            make_outbox().step()
    (stored,) = entries(engine)
    assert stored.waiting
    settle(make_outbox())
    assert anchored(founded, rpc) == (size, 1)
    (after,) = entries(engine)
    assert (after.raw, after.waiting) == (stored.raw, False)


def test_a_transaction_that_the_node_forgot_is_sent_again(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    snapshot = rpc.call("evm_snapshot")
    size = log.grow(4)
    assert make_outbox().step()
    rpc.call("evm_revert", snapshot)
    settle(make_outbox())
    assert anchored(founded, rpc) == (size, 1)
    assert len(entries(engine)) == 1


def test_after_a_turn_of_the_chain_the_same_checkpoint_is_anchored_again(
    founded: Founded, rpc: Rpc, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    outbox = make_outbox()
    first = log.grow(2)
    settle(outbox)
    snapshot = rpc.call("evm_snapshot")
    second = log.grow(6)
    settle(outbox)
    assert anchored(founded, rpc) == (second, 2)
    rpc.call("evm_revert", snapshot)
    assert anchored(founded, rpc) == (first, 1)
    settle(outbox)
    assert anchored(founded, rpc) == (second, 2)
    latest = log.reader.latest_checkpoint()
    assert latest is not None
    assert latest.size == second, "the log itself never rolls back"


def test_a_turn_that_takes_back_what_came_before_a_waiting_transaction(
    founded: Founded,
    rpc: Rpc,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = rpc.call("evm_snapshot")
    log.grow(2)
    settle(make_outbox())
    size = log.grow(3)
    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "broadcast", _killed_before)
        with pytest.raises(KilledHereError):
            make_outbox().step()
    rpc.call("evm_revert", snapshot)
    settle(make_outbox())
    assert anchored(founded, rpc) == (size, 1)


def test_a_nonce_that_another_transaction_has_used_is_not_waited_for(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = log.grow(2)
    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "broadcast", _killed_before)
        with pytest.raises(KilledHereError):
            make_outbox().step()
    (stored,) = entries(engine)
    key, chain = founded.opened[MEMBER, "anchorer"], founded.network.chain_id
    other = transactions.prepare(rpc, key, b"\x01" * 20, b"", chain=chain, nonce=stored.nonce)
    transactions.broadcast(rpc, other.raw)
    transactions.wait_mined(rpc, other.hash, 20)
    settle(make_outbox())
    assert anchored(founded, rpc) == (size, 1)
    assert [(one.nonce - stored.nonce, one.waiting) for one in entries(engine)] == [(0, False), (1, False)]


def test_a_transaction_that_failed_in_its_block_is_followed_by_another(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = log.grow(2)
    with monkeypatch.context() as patch:
        patch.setattr(transactions, "GAS_MARGIN", 0.8)
        with contextlib.suppress(ChainRefused):  # ganache says at once that it failed
            make_outbox().step()
    (failed,) = entries(engine)
    assert failed.waiting
    with pytest.raises(ChainRefused):
        transactions.wait_mined(rpc, failed.transaction_hash, 20)
    settle(make_outbox())
    assert anchored(founded, rpc) == (size, 1)
    assert [one.waiting for one in entries(engine)] == [False, False]
    assert problems(engine) == {}


def _small_growth(patch: pytest.MonkeyPatch, bound: int) -> None:
    """Stand in for the contract's bound of 2^24 leaves, which no test's log exceeds."""
    patch.setattr(Outbox, "_max_growth", lambda _self: bound)


def test_growth_beyond_the_bound_goes_by_the_checkpoints_in_between(
    founded: Founded,
    rpc: Rpc,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _small_growth(monkeypatch, 5)
    assert [log.grow(4) for _ in range(3)] == [4, 8, 12]
    settle(make_outbox())
    assert anchored(founded, rpc) == (12, 3)


def test_growth_that_no_checkpoint_divides_is_named(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log.grow(6)
    with monkeypatch.context() as patch:
        _small_growth(patch, 5)
        with pytest.raises(CannotAnchor, match="more than an anchor may"):
            make_outbox().step()
    settle(make_outbox())
    assert anchored(founded, rpc) == (6, 1)
    assert problems(engine) == {}


def test_a_refusal_is_named_and_tried_again(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    anchorer = "0x" + founded.members[MEMBER].addresses["anchorer"].hex()
    founded.send(rpc, founded.opened[MEMBER, "governor"], REGISTRY, "revokeOwnRole", anchorer, 1)
    log.grow(1)
    with pytest.raises(ChainRefused, match="AllianceRegistry_NotInForce"):
        make_outbox().step()
    assert "AllianceRegistry_NotInForce" in problems(engine)["chain-refused"]
    assert entries(engine) == [], "what would be refused is not signed"


def test_while_the_chain_is_gone_the_condition_stands_and_then_anchoring_goes_on(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    size = log.grow(2)
    conditions.report(engine, proofs.PART, "chain-unreachable", "as it is for the proofs", NOW)
    with pytest.raises(ChainUnreachable):
        make_outbox(Rpc("http://127.0.0.1:1")).step()
    assert "chain-unreachable" in problems(engine)
    settle(make_outbox())
    assert problems(engine) == {}
    assert anchored(founded, rpc) == (size, 1)
    assert [one.part for one in conditions.current(engine)] == [proofs.PART], "the proofs clear their own"


@pytest.mark.parametrize(("function", "arguments"), [("checkpoint", [MEMBER]), ("maxGrowth", [])])
def test_an_answer_that_is_no_evidence_logs_is_named(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    function: str,
    arguments: list[int],
) -> None:
    asked = "0x" + contract(EVIDENCE_LOG).call_data(function, *arguments).hex()

    def tamper(method: str, parameters: list[Any], result: Any) -> Any:
        return "0x07" if method == "eth_call" and parameters[0]["data"] == asked else result

    size = log.grow(2)
    with lying(rpc) as liar, Rpc(liar.url) as node:
        liar.tamper = tamper
        with pytest.raises(CannotAnchor, match=f"there is no evidence log: EvidenceLog.{function} returned 1 bytes"):
            make_outbox(node).step()
        assert "cannot-anchor" in problems(engine)
        liar.tamper = None
        settle(make_outbox(node))
    assert problems(engine) == {}
    assert anchored(founded, rpc) == (size, 1)


def test_a_transaction_count_that_no_account_has_is_not_believed(
    rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    log.grow(2)
    with lying(rpc) as liar, Rpc(liar.url) as node:
        liar.tamper = lambda method, _, result: hex(2**64) if method == "eth_getTransactionCount" else result
        with pytest.raises(NodeDishonest, match="more transactions than an account can"):
            make_outbox(node).step()
    assert "node-dishonest" in problems(engine)
    assert entries(engine) == []


@pytest.fixture
def standstill(rpc: Rpc, chain_process: devnet.Devnet) -> Iterator[None]:
    """The chain answers and takes transactions, but nobody makes blocks."""
    anvil = chain_process.chain == "anvil"
    rpc.call("evm_setAutomine", False) if anvil else rpc.call("miner_stop")
    yield
    rpc.call("evm_setAutomine", True) if anvil else rpc.call("miner_start")


@pytest.mark.usefixtures("standstill")
def test_a_chain_that_makes_no_blocks_stands_in_the_conditions_until_it_goes_on(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    times = [NOW]
    outbox = make_outbox(clock=lambda: times[-1])
    size = log.grow(2)
    assert outbox.step()
    times.append(NOW + STALLED_AFTER)
    assert outbox.step()
    assert problems(engine) == {}, "that long a block may take"

    times.append(NOW + STALLED_AFTER + timedelta(seconds=1))
    head = quantity(rpc.call("eth_blockNumber"))
    for restarted in (outbox, make_outbox(clock=lambda: times[-1])):
        with pytest.raises(ChainStalled):
            restarted.step()
        (problem, detail), *others = problems(engine).items()
        assert (problem, others) == ("chain-stalled", [])
        assert "since 2026-11-24T12:00:00Z" in detail
        assert f"the node's head is block {head}" in detail

    rpc.call("evm_mine")
    settle(outbox)
    assert problems(engine) == {}
    assert anchored(founded, rpc) == (size, 1)
    assert len(entries(engine)) == 1


@pytest.mark.usefixtures("standstill")
def test_once_it_is_mined_only_the_next_trouble_stands(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    times = [NOW]
    outbox = make_outbox(clock=lambda: times[-1])
    log.grow(2)
    assert outbox.step()
    times.append(NOW + 2 * STALLED_AFTER)
    with pytest.raises(ChainStalled):
        outbox.step()
    rpc.call("evm_mine")
    with pytest.raises(CannotAnchor):
        make_outbox(generation=1).step()
    assert list(problems(engine)) == ["cannot-anchor"]


@pytest.mark.usefixtures("standstill")
def test_the_next_checkpoints_follow_before_the_first_is_in_a_block(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    sizes = []
    for _ in range(MAX_UNDER_WAY + 1):
        sizes.append(log.grow(2))
        assert make_outbox().step()
    stored = entries(engine)
    assert [(one.size, one.nonce - stored[0].nonce) for one in stored] == list(
        zip(sizes[:-1], range(MAX_UNDER_WAY), strict=True)
    )
    rpc.call("evm_mine")
    assert anchored(founded, rpc) == (sizes[-2], MAX_UNDER_WAY)
    assert make_outbox().step(), "what had to wait"
    rpc.call("evm_mine")
    settle(make_outbox())
    assert anchored(founded, rpc) == (sizes[-1], MAX_UNDER_WAY + 1)
    assert [one.waiting for one in entries(engine)] == [False] * len(sizes)
    assert problems(engine) == {}


def test_what_follows_a_transaction_that_does_not_come_about_is_refused_and_anchored_anew(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "broadcast", lambda _rpc, _raw: None)
        for leaves in (2, 3):
            size = log.grow(leaves)
            assert make_outbox().step()
    first, second = entries(engine)
    assert second.nonce == first.nonce + 1
    key, chain = founded.opened[MEMBER, "anchorer"], founded.network.chain_id
    other = transactions.prepare(rpc, key, b"\x01" * 20, b"", chain=chain, nonce=first.nonce)
    transactions.broadcast(rpc, other.raw)
    transactions.wait_mined(rpc, other.hash, 20)
    settle(make_outbox())
    assert anchored(founded, rpc) == (size, 1)
    assert [one.waiting for one in entries(engine)] == [False] * 3


@pytest.mark.usefixtures("standstill")
def test_what_a_reorganisation_has_put_back_among_the_waiting_is_waited_for(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    make_outbox: Callable[..., Outbox],
    chain_process: devnet.Devnet,
) -> None:
    if chain_process.chain == "ganache":
        pytest.skip("ganache puts nothing back: it leaves out what it has reverted")
    snapshot = rpc.call("evm_snapshot")
    sizes = [log.grow(2)]
    assert make_outbox().step()
    rpc.call("evm_mine")
    settle(make_outbox())
    rpc.call("evm_revert", snapshot)
    (taken_back,) = entries(engine)
    assert not taken_back.waiting
    transactions.broadcast(rpc, taken_back.raw)
    sizes.append(log.grow(3))
    assert make_outbox().step()
    assert [(one.size, one.nonce - taken_back.nonce, one.waiting) for one in entries(engine)] == [
        (sizes[0], 0, True),
        (sizes[1], 1, True),
    ]
    rpc.call("evm_mine")
    settle(make_outbox())
    assert anchored(founded, rpc) == (sizes[1], 2)


@pytest.mark.usefixtures("standstill")
def test_what_the_node_shows_but_leaves_out_after_a_reorganisation_is_anchored_by_the_same_transaction(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    outbox = make_outbox()
    snapshot = rpc.call("evm_snapshot")
    size = log.grow(2)
    assert outbox.step()
    rpc.call("evm_mine")
    settle(outbox)
    rpc.call("evm_revert", snapshot)
    for _ in range(2 * LEFT_OUT_BLOCKS):
        outbox.step()
        rpc.call("evm_mine")
    settle(outbox)
    assert anchored(founded, rpc) == (size, 1)
    assert len({one.transaction_hash for one in entries(engine)}) == 1, "signed anew it has the same bytes"
    assert problems(engine) == {}


def test_a_log_older_than_what_was_anchored_is_refused(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    founded.anchor(rpc, MEMBER, Tree(b"newer"), 5)
    log.grow(2)
    with pytest.raises(CannotAnchor, match="the database is older"):
        make_outbox().step()
    assert "cannot-anchor" in problems(engine)


def test_another_log_under_this_ones_name_is_found(
    founded: Founded, rpc: Rpc, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    founded.anchor(rpc, MEMBER, Tree(b"stranger"), 3)
    log.grow(3)
    with pytest.raises(CannotAnchor, match="another root"):
        make_outbox().step()


def test_a_closed_generation_is_not_anchored(
    founded: Founded, rpc: Rpc, log: GrowingLog, make_outbox: Callable[..., Outbox]
) -> None:
    log.grow(2)
    settle(make_outbox())
    founded.vote(rpc, EVIDENCE_LOG, "closeGeneration", MEMBER)
    log.grow(2)
    with pytest.raises(CannotAnchor, match="the chain is at generation 1"):
        make_outbox().step()


def test_it_runs_until_it_is_stopped(
    founded: Founded, rpc: Rpc, log: GrowingLog, make_outbox: Callable[..., Outbox], chain_process: devnet.Devnet
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Job("anchoring", make_outbox().step).run, args=(stop, 0.01))
    thread.start()
    size = log.grow(7)
    for _ in range(1000):
        if anchored(founded, rpc)[0] == size:
            break
        stop.wait(0.01)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert anchored(founded, rpc) == (size, 1)
