// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {IEvidenceLog} from "../interfaces/IEvidenceLog.sol";
import {Founding} from "./Founding.sol";
import {Vm} from "./Vm.sol";

/// @notice In whatever order things happen, the journals are the fold of the events that a node would show.
contract JournalsTest is Founding {
    uint16 private constant SEATS = 4;
    uint256 private constant STEPS = 12;

    function testFuzz_AJournalIsTheFoldOfItsEvents(uint256 seed) external {
        vm.recordLogs();
        found(SEATS);
        for (uint256 step = 0; step < STEPS; step++) {
            seed = uint256(keccak256(abi.encode(seed)));
            _act(seed, uint16(within(seed >> 8, 1, SEATS)), address(uint160(seed)));
        }
        Vm.Log[] memory events = vm.getRecordedLogs();
        assert(registry.journal() == _fold(events, address(registry)));
        assert(log.journal() == _fold(events, address(log)));
    }

    /// @dev Things that are never refused: a refused one has no events.
    function _act(uint256 seed, uint16 member, address fresh) private {
        IAllianceRegistry.Role role = IAllianceRegistry.Role(seed % 4);
        uint256 what = (seed >> 16) % 7;
        if (what == 0) _vote(abi.encodeCall(registry.rename, (member, string(new bytes(1 + seed % 128)))));
        if (what == 1) _vote(abi.encodeCall(registry.setParameter, (bytes32(seed), seed)));
        if (what == 2) _grantAndRevoke(member, fresh, role);
        if (what == 3) _askForRegulator(member, fresh);
        if (what == 4) _suspendAndRestore();
        if (what == 5) _anchorAndClose(member, bytes32(seed));
        if (what == 6) {
            vm.prank(governor(member));
            registry.setOwnLogKey(bytes32(seed));
        }
    }

    function _grantAndRevoke(uint16 member, address fresh, IAllianceRegistry.Role role) private {
        vm.prank(governor(member));
        registry.grantOwnRole(fresh, role, 0, 0);
        vm.prank(governor(member));
        registry.revokeOwnRole(fresh, role);
    }

    function _askForRegulator(uint16 member, address fresh) private {
        vm.prank(governor(member));
        registry.requestRegulator(fresh, 0);
        vm.prank(governor(member % SEATS + 1));
        registry.secondRegulator(member, fresh);
    }

    /// @dev The last member: the others' voices restore it.
    function _suspendAndRestore() private {
        _vote(abi.encodeCall(registry.setStatus, (SEATS, IAllianceRegistry.Status.Suspended)));
        bytes memory restore = abi.encodeCall(registry.setStatus, (SEATS, IAllianceRegistry.Status.Active));
        vote(SEATS - 1, address(registry), restore);
    }

    function _anchorAndClose(uint16 member, bytes32 root) private {
        vm.prank(anchorer(member));
        log.anchor(1, root, new bytes32[](0));
        vote(SEATS, address(log), abi.encodeCall(log.closeGeneration, (member)));
    }

    function _vote(bytes memory data) private {
        vote(SEATS, address(registry), data);
    }

    function _fold(Vm.Log[] memory events, address emitter) private pure returns (bytes32 word) {
        for (uint256 i = 0; i < events.length; i++) {
            Vm.Log memory one = events[i];
            if (one.emitter != emitter || one.topics[0] == IEvidenceLog.Anchored.selector) continue;
            bytes32 happened = keccak256(bytes.concat(abi.encodePacked(one.topics), one.data));
            uint224 hash = uint224(uint256(keccak256(abi.encodePacked(word, happened))));
            word = bytes32((((uint256(word) >> 224) + 1) << 224) | hash);
        }
    }
}
