// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A count and running hash over a contract's events, in one word
/// @notice Word: uint32 count (high), uint224 hash (low). Each event is folded in as
/// hash' = low 224 bits of keccak256(word, keccak256(topics, data)), which an indexer recomputes from raw logs; a log
/// that is left out, invented or put elsewhere gives another word.
library Journal {
    struct Head {
        bytes32 word;
    }

    /// @notice Emits an event that indexes two words, and folds it in: what is encoded once is enough for both.
    /// @param entry the event's selector, the two indexed words and the data, as abi.encode puts them together.
    function emitAndFold(Head storage head, bytes memory entry) internal {
        assembly ("memory-safe") {
            let topics := add(entry, 32)
            log3(add(topics, 96), sub(mload(entry), 96), mload(topics), mload(add(topics, 32)), mload(add(topics, 64)))
        }
        fold(head, entry);
    }

    /// @notice Folds one event in; call it next to every `emit`.
    /// @param entry the event's topics (its selector first) and data, put together.
    function fold(Head storage head, bytes memory entry) internal {
        bytes32 word = head.word;
        uint256 count = (uint256(word) >> 224) + 1;
        uint224 hash = uint224(uint256(keccak256(abi.encodePacked(word, keccak256(entry)))));
        head.word = bytes32((count << 224) | hash);
    }
}
