"""Captured proofs: what is stored proves the anchor without a node, and follows the chain when it turns."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from founding import Founded
from growing_log import GrowingLog
from liar import lying
from sqlalchemy import Engine
from sqlmodel import Session, select

from anchors.chain.header import DEVELOPMENT, decode_header
from anchors.chain.receipts import prove_receipt
from ledger_service import conditions
from ledger_service.anchoring import outbox
from ledger_service.anchoring.proofs import CapturedProof, ProofCapture, captured_proof
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.errors import ChainUnreachable, NodeDishonest
from ledger_service.index.decode import RawLog, decode
from ledger_service.index.events import Anchored, Place
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.index.tables import Anchor, Block

MEMBER = 2
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def follow(engine: Engine, rpc: Rpc, founded: Founded) -> None:
    indexer = Indexer(engine, rpc, Followed.pinned(founded.network), lambda: NOW)
    while indexer.step():
        pass


def capturing(engine: Engine, rpc: Rpc) -> ProofCapture:
    return ProofCapture(engine, rpc, MEMBER, Finality(DEVELOPMENT, 2), lambda: NOW)


def problems(engine: Engine) -> set[tuple[str, str]]:
    return {(one.part, one.problem) for one in conditions.current(engine)}


def anchor_next(founded: Founded, rpc: Rpc, log: GrowingLog, old: int) -> int:
    """Anchor what the log has signed last, as its anchorer."""
    latest = log.reader.latest_checkpoint()
    assert latest is not None
    proof = log.reader.consistency(old, latest.size) if old else []
    key = founded.opened[MEMBER, "anchorer"]
    founded.send(rpc, key, EVIDENCE_LOG, "anchor", latest.size, latest.root, proof)
    return latest.size


def proofs(engine: Engine) -> dict[int, CapturedProof | None]:
    with Session(engine) as session:
        anchors = session.exec(select(Anchor).where(Anchor.member == MEMBER)).all()
        return {anchor.size: captured_proof(session, anchor) for anchor in anchors}


def check(engine: Engine, founded: Founded, size: int) -> None:
    """The stored bytes alone prove that the event is in the block that the index holds."""
    proof = proofs(engine)[size]
    assert proof is not None
    header = decode_header(proof.header, DEVELOPMENT)
    with Session(engine) as session:
        block = session.get(Block, header.number)
    assert block is not None
    assert block.hash == header.hash
    receipt = prove_receipt(header.receipts_root, proof.transaction_index, proof.receipt_proof)
    log = receipt.logs[proof.log_index]
    assert log.address == founded.address(EVIDENCE_LOG)
    place = Place(header.number, proof.transaction_index, proof.log_index)
    event = decode(RawLog(place, log.address, log.topics, log.data))
    assert isinstance(event, Anchored)
    assert (event.member, event.size) == (MEMBER, size)


def test_every_anchor_of_the_member_is_proven(founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog) -> None:
    sizes: list[int] = []
    for _ in range(3):
        log.grow(2)
        sizes.append(anchor_next(founded, rpc, log, sizes[-1] if sizes else 0))
    follow(engine, rpc, founded)
    assert proofs(engine) == dict.fromkeys(sizes)
    capture = capturing(engine, rpc)
    assert capture.step() == 3
    assert capture.step() == 0
    for size in sizes:
        check(engine, founded, size)


def test_after_a_turn_the_proof_is_captured_anew(founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog) -> None:
    capture = capturing(engine, rpc)
    snapshot = rpc.call("evm_snapshot")
    log.grow(2)
    size = anchor_next(founded, rpc, log, 0)
    follow(engine, rpc, founded)
    capture.step()
    check(engine, founded, size)

    rpc.call("evm_revert", snapshot)
    rpc.call("evm_mine")
    anchor_next(founded, rpc, log, 0)
    follow(engine, rpc, founded)
    assert proofs(engine) == {size: None}, "the old proof is of a block that is gone"
    assert capture.step() == 1
    check(engine, founded, size)


def test_an_index_ahead_of_its_node_waits(founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog) -> None:
    snapshot = rpc.call("evm_snapshot")
    log.grow(2)
    size = anchor_next(founded, rpc, log, 0)
    follow(engine, rpc, founded)
    rpc.call("evm_revert", snapshot)
    assert capturing(engine, rpc).step() == 0
    assert proofs(engine) == {size: None}


def _without_a_log(receipt: dict[str, Any]) -> dict[str, Any]:
    return receipt | {"logs": []}


def _unreadable(receipt: dict[str, Any]) -> dict[str, Any]:
    return receipt | {"cumulativeGasUsed": "much"}


@pytest.mark.parametrize("change", [_without_a_log, _unreadable])
def test_receipts_that_prove_nothing_are_not_kept(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    log: GrowingLog,
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    def tamper(method: str, _parameters: list[Any], result: Any) -> Any:
        if method == "eth_getBlockReceipts":
            return [change(receipt) for receipt in result]
        return change(result) if method == "eth_getTransactionReceipt" else result

    log.grow(2)
    size = anchor_next(founded, rpc, log, 0)
    follow(engine, rpc, founded)
    with lying(rpc) as liar, Rpc(liar.url) as node:
        capture = capturing(engine, node)
        liar.tamper = tamper
        with pytest.raises(NodeDishonest, match="its receipts prove nothing"):
            capture.step()
        assert proofs(engine) == {size: None}
        liar.tamper = None
        assert capture.step() == 1
    check(engine, founded, size)


def test_a_block_that_is_not_the_one_asked_for_is_not_believed(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog
) -> None:
    log.grow(2)
    size = anchor_next(founded, rpc, log, 0)
    log.grow(2)
    anchor_next(founded, rpc, log, size)
    other = rpc.call("eth_getBlockByNumber", "latest", False)
    follow(engine, rpc, founded)
    with lying(rpc) as liar, Rpc(liar.url) as node:
        liar.tamper = lambda method, _parameters, result: other if method == "eth_getBlockByHash" else result
        with pytest.raises(NodeDishonest, match="is not what its hash says"):
            capturing(engine, node).step()
    assert proofs(engine)[size] is None


def test_a_block_that_lacks_its_fields_is_not_believed(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog
) -> None:
    log.grow(2)
    size = anchor_next(founded, rpc, log, 0)
    follow(engine, rpc, founded)
    with lying(rpc) as liar, Rpc(liar.url) as node:
        liar.tamper = lambda method, _parameters, result: {} if method == "eth_getBlockByHash" else result
        with pytest.raises(NodeDishonest, match="is not what its hash says"):
            capturing(engine, node).step()
    assert proofs(engine)[size] is None


def test_troubles_stand_in_the_conditions_until_the_proof_is_captured(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog
) -> None:
    conditions.report(engine, outbox.PART, "chain-unreachable", "as it is for the outbox", NOW)
    log.grow(2)
    size = anchor_next(founded, rpc, log, 0)
    follow(engine, rpc, founded)
    with lying(rpc) as liar, Rpc(liar.url) as node:
        liar.tamper = lambda method, _parameters, result: {} if method == "eth_getBlockByHash" else result
        with pytest.raises(NodeDishonest):
            capturing(engine, node).step()
    assert problems(engine) == {("anchor", "chain-unreachable"), ("proofs", "node-dishonest")}
    with pytest.raises(ChainUnreachable):
        capturing(engine, Rpc("http://127.0.0.1:1")).step()
    assert problems(engine) == {("anchor", "chain-unreachable"), ("proofs", "chain-unreachable")}
    assert capturing(engine, rpc).step() == 1
    assert problems(engine) == {("anchor", "chain-unreachable")}, "the outbox's own is not cleared by the proofs"
    check(engine, founded, size)
