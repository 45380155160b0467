// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";

/// @title Who signed, and whether they may
/// @notice A signature counts if its key holds the role now, for a member that is active now. That no governor is among
/// them follows from the registry: a governor's address never has another role.
library Signers {
    /// @notice r, and s with the parity of the signature in its highest bit (EIP-2098). What is signed is good only once,
    /// so that a second form of the same signature would gain nothing, and s is not looked at.
    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    /// @notice The two roles without which nothing is done to anyone's credit.
    struct Pair {
        Signature publisher;
        Signature regulator;
    }

    bytes32 private constant LOW_255_BITS = bytes32(type(uint256).max >> 1);

    /// @notice No key made this signature.
    error Signers_BadSignature();
    /// @notice The time until which the signatures count is over.
    error Signers_Expired(uint64 deadline);
    /// @notice The signers serve another member than the one that must sign.
    error Signers_OfAnotherMember(uint16 member, uint16 needed);

    function requireInTime(uint64 deadline) internal view {
        if (block.timestamp > deadline) revert Signers_Expired(deadline);
    }

    /// @notice The member's credit publisher and regulator who signed `digest`.
    function requirePair(IAllianceRegistry registry, uint16 member, bytes32 digest, Pair calldata pair)
        internal
        view
        returns (address publisher, address regulator)
    {
        (publisher, regulator) = (signerOf(digest, pair.publisher), signerOf(digest, pair.regulator));
        uint16 served = registry.pairMember(publisher, regulator);
        if (served != member) revert Signers_OfAnotherMember(served, member);
    }

    /// @notice The members whose regulators signed `digest`, each once: bit n stands for member n.
    function requireRegulators(IAllianceRegistry registry, bytes32 digest, Signature[] calldata signatures)
        internal
        view
        returns (uint256 members)
    {
        address[] memory regulators = new address[](signatures.length);
        for (uint256 i = 0; i < regulators.length; i++) {
            regulators[i] = signerOf(digest, signatures[i]);
        }
        return registry.regulatorMembers(regulators);
    }

    function signerOf(bytes32 digest, Signature calldata signature) internal pure returns (address signer) {
        bytes32 vs = signature.vs;
        signer = ecrecover(digest, uint8(27 + (uint256(vs) >> 255)), signature.r, vs & LOW_255_BITS);
        if (signer == address(0)) revert Signers_BadSignature();
    }
}
