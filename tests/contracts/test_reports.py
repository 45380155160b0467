"""EvidenceLog.reportBrokenReceipt and reportLateReceipt: which receipts convict a member, and which prove nothing."""

from dataclasses import replace

import pytest
from founded_alliance import DAY, RECEIPT_DAYS, RECEIPT_SIGNER, Alliance, Receipt, deploy, entries, key
from rfc6962 import Tree
from typed_data import RECEIPT_BATCH
from web3 import Web3
from web3.contract.contract import ContractFunction

LEAVES = entries(9)
TREE = Tree(LEAVES)
PROMISED = b"\xaa" * 32
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


def broken(alliance: Alliance, receipt: Receipt, *, size: int = 9, leaf: int | None = None) -> ContractFunction:
    """The report of `receipt` with the leaf that the log holds there."""
    place = receipt.index if leaf is None else leaf
    return alliance.log.functions.reportBrokenReceipt(receipt.as_argument(), LEAVES[place], TREE.path(place, size))


def late(alliance: Alliance, receipt: Receipt) -> ContractFunction:
    return alliance.log.functions.reportLateReceipt(receipt.as_argument())


class Reporter:
    """Anyone may report."""

    who = key("a bidder")


class TestReceiptItself(Reporter):
    """What both reports ask of a receipt before they look at the log."""

    @pytest.fixture(autouse=True)
    def _anchored(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        alliance.anchor(2, TREE, 9)

    @pytest.mark.parametrize(
        "change",
        [
            {"member": 2},
            {"generation": 1},
            {"accepted_at": 0},
            {"anchor_by": 1},
        ],
    )
    def test_a_changed_field_makes_another_signer(self, alliance: Alliance, change: dict[str, int]) -> None:
        changed = replace(alliance.receipt(1, 4, PROMISED), **change)  # type: ignore[arg-type]
        assert alliance.refusal(self.who, broken(alliance, changed)) == "EvidenceLog_NotReceiptSigner"

    @pytest.mark.parametrize(
        "change", [{"index": 5}, {"commitment": b"\3" * 32}, {"root": b"\4" * 32}, {"position": 0}]
    )
    def test_an_entry_that_is_not_in_the_batch_is_refused(self, alliance: Alliance, change: dict[str, int]) -> None:
        changed = replace(alliance.receipt(1, 4, PROMISED), **change)  # type: ignore[arg-type]
        assert alliance.refusal(self.who, broken(alliance, changed)) == "EvidenceLog_NotInBatch"

    @pytest.mark.parametrize("count", [0, 1])
    def test_a_position_outside_the_batch_is_refused(self, alliance: Alliance, count: int) -> None:
        changed = alliance.receipt(1, 4, PROMISED, count=count)
        assert alliance.refusal(self.who, broken(alliance, changed)) == "EvidenceLog_NotInBatch"

    def test_a_path_of_another_length_is_refused(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, PROMISED)
        longer = replace(receipt, path=[*receipt.path, b"\0" * 32])
        shorter = replace(receipt, path=receipt.path[:-1])
        assert alliance.refusal(self.who, broken(alliance, longer)) == "MerkleProofs_TooLong"
        assert alliance.refusal(self.who, broken(alliance, shorter)) == "MerkleProofs_TooShort"

    def test_a_batch_of_one_has_an_empty_path(self, alliance: Alliance) -> None:
        root = Tree([(4).to_bytes(8, "big") + PROMISED]).root(1)
        receipt = alliance.receipt(1, 4, PROMISED, root=root, count=1, position=0, path=[])
        alliance.send(self.who, broken(alliance, receipt))

    def test_the_other_form_of_a_signature_is_refused(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, PROMISED)
        r, s, v = receipt.signature[:32], int.from_bytes(receipt.signature[32:64], "big"), receipt.signature[64]
        high = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
        assert (
            alliance.refusal(self.who, broken(alliance, replace(receipt, signature=high))) == "ECDSAInvalidSignatureS"
        )
        raw_v = receipt.signature[:64] + bytes([v - 27])
        assert (
            alliance.refusal(self.who, broken(alliance, replace(receipt, signature=raw_v))) == "ECDSAInvalidSignature"
        )
        cut = receipt.signature[:64]
        assert (
            alliance.refusal(self.who, broken(alliance, replace(receipt, signature=cut)))
            == "ECDSAInvalidSignatureLength"
        )

    def test_a_receipt_of_another_chain_or_log_is_refused(self, alliance: Alliance) -> None:
        plain, chain = alliance.receipt(1, 4, PROMISED), alliance.web3.eth.chain_id
        signer, other = alliance.signer(1), alliance.registry.address
        for receipt in (
            plain.signed_by(signer, alliance.log.address, chain + 1),
            plain.signed_by(signer, other, chain),
        ):
            assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_NotReceiptSigner"

    @pytest.mark.parametrize("who", ["signer 2", "anchorer 1", "governor 1", "stranger"])
    def test_only_the_members_own_receipt_signer_binds_it(self, alliance: Alliance, who: str) -> None:
        receipt = alliance.receipt(1, 4, PROMISED, signer=key(who))
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_NotReceiptSigner"

    def test_nobody_signs_for_a_member_that_does_not_exist(self, alliance: Alliance) -> None:
        alliance.pass_time(601)
        for member in (0, 9):
            receipt = alliance.receipt(member, 4, PROMISED, signer=key("stranger"), anchor_by=1)
            assert alliance.refusal(self.who, late(alliance, receipt)) == "EvidenceLog_NotReceiptSigner"

    def test_a_receipt_from_before_its_signer_served_is_refused(self, alliance: Alliance) -> None:
        served_from = alliance.registry.functions.tenure(alliance.signer(1).address, RECEIPT_SIGNER).call()[1]
        before = alliance.receipt(1, 4, PROMISED, accepted_at=served_from - 1)
        assert alliance.refusal(self.who, broken(alliance, before)) == "EvidenceLog_NotReceiptSigner"
        first = alliance.receipt(1, 4, PROMISED, accepted_at=served_from)
        assert alliance.refusal(self.who, broken(alliance, first)) == "accepted"


class TestRevokedSigner(Reporter):
    """Rotation erases no guilt, and a revoked key makes no new receipts."""

    @pytest.fixture
    def before(self, alliance: Alliance) -> int:
        """A moment at which the signer still served; it is revoked since, when five leaves were anchored."""
        alliance.anchor(1, TREE, 5)
        moment = alliance.now
        alliance.pass_time(10)
        revoke = alliance.registry.functions.revokeOwnRole(alliance.signer(1).address, RECEIPT_SIGNER)
        alliance.send(alliance.governor(1), revoke)
        alliance.anchor(1, TREE, 9, old=5)
        return moment

    def test_what_it_signed_below_the_anchored_size_still_convicts(self, alliance: Alliance, before: int) -> None:
        alliance.send(self.who, broken(alliance, alliance.receipt(1, 4, PROMISED, accepted_at=before)))

    def test_what_it_signed_at_or_beyond_that_size_proves_nothing(self, alliance: Alliance, before: int) -> None:
        for receipt in (
            alliance.receipt(1, 5, PROMISED, accepted_at=before),
            alliance.receipt(1, 4, PROMISED, accepted_at=before, generation=1),
        ):
            assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_SignerRevoked"

    @pytest.mark.usefixtures("before")
    def test_what_it_signed_afterwards_proves_nothing(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, PROMISED)
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_NotReceiptSigner"

    def test_after_the_stated_days_it_is_too_late(self, alliance: Alliance, before: int) -> None:
        receipt = alliance.receipt(1, 4, PROMISED, accepted_at=before)
        alliance.pass_time(RECEIPT_DAYS * DAY - 60)
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "accepted"
        alliance.pass_time(120)
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_ReportTooLate"

    def test_a_generation_closed_before_counts_up_to_its_end(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        moment = alliance.now
        alliance.pass_time(10)
        alliance.vote(alliance.log.functions.closeGeneration(1))
        alliance.vote(alliance.registry.functions.revokeRole(alliance.signer(1).address, RECEIPT_SIGNER))
        alliance.send(self.who, broken(alliance, alliance.receipt(1, 8, PROMISED, accepted_at=moment)))
        beyond = alliance.receipt(1, 9, PROMISED, accepted_at=moment, anchor_by=moment)
        assert alliance.refusal(self.who, late(alliance, beyond)) == "EvidenceLog_SignerRevoked"

    def test_a_revocation_under_another_log_voids_its_receipts_here(
        self, alliance: Alliance, artifacts: dict[str, dict[str, object]]
    ) -> None:
        alliance.anchor(1, TREE, 9)
        moment = alliance.now
        alliance.pass_time(10)
        successor = deploy(alliance.web3, artifacts["EvidenceLog"], alliance.registry.address)
        name = b"EvidenceLog".ljust(32, b"\0")
        alliance.vote(alliance.registry.functions.setSystemContract(name, successor.address))
        alliance.vote(alliance.registry.functions.revokeRole(alliance.signer(1).address, RECEIPT_SIGNER))
        receipt = alliance.receipt(1, 4, PROMISED, accepted_at=moment)
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_SignerRevoked"


class TestReportBrokenReceipt(Reporter):
    def test_another_leaf_at_the_promised_place_marks_the_member(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        receipt = alliance.receipt(1, 4, PROMISED)
        done = alliance.send(self.who, broken(alliance, receipt))
        (event,) = alliance.log.events.ReceiptBroken().process_receipt(done)
        facts = {"member": 1, "generation": 0, "index": 4, "promised": PROMISED, "found": LEAVES[4]}
        assert {name: event["args"][name] for name in facts} == facts
        assert alliance.log.functions.faults(1).call() == 1

    def test_a_receipt_is_reported_once(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        receipt = alliance.receipt(1, 4, PROMISED)
        alliance.send(self.who, broken(alliance, receipt))
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_AlreadyReported"
        alliance.send(self.who, broken(alliance, alliance.receipt(1, 5, PROMISED)))
        assert alliance.log.functions.faults(1).call() == 2

    def test_a_kept_promise_is_no_fault(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        receipt = alliance.receipt(1, 4, LEAVES[4])
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_PromiseKept"

    def test_a_leaf_of_another_place_proves_nothing(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        receipt = alliance.receipt(1, 4, PROMISED)
        call = broken(alliance, receipt, leaf=5)
        assert alliance.refusal(self.who, call) == "EvidenceLog_NotIncluded"
        path = TREE.path(4, 9)
        report = alliance.log.functions.reportBrokenReceipt
        argument = receipt.as_argument()
        assert alliance.refusal(self.who, report(argument, LEAVES[4], path[:-1])) == "MerkleProofs_TooShort"
        assert alliance.refusal(self.who, report(argument, LEAVES[4], [*path, path[0]])) == "MerkleProofs_TooLong"

    def test_a_place_that_is_not_anchored_cannot_be_broken(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 4)
        receipt = alliance.receipt(1, 4, PROMISED)
        assert alliance.refusal(self.who, broken(alliance, receipt)) == "EvidenceLog_NotAnchored"
        future = alliance.receipt(1, 0, PROMISED, generation=1)
        assert alliance.refusal(self.who, broken(alliance, future)) == "EvidenceLog_NotAnchored"

    def test_a_closed_generation_still_convicts(self, alliance: Alliance) -> None:
        alliance.anchor(1, TREE, 9)
        alliance.vote(alliance.log.functions.closeGeneration(1))
        alliance.send(self.who, broken(alliance, alliance.receipt(1, 4, PROMISED)))
        assert alliance.log.functions.faults(1).call() == 1


class TestReportLateReceipt(Reporter):
    def test_a_place_not_reached_in_time_is_late_until_it_is_anchored(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, LEAVES[4])
        alliance.pass_time(601)
        done = alliance.send(self.who, late(alliance, receipt))
        (event,) = alliance.log.events.ReceiptLate().process_receipt(done)
        facts = {"member": 1, "generation": 0, "index": 4, "anchorBy": receipt.anchor_by}
        assert {name: event["args"][name] for name in facts} == facts
        entry = event["args"]["entry"]
        assert alliance.log.functions.isLate(entry).call()
        alliance.anchor(1, TREE, 4)
        assert alliance.log.functions.isLate(entry).call()
        alliance.anchor(1, TREE, 5, old=4)
        assert not alliance.log.functions.isLate(entry).call()
        assert alliance.log.functions.faults(1).call() == 0

    def test_it_is_reported_once(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, LEAVES[4])
        alliance.pass_time(601)
        alliance.send(self.who, late(alliance, receipt))
        assert alliance.refusal(self.who, late(alliance, receipt)) == "EvidenceLog_AlreadyReported"

    def test_nobody_is_late_before_the_promised_time(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, LEAVES[4])
        assert alliance.refusal(self.who, late(alliance, receipt)) == "EvidenceLog_NotDue"

    def test_an_anchored_place_is_not_late(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, LEAVES[4])
        alliance.anchor(1, TREE, 5)
        alliance.pass_time(601)
        assert alliance.refusal(self.who, late(alliance, receipt)) == "EvidenceLog_InTime"

    def test_beyond_the_end_of_a_closed_generation_late_is_for_ever(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 5, LEAVES[5])
        alliance.anchor(1, TREE, 5)
        alliance.vote(alliance.log.functions.closeGeneration(1))
        alliance.pass_time(601)
        done = alliance.send(self.who, late(alliance, receipt))
        (event,) = alliance.log.events.ReceiptLate().process_receipt(done)
        alliance.anchor(1, TREE, 9)
        assert alliance.log.functions.isLate(event["args"]["entry"]).call()

    def test_a_generation_that_is_not_open_yet_is_not_reached(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 0, LEAVES[0], generation=1)
        alliance.anchor(1, TREE, 5)
        alliance.pass_time(601)
        alliance.send(self.who, late(alliance, receipt))

    def test_the_key_of_a_receipt_names_the_batch_and_the_entry(self, alliance: Alliance) -> None:
        receipt = alliance.receipt(1, 4, LEAVES[4])
        alliance.pass_time(601)
        done = alliance.send(self.who, late(alliance, receipt))
        (event,) = alliance.log.events.ReceiptLate().process_receipt(done)
        numbers = [receipt.member, receipt.generation]
        words = [bytes(Web3.keccak(text=RECEIPT_BATCH)), bytes.fromhex(alliance.log.address[2:]).rjust(32, b"\0")]
        words += [number.to_bytes(32, "big") for number in numbers] + [receipt.root]
        words += [number.to_bytes(32, "big") for number in (receipt.count, receipt.accepted_at, receipt.anchor_by)]
        batch = bytes(Web3.keccak(b"".join(words)))
        assert event["args"]["entry"] == bytes(Web3.keccak(batch + (4).to_bytes(32, "big") + LEAVES[4]))
