"""Which block of a chain is final, by the rules of its consensus.

QBFT and IBFT 2.0 blocks are final at once: none is followed without a quorum's seals. A Clique block is called final
once enough distinct signers have sealed later ones, though these could still give it up together; what is reversed
after all is withdrawn by `anchoring`. A development chain is sealed by nobody; there a block counts as final once
enough others stand on it, which is a promise of the operator's own making and said so by the verifier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

from anchors.chain.header import CLIQUE, DEVELOPMENT, Header
from anchors.network import Network, ValidatorSet
from anchors.seals import needed_seals, prove_seals


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block that was followed, and who sealed it; nobody on a development chain."""

    number: int
    hash: bytes  # 32 bytes
    timestamp: int  # POSIX seconds
    sealers: tuple[bytes, ...]  # addresses, 20 bytes each
    validators: tuple[bytes, ...]  # in force at it, in order
    round: int | None  # BFT only: 0 unless the first proposer failed


@dataclass(frozen=True, slots=True)
class Finality:
    """The rule by which a chain's blocks become final."""

    consensus: str  # as the network file names it
    confirmations: int  # how many blocks on top of one make it final on a development chain
    history: tuple[ValidatorSet, ...] = ()  # the network file's validators

    @classmethod
    def pinned(cls, network: Network, confirmations: int) -> Self:
        """The rule of a network file's chain."""
        return cls(network.consensus, confirmations, tuple(network.validators))

    @property
    def seals(self) -> bool:
        """Whether anybody seals the blocks."""
        return self.consensus != DEVELOPMENT

    def blocks_to_look_at(self, validators: int) -> int:
        """How many of the newest blocks tell which is final.

        Of so many in a row as must confirm a block, Clique lets no signer sign two; a chain on which twice as many
        are not enough breaks its rules, and nothing of it is called final.
        """
        return 2 * needed_seals(CLIQUE, validators) + 1 if self.consensus == CLIQUE else 1

    def final_block(self, newest: Sequence[SealedBlock]) -> int | None:
        """The last final block.

        Args:
            newest: the newest followed blocks, newest first, at least `blocks_to_look_at` where there are so many.

        Returns:
            Its number; None when none is final yet.
        """
        if self.consensus == CLIQUE:
            return _confirmed(newest)
        on_top = 0 if self.seals else self.confirmations
        return newest[0].number - on_top if newest and newest[0].number >= on_top else None

    def confirming(self, block: SealedBlock, later: Sequence[SealedBlock]) -> list[SealedBlock]:
        """Those of the blocks right after a block that show it final by their seals: under Clique alone there are any.

        Args:
            block: a final block.
            later: the blocks after it, in order.
        """
        if self.consensus != CLIQUE:
            return []
        needed, signers = needed_seals(CLIQUE, len(block.validators)), set[bytes]()

        def is_needed(one: SealedBlock) -> bool:
            enough = len(signers) >= needed
            signers.update(one.sealers)
            return not enough

        return list(takewhile(is_needed, later))

    def prove(self, header: Header, headers: Sequence[bytes]) -> None:
        """Prove with an evidence file's `finality.headers` what its reader will; raises what `prove_seals` raises."""
        prove_seals(header, self.history, headers)


def _confirmed(newest: Sequence[SealedBlock]) -> int | None:
    signers: set[bytes] = set()
    for block in newest:
        if len(signers) >= needed_seals(CLIQUE, len(block.validators)):
            return block.number
        signers.update(block.sealers)
    return None
