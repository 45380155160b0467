"""AllianceRegistry.propose, approve and execute: who governs, and that nobody else does."""

from dataclasses import replace

import pytest
from founded_alliance import (
    ACTIVE,
    ANCHORER,
    DAY,
    GOVERNOR,
    LIFETIME,
    SUSPENDED,
    WITHDRAWN,
    Alliance,
    deploy,
    genesis_members,
    key,
    new_member,
    word,
)
from web3 import Web3
from web3.contract.contract import ContractFunction

STRANGER = key("stranger")


def rename(alliance: Alliance, member: int = 1) -> ContractFunction:
    """A harmless change to vote on."""
    return alliance.registry.functions.rename(member, "A new name")


class TestPropose:
    def test_a_proposal_is_numbered_kept_and_has_its_proposers_voice(self, alliance: Alliance) -> None:
        call = rename(alliance)
        first, second = alliance.propose(1, call), alliance.propose(2, call)
        assert second == first + 1
        target, lapses_at, executed, data = alliance.registry.functions.proposal(second).call()
        assert (target, lapses_at, executed) == (alliance.registry.address, alliance.now + LIFETIME, False)
        assert data == bytes.fromhex(alliance.proposing(call).args[1][2:])
        assert alliance.registry.functions.tally(second).call() == [1, 4]

    @pytest.mark.parametrize("who", ["anchorer 1", "signer 1", "stranger", "deployer"])
    def test_only_a_governor_proposes(self, alliance: Alliance, who: str) -> None:
        assert alliance.refusal(key(who), alliance.proposing(rename(alliance))) == "AllianceRegistry_NotInForce"

    def test_only_contracts_of_the_alliance_are_called(self, alliance: Alliance) -> None:
        call = alliance.registry.functions.propose(STRANGER.address, b"")
        assert alliance.refusal(alliance.governor(1), call) == "AllianceRegistry_NotSystemContract"


class TestApprove:
    def test_one_voice_a_member(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        again = alliance.registry.functions.approve(number)
        assert alliance.refusal(alliance.governor(1), again) == "AllianceRegistry_AlreadyApproved"
        second = key("second governor")
        alliance.send(alliance.governor(1), alliance.registry.functions.grantOwnRole(second.address, GOVERNOR, 0, 0))
        assert alliance.refusal(second, again) == "AllianceRegistry_AlreadyApproved"
        assert alliance.registry.functions.tally(number).call() == [1, 4]

    def test_only_a_governor_approves_and_only_what_was_proposed(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        approve = alliance.registry.functions.approve
        assert alliance.refusal(alliance.anchorer(2), approve(number)) == "AllianceRegistry_NotInForce"
        assert alliance.refusal(alliance.governor(2), approve(number + 1)) == "AllianceRegistry_UnknownProposal"

    def test_revoking_a_governor_takes_back_its_voice_and_the_member_may_speak_anew(self, alliance: Alliance) -> None:
        fresh, call = key("fresh governor"), rename(alliance)
        number = alliance.propose(1, call)
        functions = alliance.registry.functions
        alliance.send(alliance.governor(1), functions.grantOwnRole(fresh.address, GOVERNOR, 0, 0))
        alliance.send(fresh, functions.revokeOwnRole(alliance.governor(1).address, GOVERNOR))
        assert functions.tally(number).call() == [0, 4]
        alliance.send(fresh, functions.approve(number))
        assert functions.tally(number).call() == [1, 4]


class TestExecute:
    def test_more_than_two_thirds_carry_a_change(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        alliance.approve(2, number)
        execute = alliance.registry.functions.execute(number)
        assert alliance.refusal(alliance.governor(1), execute) == "AllianceRegistry_NotEnoughVoices"
        alliance.approve(3, number)
        alliance.send(alliance.governor(4), execute)
        assert alliance.registry.functions.memberAt(1).call()[1] == "A new name"

    def test_exactly_two_thirds_are_not_more(self, alliance: Alliance) -> None:
        alliance.vote(alliance.registry.functions.setStatus(4, WITHDRAWN))
        number = alliance.propose(1, rename(alliance))
        alliance.approve(2, number)
        execute = alliance.registry.functions.execute(number)
        assert alliance.registry.functions.tally(number).call() == [2, 3]
        assert alliance.refusal(alliance.governor(1), execute) == "AllianceRegistry_NotEnoughVoices"

    def test_it_is_executed_once(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        for member in (2, 3):
            alliance.approve(member, number)
        alliance.execute(1, number)
        functions = alliance.registry.functions
        assert alliance.refusal(alliance.governor(1), functions.execute(number)) == "AllianceRegistry_AlreadyExecuted"
        assert alliance.refusal(alliance.governor(4), functions.approve(number)) == "AllianceRegistry_AlreadyExecuted"

    def test_it_lapses(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        for member in (2, 3):
            alliance.approve(member, number)
        functions = alliance.registry.functions
        alliance.pass_time(LIFETIME - 60)
        assert alliance.refusal(alliance.governor(1), functions.execute(number)) == "accepted"
        alliance.pass_time(120)
        assert alliance.refusal(alliance.governor(1), functions.execute(number)) == "AllianceRegistry_Lapsed"
        assert alliance.refusal(alliance.governor(4), functions.approve(number)) == "AllianceRegistry_Lapsed"

    def test_a_stranger_executes_nothing_even_when_all_agree(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        for member in (2, 3):
            alliance.approve(member, number)
        execute = alliance.registry.functions.execute(number)
        assert alliance.refusal(STRANGER, execute) == "AllianceRegistry_NotInForce"

    def test_a_suspended_member_counts_and_has_no_voice(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        number = alliance.propose(4, rename(alliance))
        alliance.approve(2, number)
        alliance.vote(functions.setStatus(4, SUSPENDED))
        assert functions.tally(number).call() == [1, 4]
        for call in (functions.approve(number), functions.execute(number), alliance.proposing(rename(alliance))):
            assert alliance.refusal(alliance.governor(4), call) == "AllianceRegistry_MemberNotActive"
        alliance.vote(functions.setStatus(4, ACTIVE))
        assert functions.tally(number).call() == [2, 4]

    def test_members_who_joined_since_then_count(self, alliance: Alliance) -> None:
        number = alliance.propose(1, rename(alliance))
        for member in (2, 3):
            alliance.approve(member, number)
        alliance.vote(alliance.registry.functions.addMember(new_member("fifth")))
        execute = alliance.registry.functions.execute(number)
        assert alliance.registry.functions.tally(number).call() == [3, 5]
        assert alliance.refusal(alliance.governor(1), execute) == "AllianceRegistry_NotEnoughVoices"

    def test_a_voice_ends_with_the_governors_tenure(self, alliance: Alliance) -> None:
        guest, now = key("guest governor"), alliance.now
        functions = alliance.registry.functions
        alliance.send(alliance.governor(1), functions.grantOwnRole(guest.address, GOVERNOR, 0, now + DAY))
        number = alliance.propose_as(guest, rename(alliance))
        assert functions.tally(number).call() == [1, 4]
        alliance.pass_time(DAY + 1)
        assert functions.tally(number).call() == [0, 4]

    def test_the_refusal_of_the_call_is_the_refusal_of_the_execution(self, alliance: Alliance) -> None:
        assert alliance.refused_vote(rename(alliance, 9)) == "AllianceRegistry_UnknownMember"

    def test_a_call_that_no_function_answers_is_refused(self, alliance: Alliance) -> None:
        number = alliance.propose_raw(1, alliance.registry.address, b"\xff" * 4)
        for member in (2, 3):
            alliance.approve(member, number)
        assert alliance.refusal(alliance.governor(1), alliance.registry.functions.execute(number)) == "FailedCall"

    def test_a_contract_without_code_is_not_called(
        self, alliance: Alliance, artifacts: dict[str, dict[str, object]]
    ) -> None:
        contracts = [(word("EvidenceLog"), STRANGER.address)]
        registry = deploy(alliance.web3, artifacts["AllianceRegistry"], genesis_members(), [], contracts)
        early = replace(alliance, registry=registry)
        number = early.propose_raw(1, STRANGER.address, b"")
        for member in (2, 3):
            early.approve(member, number)
        assert early.refusal(early.governor(1), registry.functions.execute(number)) == "AddressEmptyCode"

    def test_a_call_that_failed_may_be_tried_again(self, alliance: Alliance) -> None:
        functions = alliance.registry.functions
        number = alliance.propose(1, rename(alliance, 5))
        for member in (2, 3):
            alliance.approve(member, number)
        execute = functions.execute(number)
        assert alliance.refusal(alliance.governor(1), execute) == "AllianceRegistry_UnknownMember"
        alliance.vote(functions.addMember(new_member("fifth")))
        alliance.approve(4, number)
        alliance.send(alliance.governor(1), execute)

    def test_a_contract_that_was_replaced_is_no_longer_called(
        self, alliance: Alliance, artifacts: dict[str, dict[str, object]]
    ) -> None:
        number = alliance.propose(1, alliance.log.functions.closeGeneration(1))
        for member in (2, 3):
            alliance.approve(member, number)
        successor = deploy(alliance.web3, artifacts["EvidenceLog"], alliance.registry.address)
        functions = alliance.registry.functions
        alliance.vote(functions.setSystemContract(word("EvidenceLog"), successor.address))
        refused = alliance.refusal(alliance.governor(1), functions.execute(number))
        assert refused == "AllianceRegistry_NotSystemContract"


class TestOnlyByVote:
    """No key, not even the deployer's or all governors' one by one, does what needs a vote."""

    @pytest.mark.parametrize("who", ["governor 1", "deployer", "stranger"])
    def test_each_change_of_the_alliance_needs_a_vote(self, alliance: Alliance, who: str) -> None:
        functions, address = alliance.registry.functions, STRANGER.address
        for call in (
            functions.addMember(new_member("fifth")),
            functions.setStatus(1, SUSPENDED),
            functions.rename(1, "x"),
            functions.setLogKey(1, b"\1" * 32),
            functions.grantRole(1, address, ANCHORER, 0, 0),
            functions.revokeRole(alliance.anchorer(1).address, ANCHORER),
            functions.setParameter(word("receiptDays"), 1),
            functions.setSystemContract(word("EvidenceLog"), alliance.log.address),
        ):
            assert alliance.refusal(key(who), call) == "AllianceRegistry_OnlyByVote"


class TestFounding:
    def test_an_alliance_needs_a_member(self, alliance: Alliance, artifacts: dict[str, dict[str, object]]) -> None:
        artifact = artifacts["AllianceRegistry"]
        factory = alliance.web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        call = factory.constructor([], [], [])
        with pytest.raises(Exception, match=Web3.keccak(text="AllianceRegistry_QuorumLost(uint256,uint256)")[:4].hex()):
            call.estimate_gas({"from": STRANGER.address})

    def test_system_contracts_may_be_named_before_they_have_code(
        self, alliance: Alliance, artifacts: dict[str, dict[str, object]]
    ) -> None:
        contracts = [(word("EvidenceLog"), STRANGER.address)]
        registry = deploy(alliance.web3, artifacts["AllianceRegistry"], genesis_members(), [], contracts)
        assert registry.functions.systemContract(word("EvidenceLog")).call() == STRANGER.address
