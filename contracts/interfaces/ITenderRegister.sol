// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BidList} from "../libraries/BidList.sol";
import {Signers} from "../libraries/Signers.sol";
import {TenderSigners} from "../libraries/TenderSigners.sol";

/// @title The alliance's tenders, from the notice to the award
/// @notice What was announced, which bids were opened, who evaluated, what was objected to and ruled, and who won: each once,
/// none before its time, each with the signatures that it needs. Whoever holds a receipt for a bid shows here that it was
/// left out of the opening, or that a late one was let in.
/// @dev Anyone sends; what counts are the signatures, each good until `validUntil` and only once: an act names what it
/// follows (a version, a round, or the hash of the act before it). What is signed is `Signed<Act>(<Act> act,uint64
/// validUntil)`; who signs is in docs/adr/0018. Every event is folded into one journal word. Times are POSIX seconds; a bid
/// is in time when it was received before the deadline's second, and from that second on the deadline is over.
interface ITenderRegister {
    /// @notice Where a tender stands. The last three are its ends.
    enum State {
        None,
        Published,
        Closed,
        Opened,
        Evaluated,
        Candidates,
        Awarded,
        Failed,
        Retendered
    }

    /// @notice How a claim was answered.
    enum Answer {
        None,
        Withdrawn,
        Replaced,
        Refused
    }

    /// @notice What is announced; its struct hash names the tender.
    struct Notice {
        uint16 host; // the member that takes, opens and evaluates the bids
        uint256 members; // who publish it together, the host among them: bit n stands for member n
        bytes32 digest; // of the notice and the tender documents
        bytes32 former; // the failed tender that this one replaces; zero: none
        uint64 deadline; // of the bids
        uint64 opening; // not before it are they opened
        uint16 answerDays; // how long a claim waits for its answer
    }

    /// @notice A new version of the notice.
    struct Amendment {
        bytes32 tender;
        uint16 version; // the notice is version 1
        bytes32 digest; // of the notice and the tender documents as they are now
        bytes32 reason;
        uint64 deadline;
        uint64 opening;
    }

    /// @notice What was opened, and what was refused; its struct hash is the tender's manifest.
    struct Opening {
        bytes32 tender;
        bytes32 root; // of the opened bids, see BidList
        uint32 count;
        bytes32 refusals; // keccak256 of the list of refused bids
        bytes32 record; // digest of the record of the opening
    }

    struct Evaluation {
        bytes32 tender;
        uint16 round; // from 1; another one follows when an objection was upheld
        bytes32 manifest; // the opening that was evaluated
        bytes32 report;
        uint256 sites; // where the panel sat, the host among them: bit n stands for member n
        bytes32 panel; // the sealed Panel
        bytes32 result;
    }

    struct Candidates {
        bytes32 tender;
        bytes32 evaluation; // the struct hash of what they come from
        bytes32 list;
        uint64 until; // published until then
    }

    struct Objection {
        bytes32 tender;
        bytes32 candidates; // the struct hash of what is objected to
        bytes32 grounds;
    }

    struct Ruling {
        bytes32 tender;
        bytes32 grounds; // of the objection
        bool upheld; // so the bids are evaluated anew
        bytes32 ruling;
    }

    struct Award {
        bytes32 tender;
        bytes32 candidates; // the struct hash of those among whom the winner is
        bytes32 award;
    }

    /// @notice That a tender ends without an award.
    struct Failure {
        bytes32 tender;
        bytes32 reason;
    }

    /// @notice Who evaluated: experts by 32 bytes each that say nothing without their salt. Both lists ascend. Sealed it is
    /// keccak256(salt, keccak256(drawn), keccak256(signers)).
    struct Panel {
        bytes32 salt;
        bytes32[] drawn;
        bytes32[] signers; // of the report
    }

    /// @notice The host's word that a bid has arrived, signed by its receipt signer.
    struct BidReceipt {
        bytes32 tender;
        bytes32 commitment;
        uint64 index; // the bid's place in the log
        uint64 receivedAt;
    }

    /// @notice A bid's holder replaces or withdraws it.
    struct Replacement {
        bytes32 tender;
        bytes32 commitment;
        bytes32 replacement; // zero: it is withdrawn
        uint64 signedAt;
    }

    /// @notice All that is kept of a tender. An opening reads the first two slots, and writes the first and the manifest:
    ///   slot 0  host 16 | state 8 | version 16 | round 16 | objections 16 | answerDays 16 | deadline 64 | opening 64
    ///   slot 1  log 160 | generation 32 | size 64
    ///   slot 2  closedIn 64 | until 64
    /// and from slot 3 on a word each.
    struct Tender {
        uint16 host;
        State state;
        uint16 version;
        uint16 round; // of the last evaluation
        uint16 objections; // how many wait for a ruling
        uint16 answerDays;
        uint64 deadline;
        uint64 opening;
        address log; // the host's, as it stood when bids were closed; so the next three
        uint32 generation;
        uint64 size;
        uint64 closedIn; // the block
        uint64 until; // the last candidates are published until then
        uint256 members;
        bytes32 manifest; // struct hash of the opening
        bytes32 evaluation; // struct hash of the last one
        bytes32 panel; // sealed, of the last evaluation
        bytes32 candidates; // struct hash of the last ones
    }

    /// @notice A claim, in one slot.
    struct Claim {
        uint64 answerBy; // 0: there is no claim. Of a late bid: when it was recorded
        bool late; // a late bid was opened, to which there is no answer
        Answer answer;
    }

    event TenderPublished(
        bytes32 indexed tender,
        uint16 indexed host,
        uint256 members,
        bytes32 digest,
        bytes32 former,
        uint64 deadline,
        uint64 opening,
        uint16 answerDays
    );
    event TenderAmended(
        bytes32 indexed tender, uint16 indexed version, bytes32 digest, bytes32 reason, uint64 deadline, uint64 opening
    );
    /// @notice The host's log stands at (generation, size) in the evidence log in force.
    event BidsClosed(bytes32 indexed tender, uint16 indexed host, address log, uint32 generation, uint64 size);
    /// @notice These bids were opened, and those refused. `onReceipt` of them had no anchored place when bids were closed: that
    /// they were in time rests on their receipts.
    /// @param entries 40 bytes each: commitment, uint64 place.
    /// @param refusals 64 bytes each: commitment, digest of the reason.
    event BidsOpened(
        bytes32 indexed tender,
        bytes32 indexed manifest,
        bytes32 root,
        uint32 count,
        uint32 onReceipt,
        bytes32 record,
        address officer,
        bytes entries,
        bytes refusals
    );
    event TenderEvaluated(
        bytes32 indexed tender,
        bytes32 indexed evaluation,
        uint16 round,
        bytes32 report,
        uint256 sites,
        bytes32 panel,
        bytes32 result
    );
    event CandidatesPublished(
        bytes32 indexed tender, bytes32 indexed candidates, bytes32 list, uint64 until, address officer
    );
    /// @notice `member` handed in a bidder's objection.
    event ObjectionMade(
        bytes32 indexed tender, bytes32 indexed grounds, bytes32 candidates, uint16 member, address officer
    );
    event ObjectionRuled(
        bytes32 indexed tender, bytes32 indexed grounds, bool upheld, bytes32 ruling, address officer, address regulator
    );
    /// @notice The tender is awarded, and its panel unsealed.
    event TenderAwarded(
        bytes32 indexed tender,
        bytes32 indexed award,
        address officer,
        address regulator,
        bytes32 salt,
        bytes32[] drawn,
        bytes32[] signers
    );
    /// @notice The tender has no award; without a reason and signers, because fewer than three bids were opened.
    event TenderFailed(bytes32 indexed tender, bytes32 indexed reason, address officer, address regulator);
    /// @notice A bid that the host had received is not among the opened ones, or was received too late and is.
    event BidClaimed(
        bytes32 indexed tender,
        bytes32 indexed commitment,
        uint16 member,
        bool late,
        uint64 index,
        uint64 receivedAt,
        uint64 answerBy
    );
    /// @notice `by` is the bid in its place, or the reason of the refusal; zero for a withdrawal.
    event ClaimAnswered(bytes32 indexed tender, bytes32 indexed commitment, Answer answer, bytes32 by);

    error TenderRegister_UnknownTender(bytes32 tender);
    /// @notice The tender has ended.
    error TenderRegister_Over(bytes32 tender, State state);
    error TenderRegister_AlreadyPublished(bytes32 tender);
    /// @notice Something that must be named is zero.
    error TenderRegister_NothingStated();
    /// @notice The host is not among those who publish the notice, or where the panel sat.
    error TenderRegister_WithoutHost(uint16 host, uint256 members);
    /// @notice The deadline is over, or the new one is.
    error TenderRegister_DeadlinePassed(uint64 deadline);
    error TenderRegister_DeadlineBroughtForward(uint64 deadline, uint64 given);
    error TenderRegister_OpeningBeforeDeadline(uint64 opening, uint64 deadline);
    error TenderRegister_BadAnswerDays(uint16 given, uint256 least, uint256 most);
    /// @notice The tender that this one would replace has not failed, is another host's, or is replaced already.
    error TenderRegister_NotToReplace(bytes32 former);
    error TenderRegister_OtherVersion(uint16 given, uint256 next);
    /// @notice Bids are still taken.
    error TenderRegister_StillOpen(bytes32 tender, uint64 deadline);
    error TenderRegister_NoEvidenceLog();
    error TenderRegister_AlreadyClosed(bytes32 tender);
    error TenderRegister_NotClosed(bytes32 tender);
    /// @notice It is not yet the time of the opening.
    error TenderRegister_OpenedEarly(bytes32 tender, uint64 opening);
    error TenderRegister_AlreadyOpened(bytes32 tender);
    error TenderRegister_NotOpened(bytes32 tender);
    error TenderRegister_OtherRound(uint16 given, uint256 next);
    error TenderRegister_AlreadyEvaluated(bytes32 tender);
    error TenderRegister_NotEvaluated(bytes32 tender);
    error TenderRegister_CandidatesAlreadyPublished(bytes32 tender);
    error TenderRegister_NoCandidates(bytes32 tender);
    /// @notice They must be published until `least`: through the third day after this one, in China.
    error TenderRegister_PublishedTooShortly(uint64 until, uint256 least);
    /// @notice This act follows another one than the tender's last: another opening, evaluation or list of candidates.
    error TenderRegister_OtherBasis(bytes32 given, bytes32 present);
    error TenderRegister_ObjectedTooLate(bytes32 tender, uint64 until);
    error TenderRegister_AlreadyObjected(bytes32 tender, bytes32 grounds);
    /// @notice There is no such objection, or it is ruled on.
    error TenderRegister_NothingToRule(bytes32 tender, bytes32 grounds);
    /// @notice So many objections wait for a ruling.
    error TenderRegister_Suspended(bytes32 tender, uint256 objections);
    error TenderRegister_StillPublished(bytes32 tender, uint64 until);
    /// @notice The panel is not the one that was sealed at the evaluation.
    error TenderRegister_OtherPanel(bytes32 given, bytes32 sealed_);
    /// @notice Experts are listed twice, or out of order.
    error TenderRegister_ExpertsNotAscending(bytes32 expert);
    /// @notice Who signed the report was not drawn.
    error TenderRegister_NotDrawn(bytes32 expert);
    /// @notice The receipt is for a bid in another tender than the opening.
    error TenderRegister_OtherTender(bytes32 tender, bytes32 opened);
    /// @notice Whoever signed was no receipt signer of the host at `receivedAt`.
    error TenderRegister_NotReceiptSigner(address signer, uint16 member, uint64 receivedAt);
    /// @notice The signer was revoked when the log was not yet beyond the bid's place.
    error TenderRegister_SignerRevoked(address signer, uint64 index);
    /// @notice The signer was revoked, and the time for claims has run out.
    error TenderRegister_ClaimedTooLate(address signer, uint256 until);
    /// @notice The bid was received after the deadline, so it was rightly left out.
    error TenderRegister_ReceivedLate(bytes32 commitment, uint64 receivedAt, uint64 deadline);
    /// @notice The bid was received in time, so it was rightly opened.
    error TenderRegister_ReceivedInTime(bytes32 commitment, uint64 receivedAt, uint64 deadline);
    /// @notice The bid is on the list of opened ones.
    error TenderRegister_Opened(bytes32 commitment);
    /// @notice The bid is not on the list of opened ones.
    error TenderRegister_NotAmongOpened(bytes32 commitment);
    error TenderRegister_AlreadyClaimed(bytes32 tender, bytes32 commitment);
    /// @notice There is no claim that waits for an answer.
    error TenderRegister_NothingToAnswer(bytes32 tender, bytes32 commitment);
    error TenderRegister_AnsweredTooLate(bytes32 commitment, uint64 answerBy);
    /// @notice Another key signed than the commitment's holder.
    error TenderRegister_NotHolder(address signer, address holder);
    /// @notice From the deadline on a bid is not replaced or withdrawn.
    error TenderRegister_ReplacedLate(bytes32 commitment, uint64 signedAt, uint64 deadline);
    /// @notice The refused bids of the opening are others, or this bid is not at that position among them.
    error TenderRegister_NotRefused(bytes32 commitment);

    /// @notice Announces a tender.
    /// @param signatures one by a tender officer of each of `notice.members`, in any order, over `SignedTenderNotice`.
    /// @return tender its name for ever.
    function publish(Notice calldata notice, uint64 validUntil, Signers.Signature[] calldata signatures)
        external
        returns (bytes32 tender);

    /// @notice Amends the notice; before the deadline, which may only move to later.
    /// @param signatures as for the notice, over `SignedTenderAmendment`.
    function amend(Amendment calldata amendment, uint64 validUntil, Signers.Signature[] calldata signatures) external;

    /// @notice Fixes, once, how far the host's log reached when no more bids were taken. By anyone, from the deadline on.
    function closeBids(bytes32 tender) external;

    /// @notice Says which bids were opened and which refused, once. With fewer than three the tender has failed.
    /// @param entries the opened bids as BidList has them.
    /// @param refusals the refused ones: commitment and digest of the reason, 64 bytes each, ascending by commitment.
    /// @param record digest of the record of the opening.
    /// @param officer of the host, over `SignedTenderOpening`.
    function openBids(
        bytes32 tender,
        bytes calldata entries,
        bytes calldata refusals,
        bytes32 record,
        uint64 validUntil,
        Signers.Signature calldata officer
    ) external;

    /// @notice Records an evaluation, its panel sealed.
    /// @param signatures one by a tender officer of each of `evaluation.sites`, over `SignedTenderEvaluation`.
    function evaluate(Evaluation calldata evaluation, uint64 validUntil, Signers.Signature[] calldata signatures)
        external;

    /// @notice Publishes the candidates for the award, through the third day after this one at the least.
    /// @param officer of the host, over `SignedTenderCandidates`.
    function publishCandidates(Candidates calldata candidates, uint64 validUntil, Signers.Signature calldata officer)
        external;

    /// @notice Hands in a bidder's objection to the candidates while they are published. Until it is ruled on there is no award.
    /// @param officer of any active member, over `SignedTenderObjection`.
    function objectTo(Objection calldata objection, uint64 validUntil, Signers.Signature calldata officer) external;

    /// @notice Rules on an objection. One that is upheld sends the tender back to its evaluation, if it is to the candidates of
    /// now.
    /// @param pair officer and regulator of the host, over `SignedTenderRuling`.
    function rule(Ruling calldata ruling, uint64 validUntil, TenderSigners.Pair calldata pair) external;

    /// @notice Awards the tender and unseals its panel; once the candidates' time is over and no objection waits.
    /// @param panel of the evaluation that the candidates come from.
    /// @param pair officer and regulator of the host, over `SignedTenderAward`.
    function award(Award calldata given, Panel calldata panel, uint64 validUntil, TenderSigners.Pair calldata pair)
        external;

    /// @notice Ends a tender without an award. It may be announced anew.
    /// @param pair officer and regulator of the host, over `SignedTenderFailure`.
    function fail(Failure calldata failure, uint64 validUntil, TenderSigners.Pair calldata pair) external;

    /// @notice Records that a bid received in time is not among the opened ones. Once for each bid, by anyone.
    /// @param receiptSigner of the host at `receivedAt`, over the receipt; if revoked since then see
    /// IAllianceRegistry.revokeRole.
    /// @param opening the tender's, as it was given.
    /// @param page of the opened bids, on which this one would stand.
    function claimDropped(
        BidReceipt calldata receipt,
        Signers.Signature calldata receiptSigner,
        Opening calldata opening,
        BidList.Page calldata page
    ) external;

    /// @notice Records that a bid received from the deadline on is among the opened ones. Once for each bid, by anyone; there is
    /// no answer to it.
    function claimLate(
        BidReceipt calldata receipt,
        Signers.Signature calldata receiptSigner,
        Opening calldata opening,
        BidList.Page calldata page
    ) external;

    /// @notice Answers a claim: the bid's holder has replaced or withdrawn it before the deadline.
    /// @param preimage the 257 bytes that the commitment commits to, see BidCommitment.
    /// @param holder that is named there, over the replacement.
    function answerByHolder(
        Replacement calldata replacement,
        bytes calldata preimage,
        Signers.Signature calldata holder
    ) external;

    /// @notice Answers a claim: the opening names the bid among the refused ones.
    /// @param refusals all of them, as they were given.
    function answerByRefusal(bytes32 commitment, Opening calldata opening, bytes calldata refusals, uint256 position)
        external;

    /// @notice All zeros for an unknown tender.
    function tenderAt(bytes32 tender) external view returns (Tender memory);

    /// @notice The candidates of an objection, and whether it waits for a ruling; zero: there is no such objection.
    function objectionAt(bytes32 tender, bytes32 grounds) external view returns (bytes32 candidates, bool waits);

    /// @notice All zeros if nothing is claimed.
    function claimAt(bytes32 tender, bytes32 commitment) external view returns (Claim memory);

    /// @notice Whether a claim stands: no answer came in time, or there is none.
    function isUpheld(bytes32 tender, bytes32 commitment) external view returns (bool);

    /// @notice The journal: uint32 number of events (high) and 224-bit running hash. See libraries/Journal.sol.
    function journal() external view returns (bytes32);
}
