"""A draw between three sites and a fourth member, held as its people hold it, and ways to tamper with its file."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anchors.chain.keccak import keccak256
from anchors.chain.signatures import sign_digest
from anchors.tenders.draw import (
    Confirmation,
    Deposit,
    Draw,
    ExpertList,
    Member,
    Opened,
    Quota,
    Reveal,
    Sign,
    Terms,
    committed_digest,
    confirm,
    deposit,
    disclose,
    hold,
    new_value,
    reveal,
)

SITES = ("gansu", "qinghai", "ningxia")
MEMBERS = (*SITES, "xpcc")
KEEPERS = {"gansu": SITES, "xpcc": SITES}
APART = {"gansu": ("qinghai", "ningxia"), "xpcc": ("gansu",)}  # nobody holds all lists
QUOTAS = (Quota("gansu", "A01", 3), Quota("qinghai", "A01", 2), Quota("ningxia", "B0702", 2))


@dataclass(frozen=True)
class Office:
    """A member's keys."""

    code: str
    officer: PrivateKey
    key: X25519PrivateKey

    @classmethod
    def of(cls, code: str) -> "Office":
        return cls(code, PrivateKey(), X25519PrivateKey.generate())

    @property
    def member(self) -> Member:
        address = keccak256(self.officer.public_key.format(compressed=False)[1:])[12:]
        return Member(self.code, address, self.key.public_key().public_bytes_raw())

    @property
    def sign(self) -> Sign:
        return lambda digest: sign_digest(self.officer, digest)


@dataclass(frozen=True)
class Story:
    """All that the people of a draw know between them."""

    offices: dict[str, Office]
    lists: dict[str, ExpertList]
    terms: Terms
    values: dict[str, bytes]
    deposits: tuple[Deposit, ...]
    confirmations: tuple[Confirmation, ...]

    @property
    def committed(self) -> bytes:
        return committed_digest(self.deposits, self.confirmations)

    @property
    def agreed(self) -> Draw:
        return Draw(self.terms, self.deposits, self.confirmations)

    def reveal(self, site: str) -> Reveal:
        return reveal(self.agreed, site, self.values[site], self.offices[site].sign)

    def open(self, withheld: Sequence[str] = (), disclosing: Sequence[str] = ()) -> Draw:
        """All that it takes: some sites keep their values back, and some members disclose their shares of these."""
        shares = [
            disclose(self.agreed, site, member, self.offices[member].key, self.offices[member].sign)
            for site in self.terms.site_codes
            for member in MEMBERS
            if site in withheld and member in disclosing and member != site
        ]
        reveals = tuple(self.reveal(site) for site in self.terms.site_codes if site not in withheld)
        opened = Opened(reveals, tuple(shares), tuple(self.lists[site] for site in self.terms.site_codes))
        return replace(self.agreed, opened=opened)

    def hold(self, withheld: Sequence[str] = (), disclosing: Sequence[str] = ()) -> Draw:
        """The same, held."""
        return hold(self.open(withheld, disclosing))


def experts(site: str, count: int = 60) -> list[tuple[str, str]]:
    """Codes and specialities of a site's experts."""
    return [(f"{site[:2].upper()}-{n:05}", ("A01", "B0702", "C11")[n % 3]) for n in range(count)]


def story(
    lists: dict[str, ExpertList] | None = None,
    change: Callable[[Terms, dict[str, ExpertList]], Terms] = lambda terms, _: terms,
    keepers: Mapping[str, Sequence[str]] = KEEPERS,
) -> Story:
    """Everything up to the reveals; `keepers` says whose lists a member holds then."""
    offices = {code: Office.of(code) for code in MEMBERS}
    lists = lists or {site: ExpertList.of(site, experts(site)) for site in SITES}
    terms = Terms(
        chain_id=13013,
        tender="T-2026-001",
        round=1,
        previous=None,
        excluded=(),
        threshold=2,
        members=tuple(offices[code].member for code in MEMBERS),
        sites=tuple(lists[site].commit() for site in SITES),
        quotas=QUOTAS,
        recusals=tuple(sorted(lists["gansu"].commitments[at] for at in (0, 5))),
    )
    terms = change(terms, lists)
    values = {site: new_value() for site in terms.site_codes}
    deposits = tuple(deposit(terms, site, values[site], offices[site].sign) for site in terms.site_codes)

    def confirmed(code: str) -> Confirmation:
        kept = [lists[site] for site in terms.site_codes if site in keepers.get(code, ())]
        return confirm(Draw(terms, deposits), code, offices[code].key, offices[code].sign, kept)

    confirmations = tuple(map(confirmed, MEMBERS))
    return Story(offices, lists, terms, values, deposits, confirmations)


@cache
def told() -> Story:
    """One story for all tests that only read it."""
    return story()


@cache
def held() -> Draw:
    """That story's draw, all sites having revealed."""
    return told().hold()


def altered(draw: Draw, change: Callable[[Any], object]) -> bytes:
    """The draw's file after somebody has changed its JSON."""
    document = json.loads(draw.write())
    change(document)
    return json.dumps(document).encode()


def with_deposit(draw: Draw, at: int, changed: Deposit) -> Draw:
    """The draw with another deposit in one place."""
    return replace(draw, deposits=(*draw.deposits[:at], changed, *draw.deposits[at + 1 :]))
