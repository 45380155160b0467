// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITenderRegister} from "../interfaces/ITenderRegister.sol";

/// @title Whether all who signed a report were drawn
library Experts {
    /// @notice Needs both lists of the panel to ascend, and the signers to be among the drawn.
    function requireDrawn(ITenderRegister.Panel calldata panel) internal pure {
        requireAscending(panel.drawn);
        requireAscending(panel.signers);
        uint256 next;
        for (uint256 i = 0; i < panel.signers.length; i++) {
            bytes32 signer = panel.signers[i];
            while (next < panel.drawn.length && panel.drawn[next] < signer) next++;
            if (next == panel.drawn.length || panel.drawn[next] != signer) {
                revert ITenderRegister.TenderRegister_NotDrawn(signer);
            }
        }
    }

    function requireAscending(bytes32[] calldata experts) private pure {
        for (uint256 i = 1; i < experts.length; i++) {
            if (experts[i] <= experts[i - 1]) {
                revert ITenderRegister.TenderRegister_ExpertsNotAscending(experts[i]);
            }
        }
    }
}
