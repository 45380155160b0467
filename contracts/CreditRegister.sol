// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAllianceRegistry} from "./interfaces/IAllianceRegistry.sol";
import {ICreditRegister} from "./interfaces/ICreditRegister.sol";
import {CreditTerms, Kind, Terms} from "./libraries/CreditTerms.sol";
import {Calendar} from "./libraries/Calendar.sol";
import {Journal} from "./libraries/Journal.sol";
import {Signers} from "./libraries/Signers.sol";

/// @title CreditRegister
/// @notice See ICreditRegister. Reads as a record lives: it is published, disputed, ruled on, and ends.
contract CreditRegister is ICreditRegister, EIP712 {
    using CreditTerms for Terms;
    using Journal for Journal.Head;
    using Signers for IAllianceRegistry;

    bytes32 private constant RECORD_TYPEHASH = keccak256(
        "CreditRecord(bytes32 subject,uint16 member,uint8 kind,uint32 decidedOn,uint32 lastDay,uint32 earlier,uint256 measures,bytes32 statement,bytes32 document)"
    );
    bytes32 private constant PUBLICATION_TYPEHASH = keccak256(
        "CreditPublication(CreditRecord[] records,uint64 deadline)CreditRecord(bytes32 subject,uint16 member,uint8 kind,uint32 decidedOn,uint32 lastDay,uint32 earlier,uint256 measures,bytes32 statement,bytes32 document)"
    );
    bytes32 private constant CHANGE_TYPEHASH =
        keccak256("CreditChange(bytes32 leaf,uint8 state,bytes32 grounds,bytes32 pledge,bytes32 content)");
    bytes32 private constant CHANGES_TYPEHASH = keccak256(
        "CreditChanges(CreditChange[] changes,uint64 deadline)CreditChange(bytes32 leaf,uint8 state,bytes32 grounds,bytes32 pledge,bytes32 content)"
    );
    bytes32 private constant ENDORSEMENTS = "endorsements";
    uint256 private constant LEAST_ENDORSEMENTS = 3;

    /// @dev Who signed a publication; bit n of `endorsers` stands for member n.
    struct Approval {
        address publisher;
        address regulator;
        uint256 endorsers;
    }

    IAllianceRegistry public immutable registry;

    Journal.Head private _journal;
    mapping(bytes32 subject => bytes32 word) public override subjectWord;

    constructor(IAllianceRegistry registry_) EIP712("bidledger", "1") {
        registry = registry_;
    }

    // ---- a record is published ----

    /// @inheritdoc ICreditRegister
    function publish(
        Publication[] calldata publications,
        bytes32[] calldata links,
        uint64 deadline,
        Signers.Pair calldata pair,
        Signers.Signature[] calldata endorsements
    ) external {
        if (publications.length == 0) revert CreditRegister_EmptyBatch();
        uint16 member = publications[0].content.terms.member();
        (bytes32[] memory records, bool serious) = _records(publications, member);
        bytes32 digest = _digest(PUBLICATION_TYPEHASH, records, deadline);
        Approval memory by;
        (by.publisher, by.regulator) = registry.requirePair(member, digest, pair);
        by.endorsers = _endorsers(member, digest, endorsements, serious ? endorsementsNeeded() : 0);
        for (uint256 i = 0; i < records.length; i++) {
            links = _publish(publications[i], records[i], links, by);
        }
        _requireNone(links);
    }

    /// @dev The names of the records, if each may be published.
    function _records(Publication[] calldata publications, uint16 member)
        private
        view
        returns (bytes32[] memory records, bool serious)
    {
        records = new bytes32[](publications.length);
        for (uint256 i = 0; i < records.length; i++) {
            (bytes32 subject, Content calldata content) = (publications[i].subject, publications[i].content);
            if (subject == 0) revert CreditRegister_NoSubject();
            _requireLawful(content);
            _requireCurrent(content.terms);
            records[i] = _hashRecord(subject, content);
            if (content.terms.member() != member) revert CreditRegister_NotOfMember(records[i], member);
            if (content.terms.kind() == Kind.SeriousDishonesty) serious = true;
        }
    }

    /// @return members bit n: member n endorses.
    function _endorsers(uint16 issuer, bytes32 digest, Signers.Signature[] calldata endorsements, uint256 needed)
        private
        view
        returns (uint256 members)
    {
        if (endorsements.length < needed) revert CreditRegister_TooFewEndorsements(endorsements.length, needed);
        if (endorsements.length == 0) return 0;
        members = registry.requireRegulators(digest, endorsements);
        if ((members >> issuer) & 1 == 1) revert CreditRegister_OwnEndorsement(issuer);
    }

    /// @return rest the links that are not of this record's subject.
    function _publish(Publication calldata given, bytes32 record, bytes32[] calldata links, Approval memory by)
        private
        returns (bytes32[] calldata rest)
    {
        (bytes32 subject, Content calldata content) = (given.subject, given.content);
        bytes32 word = subjectWord[subject];
        rest = _requireNew(record, subject, word, content.terms.earlier(), links);
        subjectWord[subject] = _link(word, record, _leaf(record, State.Published, record, block.timestamp));
        _journal.emitAndFold(
            abi.encode(RecordPublished.selector, subject, record, content, by.publisher, by.regulator, by.endorsers)
        );
    }

    // ---- it is disputed, and ruled on ----

    /// @inheritdoc ICreditRegister
    function objectTo(
        Change calldata given,
        bytes32[] calldata links,
        uint64 deadline,
        Signers.Signature calldata signature
    ) external {
        _requireLegal(given, State.Objected);
        _requireCurrent(given.content.terms);
        bytes32 content = _hashRecord(given.subject, given.content);
        bytes32[] memory hashes = new bytes32[](1);
        bytes32 leaf = _leaf(content, given.state, given.step, given.time);
        hashes[0] = _hashChange(given, leaf, content);
        bytes32 digest = _digest(CHANGES_TYPEHASH, hashes, deadline);
        address publisher = Signers.signerOf(digest, signature);
        uint16 member = registry.roleMember(publisher, IAllianceRegistry.Role.CreditPublisher);
        _requireNone(_apply(given, links, leaf, content, hashes[0]));
        _journal.emitAndFold(
            abi.encode(RecordObjected.selector, given.subject, given.record, member, given.grounds, publisher)
        );
    }

    /// @inheritdoc ICreditRegister
    function correct(
        Change calldata given,
        Content calldata corrected,
        bytes32[] calldata links,
        uint64 deadline,
        Signers.Pair calldata pair
    ) external {
        _requireLegal(given, State.Corrected);
        _requireLawful(corrected);
        _requireMilder(given, corrected);
        bytes32 leaf = _leaf(_hashRecord(given.subject, given.content), given.state, given.step, given.time);
        bytes32 content = _hashRecord(given.subject, corrected);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = _hashChange(given, leaf, content);
        bytes32 digest = _digest(CHANGES_TYPEHASH, hashes, deadline);
        (address publisher, address regulator) = registry.requirePair(given.content.terms.member(), digest, pair);
        _requireNone(_apply(given, links, leaf, content, hashes[0]));
        _tellCorrected(given, corrected, publisher, regulator);
    }

    function _tellCorrected(Change calldata given, Content calldata corrected, address publisher, address regulator)
        private
    {
        _journal.emitAndFold(
            abi.encode(
                RecordCorrected.selector, given.subject, given.record, corrected, given.grounds, publisher, regulator
            )
        );
    }

    // ---- it is upheld, withdrawn or repaired ----

    /// @inheritdoc ICreditRegister
    function decide(Change[] calldata changes, bytes32[] calldata links, uint64 deadline, Signers.Pair calldata pair)
        external
    {
        if (changes.length == 0) revert CreditRegister_EmptyBatch();
        uint16 member = changes[0].content.terms.member();
        bytes32[] memory contents = new bytes32[](changes.length);
        bytes32[] memory leaves = new bytes32[](changes.length);
        bytes32[] memory hashes = new bytes32[](changes.length);
        for (uint256 i = 0; i < hashes.length; i++) {
            Change calldata given = changes[i];
            if (given.content.terms.member() != member) revert CreditRegister_NotOfMember(given.record, member);
            contents[i] = _hashRecord(given.subject, given.content);
            leaves[i] = _leaf(contents[i], given.state, given.step, given.time);
            hashes[i] = _hashChange(given, leaves[i], contents[i]);
        }
        bytes32 digest = _digest(CHANGES_TYPEHASH, hashes, deadline);
        (address publisher, address regulator) = registry.requirePair(member, digest, pair);
        for (uint256 i = 0; i < hashes.length; i++) {
            Change calldata given = changes[i];
            _requireDecision(given);
            links = _apply(given, links, leaves[i], contents[i], hashes[i]);
            _tell(given, publisher, regulator);
        }
        _requireNone(links);
    }

    function _tell(Change calldata given, address publisher, address regulator) private {
        _journal.emitAndFold(
            abi.encode(
                RecordChanged.selector,
                given.subject,
                given.record,
                given.next,
                given.grounds,
                given.pledge,
                publisher,
                regulator
            )
        );
    }

    function _requireDecision(Change calldata given) private view {
        State next = given.next;
        bool decision = next == State.Upheld || next == State.Withdrawn || next == State.Repaired;
        if (!decision) revert CreditRegister_IllegalChange(given.record, given.state, next);
        _requireLegal(given, next);
        if (next == State.Repaired) _requireRepairable(given);
    }

    // ---- what others ask ----

    /// @inheritdoc ICreditRegister
    function endorsementsNeeded() public view returns (uint256) {
        uint256 set = registry.parameter(ENDORSEMENTS);
        return set < LEAST_ENDORSEMENTS ? LEAST_ENDORSEMENTS : set;
    }

    /// @inheritdoc ICreditRegister
    function journal() external view returns (bytes32) {
        return _journal.word;
    }

    // ---- what a record may say ----

    function _requireLawful(Content calldata content) private view {
        Terms terms = content.terms;
        if (!terms.isTidy()) revert CreditRegister_UntidyTerms(terms);
        if (content.statement == 0 || content.document == 0) revert CreditRegister_NothingStated();
        if (content.measures == 0) revert CreditRegister_NoMeasures();
        if (terms.decidedOn() > _today()) revert CreditRegister_DecidedInFuture(terms.decidedOn(), _today());
        _requireTerm(terms.kind(), terms.decidedOn(), terms.lastDay());
        _requireFitting(terms.kind(), content.measures);
    }

    function _requireTerm(Kind kind, uint256 decidedOn, uint256 lastDay) private pure {
        if (kind == Kind.None) revert CreditRegister_NoKind();
        (uint256 least, uint256 most) = (_leastMonths(kind), kind == Kind.GeneralDishonesty ? 12 : 36);
        // No month has more than 31 days, and no year of months fewer than 12 times 30: most terms need no calendar.
        if (lastDay >= decidedOn + 31 * least && lastDay < decidedOn + 30 * most) return;
        uint256 first = Calendar.monthsAfter(decidedOn, least);
        uint256 last = Calendar.monthsAfter(decidedOn, most);
        if (lastDay < first || lastDay > last) revert CreditRegister_UnlawfulTerm(lastDay, first, last);
    }

    function _leastMonths(Kind kind) private pure returns (uint256) {
        if (kind == Kind.Honour) return 0;
        return kind == Kind.GeneralDishonesty ? 3 : 12;
    }

    function _requireFitting(Kind kind, uint256 measures) private view {
        bytes32 name = kind == Kind.Honour
            ? bytes32("measures:honour")
            : kind == Kind.GeneralDishonesty ? bytes32("measures:general") : bytes32("measures:serious");
        uint256 unfit = measures & ~registry.parameter(name);
        if (unfit != 0) revert CreditRegister_UnfitMeasures(kind, unfit);
    }

    function _requireCurrent(Terms terms) private view {
        if (_today() > terms.lastDay()) revert CreditRegister_AlreadyOver(terms.lastDay(), _today());
    }

    function _today() private view returns (uint256) {
        return Calendar.dayAt(block.timestamp);
    }

    // ---- what may become of it ----

    function _requireLegal(Change calldata given, State next) private pure {
        State from = given.state;
        bool legal = from != State.None && from != State.Withdrawn && from != State.Repaired && given.next == next;
        if (next == State.Objected) legal = legal && (from == State.Published || from == State.Corrected);
        else if (next == State.Repaired) legal = legal && from != State.Objected;
        else if (next != State.Withdrawn) legal = legal && from == State.Objected;
        if (!legal) revert CreditRegister_IllegalChange(given.record, from, given.next);
        if (given.grounds == 0) revert CreditRegister_NoGrounds(given.record);
        if ((given.pledge == 0) == (next == State.Repaired)) revert CreditRegister_BadPledge(given.record);
    }

    function _requireRepairable(Change calldata given) private view {
        Terms terms = given.content.terms;
        if (terms.kind() == Kind.Honour) revert CreditRegister_NotDishonesty(given.record);
        _requireCurrent(terms);
        uint256 least = Calendar.monthsAfter(terms.decidedOn(), _leastMonths(terms.kind()));
        if (_today() <= least) revert CreditRegister_RepairTooEarly(given.record, least);
    }

    function _requireMilder(Change calldata given, Content calldata corrected) private pure {
        (Terms old, Terms now_) = (given.content.terms, corrected.terms);
        bool lighter = old.kind() == Kind.SeriousDishonesty && now_.kind() == Kind.GeneralDishonesty;
        bool same = now_.member() == old.member() && now_.earlier() == old.earlier();
        bool less = now_.lastDay() <= old.lastDay() && corrected.measures & ~given.content.measures == 0;
        if (!same || !less || !(lighter || now_.kind() == old.kind())) revert CreditRegister_Worsens(given.record);
    }

    // ---- the subject's chain ----

    function _requireNew(bytes32 record, bytes32 subject, bytes32 word, uint256 earlier, bytes32[] calldata links)
        private
        pure
        returns (bytes32[] calldata rest)
    {
        uint256 count = _count(word);
        if (count == earlier) return links;
        if (count < earlier) revert CreditRegister_NotYet(record, count);
        if (links.length == 0) revert CreditRegister_TooFewLinks();
        if (_count(links[0]) != earlier) revert CreditRegister_StaleLinks(subject, word);
        return _follow(record, subject, links[0], word, links[1:]);
    }

    /// @param leaf the record's last, which the change names.
    /// @return rest the links that are not of this record's subject.
    function _apply(Change calldata given, bytes32[] calldata links, bytes32 leaf, bytes32 content, bytes32 hash)
        private
        returns (bytes32[] calldata rest)
    {
        (bytes32 subject, bytes32 record) = (given.subject, given.record);
        bytes32 word = subjectWord[subject];
        rest = _follow(record, subject, _link(given.word, record, leaf), word, links);
        subjectWord[subject] = _link(word, record, _leaf(content, given.next, hash, block.timestamp));
    }

    /// @dev Goes from one word of the subject's to its present one, over links of other records than this.
    function _follow(bytes32 record, bytes32 subject, bytes32 from, bytes32 word, bytes32[] calldata links)
        private
        pure
        returns (bytes32[] calldata rest)
    {
        uint256 used;
        for (uint256 count = _count(from); count < _count(word); count++) {
            if (used + 2 > links.length) revert CreditRegister_TooFewLinks();
            bytes32 other = links[used];
            if (other == record) revert CreditRegister_NamedSince(record);
            from = _link(from, other, links[used + 1]);
            used += 2;
        }
        if (from != word) revert CreditRegister_StaleLinks(subject, word);
        return links[used:];
    }

    function _requireNone(bytes32[] calldata rest) private pure {
        if (rest.length > 0) revert CreditRegister_TooManyLinks();
    }

    function _count(bytes32 word) private pure returns (uint256) {
        return uint256(word) >> 224;
    }

    function _link(bytes32 word, bytes32 record, bytes32 leaf) private pure returns (bytes32) {
        uint224 hash = uint224(uint256(keccak256(abi.encode(word, record, leaf))));
        unchecked {
            return bytes32(((_count(word) + 1) << 224) | hash); // nobody sends 2^32 transactions about one subject
        }
    }

    function _leaf(bytes32 content, State state, bytes32 step, uint256 time) private pure returns (bytes32) {
        return keccak256(abi.encode(content, state, step, time));
    }

    // ---- what is signed ----

    function _digest(bytes32 typeHash, bytes32[] memory hashes, uint64 deadline) private view returns (bytes32) {
        Signers.requireInTime(deadline);
        return _hashTypedDataV4(keccak256(abi.encode(typeHash, keccak256(abi.encodePacked(hashes)), deadline)));
    }

    function _hashRecord(bytes32 subject, Content calldata content) private pure returns (bytes32) {
        Terms terms = content.terms;
        return keccak256(
            abi.encode(
                RECORD_TYPEHASH,
                subject,
                terms.member(),
                terms.kind(),
                terms.decidedOn(),
                terms.lastDay(),
                terms.earlier(),
                content.measures,
                content.statement,
                content.document
            )
        );
    }

    function _hashChange(Change calldata given, bytes32 leaf, bytes32 content) private pure returns (bytes32) {
        return keccak256(abi.encode(CHANGE_TYPEHASH, leaf, given.next, given.grounds, given.pledge, content));
    }
}
