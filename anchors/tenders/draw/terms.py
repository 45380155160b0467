"""The terms of a draw: what all must have agreed on before anybody's chance comes in.

Promises that one digest stands for the tender, the sites in their order with their lists, the quotas, the recusals and
those who hold shares, so that none of it can be chosen once a value is known. Who agreed is said by the deposits, which
name that digest.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Final, Self

import rfc8785

from anchors.bounded_json import Fields
from anchors.errors import BadTerms, MalformedFile
from anchors.tenders.draw.experts import SITE, SPECIALITY, ListCommitment

__all__ = ["MAX_MEMBERS", "Member", "Quota", "Terms", "read_code"]

MAX_MEMBERS: Final = 32  # every share is checked against as many points as it takes shares, so it bounds the work

_MAX_QUOTAS: Final = 256
_MAX_SEATS: Final = 99
_MAX_RECUSALS: Final = 10_000
_MAX_ROUNDS: Final = 99
_TENDER: Final = r"[^\x00-\x1f\x7f]{1,256}"
_PARTS: Final = (
    *("chain_id", "tender", "round", "previous", "excluded", "threshold", "members", "sites", "quotas", "recusals"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A member that takes part: it holds shares of every site's value."""

    code: str
    officer: bytes  # address, 20 bytes, of the tender officer who signs for it
    key: bytes  # X25519 public key, 32 bytes, to which its shares are sealed

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("member", "officer", "key"))
        return cls(fields.text("member", SITE), fields.hex("officer", 20), fields.hex("key", 32))

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {"member": self.code, "officer": f"0x{self.officer.hex()}", "key": f"0x{self.key.hex()}"}


@dataclass(frozen=True, slots=True)
class Quota:
    """How many experts of a speciality are drawn from a site's list."""

    site: str
    speciality: str
    count: int

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("site", "speciality", "count"))
        speciality = fields.text("speciality", SPECIALITY)
        return cls(fields.text("site", SITE), speciality, fields.number("count", 1, _MAX_SEATS))

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {"site": self.site, "speciality": self.speciality, "count": self.count}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is drawn, from which lists, and whose chance decides.

    Raises:
        BadTerms: no draw can be held by them.
    """

    chain_id: int  # of the alliance's chain; the officers' signatures are good for no other
    tender: str  # its identifier
    round: int  # 1, and one more for each draw of this tender before
    previous: bytes | None  # the digest of that draw, 32 bytes
    excluded: tuple[str, ...]  # the sites that kept a value back in a round before
    threshold: int  # how many shares give a value
    members: tuple[Member, ...]  # a share's number is its holder's place here, from 1
    sites: tuple[ListCommitment, ...]  # in the order in which their values seed the draw
    quotas: tuple[Quota, ...]  # in the order in which seats are filled
    recusals: tuple[bytes, ...]  # commitments of experts, 32 bytes each, ascending

    def __post_init__(self) -> None:
        """Refuse terms under which somebody could choose, or nobody could be drawn."""
        codes, sites = [member.code for member in self.members], self.site_codes
        problems = (
            (not unicodedata.is_normalized("NFC", self.tender), "the tender is not in Unicode's form NFC"),
            (len(set(codes)) < len(codes), "a member stands in them twice"),
            (len({member.key for member in self.members}) < len(codes), "two members have one key"),
            (len({member.officer for member in self.members}) < len(codes), "two members have one officer"),
            (len(set(sites)) < len(sites), "a site stands in them twice"),
            (not set(sites) <= set(codes), "a site is none of the members"),
            (len(sites) < 2, "there are fewer than two sites, and one alone could choose"),
            (not 2 <= self.threshold < len(codes), "the threshold is not 2 or more and below the number of members"),
            (not self.quotas, "nobody is to be drawn"),
            (not {quota.site for quota in self.quotas} <= set(sites), "a quota is of none of the sites"),
            (len({(each.site, each.speciality) for each in self.quotas}) < len(self.quotas), "a quota stands twice"),
            (list(self.recusals) != sorted(set(self.recusals)), "the recusals do not ascend"),
            (
                (self.round == 1) != (self.previous is None),
                "a round after the first names the draw before it, and none else",
            ),
            (bool(self.excluded) and self.previous is None, "a site is excluded, and no draw was before"),
            (bool(set(self.excluded) & set(sites)), "an excluded site takes part"),
        )
        for wrong, what in problems:
            if wrong:
                raise BadTerms(what)

    @classmethod
    def from_json(cls, value: object, where: str = "terms") -> Self:
        """Read what `to_json` gives; raises MalformedFile or BadTerms."""
        fields = Fields(value, where, _PARTS)
        return cls(
            fields.number("chain_id", 1),
            fields.text("tender", _TENDER),
            fields.number("round", 1, _MAX_ROUNDS),
            fields.nullable("previous", lambda name: fields.hex(name, 32)),
            fields.each("excluded", MAX_MEMBERS, read_code),
            fields.number("threshold", 2, MAX_MEMBERS),
            fields.each("members", MAX_MEMBERS, Member.from_json),
            fields.each("sites", MAX_MEMBERS, ListCommitment.from_json),
            fields.each("quotas", _MAX_QUOTAS, Quota.from_json),
            fields.hex_list("recusals", _MAX_RECUSALS, 32),
        )

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {
            "chain_id": self.chain_id,
            "tender": self.tender,
            "round": self.round,
            "previous": None if self.previous is None else f"0x{self.previous.hex()}",
            "excluded": list(self.excluded),
            "threshold": self.threshold,
            "members": [member.to_json() for member in self.members],
            "sites": [site.to_json() for site in self.sites],
            "quotas": [quota.to_json() for quota in self.quotas],
            "recusals": [f"0x{expert.hex()}" for expert in self.recusals],
        }

    @lru_cache(maxsize=8)  # noqa: B019  # every act of a draw is of the same terms
    def digest(self) -> bytes:
        """What every deposit names, 32 bytes: SHA-256 of the terms in canonical JSON (RFC 8785)."""
        return sha256(rfc8785.dumps(self.to_json())).digest()  # type: ignore[arg-type]  # JSON by `to_json`

    @property
    def site_codes(self) -> list[str]:
        """The sites, in their order."""
        return [site.site for site in self.sites]

    @property
    def member_codes(self) -> list[str]:
        """The members, in their order."""
        return [member.code for member in self.members]

    @property
    def seats(self) -> int:
        """How many experts are drawn."""
        return sum(quota.count for quota in self.quotas)

    def member(self, code: str) -> Member:
        """The member of that code; raises BadTerms where there is none."""
        for member in self.members:
            if member.code == code:
                return member
        raise BadTerms(f"{code} is none of the members")

    def number(self, code: str) -> int:
        """The number of the shares that a member holds; raises BadTerms where there is no such member."""
        return self.members.index(self.member(code)) + 1

    def holders(self, site: str) -> list[Member]:
        """Who holds shares of a site's value: every member but itself, which knows it."""
        return [member for member in self.members if member.code != site]

    def next_round(self, previous: bytes, excluded: Sequence[str], recusals: Sequence[bytes] = ()) -> "Terms":
        """The terms after a draw that came to nothing or that left seats empty.

        The quotas of excluded sites go with them; what shall be drawn in their place is for people to say.

        Args:
            previous: the digest of that draw, 32 bytes.
            excluded: the sites that kept their values back in it.
            recusals: experts to recuse beside those who are, such as those who have seats.

        Raises:
            BadTerms: no draw can be held without these sites.
        """
        return replace(
            self,
            round=self.round + 1,
            previous=previous,
            excluded=tuple(sorted({*self.excluded, *excluded})),
            sites=tuple(site for site in self.sites if site.site not in excluded),
            quotas=tuple(quota for quota in self.quotas if quota.site not in excluded),
            recusals=tuple(sorted({*self.recusals, *recusals})),
        )


def read_code(value: object, where: str) -> str:
    """Read a member's code from a list of them; raises MalformedFile."""
    if not isinstance(value, str) or not re.fullmatch(SITE, value):
        raise MalformedFile(where, f"is not a text of the form {SITE}")
    return value
