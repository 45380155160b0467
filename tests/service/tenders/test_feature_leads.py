"""Leads over the API: equal codes of different bidders within a province and across, told to those who may look."""

from collections.abc import Callable
from typing import Any

import pytest
from bidding import Room
from conftest import Clock
from founding import Founded, block_time
from sealed_features import MACHINE, OTHER_MACHINE, Sites
from tendering import BIDDERS, PARTNER, THIRD, Tendering, bids
from test_feature_records import problem

from anchors.tenders.features import CodeKind
from ledger_service.chain.rpc import Rpc

Follow = Callable[[], None]
LOCK = {CodeKind.PRICING_LOCK: "L-778-002-1"}
ADDRESS = {CodeKind.NETWORK_ADDRESS: "192.168.1.10"}


@pytest.fixture
def sites(tendering: Tendering, founded: Founded, room: Room, follow: Follow) -> Sites:
    return Sites(tendering, founded, room, follow, tendering.publish())


def told(sites: Sites, **query: Any) -> dict[str, Any]:
    answer = sites.leads(**query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_one_machine_in_two_provinces_is_a_lead_across_and_one_within(sites: Sites) -> None:
    """Bidders 0 and 1 at one site and 2 at another share a machine; 3 and 4 another one, within a site."""
    records = [
        sites.seal(0, MACHINE | LOCK),
        sites.seal(1, MACHINE),
        sites.seal(2, MACHINE, THIRD),
        sites.seal(3, OTHER_MACHINE, THIRD),
        sites.seal(4, OTHER_MACHINE, THIRD),
    ]
    sites.anchor()
    sites.open()
    assert sites.hand_in(*records).status_code == 201
    found = told(sites)
    assert found["tender"] == sites.name
    assert "never a sanction" in found["caution"]
    assert found["compared"] == {
        "opened": 5,
        "records": 5,
        "sites": [
            {"site": "guizhou", "records": 3, "codes": {"machine-code": 3}},
            {"site": "sichuan", "records": 2, "codes": {"machine-code": 2, "pricing-lock": 1}},
        ],
    }
    first, second = found["leads"]
    assert (first["kind"], first["bids"], first["bidders"], first["compared"]) == ("machine-code", 3, 3, 5)
    assert (first["across"], first["within"], second["across"], second["within"]) == (
        True,
        ["sichuan"],
        False,
        ["guizhou"],
    )
    assert {one["bid"]: (one["member"], one["record"]) for one in first["sharers"]} == {
        "0x" + one.record.bid.hex(): (code, "0x" + one.commitment.hex())
        for one, code in zip(records[:3], ("sichuan", "sichuan", "guizhou"), strict=True)
    }
    assert [one["bidder"] for one in second["sharers"]] == [
        f"GB-COH:{digit * 8}" for _, digit in sorted((BIDDERS[n].commitment, str(n + 1)) for n in (3, 4))
    ]
    assert "Regulations on the Tendering Law, 40" in first["text"]
    assert "across members and within sichuan" in first["text"]
    across, within = (told(sites, where=where)["leads"] for where in ("across", "within"))
    assert (across, within) == ([first], [first, second])


def test_what_is_not_equal_between_bidders_is_no_lead(sites: Sites) -> None:
    records = [
        sites.seal(0),
        sites.seal(1, OTHER_MACHINE),
        sites.seal(2, MACHINE, company=0),
        sites.seal(3, {CodeKind.PRICING_LOCK: MACHINE[CodeKind.MACHINE]}),
    ]
    sites.anchor()
    sites.open()
    assert sites.hand_in(*records).status_code == 201
    found = told(sites)
    assert (found["compared"]["records"], found["leads"]) == (4, [])


def test_leads_come_in_pages_the_strongest_first(sites: Sites) -> None:
    shared = MACHINE | LOCK | ADDRESS
    records = [sites.seal(0, shared), sites.seal(1, shared), sites.seal(2, MACHINE), sites.seal(3, ADDRESS)]
    sites.anchor()
    sites.open()
    assert sites.hand_in(*records).status_code == 201
    whole = told(sites)["leads"]
    assert [(one["kind"], one["bidders"], one["weak"]) for one in whole] == [
        ("machine-code", 3, False),
        ("pricing-lock", 2, False),
        ("network-address", 3, True),
    ]
    paged, answer = [], sites.leads(limit=1)
    while answer.json()["leads"]:
        paged += answer.json()["leads"]
        answer = sites.room.client.get(answer.links["next"]["url"], headers={"authorization": "Bearer secret-officer"})
        assert answer.status_code == 200, answer.text
    assert paged == whole
    assert "link" not in sites.leads(limit=4).headers
    assert problem(sites.leads(cursor="1.2.3")) == (422, "invalid-content")


def test_only_who_acts_in_tenders_reads_leads(sites: Sites) -> None:
    sites.open()
    assert problem(sites.leads(key=None)) == (401, "not-authenticated")
    for key in ("bidder", "operator"):
        assert problem(sites.leads(key=key)) == (403, "not-allowed")
    answer = sites.leads()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json()["compared"] == {"opened": 5, "records": 0, "sites": []}


def test_before_the_opening_leads_are_refused_alike(
    tendering: Tendering, founded: Founded, room: Room, follow: Follow, clock: Clock
) -> None:
    """With bids and records in the logs, or none at all."""
    empty, full = (Sites(tendering, founded, room, follow, tendering.publish(digest=bytes([n]) * 32)) for n in (1, 2))
    clock.set(block_time(tendering.rpc))
    follow()
    room.handed_in(full.tender, *BIDDERS[:5])
    full.seal(0)
    full.seal(1)
    full.anchor()
    answers = [one.leads() for one in (empty, full)]
    assert problem(answers[0]) == (409, "not-opened")
    assert answers[0].content == answers[1].content
    for one in (empty, full):
        tendering.close(one.tender)
    answers = [one.leads() for one in (empty, full)]
    assert problem(answers[0]) == (409, "not-opened")
    assert answers[0].content == answers[1].content
    unknown = Sites(tendering, founded, room, follow, b"\x98" * 32)
    assert problem(unknown.leads()) == (404, "not-found")


def test_leads_are_told_as_of_a_time(sites: Sites, rpc: Rpc, clock: Clock) -> None:
    records = [sites.seal(0), sites.seal(1), sites.seal(2)]
    sites.anchor()
    before = int(rpc.call("eth_blockNumber"), 16)
    sites.open()
    opened = block_time(rpc)
    clock.set(opened + 10)
    assert sites.hand_in(*records[:2]).status_code == 201
    clock.set(opened + 20)
    assert sites.hand_in(records[2]).status_code == 201
    rpc.call("evm_increaseTime", 60)
    rpc.call("evm_mine")
    clock.set(block_time(rpc))
    now = told(sites)
    assert (now["compared"]["records"], now["leads"][0]["bidders"]) == (3, 3)
    stamp = clock().fromtimestamp(opened + 15, clock().tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")
    earlier = told(sites, as_of=stamp)
    assert (earlier["compared"]["records"], earlier["leads"][0]["bidders"]) == (2, 2)
    assert earlier["as_of"]["time"] == opened + 15
    assert problem(sites.leads(as_of=str(before))) == (409, "not-opened")


def test_what_a_turn_of_the_chain_took_back_is_not_compared(sites: Sites, tendering: Tendering, rpc: Rpc) -> None:
    records = [sites.seal(0), sites.seal(1), sites.seal(4)]
    others = [sites.seal(2, MACHINE, THIRD), sites.seal(3, OTHER_MACHINE, THIRD)]
    sites.anchor(PARTNER)
    unanchored = rpc.call("evm_snapshot")
    published = tendering.tenders[sites.tender]
    sites.anchor(THIRD)
    tendering.close(sites.tender)
    unopened, closed = rpc.call("evm_snapshot"), tendering.tenders[sites.tender]
    tendering.open(sites.tender)
    assert sites.hand_in(*records, *others).status_code == 201
    assert told(sites)["leads"][0]["bidders"] == 4
    rpc.call("evm_revert", unopened)
    for _ in range(2):
        rpc.call("evm_mine")
    tendering.tenders[sites.tender] = closed
    assert problem(sites.leads()) == (409, "not-opened")
    tendering.open(sites.tender, bids(4))
    shorter = told(sites)
    assert (shorter["compared"]["opened"], shorter["compared"]["records"]) == (4, 4)
    assert shorter["leads"][0]["bidders"] == 3
    rpc.call("evm_revert", unanchored)
    for _ in range(4):
        rpc.call("evm_mine")
    tendering.tenders[sites.tender] = published
    sites.open()
    found = told(sites)
    assert [(one["site"], one["records"]) for one in found["compared"]["sites"]] == [("sichuan", 3)]
    assert found["leads"][0]["bidders"] == 3
