// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RFC 9162 proofs over SHA-256 trees
/// @notice Recomputes the roots that a proof leads to; comparing them is the caller's step. A proof with too few or too
/// many nodes is refused here, so that exactly one length fits each pair of sizes.
library MerkleProofs {
    error MerkleProofs_TooShort();
    error MerkleProofs_TooLong();

    /// @notice The hash of a leaf: SHA-256(00, entry).
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", entry));
    }

    /// @notice The root that an inclusion path leads to, for a leaf at `index` of `size`; index < size.
    /// @dev RFC 9162, 2.1.3.2.
    function rootFromInclusion(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        internal
        view
        returns (bytes32 root)
    {
        (, root) = _climb(index, size - 1, leaf, path);
    }

    /// @notice The old and the new root that a consistency proof leads to; 0 < oldSize < newSize.
    /// @param oldRoot taken for the proof's first node where oldSize is a power of two, and not used otherwise.
    /// @dev RFC 9162, 2.1.4.2.
    function rootsFromConsistency(uint256 oldSize, uint256 newSize, bytes32 oldRoot, bytes32[] calldata proof)
        internal
        view
        returns (bytes32 oldFound, bytes32 newFound)
    {
        // The last whole subtree of the old tree: the climb starts from its node, counted in subtrees of its width.
        uint256 width = _lowestBit(oldSize);
        uint256 fn = (oldSize - 1) / width;
        uint256 sn = (newSize - 1) / width;
        if (fn == 0) return _climb(fn, sn, oldRoot, proof);
        if (proof.length == 0) revert MerkleProofs_TooShort();
        return _climb(fn, sn, proof[0], proof[1:]);
    }

    /// @dev Climbs from node `fn` of a level whose last node is `sn`: `newFound` is the root of the whole, `oldFound`
    /// that of what lies at or before the start. Where the start is the last of its level it has no sibling on the
    /// right, and the levels up to its first sibling on the left are skipped.
    function _climb(uint256 fn, uint256 sn, bytes32 start, bytes32[] calldata siblings)
        private
        view
        returns (bytes32 oldFound, bytes32 newFound)
    {
        (oldFound, newFound) = (start, start);
        for (uint256 i = 0; i < siblings.length; i++) {
            bytes32 sibling = siblings[i];
            if (fn & 1 == 0) {
                if (fn < sn) {
                    newFound = _node(newFound, sibling);
                    fn >>= 1;
                    sn >>= 1;
                    continue;
                }
                if (fn == 0) revert MerkleProofs_TooLong();
                fn /= _lowestBit(fn);
                sn = fn;
            }
            oldFound = _node(sibling, oldFound);
            newFound = _node(sibling, newFound);
            fn >>= 1;
            sn >>= 1;
        }
        if (sn != 0) revert MerkleProofs_TooShort();
    }

    function _lowestBit(uint256 number) private pure returns (uint256) {
        unchecked {
            return number & (~number + 1);
        }
    }

    /// @dev SHA-256(01, left, right) by the precompile; in assembly because this is most of what an anchor costs.
    function _node(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 1)
            mstore(add(input, 1), left)
            mstore(add(input, 33), right)
            if iszero(staticcall(gas(), 2, input, 65, 0, 32)) { revert(0, 0) } // only when gas runs out
            hash := mload(0)
        }
    }
}
