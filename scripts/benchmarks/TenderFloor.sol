// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITenderRegister} from "contracts/interfaces/ITenderRegister.sol";
import {Journal} from "contracts/libraries/Journal.sol";

/// @notice The floor of the tender register's gas: the same bytes in, stored and logged, and nothing looked at.
contract TenderFloor {
    using Journal for Journal.Head;

    struct Tender {
        uint256 state;
        bytes32 manifest;
    }

    Journal.Head private _journal;
    mapping(bytes32 tender => Tender) private _tenders;
    mapping(bytes32 commitment => uint256) private _claims;

    function close(bytes32 tender) external {
        _tenders[tender].state = 2;
        _journal.emitAndFold(abi.encode(ITenderRegister.BidsClosed.selector, tender, tender));
    }

    function open(bytes32 tender, bytes calldata entries) external {
        bytes32 manifest = keccak256(entries);
        (_tenders[tender].state, _tenders[tender].manifest) = (3, manifest);
        _journal.emitAndFold(
            bytes.concat(ITenderRegister.BidsOpened.selector, tender, manifest, bytes32(entries.length), entries)
        );
    }

    /// @param page a page of the list, as a claim shows it.
    function claim(bytes32 tender, bytes32 commitment, bytes calldata page) external {
        require(_tenders[tender].manifest != keccak256(page));
        _claims[commitment] = block.timestamp;
        _journal.emitAndFold(abi.encode(ITenderRegister.BidClaimed.selector, tender, commitment, 0, 0, 0, 0, 0));
    }
}
