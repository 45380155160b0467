"""How rows of the index look in an answer, where more than one slice shows them."""

from typing import Self

from pydantic import BaseModel

from ledger_service.index.queries import DatedAnchor


class AnchorOut(BaseModel):
    """One anchor of a member's log."""

    generation: int
    size: int
    root: str
    count: int
    block_number: int
    time: int

    @classmethod
    def of(cls, dated: DatedAnchor) -> Self:
        """From a row of the index."""
        anchor = dated.anchor
        return cls(
            generation=anchor.generation,
            size=anchor.size,
            root=f"0x{anchor.root.hex()}",
            count=anchor.count,
            block_number=anchor.block_number,
            time=dated.time,
        )
