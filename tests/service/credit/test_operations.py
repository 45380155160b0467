"""Signatures of operations: those that count are kept, each signer once; each other has its own refusal."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from acting import HOUR, REASON, Acting, fresh_key
from coincurve._libsecp256k1 import ffi
from filing import COMPANIES, Filing
from founding import block_time, later
from test_commands import problem

from anchors.chain.signatures import HALF_ORDER
from ledger_service.chain.contracts import REGISTRY

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DAY = 24 * HOUR
FOR_EVER = 2**64 - 1
Refusal = tuple[int, str]


def refusal(answer: Any) -> Refusal:
    return answer.status_code, problem(answer)


def signed_otherwise(acting: Acting, operation: dict[str, Any], member: int, role: str) -> str:
    """Another signature of the same key over the same digest."""
    private, digest = acting.key(member, role).private, bytes.fromhex(operation["digest"][2:])
    nonce = (ffi.NULL, ffi.new("unsigned char[32]", b"\1" * 32))
    made = private.sign_recoverable(digest, hasher=None, custom_nonce=nonce)
    return "0x" + (made[:64] + bytes((made[64] + 27,))).hex()


@pytest.fixture
def general(acting: Acting) -> dict[str, Any]:
    """The publication of a general dishonesty, which nobody has signed."""
    return acting.publishing(acting.record())


@pytest.fixture
def serious(acting: Acting) -> dict[str, Any]:
    """The publication of a serious dishonesty, which nobody has signed."""
    return acting.publishing(acting.record(kind="serious"))


class TestWhoSigns:
    @pytest.mark.parametrize(
        ("member", "role", "expected"),
        [
            (2, "governor", "governor-signature"),
            (3, "governor", "governor-signature"),
            (2, "anchorer", "wrong-role"),
            (2, "receipt-signer", "wrong-role"),
            (3, "regulator", "other-member"),
            (3, "credit-publisher", "other-member"),
        ],
    )
    def test_of_a_general_record(
        self, acting: Acting, general: dict[str, Any], member: int, role: str, expected: str
    ) -> None:
        assert refusal(acting.endorse(general, member, role)) == (422, expected)
        assert acting.show(general)["signatures"] == []

    def test_others_endorse_by_their_regulators_alone(self, acting: Acting, serious: dict[str, Any]) -> None:
        assert refusal(acting.endorse(serious, 3, "credit-publisher")) == (422, "wrong-role")
        assert refusal(acting.endorse(serious, 3, "governor")) == (422, "governor-signature")
        kept = acting.endorse(serious, 3, "regulator").json()["signatures"]
        address = "0x" + acting.key(3, "regulator").address.hex()
        assert kept == [{"role": "endorser", "member": "guizhou", "address": address}]

    def test_an_objection_is_the_publishers_alone(self, acting: Acting, filing: Filing) -> None:
        (name,) = filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        objection = acting.changing("0x" + name.hex(), "objections")
        assert refusal(acting.endorse(objection, 2, "regulator")) == (422, "wrong-role")
        assert refusal(acting.endorse(objection, 3, "credit-publisher")) == (422, "other-member")
        assert acting.endorse(objection, 2, "credit-publisher").json()["state"] == "ready"

    def test_a_choice_is_the_choosing_members(self, acting: Acting) -> None:
        body = {"applied": False, "reason": REASON}
        choice = acting.drawn_up("PUT", "/v1/recognition/kinds/guizhou/general", body)
        assert refusal(acting.endorse(choice, 3, "regulator")) == (422, "other-member")
        assert acting.sign_all(choice)["state"] == "ready"

    def test_a_stranger(self, acting: Acting, general: dict[str, Any]) -> None:
        made = fresh_key(b"\x07").sign(bytes.fromhex(general["digest"][2:]))
        answer = acting.hand_in(general, "0x" + made.hex())
        assert refusal(answer) == (422, "unknown-signer")

    def test_a_role_that_was_revoked(self, acting: Acting, general: dict[str, Any]) -> None:
        founded, rpc = acting.founded, acting.rpc
        publisher = "0x" + acting.key(2, "credit-publisher").address.hex()
        founded.send(rpc, acting.key(2, "governor"), REGISTRY, "revokeOwnRole", publisher, 3)
        assert refusal(acting.endorse(general, 2, "credit-publisher")) == (422, "role-not-in-force")

    def test_a_member_that_is_suspended(self, acting: Acting, serious: dict[str, Any]) -> None:
        acting.founded.vote(acting.rpc, REGISTRY, "setStatus", 4, 2)
        assert refusal(acting.endorse(serious, 4, "regulator")) == (422, "member-not-active")

    def test_the_member_itself_that_is_suspended(self, acting: Acting, general: dict[str, Any]) -> None:
        acting.founded.vote(acting.rpc, REGISTRY, "setStatus", 2, 2)
        assert refusal(acting.endorse(general, 2, "regulator")) == (422, "member-not-active")


class TestWhatIsSigned:
    def test_a_signature_for_another_operation(self, acting: Acting, general: dict[str, Any]) -> None:
        other = acting.publishing(acting.record(COMPANIES[1]))
        replayed = acting.signature(other, 2, "regulator")
        assert refusal(acting.hand_in(general, replayed)) == (422, "signature-of-another-operation")
        assert acting.hand_in(other, replayed).status_code == 202
        assert refusal(acting.hand_in(general, replayed)) == (422, "signature-of-another-operation")

    def test_the_same_act_with_another_deadline_is_another_text(self, acting: Acting, general: dict[str, Any]) -> None:
        later_deadline = acting.publishing(acting.record(), deadline=general["deadline"] + 60)
        replayed = acting.signature(later_deadline, 2, "regulator")
        assert refusal(acting.hand_in(general, replayed)) == (422, "signature-of-another-operation")

    def test_what_is_no_signature(self, acting: Acting, general: dict[str, Any]) -> None:
        good = bytes.fromhex(acting.signature(general, 2, "regulator")[2:])
        high = (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
        assert int.from_bytes(high, "big") > HALF_ORDER
        for bad in (good[:64] + b"\x1d", good[:64] + b"\0", good[:32] + high + good[64:], bytes(64) + b"\x1b"):
            assert refusal(acting.hand_in(general, "0x" + bad.hex())) == (422, "bad-signature")
        for malformed in ("0x" + good[:64].hex(), good.hex(), "0x"):
            assert refusal(acting.hand_in(general, malformed)) == (422, "invalid-content")
        assert acting.show(general)["signatures"] == []

    def test_an_unknown_operation(self, acting: Acting, general: dict[str, Any]) -> None:
        nowhere = general | {"id": "0" * 32}
        assert refusal(acting.endorse(nowhere, 2, "regulator")) == (404, "not-found")


class TestEachOnce:
    def test_the_same_signature_again_changes_nothing(self, acting: Acting, general: dict[str, Any]) -> None:
        first, again = (acting.endorse(general, 2, "regulator") for _ in range(2))
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json() == again.json()

    def test_a_signer_signs_once(self, acting: Acting, general: dict[str, Any]) -> None:
        acting.endorse(general, 2, "regulator")
        other = signed_otherwise(acting, general, 2, "regulator")
        assert other != acting.signature(general, 2, "regulator")
        assert refusal(acting.hand_in(general, other)) == (422, "signed-already")

    def test_a_member_signs_once_in_a_role(self, acting: Acting, general: dict[str, Any]) -> None:
        founded, rpc = acting.founded, acting.rpc
        second = fresh_key(b"\x0b")
        operator = "0x" + second.address.hex()
        founded.send(rpc, acting.key(2, "governor"), REGISTRY, "grantOwnRole", operator, 3, 0, FOR_EVER)
        acting.endorse(general, 2, "credit-publisher")
        signature = "0x" + second.sign(bytes.fromhex(general["digest"][2:])).hex()
        assert refusal(acting.hand_in(general, signature)) == (422, "signed-already")
        assert acting.show(general)["state"] == "collecting"

    def test_two_of_one_signer_in_one_request_keep_nothing(self, acting: Acting, general: dict[str, Any]) -> None:
        twice = [acting.signature(general, 2, "regulator"), signed_otherwise(acting, general, 2, "regulator")]
        for signatures in (twice, twice[:1] * 2):
            body = {"records": general["request"]["records"], "deadline": general["deadline"], "signatures": signatures}
            assert refusal(acting.ask("POST", "/v1/credit/records", body)) == (422, "signed-already")
        assert [one["id"] for one in acting.operations()] == [general["id"]]

    def test_one_bad_signature_of_a_request_keeps_nothing(self, acting: Acting, general: dict[str, Any]) -> None:
        signatures = [acting.signature(general, 2, role) for role in ("regulator", "anchorer")]
        body = {"records": general["request"]["records"], "deadline": general["deadline"], "signatures": signatures}
        assert refusal(acting.ask("POST", "/v1/credit/records", body)) == (422, "wrong-role")
        assert [one["id"] for one in acting.operations()] == [general["id"]]

    def test_all_signers_at_once(self, acting: Acting, serious: dict[str, Any]) -> None:
        signers = [(2, "credit-publisher"), *((member, "regulator") for member in (1, 2, 3, 4))]
        acting.follow()
        bodies = [
            {"operation": serious["id"], "signature": acting.signature(serious, *signer)} for signer in signers
        ] * 3
        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = list(pool.map(lambda body: acting.client.post("/v1/credit/endorsements", json=body), bodies))
        assert {answer.status_code for answer in answers} == {202}
        found = acting.show(serious)
        assert (found["state"], len(found["signatures"])) == ("ready", 5)


class TestHowMany:
    @pytest.mark.parametrize(("parameter", "needed"), [(0, 3), (1, 3), (3, 3), (4, 4)])
    def test_the_alliance_sets_how_many_endorse_and_never_fewer_than_three(
        self, acting: Acting, parameter: int, needed: int
    ) -> None:
        acting.founded.vote(acting.rpc, REGISTRY, "setParameter", b"endorsements", parameter)
        operation = acting.publishing(acting.record(kind="serious"))
        assert operation["needed"]["endorsements"] == needed
        signers = [(2, "credit-publisher"), *((member, "regulator") for member in (1, 2, 3, 4))]
        states = [acting.endorse(operation, *signer).json()["state"] for signer in signers]
        assert states == ["collecting"] * 4 + ["ready" if needed == 3 else "collecting"]


class TestWhen:
    def test_after_the_deadline(self, acting: Acting) -> None:
        operation = acting.publishing(acting.record(), deadline=block_time(acting.rpc) + HOUR)
        later(acting.rpc, HOUR + 10)
        assert refusal(acting.endorse(operation, 2, "regulator")) == (409, "operation-expired")
        assert acting.show(operation)["state"] == "expired"
        acting.sending().step()
        assert acting.show(operation)["state"] == "expired"
        assert refusal(acting.endorse(operation, 2, "regulator")) == (409, "operation-expired")

    def test_by_the_clock_where_no_block_is_made(self, acting: Acting) -> None:
        operation = acting.publishing(acting.record(), deadline=block_time(acting.rpc) + HOUR)
        acting.clock.set(operation["deadline"] + 1)
        assert refusal(acting.endorse(operation, 2, "regulator")) == (409, "operation-expired")

    def test_when_it_takes_no_more(self, acting: Acting) -> None:
        (name,) = acting.published()
        objection = acting.changing(name, "objections")
        signature = acting.signature(objection, 2, "credit-publisher")
        acting.hand_in(objection, signature)
        assert refusal(acting.endorse(objection, 1, "regulator")) == (409, "operation-closed")
        assert acting.settle(objection)["state"] == "final"
        again = acting.hand_in(objection, signature)
        assert (again.status_code, again.json()["state"]) == (202, "final")

    def test_a_signer_whose_role_begins_later(self, acting: Acting, general: dict[str, Any]) -> None:
        founded, rpc = acting.founded, acting.rpc
        second = fresh_key(b"\x0c")
        operator = "0x" + second.address.hex()
        founded.send(rpc, acting.key(2, "governor"), REGISTRY, "requestRegulator", operator, FOR_EVER)
        founded.send(rpc, acting.key(3, "governor"), REGISTRY, "secondRegulator", 2, operator)
        signature = "0x" + second.sign(bytes.fromhex(general["digest"][2:])).hex()
        assert refusal(acting.hand_in(general, signature)) == (422, "role-not-in-force")
        later(rpc, 2 * DAY + 10)
        assert acting.hand_in(general, signature).status_code == 202


def test_nothing_of_a_request_is_kept_that_a_rule_refuses(acting: Acting) -> None:
    answer = acting.ask("POST", "/v1/credit/records", {"records": [acting.record(measures=[9])]})
    assert refusal(answer) == (422, "unknown-measure")
    assert acting.operations() == []
