"""A plan has every act in its place, with what releases give, what is missing, and what the register would refuse."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from published import example, example_packages, package, release

from anchors.subjects import Subject
from ledger_service.tenders.ocds.package import BadPackage, read_package
from ledger_service.tenders.ocds.planning import Act, Given, Plan, make_plans

NOW = datetime(2010, 3, 1, tzinfo=UTC)
DEADLINE = datetime(2010, 4, 1, 18, tzinfo=UTC)
AMENDED = datetime(2010, 4, 8, 18, tzinfo=UTC)
GIVEN = Given(host="sichuan", members=("chongqing", "sichuan"), answer_days=5, opens_after=timedelta(0))
USCC = "91110000600037341L"


def published(number: int) -> Any:
    return json.loads(example()[number - 1].read_bytes())["releases"][0]


def digest(value: Any) -> bytes:
    return sha256(rfc8785.dumps(value)).digest()


def plan(*releases: dict[str, object], given: Given = GIVEN, now: datetime = NOW) -> Plan:
    """The plan for one tender with these releases."""
    (made,) = make_plans([read_package(package(*releases))], given, now)
    return made


def notice(**tender: object) -> dict[str, object]:
    section = {"id": "t", "tenderPeriod": {"endDate": "2010-04-01T18:00:00Z"}} | tender
    return release("notice", "2010-03-02T00:00:00Z", ["tender"], tender=section)


def amendment(deadline: str = "2010-04-08T18:00:00Z", **members: Any) -> dict[str, object]:
    reasons = [{"id": "1", "rationale": "More time."}]
    section = {"id": "t", "tenderPeriod": {"endDate": deadline}, "amendments": reasons}
    return release("amendment", "2010-03-20T00:00:00Z", ["tenderAmendment"], tender=section) | members


def awarded(status: str | None, date: str = "2010-05-01T00:00:00Z", **party: Any) -> dict[str, object]:
    named = {"id": "p", "name": "A company", "identifier": {"scheme": "CN-USCC", "id": USCC}} | party
    award = {"id": "a", "suppliers": [{"id": "p"}]} | ({} if status is None else {"status": status})
    return release(f"award-{status}-{date}", date, ["award"], parties=[named], awards=[award])


def test_the_real_example_is_planned_from_notice_to_contract() -> None:
    (made,) = make_plans(reversed(example_packages()), GIVEN, NOW)
    assert (made.ocid, made.title) == ("ocds-213czf-000-00001", "Planned cycle lane improvements")
    assert made.buyer is not None
    assert str(made.buyer.subject) == "GB-LAC:E09000003"
    assert made.procuring_entity == made.buyer
    assert [step.act.value for step in made.steps] == [
        "publish",
        "amend",
        "close-bids",
        "open-bids",
        "evaluate",
        "publish-candidates",
        "award",
        "log-contract",
    ]
    assert made.passed_over == ("ocds-213czf-000-00001-01-planning",)
    assert not [step.obstacles for step in made.steps if step.obstacles]
    publish, amend, close, opening, _, candidates, award, contract = made.steps
    assert publish.values == {
        "digest": digest(published(2)),
        "host": "sichuan",
        "members": ("chongqing", "sichuan"),
        "answer_days": 5,
        "deadline": DEADLINE,
        "opening": DEADLINE,
    }
    assert amend.values == {
        "version": 2,
        "digest": digest(published(3)),
        "reason": digest(published(3)["tender"]["amendments"]),
        "rationale": ("The tender period has been extended in accordance with council guidelines",),
        "deadline": AMENDED,
        "opening": AMENDED,
    }
    assert close.values == opening.values == {"not_before": AMENDED}
    assert candidates.values == {"list": digest(published(4)["awards"])}
    assert award.values == {"award": digest(published(5)["awards"])}
    assert contract.values["digest"] == digest(published(5)["contracts"][0])
    assert [str(each.subject) for each in award.suppliers] == ["GB-COH:11111111.0"]
    assert [step.missing for step in made.steps] == [
        (),
        (),
        (),
        ("entries", "refusals", "record"),
        ("report", "sites", "panel", "result"),
        ("evaluation", "until"),
        ("candidates", "panel"),
        (),
    ]
    assert json.loads(json.dumps(made.as_json()))["steps"][1]["values"]["deadline"] == "2010-04-08T18:00:00Z"


def test_what_nobody_gives_is_missing() -> None:
    (publish,) = plan(notice(tenderPeriod=None), given=Given()).steps
    assert publish.missing == ("host", "members", "deadline", "opening", "answer_days")
    assert not publish.obstacles


def test_the_time_of_the_opening_comes_from_the_release_unless_it_is_given() -> None:
    opens = {"bidOpening": {"date": "2010-04-02T09:00:00+08:00"}}
    (publish,) = plan(notice(**opens), given=Given()).steps
    assert publish.values["opening"] == datetime(2010, 4, 2, 1, tzinfo=UTC)
    (publish,) = plan(notice(**opens)).steps
    assert publish.values["opening"] == DEADLINE


@pytest.mark.parametrize(
    ("releases", "given", "now", "act", "obstacle"),
    [
        ([notice()], GIVEN, DEADLINE, Act.PUBLISH, "deadline-over"),
        ([notice(bidOpening={"date": "2010-04-01T17:59:59Z"})], Given(), NOW, Act.PUBLISH, "opening-before-deadline"),
        ([notice()], Given(host="tibet", members=("sichuan",)), NOW, Act.PUBLISH, "host-missing"),
        ([notice(), amendment("2010-03-31T18:00:00Z")], GIVEN, NOW, Act.AMEND, "deadline-brought-forward"),
        ([notice(), amendment(date="2010-04-01T18:00:00Z")], GIVEN, NOW, Act.AMEND, "amended-too-late"),
        ([amendment()], GIVEN, NOW, Act.PUBLISH, "no-notice"),
        ([awarded("active")], GIVEN, NOW, Act.AWARD, "no-notice"),
        (
            [notice(), awarded("active"), {**awarded("active", "2010-05-02T00:00:00Z"), "awards": [{"id": "b"}]}],
            GIVEN,
            NOW,
            Act.AWARD,
            "awarded-already",
        ),
        (
            [notice(), awarded("active"), amendment(date="2010-06-01T00:00:00Z")],
            GIVEN,
            NOW,
            Act.AMEND,
            "tender-ended",
        ),
        (
            [notice(), awarded("pending"), amendment(date="2010-06-01T00:00:00Z")],
            GIVEN,
            NOW,
            Act.AMEND,
            "already-closed",
        ),
    ],
)
def test_what_the_register_would_refuse_is_said(
    releases: list[dict[str, object]], given: Given, now: datetime, act: Act, obstacle: str
) -> None:
    assert any(obstacle == each.problem for each in plan(*releases, given=given, now=now).of(act)[-1].obstacles)


PLACE = "package.releases"


@pytest.mark.parametrize(
    ("releases", "act", "problem", "where"),
    [
        (
            [notice(), amendment(date="2010-04-01T18:00:00Z")],
            Act.AMEND,
            "amended-too-late",
            f"{PLACE}[1].date",
        ),
        (
            [notice(), amendment("2010-03-31T18:00:00Z")],
            Act.AMEND,
            "deadline-brought-forward",
            f"{PLACE}[1].tender.tenderPeriod.endDate",
        ),
        (
            [notice(tenderPeriod={"startDate": "2010-04-02T00:00:00Z", "endDate": "2010-04-01T18:00:00Z"})],
            Act.PUBLISH,
            "dates-out-of-order",
            f"{PLACE}[0].tender.tenderPeriod.startDate",
        ),
        (
            [{**notice(), "date": "2010-04-01T18:00:00Z"}],
            Act.PUBLISH,
            "dates-out-of-order",
            f"{PLACE}[0].date",
        ),
        (
            [notice(), awarded("pending", "2010-04-01T17:59:59Z")],
            Act.CANDIDATES,
            "dates-out-of-order",
            f"{PLACE}[1].date",
        ),
        (
            [notice(), awarded("active", "2010-03-31T00:00:00Z")],
            Act.AWARD,
            "dates-out-of-order",
            f"{PLACE}[1].date",
        ),
    ],
)
def test_an_obstacle_has_its_own_name_and_place(
    releases: list[dict[str, object]], act: Act, problem: str, where: str
) -> None:
    obstacles = [obstacle for step in plan(*releases).of(act) for obstacle in step.obstacles]
    assert [(each.problem, each.where) for each in obstacles] == [(problem, where)]
    assert f"{where} {obstacles[0].what}" in str(obstacles[0])


def test_times_that_are_moved_together_stay_in_order() -> None:
    given = replace(GIVEN, shift=timedelta(days=6_000))
    late = plan(notice(), amendment(date="2010-04-01T18:00:00Z"), given=given, now=NOW).of(Act.AMEND)
    assert [each.problem for each in late[0].obstacles] == ["amended-too-late"]
    assert "2010-04-01T18:00:00Z" in late[0].obstacles[0].what  # as it stands in the package


def test_an_amendment_without_a_reason_lacks_it() -> None:
    update = amendment()
    update["tender"] = {"id": "t", "title": "Other words"}
    (amend,) = plan(notice(), update).of(Act.AMEND)
    assert amend.missing == ("reason",)
    assert amend.values["deadline"] == DEADLINE  # what a release does not repeat stands


def test_the_reason_is_of_the_new_amendments_alone() -> None:
    first = {"id": "1", "rationale": "More time."}
    second = {"id": "2", "rationale": "Still more.", "releaseID": "second"}
    foreign = {"id": "3", "rationale": "Of another.", "releaseID": "third"}
    later = amendment("2010-04-09T18:00:00Z", id="second", date="2010-03-21T00:00:00Z")
    later["tender"]["amendments"] = [first, second, foreign]  # type: ignore[index]
    _, again = plan(notice(), amendment(), later).of(Act.AMEND)
    assert again.values["version"] == 3
    assert again.values["reason"] == digest([second])


def test_proposed_awards_are_candidates_and_made_ones_the_award() -> None:
    made = plan(notice(), awarded("pending"), awarded("pending", "2010-05-02T00:00:00Z"), awarded("active"))
    assert len(made.of(Act.CANDIDATES)) == len(made.of(Act.AWARD)) == 1
    assert made.of(Act.CANDIDATES)[0].release == "award-pending-2010-05-01T00:00:00Z"
    for step in (*made.of(Act.CANDIDATES), *made.of(Act.AWARD)):
        assert [each.subject for each in step.suppliers] == [Subject("CN-USCC", USCC)]


def test_an_award_without_candidates_has_them_before_it() -> None:
    made = plan(notice(), awarded(None))
    (candidates,) = made.of(Act.CANDIDATES)
    assert (candidates.release, candidates.missing) == (None, ("list", "evaluation", "until"))
    assert made.steps.index(candidates) == made.steps.index(made.of(Act.AWARD)[0]) - 1


@pytest.mark.parametrize(
    ("party", "why"),
    [
        ({"identifier": {"scheme": "CN-USCC", "id": "91110000600037341M"}}, "wrong check character"),
        ({"identifier": {"scheme": "CN-SFZ", "id": "11010519491231002X"}}, "natural person"),
        ({"identifier": {"id": USCC}}, "no identifier with its scheme"),
        ({"identifier": None}, "no identifier with its scheme"),
    ],
)
def test_a_supplier_who_is_no_company_is_missing(party: dict[str, Any], why: str) -> None:
    made = plan(notice(), awarded("active", **party))
    (award,) = made.of(Act.AWARD)
    assert any(why in missing for missing in award.missing)
    assert "11010519491231002X" not in json.dumps(made.as_json())
    assert award.suppliers[0].subject is None


def test_a_natural_person_is_not_even_named() -> None:
    person = {"identifier": {"scheme": "CN-SFZ", "id": "11010519491231002X"}}
    (award,) = plan(notice(), awarded("active", **person)).of(Act.AWARD)
    assert award.suppliers[0].name is None


def test_a_supplier_is_known_from_an_earlier_release() -> None:
    later = awarded("active", "2010-05-02T00:00:00Z")
    del later["parties"]
    (award,) = plan(notice(), awarded("pending"), later).of(Act.AWARD)
    assert [str(each.subject) for each in award.suppliers] == [f"CN-USCC:{USCC}"]


@pytest.mark.parametrize("status", ["cancelled", "unsuccessful", "withdrawn"])
def test_a_cancelled_tender_fails(status: str) -> None:
    end = release("end", "2010-04-20T00:00:00Z", ["tenderUpdate"], tender={"id": "t", "status": status})
    made = plan(notice(), end)
    (fail,) = made.of(Act.FAIL)
    assert fail.values == {"reason": digest(end)}
    cancellation = release("end", "2010-04-20T00:00:00Z", ["tenderCancellation"])
    assert plan(notice(), cancellation).of(Act.FAIL)


def test_a_planned_tender_is_no_notice() -> None:
    planned = release("plan", "2010-01-01T00:00:00Z", ["tender"], tender={"id": "t", "status": "planned"})
    made = plan(planned, notice())
    assert made.passed_over == ("plan",)
    assert [step.release for step in made.steps] == ["notice"]


def test_a_tender_of_the_past_is_played_again_at_other_times() -> None:
    shift = timedelta(days=6_000)
    (then,) = make_plans(example_packages(), GIVEN, NOW)
    (made,) = make_plans(example_packages(), replace(GIVEN, shift=shift), NOW + shift)
    assert made.steps[0].values["deadline"] == DEADLINE + shift
    assert made.steps[1].values["opening"] == AMENDED + shift
    assert not any(step.obstacles for step in made.steps)
    named = ("digest", "reason", "list", "award")
    for step, before in zip(made.steps, then.steps, strict=True):
        assert all(step.values.get(name) == before.values.get(name) for name in named)


def test_packages_may_overlap_but_not_differ() -> None:
    first, again = read_package(package(notice())), read_package(package(notice(), amendment()))
    (made,) = make_plans([first, again], GIVEN, NOW)
    assert len(made.steps) == 2
    with pytest.raises(BadPackage, match="another release"):
        make_plans([first, read_package(package(notice(title="Other")))], GIVEN, NOW)


def test_tenders_are_planned_apart() -> None:
    other = {**notice(), "ocid": "ocds-123abc-2"}
    plans = make_plans([read_package(package(notice(), other, amendment()))], GIVEN, NOW)
    assert [(each.ocid, len(each.steps)) for each in plans] == [("ocds-123abc-1", 2), ("ocds-123abc-2", 1)]
