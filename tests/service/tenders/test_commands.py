"""Acts in tenders asked for over the API: what must sign them, and how each thing that may not be is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from bidding import Room
from conftest import Clock
from eth_account.messages import encode_typed_data
from founding import Founded
from holding import DIGEST, GROUNDS, PAPER, REASON, Holding
from sqlmodel import Session, select
from tendering import BIDDERS, DAY, PANEL, Tendering, bids

from anchors.chain.keccak import keccak256
from anchors.tenders import Bid, least_until, open_list, pack_bids
from ledger_service.chain.rpc import Rpc
from ledger_service.operations.tables import Operation
from ledger_service.tenders.ground import TenderGround

Follow = Callable[[], None]
OTHER = "0x" + "9" * 64


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:bidledger:problem:")


def stored(ground: TenderGround) -> int:
    with Session(ground.engine) as session:
        return len(session.exec(select(Operation.number)).all())


def path_of(tender: bytes) -> str:
    return f"/v1/tenders/0x{tender.hex()}"


# ---- what is drawn up ----


def test_a_joint_notice_waits_for_an_officer_of_each_member(holding: Holding, ground: TenderGround) -> None:
    operation = holding.drawn_up("/v1/tenders", holding.notice())
    assert (operation["act"], operation["state"]) == ("tender", "collecting")
    assert operation["needed"]["officers"] == ["chongqing", "sichuan", "guizhou"]
    assert operation["request"]["notice"]["digest"] == DIGEST
    for member in (1, 3):
        assert holding.sign(operation, member, "tender-officer").json()["state"] == "collecting"
    assert problem(holding.sign(operation, 2, "regulator")) == (422, "wrong-role")
    assert problem(holding.sign(operation, 4, "tender-officer")) == (422, "other-member")
    assert problem(holding.sign(operation, 1, "governor")) == (422, "governor-signature")
    assert holding.sign(operation, 2, "tender-officer").json()["state"] == "ready"


def test_wallets_sign_the_same_digest(holding: Holding, room: Room, tendering: Tendering, follow: Follow) -> None:
    """Each act's typed data, hashed by a library that shares no code with ours."""
    tender = holding.announced()
    name = bytes.fromhex(tender[-64:])
    drawn = [holding.drawn_up("/v1/tenders", holding.notice(digest=OTHER))]
    drawn.append(holding.drawn_up(f"{tender}/amendments", {"amendment": {"digest": PAPER, "reason": REASON}}))
    drawn.append(holding.drawn_up(f"{tender}/failure", {"reason": REASON}))
    room.handed_in(name, *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    drawn.append(holding.drawn_up(f"{tender}/opening", {"record": PAPER}))
    holding.settle(holding.sign_all(drawn[-1]))
    drawn.append(holding.drawn_up(f"{tender}/evaluation", holding.evaluation()))
    holding.settle(holding.sign_all(drawn[-1]))
    drawn.append(holding.drawn_up(f"{tender}/candidates", holding.candidates()))
    holding.settle(holding.sign_all(drawn[-1]))
    drawn.append(holding.drawn_up(f"{tender}/objections", {"grounds": GROUNDS}))
    holding.settle(holding.sign_all(drawn[-1]))
    ruling = {"grounds": GROUNDS, "upheld": False, "ruling": PAPER}
    drawn.append(holding.drawn_up(f"{tender}/rulings", ruling))
    holding.settle(holding.sign_all(drawn[-1]))
    holding.wait_until(holding.told(tender)["candidates"]["until"])
    drawn.append(holding.drawn_up(f"{tender}/award", holding.award()))
    assert len({operation["act"] for operation in drawn}) == 9
    for operation in drawn:
        signable = encode_typed_data(full_message=operation["typed_data"])
        digest = keccak256(b"\x19" + signable.version + signable.header + signable.body)
        assert "0x" + digest.hex() == operation["digest"], operation["act"]


def test_who_signs_an_opening_sees_the_whole_list(holding: Holding, room: Room) -> None:
    tender = holding.announced()
    received = room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:4])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    operation = holding.drawn_up(f"{tender}/opening", {"record": PAPER})
    listed = [Bid(bytes.fromhex(one["commitment"][2:]), one["index"]) for one in operation["request"]["bids"]]
    assert set(listed) == {Bid(one.commitment, one.index) for one in received}
    assert operation["typed_data"]["message"]["act"]["root"] == "0x" + open_list(pack_bids(listed)).root.hex()


def test_the_same_request_is_one_operation(holding: Holding) -> None:
    headers = {"idempotency-key": "one"}
    body = holding.notice()
    first = holding.drawn_up("/v1/tenders", body, **headers)
    assert holding.drawn_up("/v1/tenders", body, **headers)["id"] == first["id"]
    other = holding.ask("/v1/tenders", holding.notice(digest=OTHER), **headers)
    assert problem(other) == (422, "idempotency-mismatch")


def test_closing_takes_no_signature(holding: Holding) -> None:
    tender = holding.announced()
    holding.wait_until(holding.told(tender)["deadline"])
    operation = holding.drawn_up(f"{tender}/closing", {})
    assert (operation["state"], operation["typed_data"], operation["signatures"]) == ("ready", {}, [])


# ---- what is refused ----


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"members": ["sichuan", "guizhou"]}, "host-missing"),
        ({"members": ["chongqing", "nobody"]}, "unknown-member"),
        ({"members": []}, "invalid-content"),
        ({"digest": "0x" + "0" * 64}, "act-incomplete"),
        ({"digest": "0x12"}, "invalid-content"),
        ({"former": OTHER}, "not-found"),
        ({"deadline": 1}, "deadline-over"),
        ({"opening": 1}, "opening-before-deadline"),
        ({"answer_days": 2}, "answer-days-outside"),
        ({"answer_days": 31}, "answer-days-outside"),
        ({"more": 1}, "invalid-content"),
    ],
)
def test_a_notice_that_may_not_be(
    holding: Holding, ground: TenderGround, changes: dict[str, object], expected: str
) -> None:
    answer = holding.ask("/v1/tenders", holding.notice(**changes))
    assert problem(answer)[1] == expected
    assert stored(ground) == 0


def test_who_may_not_ask(holding: Holding) -> None:
    body = holding.notice()
    assert problem(holding.ask("/v1/tenders", body, key=None)) == (401, "not-authenticated")
    assert problem(holding.ask("/v1/tenders", body, key="bidder")) == (403, "not-allowed")
    assert problem(holding.ask("/v1/tenders", body | {"deadline": 1})) == (422, "deadline-not-allowed")
    assert problem(holding.ask(f"/v1/tenders/{OTHER}/closing", {})) == (404, "not-found")


def test_the_same_notice_twice(holding: Holding) -> None:
    body = holding.notice()
    holding.done("/v1/tenders", body)
    assert problem(holding.ask("/v1/tenders", body)) == (422, "announced-already")


def test_a_tender_that_has_not_failed_is_not_replaced(holding: Holding) -> None:
    tender = holding.announced()
    again = holding.ask("/v1/tenders", holding.notice(former=tender[-66:], digest=OTHER))
    assert problem(again) == (422, "not-to-replace")


def test_nothing_is_taken_before_its_time(
    holding: Holding, room: Room, tendering: Tendering, ground: TenderGround, follow: Follow
) -> None:
    """The early-opening trap, and every other act out of its turn; nothing of it is stored."""
    now = holding.now
    tender = path_of(tendering.publish(opening=now + 2 * DAY))
    follow()
    room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
    opening: dict[str, object] = {"record": PAPER}
    listed = opening | {"bids": [{"commitment": "0x" + bid.commitment.hex(), "index": bid.place} for bid in bids(3)]}

    def refused(what: str, body: Any) -> str:
        status, name = problem(holding.ask(f"{tender}/{what}", body))
        assert status == 422
        return name

    assert refused("closing", {}) == "still-open"
    for body in (opening, listed):
        assert refused("opening", body) == "opened-early"
    assert refused("evaluation", holding.evaluation()) == "not-opened"
    assert refused("candidates", holding.candidates()) == "not-evaluated"
    assert refused("objections", {"grounds": GROUNDS}) == "no-candidates"
    assert refused("rulings", {"grounds": GROUNDS, "upheld": True, "ruling": PAPER}) == "nothing-to-rule"
    assert refused("award", holding.award()) == "no-candidates"
    holding.wait_until(now + DAY + 10)
    assert refused("amendments", {"amendment": {"digest": PAPER, "reason": REASON}}) == "deadline-over"
    for body in (opening, listed):
        assert refused("opening", body) == "opened-early"
    holding.wait_until(now + 2 * DAY)
    assert refused("opening", listed) == "not-closed"
    assert refused("evaluation", holding.evaluation()) == "not-opened"
    assert stored(ground) == 0


def test_nothing_is_taken_a_second_time(holding: Holding, room: Room) -> None:
    tender = holding.announced()
    room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    assert problem(holding.ask(f"{tender}/closing", {}))[1] == "already-closed"
    holding.done(f"{tender}/opening", {"record": PAPER})
    assert problem(holding.ask(f"{tender}/opening", {"record": PAPER}))[1] == "already-opened"
    holding.done(f"{tender}/evaluation", holding.evaluation())
    assert problem(holding.ask(f"{tender}/evaluation", holding.evaluation()))[1] == "already-evaluated"
    too_short = holding.candidates(until=least_until(holding.now) - 1)
    assert problem(holding.ask(f"{tender}/candidates", too_short))[1] == "published-too-shortly"
    holding.done(f"{tender}/candidates", holding.candidates())
    assert problem(holding.ask(f"{tender}/candidates", holding.candidates()))[1] == "candidates-published"
    assert problem(holding.ask(f"{tender}/award", holding.award()))[1] == "still-published"
    holding.done(f"{tender}/objections", {"grounds": GROUNDS})
    assert problem(holding.ask(f"{tender}/objections", {"grounds": GROUNDS}))[1] == "already-objected"
    holding.done(f"{tender}/rulings", {"grounds": GROUNDS, "upheld": False, "ruling": PAPER})
    ruling = {"grounds": GROUNDS, "upheld": False, "ruling": PAPER}
    assert problem(holding.ask(f"{tender}/rulings", ruling))[1] == "nothing-to-rule"
    holding.wait_until(holding.told(tender)["candidates"]["until"])
    assert problem(holding.ask(f"{tender}/objections", {"grounds": OTHER}))[1] == "objected-too-late"
    stranger = ["0x" + b.hex() for b in (*PANEL.signers[:-1], b"\xff" * 32)]
    for changes in ({"salt": OTHER}, {"signers": stranger}):
        assert problem(holding.ask(f"{tender}/award", holding.award(**changes)))[1] == "panel-unsealed-otherwise"
    holding.done(f"{tender}/award", holding.award())
    assert problem(holding.ask(f"{tender}/award", holding.award()))[1] == "tender-ended"
    assert problem(holding.ask(f"{tender}/failure", {"reason": REASON}))[1] == "tender-ended"


def test_lists_that_may_not_be(holding: Holding, room: Room) -> None:
    tender = holding.closed()
    entry = {"commitment": OTHER, "index": 1}

    def refused(**body: object) -> str:
        return problem(holding.ask(f"{tender}/opening", {"record": PAPER, **body}))[1]

    assert refused(bids=[entry, entry]) == "not-ascending"
    assert refused(bids=[{"commitment": "0x" + "0" * 64, "index": 1}]) == "not-ascending"
    twice = [{"commitment": OTHER, "reason": REASON}] * 2
    assert refused(refusals=twice) == "not-ascending"
    assert refused(record="0x" + "0" * 64) == "act-incomplete"
    assert refused(bids=[{"commitment": OTHER, "index": -1}]) == "invalid-content"
    assert refused(bids=[{"commitment": OTHER}]) == "invalid-content"


def test_a_deadline_is_not_moved_after_it_passed_or_brought_forward(holding: Holding) -> None:
    tender = holding.announced()
    deadline = holding.told(tender)["deadline"]

    def amended(**changes: object) -> str:
        amendment = {"digest": PAPER, "reason": REASON, **changes}
        return problem(holding.ask(f"{tender}/amendments", {"amendment": amendment}))[1]

    assert amended(deadline=deadline - 1) == "deadline-brought-forward"
    assert amended(deadline=deadline + 10, opening=deadline) == "opening-before-deadline"
    assert amended(reason="0x" + "0" * 64) == "act-incomplete"
    holding.wait_until(deadline)
    assert amended(deadline=deadline + DAY) == "deadline-over"


def test_only_the_host_acts_in_its_tender(holding: Holding, tendering: Tendering, follow: Follow) -> None:
    tender = path_of(tendering.publish(host=2))
    for what, body in (
        ("amendments", {"amendment": {"digest": PAPER, "reason": REASON}}),
        ("opening", {"record": PAPER}),
        ("evaluation", holding.evaluation()),
        ("candidates", holding.candidates()),
        ("rulings", {"grounds": GROUNDS, "upheld": True, "ruling": PAPER}),
        ("award", holding.award()),
        ("failure", {"reason": REASON}),
    ):
        assert problem(holding.ask(f"{tender}/{what}", body)) == (422, "other-hosts-tender"), what


def test_a_turn_of_the_chain_between_opening_and_evaluation_is_seen(
    holding: Holding, tendering: Tendering, rpc: Rpc, founded: Founded, clock: Clock
) -> None:
    """An evaluation of an opening that the chain gave up is refused by name, though all have signed it."""
    tender = tendering.publish()
    tendering.close(tender)
    before, closed = rpc.call("evm_snapshot"), tendering.tenders[tender]
    tendering.open(tender)
    evaluation = holding.sign_all(holding.drawn_up(f"{path_of(tender)}/evaluation", holding.evaluation()))
    assert evaluation["state"] == "ready"
    rpc.call("evm_revert", before)
    tendering.tenders[tender] = closed
    tendering.open(tender, bids(4))
    rpc.call("evm_mine")
    settled = holding.settle(evaluation)
    assert (settled["state"], settled["error"]["name"]) == ("refused", "basis-differs")
