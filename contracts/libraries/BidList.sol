// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The list of opened bids: its form, its root, and whether a bid stands on it
/// @notice An entry is 40 bytes: commitment, and uint64 place in the log. Entries ascend by commitment, so each place in
/// the order is taken once, and one page shows that a commitment is on the list as well as that it is not.
/// @dev A page is eight entries and the commitment that follows them; the last page is what entries are left, and nothing
/// follows. The root is a Keccak-256 tree over the pages' hashes in the shape of RFC 6962: neighbours are paired, level by
/// level, and one without a neighbour moves up as it is. A node is 64 bytes, and no page is as long. See docs/adr/0019.
library BidList {
    /// @notice What the list says between the first commitment of a page and that of the next.
    struct Page {
        uint256 number; // from 0
        bytes entries; // with the commitment that follows
        bytes32[] path; // the siblings, page to root
    }

    uint256 private constant ENTRY_BYTES = 40;
    uint256 private constant REFUSAL_BYTES = 64;
    uint256 private constant PAGE_ENTRIES = 8;
    uint256 private constant PAGE_BYTES = PAGE_ENTRIES * ENTRY_BYTES;
    uint256 private constant NEXT_BYTES = 32; // the commitment that follows a page

    /// @notice The bytes do not divide into entries.
    error BidList_Torn(uint256 length);
    /// @notice The commitment is not above the one before it: it stands twice, or out of order, or is zero.
    error BidList_NotAscending(bytes32 commitment);
    /// @notice The list of this root has no such page.
    error BidList_ForgedPage(uint256 number);
    /// @notice The page is the list's, but the commitment would stand on another one.
    error BidList_OtherPage(uint256 number, bytes32 commitment);

    /// @notice Reads a list through.
    /// @param size the places below it were anchored when bids were closed.
    /// @return count how many entries there are.
    /// @return onReceipt how many have a place at or beyond `size`.
    function check(bytes calldata entries, uint256 size) internal pure returns (uint256 count, uint256 onReceipt) {
        if (entries.length % ENTRY_BYTES != 0) revert BidList_Torn(entries.length);
        bool ascending;
        (ascending, onReceipt) = _walk(entries, size);
        if (!ascending) revert BidList_NotAscending(_outOfOrder(entries));
        count = entries.length / ENTRY_BYTES;
    }

    /// @dev In assembly, and without a branch in the loop, because this is most of what an opening computes.
    function _walk(bytes calldata entries, uint256 size) private pure returns (bool ascending, uint256 beyond) {
        assembly ("memory-safe") {
            ascending := 1
            let last := 0
            let end := add(entries.offset, entries.length)
            for { let entry := entries.offset } lt(entry, end) { entry := add(entry, 40) } {
                let commitment := calldataload(entry)
                ascending := and(ascending, gt(commitment, last))
                beyond := add(beyond, iszero(lt(shr(192, calldataload(add(entry, 32))), size)))
                last := commitment
            }
        }
    }

    /// @dev The first commitment that is not above the one before it.
    function _outOfOrder(bytes calldata entries) private pure returns (bytes32 commitment) {
        bytes32 last;
        for (uint256 at = 0; at < entries.length; at += ENTRY_BYTES) {
            commitment = _word(entries, at);
            if (commitment <= last) return commitment;
            last = commitment;
        }
    }

    /// @notice Reads a list of refusals through: commitment and digest of the reason, ascending by commitment.
    function checkRefusals(bytes calldata refusals) internal pure {
        if (refusals.length % REFUSAL_BYTES != 0) revert BidList_Torn(refusals.length);
        bytes32 last;
        for (uint256 at = 0; at < refusals.length; at += REFUSAL_BYTES) {
            bytes32 commitment = _word(refusals, at);
            if (commitment <= last) revert BidList_NotAscending(commitment);
            last = commitment;
        }
    }

    /// @notice The reason of the refusal at `position`, if it is of `commitment`; zero if not.
    function reasonAt(bytes calldata refusals, uint256 position, bytes32 commitment) internal pure returns (bytes32) {
        if (position >= refusals.length / REFUSAL_BYTES) return 0;
        uint256 at = position * REFUSAL_BYTES;
        return _word(refusals, at) == commitment ? _word(refusals, at + 32) : bytes32(0);
    }

    /// @notice The root of a list; zero for the empty one.
    function rootOf(bytes calldata entries) internal pure returns (bytes32) {
        uint256 width = _pages(entries.length / ENTRY_BYTES);
        if (width == 0) return 0;
        bytes memory list = entries;
        bytes32[] memory nodes = new bytes32[](width);
        unchecked {
            for (uint256 i = 0; i < width; i++) {
                uint256 from = i * PAGE_BYTES;
                nodes[i] = _hash(list, from, i + 1 == width ? entries.length - from : PAGE_BYTES + NEXT_BYTES);
            }
            while (width > 1) {
                for (uint256 i = 0; i < width / 2; i++) {
                    nodes[i] = _node(nodes[2 * i], nodes[2 * i + 1]);
                }
                if (width % 2 == 1) nodes[width / 2] = nodes[width - 1];
                width = (width + 1) / 2;
            }
        }
        return nodes[0];
    }

    /// @notice Whether `commitment` is on the list of `count` entries with this root, and its place in the log.
    /// @param page the one on which it stands or would stand; of an empty list, number 0 with nothing on it.
    function find(bytes32 root, uint256 count, Page calldata page, bytes32 commitment)
        internal
        pure
        returns (bool found, uint64 index)
    {
        uint256 entries = _proven(root, count, page);
        for (uint256 i = 0; i < entries; i++) {
            (bytes32 each, uint256 place) = _entry(page.entries, i * ENTRY_BYTES);
            if (each == commitment) return (true, uint64(place));
            if (i == 0 && page.number > 0 && commitment < each) revert BidList_OtherPage(page.number, commitment);
        }
        bool last = page.number + 1 >= _pages(count);
        if (!last && commitment >= _word(page.entries, PAGE_BYTES)) revert BidList_OtherPage(page.number, commitment);
    }

    /// @return entries how many are on the page, once it is shown to be the list's.
    function _proven(bytes32 root, uint256 count, Page calldata page) private pure returns (uint256 entries) {
        uint256 pages = _pages(count);
        if (pages == 0 && page.number == 0 && page.entries.length == 0 && page.path.length == 0) return 0;
        if (page.number >= pages) revert BidList_ForgedPage(page.number);
        bool last = page.number + 1 == pages;
        entries = last ? count - page.number * PAGE_ENTRIES : PAGE_ENTRIES;
        bool whole = page.entries.length == entries * ENTRY_BYTES + (last ? 0 : NEXT_BYTES);
        if (!whole || _climb(keccak256(page.entries), page.number, pages - 1, page.path) != root) {
            revert BidList_ForgedPage(page.number);
        }
    }

    /// @dev From node `fn` of a level whose last node is `sn`; zero for a path of another length.
    function _climb(bytes32 node, uint256 fn, uint256 sn, bytes32[] calldata path) private pure returns (bytes32) {
        uint256 used;
        for (; sn > 0; (fn, sn) = (fn >> 1, sn >> 1)) {
            if (fn & 1 == 0 && fn == sn) continue;
            if (used == path.length) return 0;
            bytes32 sibling = path[used++];
            node = fn & 1 == 1 ? _node(sibling, node) : _node(node, sibling);
        }
        return used == path.length ? node : bytes32(0);
    }

    function _pages(uint256 count) private pure returns (uint256) {
        return (count + PAGE_ENTRIES - 1) / PAGE_ENTRIES;
    }

    function _hash(bytes memory list, uint256 from, uint256 length) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(add(list, 32), from), length)
        }
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            hash := keccak256(0, 64)
        }
    }

    function _entry(bytes calldata entries, uint256 at) private pure returns (bytes32 commitment, uint256 index) {
        return (_word(entries, at), uint256(_word(entries, at + 32)) >> 192);
    }

    function _word(bytes calldata data, uint256 at) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, at))
        }
    }
}
