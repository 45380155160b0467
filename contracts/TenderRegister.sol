// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAllianceRegistry} from "./interfaces/IAllianceRegistry.sol";
import {ITenderRegister} from "./interfaces/ITenderRegister.sol";
import {BidCommitment} from "./libraries/BidCommitment.sol";
import {BidList} from "./libraries/BidList.sol";
import {BidOpening} from "./libraries/BidOpening.sol";
import {BidReceipts} from "./libraries/BidReceipts.sol";
import {Experts} from "./libraries/Experts.sol";
import {Journal} from "./libraries/Journal.sol";
import {Signers} from "./libraries/Signers.sol";
import {TenderActs} from "./libraries/TenderActs.sol";
import {TenderRules} from "./libraries/TenderRules.sol";
import {TenderSigners} from "./libraries/TenderSigners.sol";

/// @title TenderRegister
/// @notice See ITenderRegister. Reads as a tender goes: it is announced, bids are closed and opened, evaluated, objected to,
/// awarded; then what a bidder shows who was left out.
contract TenderRegister is ITenderRegister, EIP712 {
    using BidReceipts for IAllianceRegistry;
    using Journal for Journal.Head;
    using TenderActs for *;
    using TenderSigners for IAllianceRegistry;

    uint256 private constant LEAST_BIDS = 3;

    struct Objected {
        bytes32 candidates;
        bool waits;
    }

    IAllianceRegistry public immutable registry;

    Journal.Head private _journal;
    mapping(bytes32 tender => Tender) private _tenders;
    mapping(bytes32 tender => mapping(bytes32 grounds => Objected)) private _objections;
    mapping(bytes32 tender => mapping(bytes32 commitment => Claim)) private _claims;

    constructor(IAllianceRegistry registry_) EIP712("bidledger", "1") {
        registry = registry_;
    }

    // ---- it is announced ----

    /// @inheritdoc ITenderRegister
    function publish(Notice calldata notice, uint64 validUntil, Signers.Signature[] calldata signatures)
        external
        returns (bytes32 tender)
    {
        tender = notice.hash();
        if (_tenders[tender].state != State.None) revert TenderRegister_AlreadyPublished(tender);
        if (notice.digest == 0) revert TenderRegister_NothingStated();
        TenderRules.requireAmong(notice.host, notice.members);
        TenderRules.requireTimes(notice.deadline, notice.opening);
        TenderRules.requireAnswerDays(notice.answerDays);
        registry.requireOfficers(notice.members, _digest(TenderActs.SIGNED_NOTICE, tender, validUntil), signatures);
        if (notice.former != 0) _replace(notice.former, notice.host);
        _announce(tender, notice);
    }

    function _announce(bytes32 tender, Notice calldata notice) private {
        Tender storage t = _tenders[tender];
        (t.host, t.state, t.version, t.answerDays) = (notice.host, State.Published, 1, notice.answerDays);
        (t.deadline, t.opening, t.members) = (notice.deadline, notice.opening, notice.members);
        _journal.emitAndFold(
            abi.encode(
                TenderPublished.selector,
                tender,
                notice.host,
                notice.members,
                notice.digest,
                notice.former,
                notice.deadline,
                notice.opening,
                notice.answerDays
            )
        );
    }

    function _replace(bytes32 former, uint16 host) private {
        Tender storage t = _tenders[former];
        if (t.state != State.Failed || t.host != host) revert TenderRegister_NotToReplace(former);
        t.state = State.Retendered;
    }

    /// @inheritdoc ITenderRegister
    function amend(Amendment calldata given, uint64 validUntil, Signers.Signature[] calldata signatures) external {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireStarted(given.tender, t.state);
        if (block.timestamp >= t.deadline) revert TenderRegister_DeadlinePassed(t.deadline);
        if (given.version != t.version + 1) revert TenderRegister_OtherVersion(given.version, t.version + 1);
        if (given.digest == 0 || given.reason == 0) revert TenderRegister_NothingStated();
        if (given.deadline < t.deadline) {
            revert TenderRegister_DeadlineBroughtForward(t.deadline, given.deadline);
        }
        TenderRules.requireTimes(given.deadline, given.opening);
        bytes32 digest = _digest(TenderActs.SIGNED_AMENDMENT, given.hash(), validUntil);
        registry.requireOfficers(t.members, digest, signatures);
        (t.version, t.deadline, t.opening) = (given.version, given.deadline, given.opening);
        _journal.emitAndFold(
            abi.encode(
                TenderAmended.selector,
                given.tender,
                given.version,
                given.digest,
                given.reason,
                given.deadline,
                given.opening
            )
        );
    }

    // ---- bids are closed and opened ----

    /// @inheritdoc ITenderRegister
    function closeBids(bytes32 tender) external {
        Tender storage t = _tenders[tender];
        TenderRules.requireNext(tender, t.state, State.Published);
        if (block.timestamp < t.deadline) revert TenderRegister_StillOpen(tender, t.deadline);
        (address log, uint32 generation, uint64 size) = registry.anchored(t.host);
        t.state = State.Closed;
        (t.log, t.generation, t.size, t.closedIn) = (log, generation, size, uint64(block.number));
        _journal.emitAndFold(abi.encode(BidsClosed.selector, tender, t.host, log, generation, size));
    }

    /// @inheritdoc ITenderRegister
    function openBids(
        bytes32 tender,
        bytes calldata entries,
        bytes calldata refusals,
        bytes32 record,
        uint64 validUntil,
        Signers.Signature calldata officer
    ) external {
        Tender storage t = _tenders[tender];
        TenderRules.requireStarted(tender, t.state);
        if (block.timestamp < t.opening) revert TenderRegister_OpenedEarly(tender, t.opening);
        TenderRules.requireNext(tender, t.state, State.Closed);
        BidOpening.Opened memory opened = BidOpening.read(tender, t.size, entries, refusals, record);
        bytes32 digest = _digest(TenderActs.SIGNED_OPENING, opened.manifest, validUntil);
        opened.officer = registry.requireOfficer(t.host, digest, officer);
        bool failed = opened.act.count < LEAST_BIDS;
        (t.manifest, t.state) = (opened.manifest, failed ? State.Failed : State.Opened);
        _journal.emitAndFold(BidOpening.logEntry(opened, entries, refusals));
        if (failed) _tellFailed(tender, 0, address(0), address(0));
    }

    // ---- they are evaluated ----

    /// @inheritdoc ITenderRegister
    function evaluate(Evaluation calldata given, uint64 validUntil, Signers.Signature[] calldata signatures) external {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireNext(given.tender, t.state, State.Opened);
        if (given.manifest != t.manifest) revert TenderRegister_OtherBasis(given.manifest, t.manifest);
        if (given.round != t.round + 1) revert TenderRegister_OtherRound(given.round, t.round + 1);
        if (given.report == 0 || given.panel == 0 || given.result == 0) revert TenderRegister_NothingStated();
        TenderRules.requireAmong(t.host, given.sites);
        bytes32 evaluation = given.hash();
        registry.requireOfficers(given.sites, _digest(TenderActs.SIGNED_EVALUATION, evaluation, validUntil), signatures);
        (t.state, t.round, t.evaluation, t.panel) = (State.Evaluated, given.round, evaluation, given.panel);
        _journal.emitAndFold(
            abi.encode(
                TenderEvaluated.selector,
                given.tender,
                evaluation,
                given.round,
                given.report,
                given.sites,
                given.panel,
                given.result
            )
        );
    }

    /// @inheritdoc ITenderRegister
    function publishCandidates(Candidates calldata given, uint64 validUntil, Signers.Signature calldata officer)
        external
    {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireNext(given.tender, t.state, State.Evaluated);
        if (given.evaluation != t.evaluation) revert TenderRegister_OtherBasis(given.evaluation, t.evaluation);
        if (given.list == 0) revert TenderRegister_NothingStated();
        TenderRules.requirePublished(given.until);
        bytes32 candidates = given.hash();
        bytes32 digest = _digest(TenderActs.SIGNED_CANDIDATES, candidates, validUntil);
        address signer = registry.requireOfficer(t.host, digest, officer);
        (t.state, t.candidates, t.until) = (State.Candidates, candidates, given.until);
        _journal.emitAndFold(
            abi.encode(CandidatesPublished.selector, given.tender, candidates, given.list, given.until, signer)
        );
    }

    // ---- it is objected to, and ruled on ----

    /// @inheritdoc ITenderRegister
    function objectTo(Objection calldata given, uint64 validUntil, Signers.Signature calldata officer) external {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireNext(given.tender, t.state, State.Candidates);
        if (given.candidates != t.candidates) revert TenderRegister_OtherBasis(given.candidates, t.candidates);
        if (block.timestamp >= t.until) revert TenderRegister_ObjectedTooLate(given.tender, t.until);
        if (given.grounds == 0) revert TenderRegister_NothingStated();
        Objected storage objected = _objections[given.tender][given.grounds];
        if (objected.candidates != 0) revert TenderRegister_AlreadyObjected(given.tender, given.grounds);
        address signer = Signers.signerOf(_digest(TenderActs.SIGNED_OBJECTION, given.hash(), validUntil), officer);
        uint16 member = registry.roleMember(signer, IAllianceRegistry.Role.TenderOfficer);
        (objected.candidates, objected.waits) = (given.candidates, true);
        t.objections++;
        _journal.emitAndFold(
            abi.encode(ObjectionMade.selector, given.tender, given.grounds, given.candidates, member, signer)
        );
    }

    /// @inheritdoc ITenderRegister
    function rule(Ruling calldata given, uint64 validUntil, TenderSigners.Pair calldata pair) external {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireStarted(given.tender, t.state);
        Objected storage objected = _objections[given.tender][given.grounds];
        if (!objected.waits) revert TenderRegister_NothingToRule(given.tender, given.grounds);
        if (given.ruling == 0) revert TenderRegister_NothingStated();
        bytes32 digest = _digest(TenderActs.SIGNED_RULING, given.hash(), validUntil);
        (address officer, address regulator) = registry.requireBoth(t.host, digest, pair);
        objected.waits = false;
        t.objections--;
        if (given.upheld && t.state == State.Candidates && objected.candidates == t.candidates) {
            t.state = State.Opened;
        }
        _journal.emitAndFold(
            abi.encode(
                ObjectionRuled.selector, given.tender, given.grounds, given.upheld, given.ruling, officer, regulator
            )
        );
    }

    // ---- it ends ----

    /// @inheritdoc ITenderRegister
    function award(Award calldata given, Panel calldata panel, uint64 validUntil, TenderSigners.Pair calldata pair)
        external
    {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireNext(given.tender, t.state, State.Candidates);
        if (given.candidates != t.candidates) revert TenderRegister_OtherBasis(given.candidates, t.candidates);
        if (t.objections > 0) revert TenderRegister_Suspended(given.tender, t.objections);
        if (block.timestamp < t.until) revert TenderRegister_StillPublished(given.tender, t.until);
        if (given.award == 0) revert TenderRegister_NothingStated();
        if (panel.seal() != t.panel) revert TenderRegister_OtherPanel(panel.seal(), t.panel);
        Experts.requireDrawn(panel);
        bytes32 digest = _digest(TenderActs.SIGNED_AWARD, given.hash(), validUntil);
        (address officer, address regulator) = registry.requireBoth(t.host, digest, pair);
        t.state = State.Awarded;
        _journal.emitAndFold(
            bytes.concat(
                abi.encode(TenderAwarded.selector, given.tender, given.award),
                abi.encode(officer, regulator, panel.salt, panel.drawn, panel.signers)
            )
        );
    }

    /// @inheritdoc ITenderRegister
    function fail(Failure calldata given, uint64 validUntil, TenderSigners.Pair calldata pair) external {
        Tender storage t = _tenders[given.tender];
        TenderRules.requireStarted(given.tender, t.state);
        if (given.reason == 0) revert TenderRegister_NothingStated();
        bytes32 digest = _digest(TenderActs.SIGNED_FAILURE, given.hash(), validUntil);
        (address officer, address regulator) = registry.requireBoth(t.host, digest, pair);
        t.state = State.Failed;
        _tellFailed(given.tender, given.reason, officer, regulator);
    }

    function _tellFailed(bytes32 tender, bytes32 reason, address officer, address regulator) private {
        _journal.emitAndFold(abi.encode(TenderFailed.selector, tender, reason, officer, regulator));
    }

    // ---- a bid was left out, or let in ----

    /// @inheritdoc ITenderRegister
    function claimDropped(
        BidReceipt calldata receipt,
        Signers.Signature calldata receiptSigner,
        Opening calldata opening,
        BidList.Page calldata page
    ) external {
        Tender storage t = _requireReceived(receipt, receiptSigner, opening);
        if (receipt.receivedAt >= t.deadline) {
            revert TenderRegister_ReceivedLate(receipt.commitment, receipt.receivedAt, t.deadline);
        }
        (bool opened,) = BidList.find(opening.root, opening.count, page, receipt.commitment);
        if (opened) revert TenderRegister_Opened(receipt.commitment);
        _claim(receipt, t.host, Claim(uint64(block.timestamp + t.answerDays * 1 days), false, Answer.None));
    }

    /// @inheritdoc ITenderRegister
    function claimLate(
        BidReceipt calldata receipt,
        Signers.Signature calldata receiptSigner,
        Opening calldata opening,
        BidList.Page calldata page
    ) external {
        Tender storage t = _requireReceived(receipt, receiptSigner, opening);
        if (receipt.receivedAt < t.deadline) {
            revert TenderRegister_ReceivedInTime(receipt.commitment, receipt.receivedAt, t.deadline);
        }
        (bool opened,) = BidList.find(opening.root, opening.count, page, receipt.commitment);
        if (!opened) revert TenderRegister_NotAmongOpened(receipt.commitment);
        _claim(receipt, t.host, Claim(uint64(block.timestamp), true, Answer.None));
    }

    function _claim(BidReceipt calldata receipt, uint16 host, Claim memory claim) private {
        (bytes32 tender, bytes32 commitment) = (receipt.tender, receipt.commitment);
        if (_claims[tender][commitment].answerBy != 0) revert TenderRegister_AlreadyClaimed(tender, commitment);
        _claims[tender][commitment] = claim;
        _journal.emitAndFold(
            abi.encode(
                BidClaimed.selector,
                tender,
                commitment,
                host,
                claim.late,
                receipt.index,
                receipt.receivedAt,
                claim.answerBy
            )
        );
    }

    /// @inheritdoc ITenderRegister
    function answerByHolder(Replacement calldata given, bytes calldata preimage, Signers.Signature calldata holder)
        external
    {
        uint64 deadline = _tenders[given.tender].deadline;
        if (given.signedAt >= deadline) {
            revert TenderRegister_ReplacedLate(given.commitment, given.signedAt, deadline);
        }
        address signer = Signers.signerOf(_hashTypedDataV4(given.hash()), holder);
        address named = BidCommitment.holderOf(given.commitment, preimage);
        if (signer != named) revert TenderRegister_NotHolder(signer, named);
        Answer answer = given.replacement == 0 ? Answer.Withdrawn : Answer.Replaced;
        _answer(given.tender, given.commitment, answer, given.replacement);
    }

    /// @inheritdoc ITenderRegister
    function answerByRefusal(bytes32 commitment, Opening calldata opening, bytes calldata refusals, uint256 position)
        external
    {
        _requireOpening(opening);
        bytes32 reason = BidList.reasonAt(refusals, position, commitment);
        bool refused = keccak256(refusals) == opening.refusals && reason != 0;
        if (!refused) revert TenderRegister_NotRefused(commitment);
        _answer(opening.tender, commitment, Answer.Refused, reason);
    }

    function _answer(bytes32 tender, bytes32 commitment, Answer answer, bytes32 by) private {
        Claim storage claim = _claims[tender][commitment];
        bool waits = claim.answerBy != 0 && !claim.late && claim.answer == Answer.None;
        if (!waits) revert TenderRegister_NothingToAnswer(tender, commitment);
        if (block.timestamp > claim.answerBy) revert TenderRegister_AnsweredTooLate(commitment, claim.answerBy);
        claim.answer = answer;
        _journal.emitAndFold(abi.encode(ClaimAnswered.selector, tender, commitment, answer, by));
    }

    // ---- what others ask ----

    /// @inheritdoc ITenderRegister
    function tenderAt(bytes32 tender) external view returns (Tender memory) {
        return _tenders[tender];
    }

    /// @inheritdoc ITenderRegister
    function objectionAt(bytes32 tender, bytes32 grounds) external view returns (bytes32, bool) {
        Objected memory objected = _objections[tender][grounds];
        return (objected.candidates, objected.waits);
    }

    /// @inheritdoc ITenderRegister
    function claimAt(bytes32 tender, bytes32 commitment) external view returns (Claim memory) {
        return _claims[tender][commitment];
    }

    /// @inheritdoc ITenderRegister
    function isUpheld(bytes32 tender, bytes32 commitment) external view returns (bool) {
        Claim memory claim = _claims[tender][commitment];
        if (claim.answerBy == 0 || claim.answer != Answer.None) return false;
        return claim.late || block.timestamp > claim.answerBy;
    }

    /// @inheritdoc ITenderRegister
    function journal() external view returns (bytes32) {
        return _journal.word;
    }

    // ---- rules ----

    function _requireOpening(Opening calldata opening) private view returns (Tender storage t) {
        t = _tenders[opening.tender];
        if (t.manifest == 0) revert TenderRegister_NotOpened(opening.tender);
        bytes32 manifest = opening.hash();
        if (manifest != t.manifest) revert TenderRegister_OtherBasis(manifest, t.manifest);
    }

    /// @dev The tender of the opening, once the receipt is shown to be the host's for a bid in it.
    function _requireReceived(
        BidReceipt calldata receipt,
        Signers.Signature calldata receiptSigner,
        Opening calldata opening
    ) private view returns (Tender storage t) {
        if (receipt.tender != opening.tender) {
            revert TenderRegister_OtherTender(receipt.tender, opening.tender);
        }
        t = _requireOpening(opening);
        address signer = Signers.signerOf(_hashTypedDataV4(receipt.hash()), receiptSigner);
        registry.requireReceiptSigner(signer, t, receipt);
    }

    // ---- what is signed ----

    function _digest(bytes32 signedType, bytes32 act, uint64 validUntil) private view returns (bytes32) {
        Signers.requireInTime(validUntil);
        return _hashTypedDataV4(keccak256(abi.encode(signedType, act, validUntil)));
    }
}
