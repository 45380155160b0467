"""Every block that is followed is sealed by whom the network file pins, or who followed them; else nothing of it is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from founding import NOW, Founded, catch_up
from sealed_headers import NAMES, BftBlock, CliqueBlock, address, header_fields, pin
from sqlalchemy import Engine
from sqlmodel import Session

from anchors.chain import rlp
from anchors.chain.header import CLIQUE, DEVELOPMENT, IBFT2, QBFT, decode_header
from anchors.network import ValidatorSet
from ledger_service import conditions
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.index import store
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.index.queries import (
    blocks_from,
    final_block,
    headers_of_changes,
    newest_blocks,
    progress,
    validators_in_force,
)
from ledger_service.index.seals import NotSealed, SealReader

GETH = json.loads((Path(__file__).parents[2] / "vectors" / "clique" / "geth_headers.json").read_bytes())
FOUR, FIVE = NAMES[:4], NAMES[:5]
BFT = pytest.mark.parametrize("consensus", [QBFT, IBFT2])


def data(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def geth_history() -> tuple[ValidatorSet, ...]:
    return tuple(
        ValidatorSet(span["from_block"], span["to_block"], tuple(map(data, span["addresses"])))
        for span in GETH["signers"]
    )


def follow(engine: Engine, consensus: str, history: Sequence[ValidatorSet], raws: Sequence[bytes]) -> None:
    """Take blocks without events into the index, one range each."""
    for raw in raws:
        header = decode_header(raw, consensus)
        with Session(engine) as session:
            changes = store.Changes()
            reader = SealReader(consensus, history, validators_in_force(session))
            changes.take_block(header, reader.read(header))
            store.write_changes(session.connection(), changes)
            session.commit()


def test_geths_own_blocks_are_sealed_by_whom_geth_names(engine: Engine) -> None:
    follow(engine, CLIQUE, geth_history(), [data(block["header_rlp"]) for block in GETH["blocks"]])
    with Session(engine) as session:
        followed = blocks_from(session, 0, 1000)
    told = [(block["number"], data(block["hash"]), (data(block["signer"]),)) for block in GETH["blocks"]]
    assert [(block.number, block.hash, block.sealers) for block in followed] == told
    assert {len(block.validators) for block in followed if block.number < 105} == {4}
    assert {len(block.validators) for block in followed if block.number >= 105} == {5}
    assert {block.round for block in followed} == {None}


def test_a_clique_block_is_final_once_enough_others_have_signed_later_ones(engine: Engine) -> None:
    finality = Finality(CLIQUE, 0, geth_history())
    blocks = GETH["blocks"]
    for upto, block in enumerate(blocks):
        follow(engine, CLIQUE, finality.history, [data(block["header_rlp"])])
        with Session(engine) as session:
            assert final_block(session, finality) == final_by_hand(blocks[: upto + 1])


def final_by_hand(blocks: list[dict[str, Any]]) -> int | None:
    """The last block after which floor(N/2)+1 distinct signers come: three, of four signers as of five."""
    for at in range(len(blocks) - 1, -1, -1):
        if len({block["signer"] for block in blocks[at + 1 :]}) >= 3:
            return int(blocks[at]["number"])
    return None


def test_the_blocks_that_confirm_one_prove_it_and_one_fewer_does_not(engine: Engine) -> None:
    finality = Finality(CLIQUE, 0, geth_history())
    follow(engine, CLIQUE, finality.history, [data(block["header_rlp"]) for block in GETH["blocks"]])
    raws = {block["number"]: data(block["header_rlp"]) for block in GETH["blocks"]}
    with Session(engine) as session:
        final = final_block(session, finality)
        assert final is not None
        for number in range(min(raws), final + 1):
            block, *later = blocks_from(session, number, finality.blocks_to_look_at(5))
            header = decode_header(raws[number], CLIQUE)
            headers = [raws[one.number] for one in finality.confirming(block, later)]
            finality.prove(header, headers)
            with pytest.raises(Exception, match="confirmed by 2"):
                finality.prove(header, headers[:-1])


def test_a_signer_that_the_network_file_does_not_pin_is_refused() -> None:
    reader = SealReader(CLIQUE, (pin(FOUR),), ())
    reader.read(decode_header(CliqueBlock(100, FOUR[0], 2).raw, CLIQUE))
    with pytest.raises(NotSealed, match="who is none of the 4 validators"):
        reader.read(decode_header(CliqueBlock(101, NAMES[9], 2).raw, CLIQUE))
    with pytest.raises(NotSealed, match="block 101"):
        reader.read(decode_header(CliqueBlock(101, FOUR[1], 2).with_seal(bytes(65)), CLIQUE))
    with pytest.raises(NotSealed, match="network file"):
        SealReader(CLIQUE, (pin(FOUR, 200),), ()).read(decode_header(CliqueBlock(101, FOUR[0], 2).raw, CLIQUE))


@BFT
def test_a_bft_block_needs_a_quorum_and_is_final_at_once(engine: Engine, consensus: str) -> None:
    block = BftBlock(consensus, FOUR, round=3)
    follow(engine, consensus, (pin(FOUR),), [block.raw(FOUR[1:])])
    finality = Finality(consensus, 0, (pin(FOUR),))
    with Session(engine) as session:
        (followed,) = newest_blocks(session, 10)
        assert final_block(session, finality) == followed.number == block.number
    assert followed.sealers == tuple(map(address, FOUR[1:]))
    assert (followed.round, followed.hash) == (3, block.hash)
    assert finality.confirming(followed, [followed]) == []
    for sealers in ((), FOUR[:2], (*FOUR[:2], NAMES[9])):
        with pytest.raises(NotSealed, match="block 100"):
            SealReader(consensus, (pin(FOUR),), ()).read(decode_header(block.raw(sealers), consensus))


@BFT
def test_bft_validators_are_stepped_to_one_by_one(engine: Engine, consensus: str) -> None:
    sets = {100: FOUR, 101: FOUR, 102: FIVE, 103: FIVE, 104: NAMES[:6], 105: FIVE, 106: FIVE}
    raws = {number: BftBlock(consensus, names, number).raw(names) for number, names in sets.items()}
    follow(engine, consensus, (pin(FOUR),), list(raws.values()))
    finality = Finality(consensus, 0, (pin(FOUR),))
    with Session(engine) as session:
        assert validators_in_force(session) == tuple(map(address, FIVE))
        steps = {number: headers_of_changes(session, pin(FOUR), number) for number in sets}
    assert steps[101] == steps[102] == []
    assert steps[103] == [raws[102]]
    assert steps[106] == [raws[102], raws[104], raws[105]]
    for number, raw in raws.items():
        finality.prove(decode_header(raw, consensus), steps[number])
    reader = SealReader(consensus, (pin(FOUR),), tuple(map(address, FIVE)))
    with pytest.raises(NotSealed, match="lists 3 validators"):
        reader.read(decode_header(BftBlock(consensus, FOUR[:3], 107).raw(FOUR[:3]), consensus))


@BFT
def test_a_span_that_the_network_file_begins_anew_needs_no_step(engine: Engine, consensus: str) -> None:
    history = (pin(FOUR, 0, 101), pin(NAMES[4:8], 101))
    raws = [BftBlock(consensus, FOUR, 100).raw(FOUR), BftBlock(consensus, NAMES[4:8], 101).raw(NAMES[4:8])]
    follow(engine, consensus, history, raws)
    with Session(engine) as session:
        assert headers_of_changes(session, history[1], 102) == []


def test_a_rollback_takes_back_a_change_of_validators(engine: Engine) -> None:
    raws = [BftBlock(QBFT, names, number).raw(names) for number, names in ((100, FOUR), (101, FIVE))]
    follow(engine, QBFT, (pin(FOUR),), raws)
    with Session(engine) as session:
        store.roll_back(session.connection(), 100)
        assert validators_in_force(session) == tuple(map(address, FOUR))
        assert headers_of_changes(session, pin(FOUR), 200) == []


def test_nobody_seals_a_genesis_block_or_a_development_chain() -> None:
    for consensus, number in ((CLIQUE, 0), (DEVELOPMENT, 5)):
        raw = rlp.encode(header_fields(number, bytes(97)))
        seals = SealReader(consensus, (pin(FOUR),), ()).read(decode_header(raw, consensus))
        assert (seals.sealers, seals.round, seals.changed) == (None, None, None)


def test_of_a_chain_whose_blocks_are_not_sealed_nothing_is_followed(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    pinned = Followed.pinned(founded.network)
    sealed = Followed(pinned.genesis_hash, CLIQUE, pinned.contracts, (pin(FOUR),))
    with pytest.raises(NotSealed, match="Nothing of it is believed"):
        Indexer(engine, rpc, sealed, lambda: NOW).step()
    with Session(engine) as session:
        assert progress(session).block is None
    assert [(one.part, one.problem) for one in conditions.current(engine)] == [("index", "not-sealed")]
    catch_up(Indexer(engine, rpc, pinned, lambda: NOW))
    assert conditions.current(engine) == []
