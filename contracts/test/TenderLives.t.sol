// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TenderRegister} from "../TenderRegister.sol";
import {ITenderRegister} from "../interfaces/ITenderRegister.sol";
import {BidList} from "../libraries/BidList.sol";
import {Signers} from "../libraries/Signers.sol";
import {TenderFounding} from "./TenderFounding.sol";
import {Vm} from "./Vm.sol";

/// @notice Tries every act on a few tenders at any time, each with good signatures; keeps by itself what should have come of it.
contract TenderLives is TenderFounding {
    using {_is} for ITenderRegister.State;

    uint256 public constant MOST = 3;
    bytes32 private constant PAPER = "paper";

    /// @dev What should stand of a tender, and what never changes once it is there.
    struct Life {
        bytes32 name;
        ITenderRegister.State state;
        uint64 deadline;
        uint64 opening;
        uint64 until;
        uint256 waiting;
        bytes32 manifest;
        uint256 bids;
        uint256 seed;
    }

    Life[] private _lives;
    bytes32[] private _claimedTenders;
    bytes32[] private _claimedBids;
    uint256 private _time = 20_000 days;
    bytes32 public journal; // folded from the raw logs
    uint256 public broken; // what the register took and should not have, or should have taken and did not

    constructor() {
        vm.warp(_time);
        foundTenders();
    }

    function tenderRegister() external view returns (TenderRegister) {
        return register;
    }

    function lives() external view returns (Life[] memory) {
        return _lives;
    }

    function claims() external view returns (bytes32[] memory, bytes32[] memory) {
        return (_claimedTenders, _claimedBids);
    }

    function wait(uint256 time) external {
        _time += within(time, 1 hours, 3 days);
    }

    /// @notice Waits as long as it must and does what is next, some steps long, so that lives come to their ends.
    function step(uint256 number, uint256 seed) external {
        for (uint256 steps = 1 + seed % 4; steps > 0; steps--) {
            _step(number, _turn(number), seed >> 8);
        }
    }

    function _step(uint256 number, Life storage life, uint256 seed) private {
        ITenderRegister.State state = life.state;
        if (state == ITenderRegister.State.Published) {
            _waitUntil(life.deadline);
            this.close(number);
        } else if (state == ITenderRegister.State.Closed) {
            this.open(number, 5, seed); // it may be too early
            _waitUntil(life.opening);
            this.open(number, uint8(within(seed, 3, 20)), seed);
        } else if (state == ITenderRegister.State.Opened) {
            this.evaluate(number, 7);
        } else if (state == ITenderRegister.State.Evaluated) {
            this.nameCandidates(number, type(uint256).max - seed % 1 hours);
        } else if (state == ITenderRegister.State.Candidates && seed % 3 == 0) {
            this.objectTo(number, uint8(seed >> 8));
            this.objectTo(number, uint8(seed >> 16));
            this.rule(number, uint8(seed >> 8), true);
        } else if (state == ITenderRegister.State.Candidates && life.waiting > 0) {
            this.rule(number, uint8(seed >> 8), true);
        } else if (state == ITenderRegister.State.Candidates) {
            _waitUntil(life.until);
            this.award(number, false);
        }
    }

    function _waitUntil(uint256 time) private {
        if (_time < time) _time = time;
    }

    // ---- acts ----

    function announce(uint256 seed, uint256 former) external {
        vm.warp(_time);
        if (_lives.length == MOST) return;
        ITenderRegister.Notice memory n;
        (n.host, n.members, n.digest, n.answerDays) = (HOST, TOGETHER, bytes32(seed | 1), 5);
        n.deadline = uint64(_time + within(seed, 0, 2 days));
        n.opening = n.deadline + uint64(within(seed >> 64, 0, 1 days));
        bool lawful = n.deadline > _time;
        if (_lives.length > 0 && seed % 4 == 0) {
            former = within(former, 0, _lives.length - 1);
            n.former = _lives[former].name;
            lawful = lawful && _lives[former].state == ITenderRegister.State.Failed;
        }
        bytes32 name = hashOf(NOTICE, abi.encode(n));
        Signers.Signature[] memory by = officers(2, 1, signed("TenderNotice", NOTICE, name));
        if (!_expect(abi.encodeCall(register.publish, (n, uint64(_time), by)), lawful)) return;
        if (n.former != 0) _lives[former].state = ITenderRegister.State.Retendered;
        _lives.push(Life(name, ITenderRegister.State.Published, n.deadline, n.opening, 0, 0, 0, 0, seed));
    }

    function amend(uint256 number, int64 moved) external {
        Life storage life = _turn(number);
        moved %= 1 days;
        ITenderRegister.Amendment memory a;
        (a.tender, a.version) = (life.name, register.tenderAt(life.name).version + 1);
        (a.digest, a.reason) = (PAPER, PAPER);
        a.deadline = uint64(int64(life.deadline) + moved);
        a.opening = a.deadline + 1 hours;
        bool lawful = _goes(life) && _time < life.deadline && a.deadline >= life.deadline;
        Signers.Signature[] memory by =
            officers(1, 2, signed("TenderAmendment", AMENDMENT, hashOf(AMENDMENT, abi.encode(a))));
        if (!_expect(abi.encodeCall(register.amend, (a, uint64(_time), by)), lawful)) return;
        (life.deadline, life.opening) = (a.deadline, a.opening);
    }

    function close(uint256 number) external {
        Life storage life = _turn(number);
        bool lawful = life.state._is(ITenderRegister.State.Published) && _time >= life.deadline;
        if (_expect(abi.encodeCall(register.closeBids, (life.name)), lawful)) {
            life.state = ITenderRegister.State.Closed;
        }
    }

    function open(uint256 number, uint8 count, uint256 seed) external {
        Life storage life = _turn(number);
        count = uint8(within(count, 0, 20));
        bytes memory list = listOf(count, seed);
        ITenderRegister.Opening memory o = ITenderRegister.Opening(life.name, rootOf(list), count, keccak256(""), PAPER);
        bytes32 manifest = hashOf(OPENING, abi.encode(o));
        Signers.Signature memory by = signature(officerKey(HOST), signed("TenderOpening", OPENING, manifest));
        bool lawful = life.state._is(ITenderRegister.State.Closed) && _time >= life.opening;
        bytes memory call = abi.encodeCall(register.openBids, (life.name, list, "", PAPER, uint64(_time), by));
        if (!_expect(call, lawful)) return;
        life.state = count < 3 ? ITenderRegister.State.Failed : ITenderRegister.State.Opened;
        (life.manifest, life.bids, life.seed) = (manifest, count, seed);
    }

    function evaluate(uint256 number, uint8 slip) external {
        Life storage life = _turn(number);
        ITenderRegister.Tender memory t = register.tenderAt(life.name);
        ITenderRegister.Evaluation memory e;
        (e.tender, e.round, e.manifest, e.sites) = (life.name, t.round + 1, t.manifest, 1 << 1 | 1 << 3);
        (e.report, e.panel, e.result) = (PAPER, _panel().seal, PAPER);
        if (slip % 8 == 0) e.manifest = PAPER;
        if (slip % 8 == 1) e.round++;
        Signers.Signature[] memory by =
            officers(1, 3, signed("TenderEvaluation", EVALUATION, hashOf(EVALUATION, abi.encode(e))));
        bool lawful = life.state._is(ITenderRegister.State.Opened) && slip % 8 > 1;
        if (_expect(abi.encodeCall(register.evaluate, (e, uint64(_time), by)), lawful)) {
            life.state = ITenderRegister.State.Evaluated;
        }
    }

    function nameCandidates(uint256 number, uint256 time) external {
        Life storage life = _turn(number);
        uint256 least = ((_time + 8 hours) / 1 days + 4) * 1 days - 8 hours;
        uint64 until = uint64(within(time, least - 1 hours, least + 1 days));
        bytes32 evaluation = register.tenderAt(life.name).evaluation;
        ITenderRegister.Candidates memory c = ITenderRegister.Candidates(life.name, evaluation, PAPER, until);
        bytes32 digest = signed("TenderCandidates", CANDIDATES, hashOf(CANDIDATES, abi.encode(c)));
        bytes memory call =
            abi.encodeCall(register.publishCandidates, (c, uint64(_time), signature(officerKey(HOST), digest)));
        if (!_expect(call, life.state._is(ITenderRegister.State.Evaluated) && until >= least)) return;
        (life.state, life.until) = (ITenderRegister.State.Candidates, until);
    }

    function objectTo(uint256 number, uint8 grounds) external {
        Life storage life = _turn(number);
        bytes32 candidates = register.tenderAt(life.name).candidates;
        ITenderRegister.Objection memory o =
            ITenderRegister.Objection(life.name, candidates, bytes32(uint256(grounds % 4) + 1));
        bytes32 digest = signed("TenderObjection", OBJECTION, hashOf(OBJECTION, abi.encode(o)));
        bool lawful = life.state._is(ITenderRegister.State.Candidates) && _time < life.until;
        (bytes32 before,) = register.objectionAt(life.name, o.grounds);
        bytes memory call = abi.encodeCall(register.objectTo, (o, uint64(_time), signature(officerKey(3), digest)));
        if (_expect(call, lawful && before == 0)) life.waiting++;
    }

    function rule(uint256 number, uint8 grounds, bool upheld) external {
        Life storage life = _turn(number);
        ITenderRegister.Ruling memory r =
            ITenderRegister.Ruling(life.name, bytes32(uint256(grounds % 4) + 1), upheld, PAPER);
        bytes32 digest = signed("TenderRuling", RULING, hashOf(RULING, abi.encode(r)));
        (bytes32 candidates, bool waits) = register.objectionAt(life.name, r.grounds);
        bool present = candidates == register.tenderAt(life.name).candidates;
        bytes memory call = abi.encodeCall(register.rule, (r, uint64(_time), both(digest)));
        if (!_expect(call, waits && _goes(life))) return;
        life.waiting--;
        if (upheld && present && life.state._is(ITenderRegister.State.Candidates)) {
            life.state = ITenderRegister.State.Opened;
        }
    }

    function award(uint256 number, bool bent) external {
        Life storage life = _turn(number);
        bytes32 candidates = register.tenderAt(life.name).candidates;
        ITenderRegister.Award memory a = ITenderRegister.Award(life.name, candidates, PAPER);
        bytes32 digest = signed("TenderAward", AWARD, hashOf(AWARD, abi.encode(a)));
        ITenderRegister.Panel memory panel = _panel().panel;
        if (bent) panel.salt = PAPER;
        bool lawful = life.state._is(ITenderRegister.State.Candidates) && _time >= life.until && life.waiting == 0;
        bytes memory call = abi.encodeCall(register.award, (a, panel, uint64(_time), both(digest)));
        if (_expect(call, lawful && !bent)) life.state = ITenderRegister.State.Awarded;
    }

    function fail(uint256 number, uint8 seldom) external {
        if (seldom % 8 != 0) return;
        Life storage life = _turn(number);
        ITenderRegister.Failure memory f = ITenderRegister.Failure(life.name, PAPER);
        bytes32 digest = signed("TenderFailure", FAILURE, hashOf(FAILURE, abi.encode(f)));
        bytes memory call = abi.encodeCall(register.fail, (f, uint64(_time), both(digest)));
        if (_expect(call, _goes(life))) life.state = ITenderRegister.State.Failed;
    }

    /// @notice Claims any bid, dropped or not, late or not, by either function.
    function claim(uint256 number, uint8 place, uint8 how) external {
        Life storage life = _turn(number);
        (bool dropped, bool after_, bool asLate) = (how & 1 == 0, how & 2 == 0, how & 4 == 0);
        if (life.manifest == 0) return;
        uint256 index = life.bids == 0 ? 0 : within(place, 0, life.bids - 1);
        if (how & 8 == 0) (after_, asLate) = (!dropped, !dropped); // as it should be
        dropped = dropped || life.bids == 0;
        bytes32 commitment = commitmentAt(index, dropped ? life.seed ^ 1 : life.seed);
        ITenderRegister.BidReceipt memory r = ITenderRegister.BidReceipt(
            life.name, commitment, uint64(index), after_ ? life.deadline : life.deadline - 1
        );
        if (r.receivedAt < 20_000 days) return; // before the signer's role
        bool known = register.claimAt(life.name, commitment).answerBy != 0;
        bool lawful = !known && (asLate ? after_ && !dropped : !after_ && dropped);
        if (!_expect(_claiming(life, r, asLate), lawful)) return;
        _claimedTenders.push(life.name);
        _claimedBids.push(commitment);
    }

    function _claiming(Life storage life, ITenderRegister.BidReceipt memory r, bool asLate)
        private
        view
        returns (bytes memory)
    {
        bytes memory list = listOf(life.bids, life.seed);
        ITenderRegister.Opening memory o =
            ITenderRegister.Opening(life.name, rootOf(list), uint32(life.bids), keccak256(""), PAPER);
        Signers.Signature memory by = signature(signerKey(HOST), typed(hashOf(RECEIPT, abi.encode(r))));
        BidList.Page memory page = pageOf(list, _pageNumber(life, r.commitment));
        if (asLate) return abi.encodeCall(register.claimLate, (r, by, o, page));
        return abi.encodeCall(register.claimDropped, (r, by, o, page));
    }

    function _pageNumber(Life storage life, bytes32 commitment) private view returns (uint256) {
        uint256 before;
        while (before < life.bids && commitmentAt(before, life.seed) <= commitment) before++;
        return before == 0 ? 0 : (before - 1) / 8;
    }

    // ---- what should come of it ----

    struct Sealed {
        ITenderRegister.Panel panel;
        bytes32 seal;
    }

    function _panel() private pure returns (Sealed memory made) {
        made.panel.salt = "salt";
        made.panel.drawn = new bytes32[](3);
        made.panel.signers = new bytes32[](2);
        for (uint256 i = 0; i < 3; i++) {
            made.panel.drawn[i] = bytes32(i + 1);
            if (i > 0) made.panel.signers[i - 1] = bytes32(i + 1);
        }
        bytes32 drawn = keccak256(abi.encodePacked(made.panel.drawn));
        made.seal = keccak256(bytes.concat("salt", bytes28(0), drawn, keccak256(abi.encodePacked(made.panel.signers))));
    }

    /// @dev The tender of this number.
    function _turn(uint256 number) private returns (Life storage life) {
        vm.warp(_time); // a new run forgets the time, not the storage
        if (_lives.length == 0) this.announce(1 days + 1, 0);
        return _lives[within(number, 0, _lives.length - 1)];
    }

    function _goes(Life storage life) private view returns (bool) {
        return life.state != ITenderRegister.State.None && life.state < ITenderRegister.State.Awarded;
    }

    /// @dev Whether the call was taken; it is noted where that is not as it should be.
    function _expect(bytes memory call, bool lawful) private returns (bool taken) {
        vm.recordLogs();
        (taken,) = address(register).call(call);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            bytes32 happened = keccak256(bytes.concat(abi.encodePacked(logs[i].topics), logs[i].data));
            uint32 count = uint32(uint256(journal) >> 224) + 1;
            bytes32 hash = keccak256(bytes.concat(journal, happened));
            journal = bytes32(abi.encodePacked(count, uint224(uint256(hash))));
        }
        if (taken != lawful) broken++;
    }
}

function _is(ITenderRegister.State state, ITenderRegister.State other) pure returns (bool) {
    return state == other;
}

/// @notice Whatever is tried, and whenever: no step is skipped, none comes early, and what is on record stays.
contract TenderLivesTest {
    TenderLives private _lives;

    function setUp() external {
        _lives = new TenderLives();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_lives);
    }

    /// @dev The handler's own table says what is lawful: nothing else is taken, and all of that is.
    function invariant_NothingUnlawfulIsTakenAndNothingLawfulRefused() external view {
        assert(_lives.broken() == 0);
    }

    /// @dev So no state is skipped, and nothing is opened before its time or twice.
    function invariant_EachTenderStandsWhereItsActsHaveBroughtIt() external view {
        TenderLives.Life[] memory lives = _lives.lives();
        for (uint256 i = 0; i < lives.length; i++) {
            ITenderRegister.Tender memory t = _lives.tenderRegister().tenderAt(lives[i].name);
            assert(t.state == lives[i].state && t.manifest == lives[i].manifest);
            assert(t.deadline == lives[i].deadline && t.objections == lives[i].waiting);
            bool opened = t.state >= ITenderRegister.State.Opened && t.state <= ITenderRegister.State.Awarded;
            assert(!opened || t.manifest != 0);
        }
    }

    function invariant_NoClaimIsEverLost() external view {
        (bytes32[] memory tenders, bytes32[] memory bids) = _lives.claims();
        for (uint256 i = 0; i < tenders.length; i++) {
            assert(_lives.tenderRegister().claimAt(tenders[i], bids[i]).answerBy != 0);
        }
    }

    function invariant_TheJournalIsTheFoldOfTheEvents() external view {
        assert(_lives.tenderRegister().journal() == _lives.journal());
    }
}
