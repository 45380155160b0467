"""C2SP's signed texts: notes and their keys, checkpoints, cosignatures, `tlog-proof@v1`.

`keys` holds who may sign and how, `signed_note` a text with its signatures, `checkpoint` the text that a log signs,
`tlog_proof` a leaf's proof with the checkpoint that it leads to. All are parsed strictly: whatever parses is written
again byte for byte.
"""

from anchors.notes.checkpoint import Checkpoint
from anchors.notes.keys import KeyType, Signer, Verifier
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
    "KeyType",
    "SignatureLine",
    "SignedCheckpoint",
    "SignedNote",
    "Signer",
    "TlogProof",
    "VerifiedSignature",
    "Verifier",
    "open_checkpoint",
    "sign_checkpoint",
]
