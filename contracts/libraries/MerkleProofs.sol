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
        uint256 fn = index;
        uint256 sn = size - 1;
        root = leaf;
        for (uint256 i = 0; i < path.length; i++) {
            if (sn == 0) revert MerkleProofs_TooLong();
            if (fn & 1 == 1 || fn == sn) {
                root = _node(path[i], root);
                while (fn & 1 == 0 && fn != 0) (fn, sn) = (fn >> 1, sn >> 1);
            } else {
                root = _node(root, path[i]);
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        if (sn != 0) revert MerkleProofs_TooShort();
    }

    /// @notice The old and the new root that a consistency proof leads to; 0 < oldSize < newSize.
    /// @param oldRoot the first node where oldSize is a power of two, and not used otherwise.
    /// @dev RFC 9162, 2.1.4.2.
    function rootsFromConsistency(uint256 oldSize, uint256 newSize, bytes32 oldRoot, bytes32[] calldata proof)
        internal
        view
        returns (bytes32 oldFound, bytes32 newFound)
    {
        uint256 fn = oldSize - 1;
        uint256 sn = newSize - 1;
        while (fn & 1 == 1) (fn, sn) = (fn >> 1, sn >> 1);
        uint256 i = 0;
        if (fn == 0) {
            oldFound = oldRoot; // the old tree is one whole subtree of the new one
        } else {
            if (proof.length == 0) revert MerkleProofs_TooShort();
            oldFound = proof[i++];
        }
        newFound = oldFound;
        for (; i < proof.length; i++) {
            if (sn == 0) revert MerkleProofs_TooLong();
            bytes32 sibling = proof[i];
            if (fn & 1 == 1 || fn == sn) {
                oldFound = _node(sibling, oldFound);
                newFound = _node(sibling, newFound);
                while (fn & 1 == 0 && fn != 0) (fn, sn) = (fn >> 1, sn >> 1);
            } else {
                newFound = _node(newFound, sibling);
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        if (sn != 0) revert MerkleProofs_TooShort();
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
