"""Acts over HTTP: what may be asked for is drawn up, signed by those who must, and comes onto the chain."""

from datetime import timedelta
from typing import Any

import pytest
from acting import GROUNDS, KEY, PLEDGE, REASON, WEAK_KEY, Acting, fresh_digest
from eth_account.messages import encode_typed_data
from filing import COMPANIES, Filing
from founding import block_time, later
from sqlmodel import Session

from anchors.chain.keccak import keccak256
from anchors.credit import Choice, Issued, Kind, Named, State, last_day
from ledger_service.chain.contracts import REGISTRY
from ledger_service.credit.records import choices, subject_events

DAY = 24 * 3600
UNKNOWN = "0x" + "11" * 32


def problem(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: str = answer.json()["type"]
    return found.removeprefix("urn:bidledger:problem:")


def typed_digest(operation: dict[str, Any]) -> str:
    """What a wallet signs, by eth-account alone."""
    made = encode_typed_data(full_message=operation["typed_data"])
    return "0x" + keccak256(b"\x19" + made.version + made.header + made.body).hex()


def states(acting: Acting, company: int = 0) -> list[State]:
    acting.follow()
    with Session(acting.engine) as session:
        placed = subject_events(session, [COMPANIES[company].key]).get(COMPANIES[company].key, [])
        return [State(one.row.state) for one in placed]


class TestActs:
    def test_a_record_is_published_once_both_roles_have_signed(self, acting: Acting) -> None:
        record = acting.record()
        operation = acting.publishing(record)
        assert operation["act"] == "publish"
        assert operation["state"] == "collecting"
        assert operation["needed"] == {"publisher": True, "regulator": True, "endorsements": 0}
        assert operation["request"] == {"records": [record]}
        assert typed_digest(operation) == operation["digest"]
        assert acting.endorse(operation, 2, "credit-publisher").json()["state"] == "collecting"
        signed = acting.endorse(operation, 2, "regulator").json()
        assert signed["state"] == "ready"
        assert {(one["role"], one["member"], one["address"]) for one in signed["signatures"]} == {
            (short, "sichuan", "0x" + acting.key(2, role).address.hex())
            for short, role in (("publisher", "credit-publisher"), ("regulator", "regulator"))
        }
        final = acting.settle(operation)
        assert final["state"] == "final"
        assert final["error"] is None
        assert final["transaction"].startswith("0x")
        assert states(acting) == [State.PUBLISHED]
        with Session(acting.engine) as session:
            (placed,) = subject_events(session, [COMPANIES[0].key])[COMPANIES[0].key]
        assert "0x" + placed.row.record.hex() == final["records"][0]
        assert placed.row.block_number == final["block"]

    def test_signatures_may_come_with_the_act(self, acting: Acting) -> None:
        first = acting.publishing(acting.record(earlier=0), deadline=block_time(acting.rpc) + 3600)
        signatures = [acting.signature(first, 2, role) for role in ("credit-publisher", "regulator")]
        again = acting.publishing(acting.record(earlier=0), deadline=first["deadline"], signatures=signatures)
        assert again["id"] != first["id"]
        assert (again["digest"], again["state"]) == (first["digest"], "ready")
        assert acting.settle(again)["state"] == "final"

    def test_serious_dishonesty_waits_for_three_other_members(self, acting: Acting) -> None:
        operation = acting.publishing(acting.record(kind="serious"), acting.record(COMPANIES[1]))
        assert operation["needed"]["endorsements"] == 3
        for signer in ((2, "credit-publisher"), (2, "regulator"), (1, "regulator"), (3, "regulator")):
            assert acting.endorse(operation, *signer).json()["state"] == "collecting"
        acting.sending().step()
        assert acting.show(operation)["state"] == "collecting"
        assert acting.endorse(operation, 4, "regulator").json()["state"] == "ready"
        assert acting.settle(operation)["state"] == "final"

    def test_several_records_of_one_company_go_together(self, acting: Acting) -> None:
        records = [acting.record(document=fresh_digest()) for number in (1, 2, 3)]
        names = acting.published(*records)
        assert len(set(names)) == 3
        assert states(acting) == [State.PUBLISHED] * 3

    def test_a_record_is_disputed_and_upheld(self, acting: Acting) -> None:
        (name,) = acting.published()
        objection = acting.changing(name, "objections")
        assert objection["needed"] == {"publisher": True, "regulator": False, "endorsements": 0}
        assert typed_digest(objection) == objection["digest"]
        acting.done(objection)
        ruling = acting.changing(name, "rulings", ruling="uphold")
        assert (ruling["act"], ruling["request"]["record"]) == ("uphold", name)
        acting.done(ruling)
        assert states(acting) == [State.PUBLISHED, State.OBJECTED, State.UPHELD]

    def test_another_members_record_is_disputed(self, acting: Acting, filing: Filing) -> None:
        (name,) = filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        acting.done(acting.changing("0x" + name.hex(), "objections"))
        assert states(acting) == [State.PUBLISHED, State.OBJECTED]

    def test_a_record_is_corrected(self, acting: Acting) -> None:
        (name,) = acting.published(acting.record(kind="serious"))
        acting.done(acting.changing(name, "objections"))
        lighter = acting.record(subject=None, measures=[101])
        acting.done(acting.changing(name, "rulings", ruling="correct", content=lighter))
        assert states(acting)[-1] is State.CORRECTED

    def test_a_record_is_withdrawn(self, acting: Acting) -> None:
        (name,) = acting.published()
        acting.done(acting.changing(name, "withdrawal"))
        assert states(acting) == [State.PUBLISHED, State.WITHDRAWN]

    def test_a_record_is_repaired_after_its_least_period(self, acting: Acting) -> None:
        (name,) = acting.published()
        later(acting.rpc, 100 * DAY)
        acting.done(acting.changing(name, "repairs", pledge=PLEDGE))
        assert states(acting) == [State.PUBLISHED, State.REPAIRED]

    def test_many_records_are_changed_under_one_set_of_signatures(self, acting: Acting) -> None:
        names = acting.published(acting.record(), acting.record(COMPANIES[1]))
        later(acting.rpc, 100 * DAY)
        changes = [
            {"record": names[0], "state": "withdrawn", "grounds": GROUNDS},
            {"record": names[1], "state": "repaired", "grounds": GROUNDS, "pledge": PLEDGE},
        ]
        operation = acting.drawn_up("POST", "/v1/credit/changes", {"changes": changes})
        assert typed_digest(operation) == operation["digest"]
        assert operation["records"] == names
        acting.done(operation)
        assert (states(acting)[-1], states(acting, 1)[-1]) == (State.WITHDRAWN, State.REPAIRED)

    def test_a_member_opts_out_of_a_kind_and_in_again(self, acting: Acting) -> None:
        for applied in (False, True):
            body = {"applied": applied, "reason": REASON}
            operation = acting.drawn_up("PUT", "/v1/recognition/kinds/guizhou/serious", body)
            assert typed_digest(operation) == operation["digest"]
            assert operation["request"] == {"issuer": "guizhou", "kind": "serious", **body}
            acting.done(operation)
        reason = bytes.fromhex(REASON[2:])
        about = Issued(3, Kind.SERIOUS)
        assert chosen(acting) == [Choice(2, about, applied, reason, 0) for applied in (False, True)]

    def test_a_member_opts_out_of_one_record(self, acting: Acting, filing: Filing) -> None:
        (name,) = filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        path = f"/v1/recognition/records/0x{name.hex()}"
        operation = acting.drawn_up("PUT", path, {"applied": False, "reason": REASON})
        assert typed_digest(operation) == operation["digest"]
        acting.done(operation)
        assert chosen(acting) == [Choice(2, Named(name), False, bytes.fromhex(REASON[2:]), 0)]


def chosen(acting: Acting) -> list[Choice]:
    with Session(acting.engine) as session:
        return [Choice(one.member, one.about, one.applied, one.reason, 0) for one in choices(session)]


def record_with(**changes: Any) -> Any:
    return lambda acting: acting.record(**changes)


def decided(days_ago: int, kind: str = "general", *, last: int) -> Any:
    """A record decided and ending so many days from today."""

    def make(acting: Acting) -> dict[str, Any]:
        day, end = (acting.today + timedelta(days=days) for days in (-days_ago, last))
        return acting.record(kind=kind, decided_on=day.isoformat(), last_day=end.isoformat())

    return make


class TestRecordsThatNobodyMayPublish:
    @pytest.mark.parametrize(
        ("record", "expected", "pointer"),
        [
            (record_with(subject="CN-USCC:91110000600037341X"), "bad-subject", "/records/0/subject"),
            (record_with(subject="no colon"), "bad-subject", "/records/0/subject"),
            (record_with(subject="CN-SFZ:11010519491231002X"), "natural-person", "/records/0/subject"),
            (record_with(subject="CN-MOC:11010519491231002X"), "natural-person", "/records/0/subject"),
            (decided(10, last=-11), "dates-out-of-order", "/records/0"),
            (decided(-1, last=200), "future-decision", "/records/0"),
            (decided(10, last=400), "period-outside-law", "/records/0"),
            (decided(10, last=60), "period-outside-law", "/records/0"),
            (decided(10, "serious", last=200), "period-outside-law", "/records/0"),
            (decided(200, last=-1), "publication-over", "/records/0"),
            (record_with(measures=[9]), "unknown-measure", "/records/0"),
            (record_with(measures=[0]), "unknown-measure", "/records/0"),
            (record_with(measures=[999]), "unknown-measure", "/records/0"),
            (record_with(measures=[201]), "unfit-measure", "/records/0"),
            (record_with(measures=[1]), "unfit-measure", "/records/0"),
            (record_with(measures=[]), "measure-missing", "/records/0"),
            (record_with(statement=None), "nothing-stated", "/records/0"),
            (record_with(document="0x" + "0" * 64), "nothing-stated", "/records/0"),
            (record_with(earlier=1), "earlier-ahead", "/records/0"),
            (record_with(decided_on="2026-02-30"), "invalid-content", "/records/0/decided_on"),
            (record_with(last_day="9999-01-01"), "invalid-content", "/records/0/last_day"),
            (lambda acting: acting.record() | {"kind": "minor"}, "invalid-content", "/body/records/0/kind"),
            (record_with(names="somebody"), "invalid-content", "/body/records/0/names"),
            (record_with(measures=["101"]), "invalid-content", "/body/records/0/measures/0"),
            (record_with(document="0x" + "AB" * 32), "invalid-content", "/body/records/0/document"),
        ],
    )
    def test_each_has_its_own_refusal(self, acting: Acting, record: Any, expected: str, pointer: str) -> None:
        answer = acting.ask("POST", "/v1/credit/records", {"records": [record(acting)]})
        assert (answer.status_code, problem(answer)) == (422, expected)
        assert answer.json()["pointer"] == pointer
        assert acting.operations() == []

    def test_the_second_record_is_named(self, acting: Acting) -> None:
        records = [acting.record(), acting.record(COMPANIES[1], measures=[9])]
        answer = acting.ask("POST", "/v1/credit/records", {"records": records})
        assert (problem(answer), answer.json()["pointer"]) == ("unknown-measure", "/records/1")

    @pytest.mark.parametrize("count", [0, 51])
    def test_a_batch_has_one_to_fifty(self, acting: Acting, count: int) -> None:
        answer = acting.ask("POST", "/v1/credit/records", {"records": [acting.record()] * count})
        assert (problem(answer), answer.json()["pointer"]) == ("invalid-content", "/body/records")

    def test_what_was_published_since_it_was_drawn_up(self, acting: Acting) -> None:
        acting.published(acting.record(earlier=0))
        answer = acting.ask("POST", "/v1/credit/records", {"records": [acting.record(earlier=0)]})
        assert problem(answer) == "already-published"

    def test_records_of_one_company_that_are_not_drawn_up_one_after_the_other(self, acting: Acting) -> None:
        records = [acting.record(document=fresh_digest(), earlier=0) for _ in range(2)]
        answer = acting.ask("POST", "/v1/credit/records", {"records": records})
        assert (problem(answer), answer.json()["pointer"]) == ("batch-out-of-order", "/records/1/earlier")
        twice = acting.ask("POST", "/v1/credit/records", {"records": [records[0]] * 2})
        assert problem(twice) == "already-published"

    def test_a_measure_that_the_alliance_took_out_of_force(self, acting: Acting) -> None:
        mask = acting.founded.ask(acting.rpc, REGISTRY, "parameter", b"measures:general")[0]
        acting.founded.vote(acting.rpc, REGISTRY, "setParameter", b"measures:general", mask & ~(1 << 101))
        answer = acting.ask("POST", "/v1/credit/records", {"records": [acting.record()]})
        assert (problem(answer), answer.json()["pointer"]) == ("measure-not-in-force", "/records/0/measures")

    @pytest.mark.parametrize("away", [-1, 0, 31 * DAY])
    def test_a_deadline_that_is_over_or_far_away(self, acting: Acting, away: int) -> None:
        body = {"records": [acting.record()], "deadline": block_time(acting.rpc) + away}
        answer = acting.ask("POST", "/v1/credit/records", body)
        assert (problem(answer), answer.json()["pointer"]) == ("deadline-not-allowed", "/deadline")


class TestChangesThatNobodyMayMake:
    def refusal(self, acting: Acting, record: str, what: str, **body: object) -> str:
        answer = acting.ask("POST", f"/v1/credit/records/{record}/{what}", {"grounds": GROUNDS, **body})
        assert answer.status_code == (404 if problem(answer) == "not-found" else 422)
        return problem(answer)

    def test_what_follows_from_no_state(self, acting: Acting) -> None:
        (name,) = acting.published()
        assert self.refusal(acting, name, "rulings", ruling="uphold") == "illegal-change"
        acting.done(acting.changing(name, "withdrawal"))
        for what, body in (("objections", {}), ("withdrawal", {}), ("repairs", {"pledge": PLEDGE})):
            assert self.refusal(acting, name, what, **body) == "illegal-change"

    def test_a_repair_too_early_and_too_late(self, acting: Acting) -> None:
        (name,) = acting.published()
        assert self.refusal(acting, name, "repairs", pledge=PLEDGE) == "repair-too-soon"
        later(acting.rpc, 300 * DAY)
        assert self.refusal(acting, name, "repairs", pledge=PLEDGE) == "too-late"
        assert self.refusal(acting, name, "objections") == "too-late"

    def test_papers_that_are_missing_or_misplaced(self, acting: Acting) -> None:
        (name,) = acting.published()
        later(acting.rpc, 100 * DAY)
        assert self.refusal(acting, name, "repairs") == "pledge-misplaced"
        assert self.refusal(acting, name, "withdrawal", grounds=None) == "grounds-missing"
        change = {"record": name, "state": "withdrawn", "grounds": GROUNDS, "pledge": PLEDGE}
        answer = acting.ask("POST", "/v1/credit/changes", {"changes": [change]})
        assert (problem(answer), answer.json()["pointer"]) == ("pledge-misplaced", "/changes/0")

    def test_an_honour_is_not_repaired(self, acting: Acting) -> None:
        (name,) = acting.published(acting.record(kind="honour"))
        assert self.refusal(acting, name, "repairs", pledge=PLEDGE) == "not-repairable"

    def test_a_correction_that_worsens(self, acting: Acting) -> None:
        (name,) = acting.published()
        acting.done(acting.changing(name, "objections"))
        plain = acting.record(subject=None)
        longer = (acting.today + timedelta(days=200)).isoformat()
        serious = last_day(acting.today, 24).isoformat()
        for worse, expected in (
            (plain | {"last_day": longer}, "correction-too-far"),
            (plain | {"measures": [101, 102]}, "correction-too-far"),
            (plain | {"kind": "serious", "last_day": serious}, "correction-too-far"),
            (plain | {"kind": "honour", "measures": [1]}, "correction-too-far"),
            (plain | {"measures": [9]}, "unknown-measure"),
        ):
            assert self.refusal(acting, name, "rulings", ruling="correct", content=worse) == expected

    def test_a_ruling_has_a_content_if_it_corrects(self, acting: Acting) -> None:
        (name,) = acting.published()
        acting.done(acting.changing(name, "objections"))
        assert self.refusal(acting, name, "rulings", ruling="correct") == "invalid-content"
        content = acting.record(subject=None)
        assert self.refusal(acting, name, "rulings", ruling="uphold", content=content) == "invalid-content"

    def test_another_members_record_and_an_unknown_one(self, acting: Acting, filing: Filing) -> None:
        (name,) = filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        assert self.refusal(acting, "0x" + name.hex(), "withdrawal") == "other-members-record"
        assert self.refusal(acting, UNKNOWN, "withdrawal") == "not-found"

    def test_two_changes_of_one_company_in_a_batch(self, acting: Acting) -> None:
        names = acting.published(acting.record(document=fresh_digest()), acting.record())
        changes = [{"record": name, "state": "withdrawn", "grounds": GROUNDS} for name in names]
        answer = acting.ask("POST", "/v1/credit/changes", {"changes": changes})
        assert (problem(answer), answer.json()["pointer"]) == ("subject-twice", "/changes/1/record")


class TestChoicesThatNobodyMayMake:
    def refusal(self, acting: Acting, path: str, *, applied: bool = False, **body: object) -> str:
        body = {"applied": applied, "reason": REASON, **body}
        return problem(acting.ask("PUT", f"/v1/recognition/{path}", {k: v for k, v in body.items() if v is not None}))

    def test_each_has_its_own_refusal(self, acting: Acting) -> None:
        (name,) = acting.published()
        assert self.refusal(acting, "kinds/sichuan/general") == "own-records"
        assert self.refusal(acting, f"records/{name}") == "own-records"
        assert self.refusal(acting, "kinds/guizhou/general", reason=None) == "reason-missing"
        assert self.refusal(acting, "kinds/guizhou/general", applied=True) == "choice-unchanged"
        assert self.refusal(acting, "kinds/nowhere/general") == "not-found"
        assert self.refusal(acting, "kinds/guizhou/minor") == "invalid-content"
        assert self.refusal(acting, f"records/{UNKNOWN}") == "not-found"


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        ("authorization", "status", "expected"),
        [
            ("", 401, "not-authenticated"),
            ("Bearer nobody", 401, "not-authenticated"),
            (f"Bearer {WEAK_KEY}", 403, "not-allowed"),
        ],
    )
    def test_an_act_takes_a_key_of_the_scope(
        self, acting: Acting, authorization: str, status: int, expected: str
    ) -> None:
        answer = acting.ask("POST", "/v1/credit/records", {"records": []}, authorization=authorization)
        assert (answer.status_code, problem(answer)) == (status, expected)
        listed = acting.client.get("/v1/operations", headers={"authorization": authorization})
        assert (listed.status_code, problem(listed)) == (status, expected)

    def test_whoever_has_its_id_may_read_an_operation(self, acting: Acting) -> None:
        operation = acting.publishing(acting.record())
        assert acting.show(operation) == operation
        assert problem(acting.client.get(f"/v1/operations/{'0' * 32}")) == "not-found"
        assert problem(acting.client.get("/v1/operations/1")) == "invalid-content"

    def test_a_body_is_bounded(self, acting: Acting) -> None:
        answer = acting.client.post("/v1/credit/endorsements", content=b" " * (256 * 1024 + 1))
        assert (answer.status_code, problem(answer)) == (413, "too-large")


class TestIdempotencyKey:
    def test_the_same_request_is_one_operation(self, acting: Acting) -> None:
        body = {"records": [acting.record()]}
        first, again, quoted = (
            acting.ask("POST", "/v1/credit/records", body, **{"idempotency-key": key}) for key in ("a", "a", '"a"')
        )
        assert first.status_code == again.status_code == 202
        assert first.json()["id"] == again.json()["id"] == quoted.json()["id"]
        acting.done(first.json())
        repeated = acting.ask("POST", "/v1/credit/records", body, **{"idempotency-key": "a"})
        assert (repeated.json()["id"], repeated.json()["state"]) == (first.json()["id"], "final")

    def test_another_request_under_the_same_key_is_refused(self, acting: Acting) -> None:
        acting.ask("POST", "/v1/credit/records", {"records": [acting.record()]}, **{"idempotency-key": "a"})
        other = {"records": [acting.record(COMPANIES[1])]}
        answer = acting.ask("POST", "/v1/credit/records", other, **{"idempotency-key": "a"})
        assert (answer.status_code, problem(answer)) == (422, "idempotency-mismatch")
        assert acting.ask("POST", "/v1/credit/records", other, **{"idempotency-key": "b"}).status_code == 202

    def test_without_a_key_each_request_is_an_operation(self, acting: Acting) -> None:
        first, again = (acting.publishing(acting.record()) for _ in range(2))
        assert first["id"] != again["id"]

    def test_a_key_of_another_form_is_refused(self, acting: Acting) -> None:
        headers = {"idempotency-key": "two words"}
        answer = acting.ask("POST", "/v1/credit/records", {"records": [acting.record()]}, **headers)
        assert problem(answer) == "bad-request"


def test_operations_are_listed_by_pages_and_states(acting: Acting) -> None:
    made = [acting.publishing(acting.record(document=fresh_digest())) for number in range(1, 4)]
    acting.done(made[0])
    headers = {"authorization": f"Bearer {KEY}"}
    page = acting.client.get("/v1/operations?limit=2", headers=headers)
    assert [one["id"] for one in page.json()["operations"]] == [one["id"] for one in made[:2]]
    link = page.headers["link"].partition(">")[0].removeprefix("<")
    rest = acting.client.get(link, headers=headers)
    assert [one["id"] for one in rest.json()["operations"]] == [made[2]["id"]]
    assert [one["id"] for one in acting.operations("collecting")] == [one["id"] for one in made[1:]]
    assert [one["id"] for one in acting.operations("final")] == [made[0]["id"]]
    acting.clock.set(made[0]["deadline"] + 10)
    assert [one["id"] for one in acting.operations("expired")] == [one["id"] for one in made[1:]]
    assert {one["state"] for one in acting.operations("expired")} == {"expired"}
    assert acting.operations("collecting") == []
