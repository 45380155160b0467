// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProofs} from "../libraries/MerkleProofs.sol";
import {Rfc6962} from "./Rfc6962.sol";
import {Test} from "./Vm.sol";

/// @notice Every proof of the definition is accepted, and nothing else.
contract MerkleProofsTest is Test {
    function consistency(uint256 old, uint256 size, bytes32 oldRoot, bytes32[] calldata proof)
        external
        view
        returns (bytes32, bytes32)
    {
        return MerkleProofs.rootsFromConsistency(old, size, oldRoot, proof);
    }

    function inclusion(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        view
        returns (bytes32)
    {
        return MerkleProofs.rootFromInclusion(leaf, index, size, path);
    }

    function testFuzz_ConsistencyLeadsToBothRoots(uint256 seed, uint256 size, uint256 old) external view {
        size = within(size, 2, 70);
        old = within(old, 1, size - 1);
        bytes32[] memory leaves = _leaves(seed, size);
        bytes32 oldRoot = Rfc6962.root(leaves, old);
        (bytes32 oldFound, bytes32 newFound) = this.consistency(old, size, oldRoot, Rfc6962.proof(leaves, old, size));
        assert(oldFound == oldRoot && newFound == Rfc6962.root(leaves, size));
    }

    function testFuzz_InclusionLeadsToTheRoot(uint256 seed, uint256 size, uint256 index) external view {
        size = within(size, 1, 70);
        index = within(index, 0, size - 1);
        bytes32[] memory leaves = _leaves(seed, size);
        bytes32 found = this.inclusion(leaves[index], index, size, Rfc6962.path(leaves, index, size));
        assert(found == Rfc6962.root(leaves, size));
    }

    function testFuzz_ABentConsistencyProofLeadsElsewhere(uint256 seed, uint256 size, uint256 old, uint8 bit)
        external
        view
    {
        size = within(size, 2, 70);
        old = within(old, 1, size - 1);
        bytes32[] memory leaves = _leaves(seed, size);
        bytes32 oldRoot = Rfc6962.root(leaves, old);
        bytes32[] memory proof = Rfc6962.proof(leaves, old, size);
        proof[seed % proof.length] ^= bytes32(uint256(1) << bit);
        (bytes32 oldFound, bytes32 newFound) = this.consistency(old, size, oldRoot, proof);
        assert(oldFound != oldRoot || newFound != Rfc6962.root(leaves, size));
    }

    /// @notice For every pair of sizes below 2^63 exactly one length of proof is taken.
    function testFuzz_OnlyOneLengthFits(uint64 size, uint64 old) external view {
        size = uint64(within(size, 2, (1 << 63) - 1));
        old = uint64(within(old, 1, size - 1));
        uint256 taken;
        uint256 tooShort;
        for (uint256 length = 0; length <= 64; length++) {
            try this.consistency(old, size, bytes32(uint256(1)), new bytes32[](length)) {
                taken++;
                equal("shorter ones are too short", tooShort, length);
            } catch (bytes memory reason) {
                if (bytes4(reason) == MerkleProofs.MerkleProofs_TooShort.selector) tooShort++;
                else assert(bytes4(reason) == MerkleProofs.MerkleProofs_TooLong.selector);
            }
        }
        equal("lengths taken", taken, 1);
    }

    function _leaves(uint256 seed, uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }
}
