"""Solidity and Python agree: on random trees and their proofs, on what a receipt signs, and on the journals."""

import random
from dataclasses import replace

import pytest
from founded_alliance import ANCHORER, SUSPENDED, Alliance, entries, key, new_member, word
from rfc6962 import Tree

from anchors.merkle import Levels, inclusion_path, leaf_hash, prove_consistency, prove_inclusion
from anchors.merkle.consistency import consistency_path
from anchors.receipt import Receipt, batch_entry, batch_tree
from ledger_service.index.decode import RawLog
from ledger_service.index.events import Place
from ledger_service.index.journal import EMPTY_JOURNAL, fold, is_journalled, journal_count


class Nodes:
    """The complete subtrees of a small tree, read as the library reads them."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = [leaf_hash(leaf) for leaf in leaves]

    def read(self, level: int, index: int) -> bytes:
        return Levels(self._leaves[index << level : (index + 1) << level]).root


@pytest.mark.parametrize("seed", range(12))
def test_a_proof_made_by_the_library_moves_the_log(alliance: Alliance, seed: int) -> None:
    chance = random.Random(seed)  # which sizes are tried is no secret
    new = chance.randrange(2, 400)
    old = chance.randrange(1, new)
    leaves = entries(new, seed=f"tree {seed}")
    tree, proof = Tree(leaves), consistency_path(old, new, Nodes(leaves).read)
    prove_consistency(old, tree.root(old), new, tree.root(new), proof)
    alliance.anchor(3, tree, old)
    alliance.send(alliance.anchorer(3), alliance.log.functions.anchor(new, tree.root(new), proof))
    assert alliance.log.functions.checkpoint(3).call()[1:3] == [new, tree.root(new)]


@pytest.mark.parametrize("seed", range(12))
def test_a_receipt_made_by_the_library_convicts(alliance: Alliance, seed: int) -> None:
    chance = random.Random(seed)
    size, count = chance.randrange(1, 200), chance.randrange(1, 50)
    index, position = chance.randrange(size), chance.randrange(count)
    leaves, promised = entries(size, seed=f"log {seed}"), entries(count, seed=f"batch {seed}")
    alliance.anchor(2, Tree(leaves), size)
    batch = batch_tree(
        batch_entry(index if place == position else size + place, promised[place]) for place in range(count)
    )
    now, log = alliance.now, bytes.fromhex(alliance.log.address[2:])
    unsigned = Receipt(
        commitment=promised[position],
        index=index,
        member=2,
        generation=0,
        log=log,
        root=batch.root,
        count=count,
        position=position,
        path=tuple(batch.path(position)),
        accepted_at=now,
        anchor_by=now + 60,
        signature=bytes(65),
    )
    chain_id = alliance.web3.eth.chain_id
    digest = unsigned.batch().digest(chain_id)
    signature = alliance.signer(2).unsafe_sign_hash(digest).signature
    signed = replace(unsigned, signature=bytes(signature))
    signed.prove_entry()
    assert signed.signer(chain_id) == bytes.fromhex(alliance.signer(2).address[2:])
    facts = (
        2,
        0,
        batch.root,
        count,
        now,
        now + 60,
        index,
        promised[position],
        position,
        list(unsigned.path),
        signature,
    )
    path = inclusion_path(index, size, Nodes(leaves).read)
    assert prove_inclusion(leaf_hash(leaves[index]), index, size, path).root == Tree(leaves).root(size)
    alliance.send(key("a bidder"), alliance.log.functions.reportBrokenReceipt(facts, leaves[index], path))
    assert alliance.log.functions.faults(2).call() == 1


def test_the_journals_fold_from_the_raw_logs(alliance: Alliance) -> None:
    _do_everything_once(alliance)
    for contract in (alliance.registry, alliance.log):
        word_now, topics = EMPTY_JOURNAL, set()
        for found in alliance.web3.eth.get_logs({"address": contract.address, "fromBlock": 0}):
            place = Place(found["blockNumber"], found["transactionIndex"], found["logIndex"])
            log = RawLog(place, bytes(20), tuple(bytes(topic) for topic in found["topics"]), bytes(found["data"]))
            topics.add(log.topics[0])
            if is_journalled(log):
                word_now = fold(word_now, log)
        assert contract.functions.journal().call() == word_now
        assert journal_count(word_now) > 0
        # OpenZeppelin declares EIP712DomainChanged, which a contract whose domain never changes does not emit.
        ours = [event for event in contract.events if event.event_name != "EIP712DomainChanged"]
        assert topics == {bytes.fromhex(event.topic.removeprefix("0x")) for event in ours}


def _do_everything_once(alliance: Alliance) -> None:
    """Make every event of both contracts happen."""
    functions, fresh = alliance.registry.functions, key("fresh").address
    alliance.vote(functions.addMember(new_member("fifth")))
    for call in (
        functions.setStatus(5, SUSPENDED),
        functions.rename(1, "西部交易中心"),
        functions.setParameter(word("receiptDays"), 30),
        functions.revokeRole(alliance.anchorer(4).address, ANCHORER),
    ):
        number = alliance.propose(1, call)
        for member in (2, 3, 4):
            alliance.approve(member, number)
        alliance.execute(1, number)
    alliance.send(alliance.governor(1), functions.setOwnLogKey(b"\5" * 32))
    alliance.send(alliance.governor(1), functions.requestRegulator(fresh, 0))
    alliance.send(alliance.governor(2), functions.secondRegulator(1, fresh))
    leaves = entries(5)
    tree = Tree(leaves)
    alliance.anchor(1, tree, 5)
    broken, late = alliance.receipt(1, 4, b"\1" * 32), alliance.receipt(1, 7, b"\1" * 32, anchor_by=1)
    log, bidder = alliance.log.functions, key("a bidder")
    alliance.send(bidder, log.reportBrokenReceipt(broken.as_argument(), leaves[4], tree.path(4, 5)))
    alliance.send(bidder, log.reportLateReceipt(late.as_argument()))
    number = alliance.propose(1, log.closeGeneration(1))
    for member in (2, 3, 4):
        alliance.approve(member, number)
    alliance.execute(1, number)
