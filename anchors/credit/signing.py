"""What the roles sign: one digest for a batch of records or of changes, good for one register until a deadline.

Promises the digest that the contract recomputes. Who signed is `recover_signer` of `anchors.chain.signatures`; whether
the signer had the role is left to the contract.
"""

from collections.abc import Sequence
from typing import Final

from anchors.chain.keccak import keccak256
from anchors.chain.signatures import Domain, typed_digest
from anchors.credit.changes import CHANGE_TYPE, Change
from anchors.credit.record import RECORD_TYPE, Record

__all__ = ["changes_digest", "publication_digest"]

_PUBLICATION: Final = "CreditPublication(CreditRecord[] records,uint64 deadline)" + RECORD_TYPE
_CHANGES: Final = "CreditChanges(CreditChange[] changes,uint64 deadline)" + CHANGE_TYPE


def publication_digest(register: bytes, chain_id: int, records: Sequence[Record], deadline: int) -> bytes:
    """The EIP-712 digest, 32 bytes, that the roles and the endorsing members sign to publish records.

    Args:
        register: address of the CreditRegister, 20 bytes.
        chain_id: of the network.
        records: in the order in which they will be published.
        deadline: POSIX seconds, the last at which the signatures are good.
    """
    hashes = b"".join(record.struct_hash() for record in records)
    return typed_digest(_domain(register, chain_id), _PUBLICATION, (keccak256(hashes), deadline))


def changes_digest(register: bytes, chain_id: int, changes: Sequence[tuple[bytes, Change]], deadline: int) -> bytes:
    """The EIP-712 digest, 32 bytes, that is signed to change records.

    Args:
        register, chain_id, deadline: as for a publication.
        changes: each with the leaf of its record before it; their times are not signed.
    """
    hashes = b"".join(change.struct_hash(leaf) for leaf, change in changes)
    return typed_digest(_domain(register, chain_id), _CHANGES, (keccak256(hashes), deadline))


def _domain(register: bytes, chain_id: int) -> Domain:
    return Domain("bidledger", "1", chain_id, register)
