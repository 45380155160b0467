// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The floor of an anchor's gas: two slots and the event, and nothing proven.
contract Proofless {
    struct Checkpoint {
        bytes32 root;
        uint64 size;
        uint64 count;
        uint64 time;
        uint32 generation;
    }

    event Anchored(uint16 indexed member, uint32 generation, uint64 size, bytes32 root, uint64 count);

    mapping(address anchorer => Checkpoint) private _checkpoints;

    function anchor(uint64 newSize, bytes32 newRoot) external {
        Checkpoint memory last = _checkpoints[msg.sender];
        last.root = newRoot;
        last.size = newSize;
        last.count++;
        last.time = uint64(block.timestamp);
        _checkpoints[msg.sender] = last;
        emit Anchored(1, last.generation, newSize, newRoot, last.count);
    }
}
