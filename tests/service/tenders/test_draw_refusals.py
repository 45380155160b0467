"""Each thing that may not be in a draw is refused at the host's API by its own name, and nothing is kept of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from drawing import CODES, SITES, Drawing, experts
from holding import PAPER, Holding
from sqlmodel import Session, select
from tendering import BIDDERS, Tendering

from anchors.tenders.draw import Deposit, Draw, ExpertList, Member, Quota, Reveal, Terms, confirm, deposit, new_value
from ledger_service.chain.contracts import REGISTRY
from ledger_service.chain.rpc import Rpc
from ledger_service.tenders.draws.tables import DrawPart, DrawRound
from ledger_service.tenders.ground import TenderGround

Follow = Callable[[], None]
OTHER = "0x" + "9" * 64


@pytest.fixture
def drawing(holding: Holding) -> Drawing:
    return Drawing(holding, holding.announced())


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:bidledger:problem:")


def kept(ground: TenderGround) -> list[tuple[str, str, str]]:
    with Session(ground.engine) as session:
        rows = session.exec(select(DrawPart)).all()
        return sorted((row.kind, row.site, row.member) for row in rows)


# ---- terms ----


def with_officer(terms: Terms, at: int, officer: bytes) -> Terms:
    members = list(terms.members)
    members[at] = replace(members[at], officer=officer)
    return replace(terms, members=tuple(members))


def with_member(terms: Terms, member: Member) -> Terms:
    return replace(terms, members=(*terms.members[:-1], member))


def test_terms_that_may_not_be(drawing: Drawing, ground: TenderGround) -> None:
    plain, opened = drawing.plain, drawing.holding.founded.opened
    stranger = replace(plain.members[3], code="tibet")
    regulator = opened[4, "regulator"].address
    other_member = opened[3, "tender-officer"].address
    swapped = replace(plain.members[3], officer=other_member)
    others = replace(plain.members[2], officer=plain.members[3].officer)
    refused = {
        replace(plain, tender="T-2026-001"): "invalid-content",
        replace(plain, tender=OTHER): "other-tenders-draw",
        replace(plain, chain_id=1): "other-tenders-draw",
        with_member(plain, stranger): "unknown-member",
        with_officer(plain, 3, regulator): "not-its-officer",
        replace(plain, members=(*plain.members[:2], others, swapped)): "not-its-officer",
        replace(plain, round=2, previous=bytes(32)): "not-next-round",
    }
    for terms, expected in refused.items():
        assert problem(drawing.begin(terms)) == (422, expected), expected
    for change in (
        {"threshold": 4},
        {"sites": [site.to_json() for site in plain.sites[:1]]},
        {"quotas": []},
        {"excluded": ["guizhou"]},
        {"recusals": ["0x" + "2" * 64, "0x" + "1" * 64]},
    ):
        body = plain.to_json() | change
        assert problem(drawing.post(f"{drawing.tender}/draws", body, "operator")) == (422, "bad-terms")
    for change in ({"more": 1}, {"round": 0}, {"quotas": [{"site": "guizhou", "speciality": "a", "count": 1}]}):
        body = plain.to_json() | change
        assert problem(drawing.post(f"{drawing.tender}/draws", body, "operator")) == (422, "invalid-content")
    with Session(ground.engine) as session:
        assert session.exec(select(DrawRound)).all() == []


def test_who_may_not_ask(drawing: Drawing) -> None:
    for key, expected in ((None, (401, "not-authenticated")), ("officer", (403, "not-allowed"))):
        assert problem(drawing.begin(key=key)) == expected
    drawing.deposited()
    for key, expected in ((None, (401, "not-authenticated")), ("bidder", (403, "not-allowed"))):
        for part in (drawing.deposit("chongqing"), drawing.confirmation("yunnan"), drawing.lists["guizhou"]):
            assert problem(drawing.send(part, key)) == expected
        assert problem(drawing.get("/reveals", key)) == expected
    for key in ("officer", "operator", "bidder"):
        assert problem(drawing.conclude(key)) == (403, "not-allowed")
    for path in ("/seats", "/opened"):
        assert problem(drawing.get(path)) == (401, "not-authenticated")
        assert problem(drawing.get(path, "officer")) == (403, "not-allowed")


def test_an_officer_that_gave_the_role_up(drawing: Drawing, rpc: Rpc) -> None:
    """Neither terms nor a part of the officer is taken from then on."""
    drawing.done([drawing.begin()])
    founded = drawing.holding.founded
    part = drawing.deposit("sichuan")
    drawing.done([drawing.send(drawing.deposit("chongqing"))])
    officer = founded.opened[2, "tender-officer"]
    founded.send(rpc, founded.opened[2, "governor"], REGISTRY, "revokeOwnRole", officer.address, 5)
    assert problem(drawing.send(part)) == (422, "officer-not-in-force")
    assert problem(drawing.begin(replace(drawing.plain, threshold=3))) == (422, "officer-not-in-force")
    drawing.done([drawing.send(drawing.deposit("guizhou"))])


def test_a_member_that_is_suspended(drawing: Drawing, rpc: Rpc) -> None:
    drawing.done([drawing.begin()])
    drawing.holding.founded.vote(rpc, REGISTRY, "setStatus", 4, 2)
    drawing.done(drawing.send(drawing.deposit(site)) for site in SITES)
    assert problem(drawing.send(drawing.confirmation("yunnan"))) == (422, "member-not-active")
    assert problem(drawing.begin(replace(drawing.plain, threshold=3))) == (422, "member-not-active")


def test_of_another_hosts_tender_or_none(drawing: Drawing, tendering: Tendering, follow: Follow) -> None:
    theirs = "0x" + tendering.publish(host=2).hex()
    follow()
    for tender, expected in ((OTHER, (404, "not-found")), (theirs, (422, "other-hosts-tender"))):
        elsewhere = replace(drawing, tender=f"/v1/tenders/{tender}")
        assert problem(elsewhere.begin()) == expected
        assert problem(elsewhere.send(drawing.lists["guizhou"])) == expected
        assert problem(elsewhere.conclude()) == expected
        for path in ("", "/file", "/seats/1"):
            assert problem(elsewhere.get(path)) == expected
    for path in ("", "/file", "/seats/1"):
        assert problem(drawing.get(path)) == (404, "not-found")
    assert problem(drawing.send(drawing.lists["guizhou"])) == (404, "not-found")
    assert problem(drawing.conclude()) == (404, "not-found")


def test_no_draw_is_begun_once_the_bids_are_evaluated(drawing: Drawing) -> None:
    holding, tender = drawing.holding, drawing.tender
    holding.room.handed_in(bytes.fromhex(tender[-64:]), *BIDDERS[:3])
    holding.wait_until(holding.told(tender)["opening"])
    holding.done(f"{tender}/closing", {})
    holding.done(f"{tender}/opening", {"record": PAPER})
    drawing.done([drawing.begin()])
    holding.done(f"{tender}/evaluation", holding.evaluation())
    assert problem(drawing.begin(replace(drawing.plain, threshold=3))) == (422, "already-evaluated")
    holding.done(f"{tender}/failure", {"reason": PAPER})
    assert problem(drawing.begin(replace(drawing.plain, threshold=3))) == (422, "tender-ended")


# ---- deposits ----


def test_deposits_that_may_not_be(drawing: Drawing, ground: TenderGround) -> None:
    drawing.done([drawing.begin()])
    part = drawing.deposit("sichuan")
    assert isinstance(part, Deposit)
    terms = drawing.plain
    other_terms = replace(terms, threshold=3)
    signed = part.signed(terms, drawing.sign("sichuan"))
    refused = {
        replace(part, signature=drawing.sign("yunnan")(part.digest(terms))): "act-forged",
        replace(part, signature=bytes(65)): "act-forged",
        replace(part, site="guizhou"): "bad-deposit",  # its shares are for others
        replace(part, site="yunnan"): "bad-terms",
        deposit(other_terms, "sichuan", drawing.values["sichuan"], drawing.sign("sichuan")): "terms-differ",
        replace(signed, points=part.points[:1]): "bad-deposit",
        replace(signed, points=(part.points[0], b"\x02" + b"\xff" * 32)): "bad-deposit",
        replace(signed, shares=part.shares[1:]): "bad-deposit",
    }
    for wrong, expected in refused.items():
        assert problem(drawing.send(wrong)) == (422, expected), expected
    body = part.to_json()
    for change in ({"site": "No"}, {"signature": "0x"}, {"points": "none"}, {"more": 1}):
        assert problem(drawing.post(f"{drawing.path}/deposits", body | change)) == (422, "invalid-content")
    assert kept(ground) == []


def test_two_deposits_of_one_site(drawing: Drawing) -> None:
    drawing.deposited()
    before = drawing.told()
    second = deposit(drawing.plain, "sichuan", new_value(), drawing.sign("sichuan"))
    answer = drawing.send(second)
    assert problem(answer) == (409, "deposited-already")
    assert answer.json()["site"] == "sichuan"
    assert "sichuan" in answer.json()["detail"]
    drawing.done([drawing.send(drawing.confirmation("yunnan"))])
    assert problem(drawing.send(second)) == (422, "part-late")
    assert drawing.told()["given"]["deposits"] == before["given"]["deposits"]


def test_of_deposits_that_come_at_once_one_counts(drawing: Drawing) -> None:
    drawing.done([drawing.begin()])
    sign = drawing.sign("sichuan")
    bodies = [deposit(drawing.plain, "sichuan", new_value(), sign).to_json() for _ in range(8)]
    client, headers = drawing.holding.room.client, {"authorization": "Bearer secret-officer"}
    drawing.holding.follow()
    with ThreadPoolExecutor(8) as pool:
        path = f"{drawing.path}/deposits"
        answers = list(pool.map(lambda body: client.post(path, json=body, headers=headers), bodies))
    taken = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    assert [each.to_json() for each in drawing.file().deposits] == taken
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


# ---- confirmations ----


def test_confirmations_that_may_not_be(drawing: Drawing, ground: TenderGround) -> None:
    drawing.done([drawing.begin()])
    drawing.done(drawing.send(drawing.deposit(site)) for site in SITES[:2])
    drawing.done([drawing.send(drawing.deposit("guizhou"))])
    part: Any = drawing.confirmation("yunnan")
    terms = drawing.plain
    other = replace(part, deposits=bytes(32)).signed(terms, drawing.sign("yunnan"))
    assert problem(drawing.send(other)) == (422, "confirmation-differs")
    assert problem(drawing.send(replace(part, member="sichuan"))) == (422, "act-forged")
    assert problem(drawing.send(replace(part, lists=("guizhou",)))) == (422, "act-forged")
    stranger = replace(part, member="tibet")
    assert problem(drawing.send(stranger)) == (422, "bad-terms")
    assert [kind for kind, _, _ in kept(ground)] == ["deposits"] * 3


def test_no_confirmation_before_all_have_deposited(drawing: Drawing) -> None:
    drawing.done([drawing.begin()])
    deposits = [drawing.deposit(site) for site in SITES]
    drawing.done(drawing.send(part) for part in deposits[:2])
    whole = Draw(drawing.plain, tuple(part for part in deposits if isinstance(part, Deposit)))
    early = confirm(whole, "yunnan", drawing.keys["yunnan"], drawing.sign("yunnan"))
    assert problem(drawing.send(early)) == (422, "sites-out-of-order")


# ---- reveals ----


def test_nobody_reveals_too_early(drawing: Drawing) -> None:
    """Before enough others have confirmed each deposit, and hold its list; and before the host has every list."""
    drawing.deposited()
    whole = drawing.file()

    def early(site: str) -> Reveal:
        unsigned = Reveal(bytes(65), site, bytes(32), drawing.values[site])
        return unsigned.signed(whole.terms, drawing.sign(site))

    assert problem(drawing.send(early("sichuan"))) == (422, "too-few-confirmations")
    drawing.done([drawing.send(drawing.confirmation("yunnan"))])
    drawing.done([drawing.send(drawing.confirmation("sichuan"))])
    assert problem(drawing.send(early("chongqing"))) == (422, "too-few-confirmations")  # of sichuan's there is one
    drawing.done([drawing.send(drawing.confirmation("chongqing", {}))])
    drawing.done(drawing.send(drawing.lists[site]) for site in SITES[:2])
    assert problem(drawing.send(early("sichuan"))) == (422, "reveal-too-early")
    answer = drawing.send(drawing.reveal("sichuan"))
    assert problem(answer) == (409, "lists-missing")
    assert answer.json()["sites"] == ["guizhou"]
    assert problem(drawing.send(drawing.share("sichuan", "yunnan"))) == (409, "lists-missing")
    drawing.done([drawing.send(drawing.lists["guizhou"]), drawing.send(drawing.reveal("sichuan"))])


def test_nobody_reveals_while_a_list_is_with_its_site_alone(drawing: Drawing) -> None:
    drawing.deposited()
    drawing.done(drawing.send(drawing.confirmation(code, {"yunnan": ("chongqing", "sichuan")})) for code in CODES)
    drawing.done(drawing.send(drawing.lists[site]) for site in SITES)
    unsigned = Reveal(bytes(65), "sichuan", bytes(32), drawing.values["sichuan"])
    part = unsigned.signed(drawing.plain, drawing.sign("sichuan"))
    assert problem(drawing.send(part)) == (422, "list-not-held")
    assert problem(drawing.conclude(void=True)) == (422, "list-not-held")


def test_reveals_that_may_not_be(drawing: Drawing, ground: TenderGround) -> None:
    drawing.committed()
    part: Any = drawing.reveal("sichuan")
    terms = drawing.plain
    refused = {
        replace(part, value=new_value()).signed(terms, drawing.sign("sichuan")): "value-differs",
        replace(part, value=b"\xff" * 32).signed(terms, drawing.sign("sichuan")): "value-differs",
        replace(part, value=drawing.values["guizhou"]).signed(terms, drawing.sign("sichuan")): "value-differs",
        replace(part, committed=bytes(32)).signed(terms, drawing.sign("sichuan")): "reveal-too-early",
        replace(part, site="guizhou"): "act-forged",
        replace(part, site="yunnan"): "act-forged",
        part.signed(terms, drawing.sign("yunnan")): "act-forged",
    }
    for wrong, expected in refused.items():
        assert problem(drawing.send(wrong)) == (422, expected), expected
    share: Any = drawing.share("sichuan", "yunnan")
    wrong_share = replace(share, share=new_value()).signed(terms, drawing.sign("yunnan"))
    own = replace(share, member="sichuan").signed(terms, drawing.sign("sichuan"))
    assert problem(drawing.send(wrong_share)) == (422, "share-differs")
    assert problem(drawing.send(own)) == (422, "bad-terms")
    assert problem(drawing.send(replace(share, member="guizhou"))) == (422, "act-forged")
    assert not {kind for kind, _, _ in kept(ground)} & {"reveals", "shares"}
    drawing.done([drawing.send(part)])
    late = drawing.confirmation("yunnan", {"yunnan": SITES[:1]})
    assert problem(drawing.send(late)) == (422, "part-late")


# ---- lists ----


def test_lists_that_may_not_be(drawing: Drawing) -> None:
    drawing.done([drawing.begin()])
    other = ExpertList.of("sichuan", experts("sichuan", 25))
    assert problem(drawing.send(other)) == (422, "list-differs")
    assert problem(drawing.send(replace(drawing.lists["sichuan"], site="guizhou"))) == (422, "list-differs")
    assert problem(drawing.send(replace(drawing.lists["sichuan"], site="tibet"))) == (422, "bad-terms")
    body = drawing.lists["sichuan"].to_json()

    def refused(*codes: str) -> tuple[int, str]:
        groups = [{"speciality": "A01", "codes": list(codes)}]
        answer = drawing.post(f"{drawing.path}/lists", body | {"experts": groups})
        assert not any(code in answer.text for code in codes)  # they may be a person's
        return problem(answer)

    assert refused("SI-00001", "SI-00001") == (422, "expert-twice")
    assert refused("SI-00002", "SI-00001") == (422, "bad-expert")
    assert refused("zhang san") == (422, "bad-expert")
    assert refused("13800138000") == (422, "person-named")
    assert refused("S" * 33) == (422, "invalid-content")
    assert drawing.told()["given"]["lists"] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"quotas": (Quota("chongqing", "A01", 12), Quota("sichuan", "B0702", 1))}, "quota-not-met"),  # one is recused
        ({"quotas": (Quota("chongqing", "C11", 1),)}, "quota-not-met"),
        ({"recusals": (bytes(32),)}, "recusal-unknown"),
    ],
)
def test_lists_that_cannot_fill_the_quotas_show_before_anybody_reveals(
    drawing: Drawing, change: dict[str, Any], expected: str
) -> None:
    drawing.deposited(replace(drawing.plain, **change))
    holding = zip(CODES[1:], SITES, strict=True)
    drawing.done(drawing.send(drawing.confirmation(code, {code: (site,)})) for code, site in holding)
    drawing.done(drawing.send(drawing.lists[site]) for site in SITES)
    assert problem(drawing.send(drawing.reveal("sichuan"))) == (422, expected)
    drawing.done([drawing.begin()])  # under terms that can be met
    assert drawing.told()["state"] == "depositing"


# ---- the result ----


def test_no_draw_is_held_before_all_have_confirmed(drawing: Drawing) -> None:
    drawing.done([drawing.begin()])
    assert problem(drawing.conclude(void=True)) == (422, "sites-out-of-order")
    drawing.done(drawing.send(drawing.deposit(site)) for site in SITES)
    assert problem(drawing.conclude(void=True)) == (422, "too-few-confirmations")
    assert problem(drawing.post(f"{drawing.path}/result", {"void": "yes"}, "host")) == (422, "invalid-content")
    assert drawing.told()["held_at"] is None
    assert problem(drawing.get("/seats", "operator")) == (409, "not-held")
    assert problem(drawing.get("/opened", "operator")) == (409, "not-held")


def test_no_round_follows_one_that_was_not_held(drawing: Drawing) -> None:
    drawing.committed()
    following = replace(drawing.plain, round=2, previous=bytes(32))
    assert problem(drawing.begin(following)) == (422, "not-next-round")
