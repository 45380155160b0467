"""A draw of experts at the host's API: its steps, what is missing in each, what came of it, and where it is logged."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from bidding import bidding
from conftest import Clock
from drawing import KEEPERS, SITES, Drawing, experts
from founding import CODES, Founded
from holding import Holding
from sqlmodel import Session

from anchors.commitment import Kind, Statement, commit
from anchors.receipt import parse_receipt
from anchors.tenders.draw import DrawState, ExpertList, Panel, Quota, Seat, replay
from ledger_service.chain.rpc import Rpc
from ledger_service.tenders.draws.answers import DrawsOut, RevealedOut, RoundOut, SeatsOut
from ledger_service.tenders.draws.rounds import draw_of
from ledger_service.tenders.ground import TenderGround


@pytest.fixture
def drawing(holding: Holding) -> Drawing:
    """A tender that was announced, and whose experts are to be drawn."""
    return Drawing(holding, holding.announced())


def test_each_step_tells_whose_part_is_missing(drawing: Drawing) -> None:
    def stands(state: str, **missing: list[object]) -> None:
        told = drawing.told()
        RoundOut.model_validate(told)
        assert told["state"] == state
        assert {name: who for name, who in told["missing"].items() if who} == missing

    begun = drawing.begin()
    assert (begun.status_code, begun.headers["location"]) == (201, drawing.path)
    stands("depositing", deposits=list(SITES), lists=list(SITES))
    for site in SITES[1:]:
        drawing.done([drawing.send(drawing.deposit(site))])
    stands("depositing", deposits=["chongqing"], lists=list(SITES))
    drawing.done([drawing.send(drawing.deposit("chongqing"))])
    stands("confirming", confirmations=list(CODES), lists=list(SITES))
    drawing.done(drawing.send(drawing.confirmation(code)) for code in ("yunnan", "chongqing"))
    stands("confirming", confirmations=["sichuan", "guizhou"], lists=list(SITES))
    drawing.done([drawing.send(drawing.confirmation("sichuan"))])
    needed = [{"site": site, "count": 2} for site in SITES]
    stands("listing", confirmations=["guizhou"], lists=list(SITES), reveals=list(SITES), shares=needed)
    drawing.done(drawing.send(drawing.lists[site]) for site in SITES)
    stands("revealing", confirmations=["guizhou"], reveals=list(SITES), shares=needed)
    drawing.done(drawing.send(drawing.reveal(site)) for site in SITES[:2])
    stands("revealing", reveals=["guizhou"], shares=[{"site": "guizhou", "count": 2}])
    drawing.done([drawing.send(drawing.reveal("guizhou"))])
    stands("ready")
    drawing.done([drawing.conclude()])
    stands("drawn")
    listed = drawing.holding.told(f"{drawing.tender}/draws")
    DrawsOut.model_validate(listed)
    assert listed["draws"] == [drawing.told()]


def test_what_was_drawn_is_sealed_and_is_what_the_values_draw(drawing: Drawing) -> None:
    drawing.held()
    told, sealed = drawing.told(), drawing.get("/file").content
    assert told["digest"] == "0x" + sha256(sealed).hexdigest()
    verdict = replay(sealed)
    assert (verdict.state, verdict.tender) == (DrawState.SEALED, drawing.tender[-66:])
    assert told["result"] == {"panel": "0x" + (verdict.root or b"").hex(), "void": []}
    seats = drawing.get("/seats", "operator").json()
    SeatsOut.model_validate(seats)
    panel = Panel(drawing.plain.digest(), tuple(Seat.from_json(one, "") for one in seats["seats"]))
    assert panel.root == verdict.root
    assert seats["words"] == ["0x" + word.hex() for word in panel.words]
    RevealedOut.model_validate(drawing.get("/reveals", "officer").json())
    # Whoever has values and lists draws the same.
    whole = drawing.file()
    opened = replace(whole.opened, lists=tuple(drawing.lists[site] for site in SITES), seats=panel.seats)  # type: ignore[type-var]
    again = replay(replace(whole, opened=opened).write())
    assert (again.state, again.panel) == (DrawState.DRAWN, panel)


def test_the_sealed_file_is_logged_as_the_evidence_of_a_draw(drawing: Drawing) -> None:
    drawing.held()
    evidence = drawing.told()["evidence"]
    statement = Statement.from_json(evidence["statement"])
    assert (statement.kind, statement.tender) == (Kind.EXPERT_DRAW, drawing.tender[-66:])
    assert statement.sha256 == sha256(drawing.get("/file").content).digest()
    assert evidence["commitment"] == "0x" + commit(statement).hex()
    assert parse_receipt(evidence["receipt"]).commitment == commit(statement)
    logged = drawing.holding.room.client.get(f"/v1/evidence/{evidence['commitment']}").json()
    assert logged["index"] == evidence["receipt"]["index"]


def test_a_draw_that_the_log_did_not_take_is_logged_when_asked_again(drawing: Drawing) -> None:
    drawing.revealed()
    refused = drawing.conclude(key="spent")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:bidledger:problem:quota-too-small")
    told = drawing.told()
    assert (told["state"], told["evidence"]["receipt"]) == ("drawn", None)
    again = drawing.conclude().json()
    assert again["evidence"]["commitment"] == told["evidence"]["commitment"]
    assert again["evidence"]["receipt"] is not None
    assert drawing.conclude().json() == again


def test_the_same_part_again_changes_nothing(drawing: Drawing) -> None:
    drawing.begin()
    deposits = [drawing.deposit(site) for site in SITES]
    drawing.done(drawing.send(part) for part in deposits)
    confirmations = [drawing.confirmation(code) for code in CODES]
    drawing.done(drawing.send(part) for part in confirmations)
    drawing.done(drawing.send(drawing.lists[site]) for site in SITES)
    reveals = [drawing.reveal(site) for site in SITES]
    drawing.done(drawing.send(part) for part in reveals)
    before = drawing.told()
    drawing.done([drawing.begin()])
    drawing.done(drawing.send(part) for part in (*deposits, *confirmations, *drawing.lists.values(), *reveals))
    assert drawing.told() == before
    drawing.conclude()
    held = drawing.told()
    drawing.done(drawing.send(part) for part in (*deposits, *confirmations, *drawing.lists.values(), *reveals))
    assert drawing.told() == held


def test_a_service_that_ended_goes_on_where_it_was(
    ground: TenderGround, founded: Founded, rpc: Rpc, tmp_path: Path, clock: Clock, drawing: Drawing
) -> None:
    drawing.committed()
    reveals = [drawing.reveal(site) for site in SITES]
    drawing.done([drawing.send(reveals[0])])
    before = drawing.told()
    with bidding(ground, founded, rpc, tmp_path / "another", clock) as started:
        drawing.holding = replace(drawing.holding, room=started)
        assert drawing.told() == before
        drawing.done(drawing.send(part) for part in reveals[1:])
        drawing.done([drawing.conclude()])
        assert drawing.told()["state"] == "drawn"


def test_a_round_is_begun_anew_as_long_as_nobody_has_revealed(drawing: Drawing) -> None:
    drawing.committed()
    other = replace(drawing.plain, threshold=3)
    drawing.done([drawing.begin(other)])
    told = drawing.told()
    assert (told["state"], told["threshold"], told["given"]["deposits"]) == ("depositing", 3, [])
    drawing.values.clear()
    drawing.done(drawing.send(drawing.deposit(site)) for site in SITES)
    drawing.done(drawing.send(drawing.confirmation(code)) for code in CODES)
    drawing.done(drawing.send(drawing.lists[site]) for site in SITES)
    drawing.done([drawing.send(drawing.reveal("sichuan"))])
    refused = drawing.begin()
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:bidledger:problem:part-late")


def test_a_member_that_gets_another_list_confirms_again(drawing: Drawing) -> None:
    drawing.deposited()
    without = [drawing.confirmation(code, {"chongqing": ("sichuan",)}) for code in CODES]
    drawing.done(drawing.send(part) for part in without)
    assert drawing.told()["state"] == "confirming"
    drawing.done([drawing.send(drawing.confirmation("chongqing", KEEPERS))])
    fewer = drawing.send(without[0])
    assert (fewer.status_code, fewer.json()["type"]) == (422, "urn:bidledger:problem:part-late")
    drawing.done([drawing.send(drawing.confirmation("yunnan", {"yunnan": ("chongqing",)}))])
    assert drawing.told()["state"] == "listing"


# ---- values that are kept back ----


def test_a_value_that_is_kept_back_is_recovered_from_shares(drawing: Drawing) -> None:
    drawing.revealed("chongqing", "sichuan")
    waits = drawing.conclude()
    assert (waits.status_code, waits.json()["type"]) == (409, "urn:bidledger:problem:values-missing")
    assert waits.json()["sites"] == ["guizhou"]
    drawing.done([drawing.send(drawing.share("guizhou", "yunnan"))])
    assert drawing.told()["missing"]["shares"] == [{"site": "guizhou", "count": 1}]
    drawing.done([drawing.send(drawing.share("guizhou", "sichuan"))])
    assert drawing.told()["state"] == "ready"
    drawing.done([drawing.conclude(void=True)])  # nothing is missing, so it is not void
    told = drawing.told()
    assert (told["state"], told["result"]["void"]) == ("drawn", [])
    assert told["given"]["shares"] == [{"site": "guizhou", "member": code} for code in ("sichuan", "yunnan")]


def test_without_enough_shares_the_draw_is_void_and_the_next_round_is_held_without_the_site(drawing: Drawing) -> None:
    drawing.revealed("chongqing", "sichuan")
    drawing.done([drawing.send(drawing.share("guizhou", "yunnan"))])
    drawing.done([drawing.conclude(void=True)])
    told = drawing.told()
    assert (told["state"], told["result"]) == ("void", {"panel": None, "void": ["guizhou"]})
    late = drawing.send(drawing.reveal("guizhou"))
    assert (late.status_code, late.json()["type"]) == (422, "urn:bidledger:problem:part-late")
    digest = bytes.fromhex(told["digest"][2:])

    with_it = replace(drawing.plain, round=2, previous=digest)
    without = drawing.plain.next_round(digest, ["guizhou"])
    for terms in (
        with_it,
        replace(without, previous=bytes(32)),
        replace(without, round=3),
        replace(without, excluded=()),
    ):
        refused = drawing.begin(terms)
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:bidledger:problem:not-next-round")
    drawing.number = 2
    drawing.values.clear()
    drawing.committed(without)
    drawing.done(drawing.send(drawing.reveal(site)) for site in without.site_codes)
    drawing.done([drawing.conclude()])
    assert [one["state"] for one in drawing.holding.told(f"{drawing.tender}/draws")["draws"]] == ["void", "drawn"]


def test_seats_that_are_left_empty_are_filled_by_a_round_in_which_all_others_are_recused(drawing: Drawing) -> None:
    drawing.held()
    digest = bytes.fromhex(drawing.told()["digest"][2:])
    seats = [Seat.from_json(one, "") for one in drawing.get("/seats", "operator").json()["seats"]]
    commitments = [seat.expert.commitment() for seat in seats]
    refused = drawing.begin(drawing.plain.next_round(digest, (), commitments[1:]))
    assert refused.json()["type"] == "urn:bidledger:problem:not-next-round"
    following = drawing.plain.next_round(digest, (), commitments)
    drawing.number = 2
    drawing.values.clear()
    drawing.committed(following)
    drawing.done(drawing.send(drawing.reveal(site)) for site in SITES)
    drawing.done([drawing.conclude()])
    again = [Seat.from_json(one, "") for one in drawing.get("/seats", "operator").json()["seats"]]
    assert not {seat.expert.code for seat in seats} & {seat.expert.code for seat in again}


def test_a_draw_that_falls_short_is_followed_by_one_with_other_quotas(drawing: Drawing) -> None:
    """Two lists with the same experts, who get one seat each: that they are too few shows in the draw alone."""
    drawing.lists |= {site: ExpertList.of(site, experts("shared")) for site in SITES[:2]}
    quotas = (Quota("chongqing", "A01", 12), Quota("sichuan", "A01", 1))
    terms = replace(drawing.plain, quotas=quotas, recusals=())
    drawing.committed(terms)
    drawing.done(drawing.send(drawing.reveal(site)) for site in SITES)
    drawing.done([drawing.conclude()])
    told = drawing.told()
    assert (told["state"], told["result"]) == ("short", None)
    assert told["evidence"]["receipt"] is not None
    late = drawing.send(drawing.share("guizhou", "yunnan"))
    assert (late.status_code, late.json()["type"]) == (422, "urn:bidledger:problem:part-late")
    following = replace(terms.next_round(bytes.fromhex(told["digest"][2:]), ()), quotas=(quotas[1],))
    drawing.done([drawing.begin(following)])
    with Session(drawing.holding.ground.engine) as session:
        assert draw_of(session, bytes.fromhex(drawing.tender[-64:])) == ()  # its file would tell the lists
