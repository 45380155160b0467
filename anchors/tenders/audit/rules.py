"""The rules of a tender, each with its article, each kept, broken, or not shown by what is proven.

Promises one answer for each rule, in a tender's order, whatever came before: a broken rule does not hide the next. A
rule is *not shown* while its act has not come, and where the file lacks what would show it. How far the articles were
checked is in docs/TENDERS.md; what makes a fact a fact is in `anchors.tenders.audit.verdict`. The rules about single
bids are in `anchors.tenders.audit.bidders`.
"""

from collections.abc import Callable
from typing import Final

from anchors.errors import BadBidList, BadTender
from anchors.merkle import Levels
from anchors.steps import iso_time
from anchors.tenders.audit.bidders import judge_claims, judge_late, judge_leaves, judge_places
from anchors.tenders.audit.facts import Facts
from anchors.tenders.audit.outcome import Outcome, Rule, broken, kept, listed, not_shown
from anchors.tenders.bids import open_list, parse_bids, parse_refusals
from anchors.tenders.draw.verdict import DrawState
from anchors.tenders.life import ANSWER_DAYS, LEAST_BIDS, State, least_until

__all__ = ["RULES", "judge"]


def judge(facts: Facts) -> tuple[Rule, ...]:
    """Hold all rules against what is proven."""
    judged = ((name, article, rule(facts)) for name, article, rule in _RULES)
    return tuple(Rule(name, article, outcome.finding, outcome.detail) for name, article, outcome in judged)


def _notice(facts: Facts) -> Outcome:
    """All who publish it have signed: the register takes the notice with an officer's signature of each, or not."""
    notice, time = facts.story.published.notice, facts.story.published_at
    if not notice.members >> notice.host & 1:
        return broken(f"{facts.member(notice.host)}, the host, is not among those who published it")
    if facts.strangers(notice.members):
        return broken(f"published by numbers that are no members: {facts.strangers(notice.members)}")
    if notice.deadline <= time or notice.opening < notice.deadline or notice.answer_days not in ANSWER_DAYS:
        return broken(
            "its deadline was over, its opening before its deadline, or its days for answers are out of bounds"
        )
    instead = f" in place of 0x{notice.former.hex()}" if any(notice.former) else ""
    return kept(
        f"published at {iso_time(time)}{instead} by {facts.members(notice.members)}, host {facts.member(notice.host)}; "
        "the register takes it only with the signature of an officer of each"
    )


def _amendments(facts: Facts) -> Outcome:
    """Each before the deadline that it amends, which is never brought forward."""
    deadline = facts.story.published.notice.deadline
    for event, time in facts.story.amendments:
        if time >= deadline:
            return broken(f"version {event.version} came at {iso_time(time)}, when the deadline was over")
        if event.deadline < deadline or event.opening < event.deadline or event.deadline <= time:
            return broken(f"version {event.version} brings the deadline forward, or the opening before it")
        if not any(event.digest) or not any(event.reason):
            return broken(f"version {event.version} does not say what it is, or why")
        deadline = event.deadline
    count = len(facts.story.amendments)
    return kept(f"{count} of them, each before the deadline and with its reason; it is {iso_time(deadline)} in the end")


def _closing(facts: Facts) -> Outcome:
    """Not before the deadline."""
    closed, time, deadline = facts.story.closed, facts.story.closed_at, facts.story.deadline
    if closed is None:
        return not_shown("bids are not closed")
    where = f"the log of {facts.member(closed.host)} had {closed.size} leaves in generation {closed.generation}"
    if closed.host != facts.story.published.notice.host or time < deadline:
        return broken(f"closed at {iso_time(time)}, {deadline - time} s before the deadline, or another's log; {where}")
    return kept(f"closed at {iso_time(time)}, {time - deadline} s from the deadline on, when {where}")


def _opening_time(facts: Facts) -> Outcome:
    """Not before its time."""
    time, since = facts.story.opened_at, facts.story.opening
    if facts.story.opened is None:
        return not_shown("bids are not opened")
    if time < since or time < facts.story.deadline:
        return broken(f"opened at {iso_time(time)}, before {iso_time(since)}")
    return kept(f"opened at {iso_time(time)}, {time - since} s after its time")


def _list(facts: Facts) -> Outcome:
    """One list, in order, each bid once, with the root and the counts that are recorded."""
    opened, closed = facts.story.opened, facts.story.closed
    if opened is None or closed is None:
        return not_shown("bids are not opened")
    try:
        found = open_list(opened.entries)
        refused = parse_refusals(opened.refusals)
    except BadBidList as error:
        return broken(str(error))
    bids = parse_bids(opened.entries)
    if (found.root, found.count) != (opened.root, opened.count):
        return broken(f"the list has {found.count} bids and another root than is recorded")
    if opened.on_receipt != sum(bid.place >= closed.size for bid in bids):
        return broken(f"{opened.on_receipt} bids are said to rest on their receipts, and others do")
    both = {bid.commitment for bid in bids} & {each.commitment for each in refused}
    if both:
        return broken(f"opened and refused at once: {listed(sorted(both))}")
    return kept(f"{found.count} bids in order, each once, under the root 0x{found.root.hex()}; {len(refused)} refused")


def _three_bids(facts: Facts) -> Outcome:
    """With fewer the tender has failed."""
    story = facts.story
    if story.opened is None:
        return not_shown("bids are not opened")
    if story.opened.count >= LEAST_BIDS:
        return kept(f"{story.opened.count} bids were opened")
    if story.state is State.OPENED:
        return not_shown(f"{story.opened.count} bids were recorded, and what followed is not told")
    if story.state is not State.FAILED or story.rounds:
        return broken(f"{story.opened.count} bids were opened, and the tender went on")
    return kept(f"{story.opened.count} bids were recorded, so the tender failed and is to be held again")


def _evaluation(facts: Facts) -> Outcome:
    """By the sites, each signing it, with a sealed panel."""
    rounds, host = facts.story.rounds, facts.story.published.notice.host
    if not rounds:
        return not_shown("bids are not evaluated")
    for each in rounds:
        event = each.evaluated
        if not event.sites >> host & 1 or facts.strangers(event.sites):
            return broken(f"round {event.round} was evaluated without the host, or by who is no member")
        if not any(event.panel) or not any(event.report) or not any(event.result):
            return broken(f"round {event.round} names no report, panel or result")
    last = rounds[-1].evaluated
    return kept(
        f"{len(rounds)} of them; the last by {facts.members(last.sites)}, an officer of each signing, the panel sealed "
        f"as 0x{last.panel.hex()}"
    )


def _candidates(facts: Facts) -> Outcome:
    """Published for three days at least."""
    named = [(each.named, each.named_at) for each in facts.story.rounds if each.named]
    if not named:
        return not_shown("no candidates are published")
    for event, time in named:
        if event.until < least_until(time):
            return broken(f"published from {iso_time(time)} until {iso_time(event.until)}, less than three days")
    event, time = named[-1]
    return kept(f"published from {iso_time(time)} until {iso_time(event.until)}")


def _objections(facts: Facts) -> Outcome:
    """Made in time, and each ruled on before the award; one that is upheld sends the bids back to the panel."""
    story = facts.story
    untils = {each.named.candidates: each.named.until for each in story.rounds if each.named}
    for each in story.objections.values():
        if each.time >= untils[each.made.candidates]:
            return broken(f"an objection was taken at {iso_time(each.time)}, when the candidates' time was over")
    if story.awarded is not None and story.waiting:
        return broken(f"awarded while objections wait: {listed([each.made.grounds for each in story.waiting])}")
    if not any(each.named for each in story.rounds):
        return not_shown("no candidates are published")
    if story.waiting:
        return not_shown(f"{len(story.waiting)} of {len(story.objections)} objections wait for their ruling")
    upheld = sum(each.ruled is not None and each.ruled.upheld for each in story.objections.values())
    return kept(f"{len(story.objections)} told, all ruled on by officer and regulator of the host, {upheld} upheld")


def _award(facts: Facts) -> Outcome:
    """When the candidates' time is over, by officer and regulator; likewise that there is none."""
    story = facts.story
    if story.awarded is None:
        return _failure(facts)
    last = story.rounds[-1]
    if not _is_pair(story.awarded.officer, story.awarded.regulator):
        return broken("one address signed for both roles, or none")
    if last.named is not None and story.awarded_at < last.named.until:
        return broken(f"awarded at {iso_time(story.awarded_at)}, while candidates were published")
    who = f"officer 0x{story.awarded.officer.hex()} and regulator 0x{story.awarded.regulator.hex()}"
    return kept(f"awarded at {iso_time(story.awarded_at)} as 0x{story.awarded.award.hex()} by {who}")


def _failure(facts: Facts) -> Outcome:
    failed, opened = facts.story.failed, facts.story.opened
    if failed is None:
        return not_shown("the tender is not awarded")
    if not any(failed.reason):
        few = opened is not None and opened.count < LEAST_BIDS
        return kept("no award: too few bids") if few else broken("failed without a reason")
    if not _is_pair(failed.officer, failed.regulator):
        return broken("given up without the two roles")
    again = "; it is held again" if facts.state is State.RETENDERED else ""
    return kept(f"no award, for the reason 0x{failed.reason.hex()}, by officer and regulator of the host{again}")


def _is_pair(officer: bytes, regulator: bytes) -> bool:
    return any(officer) and any(regulator) and officer != regulator


def _panel(facts: Facts) -> Outcome:
    """Secret until the award, and then the one that was sealed; whoever signed was drawn."""
    story = facts.story
    if story.awarded is None:
        return not_shown("the panel is sealed until the award" if story.rounds else "there is no panel")
    panel = story.awarded.panel
    try:
        panel.check(story.rounds[-1].evaluated.panel)
    except BadTender as error:
        return broken(str(error))
    return kept(
        f"{len(panel.drawn)} drawn, {len(panel.signers)} of them signed the report, as sealed at the evaluation"
    )


def _draw(facts: Facts) -> Outcome:
    """The panel is what the draw gives."""
    draw, award = facts.draw, facts.story.awarded
    if draw is None:
        return not_shown("the file holds no draw")
    problem = _foreign_draw(facts)
    if problem:
        return broken(problem)
    if draw.state not in (DrawState.DRAWN, DrawState.SEALED) or draw.root is None or draw.digest is None:
        return not_shown(f"the last draw shown is {draw.state.value}")
    if award is None:
        return not_shown(f"the draw 0x{draw.digest.hex()} is sealed; there is no award that shows the panel")
    if Levels.over(award.panel.drawn).root != draw.root:
        return broken(f"the draw 0x{draw.digest.hex()} gives another panel than the award tells")
    how = "replayed from its values and lists" if draw.state is DrawState.DRAWN else "which stays sealed"
    return kept(f"the panel is that of the draw 0x{draw.digest.hex()} for {draw.tender}, {how}")


def _foreign_draw(facts: Facts) -> str | None:
    draw, name = facts.draw, "0x" + facts.story.name.hex()
    if draw is None or draw.tender is None:
        return None
    if facts.draw_chain != facts.network.chain_id:
        return f"the draw is of chain {facts.draw_chain}"
    other = draw.tender.startswith("0x") and len(draw.tender) == len(name) and draw.tender != name
    return f"the draw is for the tender {draw.tender}" if other else None


def _complete(facts: Facts) -> Outcome:
    """Nothing is left out that the register's state can tell."""
    if facts.state is None:
        return not_shown("the file does not show the register's state")
    return kept(
        f"the register has the tender as {facts.state.title}, and all that it keeps of it is told; it keeps no "
        "count of claims, nor of objections that were ruled on and changed nothing"
    )


_JOINT: Final = "发改办法规〔2025〕807号"
_RULES: Final[tuple[tuple[str, str, Callable[[Facts], Outcome]], ...]] = (
    ("notice", _JOINT, _notice),
    ("amendments", "招标投标法 23; 实施条例 21", _amendments),
    ("closing", "招标投标法 28, 29", _closing),
    ("opening-time", "招标投标法 34", _opening_time),
    ("list", "招标投标法 36", _list),
    ("places", "招标投标法 28, 36", judge_places),
    ("late-bids", "招标投标法 28; 实施条例 36", judge_late),
    ("dropped-bids", "招标投标法 29, 36", judge_claims),
    ("three-bids", "招标投标法 28; 实施条例 44", _three_bids),
    ("leaves", "招标投标法 32, 36; 实施条例 41", judge_leaves),
    ("evaluation", f"{_JOINT}; 招标投标法 37", _evaluation),
    ("candidates", "实施条例 54", _candidates),
    ("objections", "实施条例 54", _objections),
    ("award", "招标投标法 42; 实施条例 31", _award),
    ("panel", "招标投标法 37, 44", _panel),
    ("draw", "招标投标法 37; 实施条例 46", _draw),
    ("complete", "docs/TENDERS.md", _complete),
)
RULES: Final = tuple(name for name, _, _ in _RULES)
