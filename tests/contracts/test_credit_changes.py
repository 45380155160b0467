"""CreditRegister.objectTo, correct and decide: which state follows which, who must have signed, and what ends it."""

from dataclasses import replace
from typing import Any

import pytest
from credit_alliance import (
    CORRECTED,
    GENERAL,
    GROUNDS,
    HONOUR,
    HOUR,
    MEASURES,
    NOTHING,
    OBJECTED,
    PLEDGE,
    PUBLISHED,
    REPAIRED,
    SENDER,
    SERIOUS,
    UPHELD,
    WITHDRAWN,
    CreditAlliance,
    Link,
    Record,
    Subject,
    months_after,
)
from eth_account.signers.local import LocalAccount
from founded_alliance import DAY, SUSPENDED, key

WAYS = {
    PUBLISHED: (),
    OBJECTED: (OBJECTED,),
    UPHELD: (OBJECTED, UPHELD),
    CORRECTED: (OBJECTED, CORRECTED),
    WITHDRAWN: (WITHDRAWN,),
    REPAIRED: (REPAIRED,),
}
FOLLOWING = {
    PUBLISHED: {OBJECTED, WITHDRAWN, REPAIRED},
    OBJECTED: {UPHELD, CORRECTED, WITHDRAWN},
    UPHELD: {WITHDRAWN, REPAIRED},
    CORRECTED: {OBJECTED, WITHDRAWN, REPAIRED},
    WITHDRAWN: set(),
    REPAIRED: set(),
}


def published(credit: CreditAlliance, **changes: Any) -> tuple[Subject, Record]:
    """A record of four months' age, so that it can be repaired."""
    decided_on = credit.today - 122
    changes = {"decided_on": decided_on, "last_day": months_after(decided_on, 12), **changes}
    subject, record = Subject(), credit.record(**changes)
    credit.publish(subject, record)
    return subject, record


def become(credit: CreditAlliance, subject: Subject, record: Record, state: int) -> Link:
    if state == OBJECTED:
        return credit.object_to(subject, record.hash)
    if state == CORRECTED:
        return credit.correct(subject, record.hash, replace(record, document=b"\x63" * 32))
    return credit.decide(subject, record.hash, state)


def refused(credit: CreditAlliance, subject: Subject, record: Record, state: int) -> str:
    """With which error the state is refused, by whichever function is for it."""
    step = subject.last(record.hash).step(state, pledge=PLEDGE if state == REPAIRED else NOTHING)
    if state == OBJECTED:
        return credit.refusal(SENDER, credit.objecting(subject, record.hash))
    if state == CORRECTED:
        return credit.refusal(SENDER, credit.correcting(subject, record.hash, record))
    return credit.refusal(SENDER, credit.deciding([(subject, record.hash, step)]))


class TestWhichStateFollowsWhich:
    @pytest.mark.parametrize("state", WAYS)
    def test_just_these(self, credit: CreditAlliance, state: int) -> None:
        subject, record = published(credit)
        for passed in WAYS[state]:
            become(credit, subject, record, passed)
        assert credit.word() == subject.word
        for after in WAYS:
            expected = "accepted" if after in FOLLOWING[state] else "CreditRegister_IllegalChange"
            assert refused(credit, subject, record, after) == expected

    def test_each_function_is_for_its_own_states(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        step = subject.last(record.hash).step(OBJECTED)
        for call in (
            credit.deciding([(subject, record.hash, step)]),
            credit.objecting(subject, record.hash, subject.last(record.hash).step(WITHDRAWN)),
            credit.correcting(subject, record.hash, record, step=step),
        ):
            assert credit.refusal(SENDER, call) == "CreditRegister_IllegalChange"

    def test_every_change_has_grounds(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        step = subject.last(record.hash).step(WITHDRAWN, grounds=NOTHING)
        assert credit.refusal(SENDER, credit.deciding([(subject, record.hash, step)])) == "CreditRegister_NoGrounds"

    def test_a_repair_has_a_pledge_and_nothing_else_has(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        for state, pledge in ((REPAIRED, NOTHING), (WITHDRAWN, PLEDGE)):
            step = subject.last(record.hash).step(state, pledge=pledge)
            call = credit.deciding([(subject, record.hash, step)])
            assert credit.refusal(SENDER, call) == "CreditRegister_BadPledge"

    def test_the_events_say_all_of_it(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        events = credit.register.events
        done = credit.send(SENDER, credit.objecting(subject, record.hash))
        (event,) = events.RecordObjected().process_receipt(done)
        assert (event["args"]["member"], event["args"]["grounds"]) == (2, GROUNDS)
        assert event["args"]["publisher"] == credit.publisher(2).address
        subject.change(record.hash, subject.last(record.hash).step(OBJECTED), credit.time_of(done))
        now = replace(record, document=b"\x63" * 32)
        step = subject.last(record.hash).step(CORRECTED, now=now)
        done = credit.send(SENDER, credit.correcting(subject, record.hash, now))
        (event,) = events.RecordCorrected().process_receipt(done)
        assert tuple(event["args"]["content"].values()) == now.content
        assert (event["args"]["subject"], event["args"]["record"]) == (record.subject, record.hash)
        subject.change(record.hash, step, credit.time_of(done), now)
        step = subject.last(record.hash).step(REPAIRED, pledge=PLEDGE)
        done = credit.send(SENDER, credit.deciding([(subject, record.hash, step)]))
        (event,) = events.RecordChanged().process_receipt(done)
        facts = {"state": REPAIRED, "grounds": GROUNDS, "pledge": PLEDGE, "publisher": credit.publisher(1).address}
        assert {name: event["args"][name] for name in facts} == facts


class TestTime:
    def test_a_repair_waits_until_the_least_period_is_over(self, credit: CreditAlliance) -> None:
        subject, record = Subject(), credit.record()
        credit.publish(subject, record)
        least = months_after(record.decided_on, 3)
        credit.pass_time((least - credit.today) * DAY)
        assert refused(credit, subject, record, REPAIRED) == "CreditRegister_RepairTooEarly"
        credit.pass_time(DAY)
        credit.decide(subject, record.hash, REPAIRED)

    def test_serious_dishonesty_waits_for_a_year(self, credit: CreditAlliance) -> None:
        decided_on = credit.today - 364
        last_day = months_after(decided_on, 24)
        subject, record = published(credit, kind=SERIOUS, decided_on=decided_on, last_day=last_day)
        assert refused(credit, subject, record, REPAIRED) == "CreditRegister_RepairTooEarly"
        credit.pass_time(3 * DAY)
        assert refused(credit, subject, record, REPAIRED) == "accepted"

    def test_an_honour_is_not_repaired(self, credit: CreditAlliance) -> None:
        subject, record = published(credit, kind=HONOUR)
        assert refused(credit, subject, record, REPAIRED) == "CreditRegister_NotDishonesty"
        assert refused(credit, subject, record, WITHDRAWN) == "accepted"

    def test_after_the_last_day_it_is_only_ruled_on_or_withdrawn(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        other = replace(record, member=2, earlier=1)
        credit.publish(subject, other)
        credit.object_to(subject, record.hash)
        credit.pass_time((record.last_day - credit.today + 1) * DAY)
        assert refused(credit, subject, other, OBJECTED) == "CreditRegister_AlreadyOver"
        assert refused(credit, subject, other, REPAIRED) == "CreditRegister_AlreadyOver"
        assert refused(credit, subject, other, WITHDRAWN) == "accepted"
        for ruling in (UPHELD, CORRECTED, WITHDRAWN):
            assert refused(credit, subject, record, ruling) == "accepted"


class TestCorrection:
    def objected(self, credit: CreditAlliance, **changes: Any) -> tuple[Subject, Record]:
        subject, record = published(credit, **changes)
        credit.object_to(subject, record.hash)
        return subject, record

    def test_it_replaces_what_the_record_says(self, credit: CreditAlliance) -> None:
        subject, record = self.objected(credit)
        now = replace(record, statement=b"\1" * 32, last_day=record.last_day - 1, measures=0b0001_0000)
        credit.correct(subject, record.hash, now)
        assert credit.word() == subject.word
        credit.decide(subject, record.hash, REPAIRED)
        assert credit.word() == subject.word

    def test_serious_dishonesty_may_turn_out_to_be_general(self, credit: CreditAlliance) -> None:
        decided_on = credit.today - 1
        last_day = months_after(decided_on, 12)
        subject, record = self.objected(credit, kind=SERIOUS, decided_on=decided_on, last_day=last_day)
        now = replace(record, kind=GENERAL)
        call = credit.correcting(subject, record.hash, now)
        assert credit.refusal(SENDER, call) == "CreditRegister_UnfitMeasures"
        credit.correct(subject, record.hash, replace(now, measures=MEASURES[GENERAL] & MEASURES[SERIOUS]))

    @pytest.mark.parametrize(
        "worse",
        [
            {"member": 2},
            {"earlier": 1},
            {"kind": HONOUR, "measures": MEASURES[HONOUR]},
            {"last_day": 1},
            {"measures": MEASURES[GENERAL]},
        ],
    )
    def test_it_makes_nothing_worse(self, credit: CreditAlliance, worse: dict[str, Any]) -> None:
        decided_on = credit.today - 122
        last_day = months_after(decided_on, 11)
        subject, record = self.objected(credit, measures=0b0001_0000, decided_on=decided_on, last_day=last_day)
        worse = {**worse, **({"last_day": last_day + 1} if "last_day" in worse else {})}
        call = credit.correcting(subject, record.hash, replace(record, **worse))
        assert credit.refusal(SENDER, call) == "CreditRegister_Worsens"

    def test_general_dishonesty_does_not_turn_out_to_be_serious(self, credit: CreditAlliance) -> None:
        subject, record = self.objected(credit, measures=0b0001_0000)
        call = credit.correcting(subject, record.hash, replace(record, kind=SERIOUS))
        assert credit.refusal(SENDER, call) == "CreditRegister_Worsens"

    def test_it_is_as_lawful_as_any_record(self, credit: CreditAlliance) -> None:
        subject, record = self.objected(credit)
        for bent, refusal in (
            ({"statement": NOTHING}, "CreditRegister_NothingStated"),
            ({"measures": 0}, "CreditRegister_NoMeasures"),
            ({"decided_on": credit.today + 1}, "CreditRegister_DecidedInFuture"),
            ({"last_day": months_after(record.decided_on, 3) - 1}, "CreditRegister_UnlawfulTerm"),
        ):
            call = credit.correcting(subject, record.hash, replace(record, **bent))
            assert credit.refusal(SENDER, call) == refusal


class TestSignatures:
    def test_an_objection_is_handed_in_by_any_members_publisher(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        for member in (1, 2, 3, 4):
            call = credit.objecting(subject, record.hash, publisher=credit.publisher(member))
            assert credit.refusal(SENDER, call) == "accepted"

    def test_and_by_nobody_else(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        for account in (credit.regulator(1), credit.governor(1), key("a stranger")):
            call = credit.objecting(subject, record.hash, publisher=account)
            assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"
        credit.vote(credit.registry.functions.setStatus(4, SUSPENDED))
        call = credit.objecting(subject, record.hash, publisher=credit.publisher(4))
        assert credit.refusal(SENDER, call) == "AllianceRegistry_MemberNotActive"

    @pytest.mark.parametrize("state", [UPHELD, CORRECTED, WITHDRAWN])
    def test_both_roles_of_the_issuing_member_rule(self, credit: CreditAlliance, state: int) -> None:
        subject, record = published(credit)
        credit.object_to(subject, record.hash)

        def refusal(publisher: LocalAccount, regulator: LocalAccount) -> str:
            signed = {"publisher": publisher, "regulator": regulator}
            if state == CORRECTED:
                return credit.refusal(SENDER, credit.correcting(subject, record.hash, record, **signed))
            step = subject.last(record.hash).step(state)
            return credit.refusal(SENDER, credit.deciding([(subject, record.hash, step)], **signed))

        own, other = (credit.publisher(1), credit.regulator(1)), (credit.publisher(2), credit.regulator(2))
        assert refusal(*own) == "accepted"
        assert refusal(*other) == "Signers_OfAnotherMember"
        assert refusal(own[0], other[1]) == "AllianceRegistry_ServesAnother"
        assert refusal(own[0], own[0]) == "AllianceRegistry_NotDistinct"
        for stranger in (credit.governor(1), credit.governor(2), key("a stranger")):
            assert refusal(own[0], stranger) == "AllianceRegistry_NotInForce"
            assert refusal(stranger, own[1]) == "AllianceRegistry_NotInForce"

    def test_they_count_until_their_deadline_here_and_for_just_this(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        step = subject.last(record.hash).step(WITHDRAWN)
        moves = [(subject, record.hash, step)]
        late = credit.deciding(moves, deadline=credit.now - 1)
        assert credit.refusal(SENDER, late) == "Signers_Expired"
        for domain in ({"chainId": 7}, {"verifyingContract": SENDER.address}):
            assert credit.refusal(SENDER, credit.deciding(moves, domain=domain)) == "AllianceRegistry_NotInForce"
        call = credit.deciding(moves)
        changes, links, deadline, pair = call.arguments
        bent = [(*changes[0][:-2], b"\1" * 32, changes[0][-1])]
        call = credit.register.functions.decide(bent, links, deadline, pair)
        assert credit.refusal(SENDER, call) == "AllianceRegistry_NotInForce"

    def test_they_are_good_once(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        first = credit.objecting(subject, record.hash)
        credit.object_to(subject, record.hash)
        credit.correct(subject, record.hash, record)
        assert credit.refusal(SENDER, first) == "CreditRegister_TooFewLinks"
        change, _, deadline, signature = first.arguments
        own_links = subject.since(1)
        again = credit.register.functions.objectTo(change, own_links, deadline, signature)
        assert credit.refusal(SENDER, again) == "CreditRegister_NamedSince"
        last = subject.last(record.hash)
        opened = (*change[:2], last.now.content, last.state, last.signed, last.time, last.word, *change[7:])
        again = credit.register.functions.objectTo(opened, [], deadline, signature)
        assert credit.refusal(SENDER, again) == "AllianceRegistry_NotInForce"


class TestLinks:
    def test_what_happened_to_other_records_since_is_shown(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        credit.publish(subject, credit.record(earlier=1))
        credit.publish(subject, credit.record(earlier=2))
        links = subject.since_last(record.hash)
        moves = [(subject, record.hash, subject.last(record.hash).step(WITHDRAWN))]
        for shown, refusal in (
            (links[:-1], "CreditRegister_TooFewLinks"),
            ([*links, NOTHING], "CreditRegister_TooManyLinks"),
            ([*links[2:], *links[:2]], "CreditRegister_StaleLinks"),
            ([*links[:2], record.hash, links[3]], "CreditRegister_NamedSince"),
            (links, "accepted"),
        ):
            assert credit.refusal(SENDER, credit.deciding(moves, links=shown)) == refusal

    def test_a_record_that_was_never_published_is_not_changed(self, credit: CreditAlliance) -> None:
        subject, made_up = published(credit)[0], Subject()
        invented = credit.record(document=b"\1" * 32)
        made_up.publish(invented, credit.now)
        step = made_up.last(invented.hash).step(WITHDRAWN)
        call = credit.deciding([(made_up, invented.hash, step)])
        assert credit.refusal(SENDER, call) == "CreditRegister_StaleLinks"
        assert credit.word() == subject.word

    def test_fifty_are_withdrawn_at_once_but_one_subject_only_once(self, credit: CreditAlliance) -> None:
        records = [credit.record(subject=bytes([n + 1]) * 32) for n in range(50)]
        time = credit.time_of(credit.send(SENDER, credit.publishing(records)))
        subjects = [Subject() for _ in records]
        moves = []
        for subject, record in zip(subjects, records, strict=True):
            moves.append((subject, record.hash, subject.publish(record, time).step(WITHDRAWN)))
        assert credit.refusal(SENDER, credit.deciding([moves[0], moves[0]])) == "CreditRegister_TooFewLinks"
        time = credit.time_of(credit.send(SENDER, credit.deciding(moves)))
        for subject, name, step in moves:
            subject.change(name, step, time)
        assert [credit.word(record.subject) for record in records] == [subject.word for subject in subjects]

    def test_a_batch_is_of_one_member_and_holds_something(self, credit: CreditAlliance) -> None:
        subject, record = published(credit)
        other = credit.record(member=2, subject=b"\2" * 32)
        another = Subject()
        credit.publish(another, other)
        moves = [
            (subject, record.hash, subject.last(record.hash).step(WITHDRAWN)),
            (another, other.hash, another.last(other.hash).step(WITHDRAWN)),
        ]
        assert credit.refusal(SENDER, credit.deciding(moves)) == "CreditRegister_NotOfMember"
        pair = ((NOTHING, NOTHING), (NOTHING, NOTHING))
        call = credit.register.functions.decide([], [], credit.now + HOUR, pair)
        assert credit.refusal(SENDER, call) == "CreditRegister_EmptyBatch"
