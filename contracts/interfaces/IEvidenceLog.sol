// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The members' evidence logs: what each has anchored, and which of its receipts it did not keep
/// @notice Holds one append-only RFC 6962 tree per member by its size and root. A member moves its own forward, with a
/// proof that the new tree holds the old one unchanged; nobody moves it back. Anyone who has a receipt may show here that
/// it was not kept.
/// @dev `Anchored` is counted per member in the checkpoint; every other event is folded into one journal word.
interface IEvidenceLog {
    /// @notice One entry of a signed receipt batch. The first six fields, with this contract's address, are what the
    /// member signed (EIP-712, `ReceiptBatch`); the rest says which entry of the batch is meant.
    /// @dev The batch's `root` is an RFC 6962 tree over `count` entries, each uint64 index (big-endian) and commitment.
    struct Receipt {
        uint16 member;
        uint32 generation;
        bytes32 root;
        uint32 count;
        uint64 acceptedAt;
        uint64 anchorBy;
        uint64 index; // the promised place in the member's log
        bytes32 commitment; // the promised leaf
        uint32 position; // the entry's place in the batch
        bytes32[] path; // RFC 9162 inclusion path from (position, count) to `root`
        bytes signature; // r, s, v: 65 bytes, low s
    }

    /// @notice The member's log stands at (generation, size, root); `count` is the number of its anchors so far, over
    /// all generations and with this one.
    event Anchored(uint16 indexed member, uint32 generation, uint64 size, bytes32 root, uint64 count);
    /// @notice The generation has ended at (size, root); the next one is open and empty.
    event GenerationClosed(uint16 indexed member, uint32 generation, uint64 size, bytes32 root);
    /// @notice At `index` the log holds `found`, where the receipt `entry` promised `promised`.
    /// @dev `entry`, here and below, is keccak256(abi.encode(EIP-712 struct hash of the signed batch, index, commitment)).
    event ReceiptBroken(
        uint16 indexed member, bytes32 indexed entry, uint32 generation, uint64 index, bytes32 promised, bytes32 found
    );
    /// @notice At `anchorBy` the log did not reach beyond `index`, nor does it now.
    event ReceiptLate(uint16 indexed member, bytes32 indexed entry, uint32 generation, uint64 index, uint64 anchorBy);

    error EvidenceLog_SizeTooLarge(uint64 newSize);
    error EvidenceLog_SameSize(uint16 member, uint64 size);
    error EvidenceLog_Shrinks(uint16 member, uint64 oldSize, uint64 newSize);
    error EvidenceLog_GrowsTooFast(uint16 member, uint64 oldSize, uint64 newSize);
    /// @notice The proof does not lead from the stored root to the new one.
    error EvidenceLog_NotAppendOnly(uint16 member, uint64 oldSize, uint64 newSize);
    error EvidenceLog_OnlyRegistry(address sender);
    error EvidenceLog_NothingAnchored(uint16 member);
    /// @notice The entry is not in the batch at this position.
    error EvidenceLog_NotInBatch(bytes32 entry);
    /// @notice Whoever signed was no receipt signer of that member at `acceptedAt`.
    error EvidenceLog_NotReceiptSigner(address signer, uint16 member, uint64 acceptedAt);
    /// @notice The signer was revoked when the log was not yet beyond `index`.
    error EvidenceLog_SignerRevoked(address signer, uint32 generation, uint64 index);
    /// @notice The signer was revoked, and the time for reports has run out.
    error EvidenceLog_ReportTooLate(address signer, uint256 deadline);
    /// @notice The log holds just what was promised.
    error EvidenceLog_PromiseKept(bytes32 entry);
    error EvidenceLog_NotAnchored(uint16 member, uint32 generation, uint64 index, uint64 size);
    /// @notice The proof does not lead from the leaf to the anchored root.
    error EvidenceLog_NotIncluded(uint16 member, uint32 generation, uint64 index);
    error EvidenceLog_AlreadyReported(bytes32 entry);
    error EvidenceLog_NotDue(bytes32 entry, uint64 anchorBy);
    error EvidenceLog_InTime(bytes32 entry, uint64 index, uint64 size);

    /// @notice Moves the log of the sender's member forward.
    /// @param newSize more than the stored size, by at most `maxGrowth`, and below 2^63.
    /// @param newRoot the root of the tree of `newSize` leaves.
    /// @param proof RFC 9162 consistency proof from the stored tree to the new one; empty for a generation's first.
    /// @dev Only an anchorer in force. The same checkpoint anchored twice is refused, and nothing is harmed.
    function anchor(uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) external;

    /// @notice Ends the member's generation at what is anchored now and opens the next. Only by a proposal that the
    /// registry executes.
    /// @dev For a log that can no longer go on: its anchoring key was stolen, or its data lost. Revoke a stolen anchorer
    /// before: the next generation takes any first root. Receipts for places at or beyond the closing size can
    /// not be kept any more; reported late, they stay late for ever.
    function closeGeneration(uint16 member) external;

    /// @notice Records that the log holds another leaf where the receipt promised one. Once per receipt, by anyone.
    /// @param r the receipt; its signer must have been a receipt signer of the member at `acceptedAt`, and if revoked
    /// since then see IAllianceRegistry.revokeRole.
    /// @param found the commitment that the log holds at `r.index`.
    /// @param inclusion RFC 9162 inclusion proof of `found` under the anchored root of `r.generation`, the latest one
    /// or the closing one.
    function reportBrokenReceipt(Receipt calldata r, bytes32 found, bytes32[] calldata inclusion) external;

    /// @notice Records that the log does not reach the promised place although `anchorBy` has passed. Once per
    /// receipt, by anyone. Anchoring cures it: see `isLate`.
    /// @dev A place in a closed generation beyond its end, or in one not yet opened, counts as not reached.
    function reportLateReceipt(Receipt calldata r) external;

    /// @notice How many leaves one anchor may add: a stolen anchoring key cannot use a log's numbers up.
    function maxGrowth() external view returns (uint64);

    /// @notice What the member's log stands at; `root` is zero while `size` is 0, `time` is that of the last anchor.
    function checkpoint(uint16 member)
        external
        view
        returns (uint32 generation, uint64 size, bytes32 root, uint64 count, uint64 time);

    /// @notice Where a closed generation ended; all zeros if it is not closed. `count` and `time` are of its last anchor.
    function closedCheckpoint(uint16 member, uint32 generation)
        external
        view
        returns (uint64 size, bytes32 root, uint64 count, uint64 time);

    /// @notice How many receipts of the member were shown to be broken.
    function faults(uint16 member) external view returns (uint256);

    /// @notice Whether a receipt was reported late and its place is still not anchored.
    function isLate(bytes32 entry) external view returns (bool);

    /// @notice The journal: uint32 number of events (high) and 224-bit running hash. See libraries/Journal.sol.
    function journal() external view returns (bytes32);
}
