// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITenderRegister} from "../interfaces/ITenderRegister.sol";
import {Calendar} from "./Calendar.sol";

/// @title What must hold before an act of a tender, whoever signs it
/// @notice Each rule with its article is in docs/TENDERS.md.
library TenderRules {
    uint256 private constant LEAST_ANSWER_DAYS = 3;
    uint256 private constant MOST_ANSWER_DAYS = 30;
    uint256 private constant DAYS_PUBLISHED = 3;

    function requireTimes(uint64 deadline, uint64 opening) internal view {
        if (deadline <= block.timestamp) revert ITenderRegister.TenderRegister_DeadlinePassed(deadline);
        if (opening < deadline) revert ITenderRegister.TenderRegister_OpeningBeforeDeadline(opening, deadline);
    }

    function requireAnswerDays(uint16 given) internal pure {
        if (given < LEAST_ANSWER_DAYS || given > MOST_ANSWER_DAYS) {
            revert ITenderRegister.TenderRegister_BadAnswerDays(given, LEAST_ANSWER_DAYS, MOST_ANSWER_DAYS);
        }
    }

    /// @notice The host must be among these members.
    function requireAmong(uint16 host, uint256 members) internal pure {
        if (host > 255 || (members >> host) & 1 == 0) {
            revert ITenderRegister.TenderRegister_WithoutHost(host, members);
        }
    }

    /// @notice Candidates are published through the third day after today, in China.
    function requirePublished(uint64 until) internal view {
        uint256 least = Calendar.endOf(Calendar.dayAt(block.timestamp) + DAYS_PUBLISHED);
        if (until < least) revert ITenderRegister.TenderRegister_PublishedTooShortly(until, least);
    }

    /// @notice There is such a tender, and it has not ended.
    function requireStarted(bytes32 tender, ITenderRegister.State state) internal pure {
        if (state == ITenderRegister.State.None) revert ITenderRegister.TenderRegister_UnknownTender(tender);
        if (state >= ITenderRegister.State.Awarded) revert ITenderRegister.TenderRegister_Over(tender, state);
    }

    /// @notice The tender stands just where the act needs it.
    /// @dev Each step out of its turn has an error of its own: before the one that it follows, and after it has been taken.
    function requireNext(bytes32 tender, ITenderRegister.State state, ITenderRegister.State needed) internal pure {
        requireStarted(tender, state);
        if (state < needed) {
            if (needed == ITenderRegister.State.Closed) revert ITenderRegister.TenderRegister_NotClosed(tender);
            if (needed == ITenderRegister.State.Opened) revert ITenderRegister.TenderRegister_NotOpened(tender);
            if (needed == ITenderRegister.State.Evaluated) revert ITenderRegister.TenderRegister_NotEvaluated(tender);
            revert ITenderRegister.TenderRegister_NoCandidates(tender);
        }
        if (state > needed) {
            if (needed == ITenderRegister.State.Published) revert ITenderRegister.TenderRegister_AlreadyClosed(tender);
            if (needed == ITenderRegister.State.Closed) revert ITenderRegister.TenderRegister_AlreadyOpened(tender);
            if (needed == ITenderRegister.State.Opened) revert ITenderRegister.TenderRegister_AlreadyEvaluated(tender);
            revert ITenderRegister.TenderRegister_CandidatesAlreadyPublished(tender);
        }
    }
}
