"""The network file: the one thing that a reader pins, the root of all trust in an evidence file.

Promises that nothing in it counts before its own validity is proven: one canonical spelling, so that no byte of it
can be changed unseen, histories that never overlap, and the signatures of governors of more than two thirds of the
members. Everything that can be rotated is a history, appended to, so that old evidence stays good and a revoked key
proves nothing new. A later version replaces a pinned one only by the voices of the governors in force in that one.
"""

from anchors.network.facts import (
    FORMAT,
    Contract,
    Governor,
    GovernorSignature,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    ValidatorSet,
)
from anchors.network.file import MAX_NETWORK_BYTES, parse_network, write_network
from anchors.network.histories import Change, Kind, changes
from anchors.network.proposal import propose
from anchors.network.signatures import Quorum, join_signatures, network_digest, prove_network, sign_network
from anchors.network.succession import roll_forward

__all__ = [
    "FORMAT",
    "MAX_NETWORK_BYTES",
    "Change",
    "Contract",
    "Governor",
    "GovernorSignature",
    "Kind",
    "LogKey",
    "Member",
    "Network",
    "Quorum",
    "ReceiptSigner",
    "ValidatorSet",
    "changes",
    "join_signatures",
    "network_digest",
    "parse_network",
    "propose",
    "prove_network",
    "roll_forward",
    "sign_network",
    "write_network",
]
