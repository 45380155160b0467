// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Opens a commitment far enough to see whose signature alone may replace or withdraw it
/// @notice The layout is commitment v1 of docs/DESIGN.md: tag 32, kind 1, tender 32, party 32, holder 32, sha256 32, sm3 32,
/// extra 32, salt 32.
library BidCommitment {
    bytes32 private constant TAG = sha256("bidledger/commitment/v1");
    uint256 private constant LAYOUT_BYTES = 257;
    uint256 private constant HOLDER_AT = 97;

    /// @notice These bytes are not what was committed to.
    error BidCommitment_NotOpened(bytes32 commitment);
    /// @notice The commitment names no holder, so nobody replaces or withdraws it.
    error BidCommitment_NoHolder(bytes32 commitment);

    /// @notice The holder, if `preimage` is what the commitment commits to.
    function holderOf(bytes32 commitment, bytes calldata preimage) internal pure returns (address holder) {
        bool opened = preimage.length == LAYOUT_BYTES && bytes32(preimage[:32]) == TAG && sha256(preimage) == commitment;
        if (!opened) revert BidCommitment_NotOpened(commitment);
        bytes32 word = bytes32(preimage[HOLDER_AT:HOLDER_AT + 32]);
        if (word == 0 || uint256(word) >> 160 != 0) revert BidCommitment_NoHolder(commitment);
        return address(uint160(uint256(word)));
    }
}
