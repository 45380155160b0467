"""The draw itself: from the sites' values and lists to a panel, and what stands for the panel while it is sealed.

Promises that the panel is a function of the terms, the deposits, the values and the lists, and of nothing else, so
that anybody who has them draws the same. A seat's word says nothing without its salt, which comes from the values; the
words alone are published until the award. That values and lists are those that were committed to is left to
`anchors.tenders.draw.verdict`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final, Self

from anchors.bounded_json import Fields
from anchors.errors import BadInclusionPath, QuotaNotMet, RecusalUnknown, SealDiffers
from anchors.merkle import Levels, leaf_hash, prove_inclusion
from anchors.tenders.draw.drbg import HmacDrbg
from anchors.tenders.draw.experts import SITE, SPECIALITY, Expert, ExpertList
from anchors.tenders.draw.terms import Terms
from anchors.tenders.evaluators import Evaluators

__all__ = ["Panel", "Seat", "SeatProof", "draw", "prove_seat", "recused_codes"]

_TAG: Final = sha256(b"bidledger/expert-seat/v1").digest()
_CODE: Final = r"[A-Z0-9-]{4,32}"
_MAX_PATH: Final = 16


@dataclass(frozen=True, slots=True)
class Seat:
    """A drawn expert."""

    number: int  # from 1, in the order of drawing
    expert: Expert
    salt: bytes  # 32 bytes

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("seat", "site", "speciality", "code", "expert_salt", "salt"))
        site, speciality, code = (
            fields.text("site", SITE),
            fields.text("speciality", SPECIALITY),
            fields.text("code", _CODE),
        )
        expert = Expert(site, speciality, code, fields.hex("expert_salt", 32))
        return cls(fields.number("seat", 1), expert, fields.hex("salt", 32))

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it once the panel is unsealed."""
        return {
            "seat": self.number,
            "site": self.expert.site,
            "speciality": self.expert.speciality,
            "code": self.expert.code,
            "expert_salt": f"0x{self.expert.salt.hex()}",
            "salt": f"0x{self.salt.hex()}",
        }

    def word(self, terms: bytes) -> bytes:
        """What stands for the seat while the panel is sealed, 32 bytes.

        Args:
            terms: the digest of the draw's terms, 32 bytes.
        """
        return sha256(_TAG + terms + self.number.to_bytes(32, "big") + self.expert.commitment() + self.salt).digest()


@dataclass(frozen=True, slots=True)
class SeatProof:
    """A seat of a sealed panel, for one expert to be shown alone."""

    terms: bytes  # their digest
    seat: Seat
    index: int  # of its word among all, ascending
    count: int
    path: tuple[bytes, ...]  # 32 bytes each

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, "", ("terms", "seat", "index", "count", "path"))
        seat = Seat.from_json(fields.raw("seat"), "seat")
        path = fields.hex_list("path", _MAX_PATH, 32)
        return cls(fields.hex("terms", 32), seat, fields.number("index"), fields.number("count"), path)

    def to_json(self) -> dict[str, object]:
        """As `bidledger draw seat` writes it."""
        return {
            "terms": f"0x{self.terms.hex()}",
            "seat": self.seat.to_json(),
            "index": self.index,
            "count": self.count,
            "path": [f"0x{node.hex()}" for node in self.path],
        }


@dataclass(frozen=True)
class Panel:
    """Who was drawn."""

    terms: bytes  # the digest of the draw's terms
    seats: tuple[Seat, ...]  # in the order of drawing

    @cached_property
    def words(self) -> tuple[bytes, ...]:
        """The seats' words, 32 bytes each, ascending, so that their order tells nothing."""
        return tuple(sorted(seat.word(self.terms) for seat in self.seats))

    @property
    def root(self) -> bytes:
        """What the panel is sealed under, 32 bytes: the root of the tree (RFC 9162) over the words."""
        return Levels.over(self.words).root

    def prove(self, number: int) -> SeatProof:
        """Show one seat, and nothing of the others."""
        seat = self.seats[number - 1]
        index = self.words.index(seat.word(self.terms))
        path = tuple(Levels.over(self.words).path(index))
        return SeatProof(self.terms, seat, index, len(self.words), path)

    def evaluators(self, draw: bytes, signers: Iterable[int]) -> Evaluators:
        """The panel as an evaluation seals it and the award unseals it.

        Args:
            draw: the digest of the draw, 32 bytes. It is the salt, so that the chain names the draw; nobody who has it
                can tell the words from it, since those have salts of their own.
            signers: the numbers of the seats whose experts signed the report.

        Raises:
            IndexError: there is no such seat.
        """
        signed = {self.seats[number - 1].word(self.terms) for number in signers}
        return Evaluators(draw, self.words, tuple(sorted(signed)))


def prove_seat(proof: SeatProof, root: bytes) -> Seat:
    """Prove that an expert has a seat of a panel that was sealed.

    Args:
        proof: from whoever unsealed the panel.
        root: what the panel was sealed under, 32 bytes.

    Returns:
        The seat.

    Raises:
        SealDiffers: it leads to another root.
    """
    try:
        found = prove_inclusion(leaf_hash(proof.seat.word(proof.terms)), proof.index, proof.count, proof.path).root
    except BadInclusionPath as error:
        raise SealDiffers from error
    if found != root:
        raise SealDiffers
    return proof.seat


def draw(terms: Terms, deposits: bytes, values: Sequence[bytes], lists: Sequence[ExpertList]) -> Panel:
    """Draw the panel.

    The generator is HMAC-DRBG with SHA-256: its entropy the values one after the other, its nonce the digest of the
    deposits, its personalization the digest of the terms. Quotas are filled in the terms' order. For each seat a number
    below the count of those who are left is drawn, and the expert at that place, in the list's order, leaves; then 32
    bytes are drawn, the seat's salt. Left are those of the quota's site and speciality who are not recused and have no
    seat. A recusal, and a seat, is of the code: it counts in every list that has it.

    Args:
        terms: of the draw.
        deposits: the digest of all deposits, 32 bytes.
        values: 32 bytes each, in the order of the terms' sites.
        lists: in that order as well.

    Raises:
        RecusalUnknown: a recused expert is on no list.
        QuotaNotMet: too few experts are left for a quota.
    """
    generator = HmacDrbg(b"".join(values), deposits, terms.digest())
    by_site = {each.site: each for each in lists}
    taken = recused_codes(terms.recusals, lists)
    seats: list[Seat] = []
    for quota in terms.quotas:
        pool = [code for code in by_site[quota.site].codes(quota.speciality) if code not in taken]
        if len(pool) < quota.count:
            raise QuotaNotMet(quota.site, quota.speciality, quota.count, len(pool))
        for _ in range(quota.count):
            code = pool.pop(generator.below(len(pool)))
            taken.add(code)
            expert = by_site[quota.site].expert(quota.speciality, code)
            seats.append(Seat(len(seats) + 1, expert, generator.generate(32)))
    return Panel(terms.digest(), tuple(seats))


def recused_codes(recusals: Sequence[bytes], lists: Sequence[ExpertList]) -> set[str]:
    """The codes of the experts who are recused by their commitments.

    Raises:
        RecusalUnknown: a recused expert is on no list, so that the recusal would be without effect.
    """
    if not recusals:
        return set()
    known = {commitment: code for each in lists for commitment, code in zip(each.commitments, each, strict=True)}
    codes = set()
    for recused in recusals:
        if recused not in known:
            raise RecusalUnknown(recused)
        codes.add(known[recused])
    return codes
