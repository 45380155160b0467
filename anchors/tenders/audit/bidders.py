"""The rules about single bids: where each has its place, that none came late, was dropped, or is hidden among leaves.

Promises to go by what the file and the reader show: leaves of the host's log, its anchors, receipts, holders' words and
recorded claims. What none of these shows is not shown, and is said so.
"""

from collections.abc import Collection, Iterable
from typing import Final

from anchors.steps import iso_time
from anchors.tenders.audit.facts import Facts
from anchors.tenders.audit.leaves import Leaf
from anchors.tenders.audit.outcome import Outcome, broken, kept, listed, not_shown
from anchors.tenders.bids import Bid
from anchors.tenders.claims import Answer

__all__ = ["judge_claims", "judge_late", "judge_leaves", "judge_places"]

_MOST_COUNTED: Final = 1 << 20  # leaves; a log that grew by more meanwhile is not looked through


def judge_places(facts: Facts) -> Outcome:
    """Every opened bid has its place in the host's log, anchored before the closing, or rests on a receipt."""
    if facts.story.opened is None:
        return not_shown("bids are not opened")
    moved = [bid for bid in facts.bids if facts.leaves.get(bid.place, bid.commitment) != bid.commitment]
    if moved:
        return broken(f"the log has another leaf at the place of {_bids(moved)}")
    before, closing, receipt, nothing = _grounds(facts)
    told = (
        f"{len(before)} anchored before the deadline, {len(closing)} by the closing, {len(receipt)} on receipt"
        f"{': ' + _bids(receipt) if receipt else ''}"
    )
    if nothing:
        return not_shown(f"{told}; no anchor and no receipt for {_bids(nothing)}")
    unseen = [bid for bid in facts.bids if bid.place not in facts.leaves]
    if unseen:
        return not_shown(f"{told}; the file does not show the leaves of {_bids(unseen)}")
    return kept(f"{told}; the log has each at its place")


def _grounds(facts: Facts) -> tuple[list[Bid], list[Bid], list[Bid], list[Bid]]:
    """The bids that were anchored before the deadline, by the closing, that have a receipt, and that have nothing."""
    story = facts.story
    early = max((event.size for event, time in story.anchors if time < story.deadline), default=0)
    size = story.closed.size if story.closed else 0
    before = [bid for bid in facts.bids if bid.place < early]
    closing = [bid for bid in facts.bids if early <= bid.place < size]
    rest = [bid for bid in facts.bids if bid.place >= max(early, size)]
    shown = [bid for bid in rest if facts.timely(bid.commitment)]
    return before, closing, shown, [bid for bid in rest if not facts.timely(bid.commitment)]


def judge_late(facts: Facts) -> Outcome:
    """No bid is opened that came from the deadline on, as far as anchors and receipts show."""
    if facts.story.opened is None:
        return not_shown("bids are not opened")
    claimed = [each.commitment for each in facts.story.claims.values() if each.late]
    if claimed:
        return broken(f"the register holds receipts from the deadline on for opened bids: {listed(claimed)}")
    in_time = {bid.commitment for bid in _grounds(facts)[0]}
    in_time |= {bid.commitment for bid in facts.bids if facts.timely(bid.commitment)}
    late = [bid.commitment for bid in facts.bids if facts.late(bid.commitment) and bid.commitment not in in_time]
    if late:
        return broken(f"received from the deadline on, and opened: {listed(late)}")
    open_question = [bid.commitment for bid in facts.bids if bid.commitment not in in_time]
    if open_question:
        return not_shown(f"neither anchor nor receipt from before the deadline for {listed(open_question)}")
    return kept(f"each of the {len(facts.bids)} opened bids was anchored or receipted before {_deadline(facts)}")


def judge_claims(facts: Facts) -> Outcome:
    """Every timely bid is opened, or refused for a reason, or its holder replaced or withdrew it."""
    if facts.story.opened is None:
        return not_shown("bids are not opened")
    waiting, upheld = _claims(facts)
    dropped = [each.commitment for each in facts.receipts if _is_dropped(facts, each.commitment, each.received_at)]
    dropped = [each for each in dropped if each not in facts.story.claims]
    if upheld or dropped:
        told = [f"claims that stand: {listed(upheld)}"] * bool(upheld)
        return broken("; ".join(told + [f"received in time and not opened: {listed(dropped)}"] * bool(dropped)))
    if waiting:
        return not_shown(f"claims wait for their answer: {listed(waiting)}")
    taken_back = [each for each in facts.replacements if each in facts.opened]
    if taken_back:  # when the host got the holder's word, no signature shows
        return not_shown(
            f"opened, though their holders signed that they are replaced or withdrawn: {listed(taken_back)}"
        )
    answered = _answers(facts)
    return kept(
        f"no claim stands{answered}, and none of the {len(facts.receipts)} receipts shown is for a bid that was dropped"
    )


def _claims(facts: Facts) -> tuple[list[bytes], list[bytes]]:
    """The claims of dropped bids that wait for an answer, and those that nobody answered in time."""
    unanswered = [
        each for each in facts.story.claims.values() if not each.late and each.commitment not in facts.story.answers
    ]
    waiting = [each.commitment for each in unanswered if facts.asked_at <= each.answer_by]
    return waiting, [each.commitment for each in unanswered if facts.asked_at > each.answer_by]


def _answers(facts: Facts) -> str:
    given = [each.answer for each in facts.story.answers.values()]
    counts = [f"{given.count(answer)} {answer.name.lower()}" for answer in Answer if answer in given]
    return f" ({len(given)} answered: {', '.join(counts)})" if given else ""


def _is_dropped(facts: Facts, commitment: bytes, received_at: int) -> bool:
    accounted = commitment in facts.opened or commitment in facts.replacements
    return received_at < facts.story.deadline and not accounted and not any(facts.reasons.get(commitment, b""))


def judge_leaves(facts: Facts) -> Outcome:
    """In the periods that the opening touches every leaf is filling or accounted for: none is a bid kept back."""
    if facts.story.opened is None:
        return not_shown("bids are not opened")
    if facts.log is None:
        return not_shown("the file shows no leaves of the host's log")
    told, unseen = _shown(facts)
    pledges = [leaf for each in facts.log.periods if (leaf := each.pledge) in facts.unaccounted and leaf]
    strange = [leaf for leaf in facts.unaccounted if leaf not in pledges]
    open_questions = (
        ("neither filling nor accounted for", _leaves(strange)),
        ("to commit to the keys of the periods that follow, which are not shown", _leaves(pledges)),
        ("not shown with a key, since it is not told yet or the file had no room, the periods of", _bids(unseen)),
    )
    if named := [f"{what}: {which}" for what, which in open_questions if which]:
        return not_shown("; ".join((told, *named)))
    return kept(f"{told}: every leaf is filling or accounted for{_accounts(facts)}")


def _shown(facts: Facts) -> tuple[str, list[Bid]]:
    """What is shown of the log, and the bids whose periods are not, or not with a key."""
    periods = [each for each in facts.log.periods if each.key is not None] if facts.log else []
    inside = {place for each in periods for place in range(each.first, each.end)}
    unseen = [bid for bid in facts.bids if bid.place not in inside]
    told = (
        f"{len(inside)} leaves of {len(periods)} periods with their keys, in which {len(facts.bids) - len(unseen)} of "
        f"{len(facts.bids)} bids stand"
    )
    return told + _reach(facts, inside), unseen


def _reach(facts: Facts, inside: Collection[int]) -> str:
    """Whether these are all leaves that were anchored in the time of bidding, as far as the file's anchors tell."""
    story = facts.story
    first = max((event.size for event, time in story.anchors if time < story.published_at), default=0)
    end = min((event.size for event, time in story.anchors if time >= story.deadline), default=None)
    if end is None:
        return "; no anchor from the deadline on tells how many leaves there were"
    missing = None if end - first > _MOST_COUNTED else sum(place not in inside for place in range(first, end))
    if missing == 0:
        return f", all from {first}, anchored before the notice, to {end}, anchored from the deadline on"
    between = f"the {end - first} that were anchored between the notice and the deadline"
    return f"; not all of {between}" if missing is None else f"; {missing} of {between} are not among them"


def _accounts(facts: Facts) -> str:
    """What accounts for leaves, beside the opening."""
    shown = set(facts.leaves.values())
    counted = (
        ("refused", facts.reasons),
        ("replaced or withdrawn by their holders' words", facts.replacements),
        ("opened or refused in other tenders", facts.story.elsewhere),
    )
    told = [f"{count} {how}" for how, found in counted if (count := len(shown.intersection(found)))]
    declared = [facts.declared[leaf] for leaf in facts.leaves.values() if leaf in facts.declared]
    told += [f"no bids by what opens them: {listed(sorted(declared))}"] * bool(declared)
    return f"; {', '.join(told)}" if told else ""


def _leaves(leaves: Iterable[Leaf]) -> str:
    return listed(f"{leaf.index} (0x{leaf.leaf.hex()})" for leaf in leaves)


def _deadline(facts: Facts) -> str:
    return f"the deadline, {iso_time(facts.story.deadline)}"


def _bids(bids: Iterable[Bid]) -> str:
    return listed(f"0x{bid.commitment.hex()} at {bid.place}" for bid in bids)
