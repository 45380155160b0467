"""EvidenceLog.anchor and closeGeneration: what moves a log, and what cannot."""

import pytest
from founded_alliance import ANCHORER, DAY, SUSPENDED, WITHDRAWN, Alliance, entries, key
from rfc6962 import Tree, UniformTree
from web3.logs import DISCARD

TREE = Tree(entries(300))
PAIRS = [
    (1, 2),
    (1, 7),
    (2, 3),
    (3, 4),
    (4, 5),
    (4, 8),
    (5, 7),
    (6, 8),
    (7, 8),
    (8, 9),
    (8, 300),
    (100, 255),
    (129, 300),
]


class TestAnchor:
    def test_the_first_checkpoint_needs_no_proof(self, alliance: Alliance) -> None:
        receipt = alliance.anchor(2, TREE, 5)
        generation, size, root, count, time = alliance.log.functions.checkpoint(2).call()
        assert (generation, size, root, count, time) == (0, 5, TREE.root(5), 1, alliance.now)
        (event,) = alliance.log.events.Anchored().process_receipt(receipt)
        assert dict(event["args"]) == {"member": 2, "generation": 0, "size": 5, "root": TREE.root(5), "count": 1}

    @pytest.mark.parametrize(("old", "new"), PAIRS)
    def test_a_log_grows_by_a_consistency_proof(self, alliance: Alliance, old: int, new: int) -> None:
        alliance.anchor(1, TREE, old)
        alliance.anchor(1, TREE, new, old=old)
        assert alliance.log.functions.checkpoint(1).call()[1:4] == [new, TREE.root(new), 2]

    @pytest.mark.parametrize(("old", "new"), PAIRS)
    def test_a_proof_that_is_not_exactly_right_is_refused(self, alliance: Alliance, old: int, new: int) -> None:
        alliance.anchor(1, TREE, old)
        proof, root = TREE.proof(old, new), TREE.root(new)
        anchorer, anchor = alliance.anchorer(1), alliance.log.functions.anchor
        assert alliance.refusal(anchorer, anchor(new, root, [*proof, root])) == "MerkleProofs_TooLong"
        assert alliance.refusal(anchorer, anchor(new, root, proof[:-1])) == "MerkleProofs_TooShort"
        assert alliance.refusal(anchorer, anchor(new, root, [])) == "MerkleProofs_TooShort"
        assert alliance.refusal(anchorer, anchor(new, TREE.root(old), proof)) == "EvidenceLog_NotAppendOnly"
        for place in range(len(proof)):
            bent = [*proof[:place], bytes([proof[place][0] ^ 1]) + proof[place][1:], *proof[place + 1 :]]
            assert alliance.refusal(anchorer, anchor(new, root, bent)) == "EvidenceLog_NotAppendOnly"

    def test_a_forked_log_is_refused_whatever_its_own_proof_says(self, alliance: Alliance) -> None:
        fork = Tree([*entries(3), *entries(297, seed="other")])
        alliance.anchor(1, TREE, 5)
        call = alliance.anchoring(fork, 9, old=5)
        assert alliance.refusal(alliance.anchorer(1), call) == "EvidenceLog_NotAppendOnly"

    def test_an_empty_log_takes_no_proof(self, alliance: Alliance) -> None:
        call = alliance.log.functions.anchor(5, TREE.root(5), [TREE.root(5)])
        assert alliance.refusal(alliance.anchorer(1), call) == "MerkleProofs_TooLong"

    def test_nothing_shrinks(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        anchor = alliance.log.functions.anchor
        assert alliance.refusal(alliance.anchorer(1), anchor(4, TREE.root(4), [])) == "EvidenceLog_Shrinks"
        assert alliance.refusal(alliance.anchorer(1), anchor(0, b"\0" * 32, [])) == "EvidenceLog_Shrinks"

    def test_the_same_checkpoint_again_changes_nothing(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        assert alliance.refusal(alliance.anchorer(1), alliance.anchoring(TREE, 8)) == "EvidenceLog_SameSize"

    def test_an_empty_first_checkpoint_is_refused(self, alliance: Alliance) -> None:
        call = alliance.log.functions.anchor(0, b"\0" * 32, [])
        assert alliance.refusal(alliance.anchorer(1), call) == "EvidenceLog_SameSize"

    @pytest.mark.parametrize("size", [1 << 63, (1 << 64) - 1])
    def test_sizes_of_2_to_the_63_and_more_are_refused(self, alliance: Alliance, size: int) -> None:
        call = alliance.log.functions.anchor(size, b"\1" * 32, [])
        assert alliance.refusal(alliance.anchorer(1), call) == "EvidenceLog_SizeTooLarge"

    def test_growth_is_bounded(self, alliance: Alliance) -> None:
        bound = alliance.log.functions.maxGrowth().call()
        tree = UniformTree(b"\7" * 32)
        call = alliance.anchoring(tree, bound + 1)
        assert alliance.refusal(alliance.anchorer(1), call) == "EvidenceLog_GrowsTooFast"
        alliance.anchor(1, tree, bound)
        call = alliance.anchoring(tree, 2 * bound + 1, old=bound)
        assert alliance.refusal(alliance.anchorer(1), call) == "EvidenceLog_GrowsTooFast"
        alliance.anchor(1, tree, 2 * bound, old=bound)

    def test_each_member_moves_its_own_log_only(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        assert alliance.log.functions.checkpoint(2).call() == [0, 0, b"\0" * 32, 0, 0]

    @pytest.mark.parametrize("who", ["governor 1", "signer 1", "stranger"])
    def test_only_an_anchorer_anchors(self, alliance: Alliance, who: str) -> None:
        assert alliance.refusal(key(who), alliance.anchoring(TREE, 8)) == "AllianceRegistry_NotInForce"

    def test_an_anchorer_acts_only_within_its_tenure(self, alliance: Alliance) -> None:
        later, start = key("later"), alliance.now + DAY
        grant = alliance.registry.functions.grantOwnRole(later.address, ANCHORER, start, start + DAY)
        alliance.send(alliance.governor(1), grant)
        assert alliance.refusal(later, alliance.anchoring(TREE, 8)) == "AllianceRegistry_NotInForce"
        alliance.pass_time(DAY + 10)
        assert alliance.refusal(later, alliance.anchoring(TREE, 8)) == "accepted"
        alliance.pass_time(DAY)
        assert alliance.refusal(later, alliance.anchoring(TREE, 8)) == "AllianceRegistry_NotInForce"

    @pytest.mark.parametrize("status", [SUSPENDED, WITHDRAWN])
    def test_who_left_anchors_what_it_receipted_until_revoked(self, alliance: Alliance, status: int) -> None:
        alliance.vote(alliance.registry.functions.setStatus(4, status))
        alliance.anchor(4, TREE, 8)
        alliance.vote(alliance.registry.functions.revokeRole(alliance.anchorer(4).address, ANCHORER))
        call = alliance.anchoring(TREE, 9, old=8)
        assert alliance.refusal(alliance.anchorer(4), call) == "AllianceRegistry_NotInForce"


class TestCloseGeneration:
    def test_a_closed_generation_keeps_its_end_and_the_next_starts_empty(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        time = alliance.now
        receipt = alliance.vote(alliance.log.functions.closeGeneration(1))
        (event,) = alliance.log.events.GenerationClosed().process_receipt(receipt, errors=DISCARD)
        assert dict(event["args"]) == {"member": 1, "generation": 0, "size": 8, "root": TREE.root(8)}
        assert alliance.log.functions.checkpoint(1).call() == [1, 0, b"\0" * 32, 1, time]
        assert alliance.log.functions.closedCheckpoint(1, 0).call() == [8, TREE.root(8), 1, time]

    def test_anchors_are_counted_over_all_generations(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        alliance.vote(alliance.log.functions.closeGeneration(1))
        alliance.anchor(1, Tree(entries(3, seed="new")), 3)
        generation, size, _, count, _ = alliance.log.functions.checkpoint(1).call()
        assert (generation, size, count) == (1, 3, 2)

    def test_a_proof_for_the_closed_generation_is_refused_in_the_next(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        alliance.vote(alliance.log.functions.closeGeneration(1))
        call = alliance.anchoring(TREE, 9, old=8)
        assert alliance.refusal(alliance.anchorer(1), call) == "MerkleProofs_TooLong"

    def test_nobody_closes_without_a_vote(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 8)
        call = alliance.log.functions.closeGeneration(1)
        assert alliance.refusal(alliance.governor(1), call) == "EvidenceLog_OnlyRegistry"

    def test_an_empty_generation_has_no_end(self, alliance: Alliance) -> None:
        assert alliance.refused_vote(alliance.log.functions.closeGeneration(1)) == "EvidenceLog_NothingAnchored"
        assert alliance.refused_vote(alliance.log.functions.closeGeneration(9)) == "EvidenceLog_NothingAnchored"
