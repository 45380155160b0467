"""CreditRegister.publish: what a record may say, who must have signed it, and what stands of it afterwards."""

from dataclasses import replace
from typing import Any

import pytest
from credit_alliance import (
    GENERAL,
    HONOUR,
    HOUR,
    MEASURES,
    NOTHING,
    SENDER,
    SERIOUS,
    CreditAlliance,
    Subject,
    months_after,
)
from founded_alliance import ACTIVE, DAY, GOVERNOR, REGULATOR, SUSPENDED, key, word

OTHER = b"\x0b" * 32  # another subject


class TestPublish:
    @pytest.mark.parametrize("kind", [HONOUR, GENERAL, SERIOUS])
    def test_a_record_is_the_first_link_of_its_subject(self, credit: CreditAlliance, kind: int) -> None:
        assert credit.word() == NOTHING
        subject, record = Subject(), credit.record(kind=kind)
        credit.publish(subject, record)
        assert credit.word() == subject.word
        assert credit.word(OTHER) == NOTHING

    def test_the_event_says_all_of_it(self, credit: CreditAlliance) -> None:
        record = credit.record(kind=SERIOUS)
        done = credit.send(SENDER, credit.publishing([record]))
        (event,) = credit.register.events.RecordPublished().process_receipt(done)
        assert event["args"]["subject"] == record.subject
        assert event["args"]["record"] == record.hash
        assert tuple(event["args"]["content"].values()) == record.content
        assert event["args"]["publisher"] == credit.publisher(1).address
        assert event["args"]["regulator"] == credit.regulator(1).address
        assert event["args"]["endorsers"] == 0b11100

    def test_every_further_record_is_a_link_more(self, credit: CreditAlliance) -> None:
        subject = Subject()
        for member in (1, 2, 3):
            credit.publish(subject, credit.record(member=member, earlier=member - 1))
        assert credit.word() == subject.word
        assert credit.word()[:4] == bytes([0, 0, 0, 3])

    def test_a_batch_holds_records_of_one_subject_and_of_several(self, credit: CreditAlliance) -> None:
        first, second = credit.record(), credit.record(earlier=1)
        other = credit.record(subject=OTHER, kind=HONOUR)
        time = credit.time_of(credit.send(SENDER, credit.publishing([first, other, second])))
        subject, another = Subject(), Subject()
        for record in (first, second):
            subject.publish(record, time)
        another.publish(other, time)
        assert (credit.word(), credit.word(OTHER)) == (subject.word, another.word)

    def test_a_batch_holds_something(self, credit: CreditAlliance) -> None:
        pair = ((NOTHING, NOTHING), (NOTHING, NOTHING))
        call = credit.register.functions.publish([], [], credit.now + HOUR, pair, [])
        assert credit.refusal(SENDER, call) == "CreditRegister_EmptyBatch"

    def test_a_batch_is_of_one_member(self, credit: CreditAlliance) -> None:
        records = [credit.record(), credit.record(subject=OTHER, member=2)]
        assert credit.refusal(SENDER, credit.publishing(records)) == "CreditRegister_NotOfMember"


class TestWhatARecordMaySay:
    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"subject": NOTHING}, "CreditRegister_NoSubject"),
            ({"kind": 0, "measures": 1}, "CreditRegister_NoKind"),
            ({"kind": 4, "measures": 1}, "CreditRegister_NoKind"),
            ({"statement": NOTHING}, "CreditRegister_NothingStated"),
            ({"document": NOTHING}, "CreditRegister_NothingStated"),
            ({"measures": 0}, "CreditRegister_NoMeasures"),
            ({"measures": MEASURES[HONOUR]}, "CreditRegister_UnfitMeasures"),
            ({"measures": MEASURES[GENERAL] | 1 << 7}, "CreditRegister_UnfitMeasures"),
            ({"measures": MEASURES[GENERAL] | 1 << 255}, "CreditRegister_UnfitMeasures"),
            ({"kind": HONOUR, "measures": MEASURES[GENERAL]}, "CreditRegister_UnfitMeasures"),
            ({"kind": SERIOUS, "measures": MEASURES[SERIOUS] | 1}, "CreditRegister_UnfitMeasures"),
        ],
    )
    def test_it_names_what_the_rules_ask_for(
        self, credit: CreditAlliance, changes: dict[str, Any], refusal: str
    ) -> None:
        kind = {"kind": GENERAL, **changes}["kind"]
        record = replace(credit.record(kind=kind if kind in MEASURES else GENERAL), **changes)
        assert credit.refusal(SENDER, credit.publishing([record])) == refusal

    def test_a_catalogue_without_a_measure_imposes_none(self, credit: CreditAlliance) -> None:
        credit.vote(credit.registry.functions.setParameter(word("measures:general"), 0b0001_0000))
        assert credit.refusal(SENDER, credit.publishing([credit.record()])) == "CreditRegister_UnfitMeasures"
        credit.send(SENDER, credit.publishing([credit.record(measures=0b0001_0000)]))

    def test_nothing_stands_above_the_terms(self, credit: CreditAlliance) -> None:
        record = credit.record()
        call = credit.publishing([record])
        (given,) = call.arguments[0]
        (terms, *rest) = given[1]
        bent = credit.register.functions.publish([(record.subject, (terms | 1 << 120, *rest))], *call.arguments[1:])
        assert credit.refusal(SENDER, bent) == "CreditRegister_UntidyTerms"

    def test_it_was_decided_today_at_the_latest(self, credit: CreditAlliance) -> None:
        record = credit.record(decided_on=credit.today + 1)
        assert credit.refusal(SENDER, credit.publishing([record])) == "CreditRegister_DecidedInFuture"

    @pytest.mark.parametrize(("kind", "least", "most"), [(HONOUR, 0, 36), (GENERAL, 3, 12), (SERIOUS, 12, 36)])
    def test_the_law_bounds_its_last_day(self, credit: CreditAlliance, kind: int, least: int, most: int) -> None:
        today = credit.today
        first, last = months_after(today, least), months_after(today, most)
        for number, day in enumerate((first, last)):
            credit.send(SENDER, credit.publishing([credit.record(kind=kind, last_day=day, earlier=number)]))
        for day in (first - 1, last + 1):
            record = credit.record(kind=kind, last_day=day, earlier=2)
            assert credit.refusal(SENDER, credit.publishing([record])) == "CreditRegister_UnlawfulTerm"

    def test_it_is_not_over_yet(self, credit: CreditAlliance) -> None:
        decided_on = credit.today - 120
        record = credit.record(decided_on=decided_on, last_day=credit.today - 1)
        assert credit.refusal(SENDER, credit.publishing([record])) == "CreditRegister_AlreadyOver"
        credit.send(SENDER, credit.publishing([replace(record, last_day=credit.today)]))


class TestOnceOnly:
    def test_the_same_signatures_publish_once(self, credit: CreditAlliance) -> None:
        subject, record = Subject(), credit.record()
        credit.publish(subject, record)
        again = credit.publishing([record], subject.since_publication(record))
        assert credit.refusal(SENDER, again) == "CreditRegister_NamedSince"

    def test_not_even_after_the_record_was_changed(self, credit: CreditAlliance) -> None:
        subject, record = Subject(), credit.record()
        credit.publish(subject, record)
        credit.decide(subject, record.hash, 5)
        again = credit.publishing([record], subject.since_publication(record))
        assert credit.refusal(SENDER, again) == "CreditRegister_NamedSince"

    def test_what_others_publish_meanwhile_spoils_no_signature(self, credit: CreditAlliance) -> None:
        subject, slow = Subject(), credit.record(kind=SERIOUS)
        credit.publish(subject, credit.record(member=2))
        credit.publish(subject, credit.record(member=3, earlier=1))
        credit.publish(subject, slow)
        assert credit.word() == subject.word

    def test_what_came_since_is_shown_whole(self, credit: CreditAlliance) -> None:
        subject, slow = Subject(), credit.record(kind=SERIOUS)
        for number in range(2):
            credit.publish(subject, credit.record(earlier=number))
        links = subject.since_publication(slow)
        for shown, refusal in (
            ([], "CreditRegister_TooFewLinks"),
            (links[:-1], "CreditRegister_TooFewLinks"),
            ([*links, NOTHING], "CreditRegister_TooManyLinks"),
            ([links[0], *links[3:], *links[1:3]], "CreditRegister_StaleLinks"),
            ([subject.links[1].word, *links[3:]], "CreditRegister_StaleLinks"),
            ([links[0], b"\1" * 32, *links[2:]], "CreditRegister_StaleLinks"),
        ):
            assert credit.refusal(SENDER, credit.publishing([slow], shown)) == refusal

    def test_a_record_is_not_drawn_up_after_what_has_not_happened(self, credit: CreditAlliance) -> None:
        assert credit.refusal(SENDER, credit.publishing([credit.record(earlier=1)])) == "CreditRegister_NotYet"


class TestSignatures:
    def test_both_roles_sign(self, credit: CreditAlliance) -> None:
        publisher, regulator, stranger = credit.publisher(1), credit.regulator(1), key("a stranger")
        for pair in ((regulator, publisher), (stranger, regulator), (publisher, stranger)):
            call = credit.publishing([credit.record()], publisher=pair[0], regulator=pair[1])
            assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"

    def test_of_the_issuing_member(self, credit: CreditAlliance) -> None:
        both = credit.publishing([credit.record()], publisher=credit.publisher(2), regulator=credit.regulator(2))
        assert credit.refusal(SENDER, both) == "Signers_OfAnotherMember"
        one = credit.publishing([credit.record()], regulator=credit.regulator(2))
        assert credit.refusal(SENDER, one) == "AllianceRegistry_ServesAnother"

    def test_by_two_keys(self, credit: CreditAlliance) -> None:
        twice = key("publisher and regulator")
        functions = credit.registry.functions
        credit.vote(functions.grantRole(1, twice.address, 3, 0, 0))
        credit.vote(functions.grantRole(1, twice.address, REGULATOR, 0, 0))
        credit.pass_time(2 * DAY)
        call = credit.publishing([credit.record()], publisher=twice, regulator=twice)
        assert credit.refusal(SENDER, call) == "AllianceRegistry_NotDistinct"

    @pytest.mark.parametrize("member", [1, 2])
    def test_no_governor_is_among_them(self, credit: CreditAlliance, member: int) -> None:
        governor = credit.governor(member)
        for role in ("publisher", "regulator"):
            signed: dict[str, Any] = {role: governor}
            call = credit.publishing([credit.record()], **signed)
            assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"
        grant = credit.registry.functions.grantRole(member, governor.address, REGULATOR, 0, 0)
        assert credit.refused_vote(grant) == "AllianceRegistry_GovernorApart"
        promote = credit.registry.functions.grantRole(1, credit.publisher(1).address, GOVERNOR, 0, 0)
        assert credit.refused_vote(promote) == "AllianceRegistry_GovernorApart"

    def test_nor_a_key_that_was_revoked(self, credit: CreditAlliance) -> None:
        credit.vote(credit.registry.functions.revokeRole(credit.regulator(1).address, REGULATOR))
        call = credit.publishing([credit.record()])
        assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"

    def test_a_suspended_member_publishes_nothing_until_it_is_restored(self, credit: CreditAlliance) -> None:
        call = credit.publishing([credit.record(member=4)], deadline=credit.now + DAY)
        for status, refusal in ((SUSPENDED, "AllianceRegistry_MemberNotActive"), (ACTIVE, "accepted")):
            credit.vote(credit.registry.functions.setStatus(4, status))
            assert credit.refusal(SENDER, call) == refusal

    def test_they_count_until_their_deadline(self, credit: CreditAlliance) -> None:
        call = credit.publishing([credit.record()], deadline=credit.now - 1)
        assert credit.refusal(SENDER, call) == "Signers_Expired"

    @pytest.mark.parametrize(
        "domain", [{"chainId": 7}, {"verifyingContract": SENDER.address}, {"version": "2"}, {"name": "another"}]
    )
    def test_they_are_for_this_register_on_this_chain(self, credit: CreditAlliance, domain: dict[str, Any]) -> None:
        call = credit.publishing([credit.record()], domain=domain)
        assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"

    @pytest.mark.parametrize("changes", [{"document": b"\1" * 32}, {"subject": OTHER}, {"measures": 0b0001_0000}])
    def test_they_are_for_just_this_record(self, credit: CreditAlliance, changes: dict[str, Any]) -> None:
        record = credit.record()
        call = credit.publishing([replace(record, **changes)], agreed=[record])
        assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"

    def test_what_no_key_made_is_no_signature(self, credit: CreditAlliance) -> None:
        call = credit.publishing([credit.record()])
        given, links, deadline, pair, endorsements = call.arguments
        forged = ((b"\xff" * 32, pair[0][1]), pair[1])
        bent = credit.register.functions.publish(given, links, deadline, forged, endorsements)
        assert credit.refusal(SENDER, bent) == "Signers_BadSignature"


class TestEndorsements:
    def test_serious_dishonesty_needs_three_other_members(self, credit: CreditAlliance) -> None:
        record = credit.record(kind=SERIOUS)
        two = [credit.regulator(2), credit.regulator(3)]
        for endorsers, refusal in (
            ([], "CreditRegister_TooFewEndorsements"),
            (two, "CreditRegister_TooFewEndorsements"),
            ([*two, credit.regulator(1)], "CreditRegister_OwnEndorsement"),
            ([*two, credit.regulator(2)], "AllianceRegistry_NotDistinct"),
            ([*two, credit.publisher(4)], "AllianceRegistry_NotInForce"),
            ([*two, credit.governor(4)], "AllianceRegistry_NotInForce"),
            ([*two, key("a stranger")], "AllianceRegistry_NotInForce"),
        ):
            assert credit.refusal(SENDER, credit.publishing([record], endorsers=endorsers)) == refusal
        credit.send(SENDER, credit.publishing([record], endorsers=[credit.regulator(4), *two]))

    def test_one_serious_record_in_a_batch_is_enough_to_need_them(self, credit: CreditAlliance) -> None:
        records = [credit.record(), credit.record(kind=SERIOUS, earlier=1)]
        call = credit.publishing(records, endorsers=[])
        assert credit.refusal(SENDER, call) == "CreditRegister_TooFewEndorsements"

    def test_a_second_key_of_one_member_is_no_second_endorsement(self, credit: CreditAlliance) -> None:
        second = key("second regulator of 2")
        credit.vote(credit.registry.functions.grantRole(2, second.address, REGULATOR, 0, 0))
        credit.pass_time(2 * DAY)
        endorsers = [credit.regulator(2), second, credit.regulator(3)]
        call = credit.publishing([credit.record(kind=SERIOUS)], endorsers=endorsers)
        assert credit.refusal(SENDER, call) == "AllianceRegistry_NotDistinct"

    def test_a_suspended_member_endorses_nothing(self, credit: CreditAlliance) -> None:
        credit.vote(credit.registry.functions.setStatus(4, SUSPENDED))
        call = credit.publishing([credit.record(kind=SERIOUS)])
        assert credit.refusal(SENDER, call) == "AllianceRegistry_MemberNotActive"

    @pytest.mark.parametrize(("parameter", "needed"), [(0, 3), (1, 3), (3, 3), (4, 4)])
    def test_the_alliance_sets_how_many_but_never_fewer_than_three(
        self, credit: CreditAlliance, parameter: int, needed: int
    ) -> None:
        credit.vote(credit.registry.functions.setParameter(word("endorsements"), parameter))
        assert credit.register.functions.endorsementsNeeded().call() == needed
        refusal = credit.refusal(SENDER, credit.publishing([credit.record(kind=SERIOUS)]))
        assert refusal == ("accepted" if needed == 3 else "CreditRegister_TooFewEndorsements")

    def test_general_dishonesty_may_be_endorsed_too(self, credit: CreditAlliance) -> None:
        done = credit.send(SENDER, credit.publishing([credit.record()], endorsers=[credit.regulator(3)]))
        (event,) = credit.register.events.RecordPublished().process_receipt(done)
        assert event["args"]["endorsers"] == 1 << 3
