// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AllianceRegistry} from "../AllianceRegistry.sol";
import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {Founding} from "./Founding.sol";
import {Test} from "./Vm.sol";

/// @notice Holds every key of two members of three, which is not more than two thirds, and tries everything with them.
contract Minority is Founding {
    uint16 public constant SEATS = 3;
    uint16 private constant HELD = 2;

    uint256 public proposals;

    constructor() {
        found(SEATS);
    }

    function alliance() external view returns (AllianceRegistry) {
        return registry;
    }

    function proposeChange(uint256 by, uint8 which, uint16 member, address operator, uint64 number) external {
        vm.prank(_governor(by));
        try registry.propose(address(registry), _change(which, member, operator, number)) returns (uint256 id) {
            proposals = id;
        } catch {}
    }

    function proposeAnything(uint256 by, bool atLog, bytes calldata data) external {
        address target = atLog ? address(log) : address(registry);
        vm.prank(_governor(by));
        try registry.propose(target, data) returns (uint256 id) {
            proposals = id;
        } catch {}
    }

    function approve(uint256 by, uint256 id) external {
        vm.prank(_governor(by));
        try registry.approve(within(id, 1, proposals + 1)) {} catch {}
    }

    function execute(uint256 by, uint256 id) external {
        vm.prank(_governor(by));
        try registry.execute(within(id, 1, proposals + 1)) {} catch {}
    }

    function callDirectly(uint256 by, uint8 which, uint16 member, address operator, uint64 number) external {
        bytes memory data = _change(which, member, operator, number);
        vm.prank(_governor(by));
        (bool done,) = address(registry).call(data);
        assert(!done);
    }

    function multiply(uint256 by, address operator, uint8 role) external {
        vm.prank(_governor(by));
        try registry.grantOwnRole(operator, IAllianceRegistry.Role(role % 5), 0, 0) {
            if (role % 5 != 0) return;
            // The new governor speaks as well, for what it is worth.
            if (proposals == 0) return;
            vm.prank(operator);
            try registry.approve(proposals) {} catch {}
            vm.prank(operator);
            try registry.execute(proposals) {} catch {}
        } catch {}
    }

    function askForRegulator(uint256 by, address operator) external {
        vm.prank(_governor(by));
        try registry.requestRegulator(operator, 0) {} catch {}
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + within(time, 1, 40 days));
    }

    /// @notice All that a vote may change, and what belongs to the member that the minority does not hold.
    function state() external view returns (bytes32) {
        bytes memory all = abi.encode(registry.memberCount(), registry.parameter("receiptDays"));
        for (uint16 n = 1; n <= SEATS; n++) {
            (bytes32 memberCode, string memory name, bytes32 logKey, IAllianceRegistry.Status status) =
                registry.memberAt(n);
            all = abi.encode(all, memberCode, name, logKey, status);
        }
        return keccak256(
            abi.encode(
                all,
                registry.systemContract("EvidenceLog"),
                registry.tenure(governor(3), IAllianceRegistry.Role.Governor),
                registry.tenure(anchorer(3), IAllianceRegistry.Role.Anchorer)
            )
        );
    }

    function _governor(uint256 by) private pure returns (address) {
        return governor(within(by, 1, HELD));
    }

    function _change(uint8 which, uint16 member, address operator, uint64 number) private view returns (bytes memory) {
        member = uint16(within(member, 1, SEATS));
        IAllianceRegistry.Status status = IAllianceRegistry.Status(number % 4);
        IAllianceRegistry.Role role = IAllianceRegistry.Role(number % 5);
        if (which % 8 == 0) return abi.encodeCall(registry.setStatus, (member, status));
        if (which % 8 == 1) return abi.encodeCall(registry.grantRole, (member, operator, role, 0, 0));
        if (which % 8 == 2) return abi.encodeCall(registry.revokeRole, (governor(3), IAllianceRegistry.Role.Governor));
        if (which % 8 == 3) return abi.encodeCall(registry.setParameter, ("receiptDays", number));
        if (which % 8 == 4) return abi.encodeCall(registry.setSystemContract, ("EvidenceLog", address(registry)));
        if (which % 8 == 5) return abi.encodeCall(registry.setLogKey, (member, bytes32(uint256(number) + 1)));
        if (which % 8 == 6) return abi.encodeCall(registry.rename, (member, "Taken over"));
        return abi.encodeCall(registry.addMember, (members(7)[3 + which % 4]));
    }
}

/// @notice No sequence of calls lets a minority govern.
contract MinorityTest {
    Minority private _minority;
    bytes32 private _before;

    function setUp() external {
        _minority = new Minority();
        _before = _minority.state();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_minority);
    }

    function invariant_TheAllianceStaysAsItWas() external view {
        assert(_minority.state() == _before);
    }
}

/// @notice What a vote of any size comes to.
contract VotesTest is Founding {
    function testFuzz_MoreThanTwoThirdsCarryAndNoFewer(uint16 seats, uint16 voices, uint16 suspended) external {
        seats = uint16(within(seats, 1, 13));
        uint16 most = (seats - 1) / 3; // more may not be suspended
        suspended = uint16(within(suspended, 0, most));
        voices = uint16(within(voices, 1, seats - suspended));
        found(seats);
        for (uint16 n = 0; n < suspended; n++) {
            _suspend(seats, seats - n, n);
        }
        vm.prank(governor(1));
        uint256 id = registry.propose(address(registry), abi.encodeCall(registry.rename, (1, "Voted")));
        for (uint256 n = 2; n <= voices; n++) {
            vm.prank(governor(n));
            registry.approve(id);
        }
        vm.prank(governor(1));
        (bool carried,) = address(registry).call(abi.encodeCall(registry.execute, (id)));
        assert(carried == (3 * uint256(voices) > 2 * uint256(seats)));
    }

    function test_TheAllianceTakes255MembersAndNoMore() external {
        IAllianceRegistry.NewMember[] memory list = members(256);
        IAllianceRegistry.NewMember[] memory most = members(255);
        IAllianceRegistry.Parameter[] memory none = new IAllianceRegistry.Parameter[](0);
        IAllianceRegistry.SystemContract[] memory no = new IAllianceRegistry.SystemContract[](0);
        equal("members", new AllianceRegistry(most, none, no).memberCount(), 255);
        vm.expectPartialRevert(IAllianceRegistry.AllianceRegistry_TooManyMembers.selector);
        new AllianceRegistry(list, none, no);
    }

    /// @dev By all who are not suspended yet.
    function _suspend(uint16 seats, uint16 member, uint16 already) private {
        vote(
            seats - already,
            address(registry),
            abi.encodeCall(registry.setStatus, (member, IAllianceRegistry.Status.Suspended))
        );
    }
}
