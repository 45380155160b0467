"""AllianceRegistry: members, operators, keys and parameters; what a vote may do and what a member does by itself."""

import pytest
from founded_alliance import (
    ACTIVE,
    ANCHORER,
    CREDIT_PUBLISHER,
    DAY,
    GOVERNOR,
    LIFETIME,
    NONE,
    NOTICE,
    RECEIPT_SIGNER,
    REGULATOR,
    SUSPENDED,
    WITHDRAWN,
    Alliance,
    deploy,
    entries,
    key,
    new_member,
    word,
)
from rfc6962 import Tree
from web3.logs import DISCARD

TREE = Tree(entries(9))
FRESH = key("fresh")


class TestAddMember:
    def test_a_member_joins_with_its_operators(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.addMember(new_member("fifth", [(FRESH.address, GOVERNOR)])))
        code, name, log_key, status = functions.memberAt(5).call()
        assert (code, name, log_key, status) == (*new_member("fifth")[:3], ACTIVE)
        assert functions.memberCount().call() == 5
        assert functions.roleMember(FRESH.address, GOVERNOR).call() == 5

    def test_a_regulator_among_them_waits(self, alliance: Alliance) -> None:
        alliance.vote(alliance.registry.functions.addMember(new_member("fifth", [(FRESH.address, REGULATOR)])))
        assert alliance.registry.functions.tenure(FRESH.address, REGULATOR).call()[1] == alliance.now + NOTICE

    @pytest.mark.parametrize("code", ["", "Upper", "a/b", "a b", "a\0b", "\0a", "é"])
    def test_a_code_is_lower_case_letters_digits_and_hyphens(self, alliance: Alliance, code: str) -> None:
        raw = code.encode("latin-1").ljust(32, b"\0")
        member = (raw, *new_member("x")[1:])
        assert alliance.refused_vote(alliance.registry.functions.addMember(member)) == "AllianceRegistry_BadCode"

    def test_a_code_may_fill_its_word(self, alliance: Alliance) -> None:
        alliance.vote(alliance.registry.functions.addMember(new_member("a-code-of-thirty-two-characters0")))

    def test_a_code_is_used_once_for_ever(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.setStatus(4, WITHDRAWN))
        assert alliance.refused_vote(functions.addMember(new_member("centre-4"))) == "AllianceRegistry_CodeTaken"

    @pytest.mark.parametrize("name", ["", "x" * 129])
    def test_a_name_has_1_to_128_bytes(self, alliance: Alliance, name: str) -> None:
        functions, (code, _, log_key, operators) = alliance.registry.functions, new_member("fifth")
        assert (
            alliance.refused_vote(functions.addMember((code, name, log_key, operators))) == "AllianceRegistry_BadName"
        )
        assert alliance.refused_vote(functions.rename(1, name)) == "AllianceRegistry_BadName"

    def test_a_member_has_a_log_key(self, alliance: Alliance) -> None:
        code, name, _, operators = new_member("fifth")
        call = alliance.registry.functions.addMember((code, name, b"\0" * 32, operators))
        assert alliance.refused_vote(call) == "AllianceRegistry_NoLogKey"


class TestSetStatus:
    def test_only_these_changes_exist(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        assert alliance.refused_vote(functions.setStatus(4, ACTIVE)) == "AllianceRegistry_BadStatusChange"
        assert alliance.refused_vote(functions.setStatus(4, NONE)) == "AllianceRegistry_BadStatusChange"
        assert alliance.refused_vote(functions.setStatus(9, SUSPENDED)) == "AllianceRegistry_UnknownMember"
        alliance.vote(functions.setStatus(4, SUSPENDED))
        alliance.vote(functions.setStatus(4, ACTIVE))
        alliance.vote(functions.setStatus(4, WITHDRAWN))
        assert alliance.refused_vote(functions.setStatus(4, ACTIVE)) == "AllianceRegistry_BadStatusChange"
        assert functions.statusOf(4).call() == WITHDRAWN

    def test_a_change_that_would_leave_no_majority_possible_is_refused(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.setStatus(4, SUSPENDED))
        assert alliance.refused_vote(functions.setStatus(3, SUSPENDED)) == "AllianceRegistry_QuorumLost"
        assert alliance.refused_vote(functions.setStatus(3, WITHDRAWN)) == "AllianceRegistry_QuorumLost"
        alliance.vote(functions.setStatus(4, WITHDRAWN))

    def test_a_withdrawn_member_does_not_count(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.setStatus(4, WITHDRAWN))
        number = alliance.propose(1, functions.rename(1, "x"))
        assert functions.tally(number).call() == [1, 3]
        refused = alliance.refusal(alliance.governor(4), functions.approve(number))
        assert refused == "AllianceRegistry_MemberNotActive"


class TestGrants:
    def test_a_member_grants_roles_to_its_own_operators(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        for role in (ANCHORER, RECEIPT_SIGNER, CREDIT_PUBLISHER):
            alliance.send(alliance.governor(2), functions.grantOwnRole(FRESH.address, role, 0, 0))
            assert functions.roleMember(FRESH.address, role).call() == 2

    def test_only_a_governor_of_an_active_member_grants(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        grant = functions.grantOwnRole(FRESH.address, ANCHORER, 0, 0)
        assert alliance.refusal(alliance.anchorer(4), grant) == "AllianceRegistry_NotInForce"
        alliance.vote(functions.setStatus(4, SUSPENDED))
        assert alliance.refusal(alliance.governor(4), grant) == "AllianceRegistry_MemberNotActive"
        assert alliance.refusal(alliance.governor(4), functions.setOwnLogKey(b"\1" * 32)) == (
            "AllianceRegistry_MemberNotActive"
        )

    def test_an_address_serves_one_member(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        taken = alliance.anchorer(1).address
        grant = functions.grantOwnRole(taken, CREDIT_PUBLISHER, 0, 0)
        assert alliance.refusal(alliance.governor(2), grant) == "AllianceRegistry_ServesAnother"
        assert alliance.refused_vote(functions.grantRole(2, taken, ANCHORER, 0, 0)) == "AllianceRegistry_ServesAnother"
        assert alliance.refused_vote(functions.grantRole(9, taken, ANCHORER, 0, 0)) == "AllianceRegistry_UnknownMember"

    def test_a_tenure_is_never_renewed(self, alliance: Alliance) -> None:
        functions, address = alliance.registry.functions, alliance.anchorer(1).address
        grant = functions.grantOwnRole(address, ANCHORER, 0, 0)
        assert alliance.refusal(alliance.governor(1), grant) == "AllianceRegistry_AlreadyGranted"
        alliance.send(alliance.governor(1), functions.revokeOwnRole(address, ANCHORER))
        assert alliance.refusal(alliance.governor(1), grant) == "AllianceRegistry_AlreadyGranted"

    def test_a_governor_holds_no_other_role(self, alliance: Alliance) -> None:
        grant = alliance.registry.functions.grantOwnRole
        governor = alliance.governor(1)
        assert alliance.refusal(governor, grant(governor.address, ANCHORER, 0, 0)) == "AllianceRegistry_GovernorApart"
        anchorer = alliance.anchorer(1).address
        assert alliance.refusal(governor, grant(anchorer, GOVERNOR, 0, 0)) == "AllianceRegistry_GovernorApart"

    def test_neither_nobody_nor_the_registry_is_an_operator(self, alliance: Alliance) -> None:
        grant = alliance.registry.functions.grantOwnRole
        for address in ("0x" + "00" * 20, alliance.registry.address):
            call = grant(address, ANCHORER, 0, 0)
            assert alliance.refusal(alliance.governor(1), call) == "AllianceRegistry_BadOperator"

    def test_no_right_is_given_for_the_past(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.send(alliance.governor(1), functions.grantOwnRole(FRESH.address, RECEIPT_SIGNER, 1, 0))
        assert functions.tenure(FRESH.address, RECEIPT_SIGNER).call()[1] == alliance.now

    def test_a_tenure_ends_after_it_begins(self, alliance: Alliance) -> None:
        grant, start = alliance.registry.functions.grantOwnRole, alliance.now + DAY
        for begin, end in ((start, start), (start, start - 1), (0, alliance.now - 1)):
            call = grant(FRESH.address, ANCHORER, begin, end)
            assert alliance.refusal(alliance.governor(1), call) == "AllianceRegistry_BadTenure"


class TestRevocations:
    def test_a_member_revokes_its_own_operators_only(self, alliance: Alliance) -> None:
        revoke = alliance.registry.functions.revokeOwnRole
        other = revoke(alliance.anchorer(2).address, ANCHORER)
        assert alliance.refusal(alliance.governor(1), other) == "AllianceRegistry_NotOperatorOf"
        never = revoke(FRESH.address, ANCHORER)
        assert alliance.refusal(alliance.governor(1), never) == "AllianceRegistry_NotOperatorOf"
        own = revoke(alliance.anchorer(1).address, ANCHORER)
        assert alliance.refusal(alliance.anchorer(1), own) == "AllianceRegistry_NotInForce"
        alliance.send(alliance.governor(1), own)
        assert alliance.refusal(alliance.governor(1), own) == "AllianceRegistry_AlreadyRevoked"

    def test_a_vote_revokes_anybody_once(self, alliance: Alliance) -> None:
        revoke = alliance.registry.functions.revokeRole
        alliance.vote(revoke(alliance.governor(4).address, GOVERNOR))
        again = alliance.refused_vote(revoke(alliance.governor(4).address, GOVERNOR))
        assert again == "AllianceRegistry_AlreadyRevoked"
        assert alliance.refused_vote(revoke(FRESH.address, GOVERNOR)) == "AllianceRegistry_NotOperatorOf"

    def test_a_suspended_member_may_still_revoke(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.setStatus(4, SUSPENDED))
        alliance.send(alliance.governor(4), functions.revokeOwnRole(alliance.signer(4).address, RECEIPT_SIGNER))

    def test_a_signers_revocation_notes_what_was_anchored(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 5)
        alliance.vote(alliance.log.functions.closeGeneration(1))
        alliance.anchor(1, TREE, 3)
        signer = alliance.signer(1).address
        receipt = alliance.send(alliance.governor(1), alliance.registry.functions.revokeOwnRole(signer, RECEIPT_SIGNER))
        (event,) = alliance.registry.events.RoleRevoked().process_receipt(receipt)
        assert (event["args"]["generation"], event["args"]["size"]) == (1, 3)
        held = alliance.registry.functions.tenure(signer, RECEIPT_SIGNER).call()
        assert held[2:] == (alliance.now, True, 1, 3, alliance.log.address)

    def test_a_tenure_that_has_run_out_can_still_be_marked_as_revoked(self, alliance: Alliance) -> None:
        functions, end = alliance.registry.functions, alliance.now + DAY
        alliance.send(alliance.governor(1), functions.grantOwnRole(FRESH.address, RECEIPT_SIGNER, 0, end))
        alliance.pass_time(2 * DAY)
        alliance.send(alliance.governor(1), functions.revokeOwnRole(FRESH.address, RECEIPT_SIGNER))
        assert functions.tenure(FRESH.address, RECEIPT_SIGNER).call()[2:4] == (end, True)

    def test_a_role_revoked_before_it_begins_is_never_in_force(self, alliance: Alliance) -> None:
        functions, start = alliance.registry.functions, alliance.now + DAY
        alliance.send(alliance.governor(1), functions.grantOwnRole(FRESH.address, ANCHORER, start, 0))
        alliance.send(alliance.governor(1), functions.revokeOwnRole(FRESH.address, ANCHORER))
        alliance.pass_time(2 * DAY)
        assert alliance.refusal(FRESH, alliance.anchoring(TREE, 5)) == "AllianceRegistry_NotInForce"


class TestRegulators:
    def test_another_member_and_48_hours_make_a_regulator(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.send(alliance.governor(1), functions.requestRegulator(FRESH.address, 0))
        alliance.send(alliance.governor(2), functions.secondRegulator(1, FRESH.address))
        since = alliance.now
        assert functions.tenure(FRESH.address, REGULATOR).call()[:3] == (1, since + NOTICE, 0)
        alliance.pass_time(NOTICE - 60)
        refused = alliance.refusal(FRESH, functions.roleMember(FRESH.address, REGULATOR))
        assert refused == "AllianceRegistry_NotInForce"
        alliance.pass_time(61)
        assert functions.roleMember(FRESH.address, REGULATOR).call() == 1

    def test_nobody_makes_one_alone(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        grant = functions.grantOwnRole(FRESH.address, REGULATOR, 0, 0)
        assert alliance.refusal(alliance.governor(1), grant) == "AllianceRegistry_RegulatorNeedsSecond"
        alliance.send(alliance.governor(1), functions.requestRegulator(FRESH.address, 0))
        second = functions.secondRegulator(1, FRESH.address)
        assert alliance.refusal(alliance.governor(1), second) == "AllianceRegistry_OwnRequest"
        assert alliance.refusal(alliance.anchorer(2), second) == "AllianceRegistry_NotInForce"

    def test_what_was_not_asked_for_is_not_seconded(self, alliance: Alliance) -> None:
        second = alliance.registry.functions.secondRegulator(1, FRESH.address)
        assert alliance.refusal(alliance.governor(2), second) == "AllianceRegistry_NoRequest"

    def test_a_request_is_seconded_once_and_lapses(self, alliance: Alliance) -> None:
        functions, other = alliance.registry.functions, key("another").address
        for operator in (FRESH.address, other):
            alliance.send(alliance.governor(1), functions.requestRegulator(operator, 0))
        alliance.send(alliance.governor(2), functions.secondRegulator(1, FRESH.address))
        again = functions.secondRegulator(1, FRESH.address)
        assert alliance.refusal(alliance.governor(3), again) == "AllianceRegistry_NoRequest"
        alliance.pass_time(LIFETIME + 1)
        late = functions.secondRegulator(1, other)
        assert alliance.refusal(alliance.governor(2), late) == "AllianceRegistry_NoRequest"

    def test_a_request_falls_with_the_governor_who_made_it(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.send(alliance.governor(1), functions.requestRegulator(FRESH.address, 0))
        alliance.vote(functions.revokeRole(alliance.governor(1).address, GOVERNOR))
        second = functions.secondRegulator(1, FRESH.address)
        assert alliance.refusal(alliance.governor(2), second) == "AllianceRegistry_NotInForce"

    def test_a_vote_waits_as_well_and_the_notice_can_be_used_to_revoke(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.grantRole(1, FRESH.address, REGULATOR, 0, 0))
        assert functions.tenure(FRESH.address, REGULATOR).call()[1] == alliance.now + NOTICE
        alliance.send(alliance.governor(1), functions.revokeOwnRole(FRESH.address, REGULATOR))
        alliance.pass_time(NOTICE + 1)
        refused = alliance.refusal(FRESH, functions.roleMember(FRESH.address, REGULATOR))
        assert refused == "AllianceRegistry_NotInForce"

    def test_a_suspended_members_regulator_does_not_act(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.grantRole(4, FRESH.address, REGULATOR, 0, 0))
        alliance.pass_time(NOTICE + 1)
        alliance.vote(functions.setStatus(4, SUSPENDED))
        refused = alliance.refusal(FRESH, functions.roleMember(FRESH.address, REGULATOR))
        assert refused == "AllianceRegistry_MemberNotActive"


class TestLogKeys:
    def test_a_new_key_begins_after_what_is_anchored(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 5)
        receipt = alliance.send(alliance.governor(1), alliance.registry.functions.setOwnLogKey(b"\5" * 32))
        (event,) = alliance.registry.events.LogKeyChanged().process_receipt(receipt)
        assert dict(event["args"]) == {"member": 1, "logKey": b"\5" * 32, "generation": 0, "fromSize": 5}
        assert alliance.registry.functions.memberAt(1).call()[2] == b"\5" * 32

    def test_a_vote_sets_it_for_a_known_member(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.setLogKey(2, b"\6" * 32))
        assert functions.memberAt(2).call()[2] == b"\6" * 32
        assert alliance.refused_vote(functions.setLogKey(9, b"\6" * 32)) == "AllianceRegistry_UnknownMember"

    def test_the_empty_key_is_refused(self, alliance: Alliance) -> None:
        call = alliance.registry.functions.setOwnLogKey(b"\0" * 32)
        assert alliance.refusal(alliance.governor(1), call) == "AllianceRegistry_NoLogKey"


class TestParametersAndSystemContracts:
    def test_a_vote_sets_a_parameter(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        alliance.vote(functions.setParameter(word("receiptDays"), 30))
        assert functions.parameter(word("receiptDays")).call() == 30
        assert functions.parameter(word("unheard-of")).call() == 0

    def test_a_system_contract_has_code_and_one_name(
        self, alliance: Alliance, artifacts: dict[str, dict[str, object]]
    ) -> None:
        functions, name = alliance.registry.functions, word("EvidenceLog")
        assert alliance.refused_vote(functions.setSystemContract(name, FRESH.address)) == "AllianceRegistry_NoCode"
        twice = functions.setSystemContract(word("Another"), alliance.log.address)
        assert alliance.refused_vote(twice) == "AllianceRegistry_AlreadyRegistered"
        successor = deploy(alliance.web3, artifacts["EvidenceLog"], alliance.registry.address)
        receipt = alliance.vote(functions.setSystemContract(name, successor.address))
        (event,) = alliance.registry.events.SystemContractChanged().process_receipt(receipt, errors=DISCARD)
        assert dict(event["args"]) == {"name": name, "target": successor.address}
        assert functions.systemContract(name).call() == successor.address

    def test_an_unknown_member_has_no_facts(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        assert alliance.refusal(FRESH, functions.memberAt(9)) == "AllianceRegistry_UnknownMember"
        assert functions.statusOf(9).call() == NONE
