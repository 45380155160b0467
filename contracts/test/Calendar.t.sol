// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calendar} from "../libraries/Calendar.sol";
import {Test} from "./Vm.sol";

/// @notice Periods of months, against a calendar that is counted month by month.
contract CalendarTest is Test {
    function testFuzz_AMonthsEndIsNeverPassed(uint256 day, uint256 months) external pure {
        day = within(day, 0, 366 * 250);
        months = within(months, 0, 48);
        (uint256 month, uint256 inMonth) = _month(day);
        uint256 last = _first(month + months) + inMonth;
        uint256 end = _first(month + months + 1) - 1;
        equal("the day", Calendar.monthsAfter(day, months), last < end ? last : end);
    }

    function test_ADayBeginsAtMidnightInChina() external pure {
        equal("1970-01-01 07:59:59 UTC is its first day's", Calendar.dayAt(8 hours - 1), 0);
        equal("16:00 UTC is the next day's", Calendar.dayAt(16 hours), 1);
        equal("15:59:59 UTC is not", Calendar.dayAt(16 hours - 1), 0);
    }

    /// @dev The civil code's own cases: 30 November and three months, in a year with a leap day and without.
    function test_ThreeMonthsFromTheLastOfNovember() external pure {
        equal("2023-11-30 to 2024-02-29", Calendar.monthsAfter(19_691, 3), 19_782);
        equal("2024-11-30 to 2025-02-28", Calendar.monthsAfter(20_057, 3), 20_147);
        equal("2024-02-29 to 2025-02-28", Calendar.monthsAfter(19_782, 12), 20_147);
    }

    function _month(uint256 day) private pure returns (uint256 month, uint256 inMonth) {
        inMonth = day;
        while (inMonth >= _length(month)) {
            inMonth -= _length(month);
            month++;
        }
    }

    function _first(uint256 month) private pure returns (uint256 day) {
        for (uint256 i = 0; i < month; i++) {
            day += _length(i);
        }
    }

    /// @dev Months are counted from January 1970.
    function _length(uint256 month) private pure returns (uint256) {
        uint256 year = 1970 + month / 12;
        uint256 number = month % 12 + 1;
        if (number == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
        return number == 4 || number == 6 || number == 9 || number == 11 ? 30 : 31;
    }
}
