"""The ordered verifier of a draw: from its file to the panel, or to the step at which it is not what it says.

Promises a verdict for any bytes, never an exception: the first step that fails ends the matter and is named. A sealed
file is judged as far as it goes. That the officers of the terms had their role, and that the file is the one whose
digest was logged and named by the evaluation, is left to the chain: the verdict gives the digest to compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from anchors.errors import (
    DrawVoid,
    MalformedFile,
    NothingDrawn,
    NotNextRound,
    QuotaNotMet,
    RecusedDrawn,
    ResultDiffers,
    RevealTooEarly,
    SealDiffers,
    SeatDiffers,
    SeatTwice,
)
from anchors.steps import Refuted, Run, Step
from anchors.tenders.draw.acts import Deposit, Disclosure, Reveal, deposits_digest
from anchors.tenders.draw.ceremony import check_committed, check_deposits, check_order, recover_values
from anchors.tenders.draw.experts import ExpertList
from anchors.tenders.draw.file import DrawFile, Result
from anchors.tenders.draw.panel import Panel, Seat, draw, recused_codes
from anchors.tenders.draw.sharing import check_share, check_value
from anchors.tenders.draw.terms import Terms

__all__ = ["STEPS", "DrawState", "DrawVerdict", "check_next_round", "replay"]

STEPS = ("terms", "commitments", "shares", "reveals", "lists", "recusals", "panel", "seal")


class DrawState(StrEnum):
    """What a file shows."""

    DRAWN = "drawn"  # this panel was drawn, and no other could be
    SEALED = "sealed"  # all is as it must be as far as the file is open; it does not tell the panel
    VOID = "void"  # sites kept their values back, and nothing is drawn
    SHORT = "short"  # the lists cannot fill the quotas, and nothing is drawn
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


def replay(data: bytes, earlier: Sequence[bytes] = ()) -> DrawVerdict:
    """Hold a draw again from its file.

    Args:
        data: the file, from anyone.
        earlier: the files of the rounds before it, first to last; none takes the terms' word for them.

    Returns:
        What it shows: a panel, a sealed panel, why nothing was drawn, or the step that failed.
    """
    run = Run()
    try:
        return _prove(run, data, earlier)
    except Refuted as refuted:
        return _nothing_drawn(tuple(run.steps), data, refuted.__cause__)


def check_next_round(terms: Terms, earlier: Sequence[bytes]) -> str:
    """Check that a round follows one that drew nothing, without those by whom it was void, or fills seats that were
    left empty.

    Args:
        terms: of the round.
        earlier: the files of the rounds before it, first to last; at least one.

    Returns:
        After what it is, as a sentence goes on.

    Raises:
        NotNextRound: it does not follow from the last of them.
    """
    verdict = replay(earlier[-1], earlier[:-1])
    if verdict.digest is None or verdict.state is DrawState.SEALED:
        raise NotNextRound(f"that draw is {verdict.state.value}")
    before = DrawFile(earlier[-1]).terms
    drawn = verdict.panel.seats if verdict.panel else ()
    problems = (
        (terms.previous != verdict.digest, "its terms name another"),
        ((terms.chain_id, terms.tender) != (before.chain_id, before.tender), "that is of another tender"),
        (terms.round != before.round + 1, f"that is round {before.round}"),
        (not {*before.excluded, *verdict.void} <= {*terms.excluded}, "a site that kept its value back is not excluded"),
        (not {seat.expert.commitment() for seat in drawn} <= {*terms.recusals}, "who has a seat can be drawn again"),
    )
    for wrong, what in problems:
        if wrong:
            raise NotNextRound(what)
    return f"; after round {before.round}, {verdict.state.value}" + (
        f" by {', '.join(verdict.void)}" * bool(verdict.void)
    )


def _prove(run: Run, data: bytes, earlier: Sequence[bytes]) -> DrawVerdict:
    file = run.need("terms", DrawFile, data)
    terms = run.step("terms", _prove_terms, file, earlier)
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


def _nothing_drawn(steps: tuple[Step, ...], data: bytes, why: BaseException | None) -> DrawVerdict:
    """The verdict on a file that proves no panel: as it says, for a reason that holds, or not what it says."""
    if isinstance(why, DrawVoid):
        file = DrawFile(data)
        return DrawVerdict(steps, DrawState.VOID, file.digest(), file.terms.tender, void=why.sites)
    if isinstance(why, QuotaNotMet) and (file := DrawFile(data)).result is None:
        return DrawVerdict(steps, DrawState.SHORT, file.digest(), file.terms.tender)
    return DrawVerdict(steps, DrawState.REFUTED)


def _prove_terms(file: DrawFile, earlier: Sequence[bytes]) -> tuple[Terms, str]:
    terms = file.terms
    told = (
        f"round {terms.round} for {terms.tender}: {terms.seats} seats from {', '.join(terms.site_codes)}, "
        f"{len(terms.recusals)} recused; terms 0x{terms.digest().hex()}"
    )
    if earlier:
        return terms, told + check_next_round(terms, earlier)
    if terms.previous is not None:
        told += f"; after the draw 0x{terms.previous.hex()}, which was not looked at"
    return terms, told


def _prove_deposits(file: DrawFile, terms: Terms) -> tuple[tuple[Deposit, ...], str]:
    check_deposits(terms, file.deposits)
    return file.deposits, "every site committed, for these terms, to a list and to a value"


def _prove_shares(file: DrawFile, terms: Terms, deposits: Sequence[Deposit]) -> tuple[bytes, str]:
    committed = check_committed(terms, deposits, file.confirmations)
    if not file.is_sealed:
        _check_disclosed(file.shares, terms, deposits)
    who = ", ".join(each.member for each in file.confirmations)
    told = f"{who} opened their shares, any {terms.threshold} of which give a value, and others hold every site's list"
    return committed, told


def _check_disclosed(shares: Sequence[Disclosure], terms: Terms, deposits: Sequence[Deposit]) -> None:
    points = {each.site: each.points for each in deposits}
    expected = [(site, member) for site in terms.site_codes for member in terms.member_codes if member != site]
    found = [(each.site, each.member) for each in shares]
    places = [pair for pair in expected if pair in found]
    check_order("the shares", [f"{member} for {site}" for site, member in places], [f"{m} for {s}" for s, m in found])
    for each in shares:
        check_share(each.site, points[each.site], terms.number(each.member), each.member, each.share)


def _prove_values(
    file: DrawFile, terms: Terms, deposits: Sequence[Deposit], committed: bytes, result: Result | None
) -> tuple[tuple[bytes, ...], str]:
    reveals, shares = file.reveals, file.shares
    who = [each.site for each in reveals]
    check_order("the reveals", [site for site in terms.site_codes if site in who], who)
    acts: tuple[Reveal | Disclosure, ...] = (*reveals, *shares)
    for act in acts:
        if act.committed != committed:
            raise RevealTooEarly(act.actor, act.act)
        act.check_signature(terms)
    points = {each.site: each.points for each in deposits}
    for each in reveals:
        check_value(each.site, points[each.site], each.value)
    try:
        values = recover_values(terms, reveals, shares)
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
    check_order("the lists", terms.site_codes, [each.site for each in lists])
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
            raise SeatDiffers(number + 1)
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


def _hex(data: bytes | None) -> str | None:
    return None if data is None else f"0x{data.hex()}"
