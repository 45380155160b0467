"""The host's receipt for a bid, and the holder's word that replaces or withdraws one.

Promises the digests that the register recomputes, and the holder that a commitment names. Whether the key that signed a
receipt had the right to is left to the callers.
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Final

from anchors.chain.signatures import recover_signer, typed_digest
from anchors.commitment import TAG
from anchors.errors import HolderMissing, NotHolder, NotThePreimage
from anchors.tenders.acts import Act, tender_domain

__all__ = ["WITHDRAWN", "BidReceipt", "Replacement", "holder_of"]

WITHDRAWN: Final = bytes(32)
"""What stands in place of a bid that is withdrawn."""

_LAYOUT_BYTES: Final = 257  # docs/DESIGN.md, Commitment v1
_HOLDER: Final = slice(97, 129)


@dataclass(frozen=True, slots=True)
class BidReceipt(Act):
    """The host's word that a bid has arrived, signed by its receipt signer."""

    TYPE: ClassVar[str] = "BidReceipt(bytes32 tender,bytes32 commitment,uint64 index,uint64 receivedAt)"

    tender: bytes
    commitment: bytes
    index: int  # its place in the host's log
    received_at: int  # POSIX seconds

    def digest(self, register: bytes, chain_id: int) -> bytes:
        """What is signed, 32 bytes; the arguments are those of `tender_domain`."""
        return _digest(self, register, chain_id)


@dataclass(frozen=True, slots=True)
class Replacement(Act):
    """A bid's holder replaces or withdraws it."""

    TYPE: ClassVar[str] = "BidReplacement(bytes32 tender,bytes32 commitment,bytes32 replacement,uint64 signedAt)"

    tender: bytes
    commitment: bytes
    replacement: bytes  # the bid in its place, or WITHDRAWN
    signed_at: int  # POSIX seconds

    def digest(self, register: bytes, chain_id: int) -> bytes:
        """What is signed, 32 bytes; the arguments are those of `tender_domain`."""
        return _digest(self, register, chain_id)

    def prove_holder(self, register: bytes, chain_id: int, preimage: bytes, signature: bytes) -> None:
        """Prove that the holder whom the commitment names has signed this.

        Args:
            register, chain_id: as for `tender_domain`.
            preimage: the 257 bytes that the commitment commits to.
            signature: 65 bytes r, s, v.

        Raises:
            NotThePreimage, HolderMissing: as `holder_of` does.
            NotHolder: another key signed.
            BadSignature: no key can have signed.
        """
        holder = holder_of(self.commitment, preimage)
        if recover_signer(self.digest(register, chain_id), signature) != holder:
            raise NotHolder


def holder_of(commitment: bytes, preimage: bytes) -> bytes:
    """The address, 20 bytes, whose signature alone replaces or withdraws what a commitment commits to.

    Raises:
        NotThePreimage: these bytes are not what was committed to.
        HolderMissing: no address is named.
    """
    opened = len(preimage) == _LAYOUT_BYTES and preimage.startswith(TAG)
    if not opened or hashlib.sha256(preimage).digest() != commitment:
        raise NotThePreimage
    word = preimage[_HOLDER]
    if any(word[:12]) or not any(word):
        raise HolderMissing
    return word[12:]


def _digest(act: Act, register: bytes, chain_id: int) -> bytes:
    return typed_digest(tender_domain(register, chain_id), act.TYPE, act.words())
