"""The running hash that each contract keeps over its events, folded anew from the logs.

Source: contracts/libraries/Journal.sol.
"""

from typing import Final

from anchors.chain.keccak import keccak256
from ledger_service.index.decode import ANCHORED_TOPIC, RawLog

EMPTY_JOURNAL: Final = bytes(32)


def is_journalled(log: RawLog) -> bool:
    """Whether the contract folds this event; anchors are counted per member instead."""
    return log.topics[0] != ANCHORED_TOPIC


def fold(word: bytes, log: RawLog) -> bytes:
    """The word after `log`, from the word before it."""
    event_hash = keccak256(b"".join(log.topics) + log.data)
    return (journal_count(word) + 1).to_bytes(4, "big") + keccak256(word + event_hash)[4:]


def journal_count(word: bytes) -> int:
    """How many events a word stands for."""
    return int.from_bytes(word[:4], "big")
