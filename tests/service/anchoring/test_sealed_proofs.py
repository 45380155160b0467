"""Where validators seal, a proof is captured once its block is final, with what shows that to a reader."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from founding import Founded
from growing_log import GrowingLog
from liar import Liar, lying
from sealed_headers import NAMES, pin
from sealing_node import SealingNode
from sqlalchemy import Engine
from sqlmodel import Session, select

from anchors.chain.header import CLIQUE, IBFT2, QBFT, decode_header
from anchors.seals import prove_seals
from ledger_service import conditions
from ledger_service.anchoring.proofs import CapturedProof, ProofCapture, captured_proof
from ledger_service.chain.contracts import EVIDENCE_LOG
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.index.seals import NotSealed
from ledger_service.index.tables import Anchor

MEMBER = 2
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FOUR, FIVE = NAMES[:4], NAMES[:5]
BFT = pytest.mark.parametrize("consensus", [QBFT, IBFT2])


class Follower:
    """An index and the capture of proofs, on a chain that is sealed."""

    def __init__(self, founded: Founded, engine: Engine, node: Rpc, sealed: SealingNode, consensus: str) -> None:
        pinned = Followed.pinned(founded.network)
        genesis = bytes.fromhex(sealed.block(0)["hash"][2:])
        self.history = (pin(FOUR, pinned.from_block),)
        self._engine = engine
        self._indexer = Indexer(engine, node, Followed(genesis, consensus, pinned.contracts, self.history), lambda: NOW)
        self._capture = ProofCapture(engine, node, MEMBER, Finality(consensus, 0, self.history), lambda: NOW)

    def look(self) -> int:
        """Follow all, then capture; how many proofs were."""
        while self._indexer.step():
            pass
        return self._capture.step()

    def proof(self) -> CapturedProof | None:
        with Session(self._engine) as session:
            return captured_proof(session, session.exec(select(Anchor).where(Anchor.member == MEMBER)).one())


@contextmanager
def following(
    founded: Founded, rpc: Rpc, engine: Engine, consensus: str, validators: Callable[[int], Sequence[str]]
) -> Iterator[tuple[Follower, Liar]]:
    with lying(rpc) as liar, Rpc(liar.url) as node:
        sealed = SealingNode(rpc, consensus, validators)
        liar.tamper = sealed
        yield Follower(founded, engine, node, sealed, consensus), liar


def anchor(founded: Founded, rpc: Rpc, log: GrowingLog) -> int:
    """Anchor a log of two leaves; the number of the block."""
    log.grow(2)
    latest = log.reader.latest_checkpoint()
    assert latest is not None
    key = founded.opened[MEMBER, "anchorer"]
    return founded.send(rpc, key, EVIDENCE_LOG, "anchor", latest.size, latest.root, []).block_number


@BFT
def test_under_bft_a_block_is_final_and_proven_at_once(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, consensus: str
) -> None:
    anchor(founded, rpc, log)
    with following(founded, rpc, engine, consensus, lambda _: FOUR) as (follower, _):
        assert follower.look() == 1
        proof = follower.proof()
    assert proof is not None
    assert proof.finality == ()
    assert len(prove_seals(decode_header(proof.header, consensus), follower.history).sealers) == 4


@BFT
def test_the_headers_at_which_the_validators_changed_go_with_the_proof(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, consensus: str
) -> None:
    for _ in range(2):
        rpc.call("evm_mine")
    block = anchor(founded, rpc, log)
    sets = {block - 2: FIVE, block - 1: NAMES[:6], block: NAMES[:6]}
    with following(founded, rpc, engine, consensus, lambda number: sets.get(number, FOUR)) as (follower, _):
        assert follower.look() == 1
        proof = follower.proof()
    assert proof is not None
    assert proof.finality is not None
    assert [decode_header(step, consensus).number for step in proof.finality] == [block - 2, block - 1]
    sealed = prove_seals(decode_header(proof.header, consensus), follower.history, proof.finality)
    assert len(sealed.sealers) == 6


def test_under_clique_a_proof_waits_for_later_signers_and_carries_their_headers(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog
) -> None:
    block = anchor(founded, rpc, log)
    with following(founded, rpc, engine, CLIQUE, lambda _: FOUR) as (follower, _):
        for _ in range(2):
            assert follower.look() == 0
            rpc.call("evm_mine")
        assert (follower.look(), follower.proof()) == (0, None)
        rpc.call("evm_mine")
        assert follower.look() == 1
        proof = follower.proof()
    assert proof is not None
    assert proof.finality is not None
    assert [decode_header(later, CLIQUE).number for later in proof.finality] == [block + 1, block + 2, block + 3]
    prove_seals(decode_header(proof.header, CLIQUE), follower.history, proof.finality)


@pytest.mark.parametrize("consensus", [QBFT, CLIQUE])
def test_a_block_that_strangers_sealed_is_named_and_nothing_of_it_followed(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog, consensus: str
) -> None:
    block = anchor(founded, rpc, log)
    with following(founded, rpc, engine, consensus, lambda number: NAMES[9:13] if number == block else FOUR) as (
        follower,
        liar,
    ):
        with pytest.raises(NotSealed, match=f"block {block}"):
            follower.look()
        assert [one.problem for one in conditions.current(engine)] == ["not-sealed"]
        with Session(engine) as session:
            assert session.exec(select(Anchor)).all() == []
        liar.tamper = SealingNode(rpc, consensus, lambda _: FOUR)
        follower.look()
        assert conditions.current(engine) == []
        with Session(engine) as session:
            assert len(session.exec(select(Anchor)).all()) == 1


def test_a_proof_that_its_reader_would_refuse_is_not_kept(
    founded: Founded, rpc: Rpc, engine: Engine, log: GrowingLog
) -> None:
    """Each signature is good, but the first signer signs again too soon."""
    block = anchor(founded, rpc, log)
    for _ in range(5):
        rpc.call("evm_mine")
    order = {block: FOUR[0], block + 1: FOUR[0], block + 2: FOUR[1], block + 3: FOUR[2], block + 4: FOUR[3]}

    def validators(number: int) -> Sequence[str]:
        return [order[number]] if number in order else FOUR

    with following(founded, rpc, engine, CLIQUE, validators) as (follower, _):
        with pytest.raises(NotSealed, match="would not be proven as sealed"):
            follower.look()
        assert follower.proof() is None
    assert {(one.part, one.problem) for one in conditions.current(engine)} == {("proofs", "not-sealed")}
