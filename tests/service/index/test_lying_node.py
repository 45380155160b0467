"""A node that leaves out, invents or changes what the contracts said is found, named, and followed no further."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import empty_database
from founding import Founded, catch_up, indexer
from happenings import LOGS, few_anchors
from index_rows import rows
from liar import Forger, Liar, Refusal, Tamper, change_receipts, lying
from sqlalchemy import Engine
from sqlmodel import Session

from ledger_service import conditions
from ledger_service.chain.contracts import REGISTRY
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.errors import ChainRefused, NodeDishonest
from ledger_service.index.indexer import MAX_MOVES, Indexer
from ledger_service.index.queries import progress

Receipts = list[dict[str, Any]]


@pytest.fixture
def liar(rpc: Rpc) -> Iterator[Liar]:
    with lying(rpc) as proxy:
        yield proxy


@pytest.fixture
def follower(founded: Founded, liar: Liar, engine: Engine) -> Iterator[Indexer]:
    """An index that follows the liar, caught up while it was still honest."""
    with Rpc(liar.url) as node:
        made = indexer(engine, node, founded)
        catch_up(made)
        yield made


def hide_log(receipts: Receipts) -> None:
    del receipts[0]["logs"][0]


def hide_receipt(receipts: Receipts) -> None:
    del receipts[0]


def invent_log(receipts: Receipts) -> None:
    receipts[0]["logs"].append(dict(receipts[0]["logs"][0]))


def change_size(receipts: Receipts) -> None:
    data = receipts[0]["logs"][0]["data"]
    receipts[0]["logs"][0]["data"] = data[: 2 + 64] + "f".rjust(64, "0") + data[2 + 128 :]


def glue_topics(receipts: Receipts) -> None:
    """Put two topics into one so that the encoding, and with it the root, stays the same."""
    log = receipts[0]["logs"][0]
    log["topics"] = [log["topics"][0] + "a0" + log["topics"][1][2:]]


def long_address(receipts: Receipts) -> None:
    """Let the address swallow what follows it in the encoding."""
    receipts[0]["logs"][0]["address"] += "00"


def caught(follower: Indexer, engine: Engine, wanted: str) -> None:
    """The lie is named, and however often it is told nothing of it is believed."""
    with Session(engine) as session:
        before = progress(session).block
    for _ in range(6):
        try:
            follower.step()
        except NodeDishonest as error:
            found = error.detail
    (condition,) = conditions.current(engine)
    assert (condition.part, condition.problem, condition.detail) == ("index", "node-dishonest", found)
    assert wanted in found
    with Session(engine) as session:
        assert progress(session).block == before


def forgiven(follower: Indexer, engine: Engine, liar: Liar, founded: Founded, tmp_engine: Engine) -> None:
    """Once the truth is told, the rows are those of an index that never heard the lie."""
    liar.tamper = None
    catch_up(follower)
    assert conditions.current(engine) == []
    catch_up(indexer(tmp_engine, liar.honest, founded))
    assert rows(engine) == rows(tmp_engine)


@pytest.fixture
def second_engine(tmp_path: Path) -> Iterator[Engine]:
    opened = empty_database(tmp_path / "second.sqlite")
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (hide_log, "something was left out, invented or altered"),
        (invent_log, "something was left out, invented or altered"),
        (change_size, "something was left out, invented or altered"),
        (glue_topics, "at most 4 topics of 32 bytes"),
        (long_address, "an address of 20 bytes"),
    ],
)
def test_receipts_that_are_not_those_of_the_header_are_found(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    second_engine: Engine,
    liar: Liar,
    follower: Indexer,
    change: Callable[[Receipts], None],
    said: str,
) -> None:
    block = founded.anchor(rpc, 2, LOGS[2], 3).block_number
    liar.tamper = change_receipts(block, change)
    caught(follower, engine, said)
    caught(follower, engine, f"block {block}")
    forgiven(follower, engine, liar, founded, second_engine)


def test_a_log_is_ours_however_its_address_is_spelled(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    def respell(receipts: Receipts) -> None:
        log = receipts[0]["logs"][0]
        log["address"] = "0X" + bytes.fromhex(log["address"][2:]).hex(" ").upper()

    block = founded.anchor(rpc, 2, LOGS[2], 3).block_number
    liar.tamper = change_receipts(block, respell)
    catch_up(follower)
    forgiven(follower, engine, liar, founded, second_engine)


def test_a_receipt_that_is_held_back_is_found(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    block = founded.anchor(rpc, 2, LOGS[2], 3).block_number
    liar.tamper = change_receipts(block, hide_receipt)
    for _ in range(8):
        try:
            follower.step()
        except NodeDishonest:
            break
    (condition,) = conditions.current(engine)
    assert condition.problem == "node-dishonest"
    forgiven(follower, engine, liar, founded, second_engine)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            hide_log,
            "last at size 8 of generation 0, the index 1: 1 anchor was left out",
        ),
        (change_size, "an anchor was altered"),
    ],
)
def test_a_forged_history_is_contradicted_by_the_state(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    second_engine: Engine,
    liar: Liar,
    follower: Indexer,
    change: Callable[[Receipts], None],
    said: str,
) -> None:
    founded.anchor(rpc, 2, LOGS[2], 3)
    catch_up(follower)
    block = founded.anchor(rpc, 2, LOGS[2], 8).block_number
    rpc.call("evm_mine")
    liar.tamper = Forger(rpc, block, change)
    caught(follower, engine, said)
    forgiven(follower, engine, liar, founded, second_engine)


def test_an_invented_anchor_is_contradicted_by_the_state(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    def invent(receipts: Receipts) -> None:
        """One anchor more, of a size that the log never had."""
        log = receipts[0]["logs"][0]
        data = bytearray.fromhex(log["data"][2:])
        data[63], data[127] = 9, 3  # size, count
        receipts[0]["logs"].append(log | {"data": "0x" + data.hex()})

    founded.anchor(rpc, 2, LOGS[2], 3)
    block = founded.anchor(rpc, 2, LOGS[2], 8).block_number
    liar.tamper = Forger(rpc, block, invent)
    caught(follower, engine, "the index 3: 1 anchor was invented")
    forgiven(follower, engine, liar, founded, second_engine)


def enormous(receipts: Receipts) -> None:
    data = receipts[0]["logs"][0]["data"]
    receipts[0]["logs"][0]["data"] = data[: 2 + 64] + ("f" * 16).rjust(64, "0") + data[2 + 128 :]


@pytest.mark.parametrize("change", [invent_log, enormous])
def test_an_anchor_told_twice_or_past_all_bounds_cannot_have_been_said(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    second_engine: Engine,
    liar: Liar,
    follower: Indexer,
    change: Callable[[Receipts], None],
) -> None:
    block = founded.anchor(rpc, 2, LOGS[2], 3).block_number
    liar.tamper = Forger(rpc, block, change)
    caught(follower, engine, "hold what the contracts cannot have said")
    forgiven(follower, engine, liar, founded, second_engine)


@pytest.mark.parametrize(("change", "said"), [(hide_log, "1 event was left out"), (invent_log, "1 event was invented")])
def test_the_registrys_journal_contradicts_a_forged_history(
    founded: Founded,
    rpc: Rpc,
    engine: Engine,
    second_engine: Engine,
    liar: Liar,
    follower: Indexer,
    change: Callable[[Receipts], None],
    said: str,
) -> None:
    changed = founded.send(rpc, founded.opened[1, "governor"], REGISTRY, "setOwnLogKey", b"\x09" * 32)
    liar.tamper = Forger(rpc, changed.block_number, change)
    caught(follower, engine, f"the journal of {REGISTRY}")
    caught(follower, engine, said)
    forgiven(follower, engine, liar, founded, second_engine)


def test_a_lie_is_not_passed_over_when_the_chain_goes_on(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    block = founded.anchor(rpc, 2, LOGS[2], 3).block_number
    liar.tamper = Forger(rpc, block, hide_log)
    caught(follower, engine, "left out")
    follower._range = 2
    few_blocks = 7
    for _ in range(few_blocks):
        rpc.call("evm_mine")
    caught(follower, engine, "left out")
    forgiven(follower, engine, liar, founded, second_engine)


def test_a_liar_is_trusted_again_only_at_the_head_though_the_old_state_is_gone(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    block = founded.anchor(rpc, 2, LOGS[2], 3).block_number
    liar.tamper = Forger(rpc, block, hide_log)
    caught(follower, engine, "left out")
    for _ in range(20):
        rpc.call("evm_mine")

    def forgetful(method: str, parameters: list[Any], result: Any) -> Any:
        """As a node that prunes, which anvil does after hundreds of blocks and ganache never."""
        past = method == "eth_getProof" and int(parameters[2], 16) < block + 20
        return Refusal("missing trie node") if past else result

    liar.tamper = forgetful
    follower._range = 8
    assert follower.step()
    (condition,) = conditions.current(engine)
    assert condition.problem == "node-dishonest", "it is not yet known whether this was the truth"
    with Session(engine) as session:
        now = progress(session)
    assert (now.block, now.verified_block) == (block + 7, block - 1)
    forgiven(follower, engine, liar, founded, second_engine)
    with Session(engine) as session:
        now = progress(session)
    assert now.block == now.verified_block == quantity(rpc.call("eth_blockNumber"))


def test_at_the_head_a_refused_state_proof_is_no_excuse(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    def silent(method: str, _parameters: list[Any], result: Any) -> Any:
        return Refusal("missing trie node") if method == "eth_getProof" else result

    founded.anchor(rpc, 2, LOGS[2], 3)
    before = rows(engine)
    liar.tamper = silent
    with pytest.raises(ChainRefused, match="missing trie node"):
        follower.step()
    assert [one.problem for one in conditions.current(engine)] == ["chain-refused"]
    assert rows(engine) == before
    forgiven(follower, engine, liar, founded, second_engine)


def _header_field(name: str, value: str) -> Tamper:
    def tamper(method: str, _parameters: list[Any], result: Any) -> Any:
        return result | {name: value} if method == "eth_getBlockByNumber" and result else result

    return tamper


@pytest.mark.parametrize("name", ["stateRoot", "receiptsRoot", "parentHash", "hash"])
def test_a_header_that_is_not_its_hash_is_found(
    founded: Founded, rpc: Rpc, engine: Engine, liar: Liar, follower: Indexer, name: str
) -> None:
    few_anchors(founded, rpc)
    liar.tamper = _header_field(name, "0x" + "11" * 32)
    with pytest.raises(NodeDishonest, match="is not what its hash says"):
        follower.step()


def test_a_state_proof_that_proves_nothing_is_found(
    founded: Founded, rpc: Rpc, engine: Engine, second_engine: Engine, liar: Liar, follower: Indexer
) -> None:
    def tamper(method: str, _parameters: list[Any], result: Any) -> Any:
        if method == "eth_getProof":
            result["storageProof"][0]["proof"] = result["storageProof"][0]["proof"][:-1]
        return result

    few_anchors(founded, rpc)
    liar.tamper = tamper
    caught(follower, engine, "does not lead to the header's state root")
    forgiven(follower, engine, liar, founded, second_engine)


def test_a_node_that_contradicts_itself_is_not_asked_for_ever(
    founded: Founded, rpc: Rpc, engine: Engine, liar: Liar, follower: Indexer
) -> None:
    def tamper(method: str, parameters: list[Any], result: Any) -> Any:
        forged = method == "eth_getBlockByNumber" and int(parameters[0], 16) == quantity(rpc.call("eth_blockNumber"))
        return None if forged else result

    rpc.call("evm_mine")
    rpc.call("evm_mine")
    liar.tamper = tamper
    assert [follower.step() for _ in range(MAX_MOVES)] == [True] * MAX_MOVES
    with pytest.raises(NodeDishonest, match="again and again"):
        follower.step()
