// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EvidenceLog} from "../EvidenceLog.sol";
import {Founding} from "./Founding.sol";
import {Rfc6962} from "./Rfc6962.sol";

/// @notice Does to the logs whatever it can, honestly and not, and keeps what the leaves were.
contract Anchorers is Founding {
    uint16 public constant SEATS = 3;
    uint256 private constant MOST = 24;

    mapping(uint16 member => bytes32[]) private _truth; // the one history that a member's log has begun
    mapping(uint16 member => uint256) public generations;
    mapping(uint16 member => uint256) public anchors;
    mapping(uint16 member => bytes32[]) private _ends; // digests of the closed checkpoints, as they were at the closing
    uint256 public broken; // what the log took and should not have

    constructor() {
        found(SEATS);
    }

    function evidence() external view returns (EvidenceLog) {
        return log;
    }

    function truth(uint16 member) public view returns (bytes32[] memory) {
        return _truth[member];
    }

    function grow(uint16 member, uint256 by, uint256 seed) external {
        member = _member(member);
        uint256 old = _truth[member].length;
        if (old >= MOST) return;
        by = within(by, 1, MOST - old);
        for (uint256 i = 0; i < by; i++) {
            _truth[member].push(keccak256(abi.encode(seed, i)));
        }
        anchors[member]++;
        _anchor(member, truth(member), old, old + by);
    }

    /// @notice Another history with an honest proof of its own, or the same one at a smaller size.
    function fork(uint16 member, uint256 differsAt, uint256 size, uint256 seed) external {
        member = _member(member);
        uint256 old = _truth[member].length;
        if (old == 0) return;
        bytes32[] memory other = new bytes32[](MOST + 10);
        for (uint256 i = 0; i < other.length; i++) {
            other[i] = i < old && i < differsAt % old ? _truth[member][i] : keccak256(abi.encode("fork", seed, i));
        }
        size = within(size, 1, other.length);
        bytes32[] memory proof = size > old ? Rfc6962.proof(other, old, size) : new bytes32[](0);
        _refused(member, uint64(size), Rfc6962.root(other, size), proof);
    }

    /// @notice The very root that is stored, at another size and with no proof.
    function relabel(uint16 member, uint64 size) external {
        member = _member(member);
        uint256 old = _truth[member].length;
        if (old == 0) return;
        _refused(member, uint64(within(size, 0, 2 * old)), Rfc6962.root(truth(member), old), new bytes32[](0));
    }

    function anything(uint16 member, uint64 size, bytes32 root, bytes32[] calldata proof) external {
        member = _member(member);
        if (_truth[member].length > 0) _refused(member, size, root, proof);
    }

    function close(uint16 member) external {
        member = _member(member);
        if (_truth[member].length == 0) return;
        vote(SEATS, address(log), abi.encodeCall(log.closeGeneration, (member)));
        _ends[member].push(_end(member, uint32(generations[member])));
        delete _truth[member];
        generations[member]++;
    }

    function closeAlone(uint16 member, address who) external {
        if (who == address(registry)) return;
        vm.prank(who);
        try log.closeGeneration(_member(member)) {
            broken++;
        } catch {}
    }

    function endsStand(uint16 member) external view returns (bool stand) {
        stand = true;
        for (uint32 i = 0; i < _ends[member].length; i++) {
            stand = stand && _ends[member][i] == _end(member, i);
        }
    }

    function _end(uint16 member, uint32 generation) private view returns (bytes32) {
        (uint64 size, bytes32 root, uint64 count, uint64 time) = log.closedCheckpoint(member, generation);
        return keccak256(abi.encode(size, root, count, time));
    }

    function _refused(uint16 member, uint64 size, bytes32 root, bytes32[] memory proof) private {
        vm.prank(anchorer(member));
        try log.anchor(size, root, proof) {
            broken++;
        } catch {}
    }

    function _anchor(uint16 member, bytes32[] memory leaves, uint256 old, uint256 size) private {
        bytes32[] memory proof = old == 0 ? new bytes32[](0) : Rfc6962.proof(leaves, old, size);
        bytes32 root = Rfc6962.root(leaves, size);
        vm.prank(anchorer(member)); // of the next call, which hashing would be
        log.anchor(uint64(size), root, proof);
    }

    function _member(uint16 number) private pure returns (uint16) {
        return uint16(within(number, 1, SEATS));
    }
}

/// @notice No sequence of calls shrinks or forks a log.
contract AppendOnlyTest {
    Anchorers private _anchorers;

    function setUp() external {
        _anchorers = new Anchorers();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_anchorers);
    }

    function invariant_EachLogIsTheOneHistoryThatItBegan() external view {
        for (uint16 member = 1; member <= _anchorers.SEATS(); member++) {
            bytes32[] memory leaves = _anchorers.truth(member);
            (uint32 generation, uint64 size, bytes32 root, uint64 count,) = _anchorers.evidence().checkpoint(member);
            assert(generation == _anchorers.generations(member));
            assert(size == leaves.length && count == _anchorers.anchors(member));
            assert(root == (size == 0 ? bytes32(0) : Rfc6962.root(leaves, size)));
            assert(_anchorers.endsStand(member));
        }
        assert(_anchorers.broken() == 0);
    }
}
