"""The rounds of a tender's draw as the host's tables have them, put together again from their parts.

Promises the draw that `anchors.tenders.draw` reasons about, every part in its place. That the parts belong there was
seen when they came in; what of it may be told to whom is left to `room` and `routes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlmodel import Session, col, select

from anchors.commitment import Statement
from anchors.tenders.draw import (
    Confirmation,
    Disclosure,
    Draw,
    DrawFile,
    Opened,
    Panel,
    Seat,
    Terms,
)
from anchors.tenders.draw.parts import KINDS, Part, write_parts
from ledger_service.tenders.draws.tables import DrawPart, DrawRound

__all__ = ["Round", "draw_of", "find_round", "find_rounds", "row_of", "statements_of"]

LISTS: Final = "lists"  # the one of KINDS that nothing but a panel is made from


@dataclass(frozen=True, slots=True)
class Round:
    """A round as far as it has come."""

    row: DrawRound
    draw: Draw  # with what was opened, but without lists and seats
    listed: tuple[str, ...]  # the sites whose lists the host has

    @property
    def is_held(self) -> bool:
        """Whether something came of it, be it that nothing was drawn."""
        return self.row.sealed is not None

    @property
    def is_drawn(self) -> bool:
        """Whether it has a panel."""
        return self.row.seats is not None

    @property
    def is_void(self) -> bool:
        """Whether sites kept their values back, so that nothing was drawn."""
        return self.draw.result is not None and bool(self.draw.result.void)

    @property
    def opened(self) -> Opened:
        """The reveals and shares."""
        return self.draw.opened or Opened()

    @property
    def is_committed(self) -> bool:
        """Whether enough members have confirmed, so that values may be revealed; each part was checked when it came."""
        draw, terms = self.draw, self.draw.terms
        others = {site: [each for each in draw.confirmations if each.member != site] for site in terms.site_codes}
        return len(draw.deposits) == len(terms.sites) and all(
            len(found) >= terms.threshold and any(site in each.lists for each in found)
            for site, found in others.items()
        )

    @property
    def is_revealing(self) -> bool:
        """Whether somebody has revealed a value or a share, so that nothing before it can change."""
        return bool(self.opened.reveals or self.opened.shares)

    def panel(self) -> Panel:
        """Who was drawn."""
        return Panel(self.draw.terms.digest(), tuple(_read_seats(self.row)))

    def complete(self, session: Session) -> Draw:
        """All of it, with lists and seats; of a void draw without them, as it was held."""
        opened = self.opened
        lists = [] if self.is_void else _parts(session, self.row, _of_lists(), self.draw.terms)[LISTS]
        whole = Opened(opened.reveals, opened.shares, tuple(lists), tuple(_read_seats(self.row)))
        return Draw(self.draw.terms, self.draw.deposits, self.draw.confirmations, self.draw.result, whole)


def find_rounds(session: Session, tender: bytes) -> list[Round]:
    """All rounds of a tender, first to last."""
    rows = session.exec(select(DrawRound).where(DrawRound.tender == tender).order_by(col(DrawRound.round)))
    return [_round(session, row) for row in rows]


def find_round(session: Session, tender: bytes, number: int) -> Round | None:
    """One of them."""
    row = session.get(DrawRound, (tender, number))
    return None if row is None else _round(session, row)


def draw_of(session: Session, tender: bytes) -> tuple[bytes, ...]:
    """The files of a draw for an audit that everybody may read: once the panel is unsealed, and not before.

    Args:
        session: of the host's database.
        tender: its name.

    Returns:
        The last round that was held, sealed, after the void rounds right before it, which are open: nothing in them
        tells an expert. Before any other round the files end, since it proves nothing of the next without its lists.
    """
    held = [each for each in find_rounds(session, tender) if each.is_held]
    files: list[bytes] = []
    for each in reversed(held):
        if each.is_void:
            files.insert(0, each.complete(session).write())
        elif each is held[-1] and each.is_drawn:
            files.insert(0, each.draw.sealed().write())
        else:
            break
    return tuple(files)


def statements_of(session: Session) -> tuple[Statement, ...]:
    """What opens the leaves of the host's log that are evidence of draws, of whatever tender: everybody may have it."""
    rows = session.exec(select(DrawRound.statement).where(col(DrawRound.receipt).is_not(None))).all()
    return tuple(Statement.from_json(orjson.loads(row)) for row in rows if row is not None)


def row_of(tender: bytes, number: int, part: Part, now: int) -> DrawPart:
    """The row of a part."""
    (kind,), (site, member) = write_parts(part), _who(part)
    content = orjson.dumps(part.to_json())
    return DrawPart(tender=tender, round=number, kind=kind, site=site, member=member, content=content, received_at=now)


def _who(part: Part) -> tuple[str, str]:
    if isinstance(part, Confirmation):
        return "", part.member
    return part.site, part.member if isinstance(part, Disclosure) else ""


def _round(session: Session, row: DrawRound) -> Round:
    terms = Terms.from_json(orjson.loads(row.terms))
    parts = _parts(session, row, col(DrawPart.kind) != LISTS, terms)
    listed = session.exec(select(DrawPart.site).where(*_of(row), _of_lists())).all()
    result = None if row.sealed is None else DrawFile(row.sealed).result
    opened = Opened(tuple(parts["reveals"]), tuple(parts["shares"]))
    draw = Draw(terms, tuple(parts["deposits"]), tuple(parts["confirmations"]), result, opened)
    return Round(row, draw, tuple(site for site in terms.site_codes if site in listed))


def _parts(session: Session, row: DrawRound, which: Any, terms: Terms) -> dict[str, list[Any]]:
    """The parts by the names of their lists, in the order in which the draw's file has them."""
    found: dict[str, list[Any]] = {name: [] for name in KINDS}
    rows: Sequence[DrawPart] = session.exec(select(DrawPart).where(*_of(row), which)).all()
    sites, members = _places(terms.site_codes), _places(terms.member_codes)
    for each in sorted(rows, key=lambda each: (sites(each.site), members(each.member))):
        found[each.kind].append(KINDS[each.kind].from_json(orjson.loads(each.content), each.kind))
    return found


def _places(codes: Sequence[str]) -> Callable[[str], int]:
    return {"": -1, **{code: at for at, code in enumerate(codes)}}.__getitem__


def _of(row: DrawRound) -> tuple[Any, Any]:
    return DrawPart.tender == row.tender, DrawPart.round == row.round


def _of_lists() -> Any:
    return col(DrawPart.kind) == LISTS


def _read_seats(row: DrawRound) -> list[Seat]:
    return [] if row.seats is None else [Seat.from_json(each, "seats") for each in orjson.loads(row.seats)]
