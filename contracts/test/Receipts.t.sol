// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {IEvidenceLog} from "../interfaces/IEvidenceLog.sol";
import {Founding} from "./Founding.sol";
import {Rfc6962} from "./Rfc6962.sol";

/// @notice Every entry of a signed batch convicts a member that broke its promise, and nothing else convicts anybody.
contract ReceiptsTest is Founding {
    uint256 private constant SIGNER = 0x51;

    /// @dev A log and a batch, of sizes and with places that are fuzzed.
    struct Case {
        bytes32[] logged;
        bytes32[] logPath;
        uint64 index;
        IEvidenceLog.Receipt receipt;
    }

    function setUp() external {
        found(1);
        vm.prank(governor(1));
        registry.grantOwnRole(vm.addr(SIGNER), IAllianceRegistry.Role.ReceiptSigner, 0, 0);
    }

    function testFuzz_EveryEntryOfABatchConvictsOnce(uint256 seed, uint256 size, uint256 count) external {
        Case memory c = _case(seed, size, count, keccak256("promised"));
        log.reportBrokenReceipt(c.receipt, c.logged[c.index], c.logPath);
        equal("faults", log.faults(1), 1);
        vm.expectPartialRevert(IEvidenceLog.EvidenceLog_AlreadyReported.selector);
        log.reportBrokenReceipt(c.receipt, c.logged[c.index], c.logPath);
    }

    function testFuzz_AKeptPromiseConvictsNobody(uint256 seed, uint256 size, uint256 count) external {
        Case memory c = _case(seed, size, count, _leaf(seed, seed % within(size, 1, 40)));
        vm.expectPartialRevert(IEvidenceLog.EvidenceLog_PromiseKept.selector);
        log.reportBrokenReceipt(c.receipt, c.logged[c.index], c.logPath);
        vm.warp(c.receipt.anchorBy + 1);
        vm.expectPartialRevert(IEvidenceLog.EvidenceLog_InTime.selector);
        log.reportLateReceipt(c.receipt);
    }

    function testFuzz_NothingBentConvicts(uint256 seed, uint256 size, uint256 count, uint8 what, uint8 bit) external {
        Case memory c = _case(seed, size, count, keccak256("promised"));
        bytes32 found = c.logged[c.index];
        bytes32 mask = bytes32(uint256(1) << bit);
        if (what % 13 == 11) found ^= mask;
        else if (what % 13 == 12 && c.logPath.length > 0) c.logPath[seed % c.logPath.length] ^= mask;
        else _bend(c.receipt, what % 11, bit, mask);
        try log.reportBrokenReceipt(c.receipt, found, c.logPath) {
            revert("convicted");
        } catch {}
    }

    function _bend(IEvidenceLog.Receipt memory r, uint8 what, uint8 bit, bytes32 mask) private pure {
        uint64 number = uint64(1) << (bit % 64);
        if (what == 0) r.member ^= uint16(1) << (bit % 16);
        if (what == 1) r.generation ^= uint32(1) << (bit % 32);
        if (what == 2) r.root ^= mask;
        if (what == 3) r.count ^= uint32(1) << (bit % 32);
        if (what == 4) r.acceptedAt ^= number;
        if (what == 5) r.anchorBy ^= number;
        if (what == 6) r.index ^= number;
        if (what == 7) r.commitment ^= mask;
        if (what == 8) r.position ^= uint32(1) << (bit % 32);
        if (what == 9 && r.path.length > 0) r.path[bit % r.path.length] ^= mask;
        else if (what >= 9) r.signature[bit % 65] ^= bytes1(uint8(1) << (bit % 8));
    }

    function _case(uint256 seed, uint256 size, uint256 count, bytes32 commitment) private returns (Case memory c) {
        size = within(size, 1, 40);
        c.logged = new bytes32[](size);
        bytes32[] memory hashes = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            c.logged[i] = _leaf(seed, i);
            hashes[i] = sha256(abi.encodePacked(bytes1(0x00), c.logged[i]));
        }
        c.index = uint64(seed % size);
        c.logPath = Rfc6962.path(hashes, c.index, size);
        bytes32 root = Rfc6962.root(hashes, size);
        vm.prank(anchorer(1));
        log.anchor(uint64(size), root, new bytes32[](0));
        c.receipt = _receipt(seed, within(count, 1, 20), c.index, commitment);
    }

    function _receipt(uint256 seed, uint256 count, uint64 index, bytes32 commitment)
        private
        view
        returns (IEvidenceLog.Receipt memory r)
    {
        uint256 position = uint256(keccak256(abi.encode("position", seed))) % count;
        bytes32[] memory hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            uint64 place = i == position ? index : uint64(1000 + i);
            bytes32 promised = i == position ? commitment : _leaf(seed, 1000 + i);
            hashes[i] = sha256(abi.encodePacked(bytes1(0x00), place, promised));
        }
        (r.member, r.root, r.count) = (1, Rfc6962.root(hashes, count), uint32(count));
        (r.acceptedAt, r.anchorBy) = (uint64(block.timestamp), uint64(block.timestamp) + 600);
        (r.index, r.commitment, r.position) = (index, commitment, uint32(position));
        r.path = Rfc6962.path(hashes, position, count);
        (uint8 v, bytes32 first, bytes32 second) = vm.sign(SIGNER, _digest(r));
        r.signature = abi.encodePacked(first, second, v);
    }

    /// @dev EIP-712, written out.
    function _digest(IEvidenceLog.Receipt memory r) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("bidledger"),
                keccak256("1"),
                block.chainid,
                address(log)
            )
        );
        bytes32 kind = keccak256(
            "ReceiptBatch(address log,uint16 member,uint32 generation,bytes32 root,uint32 count,uint64 acceptedAt,uint64 anchorBy)"
        );
        bytes memory batch =
            abi.encode(kind, address(log), r.member, r.generation, r.root, r.count, r.acceptedAt, r.anchorBy);
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(batch)));
    }

    function _leaf(uint256 seed, uint256 index) private pure returns (bytes32) {
        return keccak256(abi.encode("leaf", seed, index));
    }
}
