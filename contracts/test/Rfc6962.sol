// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RFC 6962, section 2.1, as its text has it
/// @notice Recursive and slow: what the contract's proofs are held against. Leaves are given by their hashes.
library Rfc6962 {
    function root(bytes32[] memory leaves, uint256 size) internal pure returns (bytes32) {
        return _hash(leaves, 0, size);
    }

    function path(bytes32[] memory leaves, uint256 index, uint256 size) internal pure returns (bytes32[] memory) {
        return _path(leaves, index, 0, size);
    }

    function proof(bytes32[] memory leaves, uint256 old, uint256 size) internal pure returns (bytes32[] memory) {
        return _subproof(leaves, old, 0, size, true);
    }

    function _hash(bytes32[] memory leaves, uint256 start, uint256 end) private pure returns (bytes32) {
        if (end - start == 1) return leaves[start];
        uint256 middle = start + _split(end - start);
        return sha256(abi.encodePacked(bytes1(0x01), _hash(leaves, start, middle), _hash(leaves, middle, end)));
    }

    function _path(bytes32[] memory leaves, uint256 index, uint256 start, uint256 end)
        private
        pure
        returns (bytes32[] memory)
    {
        if (end - start == 1) return new bytes32[](0);
        uint256 middle = start + _split(end - start);
        if (index < middle) return _append(_path(leaves, index, start, middle), _hash(leaves, middle, end));
        return _append(_path(leaves, index, middle, end), _hash(leaves, start, middle));
    }

    function _subproof(bytes32[] memory leaves, uint256 old, uint256 start, uint256 end, bool whole)
        private
        pure
        returns (bytes32[] memory)
    {
        if (old == end) {
            return whole ? new bytes32[](0) : _append(new bytes32[](0), _hash(leaves, start, end));
        }
        uint256 middle = start + _split(end - start);
        if (old <= middle) return _append(_subproof(leaves, old, start, middle, whole), _hash(leaves, middle, end));
        return _append(_subproof(leaves, old, middle, end, false), _hash(leaves, start, middle));
    }

    /// @dev The largest power of two smaller than `width`.
    function _split(uint256 width) private pure returns (uint256 power) {
        power = 1;
        while (power * 2 < width) power *= 2;
    }

    function _append(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
