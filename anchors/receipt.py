"""The receipt: a member's signed promise that a commitment has its place in the log and will be anchored in time.

One EIP-712 signature covers a batch, all that one disk sync made durable; each receipt carries its path into it. The
contract recomputes the same bytes, so a promise that is not kept can be shown on the chain. Whether the signer had
the right to sign is left to the callers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from anchors.bounded_json import MAX_NUMBER, Fields
from anchors.chain.signatures import Domain, check_form, recover_signer, typed_digest
from anchors.errors import NotInBatch
from anchors.merkle import Levels, leaf_hash, prove_inclusion

__all__ = ["Receipt", "ReceiptBatch", "batch_entry", "batch_tree", "parse_receipt"]

_TYPE = (
    "ReceiptBatch(address log,uint16 member,uint32 generation,bytes32 root,uint32 count,"
    "uint64 acceptedAt,uint64 anchorBy)"
)
_MAX_PATH = 32  # a batch counts its entries in 32 bits


@dataclass(frozen=True, slots=True)
class ReceiptBatch:
    """What a member signs."""

    log: bytes  # address of the EvidenceLog contract, 20 bytes
    member: int
    generation: int
    root: bytes  # of the batch's tree, 32 bytes
    count: int
    accepted_at: int  # POSIX seconds, as is the next
    anchor_by: int

    def digest(self, chain_id: int) -> bytes:
        """The EIP-712 digest that is signed, 32 bytes."""
        words = (self.log, self.member, self.generation, self.root, self.count, self.accepted_at, self.anchor_by)
        return typed_digest(Domain("bidledger", "1", chain_id, self.log), _TYPE, words)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One entry of a signed batch, field for field as files and the API write it."""

    commitment: bytes  # 32 bytes
    index: int  # the promised place in the log
    member: int
    generation: int
    log: bytes
    root: bytes
    count: int
    position: int  # the entry's place in the batch
    path: tuple[bytes, ...]  # inclusion path from the position to the root
    accepted_at: int
    anchor_by: int
    signature: bytes  # 65 bytes r, s, v

    def batch(self) -> ReceiptBatch:
        """The batch that this is an entry of."""
        return ReceiptBatch(
            self.log, self.member, self.generation, self.root, self.count, self.accepted_at, self.anchor_by
        )

    def prove_entry(self) -> None:
        """Prove that the entry is in the batch, and that the signature has the one form that contracts take.

        Raises:
            NotInBatch: the path leads to another root.
            BadInclusionPath: there is no such position, or the path does not fit it and the count.
            BadSignature: the signature is malformed.
        """
        leaf = leaf_hash(batch_entry(self.index, self.commitment))
        if prove_inclusion(leaf, self.position, self.count, self.path).root != self.root:
            raise NotInBatch(self.index)
        check_form(self.signature)

    def signer(self, chain_id: int) -> bytes:
        """The address, 20 bytes, whose key signed the batch; raises BadSignature."""
        return recover_signer(self.batch().digest(chain_id), self.signature)

    def to_json(self) -> dict[str, object]:
        """The receipt as files and the API write it."""
        return {field.name: _written(getattr(self, field.name)) for field in fields(self)}


def batch_entry(index: int, commitment: bytes) -> bytes:
    """An entry of a batch's tree, 40 bytes: index, big-endian, and commitment."""
    return index.to_bytes(8, "big") + commitment


def batch_tree(entries: Iterable[bytes]) -> Levels:
    """The tree over a batch's entries in the order of their positions."""
    return Levels.over(entries)


def parse_receipt(value: object) -> Receipt:
    """Read a receipt as files and the API write it.

    Raises:
        MalformedFile: a member is missing, unknown, of another form or out of bounds.
    """
    names = [field.name for field in fields(Receipt)]
    read = Fields(value, "receipt", names)
    return Receipt(
        commitment=read.hex("commitment", 32),
        index=read.number("index"),
        member=read.number("member", 1, 255),
        generation=read.number("generation", 0, (1 << 32) - 1),
        log=read.hex("log", 20),
        root=read.hex("root", 32),
        count=read.number("count", 1, (1 << 32) - 1),
        position=read.number("position", 0, (1 << 32) - 1),
        path=read.hex_list("path", _MAX_PATH, 32),
        accepted_at=read.number("accepted_at", 0, MAX_NUMBER),
        anchor_by=read.number("anchor_by", 0, MAX_NUMBER),
        signature=read.hex("signature", 65),
    )


def _written(value: bytes | int | tuple[bytes, ...]) -> object:
    if isinstance(value, int):
        return value
    return f"0x{value.hex()}" if isinstance(value, bytes) else [f"0x{each.hex()}" for each in value]
