"""The ordered verifier of draws: what it proves, and each of its steps failing."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from held_draw import APART, MEMBERS, QUOTAS, SITES, altered, experts, held, story, told, with_deposit
from hypothesis import given, settings
from hypothesis import strategies as st

from anchors.errors import ListNotHeld, QuotaNotMet, RecusalUnknown
from anchors.tenders.draw import (
    STEPS,
    Draw,
    DrawFile,
    DrawState,
    DrawVerdict,
    Opened,
    Panel,
    Quota,
    Reveal,
    Terms,
    committed_digest,
    new_value,
    replay,
)
from anchors.tenders.draw.sharing import share_value


def _refuted(data: bytes, step: str, says: str) -> DrawVerdict:
    verdict = replay(data)
    assert verdict.state is DrawState.REFUTED
    assert not verdict.proven
    assert (verdict.panel, verdict.root, verdict.void) == (None, None, ())
    *before, last = verdict.steps
    assert all(each.ok for each in before)
    assert [each.step for each in verdict.steps] == list(STEPS[: STEPS.index(step) + 1])
    assert not last.ok
    assert says in last.detail
    return verdict


def _opened(draw: Draw) -> Opened:
    assert draw.opened is not None
    return draw.opened


class TestProven:
    def test_a_draw_proves_its_panel(self) -> None:
        verdict = replay(held().write())
        assert verdict.state is DrawState.DRAWN
        assert [each.step for each in verdict.steps] == list(STEPS)
        assert verdict.panel is not None
        assert [seat.expert.site for seat in verdict.panel.seats] == [q.site for q in QUOTAS for _ in range(q.count)]
        assert held().result is not None
        assert verdict.root == held().result.panel  # type: ignore[union-attr]

    def test_a_sealed_file_proves_what_it_shows_and_does_not_tell_the_panel(self) -> None:
        data = held().sealed().write()
        verdict = replay(data)
        assert verdict.state is DrawState.SEALED
        assert verdict.proven
        assert [each.step for each in verdict.steps] == ["terms", "commitments", "shares", "seal"]
        assert verdict.panel is None
        codes = [code for site in SITES for code, _ in experts(site)]
        assert not [code for code in codes if code.encode() in data]
        assert not [value for value in told().values.values() if value.hex().encode() in data]
        assert not [each for each in told().lists.values() if each.key.hex().encode() in data]

    def test_sealed_and_open_have_one_digest_that_of_the_sealed_files_bytes(self) -> None:
        sealed = held().sealed().write()
        assert replay(sealed).digest == replay(held().write()).digest == sha256(sealed).digest()
        # however the file is spelled
        assert replay(json.dumps(json.loads(sealed), indent=2).encode()).digest == sha256(sealed).digest()

    def test_a_value_that_is_kept_back_is_recovered_and_draws_the_same_panel(self) -> None:
        verdict = replay(told().hold(["ningxia"], ["gansu", "xpcc"]).write())
        assert verdict.state is DrawState.DRAWN
        assert verdict.panel == replay(held().write()).panel
        assert "ningxia kept back and recovered from shares" in verdict.steps[3].detail

    def test_all_values_can_be_recovered(self) -> None:
        verdict = replay(told().hold(SITES, MEMBERS).write())
        assert verdict.panel == replay(held().write()).panel

    def test_it_is_told_as_json(self) -> None:
        told_json = replay(held().write()).as_json()
        assert json.loads(json.dumps(told_json))["verdict"] == "drawn"

    def test_a_file_is_read_as_it_is_written(self) -> None:
        assert DrawFile(held().write()).draw() == held()
        assert DrawFile(held().sealed().write()).draw() == held().sealed()


class TestVoid:
    def test_without_enough_shares_it_is_void_and_names_the_site(self) -> None:
        draw = told().hold(["ningxia"], ["gansu"])
        verdict = replay(draw.write())
        assert verdict.state is DrawState.VOID
        assert not verdict.proven
        assert verdict.void == ("ningxia",)
        assert verdict.steps[-1].step == "reveals"
        assert "fewer than 2 shares: ningxia (1)" in verdict.steps[-1].detail
        assert verdict.digest == draw.digest()

    def test_it_starts_again_without_that_site(self) -> None:
        void = told().hold(["ningxia"])
        again = story(told().lists, lambda terms, _: terms.next_round(void.digest(), ["ningxia"]))
        data = again.hold().write()
        verdict = replay(data, [void.write()])
        assert verdict.state is DrawState.DRAWN
        assert verdict.panel is not None
        assert {seat.expert.site for seat in verdict.panel.seats} == {"gansu", "qinghai"}
        assert "after round 1, void by ningxia" in verdict.steps[0].detail
        assert "which was not looked at" in replay(data).steps[0].detail

    def test_a_void_draw_tells_no_list(self) -> None:
        opened = _opened(told().hold(["ningxia"]))
        assert (opened.lists, opened.seats) == ((), ())

    def test_nobody_is_named_who_revealed(self) -> None:
        void = told().hold(["ningxia"])
        data = altered(void, lambda file: file["result"].update(void=["gansu"]))
        _refuted(data, "reveals", "says that the draw is void by gansu; missing are the values of ningxia")

    def test_a_draw_with_all_values_is_not_void(self) -> None:
        data = altered(held(), lambda file: file.update(result={"panel": None, "void": ["gansu"]}))
        _refuted(data, "reveals", "missing are the values of nobody")

    def test_a_panel_cannot_come_from_too_few_values(self) -> None:
        data = altered(held(), lambda file: file["opened"]["reveals"].pop())
        _refuted(data, "reveals", "says that the draw is void by nobody; missing are the values of ningxia")

    def test_a_void_draw_is_shown_openly(self) -> None:
        verdict = replay(told().hold(["ningxia"]).sealed().write())
        assert verdict.state is DrawState.REFUTED
        assert "a void draw has nothing to seal" in verdict.steps[-1].detail


class TestRounds:
    def test_empty_seats_are_filled_in_a_round_without_those_who_have_seats(self) -> None:
        seated = [seat.expert.commitment() for seat in _panel().seats]

        def fill(terms: Terms, _: object) -> Terms:
            return replace(terms.next_round(held().digest(), [], seated), quotas=(Quota("gansu", "A01", 1),))

        verdict = replay(story(told().lists, fill).hold().write(), [held().write()])
        assert verdict.panel is not None
        assert not {seat.expert for seat in verdict.panel.seats} & {seat.expert for seat in _panel().seats}

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda terms: replace(terms, previous=b"\x01" * 32), "its terms name another"),
            (lambda terms: replace(terms, tender="T-2026-002"), "that is of another tender"),
            (lambda terms: replace(terms, round=3), "that is round 1"),
            (lambda terms: replace(terms, excluded=()), "a site that kept its value back is not excluded"),
        ],
        ids=["digest", "tender", "round", "excluded"],
    )
    def test_a_round_follows_the_one_before(self, change: Callable[[Terms], Terms], says: str) -> None:
        void = told().hold(["ningxia"])
        again = story(told().lists, lambda terms, _: change(terms.next_round(void.digest(), ["ningxia"])))
        verdict = replay(again.hold().write(), [void.write()])
        assert verdict.steps[-1].step == "terms"
        assert says in verdict.steps[-1].detail

    def test_nobody_has_a_draw_again_until_the_panel_suits(self) -> None:
        again = story(told().lists, lambda terms, _: terms.next_round(held().digest(), []))
        verdict = replay(again.hold().write(), [held().write()])
        assert "who has a seat can be drawn again" in verdict.steps[-1].detail

    def test_a_round_follows_one_whose_quotas_could_not_be_filled(self) -> None:
        short = story(told().lists, lambda terms, _: replace(terms, quotas=(Quota("gansu", "A01", 19),)), APART).open()
        verdict = replay(short.write())
        assert verdict.state is DrawState.SHORT
        assert not verdict.proven
        assert verdict.digest == short.digest()
        again = story(told().lists, lambda terms, _: terms.next_round(short.digest(), []))
        assert replay(again.hold().write(), [short.write()]).state is DrawState.DRAWN

    @pytest.mark.parametrize("sealed", [True, False])
    def test_the_round_before_must_be_proven(self, *, sealed: bool) -> None:
        before = held().sealed().write() if sealed else altered(held(), lambda file: file["deposits"].pop())
        again = story(told().lists, lambda terms, _: terms.next_round(held().digest(), []))
        verdict = replay(again.hold().write(), [before])
        assert f"that draw is {'sealed' if sealed else 'refuted'}" in verdict.steps[-1].detail


class TestTerms:
    def test_the_order_of_the_sites_is_agreed_on(self) -> None:
        data = altered(held(), lambda file: file["terms"]["sites"].reverse())
        _refuted(data, "commitments", "must be of ningxia, qinghai, gansu, in order")

        def reorder(file: Any) -> None:
            file["terms"]["sites"].reverse()
            file["deposits"].reverse()

        _refuted(altered(held(), reorder), "commitments", "ningxia deposited for other terms than these")

    @pytest.mark.parametrize(
        "change",
        [
            lambda terms: terms["recusals"].pop(),
            lambda terms: terms["quotas"].reverse(),
            lambda terms: terms["quotas"][0].update(count=4),
            lambda terms: terms["sites"][0].update(root="0x" + "11" * 32),
            lambda terms: terms.update(tender="T-2026-002"),
            lambda terms: terms["members"][3].update(officer="0x" + "11" * 20),
        ],
        ids=["recusals", "order", "quota", "list", "tender", "officer"],
    )
    def test_nothing_is_changed_after_the_deposits(self, change: Callable[[Any], object]) -> None:
        data = altered(held(), lambda file: change(file["terms"]))
        _refuted(data, "commitments", "gansu deposited for other terms than these")

    def test_terms_that_let_somebody_choose_are_none(self) -> None:
        data = altered(held(), lambda file: file["terms"].update(threshold=4))
        _refuted(data, "terms", "the terms cannot be")


class TestCommitments:
    def test_every_site_deposits(self) -> None:
        _refuted(altered(held(), lambda file: file["deposits"].pop()), "commitments", "are of gansu, qinghai, and must")

    def test_deposits_stand_in_the_order_of_the_sites(self) -> None:
        _refuted(altered(held(), lambda file: file["deposits"].reverse()), "commitments", "in order")

    def test_a_deposit_is_signed_by_the_sites_officer(self) -> None:
        def forge(file: Any) -> None:
            file["deposits"][0]["points"] = file["deposits"][1]["points"]

        _refuted(altered(held(), forge), "commitments", "the deposit of gansu is not signed by the officer")

    def test_a_deposit_has_all_shares(self) -> None:
        data = altered(held(), lambda file: file["deposits"][2]["shares"].pop())
        _refuted(data, "commitments", "does not have one share for each other member")


class TestShares:
    def test_a_deposit_made_anew_after_the_confirmations_is_found(self) -> None:
        office, first = told().offices["gansu"], told().deposits[0]
        sharing = share_value(new_value(), 2, [2, 3, 4])
        anew = replace(first, points=sharing.points).signed(told().terms, office.sign)
        _refuted(with_deposit(held(), 0, anew).write(), "shares", "gansu confirmed its shares of other deposits")

    def test_enough_others_have_confirmed(self) -> None:
        def few(file: Any) -> None:
            del file["confirmations"][2:]

        _refuted(altered(held(), few), "shares", "1 others confirmed that their shares of gansu fit, and 2 are needed")

    def test_no_list_is_in_its_sites_hands_alone(self) -> None:
        kept = story(told().lists, keepers={"gansu": SITES, "xpcc": ("qinghai",)})
        with pytest.raises(ListNotHeld):
            kept.open()
        opened = replace(kept.agreed, opened=Opened())
        _refuted(opened.write(), "shares", "no other member has confirmed that it holds the list of gansu")

    def test_a_list_that_is_held_is_one_of_a_site(self) -> None:
        data = altered(held(), lambda file: file["confirmations"][0]["lists"].append("tibet"))
        _refuted(data, "shares", "the lists that gansu holds are of gansu, qinghai, ningxia, tibet")

    def test_a_confirmation_is_signed(self) -> None:
        def forge(file: Any) -> None:
            file["confirmations"][1]["signature"] = file["confirmations"][0]["signature"]

        _refuted(altered(held(), forge), "shares", "the confirmation of qinghai is not signed")

    def test_nobody_confirms_twice(self) -> None:
        def twice(file: Any) -> None:
            file["confirmations"].insert(0, file["confirmations"][0])

        _refuted(altered(held(), twice), "shares", "the confirmations are of gansu, gansu")

    def test_a_share_that_does_not_fit_is_found(self) -> None:
        draw = told().hold(["ningxia"], ["gansu", "qinghai"])
        opened = _opened(draw)
        office = told().offices["gansu"]
        forged = replace(opened.shares[0], share=b"\x01" * 32).signed(told().terms, office.sign)
        data = replace(draw, opened=replace(opened, shares=(forged, *opened.shares[1:]))).write()
        _refuted(data, "shares", "the share of gansu does not fit what ningxia committed to")

    def test_no_share_counts_twice(self) -> None:
        def twice(file: Any) -> None:
            file["opened"]["shares"] *= 2

        _refuted(altered(told().hold(["ningxia"], ["gansu"]), twice), "shares", "gansu for ningxia, gansu for ningxia")

    @pytest.mark.parametrize("who", [("gansu", "gansu"), ("xpcc", "gansu"), ("gansu", "tibet")])
    def test_only_shares_that_somebody_holds_count(self, who: tuple[str, str]) -> None:
        def invent(file: Any) -> None:
            file["opened"]["shares"][0].update(site=who[0], member=who[1])

        _refuted(altered(told().hold(["ningxia"], ["gansu", "xpcc"]), invent), "shares", "the shares are of")


def _with_reveal(draw: Draw, changed: Reveal) -> bytes:
    opened = _opened(draw)
    return replace(draw, opened=replace(opened, reveals=(changed, *opened.reveals[1:]))).write()


class TestReveals:
    def test_a_value_changed_after_the_commitment_is_found(self) -> None:
        other = replace(told().reveal("gansu"), value=new_value()).signed(told().terms, told().offices["gansu"].sign)
        _refuted(_with_reveal(held(), other), "reveals", "gansu revealed another value than the one")

    def test_a_reveal_before_all_commitments_is_found(self) -> None:
        early = committed_digest(told().deposits[:2], ())
        soon = replace(told().reveal("gansu"), committed=early).signed(told().terms, told().offices["gansu"].sign)
        _refuted(_with_reveal(held(), soon), "reveals", "the reveal of gansu was made before these deposits")

    def test_a_share_disclosed_before_all_commitments_is_found(self) -> None:
        draw = told().hold(["ningxia"], ["gansu", "qinghai"])
        opened = _opened(draw)
        early = replace(opened.shares[0], committed=bytes(32)).signed(told().terms, told().offices["gansu"].sign)
        data = replace(draw, opened=replace(opened, shares=(early, *opened.shares[1:]))).write()
        _refuted(data, "reveals", "the share of gansu was made before")

    def test_a_reveal_is_signed_by_the_sites_officer(self) -> None:
        forged = replace(_opened(held()).reveals[0], signature=_opened(held()).reveals[1].signature)
        _refuted(_with_reveal(held(), forged), "reveals", "the reveal of gansu is not signed")

    def test_reveals_stand_in_the_order_of_the_sites_and_once(self) -> None:
        for change in (
            lambda file: file["opened"]["reveals"].reverse(),
            lambda file: file["opened"]["reveals"].insert(0, file["opened"]["reveals"][0]),
            lambda file: file["opened"]["reveals"][0].update(site="xpcc"),
        ):
            _refuted(altered(held(), change), "reveals", "the reveals are of")


class TestLists:
    def test_another_list_is_found(self) -> None:
        def other(file: Any) -> None:
            file["opened"]["lists"][0]["experts"][0]["codes"].pop()

        _refuted(altered(held(), other), "lists", "the list of gansu is not the one that it committed to")

    def test_another_key_is_another_list(self) -> None:
        data = altered(held(), lambda file: file["opened"]["lists"][1].update(key="0x" + "11" * 32))
        _refuted(data, "lists", "the list of qinghai is not the one")

    def test_an_expert_who_stands_twice_is_found(self) -> None:
        def twice(file: Any) -> None:
            group = file["opened"]["lists"][0]["experts"][0]["codes"]
            group.insert(0, group[0])

        _refuted(altered(held(), twice), "lists", "the list of gansu has an expert twice")

    def test_a_number_of_a_person_is_found_and_not_repeated(self) -> None:
        def name(file: Any) -> None:
            file["opened"]["lists"][0]["experts"][0]["codes"][0] = "11010519491231002X"

        verdict = _refuted(altered(held(), name), "lists", "reads as an identity or telephone number")
        assert "11010519491231002X" not in str(verdict.as_json())

    def test_every_site_has_a_list(self) -> None:
        _refuted(
            altered(held(), lambda file: file["opened"]["lists"].pop()), "lists", "the lists are of gansu, qinghai"
        )


def _drawn_anew(draw: Draw, panel: Panel) -> bytes:
    """What a host would hand out who has sealed a panel of its own choice."""
    assert draw.result is not None
    result = replace(draw.result, panel=panel.root)
    return replace(draw, result=result, opened=replace(_opened(draw), seats=panel.seats)).write()


@cache
def _panel() -> Panel:
    panel = replay(held().write()).panel
    assert panel is not None
    return panel


class TestRecusals:
    def test_a_recused_expert_in_the_panel_is_found(self) -> None:
        seat = _panel().seats[0]
        recused = replace(seat, expert=told().lists["gansu"].expert("A01", "GA-00000"))
        panel = Panel(_panel().terms, (recused, *_panel().seats[1:]))
        _refuted(_drawn_anew(held(), panel), "recusals", "the expert in seat 1 was recused")

    def test_a_recusal_of_nobody_on_a_list_is_found(self) -> None:
        lost = story(told().lists, lambda terms, _: replace(terms, recusals=(b"\x01" * 32,)), APART)
        with pytest.raises(RecusalUnknown):
            lost.hold()
        draw = replace(lost.open(), result=held().result)
        _refuted(draw.write(), "recusals", "is on no list of this draw")


class TestPanelStep:
    def test_a_quota_that_is_not_met_is_found(self) -> None:
        greedy = story(told().lists, lambda terms, _: replace(terms, quotas=(Quota("gansu", "A01", 19),)), APART)
        with pytest.raises(QuotaNotMet):
            greedy.hold()
        draw = replace(greedy.open(), result=held().result)
        _refuted(draw.write(), "panel", "gansu has 18 experts of A01 to draw from, and 19 are wanted")

    def test_a_quota_of_a_speciality_that_nobody_has_is_not_met(self) -> None:
        unknown = story(told().lists, lambda terms, _: replace(terms, quotas=(Quota("gansu", "Z9", 1),)), APART)
        with pytest.raises(QuotaNotMet):
            unknown.hold()

    def test_a_panel_short_of_a_seat_is_found(self) -> None:
        panel = Panel(_panel().terms, _panel().seats[:-1])
        _refuted(_drawn_anew(held(), panel), "panel", "seat 7 of the panel is not what these values draw")

    def test_another_expert_in_a_seat_is_found(self) -> None:
        taken = {seat.expert.code for seat in _panel().seats} | {"GA-00000", "GA-00015"}
        code = next(code for code in told().lists["gansu"].codes("A01") if code not in taken)
        seat = replace(_panel().seats[1], expert=told().lists["gansu"].expert("A01", code))
        panel = Panel(_panel().terms, (_panel().seats[0], seat, *_panel().seats[2:]))
        _refuted(_drawn_anew(held(), panel), "panel", "seat 2 of the panel is not what these values draw")

    def test_an_expert_in_two_seats_is_found(self) -> None:
        seat = replace(_panel().seats[1], expert=_panel().seats[0].expert)
        panel = Panel(_panel().terms, (_panel().seats[0], seat, *_panel().seats[2:]))
        _refuted(_drawn_anew(held(), panel), "panel", "the expert in seat 2 has another seat as well")

    def test_another_salt_of_a_seat_is_found(self) -> None:
        data = altered(held(), lambda file: file["opened"]["seats"][0].update(salt="0x" + "11" * 32))
        _refuted(data, "panel", "seat 1 of the panel is not what these values draw")


class TestSeal:
    def test_a_panel_sealed_under_another_root_is_found(self) -> None:
        data = altered(held(), lambda file: file["result"].update(panel="0x" + "11" * 32))
        _refuted(data, "seal", "the panel was sealed under another root")

    @pytest.mark.parametrize("sealed", [True, False])
    def test_a_draw_without_a_result_is_none(self, *, sealed: bool) -> None:
        draw = replace(held().sealed() if sealed else held(), result=None)
        verdict = replay(draw.write())
        assert verdict.state is DrawState.REFUTED
        assert verdict.steps[-1].step == "seal"
        assert "no result yet" in verdict.steps[-1].detail


class TestHostileFiles:
    @pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"format":"bidledger/expert-draw/v2"}'])
    def test_what_is_no_draw_is_refuted_at_the_first_step(self, data: bytes) -> None:
        verdict = replay(data)
        assert [each.step for each in verdict.steps] == ["terms"]
        assert verdict.state is DrawState.REFUTED

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_whatever_is_changed_in_it_is_refuted(self, data: st.DataObject) -> None:
        document = json.loads(held().write())
        where, name = data.draw(st.sampled_from(_places(document)))
        values = [None, 0, -1, 2**53, "", "0x", "0x00", "gansu", "x" * 70, [], {}, [1], True, "0x" + "22" * 32]
        value = data.draw(st.sampled_from([each for each in values if each != where[name]]))
        where[name] = value
        verdict = replay(json.dumps(document).encode())
        # Sealing is no forgery, and what is left of a file without its shares is the same draw.
        assert verdict.state is DrawState.REFUTED or (name == "opened" and value is None)

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_whatever_is_left_out_of_it_is_refuted(self, data: st.DataObject) -> None:
        document = json.loads(told().hold(["ningxia"], ["gansu", "xpcc"]).write())
        where, name = data.draw(st.sampled_from(_places(document)))
        del where[name]
        assert replay(json.dumps(document).encode()).state is DrawState.REFUTED


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for name in document if isinstance(document, dict) else range(len(document)):
        found.append((document, name))
        if isinstance(document[name], dict | list):
            found += _places(document[name])
    return found
