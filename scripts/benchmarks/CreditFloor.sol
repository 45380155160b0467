// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAllianceRegistry} from "contracts/interfaces/IAllianceRegistry.sol";
import {ICreditRegister} from "contracts/interfaces/ICreditRegister.sol";
import {Journal} from "contracts/libraries/Journal.sol";
import {Signers} from "contracts/libraries/Signers.sol";

/// @notice The floor of the credit register's gas: a subject's word, the event and the journal, and nothing looked at.
contract CreditFloor {
    using Journal for Journal.Head;

    Journal.Head private _journal;
    mapping(bytes32 subject => bytes32 word) private _words;

    function publish(bytes32 subject, ICreditRegister.Content calldata content) external {
        _link(subject, content.document);
        _journal.emitAndFold(
            abi.encode(ICreditRegister.RecordPublished.selector, subject, content.document, content, 0, 0, 0)
        );
    }

    function change(bytes32[] calldata subjects, bytes32 record, bytes32 grounds, bytes32 pledge) external {
        for (uint256 i = 0; i < subjects.length; i++) {
            _link(subjects[i], record);
            _journal.emitAndFold(
                abi.encode(ICreditRegister.RecordChanged.selector, subjects[i], record, 5, grounds, pledge, 0, 0)
            );
        }
    }

    function _link(bytes32 subject, bytes32 record) private {
        bytes32 word = _words[subject];
        uint224 hash = uint224(uint256(keccak256(abi.encode(word, record))));
        _words[subject] = bytes32((((uint256(word) >> 224) + 1) << 224) | hash);
    }
}

/// @notice What the checks of signatures cost by themselves: the same call with them and without.
contract SignatureChecks {
    using Signers for IAllianceRegistry;

    IAllianceRegistry private immutable _registry;

    constructor(IAllianceRegistry registry) {
        _registry = registry;
    }

    function nothing(uint16 member, bytes32 digest) external {}

    function pair(uint16 member, bytes32 digest, Signers.Pair calldata by) external view {
        _registry.requirePair(member, digest, by);
    }

    /// @dev One look at what a signature costs at the least: its bytes, and the key that made it.
    function recover(bytes32 digest, Signers.Signature[] calldata signatures) external pure {
        for (uint256 i = 0; i < signatures.length; i++) {
            Signers.signerOf(digest, signatures[i]);
        }
    }
}
