// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {Signers} from "./Signers.sol";

/// @title Who signed an act of a tender
/// @notice A signature counts if its key holds the role now, for a member that is active now. See Signers.
library TenderSigners {
    /// @notice The two roles without which no objection is put aside, and no tender awarded or given up.
    struct Pair {
        Signers.Signature officer;
        Signers.Signature regulator;
    }

    /// @notice Two signatures are of one member, or of one address where two must sign.
    error TenderSigners_Twice(uint16 member);
    /// @notice Other members signed than must: bit n stands for member n.
    error TenderSigners_OtherMembers(uint256 signed, uint256 needed);

    /// @notice The member's tender officer who signed `digest`.
    function requireOfficer(
        IAllianceRegistry registry,
        uint16 member,
        bytes32 digest,
        Signers.Signature calldata signature
    ) internal view returns (address officer) {
        officer = Signers.signerOf(digest, signature);
        _requireRole(registry, member, officer, IAllianceRegistry.Role.TenderOfficer);
    }

    /// @notice The member's tender officer and regulator, two addresses, who signed `digest`.
    function requireBoth(IAllianceRegistry registry, uint16 member, bytes32 digest, Pair calldata pair)
        internal
        view
        returns (address officer, address regulator)
    {
        officer = requireOfficer(registry, member, digest, pair.officer);
        regulator = Signers.signerOf(digest, pair.regulator);
        if (regulator == officer) revert TenderSigners_Twice(member);
        _requireRole(registry, member, regulator, IAllianceRegistry.Role.Regulator);
    }

    /// @notice Needs one tender officer of each of these members, and of no other: bit n stands for member n.
    function requireOfficers(
        IAllianceRegistry registry,
        uint256 needed,
        bytes32 digest,
        Signers.Signature[] calldata signatures
    ) internal view {
        uint256 signed;
        for (uint256 i = 0; i < signatures.length; i++) {
            address officer = Signers.signerOf(digest, signatures[i]);
            uint16 member = registry.roleMember(officer, IAllianceRegistry.Role.TenderOfficer);
            uint256 bit = 1 << member;
            if (signed & bit != 0) revert TenderSigners_Twice(member);
            signed |= bit;
        }
        if (signed != needed) revert TenderSigners_OtherMembers(signed, needed);
    }

    function _requireRole(IAllianceRegistry registry, uint16 member, address signer, IAllianceRegistry.Role role)
        private
        view
    {
        uint16 served = registry.roleMember(signer, role);
        if (served != member) revert Signers.Signers_OfAnotherMember(served, member);
    }
}
