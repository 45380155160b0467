// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAllianceRegistry} from "./interfaces/IAllianceRegistry.sol";
import {IEvidenceLog} from "./interfaces/IEvidenceLog.sol";
import {Journal} from "./libraries/Journal.sol";
import {MerkleProofs} from "./libraries/MerkleProofs.sol";

/// @title EvidenceLog
/// @notice See IEvidenceLog.
contract EvidenceLog is IEvidenceLog, EIP712 {
    using Journal for Journal.Head;

    bytes32 private constant RECEIPT_BATCH_TYPEHASH = keccak256(
        "ReceiptBatch(address log,uint16 member,uint32 generation,bytes32 root,uint32 count,uint64 acceptedAt,uint64 anchorBy)"
    );
    bytes32 private constant RECEIPT_DAYS = "receiptDays";

    uint64 public constant override maxGrowth = 1 << 24;

    // Two slots, because an anchor writes both:
    //   slot 0  root                                                              256
    //   slot 1  size 64 | count 64 | time 64 | generation 32                      224
    struct Checkpoint {
        bytes32 root;
        uint64 size;
        uint64 count;
        uint64 time;
        uint32 generation;
    }

    // One slot: a promised place, and whether it was reported late.
    struct LatePlace {
        uint16 member; // 0: not reported
        uint32 generation;
        uint64 index;
    }

    IAllianceRegistry public immutable registry;

    Journal.Head private _journal;
    mapping(uint16 member => Checkpoint) private _checkpoints;
    mapping(uint16 member => mapping(uint32 generation => Checkpoint)) private _closed;
    mapping(uint16 member => uint256) public override faults;
    mapping(bytes32 entry => bool) private _broken;
    mapping(bytes32 entry => LatePlace) private _late;

    constructor(IAllianceRegistry registry_) EIP712("bidledger", "1") {
        registry = registry_;
    }

    // ---- anchoring ----

    /// @inheritdoc IEvidenceLog
    function anchor(uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) external {
        uint16 member = registry.roleMember(msg.sender, IAllianceRegistry.Role.Anchorer);
        Checkpoint storage last = _checkpoints[member];
        _requireGrowth(member, last.size, newSize);
        _requireConsistent(member, last.size, last.root, newSize, newRoot, proof);
        uint64 count = last.count + 1;
        last.root = newRoot;
        (last.size, last.count, last.time) = (newSize, count, uint64(block.timestamp));
        emit Anchored(member, last.generation, newSize, newRoot, count);
    }

    /// @inheritdoc IEvidenceLog
    function closeGeneration(uint16 member) external {
        if (msg.sender != address(registry)) revert EvidenceLog_OnlyRegistry(msg.sender);
        Checkpoint memory last = _checkpoints[member];
        if (last.size == 0) revert EvidenceLog_NothingAnchored(member);
        _closed[member][last.generation] = last;
        _checkpoints[member] = Checkpoint(0, 0, last.count, last.time, last.generation + 1);
        emit GenerationClosed(member, last.generation, last.size, last.root);
        _journal.fold(abi.encode(GenerationClosed.selector, member, last.generation, last.size, last.root));
    }

    // ---- receipts that were not kept ----

    /// @inheritdoc IEvidenceLog
    function reportBrokenReceipt(Receipt calldata r, bytes32 found, bytes32[] calldata inclusion) external {
        bytes32 entry = _provenEntry(r);
        if (_broken[entry]) revert EvidenceLog_AlreadyReported(entry);
        if (found == r.commitment) revert EvidenceLog_PromiseKept(entry);
        _requireIncluded(r, found, inclusion);
        _broken[entry] = true;
        faults[r.member]++;
        emit ReceiptBroken(r.member, entry, r.generation, r.index, r.commitment, found);
        _journal.fold(abi.encode(ReceiptBroken.selector, r.member, entry, r.generation, r.index, r.commitment, found));
    }

    /// @inheritdoc IEvidenceLog
    function reportLateReceipt(Receipt calldata r) external {
        bytes32 entry = _provenEntry(r);
        if (_late[entry].member != 0) revert EvidenceLog_AlreadyReported(entry);
        if (block.timestamp <= r.anchorBy) revert EvidenceLog_NotDue(entry, r.anchorBy);
        uint64 size = _anchored(r.member, r.generation).size;
        if (r.index < size) revert EvidenceLog_InTime(entry, r.index, size);
        _late[entry] = LatePlace(r.member, r.generation, r.index);
        emit ReceiptLate(r.member, entry, r.generation, r.index, r.anchorBy);
        _journal.fold(abi.encode(ReceiptLate.selector, r.member, entry, r.generation, r.index, r.anchorBy));
    }

    // ---- what others ask ----

    /// @inheritdoc IEvidenceLog
    function checkpoint(uint16 member) external view returns (uint32, uint64, bytes32, uint64, uint64) {
        Checkpoint memory last = _checkpoints[member];
        return (last.generation, last.size, last.root, last.count, last.time);
    }

    /// @inheritdoc IEvidenceLog
    function closedCheckpoint(uint16 member, uint32 generation)
        external
        view
        returns (uint64, bytes32, uint64, uint64)
    {
        Checkpoint memory end = _closed[member][generation];
        return (end.size, end.root, end.count, end.time);
    }

    /// @inheritdoc IEvidenceLog
    function isLate(bytes32 entry) external view returns (bool) {
        LatePlace memory place = _late[entry];
        return place.member != 0 && place.index >= _anchored(place.member, place.generation).size;
    }

    /// @inheritdoc IEvidenceLog
    function journal() external view returns (bytes32) {
        return _journal.word;
    }

    // ---- rules ----

    function _requireGrowth(uint16 member, uint64 oldSize, uint64 newSize) private pure {
        if (newSize >= 1 << 63) revert EvidenceLog_SizeTooLarge(newSize);
        if (newSize == oldSize) revert EvidenceLog_SameSize(member, newSize);
        if (newSize < oldSize) revert EvidenceLog_Shrinks(member, oldSize, newSize);
        if (newSize - oldSize > maxGrowth) revert EvidenceLog_GrowsTooFast(member, oldSize, newSize);
    }

    function _requireConsistent(
        uint16 member,
        uint64 oldSize,
        bytes32 oldRoot,
        uint64 newSize,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) private view {
        if (oldSize == 0) {
            // Every tree holds the empty one; there is nothing to prove.
            if (proof.length != 0) revert MerkleProofs.MerkleProofs_TooLong();
            return;
        }
        (bytes32 oldFound, bytes32 newFound) = MerkleProofs.rootsFromConsistency(oldSize, newSize, oldRoot, proof);
        if (oldFound != oldRoot || newFound != newRoot) revert EvidenceLog_NotAppendOnly(member, oldSize, newSize);
    }

    /// @dev The checkpoint that a generation has: the latest, the closing one, or zeros if it is not open yet.
    function _anchored(uint16 member, uint32 generation) private view returns (Checkpoint storage) {
        Checkpoint storage last = _checkpoints[member];
        return generation == last.generation ? last : _closed[member][generation];
    }

    function _requireIncluded(Receipt calldata r, bytes32 found, bytes32[] calldata inclusion) private view {
        Checkpoint storage tree = _anchored(r.member, r.generation);
        uint64 size = tree.size;
        if (r.index >= size) revert EvidenceLog_NotAnchored(r.member, r.generation, r.index, size);
        bytes32 leaf = MerkleProofs.leafHash(abi.encodePacked(found));
        if (MerkleProofs.rootFromInclusion(leaf, r.index, size, inclusion) != tree.root) {
            revert EvidenceLog_NotIncluded(r.member, r.generation, r.index);
        }
    }

    /// @dev The receipt's key, once it is shown to be in a batch that a receipt signer of the member signed.
    function _provenEntry(Receipt calldata r) private view returns (bytes32 entry) {
        bytes32 batch = keccak256(
            abi.encode(
                RECEIPT_BATCH_TYPEHASH, address(this), r.member, r.generation, r.root, r.count, r.acceptedAt, r.anchorBy
            )
        );
        entry = keccak256(abi.encode(batch, r.index, r.commitment));
        if (r.position >= r.count) revert EvidenceLog_NotInBatch(entry);
        bytes32 leaf = MerkleProofs.leafHash(abi.encodePacked(r.index, r.commitment));
        if (MerkleProofs.rootFromInclusion(leaf, r.position, r.count, r.path) != r.root) {
            revert EvidenceLog_NotInBatch(entry);
        }
        _requireSigner(ECDSA.recover(_hashTypedDataV4(batch), r.signature), r);
    }

    /// @dev The signer's right is judged at `acceptedAt`; a revoked one's also by what was anchored at the revocation.
    function _requireSigner(address signer, Receipt calldata r) private view {
        IAllianceRegistry.Tenure memory held = registry.tenure(signer, IAllianceRegistry.Role.ReceiptSigner);
        bool ofMember = held.member != 0 && held.member == r.member;
        bool inForce = held.from <= r.acceptedAt && (held.until == 0 || r.acceptedAt < held.until);
        if (!ofMember || !inForce) revert EvidenceLog_NotReceiptSigner(signer, r.member, r.acceptedAt);
        if (!held.revoked) return;
        if (r.index >= _sizeAtRevocation(held, r.generation)) {
            revert EvidenceLog_SignerRevoked(signer, r.generation, r.index);
        }
        uint256 deadline = held.until + registry.parameter(RECEIPT_DAYS) * 1 days;
        if (block.timestamp > deadline) revert EvidenceLog_ReportTooLate(signer, deadline);
    }

    /// @dev How much of a generation was anchored here when the signer was revoked; nothing, if the registry had
    /// another evidence log then.
    function _sizeAtRevocation(IAllianceRegistry.Tenure memory held, uint32 generation) private view returns (uint64) {
        if (held.log != address(this) || generation > held.generation) return 0;
        return generation == held.generation ? held.size : _closed[held.member][generation].size;
    }
}
