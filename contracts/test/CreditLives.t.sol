// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CreditRegister} from "../CreditRegister.sol";
import {ICreditRegister} from "../interfaces/ICreditRegister.sol";
import {Calendar} from "../libraries/Calendar.sol";
import {Kind, Terms} from "../libraries/CreditTerms.sol";
import {CreditFounding} from "./CreditFounding.sol";
import {Vm} from "./Vm.sol";

/// @notice Publishes, and tries every change, lawful or not; keeps what happened to each subject by itself.
contract Lives is CreditFounding {
    uint256 public constant SUBJECTS = 3;

    mapping(uint256 subject => Last[]) private _records; // as each stands
    mapping(uint256 subject => mapping(uint256 record => uint256)) private _at; // the link that last named it
    mapping(uint256 subject => bytes32[]) private _links; // record and leaf by turns
    mapping(uint256 subject => bytes32[]) private _words; // before each link, and the present one
    uint256 private _time = 20_000 days;
    bytes32 public journal; // folded from the raw logs
    uint256 public broken; // what the register took and should not have, or should have taken and did not

    constructor() {
        vm.warp(_time);
        foundCredit();
        for (uint256 s = 0; s < SUBJECTS; s++) {
            _words[s].push(0);
        }
    }

    function creditRegister() external view returns (CreditRegister) {
        return register;
    }

    function word(uint256 subject) external view returns (bytes32) {
        return _words[subject][_words[subject].length - 1];
    }

    function published(uint256 subject) external view returns (uint256) {
        return _records[subject].length;
    }

    function wait(uint256 time) external {
        _time += within(time, 1, 60 days);
    }

    function publish(uint256 subject, uint256 seed) external {
        vm.warp(_time); // a new run forgets the time, not the storage
        subject = within(subject, 0, SUBJECTS - 1);
        ICreditRegister.Content memory content = _content(subject, seed);
        uint256 earlier = Terms.unwrap(content.terms) >> 88;
        bytes32[] memory links = _since(subject, earlier);
        if (links.length > 0) links = _after(_words[subject][earlier], links);
        (bytes memory call, bytes32 record) = publishing(_name(subject), content, links);
        if (!_taken(call)) {
            broken++;
            return;
        }
        Last memory last = Last(_name(subject), record, content, ICreditRegister.State.Published, record, 0, 0);
        _records[subject].push(last);
        _enter(subject, _records[subject].length - 1, last);
        _republish(subject, content, earlier);
    }

    function change(uint256 subject, uint256 number, uint8 to, uint256 seed) external {
        vm.warp(_time);
        subject = within(subject, 0, SUBJECTS - 1);
        if (_records[subject].length == 0) return;
        number = _records[subject].length - 1 - within(number, 0, _records[subject].length < 3 ? 0 : 2);
        Last memory last = _records[subject][number];
        ICreditRegister.State next = ICreditRegister.State(within(to, 1, 6));
        ICreditRegister.Content memory content = last.content;
        if (next == ICreditRegister.State.Corrected) content = _milder(last.content, seed);
        bytes32[] memory links = _since(subject, _at[subject][number] + 1);
        (bytes memory call, bytes32 step) = changing(last, next, content, links);
        bool lawful = _lawful(last, next);
        if (_taken(call) != lawful) broken++;
        if (!lawful) return;
        (last.content, last.state, last.step) = (content, next, step);
        _enter(subject, number, last);
        if (_taken(call)) broken++; // the same signatures again
    }

    /// @notice A change of a history that never was, signed by all who must: another word, time or step, or a link bent.
    function lie(uint256 subject, uint256 number, uint8 what, uint8 bit) external {
        vm.warp(_time);
        subject = within(subject, 0, SUBJECTS - 1);
        if (_records[subject].length == 0) return;
        number = within(number, 0, _records[subject].length - 1);
        Last memory last = _records[subject][number];
        bytes32[] memory links = _since(subject, _at[subject][number] + 1);
        bytes32 mask = bytes32(uint256(1) << bit);
        if (what % 5 == 0) last.word ^= mask;
        else if (what % 5 == 1) last.step ^= mask;
        else if (what % 5 == 2) last.time ^= uint64(1) << (bit % 64);
        else if (what % 5 == 3 && links.length > 0) links[bit % links.length] ^= mask;
        else last.record ^= mask;
        (bytes memory call,) = changing(last, ICreditRegister.State.Withdrawn, last.content, links);
        if (_taken(call)) broken++;
    }

    /// @dev The same record again, with the links that there are now.
    function _republish(uint256 subject, ICreditRegister.Content memory content, uint256 earlier) private {
        bytes32[] memory links = _after(_words[subject][earlier], _since(subject, earlier));
        (bytes memory call,) = publishing(_name(subject), content, links);
        if (_taken(call)) broken++;
    }

    /// @dev What docs/adr/0016 says, as a table.
    function _lawful(Last memory last, ICreditRegister.State next) private view returns (bool) {
        uint256 today = Calendar.dayAt(_time);
        uint256 packed = Terms.unwrap(last.content.terms);
        bool current = today <= uint32(packed >> 56);
        uint256 kind = packed >> 16 & 0xff;
        if (next == ICreditRegister.State.Objected) return _in(last.state, 1, 4) && current;
        if (next == ICreditRegister.State.Upheld) return _in(last.state, 2, 2);
        if (next == ICreditRegister.State.Corrected) return _in(last.state, 2, 2);
        if (next == ICreditRegister.State.Withdrawn) {
            return _in(last.state, 1, 2) || _in(last.state, 3, 4);
        }
        if (next != ICreditRegister.State.Repaired || !current || kind == 1) return false;
        bool ripe = today > Calendar.monthsAfter(uint32(packed >> 24), kind == 2 ? 3 : 12);
        return ripe && (_in(last.state, 1, 3) || _in(last.state, 4, 4));
    }

    function _in(ICreditRegister.State state, uint256 one, uint256 other) private pure returns (bool) {
        return uint256(state) == one || uint256(state) == other;
    }

    function _enter(uint256 subject, uint256 number, Last memory last) private {
        uint256 at = _words[subject].length - 1;
        (last.time, last.word) = (uint64(_time), _words[subject][at]);
        bytes32 leaf = hashLeaf(hashRecord(last.subject, last.content), last.state, last.step, last.time);
        _links[subject].push(last.record);
        _links[subject].push(leaf);
        _words[subject].push(nextWord(last.word, last.record, leaf));
        _records[subject][number] = last;
        _at[subject][number] = at;
    }

    function _taken(bytes memory call) private returns (bool ok) {
        vm.recordLogs();
        (ok,) = address(register).call(call);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            bytes memory entry = logs[i].data;
            for (uint256 t = logs[i].topics.length; t > 0; t--) {
                entry = bytes.concat(logs[i].topics[t - 1], entry);
            }
            uint32 count = uint32(uint256(journal) >> 224) + 1;
            bytes32 hash = keccak256(bytes.concat(journal, keccak256(entry)));
            journal = bytes32(abi.encodePacked(count, uint224(uint256(hash))));
        }
    }

    function _content(uint256 subject, uint256 seed) private view returns (ICreditRegister.Content memory content) {
        Kind kind = Kind(within(seed, 1, 3));
        uint256 decidedOn = Calendar.dayAt(_time) - within(seed >> 8, 0, 80);
        uint256 lastDay = _lastDay(kind, decidedOn, seed >> 16);
        uint256 earlier = within(seed >> 32, 0, _words[subject].length - 1);
        content.terms = terms(uint16(within(seed >> 40, 1, SEATS)), kind, decidedOn, lastDay, earlier);
        content.measures = 0xf0;
        (content.statement, content.document) =
        (keccak256(abi.encode(seed, _time)), bytes32(_links[subject].length + 1));
    }

    /// @dev Any that the law allows and that is not past.
    function _lastDay(Kind kind, uint256 decidedOn, uint256 seed) private view returns (uint256) {
        uint256 least = kind == Kind.SeriousDishonesty ? 12 : kind == Kind.GeneralDishonesty ? 3 : 0;
        uint256 first = Calendar.monthsAfter(decidedOn, least);
        uint256 today = Calendar.dayAt(_time);
        uint256 last = Calendar.monthsAfter(decidedOn, kind == Kind.GeneralDishonesty ? 12 : 36);
        return within(seed, first < today ? today : first, last);
    }

    function _milder(ICreditRegister.Content memory content, uint256 seed)
        private
        pure
        returns (ICreditRegister.Content memory milder)
    {
        milder.terms = content.terms;
        milder.measures = seed % 2 == 0 ? content.measures : content.measures & ~(content.measures - 1);
        (milder.statement, milder.document) = (keccak256(abi.encode(seed)), content.document);
    }

    function _since(uint256 subject, uint256 link) private view returns (bytes32[] memory since) {
        since = new bytes32[](_links[subject].length - 2 * link);
        for (uint256 i = 0; i < since.length; i++) {
            since[i] = _links[subject][2 * link + i];
        }
    }

    function _after(bytes32 first, bytes32[] memory links) private pure returns (bytes32[] memory all) {
        all = new bytes32[](links.length + 1);
        all[0] = first;
        for (uint256 i = 0; i < links.length; i++) {
            all[i + 1] = links[i];
        }
    }

    function _name(uint256 subject) private pure returns (bytes32) {
        return keccak256(abi.encode("subject", subject));
    }
}

/// @notice Whatever is tried, a subject's word is the fold of all that happened to it, and nothing else ever happens.
contract LivesTest {
    Lives private _lives;

    function setUp() external {
        _lives = new Lives();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_lives);
    }

    /// @dev So no record is lost: each is in the fold, for ever.
    function invariant_EachWordIsTheFoldOfTheSubjectsHistory() external view {
        for (uint256 s = 0; s < _lives.SUBJECTS(); s++) {
            bytes32 word = _lives.creditRegister().subjectWord(keccak256(abi.encode("subject", s)));
            assert(word == _lives.word(s));
            assert(uint256(word) >> 224 >= _lives.published(s));
        }
    }

    /// @dev No illegal change is taken, so what is repaired or withdrawn stays so; and no lawful one is refused.
    function invariant_NothingUnlawfulIsTakenAndNothingLawfulRefused() external view {
        assert(_lives.broken() == 0);
    }

    function invariant_TheJournalIsTheFoldOfTheEvents() external view {
        assert(_lives.creditRegister().journal() == _lives.journal());
    }
}
