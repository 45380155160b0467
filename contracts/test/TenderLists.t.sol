// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BidList} from "../libraries/BidList.sol";
import {TenderFounding} from "./TenderFounding.sol";

/// @notice BidList for lists in call data.
contract ListReader {
    function check(bytes calldata entries, uint256 size) external pure returns (uint256, uint256) {
        return BidList.check(entries, size);
    }

    function rootOf(bytes calldata entries) external pure returns (bytes32) {
        return BidList.rootOf(entries);
    }

    function find(bytes32 root, uint256 count, BidList.Page calldata page, bytes32 commitment)
        external
        pure
        returns (bool, uint256)
    {
        return BidList.find(root, count, page, commitment);
    }
}

/// @notice The list and its pages, against the RFC's recursion.
contract TenderListsTest is TenderFounding {
    ListReader private _reader = new ListReader();

    function testFuzz_TheRootIsATreeOverPages(uint8 count, uint256 seed) external view {
        bytes memory list = listOf(count, seed);
        assert(_reader.rootOf(list) == rootOf(list));
        (uint256 found, uint256 beyond) = _reader.check(list, count / 2);
        equal("count", found, count);
        equal("beyond", beyond, count - count / 2);
    }

    function testFuzz_APageShowsWhatIsOnTheListAndWhatIsNot(uint8 count, uint256 at, uint256 seed) external view {
        bytes memory list = listOf(count, seed);
        if (count > 0) {
            at = within(at, 0, count - 1);
            (bool found, uint256 place) =
                _reader.find(rootOf(list), count, pageOf(list, at / 8), commitmentAt(at, seed));
            assert(found);
            equal("place", place, at);
        }
        bytes32 other = bytes32((at + 1) << 200 | 1); // before the one at its place, after all before that
        (bool opened,) =
            _reader.find(rootOf(list), count, pageOf(list, at == 0 || count == 0 ? 0 : (at - 1) / 8), other);
        assert(!opened);
    }

    function testFuzz_AnotherPageShowsNothing(uint8 count, uint256 at, uint256 number, uint256 seed) external {
        count = uint8(within(count, 9, 60));
        at = within(at, 0, count - 1);
        number = within(number, 0, (uint256(count) - 1) / 8);
        if (number == at / 8) return;
        bytes memory list = listOf(count, seed);
        vm.expectPartialRevert(BidList.BidList_OtherPage.selector);
        _reader.find(rootOf(list), count, pageOf(list, number), commitmentAt(at, seed));
    }

    function testFuzz_ABentPageIsForged(uint8 count, uint256 number, uint256 bit, uint256 seed) external {
        count = uint8(within(count, 1, 60));
        number = within(number, 0, (uint256(count) - 1) / 8);
        bytes memory list = listOf(count, seed);
        BidList.Page memory page = pageOf(list, number);
        bit = within(bit, 0, page.entries.length * 8 - 1);
        page.entries[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectPartialRevert(BidList.BidList_ForgedPage.selector);
        _reader.find(rootOf(list), count, page, commitmentAt(0, seed));
    }

    function testFuzz_WhatDoesNotAscendIsRefused(uint8 count, uint256 at, uint256 with, uint256 seed) external {
        count = uint8(within(count, 2, 60));
        at = within(at, 0, count - 2);
        with = within(with, at + 1, count - 1);
        bytes memory list = listOf(count, seed);
        for (uint256 i = 0; i < 32; i++) {
            (list[at * 40 + i], list[with * 40 + i]) = (list[with * 40 + i], list[at * 40 + i]);
        }
        vm.expectPartialRevert(BidList.BidList_NotAscending.selector);
        _reader.check(list, 0);
    }
}
