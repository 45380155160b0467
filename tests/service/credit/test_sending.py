"""What all have signed comes onto the chain once, whatever ends, turns, refuses or comes first in between."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from acting import HOUR, REASON, Acting, fresh_digest
from filing import COMPANIES, Filing
from founding import block_time, later
from liar import lying
from sqlmodel import Session, select

from anchors.credit import Issued, Kind, State
from ledger_service import conditions
from ledger_service.chain import transactions
from ledger_service.chain.contracts import CREDIT_REGISTER, REGISTRY
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.chain.transactions import LEFT_OUT_BLOCKS
from ledger_service.credit.records import subject_events
from ledger_service.errors import ChainUnreachable, NodeDishonest
from ledger_service.jobs import Job
from ledger_service.operations import sending as sending_module
from ledger_service.operations.sending import STALLED_AFTER, Sending, TransactionStalled
from ledger_service.operations.tables import Operation

DAY = 24 * HOUR


class KilledHereError(BaseException):
    """The process ends at this point."""


def ready(acting: Acting, **record: Any) -> dict[str, Any]:
    """A publication that all have signed."""
    return acting.sign_all(acting.publishing(acting.record(**record)))


def events(acting: Acting, company: int = 0) -> list[State]:
    acting.follow()
    with Session(acting.engine) as session:
        placed = subject_events(session, [COMPANIES[company].key]).get(COMPANIES[company].key, [])
        return [State(one.row.state) for one in placed]


def count(acting: Acting, company: int = 0) -> int:
    """How much has happened to a company's records, as the chain itself counts."""
    (word,) = acting.founded.ask(acting.rpc, CREDIT_REGISTER, "subjectWord", COMPANIES[company].key)
    return int.from_bytes(word[:4], "big")


def row(acting: Acting, operation: dict[str, Any]) -> Operation:
    with Session(acting.engine) as session:
        return session.exec(select(Operation).where(Operation.id == operation["id"])).one()


def nonce(acting: Acting) -> int:
    return transactions.next_nonce(acting.rpc, acting.key(1, "anchorer").address)


def problems(acting: Acting) -> dict[str, str]:
    return {one.problem: one.detail for one in conditions.current(acting.engine) if one.part == "sending"}


class TestStates:
    @pytest.mark.usefixtures("standstill")
    def test_from_ready_to_final(self, acting: Acting) -> None:
        acting.confirmations = 2
        operation, job = ready(acting), acting.sending()
        seen = []
        for _ in range(6):
            job.step()
            seen.append(acting.show(operation)["state"])
            acting.rpc.call("evm_mine")
            acting.follow()
        assert seen[:2] == ["sent", "mined"]
        assert seen == sorted(seen, key=["sent", "mined", "final"].index)
        final = acting.show(operation)
        assert final["state"] == "final"
        head = quantity(acting.rpc.call("eth_blockNumber"))
        assert final["block"] < head
        assert nonce(acting) == 1

    @pytest.mark.usefixtures("standstill")
    def test_what_touches_one_company_waits_and_others_go_along(self, acting: Acting) -> None:
        made = [ready(acting, subject=COMPANIES[at], document=fresh_digest()) for at in (0, 0, 1, 2)]
        job = acting.sending()
        for _ in range(3):
            job.step()
        assert [acting.show(one)["state"] for one in made] == ["sent", "ready", "sent", "sent"]
        assert [row(acting, one).nonce for one in made] == [0, None, 1, 2]
        for _ in range(4):
            acting.rpc.call("evm_mine")
            acting.follow()
            job.step()
        assert {acting.show(one)["state"] for one in made} == {"final"}
        assert (nonce(acting), count(acting)) == (4, 2)

    @pytest.mark.usefixtures("standstill")
    def test_no_more_than_a_few_are_under_way(self, acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending_module, "MAX_UNDER_WAY", 2)
        made = [ready(acting, subject=company, document=fresh_digest()) for company in COMPANIES]
        job = acting.sending()
        for _ in range(3):
            job.step()
        assert [acting.show(one)["state"] for one in made] == ["sent", "sent", "ready", "ready"]

    @pytest.mark.usefixtures("standstill")
    def test_what_follows_one_that_the_node_lost_comes_after_it(self, acting: Acting) -> None:
        made = [ready(acting, subject=company, document=fresh_digest()) for company in COMPANIES]
        snapshot, job = acting.rpc.call("evm_snapshot"), acting.sending()
        job.step()
        acting.rpc.call("evm_revert", snapshot)
        for _ in range(2 * len(made) * LEFT_OUT_BLOCKS):
            acting.rpc.call("evm_mine")
            acting.follow()
            job.step()
        assert {acting.show(one)["state"] for one in made} == {"final"}
        assert [count(acting, at) for at in range(4)] == [1] * 4

    def test_a_step_without_work_does_nothing(self, acting: Acting) -> None:
        acting.publishing(acting.record())
        assert acting.sending().step() is False
        assert nonce(acting) == 0
        assert problems(acting) == {}

    def test_an_eager_job_settles_all_that_there_is(self, acting: Acting) -> None:
        made = [ready(acting, document=fresh_digest()) for number in range(1, 6)]
        job = acting.sending()
        while job.step():
            acting.follow()
        assert {acting.show(one)["state"] for one in made} == {"final"}
        assert events(acting) == [State.PUBLISHED] * 5


class TestRestarts:
    def _killed_before(self, _rpc: Rpc, _raw: bytes) -> NoReturn:
        raise KilledHereError

    def _killed_after(self, rpc: Rpc, raw: bytes) -> NoReturn:
        transactions.broadcast(rpc, raw)
        raise KilledHereError

    @pytest.mark.parametrize("where", ["before", "after"])
    def test_between_storing_and_knowing(self, acting: Acting, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        operation = ready(acting)
        killed = self._killed_before if where == "before" else self._killed_after
        with monkeypatch.context() as patch:
            patch.setattr(sending_module, "broadcast", killed)
            with pytest.raises(KilledHereError):
                acting.sending().step()
        stored = row(acting, operation)
        assert (stored.state, stored.nonce) == ("sent", 0)
        final = acting.settle(operation, restarting=True)
        assert final["state"] == "final"
        assert final["transaction"] == "0x" + (stored.transaction_hash or b"").hex()
        assert (nonce(acting), count(acting)) == (1, 1)

    def test_before_each_write(self, acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
        """The process ends at its first write, is started, ends at its second, and so on."""
        operation = ready(acting)
        whole = Sending._set
        for allowed in range(8):
            left = [allowed]

            def set_or_die(self: Sending, *arguments: Any, left: list[int] = left, **facts: Any) -> bool:
                if not left[0]:
                    raise KilledHereError
                left[0] -= 1
                return whole(self, *arguments, **facts)

            with monkeypatch.context() as patch:
                patch.setattr(Sending, "_set", set_or_die)
                try:
                    acting.follow()
                    acting.sending().step()
                except KilledHereError:
                    pass
        assert acting.settle(operation, restarting=True)["state"] == "final"
        assert (nonce(acting), count(acting)) == (1, 1)

    @pytest.mark.usefixtures("standstill")
    def test_while_it_waits_for_its_block(self, acting: Acting) -> None:
        operation = ready(acting)
        for _ in range(4):
            acting.sending().step()
        assert acting.show(operation)["state"] == "sent"
        acting.rpc.call("evm_mine")
        assert acting.settle(operation, restarting=True)["state"] == "final"
        assert (nonce(acting), count(acting)) == (1, 1)


class TestOthersComeFirst:
    def test_a_publication_is_sent_with_the_links_since(self, acting: Acting, filing: Filing) -> None:
        operation = ready(acting)
        filing.publish(filing.record(COMPANIES[0], member=3, document=os.urandom(32)))
        assert acting.settle(operation)["state"] == "final"
        assert (count(acting), events(acting)) == (2, [State.PUBLISHED] * 2)

    def test_what_the_index_has_not_followed_yet_is_waited_for(self, acting: Acting, filing: Filing) -> None:
        operation = ready(acting)
        filing.publish(filing.record(COMPANIES[0], member=3, document=os.urandom(32)))
        job, before = acting.sending(), nonce(acting)
        for _ in range(3):
            assert job.step() is False
        assert (acting.show(operation)["state"], nonce(acting)) == ("ready", before)
        assert acting.settle(operation)["state"] == "final"

    def test_it_is_sent_anew_when_it_was_overtaken_in_its_block(
        self, acting: Acting, filing: Filing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operation = ready(acting)
        with monkeypatch.context() as patch:
            patch.setattr(sending_module, "broadcast", self._too_late)
            with pytest.raises(KilledHereError):
                acting.sending().step()
        other = filing.record(COMPANIES[0], member=3, document=os.urandom(32))
        filing.founded.opened[1, "anchorer"], saved = acting.key(4, "anchorer"), acting.key(1, "anchorer")
        try:
            filing.publish(other)
        finally:
            filing.founded.opened[1, "anchorer"] = saved
        assert acting.settle(operation)["state"] == "final"
        assert nonce(acting) == 2, "the first was refused in its block"
        assert (count(acting), events(acting)) == (2, [State.PUBLISHED] * 2)

    @staticmethod
    def _too_late(_rpc: Rpc, _raw: bytes) -> NoReturn:
        raise KilledHereError

    def test_what_somebody_else_sent_counts_as_well(self, acting: Acting) -> None:
        deadline = block_time(acting.rpc) + HOUR
        first, second = (
            acting.sign_all(acting.publishing(acting.record(earlier=0), deadline=deadline)) for _ in range(2)
        )
        assert first["digest"] == second["digest"]
        one, other = acting.settle(first), acting.settle(second)
        assert (one["state"], other["state"]) == ("final", "final")
        assert one["block"] == other["block"]
        assert other["transaction"] is None
        assert (nonce(acting), count(acting)) == (1, 1)

    def test_a_change_of_what_was_changed_since_is_refused(self, acting: Acting) -> None:
        (name,) = acting.published()
        objections = [acting.sign_all(acting.changing(name, "objections")) for _ in range(2)]
        withdrawal = acting.sign_all(acting.changing(name, "withdrawal"))
        found = [acting.settle(one) for one in (*objections, withdrawal)]
        assert [one["state"] for one in found] == ["final", "final", "refused"]
        assert found[0]["block"] == found[1]["block"], "of the same words"
        assert found[2]["error"]["name"] == "superseded"
        assert found[2]["transaction"] is None
        assert events(acting) == [State.PUBLISHED, State.OBJECTED]

    def test_a_choice_that_was_made_since_is_refused(self, acting: Acting, filing: Filing) -> None:
        body = {"applied": False, "reason": REASON}
        operation = acting.sign_all(acting.drawn_up("PUT", "/v1/recognition/kinds/guizhou/general", body))
        filing.choose(2, Issued(3, Kind.GENERAL))
        found = acting.settle(operation)
        assert (found["state"], found["error"]["name"]) == ("refused", "superseded")

    def test_several_records_of_one_company_that_were_overtaken(self, acting: Acting, filing: Filing) -> None:
        records = [acting.record(document=fresh_digest()) for number in (1, 2)]
        operation = acting.sign_all(acting.publishing(*records))
        filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        found = acting.settle(operation)
        assert (found["state"], found["error"]["name"]) == ("refused", "superseded")


class TestRefusals:
    def test_a_signer_who_lost_the_role(self, acting: Acting) -> None:
        operation = ready(acting)
        publisher = "0x" + acting.key(2, "credit-publisher").address.hex()
        acting.founded.send(acting.rpc, acting.key(2, "governor"), REGISTRY, "revokeOwnRole", publisher, 3)
        found = acting.settle(operation)
        assert (found["state"], found["error"]["name"]) == ("refused", "AllianceRegistry_NotInForce")
        assert publisher[2:] in found["error"]["detail"]
        assert problems(acting) == {}, "the part is well; the operation is not"

    def test_one_that_is_refused_does_not_hold_the_next_up(self, acting: Acting) -> None:
        (name,) = acting.published(acting.record(COMPANIES[1]))
        acting.done(acting.changing(name, "objections"))
        late = acting.sign_all(acting.changing(name, "withdrawal"))
        early = acting.sign_all(acting.changing(name, "rulings", ruling="uphold"))
        last = ready(acting)
        assert [acting.settle(one)["state"] for one in (late, early, last)] == ["final", "refused", "final"]

    def test_the_deadline_is_over_before_it_is_sent(self, acting: Acting) -> None:
        operation = acting.sign_all(acting.publishing(acting.record(), deadline=block_time(acting.rpc) + HOUR))
        later(acting.rpc, HOUR + 10)
        assert acting.settle(operation)["state"] == "expired"
        assert (nonce(acting), count(acting)) == (0, 0)

    @pytest.mark.usefixtures("standstill")
    def test_the_deadline_is_over_while_it_waits(self, acting: Acting) -> None:
        operation = acting.sign_all(acting.publishing(acting.record(), deadline=block_time(acting.rpc) + HOUR))
        acting.sending().step()
        assert acting.show(operation)["state"] == "sent"
        acting.rpc.call("evm_increaseTime", HOUR + 10)
        acting.rpc.call("evm_mine")
        assert acting.settle(operation)["state"] == "expired"
        assert count(acting) == 0


class TestTurnsOfTheChain:
    @pytest.mark.parametrize("confirmations", [0, 50])
    def test_what_was_taken_back_is_sent_again(self, acting: Acting, confirmations: int) -> None:
        acting.confirmations = confirmations
        operation, snapshot = ready(acting), acting.rpc.call("evm_snapshot")
        job = acting.sending()
        for _ in range(3):
            job.step()
            acting.follow()
        assert acting.show(operation)["state"] == ("final" if confirmations == 0 else "mined")
        acting.rpc.call("evm_revert", snapshot)
        later(acting.rpc, 100)
        later(acting.rpc, 100)
        acting.follow()
        assert count(acting) == 0
        seen = [acting.show(operation)["state"]]
        for _ in range(3 * LEFT_OUT_BLOCKS):
            job.step()
            seen.append(acting.show(operation)["state"])
            acting.rpc.call("evm_mine")
            acting.follow()
        assert "sent" in seen
        job.step()
        assert acting.show(operation)["state"] == seen[0]
        assert count(acting) == 1
        assert events(acting) == [State.PUBLISHED]

    def test_several_that_were_taken_back(self, acting: Acting) -> None:
        acting.confirmations = 50
        first, second = ready(acting), ready(acting, subject=COMPANIES[1])
        snapshot, job = acting.rpc.call("evm_snapshot"), acting.sending()
        for _ in range(4):
            job.step()
            acting.follow()
        assert [acting.show(one)["state"] for one in (first, second)] == ["mined", "mined"]
        acting.rpc.call("evm_revert", snapshot)
        later(acting.rpc, 100)
        for _ in range(6 * LEFT_OUT_BLOCKS):
            acting.rpc.call("evm_mine")
            acting.follow()
            job.step()
        assert [acting.show(one)["state"] for one in (first, second)] == ["mined", "mined"]
        assert (count(acting), count(acting, 1)) == (1, 1)

    def test_a_change_of_a_record_that_the_turn_took_away(self, acting: Acting, filing: Filing) -> None:
        acting.confirmations = 50
        snapshot = acting.rpc.call("evm_snapshot")
        (name,) = filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        objection = acting.sign_all(acting.changing("0x" + name.hex(), "objections"))
        acting.rpc.call("evm_revert", snapshot)
        later(acting.rpc, 100)
        later(acting.rpc, 100)
        found = acting.settle(objection)
        assert (found["state"], found["error"]["name"]) == ("refused", "superseded")


class TestTroubles:
    def test_no_node_is_a_condition_until_there_is_one(self, acting: Acting) -> None:
        operation = ready(acting)
        with Rpc("http://127.0.0.1:1", timeout=1) as nowhere, pytest.raises(ChainUnreachable):
            acting.sending(nowhere).step()
        assert list(problems(acting)) == ["chain-unreachable"]
        assert acting.settle(operation)["state"] == "final"
        assert problems(acting) == {}

    @pytest.mark.usefixtures("standstill")
    def test_no_block_is_a_condition(self, acting: Acting) -> None:
        operation, job = ready(acting), acting.sending()
        job.step()
        acting.clock.now += STALLED_AFTER + timedelta(seconds=1)
        with pytest.raises(TransactionStalled, match="has waited for a block since"):
            job.step()
        assert list(problems(acting)) == ["chain-stalled"]
        acting.rpc.call("evm_mine")
        assert acting.settle(operation)["state"] == "final"
        assert problems(acting) == {}

    @pytest.mark.usefixtures("standstill")
    def test_a_node_that_says_mined_of_what_is_not(self, acting: Acting) -> None:
        operation, head = ready(acting), acting.rpc.call("eth_getBlockByNumber", "latest", False)
        assert isinstance(head, dict)
        said = {"blockNumber": head["number"], "blockHash": head["hash"], "status": "0x1", "contractAddress": None}
        with lying(acting.rpc) as liar, Rpc(liar.url) as dishonest:
            job = acting.sending(dishonest)
            assert job.step()
            liar.tamper = lambda method, _, answer: said if method == "eth_getTransactionReceipt" else answer
            assert job.step()
            with pytest.raises(NodeDishonest, match="it does not"):
                job.step()
        assert list(problems(acting)) == ["node-dishonest"]
        acting.rpc.call("evm_mine")
        assert acting.settle(operation)["state"] == "final"
        assert (nonce(acting), count(acting)) == (1, 1)

    def test_as_a_job_beside_the_index(self, acting: Acting) -> None:
        operation = ready(acting)
        stop = Stop(acting.follow, lambda: acting.show(operation)["state"] == "final")
        Job("sending", acting.sending().step, eager=True).run(stop, 0.01)
        assert acting.show(operation)["state"] == "final"


class Stop:
    """Ends a job when something is reached, and lets the index follow in between."""

    def __init__(self, between: Callable[[], None], reached: Callable[[], bool]) -> None:
        self._between, self._reached, self._rounds = between, reached, 0

    def is_set(self) -> bool:
        self._between()
        self._rounds += 1
        assert self._rounds < 50
        return self._reached()

    def wait(self, _seconds: float) -> None:
        """Go on at once."""
