"""A site's list of experts, what the site commits to by it, and how it shows later who was on it.

Promises that a list gives each expert one chance and has one order, so that a site commits to its whole list by 32
bytes and a count. An expert is a code of the site's own, never a person's name or number. Without its salt an entry
says nothing; all salts of a list come from one key, which the site keeps until the panel is unsealed. Who an expert is
stays with the site.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from typing import Final, Self

from anchors.bounded_json import Fields
from anchors.errors import (
    BadExpert,
    BadInclusionPath,
    ExpertNotListed,
    ExpertTwice,
    ListDiffers,
    MalformedFile,
    NaturalPerson,
    PersonNamed,
)
from anchors.merkle import Frontier, Levels, leaf_hash, prove_inclusion
from anchors.subjects import Subject

__all__ = [
    "MAX_EXPERTS",
    "SITE",
    "SPECIALITY",
    "Expert",
    "ExpertList",
    "ListCommitment",
    "ListedExpert",
    "prove_listed",
]

MAX_EXPERTS: Final = 100_000
SITE: Final = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"  # the code of a member, as in the network file
SPECIALITY: Final = r"[A-Z0-9][A-Z0-9.-]{0,15}"

_TAG: Final = sha256(b"bidledger/expert/v1").digest()
_CODE: Final = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9-]{2,30}[A-Z0-9]")
_TELEPHONE: Final = re.compile(r"(?:(?:00)?86)?1[3-9][0-9]{9}")
_OLD_RESIDENT: Final = re.compile(r"[1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}")
_LONG: Final = 11  # no number of a person that can be told from a code is shorter


@dataclass(frozen=True, slots=True)
class Expert:
    """An entry of a list. Whoever has it can open its commitment."""

    site: str
    speciality: str
    code: str
    salt: bytes  # 32 bytes

    def commitment(self) -> bytes:
        """What stands for the expert while nobody may know who it is, 32 bytes."""
        return sha256(_head(self.site, self.speciality) + sha256(self.code.encode()).digest() + self.salt).digest()


@dataclass(frozen=True, slots=True)
class ListCommitment:
    """What a site publishes of its list."""

    site: str
    root: bytes  # of the tree over the experts' commitments, in the list's order, 32 bytes
    count: int

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("site", "root", "count"))
        return cls(fields.text("site", SITE), fields.hex("root", 32), fields.number("count", 0, MAX_EXPERTS))

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {"site": self.site, "root": f"0x{self.root.hex()}", "count": self.count}


@dataclass(frozen=True, slots=True)
class ListedExpert:
    """An expert, and where it stands in the list."""

    expert: Expert
    index: int
    path: tuple[bytes, ...]  # 32 bytes each


@dataclass(frozen=True)
class ExpertList:
    """The experts of one site for one draw, each once, by speciality and then by code, both ascending.

    Raises:
        BadExpert: a code or speciality is not of its form, or they are out of order.
        PersonNamed: a code reads as a number of a person.
        ExpertTwice: a code stands twice, under one speciality or two.
    """

    site: str
    key: bytes  # 32 bytes, from which every salt comes
    groups: tuple[tuple[str, tuple[str, ...]], ...]  # speciality, codes

    def __post_init__(self) -> None:
        """Let there be one list for one set of experts."""
        specialities = [speciality for speciality, _ in self.groups]
        codes = [code for _, group in self.groups for code in group]
        _check_codes(codes)
        if len(set(codes)) < len(codes) or len(set(specialities)) < len(specialities):
            raise ExpertTwice(self.site)
        if not all(re.fullmatch(SPECIALITY, each) for each in specialities):
            raise BadExpert(f"speciality is not of the form {SPECIALITY}")
        if len(codes) > MAX_EXPERTS or specialities != sorted(specialities):
            raise BadExpert(f"place is out of order, or after the first {MAX_EXPERTS}")
        if any(list(group) != sorted(group) or not group for _, group in self.groups):
            raise BadExpert("code is out of order, or missing")

    @classmethod
    def of(cls, site: str, experts: Iterable[tuple[str, str]], key: bytes | None = None) -> Self:
        """Put a list in its order.

        Args:
            site: the code of the member whose list it is.
            experts: code and speciality of each, in any order.
            key: 32 secret bytes, of this list alone; None makes them.

        Raises:
            BadExpert, PersonNamed, ExpertTwice: as for any list.
        """
        ordered = sorted(experts, key=lambda each: (each[1], each[0]))
        groups = tuple(
            (speciality, tuple(code for code, _ in group))
            for speciality, group in groupby(ordered, lambda each: each[1])
        )
        return cls(site, key or secrets.token_bytes(32), groups)

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile, and what any list raises."""
        fields = Fields(value, where, ("site", "key", "experts"))
        groups = fields.each("experts", MAX_EXPERTS, _read_group)
        return cls(fields.text("site", SITE), fields.hex("key", 32), groups)

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it once the panel is unsealed."""
        experts = [{"speciality": speciality, "codes": list(codes)} for speciality, codes in self.groups]
        return {"site": self.site, "key": f"0x{self.key.hex()}", "experts": experts}

    def __iter__(self) -> Iterator[str]:
        """The experts' codes, in the list's order."""
        for _, codes in self.groups:
            yield from codes

    def codes(self, speciality: str) -> tuple[str, ...]:
        """Those of the experts of one speciality, in the list's order."""
        return dict(self.groups).get(speciality, ())

    def expert(self, speciality: str, code: str) -> Expert:
        """An expert of the list, whose entry can then be opened."""
        return Expert(self.site, speciality, code, self._salt(code))

    @cached_property
    def commitments(self) -> tuple[bytes, ...]:
        """Those of all experts in the list's order, 32 bytes each."""
        found: list[bytes] = []
        for speciality, codes in self.groups:
            head = _head(self.site, speciality)
            found += [sha256(head + sha256(code.encode()).digest() + self._salt(code)).digest() for code in codes]
        return tuple(found)

    def commit(self) -> ListCommitment:
        """What the site publishes before the draw."""
        tree = Frontier()
        tree.extend(self.commitments)
        return ListCommitment(self.site, tree.root(), len(self.commitments))

    def prove(self, code: str) -> ListedExpert:
        """Show one expert of the list, and nothing of the others.

        Raises:
            ExpertNotListed: no expert has that code.
        """
        places = [speciality for speciality, codes in self.groups for _ in codes]
        for index, (speciality, listed) in enumerate(zip(places, self, strict=True)):
            if listed == code:
                path = Levels.over(self.commitments).path(index)
                return ListedExpert(self.expert(speciality, code), index, tuple(path))
        raise ExpertNotListed(self.site)

    def check(self, commitment: ListCommitment) -> None:
        """Check that this is the list that a site committed to.

        Raises:
            ListDiffers: it is another site's, or another list.
        """
        if self.commit() != commitment:
            raise ListDiffers(commitment.site)

    def _salt(self, code: str) -> bytes:
        return hmac.digest(self.key, code.encode(), "sha256")


def prove_listed(listed: ListedExpert, commitment: ListCommitment) -> Expert:
    """Prove that an expert is on the list that a site committed to.

    Returns:
        The expert.

    Raises:
        ExpertNotListed: it is of another site, or its path leads elsewhere.
    """
    leaf = leaf_hash(listed.expert.commitment())
    try:
        root = prove_inclusion(leaf, listed.index, commitment.count, listed.path).root
    except BadInclusionPath as error:
        raise ExpertNotListed(commitment.site) from error
    if listed.expert.site != commitment.site or root != commitment.root:
        raise ExpertNotListed(commitment.site)
    return listed.expert


def _head(site: str, speciality: str) -> bytes:
    return _TAG + sha256(site.encode()).digest() + sha256(speciality.encode()).digest()


def _read_group(value: object, where: str) -> tuple[str, tuple[str, ...]]:
    fields = Fields(value, where, ("speciality", "codes"))
    codes = fields.raw("codes")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise MalformedFile(fields.path("codes"), "is not a list of texts")
    return fields.text("speciality", SPECIALITY), tuple(codes)


def _check_codes(codes: list[str]) -> None:
    if not all(map(_CODE.fullmatch, codes)):
        raise BadExpert("code is not 4 to 32 capital letters, digits and hyphens, with a digit among them")
    for code in codes:
        if len(code) >= _LONG:
            _check_person(code)


def _check_person(code: str) -> None:
    plain = code.replace("-", "")
    if _TELEPHONE.fullmatch(plain) or _OLD_RESIDENT.fullmatch(plain):
        raise PersonNamed
    try:
        Subject.parse(f"CN-EXPERT:{code}")  # which refuses what reads as a resident's number
    except NaturalPerson as error:
        raise PersonNamed from error
