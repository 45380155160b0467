// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AllianceRegistry} from "../AllianceRegistry.sol";
import {EvidenceLog} from "../EvidenceLog.sol";
import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {Test} from "./Vm.sol";

/// @notice An alliance with one governor and one anchorer a member, and how it votes.
abstract contract Founding is Test {
    AllianceRegistry internal registry;
    EvidenceLog internal log;

    function governor(uint256 member) internal pure returns (address) {
        return address(uint160(1000 + member));
    }

    function anchorer(uint256 member) internal pure returns (address) {
        return address(uint160(2000 + member));
    }

    function found(uint16 seats) internal {
        registry = new AllianceRegistry(
            members(seats), new IAllianceRegistry.Parameter[](0), new IAllianceRegistry.SystemContract[](0)
        );
        log = new EvidenceLog(registry);
        vote(seats, address(registry), abi.encodeCall(registry.setSystemContract, ("EvidenceLog", address(log))));
    }

    function members(uint16 seats) internal pure returns (IAllianceRegistry.NewMember[] memory list) {
        list = new IAllianceRegistry.NewMember[](seats);
        for (uint16 n = 1; n <= seats; n++) {
            IAllianceRegistry.Operator[] memory operators = new IAllianceRegistry.Operator[](2);
            operators[0] = IAllianceRegistry.Operator(governor(n), IAllianceRegistry.Role.Governor);
            operators[1] = IAllianceRegistry.Operator(anchorer(n), IAllianceRegistry.Role.Anchorer);
            list[n - 1] = IAllianceRegistry.NewMember(code(n), "A centre", bytes32(uint256(n)), operators);
        }
    }

    function code(uint256 n) internal pure returns (bytes32) {
        return bytes32(abi.encodePacked("m", bytes1(uint8(97 + n / 26)), bytes1(uint8(97 + n % 26))));
    }

    /// @notice All members agree.
    function vote(uint16 seats, address target, bytes memory data) internal {
        vm.prank(governor(1));
        uint256 id = registry.propose(target, data);
        for (uint256 n = 2; n <= seats; n++) {
            vm.prank(governor(n));
            registry.approve(id);
        }
        vm.prank(governor(1));
        registry.execute(id);
    }
}
