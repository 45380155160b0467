"""RecognitionMatrix: every member applies every other's records until it says, with a reason, that it does not."""

from typing import Any

import pytest
from credit_alliance import GENERAL, HONOUR, NOTHING, REASON, SENDER, SERIOUS, CreditAlliance
from founded_alliance import REGULATOR, SUSPENDED, key

RECORD, OTHER = b"\x01" * 32, b"\x02" * 32
ABOUT = ((1, GENERAL), RECORD)


class TestWhatIsApplied:
    def test_everything_by_default(self, credit: CreditAlliance) -> None:
        assert all(
            credit.applies(member, issuer, kind)
            for member in (1, 2, 3, 4)
            for issuer in (1, 2, 3, 4)
            for kind in (HONOUR, GENERAL, SERIOUS)
        )

    def test_but_an_issuers_kind_that_the_member_opted_out_of(self, credit: CreditAlliance) -> None:
        credit.send(SENDER, credit.choosing(3, (1, GENERAL)))
        assert not credit.applies(3, 1, GENERAL)
        assert credit.applies(3, 1, SERIOUS)
        assert credit.applies(3, 1, HONOUR)
        assert credit.applies(3, 2, GENERAL)
        assert credit.applies(2, 1, GENERAL)

    def test_or_one_record(self, credit: CreditAlliance) -> None:
        credit.send(SENDER, credit.choosing(3, RECORD))
        assert not credit.applies(3, 1, SERIOUS, RECORD)
        assert credit.applies(3, 1, SERIOUS, OTHER)
        assert credit.applies(2, 1, SERIOUS, RECORD)

    def test_its_own_records_a_member_always_applies(self, credit: CreditAlliance) -> None:
        assert credit.refusal(SENDER, credit.choosing(3, (3, GENERAL))) == "RecognitionMatrix_OwnRecords"
        credit.send(SENDER, credit.choosing(3, RECORD))
        assert credit.applies(3, 3, GENERAL, RECORD)

    @pytest.mark.parametrize("about", ABOUT)
    def test_it_may_opt_in_again_and_the_last_reason_stands(
        self, credit: CreditAlliance, about: tuple[int, int] | bytes
    ) -> None:
        credit.send(SENDER, credit.choosing(3, about))
        done = credit.send(SENDER, credit.choosing(3, about, applied=True, reason=b"\2" * 32, earlier=1))
        functions = credit.matrix.functions
        choice = functions.choiceOfKind(3, *about) if isinstance(about, tuple) else functions.choiceOfRecord(3, about)
        assert choice.call() == (b"\2" * 32, credit.time_of(done), 2, False)
        assert credit.applies(3, 1, GENERAL, RECORD)


class TestChoosing:
    @pytest.mark.parametrize(
        ("about", "fields", "refusal"),
        [
            ((9, GENERAL), {}, "RecognitionMatrix_UnknownIssuer"),
            ((0, GENERAL), {}, "RecognitionMatrix_UnknownIssuer"),
            ((1, 0), {}, "RecognitionMatrix_NoKind"),
            (NOTHING, {}, "RecognitionMatrix_NoRecord"),
            ((1, GENERAL), {"reason": NOTHING}, "RecognitionMatrix_NoReason"),
            (RECORD, {"reason": NOTHING}, "RecognitionMatrix_NoReason"),
            ((1, GENERAL), {"applied": True}, "RecognitionMatrix_NoChange"),
            (RECORD, {"applied": True}, "RecognitionMatrix_NoChange"),
            ((1, GENERAL), {"earlier": 1}, "RecognitionMatrix_Superseded"),
            (RECORD, {"earlier": 1}, "RecognitionMatrix_Superseded"),
        ],
    )
    def test_what_it_needs(
        self, credit: CreditAlliance, about: tuple[int, int] | bytes, fields: dict[str, Any], refusal: str
    ) -> None:
        assert credit.refusal(SENDER, credit.choosing(3, about, **fields)) == refusal

    def test_the_events_give_the_reason(self, credit: CreditAlliance) -> None:
        events = credit.matrix.events
        signers = {"publisher": credit.publisher(3).address, "regulator": credit.regulator(3).address}
        done = credit.send(SENDER, credit.choosing(3, (1, GENERAL)))
        (event,) = events.KindRecognitionChanged().process_receipt(done)
        facts = {"member": 3, "issuer": 1, "kind": GENERAL, "applied": False, "reason": REASON}
        assert dict(event["args"]) == facts | signers
        done = credit.send(SENDER, credit.choosing(3, RECORD))
        (event,) = events.RecordRecognitionChanged().process_receipt(done)
        assert dict(event["args"]) == {"member": 3, "record": RECORD, "applied": False, "reason": REASON} | signers


class TestSignatures:
    @pytest.mark.parametrize("about", ABOUT)
    def test_both_roles_of_the_member_sign(self, credit: CreditAlliance, about: tuple[int, int] | bytes) -> None:
        def refusal(**signed: Any) -> str:
            return credit.refusal(SENDER, credit.choosing(3, about, **signed))

        assert refusal(publisher=credit.publisher(2), regulator=credit.regulator(2)) == "Signers_OfAnotherMember"
        assert refusal(regulator=credit.regulator(2)) == "AllianceRegistry_ServesAnother"
        assert refusal(regulator=credit.publisher(3)) == "AllianceRegistry_NotDistinct"
        for stranger in (credit.governor(3), credit.governor(1), key("a stranger")):
            assert refusal(regulator=stranger) == "AllianceRegistry_NotInForce"
            assert refusal(publisher=stranger) == "AllianceRegistry_NotInForce"
        assert refusal(deadline=credit.now - 1) == "Signers_Expired"
        for domain in ({"chainId": 7}, {"verifyingContract": credit.register.address}):
            assert refusal(domain=domain) == "AllianceRegistry_NotInForce"

    @pytest.mark.parametrize("about", ABOUT)
    def test_they_are_good_once(self, credit: CreditAlliance, about: tuple[int, int] | bytes) -> None:
        first = credit.choosing(3, about)
        credit.send(SENDER, first)
        credit.send(SENDER, credit.choosing(3, about, applied=True, earlier=1))
        assert credit.refusal(SENDER, first) == "RecognitionMatrix_Superseded"

    def test_a_suspended_member_and_a_revoked_key_choose_nothing(self, credit: CreditAlliance) -> None:
        credit.vote(credit.registry.functions.revokeRole(credit.regulator(3).address, REGULATOR))
        assert credit.refusal(SENDER, credit.choosing(3, RECORD)) == "AllianceRegistry_NotInForce"
        credit.vote(credit.registry.functions.setStatus(4, SUSPENDED))
        assert credit.refusal(SENDER, credit.choosing(4, RECORD)) == "AllianceRegistry_MemberNotActive"
