// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICreditRegister} from "../interfaces/ICreditRegister.sol";
import {Kind} from "../libraries/CreditTerms.sol";
import {Signers} from "../libraries/Signers.sol";
import {CreditFounding} from "./CreditFounding.sol";

/// @notice Every date of the register, a second before it and at it. Days begin at 16:00 UTC of the day before.
contract CreditTimesTest is CreditFounding {
    uint256 private constant DECIDED_ON = 19_691; // 2023-11-30
    uint256 private constant LEAST = 19_782; // 2024-02-29, three months later
    uint256 private constant MOST = 20_057; // 2024-11-30, a year later

    bytes32[] private _none;

    function setUp() external {
        vm.warp(_begin(DECIDED_ON));
        foundCredit();
    }

    function test_ADecisionIsPublishedFromTheFirstSecondOfItsDay() external {
        bytes memory call = _publishing(LEAST);
        vm.warp(_begin(DECIDED_ON) - 1);
        _refused(_publishing(LEAST), ICreditRegister.CreditRegister_DecidedInFuture.selector);
        vm.warp(_begin(DECIDED_ON));
        _taken(call);
    }

    function test_ItIsPublishedUntilTheLastSecondOfItsLastDay() external {
        vm.warp(_begin(LEAST + 1));
        _refused(_publishing(LEAST), ICreditRegister.CreditRegister_AlreadyOver.selector);
        vm.warp(_begin(LEAST + 1) - 1);
        _taken(_publishing(LEAST));
    }

    function test_TheTermIsFromThreeMonthsToAYearToTheDay() external {
        _refused(_publishing(LEAST - 1), ICreditRegister.CreditRegister_UnlawfulTerm.selector);
        _refused(_publishing(MOST + 1), ICreditRegister.CreditRegister_UnlawfulTerm.selector);
        _taken(_publishing(MOST));
    }

    function test_ItIsObjectedToUntilTheLastSecondOfItsLastDay() external {
        Last memory last = _published(LEAST);
        vm.warp(_begin(LEAST + 1));
        _refused(_changing(last, ICreditRegister.State.Objected), ICreditRegister.CreditRegister_AlreadyOver.selector);
        vm.warp(_begin(LEAST + 1) - 1);
        _taken(_changing(last, ICreditRegister.State.Objected));
    }

    function test_ItIsRepairedFromTheFirstSecondAfterItsLeastPeriod() external {
        Last memory last = _published(MOST);
        vm.warp(_begin(LEAST + 1) - 1);
        _refused(
            _changing(last, ICreditRegister.State.Repaired), ICreditRegister.CreditRegister_RepairTooEarly.selector
        );
        vm.warp(_begin(LEAST + 1));
        _taken(_changing(last, ICreditRegister.State.Repaired));
    }

    function test_AndUntilTheLastSecondOfItsLastDay() external {
        Last memory last = _published(MOST);
        vm.warp(_begin(MOST + 1));
        _refused(_changing(last, ICreditRegister.State.Repaired), ICreditRegister.CreditRegister_AlreadyOver.selector);
        vm.warp(_begin(MOST + 1) - 1);
        _taken(_changing(last, ICreditRegister.State.Repaired));
    }

    function test_WhatIsPublishedForTheLeastPeriodIsNeverRepaired() external {
        Last memory last = _published(LEAST);
        vm.warp(_begin(LEAST + 1) - 1);
        _refused(
            _changing(last, ICreditRegister.State.Repaired), ICreditRegister.CreditRegister_RepairTooEarly.selector
        );
        vm.warp(_begin(LEAST + 1));
        _refused(_changing(last, ICreditRegister.State.Repaired), ICreditRegister.CreditRegister_AlreadyOver.selector);
    }

    /// @dev Here calls are signed until the second in which they are made.
    function test_SignaturesCountInTheSecondOfTheirDeadline() external {
        bytes memory call = _publishing(LEAST);
        vm.warp(block.timestamp + 1);
        _refused(call, Signers.Signers_Expired.selector);
        vm.warp(block.timestamp - 1);
        _taken(call);
    }

    function _begin(uint256 day) private pure returns (uint256) {
        return day * 1 days - 8 hours;
    }

    function _content(uint256 lastDay) private pure returns (ICreditRegister.Content memory content) {
        content.terms = terms(1, Kind.GeneralDishonesty, DECIDED_ON, lastDay, 0);
        (content.measures, content.statement, content.document) = (0x10, "statement", "document");
    }

    function _publishing(uint256 lastDay) private view returns (bytes memory call) {
        (call,) = publishing("subject", _content(lastDay), _none);
    }

    function _published(uint256 lastDay) private returns (Last memory last) {
        _taken(_publishing(lastDay));
        ICreditRegister.Content memory content = _content(lastDay);
        bytes32 record = hashRecord("subject", content);
        return Last("subject", record, content, ICreditRegister.State.Published, record, uint64(_begin(DECIDED_ON)), 0);
    }

    function _changing(Last memory last, ICreditRegister.State next) private view returns (bytes memory call) {
        (call,) = changing(last, next, last.content, _none);
    }

    function _taken(bytes memory call) private {
        (bool ok,) = address(register).call(call);
        assert(ok);
    }

    function _refused(bytes memory call, bytes4 error_) private {
        (bool ok, bytes memory answer) = address(register).call(call);
        assert(!ok && bytes4(answer) == error_);
    }
}
