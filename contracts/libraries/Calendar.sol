// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Days and months of the Gregorian calendar in China
/// @notice A day is its number: 0 is 1970-01-01, and it lasts from 00:00 to 24:00 at UTC+8.
/// @dev Days are below 2^32, so nothing here overflows.
library Calendar {
    uint256 private constant CHINESE_TIME = 8 hours;
    uint256 private constant DAYS_BEFORE_1970 = 719_468; // since 0000-03-01: years that begin with March end with the leap day
    uint256 private constant DAYS_IN_400_YEARS = 146_097;

    /// @notice The day that it is at a block's time.
    function dayAt(uint256 time) internal pure returns (uint256) {
        return (time + CHINESE_TIME) / 1 days;
    }

    /// @notice The time at which a day is over.
    function endOf(uint256 day) internal pure returns (uint256) {
        return (day + 1) * 1 days - CHINESE_TIME;
    }

    /// @notice The day on which a period of months that began on `day` ends: the one of the same number, or the month's
    /// last where there is none (Civil Code of the People's Republic of China, article 202).
    function monthsAfter(uint256 day, uint256 months) internal pure returns (uint256) {
        unchecked {
            day += DAYS_BEFORE_1970;
            uint256 inEra = day % DAYS_IN_400_YEARS;
            uint256 year = (inEra - inEra / 1_460 + inEra / 36_524 - inEra / 146_096) / 365;
            uint256 inYear = inEra - (365 * year + year / 4 - year / 100);
            uint256 month = (day / DAYS_IN_400_YEARS * 400 + year) * 12 + (5 * inYear + 2) / 153;
            uint256 same = _firstOf(month + months) + day - _firstOf(month);
            uint256 last = _firstOf(month + months + 1) - 1;
            return (same < last ? same : last) - DAYS_BEFORE_1970;
        }
    }

    /// @dev Days from 0000-03-01 to the first of a month that is counted from there.
    function _firstOf(uint256 month) private pure returns (uint256) {
        unchecked {
            uint256 year = month / 12;
            return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month % 12) + 2) / 5;
        }
    }
}
