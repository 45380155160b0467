"""What one disk sync made durable, signed: the batch, and the receipts of those who are in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from anchors.merkle import Levels
from anchors.receipt import ReceiptBatch, batch_entry, batch_tree
from ledger_service.log.identity import LogIdentity
from ledger_service.log.store import INDEX_BYTES, split_entries
from ledger_service.log.tables import Batch


@dataclass(frozen=True)
class SignedBatch:
    """A batch whose every entry has a receipt."""

    facts: ReceiptBatch
    entries: Sequence[bytes]  # 40 bytes each, in the order of position
    tree: Levels = field(repr=False)
    signature: bytes

    @classmethod
    def sign(
        cls, identity: LogIdentity, entries: Sequence[tuple[int, bytes]], accepted_at: int, anchor_by: int
    ) -> "SignedBatch":
        """Sign the entries (index, commitment) of a new batch; times in POSIX seconds."""
        packed = [batch_entry(*entry) for entry in entries]
        tree, facts = _facts(
            packed,
            log=identity.evidence_log,
            member=identity.member,
            generation=identity.generation,
            accepted_at=accepted_at,
            anchor_by=anchor_by,
        )
        return cls(facts, packed, tree, identity.receipt_key.sign(facts.digest(identity.chain_id)))

    @classmethod
    def stored(cls, row: Batch) -> "SignedBatch":
        """Take up a batch that was signed before."""
        packed = split_entries(row.entries)
        tree, facts = _facts(
            packed,
            log=row.evidence_log,
            member=row.member,
            generation=row.generation,
            accepted_at=row.accepted_at,
            anchor_by=row.anchor_by,
        )
        return cls(facts, packed, tree, row.signature)

    def row(self, number: int) -> Batch:
        """The batch as it is stored; made without a look at its values, which takes a fifth of the time."""
        return Batch.model_construct(
            generation=self.facts.generation,
            number=number,
            entries=b"".join(self.entries),
            evidence_log=self.facts.log,
            member=self.facts.member,
            accepted_at=self.facts.accepted_at,
            anchor_by=self.facts.anchor_by,
            signature=self.signature,
        )

    def receipts(self, position: int, count: int) -> bytes:
        """The receipts of `count` entries from `position` on, as JSON objects with commas between them."""
        return ",".join([self._receipt(at) for at in range(position, position + count)]).encode()

    def _receipt(self, position: int) -> str:
        # Written by hand: the receipts of one batch share all but these four fields.
        entry = self.entries[position]
        return (
            f'{{"commitment":"0x{entry[INDEX_BYTES:].hex()}","index":{int.from_bytes(entry[:INDEX_BYTES], "big")},'
            f'{self._shared[0]},"position":{position},"path":[{self._paths[position]}],{self._shared[1]}}}'
        )

    @cached_property
    def _paths(self) -> list[str]:
        """The paths of all positions, written from the root down: a node's is its sibling, then that of its parent."""
        written = [""]
        for nodes in self.tree.below_root():
            names = [f',"0x{node.hex()}"' for node in nodes]
            siblings = [*names, ""] if len(names) & 1 else names  # a node that is carried up has none
            written = [siblings[at ^ 1] + written[at >> 1] for at in range(len(names))]
        return [path[1:] for path in written]

    @cached_property
    def _shared(self) -> tuple[str, str]:
        facts = self.facts
        return (
            f'"member":{facts.member},"generation":{facts.generation},"log":"0x{facts.log.hex()}",'
            f'"root":"0x{facts.root.hex()}","count":{facts.count}',
            f'"accepted_at":{facts.accepted_at},"anchor_by":{facts.anchor_by},"signature":"0x{self.signature.hex()}"',
        )


def _facts(
    entries: Sequence[bytes], *, log: bytes, member: int, generation: int, accepted_at: int, anchor_by: int
) -> tuple[Levels, ReceiptBatch]:
    """The tree over a batch's entries, and what is signed of it."""
    tree = batch_tree(entries)
    return tree, ReceiptBatch(log, member, generation, tree.root, len(entries), accepted_at, anchor_by)
