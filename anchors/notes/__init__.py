"""C2SP's signed texts: notes and their keys, checkpoints, cosignatures, `tlog-proof@v1`.

`keys` holds who may sign and how, `signed_note` a text with its signatures, `checkpoint` the text that a log signs,
`tlog_proof` a leaf's proof with the checkpoint that it leads to, `policy` which witnesses must have cosigned it. All
are parsed strictly: what parses is written again byte for byte, but for a policy, which is only read.
"""

from anchors.notes.checkpoint import Checkpoint
from anchors.notes.keys import KeyType, Signer, Verifier
from anchors.notes.policy import Group, Policy, PolicyKey, Witnessed, prove_quorum
from anchors.notes.signed_note import (
    SignatureLine,
    SignedCheckpoint,
    SignedNote,
    VerifiedSignature,
    open_checkpoint,
    sign_checkpoint,
)
from anchors.notes.tlog_proof import TlogProof

__all__ = [
    "Checkpoint",
    "Group",
    "KeyType",
    "Policy",
    "PolicyKey",
    "SignatureLine",
    "SignedCheckpoint",
    "SignedNote",
    "Signer",
    "TlogProof",
    "VerifiedSignature",
    "Verifier",
    "Witnessed",
    "open_checkpoint",
    "prove_quorum",
    "sign_checkpoint",
]
