"""The draw of experts in the third act: two sites and a third member draw a panel at the host's API.

What a member makes with its keys, it makes by the command line; its files lie in a folder of its own, and its officer
signs with its own key. The host learns who was drawn; everybody else sees the sealed file alone until the award.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anchors.tenders.draw import ExpertList
from anchors.tenders.draw.parts import read_parts
from ledger_service.demo.members import Alliance, together, write
from ledger_service.demo.processes import bidledger
from ledger_service.tenders.draws.client import DrawClient

__all__ = ["Ceremony", "Drawn"]

ROUND: Final = 1
EXPERTS: Final = 60  # of each site
SPECIALITIES: Final = ("A01", "B0702")  # of the sites, in their order, as are the seats
SEATS: Final = (3, 2)
THRESHOLD: Final = 2  # shares that give a value which a site keeps back


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draw that was held, as the host knows it until the award."""

    sealed: Path  # the file that is logged
    digest: str
    seats: dict[str, int]  # how many experts of each site
    seal: str  # what stands for the panel at the evaluation
    panel: dict[str, Any]  # what the award unseals


@dataclass(frozen=True, slots=True)
class Ceremony:
    """Who draws, and for which tender.

    Args:
        alliance: whose members take part.
        sites: the codes of those whose experts are drawn, the host first.
        keeper: the code of a member that has no site, and keeps the lists beside the host.
        tender: its name.
        where: where files go.
    """

    alliance: Alliance
    sites: Sequence[str]
    keeper: str
    tender: str
    where: Path

    def hold(self, chain_id: int) -> Drawn:
        """Draw a panel, from the lists to the sealed file, all experts of which will sign the report."""
        lists = together(self._list, self.sites)
        members = together(self._member, (*self.sites, self.keeper))
        with self._at_host() as host:
            host.begin(self.tender, self._terms(chain_id, lists, members))
            for parts in (self._commit, self._confirm, self._reveal):
                _keep(self._file, host.sealed(self.tender, ROUND))
                self._send(host, parts())
            digest = host.conclude(self.tender, ROUND, void=False)["digest"]
            sealed = _keep(self.where / "sealed.json", host.sealed(self.tender, ROUND))
            told = _keep(self.where / "seats.json", host.drawn(self.tender, ROUND).write())
        signers = [option for seat in range(1, sum(SEATS) + 1) for option in ("--signer", str(seat))]
        panel = json.loads(_draw("panel", told, *signers))
        return Drawn(sealed, digest, dict(zip(self.sites, SEATS, strict=True)), panel["sealed"], panel["panel"])

    def open(self) -> Path:
        """The open file, with the values and the lists, once the award is final."""
        with self._at_host() as host:
            return _keep(self.where / "open.json", host.opened(self.tender, ROUND))

    def _terms(self, chain_id: int, lists: list[Any], members: list[Any]) -> dict[str, Any]:
        quotas = [
            {"site": site, "speciality": speciality, "count": count}
            for site, speciality, count in zip(self.sites, SPECIALITIES, SEATS, strict=True)
        ]
        return {
            **{"chain_id": chain_id, "tender": self.tender, "round": ROUND, "previous": None, "excluded": []},
            **{"threshold": THRESHOLD, "members": members, "sites": lists, "quotas": quotas},
            "recusals": [self._recused(self.sites[0])],
        }

    # ---- what a member does ----

    def _list(self, site: str) -> Any:
        lines = (f"{site.upper()[:2]}-{n:04},{SPECIALITIES[n % len(SPECIALITIES)]}" for n in range(EXPERTS))
        experts = write(self.where / site / "experts.csv", "\n".join(lines) + "\n")
        return json.loads(_draw("list", site, experts, "--out", self._list_file(site)))

    def _member(self, code: str) -> dict[str, str]:
        keys = self.alliance.members[code].keys
        (self.where / code).mkdir(parents=True, exist_ok=True)
        made = _draw("key", self._share_key(code), "--password-file", keys.password_file)
        return {"member": code, "officer": f"0x{keys.addresses['tender-officer'].hex()}", **json.loads(made)}

    def _recused(self, site: str) -> str:
        """The first expert of a site, who has an interest in a bidder; the site alone can say which word it is."""
        (experts,) = read_parts(self._list_file(site).read_bytes())
        assert isinstance(experts, ExpertList)  # noqa: S101  # as the command wrote it
        return f"0x{experts.commitments[0].hex()}"

    def _commit(self) -> list[Path]:
        def commit(site: str) -> Path:
            return self._part(site, "commit", *self._as_site(site), "--list", self._list_file(site))

        return together(commit, self.sites)

    def _confirm(self) -> list[Path]:
        def confirm(code: str) -> Path:
            kept = self.sites if code in (self.sites[0], self.keeper) else ()
            lists = [option for site in kept for option in ("--list", self._list_file(site))]
            return self._part(code, "confirm", "--member", code, "--key", self._share_key(code), *lists)

        return [*together(confirm, (*self.sites, self.keeper)), *map(self._list_file, self.sites)]

    def _reveal(self) -> list[Path]:
        return together(lambda site: self._part(site, "reveal", *self._as_site(site)), self.sites)

    def _part(self, code: str, command: str, *options: str | Path) -> Path:
        """What a member's officer made, in a file for the host."""
        officer = self.alliance.members[code].signing("tender-officer")
        return write(self.where / code / f"{command}.json", _draw(command, self._file, *options, *officer))

    # ---- files, and the host ----

    @property
    def _file(self) -> Path:
        """The draw as everybody may see it, as far as it has come."""
        return self.where / "draw.json"

    def _as_site(self, site: str) -> tuple[str | Path, ...]:
        return ("--site", site, "--value", self.where / site / "value.json")

    def _list_file(self, site: str) -> Path:
        return self.where / site / "list.json"

    def _share_key(self, code: str) -> Path:
        return self.where / code / "share-key.json"

    def _at_host(self) -> DrawClient:
        host = self.alliance.members[self.sites[0]]
        return DrawClient(host.url, host.api_key_file)

    def _send(self, host: DrawClient, files: Sequence[Path]) -> None:
        for part in (part for file in files for part in read_parts(file.read_bytes())):
            host.send(self.tender, ROUND, part)


def _draw(command: str, *arguments: str | Path) -> str:
    return bidledger("draw", command, *arguments, quiet=True)


def _keep(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file
