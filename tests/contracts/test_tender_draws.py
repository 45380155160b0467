"""A panel as the library draws it, at the register: sealed by the evaluation, unsealed by the award, or refused."""

from dataclasses import replace

import pytest
from founded_alliance import DAY
from rfc6962 import Tree
from tender_alliance import AWARDED, CANDIDATES, PAPER, SENDER, Panel, TenderAlliance, seal

from anchors.tenders import Evaluators
from anchors.tenders.draw import ExpertList, Member, Quota, Terms, draw, prove_seat
from anchors.tenders.draw.panel import Panel as Drawn

DIGEST = b"\xd1" * 32  # of the draw
SITES = ("gansu", "qinghai")
SIGNERS = (5, 1, 3)  # seats, in no order


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Five seats from two lists."""
    experts = {site: [(f"{site[:2].upper()}-{n:04}", "A01") for n in range(40)] for site in SITES}
    lists = [ExpertList.of(site, experts[site], PAPER) for site in SITES]
    codes = (*SITES, "xpcc", "yunnan")
    terms = Terms(
        chain_id=1,
        tender="0x" + "5e" * 32,
        round=1,
        previous=None,
        excluded=(),
        threshold=2,
        members=tuple(Member(code, bytes([n]) * 20, bytes([n]) * 32) for n, code in enumerate(codes, 1)),
        sites=tuple(each.commit() for each in lists),
        quotas=(Quota("gansu", "A01", 3), Quota("qinghai", "A01", 2)),
        recusals=(),
    )
    return draw(terms, PAPER, (b"\x01" * 32, b"\x02" * 32), lists)


def argument(evaluators: Evaluators) -> Panel:
    return Panel(evaluators.salt, evaluators.drawn, evaluators.signers)


def evaluated(tenders: TenderAlliance, evaluators: Evaluators) -> bytes:
    """A tender that may be awarded, whose evaluation sealed this panel."""
    tender = tenders.name(panel=evaluators.sealed())
    tenders.pass_time(5 * DAY)
    return tender


def refusal(tenders: TenderAlliance, sealed: Evaluators, shown: Evaluators | None = None) -> str:
    tender = evaluated(tenders, sealed)
    refused = tenders.refusal(SENDER, tenders.awarding(tenders.awarded(tender), argument(shown or sealed)))
    assert tenders.state(tender) == CANDIDATES
    return refused


def test_a_drawn_panel_is_sealed_and_unsealed(tenders: TenderAlliance, drawn: Drawn) -> None:
    evaluators = drawn.evaluators(DIGEST, SIGNERS)
    assert evaluators.sealed() == seal(
        DIGEST, drawn.words, sorted(drawn.seats[n - 1].word(drawn.terms) for n in SIGNERS)
    )
    tender = evaluated(tenders, evaluators)
    done = tenders.send(SENDER, tenders.awarding(tenders.awarded(tender), argument(evaluators)))
    event = tenders.event("TenderAwarded", done)
    assert tenders.state(tender) == AWARDED
    assert (event["salt"], tuple(event["drawn"]), tuple(event["signers"])) == (
        DIGEST,
        drawn.words,
        evaluators.signers,
    )
    # What the chain tells leads to the root in the draw's sealed file, and so does each seat's proof.
    assert Tree(event["drawn"]).root(5) == drawn.root
    assert [prove_seat(drawn.prove(n), drawn.root) for n in range(1, 6)] == list(drawn.seats)
    assert {each.word(drawn.terms) for each in drawn.seats} == set(event["drawn"])


def test_who_was_not_drawn_and_signed_is_refused(tenders: TenderAlliance, drawn: Drawn) -> None:
    plain = drawn.evaluators(DIGEST, SIGNERS)
    first = drawn.seats[0]
    strangers = {
        "another expert in the seat": replace(first, expert=replace(first.expert, code="GA-9999")),
        "the expert in another seat": replace(first, number=2),
        "the expert under another salt": replace(first, salt=PAPER),
    }
    for seat in strangers.values():
        signers = tuple(sorted((*plain.signers[1:], seat.word(drawn.terms))))
        assert refusal(tenders, replace(plain, signers=signers)) == "TenderRegister_NotDrawn"


def test_another_panel_than_the_drawn_one_is_refused(tenders: TenderAlliance, drawn: Drawn) -> None:
    plain = drawn.evaluators(DIGEST, SIGNERS)
    more = replace(plain, drawn=tuple(sorted((*plain.drawn, PAPER))))
    for other in (more, replace(plain, salt=PAPER), drawn.evaluators(DIGEST, (1,))):
        assert refusal(tenders, plain, other) == "TenderRegister_OtherPanel"


def test_words_in_the_order_of_the_seats_are_refused(tenders: TenderAlliance, drawn: Drawn) -> None:
    in_order = tuple(seat.word(drawn.terms) for seat in drawn.seats)
    assert in_order != drawn.words
    sealed = replace(drawn.evaluators(DIGEST, ()), drawn=in_order)
    assert refusal(tenders, sealed) == "TenderRegister_ExpertsNotAscending"
