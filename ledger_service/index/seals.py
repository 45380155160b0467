"""Who sealed each block that is followed, proven before anything of the block is believed.

Every header is checked, not only those with events: which validators still seal is asked of all of them, and under BFT
the set in force is stepped to from header to header. A header of 13 validators costs about a millisecond, as much as
fetching it. Clique's turns and pauses are left to the proof that goes into an evidence file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from anchors.chain.header import CLIQUE, DEVELOPMENT, Header
from anchors.errors import AnchorsError
from anchors.network import ValidatorSet
from anchors.seals import bft_extra, pinned_at, prove_seals, sealers
from ledger_service.errors import ServiceError


class NotSealed(ServiceError):
    """A block that the node shows is not sealed by the validators in force."""

    problem, title, status = "not-sealed", "A block is not sealed by the network's validators", 502


@dataclass(frozen=True, slots=True)
class ReadSeals:
    """What a header's seals say."""

    sealers: bytes | None  # one bit for each validator in force, as `sealer_bits` makes them; None if nobody seals
    round: int | None
    changed: tuple[bytes, ...] | None  # the validators in force, in order, where they are not those of the block before


class SealReader:
    """Reads the seals of blocks that follow one another.

    Args:
        consensus: as the network file names it.
        history: the network file's validators.
        in_force: the validators of the last block, in order; none before the first.
    """

    def __init__(self, consensus: str, history: Sequence[ValidatorSet], in_force: Sequence[bytes]) -> None:
        self._consensus = consensus
        self._history = history
        self._in_force = tuple(in_force)

    def read(self, header: Header) -> ReadSeals:
        """Prove that a header is sealed by whom the network file pins, or who followed them.

        Raises:
            NotSealed: it is not.
        """
        if self._consensus == DEVELOPMENT or header.number == 0:  # nobody seals a genesis block
            return ReadSeals(None, None, None)
        before = self._in_force
        try:
            found = self._read_clique(header) if self._consensus == CLIQUE else self._read_bft(header)
        except AnchorsError as error:
            raise _not_sealed(header, error.diagnostics()) from error
        round_ = None if self._consensus == CLIQUE else bft_extra(header).round
        changed = self._in_force if self._in_force != before else None
        return ReadSeals(sealer_bits(self._in_force, found), round_, changed)

    def _read_clique(self, header: Header) -> tuple[bytes, ...]:
        self._in_force = tuple(sorted(pinned_at(self._history, header.number).addresses))
        (signer,) = sealers(header)
        if signer not in self._in_force:
            raise _not_sealed(
                header, f"0x{signer.hex()} signed it, who is none of the {len(self._in_force)} validators"
            )
        return (signer,)

    def _read_bft(self, header: Header) -> tuple[bytes, ...]:
        pinned = pinned_at(self._history, header.number)
        begins = pinned.from_block == header.number or not self._in_force
        before = pinned.addresses if begins else self._in_force
        proven = prove_seals(header, (ValidatorSet(header.number, None, tuple(before)),))
        self._in_force = bft_extra(header).validators
        return proven.sealers


def sealer_bits(validators: Sequence[bytes], found: Sequence[bytes]) -> bytes:
    """One bit for each validator, the first one's the lowest: whether it is among those found."""
    bits = sum(1 << place for place, validator in enumerate(validators) if validator in found)
    return bits.to_bytes((len(validators) + 7) // 8, "big")


def sealers_of_bits(validators: Sequence[bytes], bits: bytes) -> tuple[bytes, ...]:
    """The validators whose bits are set."""
    number = int.from_bytes(bits, "big")
    return tuple(validator for place, validator in enumerate(validators) if number >> place & 1)


def _not_sealed(header: Header, why: str) -> NotSealed:
    return NotSealed(
        f"block {header.number}, 0x{header.hash.hex()}, is not sealed by the network's validators: {why}. Nothing of "
        "it is believed. Either the node lies, then name another; or the validators were changed, then give the "
        "service the network file that says so"
    )
