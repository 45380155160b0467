"""A client of the host's API for those who take part in a draw: parts out, and what each may have of it back.

Promises that a file which is said to have a digest has it. What the parts prove is for `anchors.tenders.draw`.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from anchors.bounded_json import read_json
from anchors.errors import AnchorsError
from anchors.tenders.draw import MAX_DRAW_BYTES, Disclosure, Draw, DrawFile, Opened, Reveal, Seat
from anchors.tenders.draw.parts import Part, read_parts, write_parts
from ledger_service.connection import Connection
from ledger_service.errors import InvalidContent, NotFound

__all__ = ["DrawClient", "Told"]

Told: TypeAlias = dict[str, Any]  # JSON values as the API gave them
_MOST_ANSWER: Final = 4 << 20


class DrawClient(Connection):
    """One connection to the host's API; the arguments are those of `Connection`.

    Every method raises ServiceError: the API's refusal, or Unavailable where nobody answers or not in JSON.
    """

    def rounds(self, tender: str) -> list[Told]:
        """How the rounds of a tender's draw stand, first to last."""
        draws: list[Told] = self.ask_json("GET", _path(tender), _MOST_ANSWER).get("draws", [])
        return draws

    def last(self, tender: str) -> int:
        """The number of the last round; raises NotFound where there is none."""
        rounds = self.rounds(tender)
        if not rounds:
            raise NotFound(f"{self.url} has no draw of the tender {tender[:80]}.")
        return int(rounds[-1]["round"])

    def round(self, tender: str, number: int) -> Told:
        """How one of them stands."""
        return self.ask_json("GET", _path(tender, number))

    def begin(self, tender: str, terms: Mapping[str, object]) -> Told:
        """Begin a round; how it stands."""
        return self.ask_json("POST", _path(tender), json=dict(terms))

    def send(self, tender: str, number: int, part: Part) -> Told:
        """Send a part; how the round stands."""
        (kind,) = write_parts(part)
        return self.ask_json("POST", f"{_path(tender, number)}/{kind}", json=part.to_json())

    def conclude(self, tender: str, number: int, *, void: bool) -> Told:
        """Have the draw held and logged; how the round stands."""
        return self.ask_json("POST", f"{_path(tender, number)}/result", json={"void": void})

    def sealed(self, tender: str, number: int) -> bytes:
        """The sealed file as far as the draw has come.

        Raises:
            InvalidContent: it is not the one whose digest the API tells.
        """
        file = self.ask("GET", f"{_path(tender, number)}/file", MAX_DRAW_BYTES).content
        digest = self.round(tender, number).get("digest")
        if digest is not None and digest != "0x" + sha256(file).hexdigest():
            raise InvalidContent(f"{self.url} gives another file than the one whose digest it tells.")
        return file

    def revealed(self, tender: str, number: int) -> Draw:
        """The draw with what was revealed, for its members."""
        parts = read_parts(self.ask("GET", f"{_path(tender, number)}/reveals", MAX_DRAW_BYTES).content)
        reveals = tuple(part for part in parts if isinstance(part, Reveal))
        shares = tuple(part for part in parts if isinstance(part, Disclosure))
        return replace(DrawFile(self.sealed(tender, number)).draw(), opened=Opened(reveals, shares))

    def drawn(self, tender: str, number: int) -> Draw:
        """The draw with its seats and without lists, for the host's operator.

        Raises:
            InvalidContent: the seats cannot be read.
        """
        told = self.ask_json("GET", f"{_path(tender, number)}/seats")
        try:
            seats = tuple(Seat.from_json(each, "seats") for each in told.get("seats") or ())
        except AnchorsError as error:
            raise InvalidContent(f"{self.url}: {error.diagnostics()}") from error
        return replace(DrawFile(self.sealed(tender, number)).draw(), opened=Opened(seats=seats))

    def opened(self, tender: str, number: int) -> bytes:
        """The open file, for the host's operator once the award is final."""
        return self.ask("GET", f"{_path(tender, number)}/opened", MAX_DRAW_BYTES).content

    def seat(self, tender: str, number: int, seat: int) -> object:
        """The proof of one seat, for everybody once the award is final."""
        return read_json(self.ask("GET", f"{_path(tender, number)}/seats/{seat}").content)


def _path(tender: str, number: int | None = None) -> str:
    path = f"/v1/tenders/{quote(tender, safe='')}/draws"
    return path if number is None else f"{path}/{number}"
