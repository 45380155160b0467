// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AllianceRegistry} from "../AllianceRegistry.sol";
import {EvidenceLog} from "../EvidenceLog.sol";
import {TenderRegister} from "../TenderRegister.sol";
import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {ITenderRegister} from "../interfaces/ITenderRegister.sol";
import {BidList} from "../libraries/BidList.sol";
import {Signers} from "../libraries/Signers.sol";
import {TenderSigners} from "../libraries/TenderSigners.sol";
import {Test} from "./Vm.sol";

/// @notice Three members with a receipt signer, a regulator and a tender officer each, a register, and how acts are signed
/// and lists are folded. What is hashed is written out anew here, from docs/adr/0018 and 0019.
abstract contract TenderFounding is Test {
    uint16 internal constant SEATS = 3;
    uint16 internal constant HOST = 1;
    uint256 internal constant TOGETHER = 1 << 1 | 1 << 2; // members 1 and 2

    AllianceRegistry internal registry;
    EvidenceLog internal log;
    TenderRegister internal register;

    function signerKey(uint256 member) internal pure returns (uint256) {
        return 0x2000 + member;
    }

    function regulatorKey(uint256 member) internal pure returns (uint256) {
        return 0x4000 + member;
    }

    function officerKey(uint256 member) internal pure returns (uint256) {
        return 0x5000 + member;
    }

    /// @dev Only in a constructor, before anything else is made: the registry names the log by its address to be.
    function foundTenders() internal {
        IAllianceRegistry.NewMember[] memory members = new IAllianceRegistry.NewMember[](SEATS);
        for (uint256 n = 1; n <= SEATS; n++) {
            IAllianceRegistry.Operator[] memory by = new IAllianceRegistry.Operator[](3);
            by[0] = IAllianceRegistry.Operator(vm.addr(signerKey(n)), IAllianceRegistry.Role.ReceiptSigner);
            by[1] = IAllianceRegistry.Operator(vm.addr(regulatorKey(n)), IAllianceRegistry.Role.Regulator);
            by[2] = IAllianceRegistry.Operator(vm.addr(officerKey(n)), IAllianceRegistry.Role.TenderOfficer);
            bytes32 code = bytes32(abi.encodePacked("m", bytes1(uint8(97 + n))));
            members[n - 1] = IAllianceRegistry.NewMember(code, "A centre", bytes32(n), by);
        }
        IAllianceRegistry.SystemContract[] memory named = new IAllianceRegistry.SystemContract[](1);
        address second = address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), hex"02")))));
        named[0] = IAllianceRegistry.SystemContract("EvidenceLog", second);
        registry = new AllianceRegistry(members, new IAllianceRegistry.Parameter[](0), named);
        log = new EvidenceLog(registry);
        register = new TenderRegister(registry);
    }

    // ---- signatures ----

    string internal constant NOTICE =
        "TenderNotice(uint16 host,uint256 members,bytes32 digest,bytes32 former,uint64 deadline,uint64 opening,uint16 answerDays)";
    string internal constant AMENDMENT =
        "TenderAmendment(bytes32 tender,uint16 version,bytes32 digest,bytes32 reason,uint64 deadline,uint64 opening)";
    string internal constant OPENING =
        "TenderOpening(bytes32 tender,bytes32 root,uint32 count,bytes32 refusals,bytes32 record)";
    string internal constant EVALUATION =
        "TenderEvaluation(bytes32 tender,uint16 round,bytes32 manifest,bytes32 report,uint256 sites,bytes32 panel,bytes32 result)";
    string internal constant CANDIDATES =
        "TenderCandidates(bytes32 tender,bytes32 evaluation,bytes32 list,uint64 until)";
    string internal constant OBJECTION = "TenderObjection(bytes32 tender,bytes32 candidates,bytes32 grounds)";
    string internal constant RULING = "TenderRuling(bytes32 tender,bytes32 grounds,bool upheld,bytes32 ruling)";
    string internal constant AWARD = "TenderAward(bytes32 tender,bytes32 candidates,bytes32 award)";
    string internal constant FAILURE = "TenderFailure(bytes32 tender,bytes32 reason)";
    string internal constant RECEIPT = "BidReceipt(bytes32 tender,bytes32 commitment,uint64 index,uint64 receivedAt)";

    /// @param words the act's fields, one after the other.
    function hashOf(string memory kind, bytes memory words) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(bytes(kind)), words));
    }

    /// @param name of the struct that `kind` is.
    function signed(string memory name, string memory kind, bytes32 act) internal view returns (bytes32) {
        bytes memory outer = bytes.concat("Signed", bytes(name), "(", bytes(name), " act,uint64 validUntil)");
        bytes32 outerType = keccak256(bytes.concat(outer, bytes(kind)));
        return typed(keccak256(abi.encode(outerType, act, uint64(block.timestamp))));
    }

    function typed(bytes32 hash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("bidledger"),
                keccak256("1"),
                block.chainid,
                address(register)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, hash));
    }

    function both(bytes32 digest) internal pure returns (TenderSigners.Pair memory) {
        return TenderSigners.Pair(signature(officerKey(HOST), digest), signature(regulatorKey(HOST), digest));
    }

    function officers(uint256 first, uint256 second, bytes32 digest)
        internal
        pure
        returns (Signers.Signature[] memory by)
    {
        by = new Signers.Signature[](2);
        (by[0], by[1]) = (signature(officerKey(first), digest), signature(officerKey(second), digest));
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (Signers.Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Signers.Signature(r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    // ---- lists ----

    /// @notice A list of `count` bids, ascending, the one at `i` with the place `i`.
    function listOf(uint256 count, uint256 seed) internal pure returns (bytes memory list) {
        for (uint256 i = 0; i < count; i++) {
            list = bytes.concat(list, commitmentAt(i, seed), bytes8(uint64(i)));
        }
    }

    /// @notice The bid that stands at `i`; with another seed one that would stand beside it.
    function commitmentAt(uint256 i, uint256 seed) internal pure returns (bytes32) {
        return bytes32((i + 1) << 200 | uint256(keccak256(abi.encode(seed, i))) >> 56);
    }

    function rootOf(bytes memory list) internal pure returns (bytes32) {
        return _tree(list, 0, _pages(list));
    }

    function pageOf(bytes memory list, uint256 number) internal pure returns (BidList.Page memory) {
        if (list.length == 0) return BidList.Page(0, "", new bytes32[](0));
        bytes32[] memory path = _path(list, number, 0, _pages(list));
        return BidList.Page(number, _page(list, number), path);
    }

    function _pages(bytes memory list) private pure returns (uint256) {
        return (list.length / 40 + 7) / 8;
    }

    function _page(bytes memory list, uint256 number) private pure returns (bytes memory page) {
        uint256 from = number * 320;
        uint256 length = list.length - from < 352 ? list.length - from : 352;
        page = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            page[i] = list[from + i];
        }
    }

    /// @dev RFC 6962, 2.1: over the pages from `from` on, `width` of them.
    function _tree(bytes memory list, uint256 from, uint256 width) private pure returns (bytes32) {
        if (width == 0) return 0;
        if (width == 1) return keccak256(_page(list, from));
        uint256 left = _split(width);
        return keccak256(bytes.concat(_tree(list, from, left), _tree(list, from + left, width - left)));
    }

    /// @dev RFC 6962, 2.1.1.
    function _path(bytes memory list, uint256 number, uint256 from, uint256 width)
        private
        pure
        returns (bytes32[] memory)
    {
        if (width == 1) return new bytes32[](0);
        uint256 left = _split(width);
        if (number < from + left) {
            return _append(_path(list, number, from, left), _tree(list, from + left, width - left));
        }
        return _append(_path(list, number, from + left, width - left), _tree(list, from, left));
    }

    function _split(uint256 width) private pure returns (uint256 left) {
        left = 1;
        while (left * 2 < width) left *= 2;
    }

    function _append(bytes32[] memory path, bytes32 node) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; i++) {
            longer[i] = path[i];
        }
        longer[path.length] = node;
    }
}
