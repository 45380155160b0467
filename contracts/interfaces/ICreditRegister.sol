// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Kind, Terms} from "../libraries/CreditTerms.sol";
import {Signers} from "../libraries/Signers.sol";

/// @title The alliance's register of honesty and dishonesty
/// @notice What a member has decided about a company, known to all members and ended for all at one block. A record is
/// published, disputed, ruled on, repaired or withdrawn only with the signatures that its act needs; nobody removes one.
/// That its last day is over needs no transaction: publication then stops by itself.
/// @dev For each subject there is one word, a chain over all that happened to its records; the links that matter are shown
/// by whoever calls. Every event is folded into one journal word as well. The bytes that are hashed and signed are drawn
/// in docs/adr/0015; who signs, and which state follows which, in docs/adr/0016. Days are numbers: 0 is 1970-01-01, and
/// they are the calendar's days in China.
interface ICreditRegister {
    enum State {
        None,
        Published,
        Objected,
        Upheld,
        Corrected,
        Withdrawn,
        Repaired
    }

    /// @notice What a record says of its subject.
    struct Content {
        Terms terms; // who decided, the kind, and the days
        uint256 measures; // bit n: the measure with code n of the catalogue
        bytes32 statement; // digest of the facts and their legal basis
        bytes32 document; // digest of the decision
    }

    /// @notice A record to publish.
    struct Publication {
        bytes32 subject;
        Content content;
    }

    /// @notice A change to a record, with what the chain's link that last named it was made from.
    struct Change {
        bytes32 subject;
        bytes32 record; // its name for ever: the hash of subject and content as they were published
        Content content; // as it is before the change
        State state; // before the change
        bytes32 step; // the last publication or change of this record, as it was signed
        uint64 time; // of that
        bytes32 word; // the subject's, before that
        State next;
        bytes32 grounds; // digest of the objection, ruling or withdrawal; of a repair, the evidence that the wrong was put right
        bytes32 pledge; // digest of a repair's commitment letter; zero for any other change
    }

    /// @notice A record was published; bit n of `endorsers`: a regulator of member n endorsed it.
    event RecordPublished(
        bytes32 indexed subject,
        bytes32 indexed record,
        Content content,
        address publisher,
        address regulator,
        uint256 endorsers
    );
    /// @notice `member` handed in the subject's objection.
    event RecordObjected(
        bytes32 indexed subject, bytes32 indexed record, uint16 member, bytes32 grounds, address publisher
    );
    /// @notice The record was upheld, withdrawn or repaired.
    event RecordChanged(
        bytes32 indexed subject,
        bytes32 indexed record,
        State state,
        bytes32 grounds,
        bytes32 pledge,
        address publisher,
        address regulator
    );
    /// @notice The record now says `content`.
    event RecordCorrected(
        bytes32 indexed subject,
        bytes32 indexed record,
        Content content,
        bytes32 grounds,
        address publisher,
        address regulator
    );

    error CreditRegister_EmptyBatch();
    /// @notice The batch's signatures are of `member`, and this record is another's.
    error CreditRegister_NotOfMember(bytes32 record, uint16 member);
    error CreditRegister_NoSubject();
    error CreditRegister_NoKind();
    /// @notice There is something above the last of the terms.
    error CreditRegister_UntidyTerms(Terms terms);
    /// @notice A record names its facts and basis, and its decision.
    error CreditRegister_NothingStated();
    error CreditRegister_DecidedInFuture(uint32 decidedOn, uint256 today);
    /// @notice The law allows a last day from `first` to `last`.
    error CreditRegister_UnlawfulTerm(uint256 lastDay, uint256 first, uint256 last);
    error CreditRegister_AlreadyOver(uint32 lastDay, uint256 today);
    error CreditRegister_NoMeasures();
    /// @notice The alliance's catalogue does not have these measures for records of this kind.
    error CreditRegister_UnfitMeasures(Kind kind, uint256 unfit);
    /// @notice The links do not lead to the subject's word as it is now.
    error CreditRegister_StaleLinks(bytes32 subject, bytes32 word);
    /// @notice One of the links that were shown is this record's: it is published already, or was changed since.
    error CreditRegister_NamedSince(bytes32 record);
    /// @notice The subject's count was never as high as the record says.
    error CreditRegister_NotYet(bytes32 record, uint256 count);
    error CreditRegister_TooFewLinks();
    error CreditRegister_TooManyLinks();
    error CreditRegister_TooFewEndorsements(uint256 given, uint256 needed);
    error CreditRegister_OwnEndorsement(uint16 issuer);
    error CreditRegister_IllegalChange(bytes32 record, State from, State to);
    error CreditRegister_NoGrounds(bytes32 record);
    /// @notice A repair needs a pledge, and nothing else has one.
    error CreditRegister_BadPledge(bytes32 record);
    error CreditRegister_NotDishonesty(bytes32 record);
    /// @notice The least period of publication lasts through `least`.
    error CreditRegister_RepairTooEarly(bytes32 record, uint256 least);
    /// @notice A correction keeps member, kind (or makes it general) and `earlier`, ends no later and adds no measure.
    error CreditRegister_Worsens(bytes32 record);

    /// @notice Publishes records of one member.
    /// @param links for each record in turn whose subject's count is above its `earlier`: the subject's word when the count
    /// was `earlier`, and the (record, leaf) of each link since.
    /// @param deadline the time until which the signatures count.
    /// @param pair the member's credit publisher and regulator, over `CreditPublication`.
    /// @param endorsements by regulators of other members, over the same; at least as many as `endorsementsNeeded` if
    /// any of the records is serious dishonesty.
    function publish(
        Publication[] calldata publications,
        bytes32[] calldata links,
        uint64 deadline,
        Signers.Pair calldata pair,
        Signers.Signature[] calldata endorsements
    ) external;

    /// @notice Shows a record as disputed.
    /// @param links the (record, leaf) of each link since the one that last named the record.
    /// @param signature by a credit publisher of any active member, over `CreditChanges`.
    function objectTo(
        Change calldata change,
        bytes32[] calldata links,
        uint64 deadline,
        Signers.Signature calldata signature
    ) external;

    /// @notice Upholds, withdraws or repairs records of one member, each of another subject.
    /// @param links for each record in turn: the (record, leaf) of each link since the one that last named it.
    /// @param pair the member's credit publisher and regulator, over `CreditChanges`.
    function decide(Change[] calldata changes, bytes32[] calldata links, uint64 deadline, Signers.Pair calldata pair)
        external;

    /// @notice Rules that a disputed record was wrong in part, and puts it right.
    /// @param corrected what it says from now on.
    /// @param pair the member's credit publisher and regulator, over `CreditChanges`.
    function correct(
        Change calldata change,
        Content calldata corrected,
        bytes32[] calldata links,
        uint64 deadline,
        Signers.Pair calldata pair
    ) external;

    /// @notice The subject's word: uint32 number of publications and changes (high) and 224-bit hash of their chain.
    /// Zero: there has never been a record.
    function subjectWord(bytes32 subject) external view returns (bytes32);

    /// @notice How many other members must endorse serious dishonesty now: the parameter "endorsements", at least 3.
    function endorsementsNeeded() external view returns (uint256);

    /// @notice The journal: uint32 number of events (high) and 224-bit running hash. See libraries/Journal.sol.
    function journal() external view returns (bytes32);
}
