"""Tenders come back from the chain as the rows of the index, as of any block, and stand as the register has them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from founding import Founded, catch_up, indexer, later
from happenings import tenders
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from tendering import BIDDERS, GROUNDS, PANEL, REASON, Tendering, bids

from anchors.chain.keccak import keccak256
from anchors.network import Contract
from anchors.tenders import (
    Answer,
    Bid,
    Candidates,
    Evaluation,
    Opening,
    Refusal,
    State,
    Tender,
    members_mask,
    open_list,
    pack_bids,
    pack_refusals,
)
from ledger_service.chain import transactions
from ledger_service.chain.contracts import REGISTRY, TENDER_REGISTER, contract
from ledger_service.chain.rpc import Rpc, hex_bytes, quantity
from ledger_service.index.tender_tables import ClaimVersion, TenderBid, TenderEvent, TenderVersion, read_members

NOTHING = bytes(32)


@pytest.fixture
def tendering(founded: Founded, rpc: Rpc) -> Tendering:
    return Tendering(founded, rpc)


def now(session: Session, tender: bytes) -> TenderVersion:
    rows = select(TenderVersion).where(TenderVersion.tender == tender, col(TenderVersion.to_block).is_(None))
    return session.exec(rows).one()


def stands(row: TenderVersion) -> tuple[Any, ...]:
    """What the row says, as the register writes it."""
    return (
        *(row.host, row.state, row.version, row.round, len(row.waiting) // 64, row.answer_days),
        *(row.deadline, row.opening),
        "0x" + (row.log or bytes(20)).hex(),
        *(row.generation or 0, row.size or 0, row.closed_in or 0, row.until or 0),
        members_mask(*read_members(row.members)),
        *(row.manifest or NOTHING, row.evaluation or NOTHING, row.panel or NOTHING, row.candidates or NOTHING),
    )


def of(row: TenderVersion) -> Tender:
    """What the row says, as the library writes it; but for the objections that were ruled on."""
    waiting = [row.waiting[at : at + 64] for at in range(0, len(row.waiting), 64)]
    return Tender(
        *(row.tender, row.host, members_mask(*read_members(row.members)), row.answer_days, row.deadline, row.opening),
        *(State(row.state), row.version, row.round, row.manifest or NOTHING, row.evaluation or NOTHING),
        *(row.panel or NOTHING, row.candidates or NOTHING, row.until or 0),
        {each[32:]: (each[:32], True) for each in waiting},
    )


def test_each_tender_stands_as_the_register_and_the_library_have_it(
    tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded
) -> None:
    names = tenders(tendering)
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:
        for name in names:
            row, told = now(session, name), tendering.tenders[name]
            (kept,) = founded.ask(rpc, TENDER_REGISTER, "tenderAt", name)
            assert stands(row) == kept
            assert (State(row.state), row.round, row.until or 0) == (told.state, told.round, told.until)
        states = [State(now(session, name).state) for name in names]
    assert states == [State.AWARDED, State.RETENDERED, State.FAILED]


def test_the_acts_can_be_put_together_again(tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded) -> None:
    name, *_ = tenders(tendering)
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:
        row = now(session, name)
        found = session.exec(select(TenderBid).where(TenderBid.tender == name)).all()
    entries = pack_bids([Bid(each.commitment, each.index or 0) for each in found if each.opened])
    refusals = pack_refusals([Refusal(each.commitment, each.reason or b"") for each in found if not each.opened])
    assert (entries, refusals) == tendering.lists[name]
    assert open_list(entries) == tendering.opened_list(name)
    given: Any = (row.root, row.count, row.refusals, row.record)
    assert Opening(name, *given).struct_hash() == row.manifest
    sites = members_mask(*read_members(row.sites or ""))
    given = (row.round, row.manifest, row.report, sites, row.panel, row.result)
    assert Evaluation(name, *given).struct_hash() == row.evaluation
    given = (row.evaluation, row.candidate_list, row.until)
    assert Candidates(name, *given).struct_hash() == row.candidates
    assert row.on_receipt == 4, "nothing was anchored"


def test_the_events_tell_the_whole_life(tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded) -> None:
    name, failed, _ = tenders(tendering)
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:
        in_order = (TenderEvent.block_number, TenderEvent.transaction_index, TenderEvent.log_index)
        rows = session.exec(select(TenderEvent).order_by(*map(col, in_order))).all()
    life = [row for row in rows if row.tender == name]
    assert [row.kind for row in life] == [
        *("published", "amended", "closed", "opened", "claimed", "claimed", "claimed", "claimed", "answered"),
        *("answered", "evaluated", "candidates", "objected", "objected", "ruled"),
        *("evaluated", "candidates", "ruled", "awarded"),
    ]
    assert [row.kind for row in rows if row.tender == failed] == ["published", "closed", "opened", "failed"]
    told = {row.kind: (row.subject, json.loads(row.data)) for row in life}
    assert told["published"][1]["members"] == [1, 2, 3]
    assert told["evaluated"][1]["sites"] == [1, 3]
    assert told["awarded"][1]["drawn"] == ["0x" + each.hex() for each in PANEL.drawn]
    assert told["answered"] == (BIDDERS[5].commitment, {"answer": "refused", "by": "0x" + REASON.hex()})
    assert told["claimed"][1]["received_at"] == tendering.tenders[name].deadline - 3600
    assert all(row.contract == founded.address(TENDER_REGISTER) for row in rows)


def test_claims_and_their_answers(tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded) -> None:
    name, *_ = tenders(tendering)
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:
        rows = session.exec(select(ClaimVersion).where(col(ClaimVersion.to_block).is_(None))).all()
    claims = {row.commitment: row for row in rows}
    answers = {commitment: (row.late, row.answer, row.by) for commitment, row in claims.items()}
    assert answers == {
        b"\xff" * 32: (True, None, None),
        BIDDERS[3].commitment: (False, Answer.WITHDRAWN, None),
        BIDDERS[4].commitment: (False, None, None),
        BIDDERS[5].commitment: (False, Answer.REFUSED, REASON),
    }
    for commitment, row in claims.items():
        (kept,) = founded.ask(rpc, TENDER_REGISTER, "claimAt", name, commitment)
        assert (row.answer_by, row.late, row.answer or 0) == kept
    assert claims[b"\xff" * 32].index == 2**64 - 1


def test_a_tender_is_told_as_of_any_block(tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded) -> None:
    stages = []
    name = tendering.publish()

    def passed() -> None:
        stages.append((quantity(rpc.call("eth_blockNumber")), tendering.tenders[name]))

    passed()
    for step in (tendering.close, tendering.open, tendering.evaluate, tendering.name_candidates, tendering.object_to):
        step(name)  # type: ignore[operator]
        passed()
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:
        rows = session.exec(select(TenderVersion).where(TenderVersion.tender == name)).all()
    for block, told in stages:
        (row,) = (one for one in rows if one.from_block <= block and (one.to_block is None or block < one.to_block))
        assert of(row) == told


def test_a_ruling_on_former_candidates_does_not_send_the_tender_back(
    tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded
) -> None:
    name, other = tendering.publish(), b"\1" * 32
    tendering.close(name)
    tendering.open(name, bids(3))
    follower = indexer(engine, rpc, founded)
    seen = []
    for step in (
        lambda: tendering.evaluate(name),
        lambda: tendering.name_candidates(name),
        lambda: (tendering.object_to(name), tendering.object_to(name, other)),
        lambda: tendering.rule(name, upheld=True),
        lambda: tendering.evaluate(name),
        lambda: tendering.name_candidates(name),
        lambda: tendering.rule(name, other, upheld=True),
    ):
        step()  # type: ignore[no-untyped-call]
        catch_up(follower)
        with Session(engine) as session:
            row = now(session, name)
        assert row.state == tendering.tenders[name].state
        assert len(row.waiting) // 64 == tendering.tenders[name].waiting
        seen.append(State(row.state).title)
    assert seen == ["evaluated", "candidates", "candidates", "opened", "evaluated", "candidates", "candidates"]


def test_the_chain_turned_back_takes_the_acts_back(
    tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded
) -> None:
    follower = indexer(engine, rpc, founded)
    name = tendering.publish()
    tendering.close(name)
    tendering.open(name)
    catch_up(follower)
    before, told = rpc.call("evm_snapshot"), tendering.tenders[name]
    tendering.claim(tendering.receipt(name, BIDDERS[5].commitment))
    tendering.evaluate(name)
    tendering.name_candidates(name)
    tendering.object_to(name, GROUNDS)
    catch_up(follower)
    rpc.call("evm_revert", before)
    later(rpc, 100)
    catch_up(follower)
    with Session(engine) as session:
        assert of(now(session, name)) == told
        assert session.exec(select(ClaimVersion)).all() == []
        assert [row.kind for row in session.exec(select(TenderEvent))] == ["published", "closed", "opened"]


def test_a_register_that_was_replaced_goes_on_with_its_tenders(
    tendering: Tendering, engine: Engine, rpc: Rpc, founded: Founded
) -> None:
    name = tendering.publish()
    follower = Tendering(with_another_register(founded, rpc), rpc)
    notice = tendering.notices[name]
    assert follower.publish(deadline=notice.deadline, opening=notice.opening) == name
    tendering.close(name)
    tendering.open(name, bids(3))
    follower.close(name)
    follower.open(name, bids(4))
    catch_up(indexer(engine, rpc, follower.founded))
    old, new = (each.founded.address(TENDER_REGISTER) for each in (tendering, follower))
    with Session(engine) as session:
        rows = session.exec(select(TenderVersion).where(col(TenderVersion.to_block).is_(None))).all()
        listed = session.exec(select(TenderBid)).all()
    assert {row.contract: of(row) for row in rows} == {old: tendering.tenders[name], new: follower.tenders[name]}
    assert sorted(each.contract for each in listed) == sorted([old] * 3 + [new] * 4)


def with_another_register(founded: Founded, rpc: Rpc) -> Founded:
    """The alliance after it has voted for another register."""
    network, key = founded.network, founded.opened[1, "anchorer"]
    code = contract(TENDER_REGISTER).deployment(founded.address(REGISTRY))
    nonce = transactions.next_nonce(rpc, key.address)
    signed = transactions.prepare(rpc, key, None, code, chain=network.chain_id, nonce=nonce)
    transactions.broadcast(rpc, signed.raw)
    made = transactions.wait_mined(rpc, signed.hash, 20.0)
    assert made.contract is not None
    founded.vote(rpc, REGISTRY, "setSystemContract", TENDER_REGISTER.encode(), made.contract)
    (before,) = network.contracts_named(TENDER_REGISTER)
    code_hash = keccak256(hex_bytes(rpc.call("eth_getCode", "0x" + made.contract.hex(), "latest")))
    after = Contract(TENDER_REGISTER, made.contract, code_hash, made.block_number, None)
    others = [each for each in network.contracts if each is not before]
    contracts = (*others, replace(before, to_block=made.block_number), after)
    return replace(founded, network=replace(network, contracts=contracts))


def test_an_alliance_without_a_tender_register_is_followed(
    founded: Founded, rpc: Rpc, engine: Engine, tendering: Tendering
) -> None:
    tendering.publish()
    left = tuple(each for each in founded.network.contracts if each.name != TENDER_REGISTER)
    older = replace(founded, network=replace(founded.network, contracts=left))
    catch_up(indexer(engine, rpc, older))
    with Session(engine) as session:
        assert session.exec(select(TenderVersion)).all() == []
