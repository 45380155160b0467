"""A draw of experts held at the host's API by the people of three sites and a fourth member, with their real keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from founding import CODES
from holding import Holding

from anchors.tenders.draw import (
    Draw,
    DrawFile,
    ExpertList,
    Member,
    Opened,
    Quota,
    Sign,
    Terms,
    confirm,
    deposit,
    disclose,
    new_value,
    reveal,
)
from anchors.tenders.draw.parts import Part, read_parts, write_parts

SITES = CODES[:3]
KEEPERS = {"chongqing": SITES, "yunnan": SITES}
SPECIALITIES = ("A01", "B0702")


def experts(site: str, count: int = 24) -> list[tuple[str, str]]:
    """Codes and specialities of a site's experts."""
    return [(f"{site[:2].upper()}-{n:05}", SPECIALITIES[n % 2]) for n in range(count)]


@dataclass
class Drawing:
    """What the people of the members do in one tender's draw."""

    holding: Holding
    tender: str  # its path
    number: int = 1
    keys: dict[str, X25519PrivateKey] = field(default_factory=dict)
    lists: dict[str, ExpertList] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = self.keys or {code: X25519PrivateKey.generate() for code in CODES}
        self.lists = self.lists or {site: ExpertList.of(site, experts(site)) for site in SITES}

    # ---- what they agree on ----

    @property
    def plain(self) -> Terms:
        """Terms under which nothing is wrong."""
        return Terms(
            chain_id=self.holding.founded.network.chain_id,
            tender=self.tender[-66:],
            round=1,
            previous=None,
            excluded=(),
            threshold=2,
            members=tuple(self.member(code) for code in CODES),
            sites=tuple(self.lists[site].commit() for site in SITES),
            quotas=(Quota("chongqing", "A01", 2), Quota("sichuan", "A01", 2), Quota("guizhou", "B0702", 1)),
            recusals=(self.lists["chongqing"].commitments[0],),
        )

    def member(self, code: str) -> Member:
        officer = self.holding.founded.opened[CODES.index(code) + 1, "tender-officer"]
        return Member(code, officer.address, self.keys[code].public_key().public_bytes_raw())

    def sign(self, code: str) -> Sign:
        return self.holding.founded.opened[CODES.index(code) + 1, "tender-officer"].sign

    # ---- asking ----

    @property
    def path(self) -> str:
        return f"{self.tender}/draws/{self.number}"

    def post(self, path: str, body: object, key: str | None = "officer") -> httpx.Response:
        return self.holding.ask(path, body, key)

    def get(self, path: str = "", key: str | None = None) -> httpx.Response:
        self.holding.follow()
        headers = {} if key is None else {"authorization": f"Bearer secret-{key}"}
        return self.holding.room.client.get(self.path + path, headers=headers)

    def begin(self, terms: Terms | None = None, key: str | None = "operator") -> httpx.Response:
        return self.post(f"{self.tender}/draws", (terms or self.plain).to_json(), key)

    def send(self, part: Part, key: str | None = "officer") -> httpx.Response:
        (kind,) = write_parts(part)
        return self.post(f"{self.path}/{kind}", part.to_json(), key)

    def conclude(self, key: str | None = "host", **body: object) -> httpx.Response:
        return self.post(f"{self.path}/result", body, key)

    def told(self) -> dict[str, Any]:
        answer = self.get()
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def file(self) -> Draw:
        """The draw as a member fetches it: sealed, with what was revealed."""
        draw = DrawFile(self.get("/file").content).draw()
        parts = read_parts(self.get("/reveals", "officer").content)
        return replace(draw, opened=Opened(*(tuple(_of(parts, name)) for name in ("reveals", "shares"))))

    # ---- parts ----

    def deposit(self, site: str) -> Part:
        self.values.setdefault(site, new_value())
        return deposit(self.file().terms, site, self.values[site], self.sign(site))

    def confirmation(self, code: str, keepers: Any = KEEPERS) -> Part:
        draw = self.file()
        kept = [self.lists[site] for site in draw.terms.site_codes if site in keepers.get(code, ())]
        return confirm(draw, code, self.keys[code], self.sign(code), kept)

    def reveal(self, site: str) -> Part:
        return reveal(self.file(), site, self.values[site], self.sign(site))

    def share(self, site: str, code: str) -> Part:
        return disclose(self.file(), site, code, self.keys[code], self.sign(code))

    # ---- all of a step ----

    def done(self, answers: Iterable[httpx.Response]) -> None:
        for answer in answers:
            assert answer.status_code in (200, 201), answer.text

    def deposited(self, terms: Terms | None = None) -> "Drawing":
        """Begun, and every site has deposited."""
        self.done([self.begin(terms)])
        self.done(self.send(self.deposit(site)) for site in self.file().terms.site_codes)
        return self

    def committed(self, terms: Terms | None = None) -> "Drawing":
        """And all have confirmed, and the host has every list."""
        self.deposited(terms)
        self.done(self.send(self.confirmation(code)) for code in CODES)
        self.done(self.send(self.lists[site]) for site in self.file().terms.site_codes)
        return self

    def revealed(self, *sites: str) -> "Drawing":
        """And these sites, or all, have revealed."""
        self.committed()
        self.done(self.send(self.reveal(site)) for site in sites or SITES)
        return self

    def held(self) -> "Drawing":
        """And the draw is held and logged."""
        self.revealed()
        self.done([self.conclude()])
        return self

    def secrets(self) -> Sequence[str]:
        """What nobody may tell before the award: values, the lists' keys and codes."""
        codes = [code for each in self.lists.values() for code in each]
        return (
            [value.hex() for value in self.values.values()] + [each.key.hex() for each in self.lists.values()] + codes
        )


def _of(parts: Sequence[Part], name: str) -> list[Any]:
    return [part for part in parts if name in write_parts(part)]
