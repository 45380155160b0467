// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITenderRegister} from "../interfaces/ITenderRegister.sol";

/// @title The EIP-712 hashes of a tender's acts
/// @notice Each act has two: its own, by which later acts name it, and that of the struct that is signed, which adds until
/// when the signature is good. Below, the first type of a pair is the act's and the second what is signed.
library TenderActs {
    bytes32 private constant NOTICE = keccak256(
        "TenderNotice(uint16 host,uint256 members,bytes32 digest,bytes32 former,uint64 deadline,uint64 opening,uint16 answerDays)"
    );
    bytes32 internal constant SIGNED_NOTICE = keccak256(
        "SignedTenderNotice(TenderNotice act,uint64 validUntil)TenderNotice(uint16 host,uint256 members,bytes32 digest,bytes32 former,uint64 deadline,uint64 opening,uint16 answerDays)"
    );
    bytes32 private constant AMENDMENT = keccak256(
        "TenderAmendment(bytes32 tender,uint16 version,bytes32 digest,bytes32 reason,uint64 deadline,uint64 opening)"
    );
    bytes32 internal constant SIGNED_AMENDMENT = keccak256(
        "SignedTenderAmendment(TenderAmendment act,uint64 validUntil)TenderAmendment(bytes32 tender,uint16 version,bytes32 digest,bytes32 reason,uint64 deadline,uint64 opening)"
    );
    bytes32 private constant OPENING =
        keccak256("TenderOpening(bytes32 tender,bytes32 root,uint32 count,bytes32 refusals,bytes32 record)");
    bytes32 internal constant SIGNED_OPENING = keccak256(
        "SignedTenderOpening(TenderOpening act,uint64 validUntil)TenderOpening(bytes32 tender,bytes32 root,uint32 count,bytes32 refusals,bytes32 record)"
    );
    bytes32 private constant EVALUATION = keccak256(
        "TenderEvaluation(bytes32 tender,uint16 round,bytes32 manifest,bytes32 report,uint256 sites,bytes32 panel,bytes32 result)"
    );
    bytes32 internal constant SIGNED_EVALUATION = keccak256(
        "SignedTenderEvaluation(TenderEvaluation act,uint64 validUntil)TenderEvaluation(bytes32 tender,uint16 round,bytes32 manifest,bytes32 report,uint256 sites,bytes32 panel,bytes32 result)"
    );
    bytes32 private constant CANDIDATES =
        keccak256("TenderCandidates(bytes32 tender,bytes32 evaluation,bytes32 list,uint64 until)");
    bytes32 internal constant SIGNED_CANDIDATES = keccak256(
        "SignedTenderCandidates(TenderCandidates act,uint64 validUntil)TenderCandidates(bytes32 tender,bytes32 evaluation,bytes32 list,uint64 until)"
    );
    bytes32 private constant OBJECTION =
        keccak256("TenderObjection(bytes32 tender,bytes32 candidates,bytes32 grounds)");
    bytes32 internal constant SIGNED_OBJECTION = keccak256(
        "SignedTenderObjection(TenderObjection act,uint64 validUntil)TenderObjection(bytes32 tender,bytes32 candidates,bytes32 grounds)"
    );
    bytes32 private constant RULING =
        keccak256("TenderRuling(bytes32 tender,bytes32 grounds,bool upheld,bytes32 ruling)");
    bytes32 internal constant SIGNED_RULING = keccak256(
        "SignedTenderRuling(TenderRuling act,uint64 validUntil)TenderRuling(bytes32 tender,bytes32 grounds,bool upheld,bytes32 ruling)"
    );
    bytes32 private constant AWARD = keccak256("TenderAward(bytes32 tender,bytes32 candidates,bytes32 award)");
    bytes32 internal constant SIGNED_AWARD = keccak256(
        "SignedTenderAward(TenderAward act,uint64 validUntil)TenderAward(bytes32 tender,bytes32 candidates,bytes32 award)"
    );
    bytes32 private constant FAILURE = keccak256("TenderFailure(bytes32 tender,bytes32 reason)");
    bytes32 internal constant SIGNED_FAILURE = keccak256(
        "SignedTenderFailure(TenderFailure act,uint64 validUntil)TenderFailure(bytes32 tender,bytes32 reason)"
    );
    bytes32 private constant RECEIPT =
        keccak256("BidReceipt(bytes32 tender,bytes32 commitment,uint64 index,uint64 receivedAt)");
    bytes32 private constant REPLACEMENT =
        keccak256("BidReplacement(bytes32 tender,bytes32 commitment,bytes32 replacement,uint64 signedAt)");

    function hash(ITenderRegister.Notice calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(NOTICE, act));
    }

    function hash(ITenderRegister.Amendment calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(AMENDMENT, act));
    }

    function hash(ITenderRegister.Opening memory act) internal pure returns (bytes32) {
        return keccak256(abi.encode(OPENING, act));
    }

    function hash(ITenderRegister.Evaluation calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(EVALUATION, act));
    }

    function hash(ITenderRegister.Candidates calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(CANDIDATES, act));
    }

    function hash(ITenderRegister.Objection calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(OBJECTION, act));
    }

    function hash(ITenderRegister.Ruling calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(RULING, act));
    }

    function hash(ITenderRegister.Award calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(AWARD, act));
    }

    function hash(ITenderRegister.Failure calldata act) internal pure returns (bytes32) {
        return keccak256(abi.encode(FAILURE, act));
    }

    function hash(ITenderRegister.BidReceipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT, receipt));
    }

    function hash(ITenderRegister.Replacement calldata replacement) internal pure returns (bytes32) {
        return keccak256(abi.encode(REPLACEMENT, replacement));
    }

    /// @notice What seals a panel.
    function seal(ITenderRegister.Panel calldata panel) internal pure returns (bytes32) {
        bytes32 drawn = keccak256(abi.encodePacked(panel.drawn));
        return keccak256(abi.encode(panel.salt, drawn, keccak256(abi.encodePacked(panel.signers))));
    }
}
