"""Who evaluated: the experts that were drawn and those who signed the report, sealed until the award.

Promises the seal that the register recomputes at the award, and that whoever signed without having been drawn is named.
An expert is 32 bytes that say nothing without their salt; what they stand for is left to `anchors.tenders.draw`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from anchors.chain.keccak import keccak256
from anchors.errors import ExpertNotDrawn, ExpertsOutOfOrder, PanelUnsealedOtherwise

__all__ = ["Evaluators"]


@dataclass(frozen=True, slots=True)
class Evaluators:
    """The panel of one evaluation; both lists ascend."""

    salt: bytes  # 32 bytes
    drawn: tuple[bytes, ...]
    signers: tuple[bytes, ...]  # of the report

    def sealed(self) -> bytes:
        """What stands for the panel until the award, 32 bytes."""
        return keccak256(self.salt + keccak256(b"".join(self.drawn)) + keccak256(b"".join(self.signers)))

    def check(self, sealed: bytes) -> None:
        """Hold the panel against what was sealed at the evaluation.

        Raises:
            PanelUnsealedOtherwise: it is another one.
            ExpertsOutOfOrder: an expert stands twice, or out of order.
            ExpertNotDrawn: one who signed was not drawn.
        """
        if self.sealed() != sealed:
            raise PanelUnsealedOtherwise
        for experts in (self.drawn, self.signers):
            _check_ascending(experts)
        drawn = set(self.drawn)
        for expert in self.signers:
            if expert not in drawn:
                raise ExpertNotDrawn(expert)


def _check_ascending(experts: Sequence[bytes]) -> None:
    if list(experts) != sorted(set(experts)):
        raise ExpertsOutOfOrder
