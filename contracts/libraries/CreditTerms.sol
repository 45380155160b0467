// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The short facts of a record in one word, since it is carried and logged with every record. From the low end:
///   member 16 | kind 8 | decidedOn 32 | lastDay 32 | earlier 32                          120; what is above is refused
type Terms is uint256;

/// @notice What a record can be. Minor faults are not published, so there is no kind for them.
enum Kind {
    None,
    Honour,
    GeneralDishonesty,
    SeriousDishonesty
}

/// @title Reads Terms
library CreditTerms {
    function member(Terms terms) internal pure returns (uint16) {
        return uint16(Terms.unwrap(terms));
    }

    /// @notice `Kind.None` for a number that no kind has.
    function kind(Terms terms) internal pure returns (Kind) {
        uint8 number = uint8(Terms.unwrap(terms) >> 16);
        return number > uint8(type(Kind).max) ? Kind.None : Kind(number);
    }

    function decidedOn(Terms terms) internal pure returns (uint32) {
        return uint32(Terms.unwrap(terms) >> 24);
    }

    /// @notice The last day of publication.
    function lastDay(Terms terms) internal pure returns (uint32) {
        return uint32(Terms.unwrap(terms) >> 56);
    }

    /// @notice The subject's count when the record was drawn up.
    function earlier(Terms terms) internal pure returns (uint32) {
        return uint32(Terms.unwrap(terms) >> 88);
    }

    /// @notice Whether nothing stands above the last field.
    function isTidy(Terms terms) internal pure returns (bool) {
        return Terms.unwrap(terms) >> 120 == 0;
    }
}
