"""TenderRegister from the evaluation to the end: each act after the one it follows, and each with its signatures."""

from typing import Any

import pytest
from founded_alliance import DAY, key
from tender_alliance import (
    AWARDED,
    CANDIDATES,
    CLOSED,
    EVALUATED,
    FAILED,
    HOST,
    HOUR,
    NOTHING,
    OPENED,
    OTHER,
    PAPER,
    PARTNER,
    PUBLISHED,
    REASON,
    SENDER,
    TENDER_OFFICER,
    Panel,
    TenderAlliance,
    bids,
    bits,
    hash_act,
)

STATES = (PUBLISHED, CLOSED, OPENED, EVALUATED, CANDIDATES, AWARDED, FAILED)
EXPERT = b"\x09" * 32  # was not drawn


class TestEvaluate:
    def test_its_event_says_all_of_it(self, tenders: TenderAlliance) -> None:
        tender = tenders.open()
        evaluation = tenders.evaluation(tender)
        event = tenders.event("TenderEvaluated", tenders.send(SENDER, tenders.evaluating(evaluation)))
        name = hash_act("TenderEvaluation", evaluation)
        said = (tender, name, 1, PAPER, bits(HOST, OTHER), Panel().sealed, PAPER)
        assert tuple(event.values()) == said
        kept = tenders.tender(tender)
        assert (kept["state"], kept["round"], kept["evaluation"]) == (EVALUATED, 1, name)

    @pytest.mark.parametrize(
        ("state", "refusal"),
        [
            (PUBLISHED, "TenderRegister_NotOpened"),
            (CLOSED, "TenderRegister_NotOpened"),
            (EVALUATED, "TenderRegister_AlreadyEvaluated"),
            (CANDIDATES, "TenderRegister_AlreadyEvaluated"),
            (AWARDED, "TenderRegister_Over"),
            (FAILED, "TenderRegister_Over"),
        ],
    )
    def test_a_report_out_of_its_turn_is_refused(self, tenders: TenderAlliance, state: int, refusal: str) -> None:
        tender = tenders.become(state)
        assert tenders.refusal(SENDER, tenders.evaluating(tenders.evaluation(tender))) == refusal

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"report": NOTHING}, "TenderRegister_NothingStated"),
            ({"panel": NOTHING}, "TenderRegister_NothingStated"),
            ({"result": NOTHING}, "TenderRegister_NothingStated"),
            ({"sites": bits(OTHER)}, "TenderRegister_WithoutHost"),
            ({"round": 0}, "TenderRegister_OtherRound"),
            ({"round": 2}, "TenderRegister_OtherRound"),
            ({"manifest": PAPER}, "TenderRegister_OtherBasis"),
        ],
    )
    def test_it_names_what_the_rules_ask_for(
        self, tenders: TenderAlliance, fields: dict[str, Any], refusal: str
    ) -> None:
        call = tenders.evaluating(tenders.evaluation(tenders.open(), **fields))
        assert tenders.refusal(SENDER, call) == refusal

    @pytest.mark.parametrize("by", [(HOST,), (OTHER,), (HOST, PARTNER), (HOST, OTHER, PARTNER)])
    def test_an_officer_of_each_site(self, tenders: TenderAlliance, by: tuple[int, ...]) -> None:
        call = tenders.evaluating(tenders.evaluation(tenders.open()), by=by)
        assert tenders.refusal(SENDER, call) == "TenderSigners_OtherMembers"

    def test_after_a_reorganisation_it_holds_for_no_other_opening(self, tenders: TenderAlliance) -> None:
        tender = tenders.close()
        request = tenders.web3.provider.make_request
        before = request("evm_snapshot", [])["result"]  # type: ignore[arg-type, typeddict-item]
        tenders.send(SENDER, tenders.opening_bids(tender, bids(5)))
        evaluating = tenders.evaluating(tenders.evaluation(tender))
        assert tenders.refusal(SENDER, evaluating) == "accepted"
        request("evm_revert", [before])  # type: ignore[arg-type]  # the opening's block is given up
        assert tenders.refusal(SENDER, evaluating) == "TenderRegister_NotOpened"
        tenders.send(SENDER, tenders.opening_bids(tender, bids(4)))
        assert tenders.refusal(SENDER, evaluating) == "TenderRegister_OtherBasis"


class TestCandidates:
    def test_they_are_published_through_the_third_day_after(self, tenders: TenderAlliance) -> None:
        tender = tenders.evaluate()
        least = tenders.least_until()
        short = tenders.candidates(tender, until=least - 1)
        assert tenders.refusal(SENDER, tenders.naming(short)) == "TenderRegister_PublishedTooShortly"
        candidates = tenders.candidates(tender, until=least)
        event = tenders.event("CandidatesPublished", tenders.send(SENDER, tenders.naming(candidates)))
        name = hash_act("TenderCandidates", candidates)
        assert tuple(event.values()) == (tender, name, PAPER, least, tenders.officer(HOST).address)
        kept = tenders.tender(tender)
        assert (kept["state"], kept["until"], kept["candidates"]) == (CANDIDATES, least, name)

    @pytest.mark.parametrize(
        ("state", "refusal"),
        [
            (PUBLISHED, "TenderRegister_NotEvaluated"),
            (CLOSED, "TenderRegister_NotEvaluated"),
            (OPENED, "TenderRegister_NotEvaluated"),
            (CANDIDATES, "TenderRegister_CandidatesAlreadyPublished"),
            (AWARDED, "TenderRegister_Over"),
            (FAILED, "TenderRegister_Over"),
        ],
    )
    def test_a_list_out_of_its_turn_is_refused(self, tenders: TenderAlliance, state: int, refusal: str) -> None:
        tender = tenders.become(state)
        assert tenders.refusal(SENDER, tenders.naming(tenders.candidates(tender))) == refusal

    def test_they_come_from_the_last_evaluation(self, tenders: TenderAlliance) -> None:
        call = tenders.naming(tenders.candidates(tenders.evaluate(), evaluation=PAPER))
        assert tenders.refusal(SENDER, call) == "TenderRegister_OtherBasis"

    def test_they_are_named(self, tenders: TenderAlliance) -> None:
        call = tenders.naming(tenders.candidates(tenders.evaluate(), list=NOTHING))
        assert tenders.refusal(SENDER, call) == "TenderRegister_NothingStated"

    def test_by_an_officer_of_the_host(self, tenders: TenderAlliance) -> None:
        call = tenders.naming(tenders.candidates(tenders.evaluate()), by=tenders.officer(OTHER))
        assert tenders.refusal(SENDER, call) == "Signers_OfAnotherMember"


class TestObjection:
    def test_any_members_officer_hands_it_in(self, tenders: TenderAlliance) -> None:
        tender = tenders.name()
        event = tenders.event("ObjectionMade", tenders.send(SENDER, tenders.objecting(tenders.objection(tender))))
        candidates = tenders.tender(tender)["candidates"]
        assert tuple(event.values()) == (tender, REASON, candidates, OTHER, tenders.officer(OTHER).address)
        assert tenders.register.functions.objectionAt(tender, REASON).call() == [candidates, True]
        assert tenders.tender(tender)["objections"] == 1

    def test_it_suspends_the_award_until_it_is_ruled_on(self, tenders: TenderAlliance) -> None:
        tender = tenders.name()
        for grounds in (REASON, PAPER):
            tenders.send(SENDER, tenders.objecting(tenders.objection(tender, grounds=grounds)))
        tenders.pass_time(5 * DAY)
        for grounds in (REASON, PAPER):
            refusal = tenders.refusal(SENDER, tenders.awarding(tenders.awarded(tender)))
            assert refusal == "TenderRegister_Suspended"
            tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, grounds=grounds)))
        tenders.send(SENDER, tenders.awarding(tenders.awarded(tender)))

    @pytest.mark.parametrize("state", STATES)
    def test_only_to_candidates(self, tenders: TenderAlliance, state: int) -> None:
        tender = tenders.become(state)
        expected = {CANDIDATES: "accepted", AWARDED: "TenderRegister_Over", FAILED: "TenderRegister_Over"}
        refusal = tenders.refusal(SENDER, tenders.objecting(tenders.objection(tender)))
        assert refusal == expected.get(state, "TenderRegister_NoCandidates")

    def test_while_they_are_published(self, tenders: TenderAlliance) -> None:
        tender = tenders.name()
        tenders.pass_time(tenders.tender(tender)["until"] - tenders.now)
        call = tenders.objecting(tenders.objection(tender))
        assert tenders.refusal(SENDER, call) == "TenderRegister_ObjectedTooLate"

    def test_each_once(self, tenders: TenderAlliance) -> None:
        tender = tenders.name()
        call = tenders.objecting(tenders.objection(tender))
        tenders.send(SENDER, call)
        assert tenders.refusal(SENDER, call) == "TenderRegister_AlreadyObjected"
        tenders.send(SENDER, tenders.deciding(tenders.ruling(tender)))
        assert tenders.refusal(SENDER, call) == "TenderRegister_AlreadyObjected"

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"grounds": NOTHING}, "TenderRegister_NothingStated"),
            ({"candidates": PAPER}, "TenderRegister_OtherBasis"),
        ],
    )
    def test_it_says_to_what_and_why(self, tenders: TenderAlliance, fields: dict[str, Any], refusal: str) -> None:
        call = tenders.objecting(tenders.objection(tenders.name(), **fields))
        assert tenders.refusal(SENDER, call) == refusal

    def test_by_no_other_role(self, tenders: TenderAlliance) -> None:
        call = tenders.objecting(tenders.objection(tenders.name()), by=tenders.regulator(OTHER))
        assert tenders.refusal(SENDER, call) == "AllianceRegistry_NotInForce"


class TestRuling:
    def objected(self, tenders: TenderAlliance) -> bytes:
        tender = tenders.name()
        tenders.send(SENDER, tenders.objecting(tenders.objection(tender)))
        return tender

    def test_an_upheld_objection_sends_the_bids_back_to_their_evaluation(self, tenders: TenderAlliance) -> None:
        tender = self.objected(tenders)
        done = tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, upheld=True)))
        officer, regulator = tenders.officer(HOST).address, tenders.regulator(HOST).address
        event = tenders.event("ObjectionRuled", done)
        assert tuple(event.values()) == (tender, REASON, True, PAPER, officer, regulator)
        assert tenders.state(tender) == OPENED
        assert tenders.refusal(SENDER, tenders.awarding(tenders.awarded(tender))) == "TenderRegister_NoCandidates"
        tenders.send(SENDER, tenders.evaluating(tenders.evaluation(tender)))
        assert tenders.tender(tender)["round"] == 2
        tenders.send(SENDER, tenders.naming(tenders.candidates(tender)))
        assert tenders.state(tender) == CANDIDATES

    def test_the_first_rounds_signatures_are_not_good_again(self, tenders: TenderAlliance) -> None:
        tender = tenders.open()
        first = tenders.evaluating(tenders.evaluation(tender), until=tenders.now + 30 * DAY)
        tenders.send(SENDER, first)
        named = tenders.naming(tenders.candidates(tender), until=tenders.now + 30 * DAY)
        tenders.send(SENDER, named)
        tenders.send(SENDER, tenders.objecting(tenders.objection(tender)))
        tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, upheld=True)))
        assert tenders.refusal(SENDER, first) == "TenderRegister_OtherRound"
        tenders.send(SENDER, tenders.evaluating(tenders.evaluation(tender)))
        assert tenders.refusal(SENDER, named) == "TenderRegister_OtherBasis"

    def test_all_objections_are_ruled_on_also_to_earlier_candidates(self, tenders: TenderAlliance) -> None:
        tender = self.objected(tenders)
        tenders.send(SENDER, tenders.objecting(tenders.objection(tender, grounds=PAPER)))
        tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, upheld=True)))
        tenders.send(SENDER, tenders.evaluating(tenders.evaluation(tender)))
        tenders.send(SENDER, tenders.naming(tenders.candidates(tender)))
        tenders.pass_time(5 * DAY)
        assert tenders.refusal(SENDER, tenders.awarding(tenders.awarded(tender))) == "TenderRegister_Suspended"
        tenders.send(SENDER, tenders.deciding(tenders.ruling(tender, grounds=PAPER, upheld=True)))
        assert tenders.state(tender) == CANDIDATES  # it was to others, which are gone
        tenders.send(SENDER, tenders.awarding(tenders.awarded(tender)))

    def test_just_once(self, tenders: TenderAlliance) -> None:
        tender = self.objected(tenders)
        call = tenders.deciding(tenders.ruling(tender))
        tenders.send(SENDER, call)
        assert tenders.refusal(SENDER, call) == "TenderRegister_NothingToRule"

    def test_of_an_objection_with_its_paper(self, tenders: TenderAlliance) -> None:
        tender = self.objected(tenders)
        for fields, refusal in (
            ({"grounds": PAPER}, "TenderRegister_NothingToRule"),
            ({"ruling": NOTHING}, "TenderRegister_NothingStated"),
            ({"tender": PAPER}, "TenderRegister_UnknownTender"),
        ):
            ruling = tenders.ruling(**{"tender": tender, **fields})
            assert tenders.refusal(SENDER, tenders.deciding(ruling)) == refusal

    def test_by_both_roles_of_the_host(self, tenders: TenderAlliance) -> None:
        tender = self.objected(tenders)
        for by, refusal in (
            ({"officer": tenders.officer(OTHER)}, "Signers_OfAnotherMember"),
            ({"regulator": tenders.regulator(OTHER)}, "Signers_OfAnotherMember"),
            ({"officer": tenders.regulator(HOST)}, "AllianceRegistry_NotInForce"),
            ({"regulator": tenders.officer(HOST)}, "TenderSigners_Twice"),
        ):
            assert tenders.refusal(SENDER, tenders.deciding(tenders.ruling(tender), **by)) == refusal

    def test_one_key_with_both_roles_is_not_two(self, tenders: TenderAlliance) -> None:
        tender, regulator = self.objected(tenders), tenders.regulator(HOST)
        grant = tenders.registry.functions.grantOwnRole(regulator.address, TENDER_OFFICER, 0, 0)
        tenders.send(tenders.governor(HOST), grant)
        call = tenders.deciding(tenders.ruling(tender), officer=regulator)
        assert tenders.refusal(SENDER, call) == "TenderSigners_Twice"


class TestAward:
    def ready(self, tenders: TenderAlliance, **fields: Any) -> bytes:
        tender = tenders.name(**fields)
        tenders.pass_time(5 * DAY)
        return tender

    def test_it_unseals_the_panel(self, tenders: TenderAlliance) -> None:
        tender, panel = self.ready(tenders), Panel()
        event = tenders.event("TenderAwarded", tenders.send(SENDER, tenders.awarding(tenders.awarded(tender))))
        assert (event["tender"], event["award"], event["salt"]) == (tender, PAPER, panel.salt)
        assert (tuple(event["drawn"]), tuple(event["signers"])) == (panel.drawn, panel.signers)
        assert event["regulator"] == tenders.regulator(HOST).address
        assert tenders.state(tender) == AWARDED

    def test_not_while_candidates_are_published(self, tenders: TenderAlliance) -> None:
        tender = tenders.name()
        tenders.pass_time(tenders.tender(tender)["until"] - tenders.now - 60)
        call = tenders.awarding(tenders.awarded(tender))
        assert tenders.refusal(SENDER, call) == "TenderRegister_StillPublished"
        tenders.pass_time(60)
        assert tenders.refusal(SENDER, call) == "accepted"

    @pytest.mark.parametrize(
        ("state", "refusal"),
        [
            (PUBLISHED, "TenderRegister_NoCandidates"),
            (CLOSED, "TenderRegister_NoCandidates"),
            (OPENED, "TenderRegister_NoCandidates"),
            (EVALUATED, "TenderRegister_NoCandidates"),
            (AWARDED, "TenderRegister_Over"),
            (FAILED, "TenderRegister_Over"),
        ],
    )
    def test_an_award_out_of_its_turn_is_refused(self, tenders: TenderAlliance, state: int, refusal: str) -> None:
        tender = tenders.become(state)
        assert tenders.refusal(SENDER, tenders.awarding(tenders.awarded(tender))) == refusal

    def test_who_signed_the_report_was_drawn(self, tenders: TenderAlliance) -> None:
        panel = Panel(signers=(*Panel().signers[:5], EXPERT))
        tender = self.ready(tenders, panel=panel.sealed)
        call = tenders.awarding(tenders.awarded(tender), panel)
        assert tenders.refusal(SENDER, call) == "TenderRegister_NotDrawn"

    def test_not_all_who_were_drawn_need_to_have_signed(self, tenders: TenderAlliance) -> None:
        panel = Panel(signers=Panel().signers[1:6])
        tender = self.ready(tenders, panel=panel.sealed)
        tenders.send(SENDER, tenders.awarding(tenders.awarded(tender), panel))

    @pytest.mark.parametrize(
        "panel",
        [
            Panel(salt=PAPER),
            Panel(drawn=(*Panel().drawn, EXPERT)),
            Panel(signers=Panel().signers[1:]),
        ],
    )
    def test_another_panel_than_the_sealed_one_is_refused(self, tenders: TenderAlliance, panel: Panel) -> None:
        call = tenders.awarding(tenders.awarded(self.ready(tenders)), panel)
        assert tenders.refusal(SENDER, call) == "TenderRegister_OtherPanel"

    @pytest.mark.parametrize(
        "panel",
        [
            Panel(drawn=(Panel().drawn[0], *Panel().drawn)),
            Panel(signers=Panel().signers[::-1]),
        ],
    )
    def test_an_expert_counts_once(self, tenders: TenderAlliance, panel: Panel) -> None:
        tender = self.ready(tenders, panel=panel.sealed)
        call = tenders.awarding(tenders.awarded(tender), panel)
        assert tenders.refusal(SENDER, call) == "TenderRegister_ExpertsNotAscending"

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"award": NOTHING}, "TenderRegister_NothingStated"),
            ({"candidates": PAPER}, "TenderRegister_OtherBasis"),
        ],
    )
    def test_it_says_what_and_from_where(self, tenders: TenderAlliance, fields: dict[str, Any], refusal: str) -> None:
        call = tenders.awarding(tenders.awarded(self.ready(tenders), **fields))
        assert tenders.refusal(SENDER, call) == refusal

    def test_by_both_roles_of_the_host(self, tenders: TenderAlliance) -> None:
        tender = self.ready(tenders)
        for by, refusal in (
            ({"officer": tenders.officer(OTHER)}, "Signers_OfAnotherMember"),
            ({"regulator": tenders.regulator(OTHER)}, "Signers_OfAnotherMember"),
            ({"regulator": key("nobody")}, "AllianceRegistry_NotInForce"),
        ):
            assert tenders.refusal(SENDER, tenders.awarding(tenders.awarded(tender), **by)) == refusal


class TestFailure:
    @pytest.mark.parametrize("state", STATES)
    def test_what_has_not_ended_can_be_given_up(self, tenders: TenderAlliance, state: int) -> None:
        tender = tenders.become(state)
        if state in (AWARDED, FAILED):
            assert tenders.refusal(SENDER, tenders.failing(tender)) == "TenderRegister_Over"
            return
        event = tenders.event("TenderFailed", tenders.send(SENDER, tenders.failing(tender)))
        officer, regulator = tenders.officer(HOST).address, tenders.regulator(HOST).address
        assert tuple(event.values()) == (tender, REASON, officer, regulator)
        assert tenders.state(tender) == FAILED

    def test_with_a_reason(self, tenders: TenderAlliance) -> None:
        call = tenders.failing(tenders.publish(), reason=NOTHING)
        assert tenders.refusal(SENDER, call) == "TenderRegister_NothingStated"

    def test_by_both_roles_of_the_host(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        for by, refusal in (
            ({"officer": tenders.officer(PARTNER)}, "Signers_OfAnotherMember"),
            ({"regulator": tenders.regulator(PARTNER)}, "Signers_OfAnotherMember"),
        ):
            assert tenders.refusal(SENDER, tenders.failing(tender, **by)) == refusal

    def test_only_what_was_published(self, tenders: TenderAlliance) -> None:
        assert tenders.refusal(SENDER, tenders.failing(PAPER)) == "TenderRegister_UnknownTender"

    def test_a_signature_counts_until_its_time(self, tenders: TenderAlliance) -> None:
        call = tenders.failing(tenders.publish(), until=tenders.now + 60)
        tenders.pass_time(HOUR)
        assert tenders.refusal(SENDER, call) == "Signers_Expired"
