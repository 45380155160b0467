"""What the host shows of its log in an audit: a bid that was kept back is listed, an honest tender's rule is kept."""

from dataclasses import replace

import pytest
from bidding import SLOTS, fresh
from conftest import Clock
from hosting import Hosted, Hosting, announced
from sqlmodel import Session, col, select
from tendering import BIDDERS, HOST, Bidder, Tendering

from anchors.network import write_network
from anchors.tenders import Bid, BidReceipt, Refusal
from anchors.tenders.audit import AuditFile, AuditVerdict, Leaf, audit
from ledger_service.index.tender_tables import TenderVersion
from ledger_service.tenders import audit_leaves
from ledger_service.tenders.audit_words import HostsDesk


def opened(
    host: Hosting, tendering: Tendering, tender: bytes, receipts: list[BidReceipt], *refused: BidReceipt
) -> None:
    tendering.close(tender)
    reasons = tuple(Refusal(one.commitment, b"\x0e" * 32) for one in refused)
    tendering.open(tender, [Bid(one.commitment, one.index) for one in receipts], reasons)


def settle(host: Hosting) -> None:
    """Until the periods up to the deadline, and one after them, are anchored and final."""
    host.catch_up()
    for _ in range(2):
        host.turn()
        host.turn()
        host.anchor()
        host.pass_block()


def file_of(host: Hosting, tender: bytes) -> bytes:
    answer = host.room.client.get(f"/v1/tenders/0x{tender.hex()}/audit")
    assert answer.status_code == 200, answer.text
    return answer.content


def judged(host: Hosting, tender: bytes) -> AuditVerdict:
    verdict = audit(file_of(host, tender), write_network(host.founded.network))
    assert [step for step in verdict.steps if not step.ok] == []
    assert [rule for rule in verdict.rules if rule.outcome == "broken"] == []
    return verdict


def rule(verdict: AuditVerdict, name: str = "leaves") -> tuple[str, str]:
    return next((each.outcome, each.detail) for each in verdict.rules if each.rule == name)


def logged_by_the_host(host: Hosting, bidder: Bidder) -> None:
    """As any evidence, without a bid receipt: whoever runs the log can do so."""
    body = {"commitments": ["0x" + bidder.commitment.hex()]}
    answer = host.room.client.post("/v1/evidence", json=body, headers={"authorization": "Bearer secret-bidder"})
    assert answer.status_code == 201, answer.text
    host.pass_periods(answer.json()["receipts"][0]["index"])


def test_a_bid_that_the_host_logged_for_a_favoured_bidder_and_kept_back_is_listed(
    host: Hosting, tendering: Tendering
) -> None:
    """Two bids of the favoured one, in periods of their own: the better one is opened, the other is not."""
    tender = announced(host, tendering)
    receipts = host.room.handed_in(tender, *BIDDERS[:3])
    host.pass_periods(receipts[0].index)
    logged_by_the_host(host, BIDDERS[5])
    receipts += host.room.handed_in(tender, BIDDERS[4])
    opened(host, tendering, tender, receipts)
    settle(host)
    verdict = judged(host, tender)
    (listed,) = verdict.unaccounted
    assert listed.leaf == BIDDERS[5].commitment
    assert host.leaves(host.period_of(listed.index))[listed.index % SLOTS] == listed.leaf
    outcome, detail = rule(verdict)
    assert outcome == "not shown"
    assert f"{listed.index} (0x{listed.leaf.hex()})" in detail


def test_of_an_honest_tender_every_leaf_from_the_notice_to_the_closing_is_accounted_for(
    host: Hosting, tendering: Tendering, clock: Clock
) -> None:
    host.anchor()
    tender = announced(host, tendering)
    receipts = host.room.handed_in(tender, *BIDDERS[:3])
    host.pass_periods(receipts[0].index)
    receipts += host.room.handed_in(tender, *BIDDERS[3:6])
    word = host.room.replacement(tender, BIDDERS[5], signed_at=int(clock().timestamp()))
    assert host.room.replace(tender, word).status_code == 204
    host.pass_periods(receipts[-1].index)
    host.anchor()
    opened(host, tendering, tender, receipts[:4], receipts[4])
    settle(host)
    verdict = judged(host, tender)
    assert verdict.unaccounted == ()
    outcome, detail = rule(verdict)
    assert outcome == "kept", detail
    assert "4 of 4 bids" in detail
    assert "all from" in detail
    assert "1 refused, 1 replaced or withdrawn" in detail
    assert {name for name in ("places", "late-bids", "dropped-bids") if rule(verdict, name)[0] == "kept"} == {
        "places",
        "late-bids",
        "dropped-bids",
    }


def test_receipts_are_shown_of_bids_that_the_opening_names_and_of_no_others(
    host: Hosting, tendering: Tendering
) -> None:
    tender = announced(host, tendering)
    receipts = host.room.handed_in(tender, *BIDDERS[:5])
    host.pass_periods(receipts[0].index)
    assert AuditFile(file_of(host, tender)).receipts() == ()
    opened(host, tendering, tender, receipts[:3], receipts[3])
    settle(host)
    shown = AuditFile(file_of(host, tender)).receipts()
    assert {one.receipt for one in shown} == set(receipts[:4])
    assert rule(judged(host, tender), "late-bids")[0] == "kept"


def test_bids_of_another_tender_at_the_same_time_are_accounted_for_once_it_is_opened(
    host: Hosting, tendering: Tendering, clock: Clock
) -> None:
    tender, other = announced(host, tendering), announced(host, tendering, b"\x71" * 32)
    receipts = host.room.handed_in(tender, *BIDDERS[:3])
    others = host.room.handed_in(other, *(Bidder(f"other {n}") for n in range(5)))
    word = host.room.replacement(other, Bidder("other 4"), signed_at=int(clock().timestamp()))
    assert host.room.replace(other, word).status_code == 204
    host.pass_periods(others[0].index)
    opened(host, tendering, tender, receipts)
    settle(host)
    before = AuditFile(file_of(host, tender)).log()
    assert before is not None
    assert {each.key for each in before.periods if each.first <= receipts[0].index < each.end} == {None}
    assert {leaf for each in before.periods if each.key is None for leaf in each.leaves} == {
        one.commitment for one in receipts
    }
    assert "not shown with a key" in rule(judged(host, tender))[1]
    opened(host, tendering, other, others[:3], others[3])
    settle(host)
    verdict = judged(host, tender)
    outcome, detail = rule(verdict)
    assert (outcome, verdict.unaccounted) == ("kept", ()), detail
    assert "1 replaced or withdrawn by their holders' words, 4 opened or refused in other tenders" in detail


def test_where_the_next_key_is_not_told_the_leaf_that_should_commit_to_it_is_listed_as_that(
    host: Hosting, tendering: Tendering
) -> None:
    tender = announced(host, tendering)
    receipts = host.room.handed_in(tender, *BIDDERS[:3])
    host.grow(receipts[0].index // SLOTS * SLOTS + SLOTS)
    host.anchor()
    opened(host, tendering, tender, receipts)
    host.catch_up()
    verdict = judged(host, tender)
    (listed,) = verdict.unaccounted
    assert listed.index < host.anchored
    assert "to commit to the keys of the periods that follow" in rule(verdict)[1]


def test_a_file_without_room_for_all_leaves_says_so(
    host: Hosting, tendering: Tendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    tender = announced(host, tendering)
    receipts = host.room.handed_in(tender, *BIDDERS[:3])
    host.pass_periods(receipts[0].index)
    receipts += host.room.handed_in(tender, BIDDERS[3])
    host.pass_periods(receipts[-1].index)
    opened(host, tendering, tender, receipts)
    settle(host)
    monkeypatch.setattr(audit_leaves, "MOST_LEAVES", SLOTS)
    verdict = judged(host, tender)
    log = AuditFile(file_of(host, tender)).log()
    assert log is not None
    assert sorted(len(each.leaves) for each in log.periods) == [1, SLOTS]
    outcome, detail = rule(verdict)
    assert outcome == "not shown"
    assert f"the file had no room, the periods of: 0x{receipts[3].commitment.hex()}" in detail
    assert rule(verdict, "places")[0] == "kept"


def test_all_leaves_of_a_log_without_slots_are_listed(hosted: Hosted, tendering: Tendering) -> None:
    with hosted(slots=0) as host:
        tender = announced(host, tendering)
        receipts = host.room.handed_in(tender, *BIDDERS[:3])
        logged = fresh(1)[0]
        headers = {"authorization": "Bearer secret-bidder"}
        assert host.room.client.post("/v1/evidence", json={"commitments": [logged]}, headers=headers).is_success
        host.grow(4)
        host.anchor()
        opened(host, tendering, tender, receipts)
        host.pass_block()
        verdict = judged(host, tender)
    assert verdict.unaccounted == (Leaf(3, bytes.fromhex(logged[2:])),)
    assert rule(verdict)[0] == "not shown"


def test_a_receipt_that_readers_would_not_take_is_left_out(host: Hosting, tendering: Tendering) -> None:
    """As after the receipt signer was changed: what the new one signs again is of a time before its role."""
    tender = announced(host, tendering)
    receipts = host.room.handed_in(tender, *BIDDERS[:3])
    host.pass_periods(receipts[0].index)
    opened(host, tendering, tender, receipts)
    settle(host)
    ground, key = host.room.ground, host.founded.opened[HOST, "receipt-signer"]
    later_signer = [replace(one, from_time=receipts[0].received_at + 1) for one in ground.member.receipt_signers]
    changed = replace(ground, member=replace(ground.member, receipt_signers=tuple(later_signer)))
    with Session(ground.engine) as session:
        open_row = select(TenderVersion).where(TenderVersion.tender == tender, col(TenderVersion.to_block).is_(None))
        row = session.exec(open_row).one()
        words = [HostsDesk(one, key).words(session, row, (), row.from_block) for one in (ground, changed)]
    assert [len(each.receipts) for each in words] == [3, 0]
