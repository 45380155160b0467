// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {IEvidenceLog} from "../interfaces/IEvidenceLog.sol";
import {ITenderRegister} from "../interfaces/ITenderRegister.sol";

/// @title What the host's log says of bids: how far it reached, and whether who signed a receipt might
/// @notice Receipts are judged as EvidenceLog judges its own: by the time of receipt, and a revoked signer also by what was anchored
/// at the revocation, since a thief could go on signing receipts dated before it.
library BidReceipts {
    bytes32 private constant EVIDENCE_LOG = "EvidenceLog";
    bytes32 private constant RECEIPT_DAYS = "receiptDays";

    /// @notice What the host's log stands at in the evidence log in force.
    function anchored(IAllianceRegistry registry, uint16 host)
        internal
        view
        returns (address log, uint32 generation, uint64 size)
    {
        log = registry.systemContract(EVIDENCE_LOG);
        if (log == address(0)) revert ITenderRegister.TenderRegister_NoEvidenceLog();
        (generation, size,,,) = IEvidenceLog(log).checkpoint(host);
    }

    /// @notice Needs the signer of a receipt to have been a receipt signer of the tender's host.
    function requireReceiptSigner(
        IAllianceRegistry registry,
        address signer,
        ITenderRegister.Tender storage t,
        ITenderRegister.BidReceipt calldata receipt
    ) internal view {
        IAllianceRegistry.Tenure memory held = registry.tenure(signer, IAllianceRegistry.Role.ReceiptSigner);
        bool inForce = held.from <= receipt.receivedAt && (held.until == 0 || receipt.receivedAt < held.until);
        if (held.member != t.host || !inForce) {
            revert ITenderRegister.TenderRegister_NotReceiptSigner(signer, t.host, receipt.receivedAt);
        }
        if (!held.revoked) return;
        if (receipt.index >= _sizeAtRevocation(held, t)) {
            revert ITenderRegister.TenderRegister_SignerRevoked(signer, receipt.index);
        }
        uint256 until = held.until + registry.parameter(RECEIPT_DAYS) * 1 days;
        if (block.timestamp > until) revert ITenderRegister.TenderRegister_ClaimedTooLate(signer, until);
    }

    /// @dev How much of the generation that took the bids was anchored when the signer was revoked; nothing, if the
    /// registry had another evidence log then.
    function _sizeAtRevocation(IAllianceRegistry.Tenure memory held, ITenderRegister.Tender storage t)
        private
        view
        returns (uint64 size)
    {
        (address log, uint32 generation) = (t.log, t.generation);
        if (held.log != log || generation > held.generation) return 0;
        if (generation == held.generation) return held.size;
        (size,,,) = IEvidenceLog(log).closedCheckpoint(t.host, generation);
    }
}
