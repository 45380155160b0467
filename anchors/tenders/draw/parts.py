"""The parts of a draw as they come in from its members, each added to what is there.

Promises that a part is added only where it belongs: by whom the terms name, on what stands, and before anything stands
on it. So a draw put together here is one that `anchors.tenders.draw.verdict` proves. A part that comes again takes the
place of its first, as long as it may.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from anchors.bounded_json import Fields, read_json
from anchors.errors import BadTerms, ConfirmationDiffers, PartLate, RevealTooEarly, TermsDiffer
from anchors.tenders.draw.acts import Confirmation, Deposit, Disclosure, Reveal, deposits_digest
from anchors.tenders.draw.ceremony import check_committed, check_deposits
from anchors.tenders.draw.experts import ExpertList
from anchors.tenders.draw.file import MAX_DRAW_BYTES, Draw, Opened
from anchors.tenders.draw.sharing import check_share, check_value
from anchors.tenders.draw.terms import MAX_MEMBERS

__all__ = ["KINDS", "Part", "add_part", "read_parts", "write_parts"]

Part: TypeAlias = Deposit | Confirmation | Reveal | Disclosure | ExpertList

KINDS: Final[Mapping[str, type[Any]]] = {
    "deposits": Deposit,
    "confirmations": Confirmation,
    "reveals": Reveal,
    "shares": Disclosure,
    "lists": ExpertList,
}
"""The kinds of parts by the names of their lists."""


def read_parts(data: bytes) -> tuple[Part, ...]:
    """Read parts of a draw.

    Args:
        data: a JSON object with any of the lists `deposits`, `confirmations`, `reveals`, `shares`, `lists`, as the
            draw's file has them.

    Raises:
        MalformedFile: it is none.
        BadExpert, PersonNamed, ExpertTwice: a list in it is none.
    """
    fields = Fields(read_json(data, MAX_DRAW_BYTES, 500_000), "", KINDS, may_lack=KINDS)
    return tuple(
        part
        for name, kind in KINDS.items()
        if name in fields.members
        for part in fields.each(name, MAX_MEMBERS, kind.from_json)
    )


def write_parts(*parts: Part) -> dict[str, object]:
    """The JSON object that `read_parts` reads."""
    written: dict[str, list[object]] = {}
    for part in parts:
        name = next(name for name, kind in KINDS.items() if isinstance(part, kind))
        written.setdefault(name, []).append(part.to_json())
    return dict(written)


def add_part(draw: Draw, part: Part) -> Draw:
    """Add a part to a draw that is being held.

    Args:
        draw: as far as it has come.
        part: from a member.

    Returns:
        The draw with it, every part in its place.

    Raises:
        PartLate: others stand on what was there without it.
        BadTerms: it is of nobody whom the terms name for it.
        BadDraw: it is not as it must be, in the way that its own error says.
    """
    if draw.result is not None:
        raise PartLate("part", "the draw was held")
    adding: Mapping[type[Any], Callable[[Draw, Any], Draw]] = {
        Deposit: _add_deposit,
        Confirmation: _add_confirmation,
        Reveal: _add_reveal,
        Disclosure: _add_disclosure,
        ExpertList: _add_list,
    }
    return adding[type(part)](draw, part)


def _add_deposit(draw: Draw, part: Deposit) -> Draw:
    if draw.confirmations:
        raise PartLate(f"deposit of {part.site}", "confirmations of the deposits that were there")
    terms = draw.terms
    _place(terms.site_codes, part.site)
    if part.terms != terms.digest():
        raise TermsDiffer(part.site)
    part.check_form(terms)
    part.check_signature(terms)
    others = [each for each in draw.deposits if each.site != part.site]
    return replace(draw, deposits=tuple(sorted((*others, part), key=lambda each: _place(terms.site_codes, each.site))))


def _add_confirmation(draw: Draw, part: Confirmation) -> Draw:
    terms, opened = draw.terms, draw.opened or Opened()
    if opened.reveals or opened.shares:
        raise PartLate(f"confirmation of {part.member}", "a reveal")
    check_deposits(terms, draw.deposits)
    if part.deposits != deposits_digest(draw.deposits):
        raise ConfirmationDiffers(part.member)
    part.check_signature(terms)
    others = [each for each in draw.confirmations if each.member != part.member]
    ordered = sorted((*others, part), key=lambda each: _place(terms.member_codes, each.member))
    return replace(draw, confirmations=tuple(ordered))


def _add_reveal(draw: Draw, part: Reveal) -> Draw:
    terms, opened = draw.terms, draw.opened or Opened()
    deposited = _check_after_all(draw, part)
    check_value(part.site, deposited.points, part.value)
    others = [each for each in opened.reveals if each.site != part.site]
    ordered = sorted((*others, part), key=lambda each: _place(terms.site_codes, each.site))
    return replace(draw, opened=replace(opened, reveals=tuple(ordered)))


def _add_disclosure(draw: Draw, part: Disclosure) -> Draw:
    terms, opened = draw.terms, draw.opened or Opened()
    deposited = _check_after_all(draw, part)
    if part.member == part.site:
        raise BadTerms(f"{part.site} holds no share of its own value")
    check_share(part.site, deposited.points, terms.number(part.member), part.member, part.share)
    others = [each for each in opened.shares if (each.site, each.member) != (part.site, part.member)]
    ordered = sorted((*others, part), key=lambda each: (_place(terms.site_codes, each.site), terms.number(each.member)))
    return replace(draw, opened=replace(opened, shares=tuple(ordered)))


def _add_list(draw: Draw, part: ExpertList) -> Draw:
    terms, opened = draw.terms, draw.opened or Opened()
    part.check(terms.sites[_place(terms.site_codes, part.site)])
    others = [each for each in opened.lists if each.site != part.site]
    ordered = sorted((*others, part), key=lambda each: _place(terms.site_codes, each.site))
    return replace(draw, opened=replace(opened, lists=tuple(ordered)))


def _check_after_all(draw: Draw, part: Reveal | Disclosure) -> Deposit:
    """The deposit that the part is of, once the part is known to name all that stood before."""
    if part.committed != check_committed(draw.terms, draw.deposits, draw.confirmations):
        raise RevealTooEarly(part.actor, part.act)
    part.check_signature(draw.terms)
    return draw.deposits[_place(draw.terms.site_codes, part.site)]


def _place(codes: list[str], code: str) -> int:
    if code not in codes:
        raise BadTerms(f"{code} has no part in this")
    return codes.index(code)
