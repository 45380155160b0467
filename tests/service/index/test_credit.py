"""Credit events come back from the chain as the rows of the index, as of any block, and are held against the state."""

import pytest
from filing import COMPANIES, Filing
from founding import Founded, catch_up, indexer, later
from happenings import lives
from sqlalchemy import Engine
from sqlmodel import Session, select

from anchors.credit import Named, State, fold
from ledger_service.chain import transactions
from ledger_service.chain.contracts import CREDIT_REGISTER, contract
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.credit.records import choices, events_in, record_of, subject_events, subject_of
from ledger_service.index.tables import CreditRecordVersion


@pytest.fixture
def filing(founded: Founded, rpc: Rpc) -> Filing:
    return Filing(founded, rpc)


def test_the_index_tells_what_happened_and_it_folds_to_the_word_of_the_chain(
    filing: Filing, engine: Engine, rpc: Rpc, founded: Founded
) -> None:
    first, second, clean, _ = COMPANIES
    lives(filing)
    catch_up(indexer(engine, rpc, founded))
    register = founded.address(CREDIT_REGISTER)
    with Session(engine) as session:
        found = subject_events(session, [first.key, second.key, clean.key])
        assert set(found) == {first.key, second.key}
        for subject, placed in found.items():
            assert events_in(placed, register) == filing.told(subject)
            assert fold(events_in(placed, register)) == word(rpc, register, subject)
        assert choices(session) == filing.choices
        assert subject_of(session, b"\1" * 32) is None


def test_a_record_is_told_as_of_any_block(filing: Filing, engine: Engine, rpc: Rpc, founded: Founded) -> None:
    subject = COMPANIES[0]
    (name,) = filing.publish(filing.record(subject))
    published = quantity(rpc.call("eth_blockNumber"))
    filing.change(subject.key, name, State.OBJECTED, by=3)
    catch_up(indexer(engine, rpc, founded))
    with Session(engine) as session:
        assert subject_of(session, name) == subject.key
        assert [
            len(subject_events(session, [subject.key], block).get(subject.key, ()))
            for block in (published - 1, published, published + 1)
        ] == [0, 1, 2]
        rows = session.exec(select(CreditRecordVersion).order_by(CreditRecordVersion.from_block)).all()  # type: ignore[arg-type]
        assert [(row.state, row.from_block, row.to_block) for row in rows] == [
            (State.PUBLISHED, published, published + 1),
            (State.OBJECTED, published + 1, None),
        ]
        assert {record_of(row) for row in rows} == {filing.record(subject, earlier=0)}
        assert {row.published_block for row in rows} == {published}


def test_the_chain_turned_back_takes_the_records_back(
    filing: Filing, engine: Engine, rpc: Rpc, founded: Founded
) -> None:
    subject, follower = COMPANIES[0], indexer(engine, rpc, founded)
    (name,) = filing.publish(filing.record(subject))
    catch_up(follower)
    before = rpc.call("evm_snapshot")
    filing.change(subject.key, name, State.WITHDRAWN)
    filing.choose(3, Named(name))
    catch_up(follower)
    rpc.call("evm_revert", before)
    later(rpc, 100)
    catch_up(follower)
    with Session(engine) as session:
        (row,) = session.exec(select(CreditRecordVersion)).all()
        assert (row.state, row.to_block) == (State.PUBLISHED, None)
        assert len(subject_events(session, [subject.key])[subject.key]) == 1
        assert choices(session) == []


def word(rpc: Rpc, register: bytes, subject: bytes) -> bytes:
    data = contract(CREDIT_REGISTER).call_data("subjectWord", subject)
    return transactions.call(rpc, register, data)
