"""Equal codes of different bidders are leads, within a member and across; nothing else is."""

import json
import time

import pytest
from bids_taken import KEY, ONE, THREE, TWO, bid, opened, sealed, taken

from anchors.errors import FeaturesNotTogether
from anchors.subjects import Subject
from anchors.tenders.features import CodeKind, FeatureKey, FeatureRecord, compared, leads

CODE = "4C4C4544-0042-3510"
MACHINE = {CodeKind.MACHINE: CODE}
OTHER = {CodeKind.MACHINE: "5D5D5D5D-1111-2222"}


def test_one_machine_behind_bidders_of_two_provinces_is_found() -> None:
    records = [
        opened(taken(1, MACHINE), ONE, "sichuan"),
        opened(taken(2, {CodeKind.MACHINE: "{4c4c4544-0042-3510}"}), TWO, "chongqing"),
        opened(taken(3, OTHER), THREE, "sichuan"),
    ]
    (lead,) = leads(records)
    assert lead.kind is CodeKind.MACHINE
    assert [(each.bid, each.bidder, each.member) for each in lead.sharers] == [
        (bid(1), ONE, "sichuan"),
        (bid(2), TWO, "chongqing"),
    ]
    assert (lead.bidders, lead.compared, lead.across, lead.weak) == (2, 3, True, False)
    assert [each.commitment for each in lead.sharers] == [each.commitment for each in records[:2]]


def test_one_machine_behind_bidders_of_one_province_is_found() -> None:
    (lead,) = leads(opened(taken(number, MACHINE), bidder) for number, bidder in enumerate((ONE, TWO, THREE)))
    assert (lead.bidders, lead.across) == (3, False)


def test_a_code_that_is_equal_across_and_within_is_both() -> None:
    (lead,) = leads(
        [
            opened(taken(1, MACHINE), ONE, "sichuan"),
            opened(taken(2, MACHINE), TWO, "sichuan"),
            opened(taken(3, MACHINE), ONE, "chongqing"),
            opened(taken(4, MACHINE), ONE, "chongqing"),
        ]
    )
    assert (lead.across, lead.within, lead.as_json()["within"]) == (True, ("sichuan",), ["sichuan"])
    assert "across members and within sichuan" in str(lead)


def test_what_was_compared_is_told_by_members() -> None:
    lock = {CodeKind.PRICING_LOCK: "L-778-002"}
    seal, _ = sealed(taken(4, MACHINE), THREE, "yunnan")
    records = [
        opened(taken(1, MACHINE | lock), ONE, "sichuan"),
        opened(taken(2, MACHINE), TWO, "sichuan"),
        opened(taken(3, lock), TWO, "chongqing"),
        seal,
    ]
    assert [(each.member, each.records, dict(each.codes)) for each in compared(records)] == [
        ("chongqing", 1, {CodeKind.PRICING_LOCK: 1}),
        ("sichuan", 2, {CodeKind.MACHINE: 2, CodeKind.PRICING_LOCK: 1}),
    ]
    assert compared([]) == []


def test_a_lead_says_what_it_is_and_is_not() -> None:
    (lead,) = leads([opened(taken(1, MACHINE), ONE), opened(taken(2, MACHINE), TWO, "chongqing")])
    text = str(lead)
    assert "2 bids of 2 bidders, across members, have the same machine code (2 bids were compared)" in text
    assert "a lead for a person to look into, never a sanction" in text
    assert "Regulations on the Tendering Law, 40" in text
    told = json.loads(json.dumps(lead.as_json()))
    assert told["sharers"][0] == {
        "bid": "0x" + bid(1).hex(),
        "bidder": str(ONE),
        "member": "sichuan",
        "record": "0x" + lead.sharers[0].commitment.hex(),
    }
    assert CODE.replace("-", "").lower() not in json.dumps(told).lower()


def test_two_bids_of_one_bidder_are_no_lead() -> None:
    assert leads([opened(taken(1, MACHINE), ONE), opened(taken(2, MACHINE), ONE, "chongqing")]) == []


def test_equal_text_under_another_kind_is_no_lead() -> None:
    assert leads([opened(taken(1, MACHINE), ONE), opened(taken(2, {CodeKind.PRICING_LOCK: CODE}), TWO)]) == []


def test_equal_codes_under_another_key_or_in_another_tender_do_not_meet() -> None:
    other_key = FeatureKey(KEY.tender, b"\1" * 32)
    assert leads([opened(taken(1, MACHINE), ONE), opened(taken(2, MACHINE, other_key), TWO)]) == []
    elsewhere = FeatureKey("T-2026-008", KEY.secret)
    assert taken(1, MACHINE).values != taken(1, MACHINE, elsewhere).values
    with pytest.raises(FeaturesNotTogether):
        leads([opened(taken(1, MACHINE), ONE), opened(taken(2, MACHINE, elsewhere), TWO)])


def test_a_record_that_is_not_opened_is_not_compared() -> None:
    seal, _ = sealed(taken(2, MACHINE), TWO)
    assert leads([opened(taken(1, MACHINE), ONE), seal]) == []
    (lead,) = leads([opened(taken(1, MACHINE), ONE), seal, opened(taken(3, MACHINE), THREE)])
    assert lead.compared == 2


def test_weak_codes_are_leads_of_the_last_rank() -> None:
    codes = {CodeKind.NETWORK_ADDRESS: "192.168.1.10", CodeKind.NETWORK_CARD: "02:42:ac:11:00:02"}
    records = [
        opened(taken(1, codes), ONE),
        opened(taken(2, codes), TWO),
        opened(taken(3, codes | MACHINE), THREE),
        opened(taken(4, MACHINE), Subject("GB-COH", "44444444")),
    ]
    found = leads(records)
    assert [(lead.kind, lead.weak) for lead in found] == [
        (CodeKind.MACHINE, False),
        (CodeKind.NETWORK_CARD, True),
        (CodeKind.NETWORK_ADDRESS, True),
    ]
    assert "says little by itself" in str(found[1])
    assert "says little by itself" not in str(found[0])


def test_one_site_alone_cannot_mark_a_lead_weak() -> None:
    record = taken(2, MACHINE)
    marked = FeatureRecord(record.tender, record.bid, record.values, frozenset(record.values))
    (lead,) = leads([opened(taken(1, MACHINE), ONE), opened(marked, TWO, "chongqing")])
    assert not lead.weak


def test_one_bid_has_one_record() -> None:
    with pytest.raises(FeaturesNotTogether):
        leads([opened(taken(1, MACHINE), ONE), opened(taken(1, OTHER), TWO)])


def test_so_many_records_are_compared_and_no_more() -> None:
    record = opened(taken(1, MACHINE), ONE)
    many = [
        type(record)(record.member, record.commitment, ONE, FeatureRecord(KEY.tender, bid(at), {}, frozenset()))
        for at in range(20_001)
    ]
    with pytest.raises(FeaturesNotTogether):
        leads(many)
    begun = time.monotonic()
    assert leads(many[1:]) == []
    assert time.monotonic() - begun < 5


def test_the_order_of_records_changes_nothing() -> None:
    codes = MACHINE | {CodeKind.FILE_CREATION: "abcd-1", CodeKind.NETWORK_ADDRESS: "8.8.4.4"}
    records = [
        opened(taken(1, codes), ONE),
        opened(taken(2, MACHINE), TWO, "chongqing"),
        opened(taken(3, codes), THREE),
    ]
    assert leads(records) == leads(reversed(records))
    assert [(lead.kind, lead.bidders) for lead in leads(records)] == [
        (CodeKind.MACHINE, 3),
        (CodeKind.FILE_CREATION, 2),
        (CodeKind.NETWORK_ADDRESS, 2),
    ]
