"""The ordered verifier of a draw: from its file to the panel, or to the step at which it is not what it says.

Promises a verdict for any bytes, never an exception: the first step that fails ends the matter and is named. A sealed
file is judged as far as it goes. That the officers of the terms had their role, and that the file is the one whose
digest was logged and named by the evaluation, is left to the chain: the verdict gives the digest to compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from anchors.errors import (
    ConfirmationDiffers,
    DrawVoid,
    MalformedFile,
    NothingDrawn,
    PanelDiffers,
    RecusedDrawn,
    ResultDiffers,
    RevealTooEarly,
    SealDiffers,
    SeatTwice,
    SitesOutOfOrder,
    TermsDiffer,
    TooFewConfirmations,
)
from anchors.steps import Refuted, Run, Step
from anchors.tenders.draw.acts import Deposit, Disclosure, Reveal, committed_digest, deposits_digest
from anchors.tenders.draw.experts import ExpertList
from anchors.tenders.draw.file import Draw, DrawFile, Opened, Result
from anchors.tenders.draw.panel import Panel, Seat, draw, recused_codes
from anchors.tenders.draw.sharing import check_share, check_value, recover_value
from anchors.tenders.draw.terms import Terms

__all__ = ["STEPS", "DrawState", "DrawVerdict", "hold", "recover_values", "replay"]

STEPS = ("terms", "commitments", "shares", "reveals", "lists", "recusals", "panel", "seal")


class DrawState(StrEnum):
    """What a file shows."""

    DRAWN = "drawn"  # this panel was drawn, and no other could be
    SEALED = "sealed"  # all is as it must be as far as the file is open; it does not tell the panel
    VOID = "void"  # sites kept their values back, and nothing is drawn
    REFUTED = "refuted"  # it is not what it says


@dataclass(frozen=True, slots=True)
class DrawVerdict:
    """What a file shows, or the step, its last, at which it fails."""

    steps: tuple[Step, ...]
    state: DrawState
    digest: bytes | None = None  # of the draw, 32 bytes; to be held against the log and the evaluation
    tender: str | None = None
    root: bytes | None = None  # what the panel is sealed under, 32 bytes
    panel: Panel | None = None
    void: tuple[str, ...] = ()  # the sites that kept their values back

    @property
    def proven(self) -> bool:
        """Whether every step holds: a panel is proven, or sealed under a root."""
        return self.state in (DrawState.DRAWN, DrawState.SEALED)

    def as_json(self) -> dict[str, object]:
        """The verdict as `bidledger draw replay --json` prints it."""
        return {
            "verdict": self.state.value,
            "steps": [each.as_json() for each in self.steps],
            "digest": _hex(self.digest),
            "tender": self.tender,
            "panel_root": _hex(self.root),
            "panel": None if self.panel is None else [seat.to_json() for seat in self.panel.seats],
            "words": None if self.panel is None else [_hex(word) for word in self.panel.words],
            "void": list(self.void),
        }


def replay(data: bytes) -> DrawVerdict:
    """Hold a draw again from its file.

    Args:
        data: the file, from anyone.

    Returns:
        What it shows: a panel, a sealed panel, a void draw, or the step that failed.
    """
    run = Run()
    try:
        return _prove(run, data)
    except Refuted as refuted:
        steps, void = tuple(run.steps), refuted.__cause__
        if not isinstance(void, DrawVoid):
            return DrawVerdict(steps, DrawState.REFUTED)
        file = DrawFile(data)
        return DrawVerdict(steps, DrawState.VOID, file.digest(), file.terms.tender, void=void.sites)


def hold(agreed: Draw, opened: Opened) -> Draw:
    """Hold a draw: from what the sites gave to its result.

    Args:
        agreed: the terms, all deposits and confirmations.
        opened: the reveals, the shares of values that were kept back, and the lists; seats in it are not looked at.

    Returns:
        The whole draw, open. By what is in it `replay` proves it; nothing is checked here but that the lists can fill
        the quotas and the shares give values.

    Raises:
        RecusalUnknown: a recused expert is on no list.
        QuotaNotMet: too few experts are left for a quota.
    """
    terms, deposits = agreed.terms, agreed.deposits
    try:
        values = recover_values(terms, deposits, opened.reveals, opened.shares)
    except DrawVoid as void:
        told = replace(opened, lists=(), seats=())
        return replace(agreed, result=Result(None, void.sites), opened=told)
    panel = draw(terms, deposits_digest(deposits), values, opened.lists)
    return replace(agreed, result=Result(panel.root, ()), opened=replace(opened, seats=panel.seats))


def recover_values(
    terms: Terms, deposits: Sequence[Deposit], reveals: Sequence[Reveal], shares: Sequence[Disclosure]
) -> tuple[bytes, ...]:
    """The value of every site, revealed or recovered from shares.

    Args:
        terms: of the draw.
        deposits: of all sites, in their order.
        reveals: in that order; each is of its deposit's value.
        shares: of the values of sites that did not reveal; each fits its deposit.

    Returns:
        32 bytes each, in the order of the sites.

    Raises:
        DrawVoid: sites did not reveal, and there are too few shares of their values.
    """
    values = {each.site: each.value for each in reveals}
    missing: dict[str, int] = {}
    for site in terms.site_codes:
        if site not in values:
            held = {terms.number(each.member): each.share for each in shares if each.site == site}
            values[site] = recover_value(held)
            if len(held) < terms.threshold:
                missing[site] = len(held)
    if missing:
        raise DrawVoid(missing, terms.threshold)
    return tuple(values[each.site] for each in deposits)


def _prove(run: Run, data: bytes) -> DrawVerdict:
    file = run.need("terms", DrawFile, data)
    terms = run.step("terms", _tell_terms, file)
    deposits = run.step("commitments", _prove_deposits, file, terms)
    committed = run.step("shares", _prove_shares, file, terms, deposits)
    result = run.need("panel", lambda: file.result)
    digest = run.need("panel", file.digest)
    if file.is_sealed:
        root = run.step("seal", _tell_seal, result)
        return DrawVerdict(tuple(run.steps), DrawState.SEALED, digest, terms.tender, root)
    values = run.step("reveals", _prove_values, file, terms, deposits, committed, result)
    lists = run.step("lists", _prove_lists, file, terms)
    seats = run.step("recusals", _prove_recusals, file, terms, lists)
    panel = run.step("panel", _prove_panel, terms, deposits, values, lists, seats)
    run.step("seal", _prove_seal, result, panel)
    return DrawVerdict(tuple(run.steps), DrawState.DRAWN, digest, terms.tender, panel.root, panel)


def _tell_terms(file: DrawFile) -> tuple[Terms, str]:
    terms = file.terms
    return terms, (
        f"round {terms.round} for {terms.tender}: {terms.seats} seats from {', '.join(terms.site_codes)}, "
        f"{len(terms.recusals)} recused; terms 0x{terms.digest().hex()}"
    )


def _prove_deposits(file: DrawFile, terms: Terms) -> tuple[tuple[Deposit, ...], str]:
    deposits = file.deposits
    _check_order("the deposits", terms.site_codes, [each.site for each in deposits])
    digest = terms.digest()
    for each in deposits:
        if each.terms != digest:
            raise TermsDiffer(each.site)
        each.check_form(terms)
        each.check_signature(terms)
    return deposits, "every site committed, for these terms, to a list and to a value"


def _prove_shares(file: DrawFile, terms: Terms, deposits: Sequence[Deposit]) -> tuple[bytes, str]:
    confirmations = file.confirmations
    who = [each.member for each in confirmations]
    _check_order("the confirmations", [code for code in terms.member_codes if code in who], who)
    digest = deposits_digest(deposits)
    for each in confirmations:
        if each.deposits != digest:
            raise ConfirmationDiffers(each.member)
        each.check_signature(terms)
    for site in terms.site_codes:
        others = sum(member != site for member in who)
        if others < terms.threshold:
            raise TooFewConfirmations(site, others, terms.threshold)
    committed = committed_digest(deposits, confirmations)
    if not file.is_sealed:
        _check_disclosed(file.shares, terms, deposits)
    return committed, f"{', '.join(who)} opened their shares, any {terms.threshold} of which give a value"


def _check_disclosed(shares: Sequence[Disclosure], terms: Terms, deposits: Sequence[Deposit]) -> None:
    points = {each.site: each.points for each in deposits}
    expected = [(site, member) for site in terms.site_codes for member in terms.member_codes if member != site]
    found = [(each.site, each.member) for each in shares]
    places = [pair for pair in expected if pair in found]
    _check_order("the shares", [f"{member} for {site}" for site, member in places], [f"{m} for {s}" for s, m in found])
    for each in shares:
        check_share(each.site, points[each.site], terms.number(each.member), each.member, each.share)


def _prove_values(
    file: DrawFile, terms: Terms, deposits: Sequence[Deposit], committed: bytes, result: Result | None
) -> tuple[tuple[bytes, ...], str]:
    reveals, shares = file.reveals, file.shares
    who = [each.site for each in reveals]
    _check_order("the reveals", [site for site in terms.site_codes if site in who], who)
    acts: tuple[Reveal | Disclosure, ...] = (*reveals, *shares)
    for act in acts:
        if act.committed != committed:
            raise RevealTooEarly(act.actor, act.act)
        act.check_signature(terms)
    points = {each.site: each.points for each in deposits}
    for each in reveals:
        check_value(each.site, points[each.site], each.value)
    try:
        values = recover_values(terms, deposits, reveals, shares)
    except DrawVoid as void:
        if result is None or result.void != void.sites:
            raise ResultDiffers(() if result is None else result.void, void.sites) from void
        raise
    if result is not None and result.void:
        raise ResultDiffers(result.void, ())
    recovered = [site for site in terms.site_codes if site not in who]
    told = f", {', '.join(recovered)} kept back and recovered from shares" if recovered else ""
    return values, f"{', '.join(who) or 'nobody'} revealed the committed values{told}"


def _prove_lists(file: DrawFile, terms: Terms) -> tuple[tuple[ExpertList, ...], str]:
    lists = file.lists
    _check_order("the lists", terms.site_codes, [each.site for each in lists])
    for each, commitment in zip(lists, terms.sites, strict=True):
        each.check(commitment)
    told = ", ".join(f"{each.site} {each.count}" for each in terms.sites)
    return lists, f"the lists are those that were committed to: {told} experts"


def _prove_recusals(file: DrawFile, terms: Terms, lists: Sequence[ExpertList]) -> tuple[tuple[Seat, ...], str]:
    recused, seats = recused_codes(terms.recusals, lists), file.seats
    for seat in seats:
        if seat.expert.code in recused:
            raise RecusedDrawn(seat.number)
    return seats, f"none of the {len(recused)} recused has a seat"


def _prove_panel(
    terms: Terms,
    deposits: Sequence[Deposit],
    values: Sequence[bytes],
    lists: Sequence[ExpertList],
    seats: Sequence[Seat],
) -> tuple[Panel, str]:
    panel = draw(terms, deposits_digest(deposits), values, lists)
    codes: set[str] = set()
    for seat in seats:
        if seat.expert.code in codes:
            raise SeatTwice(seat.number)
        codes.add(seat.expert.code)
    for number in range(max(len(panel.seats), len(seats))):
        if panel.seats[number : number + 1] != tuple(seats[number : number + 1]):
            raise PanelDiffers(number + 1)
    return panel, f"HMAC-DRBG, seeded with these {len(values)} values, draws these {len(seats)} experts"


def _prove_seal(result: Result | None, panel: Panel) -> tuple[None, str]:
    if result is None:
        raise NothingDrawn
    if result.panel != panel.root:
        raise SealDiffers
    return None, f"the panel was sealed under 0x{panel.root.hex()}"


def _tell_seal(result: Result | None) -> tuple[bytes, str]:
    if result is None:
        raise NothingDrawn
    if result.panel is None:
        raise MalformedFile("opened", "is null, and a void draw has nothing to seal")
    return result.panel, f"the panel is sealed under 0x{result.panel.hex()}, and this file does not tell it"


def _check_order(where: str, expected: Sequence[str], found: Sequence[str]) -> None:
    if list(expected) != list(found):
        raise SitesOutOfOrder(where, expected, found)


def _hex(data: bytes | None) -> str | None:
    return None if data is None else f"0x{data.hex()}"
