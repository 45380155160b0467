"""The acts of a draw, each signed by a member's tender officer: deposit, confirmation, reveal, disclosed share.

Promises that each act names all that stood before it: a deposit the terms, a confirmation all deposits, a reveal and a
disclosed share all deposits and confirmations. So nobody can deposit anew once somebody has revealed. When an act may
be done is left to `anchors.tenders.draw.ceremony`; that the officer had the role, to the alliance's registry.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import ClassVar, Final, Self, TypeAlias

import rfc8785
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anchors.bounded_json import Fields
from anchors.chain.keccak import keccak256
from anchors.chain.signatures import Domain, recover_signer, typed_digest
from anchors.errors import ActForged, BadDeposit, BadSignature
from anchors.tenders.draw.experts import SITE
from anchors.tenders.draw.sealing import SEALED_BYTES, open_share
from anchors.tenders.draw.sharing import check_points, check_share
from anchors.tenders.draw.terms import MAX_MEMBERS, Terms, read_code

__all__ = [
    "Act",
    "Confirmation",
    "Deposit",
    "Disclosure",
    "Reveal",
    "SealedShare",
    "Sign",
    "committed_digest",
    "deposits_digest",
]

Sign: TypeAlias = Callable[[bytes], bytes]  # an EIP-712 digest, 32 bytes -> r, s, v, 65 bytes

_TYPE: Final = "DrawAct(string act,bytes32 terms,bytes32 content)"


@dataclass(frozen=True, slots=True)
class Act:
    """Root of the acts."""

    signature: bytes  # 65 bytes r, s, v

    act: ClassVar[str]

    @property
    def actor(self) -> str:
        """The code of the member whose act it is."""
        raise NotImplementedError

    def content(self) -> dict[str, object]:
        """What is signed, as JSON."""
        raise NotImplementedError

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return self.content() | {"signature": f"0x{self.signature.hex()}"}

    def digest(self, terms: Terms) -> bytes:
        """The EIP-712 digest that the officer signs, 32 bytes."""
        content = sha256(_canonical(self.content())).digest()
        domain = Domain("bidledger", "1", terms.chain_id)
        return typed_digest(domain, _TYPE, (keccak256(self.act.encode()), terms.digest(), content))

    def signed(self, terms: Terms, sign: Sign) -> Self:
        """The act with its officer's signature."""
        return replace(self, signature=sign(self.digest(terms)))

    def check_signature(self, terms: Terms) -> None:
        """Check who signed it.

        Raises:
            ActForged: not the officer that the terms name for the member.
        """
        try:
            signer = recover_signer(self.digest(terms), self.signature)
        except BadSignature as error:
            raise ActForged(self.actor, self.act) from error
        if signer != terms.member(self.actor).officer:
            raise ActForged(self.actor, self.act)


@dataclass(frozen=True, slots=True)
class SealedShare:
    """A share of a site's value, for one member to read."""

    member: str
    sealed: bytes

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("member", "sealed"))
        return cls(fields.text("member", SITE), fields.hex("sealed", SEALED_BYTES))

    def to_json(self) -> dict[str, object]:
        """As the draw's file has it."""
        return {"member": self.member, "sealed": f"0x{self.sealed.hex()}"}


@dataclass(frozen=True, slots=True)
class Deposit(Act):
    """A site's commitment to its value, and to shares from which others can recover it."""

    act: ClassVar[str] = "deposit"

    site: str
    terms: bytes  # their digest
    points: tuple[bytes, ...]
    shares: tuple[SealedShare, ...]  # one for every other member, in the terms' order

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("site", "terms", "points", "shares", "signature"))
        return cls(
            fields.hex("signature", 65),
            fields.text("site", SITE),
            fields.hex("terms", 32),
            fields.hex_list("points", MAX_MEMBERS, 33),
            fields.each("shares", MAX_MEMBERS, SealedShare.from_json),
        )

    @property
    def actor(self) -> str:
        """The site."""
        return self.site

    def content(self) -> dict[str, object]:
        """The site, the terms, the points and the sealed shares."""
        return {
            "site": self.site,
            "terms": f"0x{self.terms.hex()}",
            "points": [f"0x{point.hex()}" for point in self.points],
            "shares": [share.to_json() for share in self.shares],
        }

    def check_form(self, terms: Terms) -> None:
        """Check that it commits to one value, with a share for every other member; raises BadDeposit."""
        if len(self.points) != terms.threshold:
            raise BadDeposit(
                self.site, f"has {len(self.points)} points, and {terms.threshold} shares must give the value"
            )
        try:
            check_points(self.points)
        except ValueError as error:
            raise BadDeposit(self.site, "has a point that is none of the curve") from error
        if [share.member for share in self.shares] != [member.code for member in terms.holders(self.site)]:
            raise BadDeposit(self.site, "does not have one share for each other member, in their order")

    def open(self, terms: Terms, member: str, key: X25519PrivateKey) -> bytes:
        """Open the share that a member holds, and check that it fits.

        Args:
            terms: of the draw.
            member: the holder's code.
            key: its private key.

        Returns:
            The share, 32 bytes.

        Raises:
            BadDeposit: it is not of the form that a deposit has, or there is no share for that member.
            ShareUnreadable: the key does not open it.
            ShareDiffers: it does not fit what the site committed to.
        """
        self.check_form(terms)
        sealed = {share.member: share.sealed for share in self.shares}.get(member)
        if sealed is None:
            raise BadDeposit(self.site, f"has no share for {member}")
        share = open_share(sealed, key, self.terms, self.site, member)
        check_share(self.site, self.points, terms.number(member), member, share)
        return share


@dataclass(frozen=True, slots=True)
class Confirmation(Act):
    """A member's word that it has opened its share of each deposit, that each fits, and whose lists it holds."""

    act: ClassVar[str] = "confirmation"

    member: str
    deposits: bytes  # `deposits_digest` of all of them
    lists: tuple[str, ...]  # the sites whose lists it holds and has held against what they committed to, in order

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("member", "deposits", "lists", "signature"))
        signature, member = fields.hex("signature", 65), fields.text("member", SITE)
        return cls(signature, member, fields.hex("deposits", 32), fields.each("lists", MAX_MEMBERS, read_code))

    @property
    def actor(self) -> str:
        """The member."""
        return self.member

    def content(self) -> dict[str, object]:
        """The member, the deposits, and the sites of the lists."""
        return {"member": self.member, "deposits": f"0x{self.deposits.hex()}", "lists": list(self.lists)}


@dataclass(frozen=True, slots=True)
class Reveal(Act):
    """A site's value."""

    act: ClassVar[str] = "reveal"

    site: str
    committed: bytes  # `committed_digest` of all deposits and confirmations
    value: bytes  # 32 bytes

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("site", "committed", "value", "signature"))
        signature, site = fields.hex("signature", 65), fields.text("site", SITE)
        return cls(signature, site, fields.hex("committed", 32), fields.hex("value", 32))

    @property
    def actor(self) -> str:
        """The site."""
        return self.site

    def content(self) -> dict[str, object]:
        """The site, what stood before, and the value."""
        return {"site": self.site, "committed": f"0x{self.committed.hex()}", "value": f"0x{self.value.hex()}"}


@dataclass(frozen=True, slots=True)
class Disclosure(Act):
    """A member's share of the value of a site that kept it back."""

    act: ClassVar[str] = "share"

    site: str
    member: str
    committed: bytes  # as for a reveal
    share: bytes  # 32 bytes

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read what `to_json` gives; raises MalformedFile."""
        fields = Fields(value, where, ("site", "member", "committed", "share", "signature"))
        signature, site, member = fields.hex("signature", 65), fields.text("site", SITE), fields.text("member", SITE)
        return cls(signature, site, member, fields.hex("committed", 32), fields.hex("share", 32))

    @property
    def actor(self) -> str:
        """The holder of the share."""
        return self.member

    def content(self) -> dict[str, object]:
        """The site, the holder, what stood before, and the share."""
        return {
            "site": self.site,
            "member": self.member,
            "committed": f"0x{self.committed.hex()}",
            "share": f"0x{self.share.hex()}",
        }


def deposits_digest(deposits: Sequence[Deposit]) -> bytes:
    """What a confirmation names, 32 bytes: SHA-256 of all deposits in canonical JSON."""
    return sha256(_canonical([each.to_json() for each in deposits])).digest()


def committed_digest(deposits: Sequence[Deposit], confirmations: Sequence[Confirmation]) -> bytes:
    """What a reveal names, 32 bytes: SHA-256 of all deposits and confirmations in canonical JSON."""
    parts = {
        "deposits": [each.to_json() for each in deposits],
        "confirmations": [each.to_json() for each in confirmations],
    }
    return sha256(_canonical(parts)).digest()


def _canonical(value: object) -> bytes:
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # JSON by `to_json`
