"""Following a real chain: every event is in the tables, turns of the chain leave no trace, troubles are named."""

import threading
from dataclasses import replace

import pytest
from founding import CODES, NOW, Founded, block_time, catch_up, indexer
from happenings import FRESH, LOGS, PROMISED, everything, few_anchors
from index_rows import rows
from liar import Forger, lying
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, col, select

from ledger_service import conditions
from ledger_service.alliance import queries
from ledger_service.chain import devnet
from ledger_service.chain.contracts import COMPILED, EVIDENCE_LOG, REGISTRY
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.database import open_engine
from ledger_service.errors import ChainUnreachable
from ledger_service.index import tables
from ledger_service.index.completeness import ContractMissing
from ledger_service.index.decode import LAYOUTS
from ledger_service.index.events import Role, Status
from ledger_service.index.indexer import Followed, Indexer, WrongChain
from ledger_service.index.queries import progress, reorganisations
from ledger_service.jobs import Job
from ledger_service.keys import MEMBER_ROLES


def head(rpc: Rpc) -> int:
    return quantity(rpc.call("eth_blockNumber"))


def fresh(rpc: Rpc, founded: Founded) -> dict[str, list[tuple[object, ...]]]:
    """The rows of an index that has seen nothing but the chain as it is now."""
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    catch_up(indexer(engine, rpc, founded))
    return rows(engine)


def problems(engine: Engine) -> dict[str, str]:
    return {one.problem: one.detail for one in conditions.current(engine) if one.part == "index"}


def test_every_event_of_the_contracts_is_in_the_tables(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    everything(founded, rpc)
    logs = rpc.call(
        "eth_getLogs",
        {"fromBlock": "0x0", "address": ["0x" + founded.address(name).hex() for name in COMPILED]},
    )
    assert isinstance(logs, list)
    assert {bytes.fromhex(log["topics"][0][2:]) for log in logs} == set(LAYOUTS), "everything() makes all happen"

    catch_up(indexer(engine, rpc, founded))

    with Session(engine) as session:
        _check_members(session, founded, rpc)
        _check_operators(session, founded, rpc)
        _check_rest(session, founded, rpc)
        _check_log(session, founded)
        where = progress(session)
    assert where.block == where.verified_block == where.node_head == head(rpc)
    assert where.lag == 0
    assert problems(engine) == {}


def _check_members(session: Session, founded: Founded, rpc: Rpc) -> None:
    now = select(tables.MemberVersion).where(col(tables.MemberVersion.to_block).is_(None))
    members = {member.number: member for member in session.exec(now)}
    assert sorted(members) == [1, 2, 3, 4, 5]
    for number, member in members.items():
        code, name, log_key, status = founded.ask(rpc, REGISTRY, "memberAt", number)
        assert member.code.encode().ljust(32, b"\0") == code
        assert member.name == name.replace("\0", "\ufffd")
        assert (member.log_key, member.status) == (log_key, status)
    versions = session.exec(select(tables.MemberVersion).where(tables.MemberVersion.number == 4)).all()
    assert [one.status for one in sorted(versions, key=lambda one: one.from_block)] == [
        Status.ACTIVE,
        Status.SUSPENDED,
        Status.ACTIVE,
        Status.ACTIVE,
    ]
    keys = session.exec(select(tables.LogKey).where(tables.LogKey.member == 2)).all()
    assert [(key.generation, key.from_size) for key in keys] == [(0, 0), (0, 8)]


def _check_operators(session: Session, founded: Founded, rpc: Rpc) -> None:
    now = session.exec(select(tables.OperatorVersion).where(col(tables.OperatorVersion.to_block).is_(None))).all()
    assert len(now) == len(CODES) * len(MEMBER_ROLES) + 4
    for one in now:
        (tenure,) = founded.ask(rpc, REGISTRY, "tenure", "0x" + one.address.hex(), one.role)
        assert (one.member, one.from_time, one.until_time, one.revoked, one.generation, one.size) == tenure[:6]
    by_role = {(one.address, one.role): one for one in now}
    assert by_role[FRESH[2], Role.RECEIPT_SIGNER].revoked
    assert by_role[FRESH[3], Role.REGULATOR].until_time == 2**64 - 1
    request = session.exec(select(tables.RegulatorRequestVersion)).all()[-1]
    assert (request.member, request.address, request.second) == (1, FRESH[3], 2)


def _check_rest(session: Session, founded: Founded, rpc: Rpc) -> None:
    parameters = session.exec(
        select(tables.ParameterVersion).where(col(tables.ParameterVersion.to_block).is_(None))
    ).all()
    for parameter in parameters:
        assert founded.ask(rpc, REGISTRY, "parameter", parameter.name.encode()) == (parameter.value,)
    contracts = session.exec(select(tables.SystemContractVersion)).all()
    assert {(one.name, one.address) for one in contracts} == {
        *((name, founded.address(name)) for name in COMPILED if name != REGISTRY),
        ("Other", founded.address(REGISTRY)),
    }
    proposals = session.exec(select(tables.ProposalVersion).where(col(tables.ProposalVersion.to_block).is_(None))).all()
    assert all(one.executed for one in proposals)
    for one in proposals:
        (proposal,) = founded.ask(rpc, REGISTRY, "proposal", one.id)
        assert ("0x" + one.target.hex(), one.lapses_at, one.executed, one.data) == proposal
        voices = session.exec(select(tables.Approval.member).where(tables.Approval.proposal == one.id)).all()
        assert sorted(voices) == [1, 2, 3]


def _check_log(session: Session, founded: Founded) -> None:
    anchors = session.exec(select(tables.Anchor)).all()
    assert [(one.member, one.generation, one.size, one.count) for one in anchors] == [
        (2, 0, 3, 1),
        (2, 0, 8, 2),
        (3, 0, 1, 1),
        (3, 1, 5, 2),
    ]
    assert all(one.root == LOGS[one.member].root(one.size) for one in anchors)
    (end,) = session.exec(select(tables.GenerationEnd)).all()
    assert (end.member, end.generation, end.size, end.root) == (3, 0, 1, LOGS[3].root(1))
    faults = {one.kind: one for one in session.exec(select(tables.Fault))}
    broken, late = faults["broken"], faults["late"]
    assert (broken.member, broken.index, broken.promised) == (2, 1, PROMISED)
    assert broken.found == LOGS[2].entries(8)[1]
    assert (late.member, late.index) == (2, 2**64 - 1)


def test_small_ranges_give_the_same_rows(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    everything(founded, rpc)
    follower = indexer(engine, rpc, founded)
    follower._range = 1
    catch_up(follower)
    assert rows(engine) == fresh(rpc, founded)


def test_after_a_turn_the_rows_are_those_of_a_fresh_index(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    few_anchors(founded, rpc)
    follower = indexer(engine, rpc, founded)
    catch_up(follower)
    before = rows(engine)
    fork = head(rpc)
    snapshot = rpc.call("evm_snapshot")
    everything_else(founded, rpc)
    catch_up(follower)
    assert rows(engine) != before

    rpc.call("evm_revert", snapshot)
    assert head(rpc) == fork
    catch_up(follower)
    assert rows(engine) == before, "the chain is shorter now"

    founded.anchor(rpc, 4, LOGS[4], 2)
    founded.vote(rpc, REGISTRY, "rename", 1, "another branch")
    catch_up(follower)
    assert rows(engine) == fresh(rpc, founded)
    with Session(engine) as session:
        count, (turn,) = reorganisations(session)
    assert (count, turn.common_block) == (1, fork)


def everything_else(founded: Founded, rpc: Rpc) -> None:
    """Changes of every kind of row, which a turn takes back."""
    founded.anchor(rpc, 2, LOGS[2], 20)
    founded.vote(rpc, REGISTRY, "setStatus", 4, 2)
    founded.vote(rpc, EVIDENCE_LOG, "closeGeneration", 2)
    founded.send(rpc, founded.opened[1, "governor"], REGISTRY, "setOwnLogKey", b"\x07" * 32)


@pytest.mark.parametrize("longer", [0, 1, 3])
def test_a_turn_to_a_branch_of_any_length_is_followed(founded: Founded, rpc: Rpc, engine: Engine, longer: int) -> None:
    follower = indexer(engine, rpc, founded)
    catch_up(follower)
    snapshot = rpc.call("evm_snapshot")
    few_anchors(founded, rpc)
    catch_up(follower)
    old_head = head(rpc)
    rpc.call("evm_revert", snapshot)
    founded.anchor(rpc, 1, LOGS[1], 1)
    while head(rpc) < old_head + longer:
        rpc.call("evm_mine")
    catch_up(follower)
    assert rows(engine) == fresh(rpc, founded)


def test_a_turn_back_to_block_0_keeps_what_was_verified_there(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    pinned = Followed.pinned(founded.network)
    from_genesis = {name: replace(contract, from_block=0) for name, contract in pinned.contracts.items()}
    with lying(rpc) as liar, Rpc(liar.url) as node:
        follower = Indexer(engine, node, replace(pinned, contracts=from_genesis), lambda: NOW)
        for _ in (0, 1):
            follower._range = 1
            assert follower.step()
        with Session(engine) as session:
            state = session.get_one(tables.IndexState, 1)
            state.verified_block = 0  # as on a chain that has the contracts in its genesis block
            session.add(state)
            session.commit()
        liar.tamper = Forger(rpc, 1, lambda receipts: receipts[0]["logs"].clear())
        assert follower.step()
    with Session(engine) as session:
        where = progress(session)
        count, (turn,) = reorganisations(session)
    assert (count, turn.common_block) == (1, 0)
    assert (where.block, where.verified_block) == (0, 0)


def test_as_of_a_block_just_one_version_holds(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    catch_up(indexer(engine, rpc, founded))
    before = head(rpc)
    founded.vote(rpc, REGISTRY, "rename", 4, "renamed")
    after = head(rpc)
    catch_up(indexer(engine, rpc, founded))
    names = {}
    with Session(engine) as session:
        for block in (before, after - 1, after):
            until = col(tables.MemberVersion.to_block)
            holds = (col(tables.MemberVersion.from_block) <= block) & (until.is_(None) | (until > block))
            names[block] = session.exec(
                select(tables.MemberVersion.name).where(holds, tables.MemberVersion.number == 4)
            ).one()
    assert names == {before: "yunnan 中心", after - 1: "yunnan 中心", after: "renamed"}


def test_members_and_anchors_are_read_as_of_a_block(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    blocks = [founded.anchor(rpc, 2, LOGS[2], size).block_number for size in (3, 8, 9)]
    founded.vote(rpc, REGISTRY, "rename", 2, "renamed")
    renamed = head(rpc)
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:

        def sizes(as_of: int | None, after: tuple[int, int] = (0, 0), limit: int = 10) -> list[int]:
            return [one.anchor.size for one in queries.anchors(session, 2, as_of, after, limit)]

        assert [sizes(as_of) for as_of in (blocks[0] - 1, *blocks, None)] == [[], [3], [3, 8], [3, 8, 9], [3, 8, 9]]
        assert sizes(None, after=(0, 3), limit=1) == [8]
        assert sizes(blocks[1], after=(0, 8)) == []
        (first, *_) = queries.anchors(session, 2, None, (0, 0), 1)
        assert first.time == block_time(rpc, hex(blocks[0]))

        assert [one.number for one in queries.members(session, None, 1, 2)] == [2, 3]
        names = [queries.member(session, "sichuan", as_of) for as_of in (renamed - 1, renamed, None)]
        assert [one.name if one else None for one in names] == ["sichuan 中心", "renamed", "renamed"]
        assert queries.member(session, "sichuan", founded.network.contracts[0].from_block - 1) is None
        assert queries.member(session, "tibet") is None


def test_a_node_of_another_chain_is_refused_and_nothing_is_lost(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    catch_up(indexer(engine, rpc, founded))
    before = rows(engine)
    with devnet.running("anvil", chain_id=1337) as other, Rpc(other.rpc) as stranger:
        follower = Indexer(engine, stranger, Followed.pinned(founded.network), lambda: NOW)
        with pytest.raises(WrongChain, match="another chain"):
            follower.step()
    assert "wrong-chain" in problems(engine)
    assert rows(engine) == before


def test_a_chain_without_the_contracts_is_named(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    pinned = founded.network.contracts[1]
    wrong = {
        REGISTRY: founded.network.contracts[0],
        EVIDENCE_LOG: type(pinned)(EVIDENCE_LOG, b"\x01" * 20, pinned.code_hash, pinned.from_block, None),
    }
    followed = Followed(founded.network.genesis_hash, founded.network.consensus, wrong)
    follower = Indexer(engine, rpc, followed, lambda: NOW)
    with pytest.raises(ContractMissing, match="EvidenceLog 0x0101"):
        follower.step()
    assert "contract-missing" in problems(engine)
    assert rows(engine)["chain_block"] == []


def test_a_node_that_is_gone_stands_in_the_conditions_until_it_is_back(
    founded: Founded, rpc: Rpc, engine: Engine
) -> None:
    gone = Rpc("http://127.0.0.1:1")
    follower = indexer(engine, gone, founded)
    with pytest.raises(ChainUnreachable):
        follower.step()
    assert "chain-unreachable" in problems(engine)
    catch_up(indexer(engine, rpc, founded))
    assert problems(engine) == {}


def test_it_runs_until_it_is_stopped(founded: Founded, rpc: Rpc, engine: Engine) -> None:
    stop = threading.Event()
    job = Job("index_step", indexer(engine, rpc, founded).step, eager=True)
    thread = threading.Thread(target=job.run, args=(stop, 0.01))
    thread.start()
    few_anchors(founded, rpc)
    wanted = head(rpc)
    deadline = threading.Event()
    for _ in range(1000):
        with Session(engine) as session:
            if progress(session).block == wanted:
                break
        deadline.wait(0.01)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    with Session(engine) as session:
        assert progress(session).block == wanted
