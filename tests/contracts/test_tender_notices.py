"""TenderRegister.publish, amend and closeBids: what a notice says, who signed it, and what time does to it."""

from dataclasses import replace
from typing import Any

import pytest
from founded_alliance import DAY, SUSPENDED, deploy, key
from rfc6962 import Tree
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
    RETENDERED,
    SENDER,
    TENDER_OFFICER,
    TenderAlliance,
    bids,
    bits,
    hash_act,
    tender_members,
)


class TestPublish:
    @pytest.mark.parametrize("members", [(HOST,), (HOST, PARTNER, OTHER)])
    def test_a_notice_is_published_by_one_member_or_by_several(
        self, tenders: TenderAlliance, members: tuple[int, ...]
    ) -> None:
        notice = tenders.notice(members=bits(*members), opening=tenders.now + 2 * DAY)
        done = tenders.send(SENDER, tenders.publishing(notice))
        tender = hash_act("TenderNotice", notice)
        event = tenders.event("TenderPublished", done)
        assert event.pop("tender") == tender
        assert tuple(event.values()) == notice
        kept = tenders.tender(tender)
        assert (kept["state"], kept["version"], kept["members"]) == (PUBLISHED, 1, bits(*members))
        assert (kept["deadline"], kept["opening"]) == (notice[4], notice[5])

    def test_it_returns_the_tenders_name(self, tenders: TenderAlliance) -> None:
        notice = tenders.notice()
        assert tenders.publishing(notice).call() == hash_act("TenderNotice", notice)

    def test_the_same_notice_twice_is_refused(self, tenders: TenderAlliance) -> None:
        notice = tenders.notice()
        tenders.send(SENDER, tenders.publishing(notice))
        refusal = tenders.refusal(SENDER, tenders.publishing(notice))
        assert refusal == "TenderRegister_AlreadyPublished"

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"digest": NOTHING}, "TenderRegister_NothingStated"),
            ({"members": bits(PARTNER)}, "TenderRegister_WithoutHost"),
            ({"host": 300, "members": bits(PARTNER)}, "TenderRegister_WithoutHost"),
            ({"deadline": 1_000}, "TenderRegister_DeadlinePassed"),
            ({"opening": 1_000}, "TenderRegister_OpeningBeforeDeadline"),
            ({"answerDays": 2}, "TenderRegister_BadAnswerDays"),
            ({"answerDays": 31}, "TenderRegister_BadAnswerDays"),
            ({"former": PAPER}, "TenderRegister_NotToReplace"),
        ],
    )
    def test_it_names_what_the_rules_ask_for(
        self, tenders: TenderAlliance, fields: dict[str, Any], refusal: str
    ) -> None:
        assert tenders.refusal(SENDER, tenders.publishing(tenders.notice(**fields))) == refusal


class TestWhoPublishes:
    @pytest.mark.parametrize("by", [(), (HOST,), (HOST, OTHER), (HOST, PARTNER, OTHER)])
    def test_an_officer_of_each_member_and_of_no_other(self, tenders: TenderAlliance, by: tuple[int, ...]) -> None:
        call = tenders.publishing(tenders.notice(), by=by)
        assert tenders.refusal(SENDER, call) == "TenderSigners_OtherMembers"

    def test_in_any_order(self, tenders: TenderAlliance) -> None:
        tenders.send(SENDER, tenders.publishing(tenders.notice(), by=(PARTNER, HOST)))

    def test_not_one_member_twice(self, tenders: TenderAlliance) -> None:
        call = tenders.publishing(tenders.notice(), by=(HOST, HOST))
        assert tenders.refusal(SENDER, call) == "TenderSigners_Twice"

    def test_no_other_role(self, tenders: TenderAlliance) -> None:
        call = tenders.publishing(tenders.notice(), by=(tenders.regulator(HOST), PARTNER))
        assert tenders.refusal(SENDER, call) == "AllianceRegistry_NotInForce"

    def test_no_suspended_member(self, tenders: TenderAlliance) -> None:
        tenders.vote(tenders.registry.functions.setStatus(PARTNER, SUSPENDED))
        assert tenders.refusal(SENDER, tenders.publishing(tenders.notice())) == "AllianceRegistry_MemberNotActive"

    def test_what_was_signed_is_what_is_published(self, tenders: TenderAlliance) -> None:
        notice = tenders.notice()
        for signed in (
            {"agreed": (*notice[:-1], 7)},
            {"domain": {"chainId": 1}},
            {"domain": {"verifyingContract": tenders.registry.address}},
        ):
            refusal = tenders.refusal(SENDER, tenders.publishing(notice, **signed))
            assert refusal in ("AllianceRegistry_NotInForce", "Signers_BadSignature")

    def test_a_signature_counts_until_its_time(self, tenders: TenderAlliance) -> None:
        notice = tenders.notice()
        late = tenders.publishing(notice, until=tenders.now + 60)
        assert tenders.refusal(SENDER, late) == "accepted"
        tenders.pass_time(HOUR)
        assert tenders.refusal(SENDER, late) == "Signers_Expired"

    def test_a_governor_is_never_an_officer(self, tenders: TenderAlliance) -> None:
        governor = tenders.governor(HOST)
        grant = tenders.registry.functions.grantOwnRole(governor.address, TENDER_OFFICER, 0, 0)
        assert tenders.refusal(governor, grant) == "AllianceRegistry_GovernorApart"

    def test_a_member_appoints_its_officers_by_itself(self, tenders: TenderAlliance) -> None:
        fresh = key("fresh officer")
        grant = tenders.registry.functions.grantOwnRole(fresh.address, TENDER_OFFICER, 0, 0)
        tenders.send(tenders.governor(HOST), grant)
        tenders.send(SENDER, tenders.publishing(tenders.notice(), by=(fresh, PARTNER)))


class TestAmend:
    def test_an_amendment_is_the_next_version_with_its_reason(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        for version in (2, 3):
            later = tenders.tender(tender)["deadline"] + DAY
            amendment = tenders.amendment(tender, digest=REASON, deadline=later, opening=later + HOUR)
            event = tenders.event("TenderAmended", tenders.send(SENDER, tenders.amending(amendment)))
            assert tuple(event.values()) == amendment
            kept = tenders.tender(tender)
            assert (kept["version"], kept["deadline"], kept["opening"]) == (version, later, later + HOUR)

    def test_a_deadline_is_not_moved_after_it_passed(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        deadline = tenders.tender(tender)["deadline"]
        amendment = tenders.amendment(tender, deadline=deadline + DAY, opening=deadline + DAY)
        tenders.pass_time(deadline - tenders.now)
        assert tenders.now >= deadline
        assert tenders.refusal(SENDER, tenders.amending(amendment)) == "TenderRegister_DeadlinePassed"

    def test_a_deadline_is_not_brought_forward(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        earlier = tenders.tender(tender)["deadline"] - 1
        amendment = tenders.amendment(tender, deadline=earlier)
        assert tenders.refusal(SENDER, tenders.amending(amendment)) == "TenderRegister_DeadlineBroughtForward"

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"version": 1}, "TenderRegister_OtherVersion"),
            ({"version": 3}, "TenderRegister_OtherVersion"),
            ({"digest": NOTHING}, "TenderRegister_NothingStated"),
            ({"reason": NOTHING}, "TenderRegister_NothingStated"),
            ({"opening": 1_000}, "TenderRegister_OpeningBeforeDeadline"),
        ],
    )
    def test_it_names_what_the_rules_ask_for(
        self, tenders: TenderAlliance, fields: dict[str, Any], refusal: str
    ) -> None:
        amendment = tenders.amendment(tenders.publish(), **fields)
        assert tenders.refusal(SENDER, tenders.amending(amendment)) == refusal

    def test_all_who_published_amend(self, tenders: TenderAlliance) -> None:
        call = tenders.amending(tenders.amendment(tenders.publish()), by=(HOST,))
        assert tenders.refusal(SENDER, call) == "TenderSigners_OtherMembers"

    def test_the_same_signatures_are_good_once(self, tenders: TenderAlliance) -> None:
        call = tenders.amending(tenders.amendment(tenders.publish()))
        tenders.send(SENDER, call)
        assert tenders.refusal(SENDER, call) == "TenderRegister_OtherVersion"

    def test_only_what_was_published(self, tenders: TenderAlliance) -> None:
        amendment = (PAPER, 1, PAPER, REASON, tenders.now + DAY, tenders.now + DAY)
        assert tenders.refusal(SENDER, tenders.amending(amendment)) == "TenderRegister_UnknownTender"


class TestClose:
    def test_anyone_fixes_what_the_log_stands_at(self, tenders: TenderAlliance) -> None:
        tree = Tree([bytes([n]) * 32 for n in range(9)])
        tenders.anchor(HOST, tree, 5)
        tender = tenders.published()
        done = tenders.send(key("anybody"), tenders.closing(tender))
        event = tenders.event("BidsClosed", done)
        expected = {"tender": tender, "host": HOST, "log": tenders.log.address, "generation": 0, "size": 5}
        assert event == expected
        tenders.anchor(HOST, tree, 9, old=5)
        kept = tenders.tender(tender)
        assert (kept["state"], kept["size"], kept["closedIn"]) == (CLOSED, 5, done["blockNumber"])

    def test_not_before_the_deadline(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        assert tenders.refusal(SENDER, tenders.closing(tender)) == "TenderRegister_StillOpen"

    def test_the_deadline_of_the_last_version_counts(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish()
        deadline = tenders.tender(tender)["deadline"]
        later = tenders.amendment(tender, deadline=deadline + DAY, opening=deadline + DAY)
        tenders.send(SENDER, tenders.amending(later))
        tenders.pass_time(deadline - tenders.now)
        assert tenders.refusal(SENDER, tenders.closing(tender)) == "TenderRegister_StillOpen"
        tenders.pass_time(DAY)
        assert tenders.refusal(SENDER, tenders.closing(tender)) == "accepted"

    @pytest.mark.parametrize(
        ("state", "refusal"),
        [
            (CLOSED, "TenderRegister_AlreadyClosed"),
            (OPENED, "TenderRegister_AlreadyClosed"),
            (EVALUATED, "TenderRegister_AlreadyClosed"),
            (CANDIDATES, "TenderRegister_AlreadyClosed"),
            (AWARDED, "TenderRegister_Over"),
            (FAILED, "TenderRegister_Over"),
        ],
    )
    def test_just_once(self, tenders: TenderAlliance, state: int, refusal: str) -> None:
        assert tenders.refusal(SENDER, tenders.closing(tenders.become(state))) == refusal

    def test_only_what_was_published(self, tenders: TenderAlliance) -> None:
        assert tenders.refusal(SENDER, tenders.closing(PAPER)) == "TenderRegister_UnknownTender"

    def test_without_an_evidence_log_there_is_nothing_to_fix(
        self, tenders: TenderAlliance, artifacts: dict[str, dict[str, Any]]
    ) -> None:
        registry = deploy(tenders.web3, artifacts["AllianceRegistry"], tender_members(), [], [])
        register = deploy(tenders.web3, artifacts["TenderRegister"], registry.address)
        without = replace(tenders, registry=registry, register=register)
        assert without.refusal(SENDER, without.closing(without.published())) == "TenderRegister_NoEvidenceLog"


class TestRetender:
    def test_a_failed_tender_is_announced_anew(self, tenders: TenderAlliance) -> None:
        former = tenders.open(bids(2))
        tender = tenders.publish(former=former)
        assert (tenders.state(former), tenders.state(tender)) == (RETENDERED, PUBLISHED)

    def test_just_once(self, tenders: TenderAlliance) -> None:
        former = tenders.open(bids(2))
        tenders.publish(former=former)
        again = tenders.publishing(tenders.notice(former=former, digest=REASON))
        assert tenders.refusal(SENDER, again) == "TenderRegister_NotToReplace"

    def test_by_its_host(self, tenders: TenderAlliance) -> None:
        former = tenders.open(bids(2))
        by_other = tenders.publishing(tenders.notice(former=former, host=PARTNER))
        assert tenders.refusal(SENDER, by_other) == "TenderRegister_NotToReplace"

    @pytest.mark.parametrize("state", [PUBLISHED, CLOSED, OPENED, AWARDED])
    def test_not_one_that_has_not_failed(self, tenders: TenderAlliance, state: int) -> None:
        former = tenders.become(state)
        again = tenders.publishing(tenders.notice(former=former))
        assert tenders.refusal(SENDER, again) == "TenderRegister_NotToReplace"
