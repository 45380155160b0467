"""Each rule of a tender kept, and each broken by a chain on which it was broken."""

from dataclasses import replace

import pytest
from audited import Audited, detail, node_reader, outcome
from audited_life import (
    ACCEPTED,
    CLOSED_SIZE,
    DAY,
    DEADLINE,
    PAPER,
    SIZE,
    SLOTS,
    START,
    Life,
    commitment,
    statement,
    word,
)
from draw.held_draw import held, story, told
from sealed_headers import address

from anchors.commitment import Kind, commit
from anchors.tenders import Evaluators, members_mask, pack_bids
from anchors.tenders.audit import RULES, STEPS, Finding, LogPart, range_path
from anchors.tenders.draw import replay

KEPT = Audited(Life())


@pytest.mark.parametrize("consensus", ["qbft", "clique"])
def test_a_tender_without_fault_is_kept_in_every_rule(consensus: str) -> None:
    verdict = Audited(Life(), consensus).judge()
    assert [step.step for step in verdict.steps] == list(STEPS)
    assert all(step.ok for step in verdict.steps)
    assert [rule.rule for rule in verdict.rules] == list(RULES)
    assert {rule.rule: rule.outcome for rule in verdict.rules} == dict.fromkeys(RULES, Finding.KEPT)
    assert verdict.finding is Finding.KEPT
    assert verdict.sealed
    assert verdict.unaccounted == ()
    assert verdict.state is not None
    assert verdict.state.title == "awarded"


def test_every_rule_has_its_article() -> None:
    assert all(rule.article for rule in KEPT.judge().rules)


def _broken(life: Life, rule: str, **parts: object) -> str:
    """What is said of the one rule that is broken."""
    audited = Audited(life)
    verdict = audited.judge(audited.file(**parts))
    assert [each.step for each in verdict.steps if not each.ok] == []
    assert [each.rule for each in verdict.rules if each.outcome is Finding.BROKEN] == [rule]
    assert verdict.finding is Finding.BROKEN
    return detail(verdict, rule)


@pytest.mark.parametrize(
    ("life", "says"),
    [
        (Life(members=members_mask(7, 13)), "the host, is not among"),
        (Life(members=members_mask(2, 14)), "[14]"),
        (Life(first_opening=START + 14 * DAY), "its opening before its deadline"),
        (Life(answer_days=2), "days for answers"),
    ],
)
def test_a_notice_that_the_register_would_not_take_is_seen(life: Life, says: str) -> None:
    assert says in _broken(life, "notice")


def test_a_deadline_that_was_over_at_the_notice_is_seen() -> None:
    life = Life(first_deadline=START, first_opening=START)
    verdict = Audited(life).judge()
    assert outcome(verdict, "notice") == "broken"


def test_an_amendment_that_brings_the_deadline_forward_is_seen() -> None:
    assert "forward" in _broken(Life(first_deadline=DEADLINE + 1, first_opening=DEADLINE + 1), "amendments")


def test_an_amendment_without_a_reason_is_seen() -> None:
    assert "does not say" in _broken(Life(amended_for=bytes(32)), "amendments")


def test_an_evaluation_without_a_result_is_seen() -> None:
    assert "names no report" in _broken(Life(result=bytes(32)), "evaluation")


def test_a_tender_is_given_up_by_both_roles_for_a_reason() -> None:
    given_up = Life(ends="given up", claimed=())
    audited = Audited(given_up)
    verdict = audited.judge(audited.file(draws=[]))
    assert outcome(verdict, "award") == "kept"
    assert "no award, for the reason" in detail(verdict, "award")
    assert "two roles" in _broken(replace(given_up, regulator=address("officer")), "award", draws=[])
    assert "without a reason" in _broken(replace(given_up, failed_for=bytes(32)), "award", draws=[])


def test_an_amendment_after_the_deadline_is_seen() -> None:
    told = _broken(Life(amended_at=START + 16 * DAY), "amendments")
    assert "deadline was over" in told


def test_a_closing_before_the_deadline_is_seen() -> None:
    assert "10 s before the deadline" in _broken(Life(closed_at=DEADLINE - 10), "closing")


def test_an_opening_before_its_time_is_seen() -> None:
    assert "before" in _broken(Life(opened_at=DEADLINE + 30), "opening-time")


def test_a_list_out_of_order_is_seen() -> None:
    packed = pack_bids(KEPT.life.bids)
    assert "out of order" in _broken(Life(entries=packed[40:80] + packed[:40] + packed[80:]), "list")


def test_a_list_with_a_bid_twice_is_seen() -> None:
    packed = pack_bids(KEPT.life.bids)
    assert "twice" in _broken(Life(entries=packed[:40] + packed), "list")


def test_a_list_under_another_root_is_seen() -> None:
    assert "another root" in _broken(Life(root=word(1)), "list")


def test_a_wrong_count_of_bids_on_receipt_is_seen() -> None:
    assert "rest on their receipts" in _broken(Life(on_receipt=0), "list")


def test_a_bid_opened_and_refused_is_seen() -> None:
    assert commitment("gamma").hex() in _broken(Life(refused=("foxtrot", "gamma")), "list")


def test_a_bid_that_the_log_does_not_have_at_its_place_is_seen() -> None:
    gamma = commitment("gamma")
    moved = [bid._replace(place=bid.place ^ (bid.commitment == gamma)) for bid in KEPT.life.bids]
    told = _broken(Life(entries=pack_bids(moved)), "places")
    assert commitment("gamma").hex() in told


def test_a_late_bid_that_was_opened_is_seen_by_its_receipt() -> None:
    receipts = KEPT.receipts(["echo"], at=DEADLINE)
    verdict = KEPT.judge(KEPT.file(receipts=receipts))
    assert outcome(verdict, "late-bids") == "broken"
    assert outcome(verdict, "places") == "not shown"


def test_a_late_bid_that_was_claimed_is_seen() -> None:
    assert commitment("echo").hex() in _broken(Life(claimed=("echo",), late=True), "late-bids")


def test_a_receipt_of_the_reader_shows_a_dropped_bid() -> None:
    receipt = KEPT.receipt("golf")
    verdict = KEPT.judge(receipts=[receipt])
    assert outcome(verdict, "dropped-bids") == "broken"
    assert commitment("golf").hex() in detail(verdict, "dropped-bids")
    assert verdict.finding is Finding.BROKEN


@pytest.mark.parametrize("name", ["alpha", "beta", "foxtrot", "gamma"])
def test_a_receipt_for_a_bid_that_is_accounted_for_shows_nothing(name: str) -> None:
    assert KEPT.judge(receipts=[KEPT.receipt(name)]).finding is Finding.KEPT


def test_a_bid_that_was_opened_though_its_holder_withdrew_it_is_told() -> None:
    words = [*KEPT.replacements(), KEPT.replacement("gamma", bytes(32))]
    verdict = KEPT.judge(KEPT.file(replacements=words))
    assert outcome(verdict, "dropped-bids") == "not shown"
    assert commitment("gamma").hex() in detail(verdict, "dropped-bids")


def test_a_late_receipt_for_a_bid_that_was_left_out_shows_nothing() -> None:
    assert KEPT.judge(receipts=[KEPT.receipt("golf", at=DEADLINE)]).finding is Finding.KEPT


def test_a_claim_without_an_answer_stands_when_its_time_is_over() -> None:
    told = _broken(Life(answered=False), "dropped-bids")
    assert f"claims that stand: 0x{commitment('beta').hex()}" in told


def test_a_claim_waits_for_its_answer() -> None:
    times = {"named_at": DEADLINE + DAY, "until": DEADLINE + 5 * DAY, "objected_at": DEADLINE + 2 * DAY}
    audited = Audited(Life(**times, answered=False, ends="candidates"))  # type: ignore[arg-type]
    verdict = audited.judge(audited.file(state=audited.state(DEADLINE + 12 * DAY)))
    assert outcome(verdict, "dropped-bids") == "not shown"
    assert "wait" in detail(verdict, "dropped-bids")
    assert outcome(verdict, "award") == "not shown"


def test_with_fewer_than_three_bids_the_tender_fails() -> None:
    audited = Audited(Life(opened=("gamma", "delta"), ends="few", claimed=()))
    verdict = audited.judge(audited.file(draws=[]))
    assert outcome(verdict, "three-bids") == "kept"
    assert "too few bids" in detail(verdict, "award")
    assert outcome(verdict, "award") == "kept"
    assert outcome(verdict, "evaluation") == "not shown"
    assert verdict.state is not None
    assert verdict.state.title == "failed"


def test_a_tender_that_went_on_with_two_bids_is_seen() -> None:
    assert "went on" in _broken(Life(opened=("gamma", "delta")), "three-bids", receipts=[])


def test_an_evaluation_without_the_host_is_seen() -> None:
    assert "without the host" in _broken(Life(sites=members_mask(13)), "evaluation")


def test_candidates_that_were_published_too_shortly_are_seen() -> None:
    told = _broken(Life(until=KEPT.life.until - 1), "candidates")
    assert "less than three days" in told


def test_an_objection_that_was_taken_too_late_is_seen() -> None:
    life = Life(until=DEADLINE + 10 * DAY, objected_at=DEADLINE + 10 * DAY)
    assert "time was over" in _broken(life, "objections")


def test_an_award_while_an_objection_waits_is_seen() -> None:
    assert "wait" in _broken(Life(ruled=False), "objections")


def test_an_award_while_candidates_are_published_is_seen() -> None:
    assert "while candidates were published" in _broken(Life(awarded_at=KEPT.life.until_of(2) - 1), "award")


def test_an_award_by_one_key_for_both_roles_is_seen() -> None:
    assert "both roles" in _broken(Life(regulator=address("officer")), "award")


def test_a_panel_that_is_not_the_sealed_one_is_seen() -> None:
    panel = KEPT.life.panel
    assert "not the one that was sealed" in _broken(Life(unsealed=replace(panel, signers=panel.drawn[:4])), "panel")


def test_a_signer_who_was_not_drawn_is_seen() -> None:
    panel = KEPT.life.panel
    stranger = bytes([255]) * 32
    told = _broken(Life(panel=replace(panel, signers=(*panel.signers, stranger))), "panel")
    assert stranger.hex() in told


def test_a_panel_that_the_draw_does_not_give_is_seen() -> None:
    drawn = tuple(bytes([n]) * 32 for n in range(1, 8))
    assert "another panel" in _broken(Life(panel=Evaluators(word(9), drawn, drawn)), "draw")


def test_a_sealed_draw_is_enough_for_the_panel() -> None:
    verdict = KEPT.judge(KEPT.file(draws=[held().sealed().write()]))
    assert verdict.finding is Finding.KEPT
    assert "stays sealed" in detail(verdict, "draw")


@pytest.mark.parametrize(("tender", "said"), [("0x" + KEPT.life.name.hex(), "kept"), ("0x" + "11" * 32, "broken")])
def test_a_draw_is_for_the_tender_that_it_names(tender: str, said: str) -> None:
    drawn = story(change=lambda terms, _: replace(terms, tender=tender)).hold()
    panel = replay(drawn.write()).panel
    assert panel is not None
    audited = Audited(Life(panel=Evaluators(word(9), panel.words, panel.words)))
    verdict = audited.judge(audited.file(draws=[drawn.write()]))
    assert outcome(verdict, "draw") == said


def test_a_draw_of_another_chain_is_seen() -> None:
    drawn = story(change=lambda terms, _: replace(terms, chain_id=1)).hold()
    assert "chain 1" in _broken(Life(), "draw", draws=[drawn.write()])


def test_a_draw_that_is_void_shows_no_panel() -> None:
    void = told().hold(withheld=("gansu",))
    verdict = KEPT.judge(KEPT.file(draws=[void.write()]))
    assert "void" in detail(verdict, "draw")
    assert outcome(verdict, "draw") == "not shown"


# ---- leaves ----


def test_a_bid_that_was_logged_and_kept_back_is_listed() -> None:
    accepted = (*ACCEPTED.items(), ("hidden", 1))
    verdict = Audited(Life(accepted=accepted)).judge()
    assert [leaf.leaf for leaf in verdict.unaccounted] == [commitment("hidden")]
    assert outcome(verdict, "leaves") == "not shown"
    assert commitment("hidden").hex() in detail(verdict, "leaves")
    assert verdict.finding is Finding.NOT_SHOWN


def test_a_bid_that_another_tender_opened_is_accounted_for() -> None:
    accepted = (*ACCEPTED.items(), ("of another tender", 1))
    verdict = Audited(Life(accepted=accepted, elsewhere=("of another tender",))).judge()
    assert verdict.finding is Finding.KEPT


def test_a_bid_that_another_tender_refused_or_its_holder_took_back_there_is_accounted_for() -> None:
    accepted = (*ACCEPTED.items(), ("refused there", 1), ("withdrawn there", 1))
    audited = Audited(Life(accepted=accepted, elsewhere=("of another tender",), refused_elsewhere=("refused there",)))
    (left,) = audited.judge().unaccounted
    assert left.leaf == commitment("withdrawn there")
    word_there = audited.replacement("withdrawn there", bytes(32), tender=PAPER)
    verdict = audited.judge(audited.file(replacements=[*audited.replacements(), word_there]))
    assert verdict.finding is Finding.KEPT
    told = detail(verdict, "leaves")
    assert "3 replaced or withdrawn by their holders' words, 1 opened or refused in other tenders" in told


def test_a_leaf_that_stands_for_a_key_which_is_not_shown_is_listed_as_that() -> None:
    log = KEPT.log()
    last = replace(log.periods[-1], next_key=None)
    verdict = KEPT.judge(KEPT.file(log=LogPart(log.size, (*log.periods[:-1], last))))
    assert verdict.unaccounted == (last.pledge,)
    assert outcome(verdict, "leaves") == "not shown"
    assert f"to commit to the keys of the periods that follow, which are not shown: {last.pledge.index} (" in detail(
        verdict, "leaves"
    )


def test_it_is_told_whether_all_leaves_of_the_time_of_bidding_are_shown() -> None:
    assert "are not among them" in detail(KEPT.judge(), "leaves")
    whole = KEPT.judge(KEPT.file(log=KEPT.log(range(SIZE // SLOTS))))
    assert f"all from 0, anchored before the notice, to {CLOSED_SIZE}, anchored from the deadline on" in detail(
        whole, "leaves"
    )


def test_a_leaf_that_is_opened_as_something_else_than_a_bid_is_accounted_for_and_told() -> None:
    audited = Audited(Life(accepted=(*ACCEPTED.items(), ("notice", 1))))
    assert len(audited.judge().unaccounted) == 1
    verdict = audited.judge(audited.file(statements=[statement("notice"), statement("notice of another log")]))
    assert verdict.finding is Finding.KEPT
    assert detail(verdict, "leaves").endswith("no bids by what opens them: notice")


def test_a_bid_is_not_put_aside_by_opening_it() -> None:
    bid = statement("spare", Kind.BID_DOCUMENT)

    class Spare(Life):
        @property
        def leaves(self) -> list[bytes]:
            return [commit(bid) if leaf == commitment("spare") else leaf for leaf in super().leaves]

    audited = Audited(Spare(accepted=(*ACCEPTED.items(), ("spare", 1))))
    verdict = audited.judge(audited.file(statements=[bid]))
    assert [leaf.leaf for leaf in verdict.unaccounted] == [commit(bid)]


def test_without_the_holders_words_replaced_and_withdrawn_bids_are_listed() -> None:
    verdict = KEPT.judge(KEPT.file(replacements=[]))
    assert {leaf.leaf for leaf in verdict.unaccounted} == {commitment("alpha"), commitment("beta")}


def test_without_the_next_key_the_leaf_for_it_is_listed() -> None:
    log = KEPT.log()
    bare = replace(log, periods=(replace(log.periods[0], next_key=None), *log.periods[1:]))
    verdict = KEPT.judge(KEPT.file(log=bare))
    assert len(verdict.unaccounted) == 1


def test_without_its_key_all_of_a_period_is_listed() -> None:
    log = KEPT.log()
    bare = replace(log, periods=(*log.periods[:2], replace(log.periods[2], key=None, next_key=None)))
    verdict = KEPT.judge(KEPT.file(log=bare))
    assert len(verdict.unaccounted) == 15


def test_bounds_that_cut_a_period_do_not_hide_what_is_in_it() -> None:
    accepted = (*ACCEPTED.items(), ("hidden", 1))
    life = Life(accepted=accepted)
    audited = Audited(life)
    whole = audited.period(1)
    first = whole.first + 1
    path = range_path(first, whole.end, SIZE, node_reader(life.leaves[:SIZE]))
    cut = replace(whole, first=first, leaves=whole.leaves[1:], path=path, next_key=None)
    verdict = audited.judge(audited.file(log=LogPart(SIZE, (audited.period(0), cut, audited.period(3)))))
    assert len(verdict.unaccounted) > 10


# ---- what is not shown ----


@pytest.mark.parametrize(
    ("part", "given", "rules"),
    [
        ("state", None, {"complete"}),
        ("log", None, {"places", "leaves"}),
        ("draws", [], {"draw"}),
        ("receipts", [], {"places", "late-bids"}),
        ("replacements", [], {"leaves"}),
    ],
)
def test_what_the_file_lacks_is_not_shown_and_nothing_else_changes(part: str, given: object, rules: set[str]) -> None:
    verdict = KEPT.judge(KEPT.file(**{part: given}))
    assert {rule.rule for rule in verdict.rules if rule.outcome is Finding.NOT_SHOWN} == rules
    assert verdict.finding is Finding.NOT_SHOWN


def test_a_place_beyond_the_closing_rests_on_its_receipt() -> None:
    (echo,) = [bid for bid in KEPT.life.bids if bid.commitment == commitment("echo")]
    assert echo.place >= CLOSED_SIZE
    assert f"1 on receipt: 0x{echo.commitment.hex()}" in detail(KEPT.judge(), "places")


@pytest.mark.parametrize("length", range(1, 18))
def test_a_tender_that_has_come_so_far_is_audited_so_far(length: int) -> None:
    """Without a state, since this life's is of its end."""
    audited = Audited(Life())
    so_far = {"events": audited.events()[:length], "state": None, "log": None, "draws": [], "replacements": []}
    verdict = audited.judge(audited.file(**so_far))
    assert [step.step for step in verdict.steps] == list(STEPS)
    assert all(step.ok for step in verdict.steps)
    assert not [rule for rule in verdict.rules if rule.outcome is Finding.BROKEN]
