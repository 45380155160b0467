"""Acts that officers of several members sign, or an officer and a regulator: each in the seat that is theirs, once."""

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from founding import NOW, Founded, catch_up, indexer
from serving import application, serving
from sqlalchemy import Engine
from sqlmodel import Session

from anchors.tenders import Failure, Notice, members_mask, signed_digest
from ledger_service.chain.contracts import TENDER_REGISTER
from ledger_service.chain.rpc import Rpc
from ledger_service.log.api_keys import ApiKeys
from ledger_service.operations.acts import ActsByKind, Call
from ledger_service.operations.collecting import Act, Caller, Collected, Operations, collected
from ledger_service.operations.desk import Desk
from ledger_service.operations.routes import routes
from ledger_service.operations.signers import OFFICER, REGULATOR, Needed, Seat
from ledger_service.operations.tables import Operation

HOST, PARTNER, THIRD, OUTSIDE = 1, 2, 3, 4
DEADLINE = 2**62
JOINT = Needed(HOST, tuple(Seat(OFFICER, member) for member in (HOST, PARTNER, THIRD)))
PAIR = Needed.of(HOST, OFFICER, REGULATOR)
ALONE = Needed.of(HOST, OFFICER)


@pytest.fixture
def operations(engine: Engine, rpc: Rpc, founded: Founded) -> Operations:
    """With an index that knows who serves whom."""
    catch_up(indexer(engine, rpc, founded))
    return Operations(engine, lambda: NOW)


@pytest.fixture
def client(operations: Operations, engine: Engine, founded: Founded) -> Iterator[httpx.Client]:
    desk = Desk(engine, founded.network, lambda: NOW)
    with serving(application(routes(desk, ApiKeys([], 0, None)))) as opened:
        yield opened


def drawn_up(operations: Operations, founded: Founded, needed: Needed, kind: str = "notice") -> Operation:
    """An act that takes these signatures."""
    notice = Notice(HOST, members_mask(HOST, PARTNER, THIRD), b"\1" * 32, bytes(32), 1, 1, 5)
    digest = signed_digest(founded.address(TENDER_REGISTER), founded.network.chain_id, notice, DEADLINE)
    act = Act(kind, digest, {"primaryType": "SignedTenderNotice"}, DEADLINE, needed, (), {"tender": "0x"}, {})
    return operations.draw_up(act, [], Caller("key", None, b""))


def signature(founded: Founded, operation: Operation, member: int, role: str = "tender-officer") -> bytes:
    return founded.opened[member, role].sign(operation.digest)


def sign(client: httpx.Client, operation: Operation, signature: bytes) -> tuple[int, dict[str, Any]]:
    path = f"/v1/operations/{operation.id}/signatures"
    answer = client.post(path, json={"signature": "0x" + signature.hex()})
    return answer.status_code, answer.json()


def problem(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = answer
    return status, body["type"].rpartition(":")[2]


def test_a_joint_act_is_ready_with_an_officer_of_each_member(
    client: httpx.Client, operations: Operations, founded: Founded
) -> None:
    operation = drawn_up(operations, founded, JOINT)
    states = []
    for member in (THIRD, HOST, PARTNER):
        status, body = sign(client, operation, signature(founded, operation, member))
        assert status == 202, body
        states.append(body["state"])
    assert states == ["collecting", "collecting", "ready"]
    shown = client.get(f"/v1/operations/{operation.id}").json()
    assert shown == body
    assert shown["needed"] == {
        "publisher": False,
        "regulator": False,
        "endorsements": 0,
        "officers": ["chongqing", "sichuan", "guizhou"],
    }
    told = [(each["role"], each["member"]) for each in shown["signatures"]]
    assert sorted(told) == [("officer", "chongqing"), ("officer", "guizhou"), ("officer", "sichuan")]
    assert (shown["act"], shown["records"], shown["request"]) == ("notice", [], {"tender": "0x"})


def test_a_pair_is_an_officer_and_a_regulator_of_one_member(
    client: httpx.Client, operations: Operations, engine: Engine, founded: Founded
) -> None:
    operation = drawn_up(operations, founded, PAIR)
    officer, regulator = (signature(founded, operation, HOST, role) for role in ("tender-officer", "regulator"))
    assert sign(client, operation, regulator)[1]["state"] == "collecting"
    ready = sign(client, operation, officer)[1]
    assert (ready["state"], ready["needed"]["regulator"], ready["needed"]["officers"]) == ("ready", True, ["chongqing"])
    with Session(engine) as session:
        given = collected(session, operations.find(operation.id))
    assert (given.one(OFFICER), given.one(REGULATOR), given.all(OFFICER)) == (officer, regulator, (officer,))
    assert given.endorsements == ()


def test_officers_are_told_in_the_order_of_their_members(
    client: httpx.Client, operations: Operations, engine: Engine, founded: Founded
) -> None:
    operation = drawn_up(operations, founded, JOINT)
    given = {member: signature(founded, operation, member) for member in (THIRD, PARTNER, HOST)}
    for each in given.values():
        sign(client, operation, each)
    with Session(engine) as session:
        assert collected(session, operation).all(OFFICER) == (given[HOST], given[PARTNER], given[THIRD])


@pytest.mark.parametrize(
    ("needed", "member", "role", "refusal"),
    [
        (JOINT, OUTSIDE, "tender-officer", "other-member"),
        (JOINT, PARTNER, "regulator", "wrong-role"),
        (JOINT, PARTNER, "credit-publisher", "wrong-role"),
        (JOINT, PARTNER, "anchorer", "wrong-role"),
        (JOINT, HOST, "governor", "governor-signature"),
        (PAIR, PARTNER, "regulator", "other-member"),
        (ALONE, HOST, "regulator", "wrong-role"),
        (ALONE, PARTNER, "tender-officer", "other-member"),
        (Needed.of(HOST, "publisher", REGULATOR, endorsements=3), HOST, "tender-officer", "wrong-role"),
        (Needed.of(HOST, "publisher", REGULATOR, endorsements=3), PARTNER, "tender-officer", "wrong-role"),
    ],
)
def test_who_has_no_seat_is_refused(
    client: httpx.Client, operations: Operations, founded: Founded, needed: Needed, member: int, role: str, refusal: str
) -> None:
    operation = drawn_up(operations, founded, needed)
    assert problem(sign(client, operation, signature(founded, operation, member, role))) == (422, refusal)
    assert operations.signatures(operation) == []


def test_the_same_signature_again_changes_nothing(
    client: httpx.Client, operations: Operations, founded: Founded
) -> None:
    operation = drawn_up(operations, founded, JOINT)
    given = signature(founded, operation, HOST)
    first, again = (sign(client, operation, given) for _ in range(2))
    assert first == again
    assert len(first[1]["signatures"]) == 1


def test_a_signature_over_another_act_is_not_taken(
    client: httpx.Client, operations: Operations, founded: Founded
) -> None:
    operation = drawn_up(operations, founded, ALONE)
    register, chain = founded.address(TENDER_REGISTER), founded.network.chain_id
    digest = signed_digest(register, chain, Failure(b"\1" * 32, b"\2" * 32), DEADLINE)
    other = founded.opened[HOST, "tender-officer"].sign(digest)
    assert problem(sign(client, operation, other)) == (422, "unknown-signer")


def test_an_act_that_nobody_signs_is_ready_at_once(operations: Operations, founded: Founded) -> None:
    assert drawn_up(operations, founded, Needed(HOST, ())).state == "ready"


def test_unknown_operations_and_other_bodies(client: httpx.Client, operations: Operations, founded: Founded) -> None:
    path = f"/v1/operations/{hashlib.sha256(b'').hexdigest()[:32]}/signatures"
    assert client.post(path, json={"signature": "0x" + "1" * 130}).status_code == 404
    operation = drawn_up(operations, founded, ALONE)
    for body in ({}, {"signature": "0x"}, {"signature": "0x" + "1" * 130, "operation": operation.id}):
        assert client.post(f"/v1/operations/{operation.id}/signatures", json=body).status_code == 422
    assert client.get("/v1/operations").status_code == 401


class One:
    """A slice with one kind of act."""

    def __init__(self, name: str) -> None:
        self.overtaken = {f"{name}_Overtaken"}
        self._matter = name.encode()

    def touches(self, operation: Operation) -> set[bytes]:  # noqa: ARG002
        return {self._matter}

    def call(self, session: Session, operation: Operation, given: Collected) -> Call | None:  # noqa: ARG002
        return Call(self._matter, b"")

    def place(self, session: Session, operation: Operation) -> int | None:  # noqa: ARG002
        return len(self._matter)


def test_each_operation_is_asked_of_the_slice_that_knows_its_kind(
    operations: Operations, engine: Engine, founded: Founded
) -> None:
    acts = ActsByKind({"notice": One("tenders"), "publish": One("credit")})
    assert set(acts.overtaken) == {"tenders_Overtaken", "credit_Overtaken"}
    with Session(engine) as session:
        for kind, slice_name in (("notice", b"tenders"), ("publish", b"credit")):
            operation = drawn_up(operations, founded, ALONE, kind)
            assert acts.touches(operation) == {slice_name}
            assert acts.call(session, operation, Collected({}, ())) == Call(slice_name, b"")
            assert acts.place(session, operation) == len(slice_name)
        unknown = drawn_up(operations, founded, ALONE, "draw")
        assert list(acts.touches(unknown)) == []
        assert acts.call(session, unknown, Collected({}, ())) is None
        assert acts.place(session, unknown) is None
