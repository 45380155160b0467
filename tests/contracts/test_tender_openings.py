"""TenderRegister.openBids: the whole list, in order, once, and not before its time."""

from typing import Any

import pytest
from founded_alliance import DAY
from rfc6962 import Tree
from tender_alliance import (
    AWARDED,
    CANDIDATES,
    CLOSED,
    EVALUATED,
    FAILED,
    HOST,
    HOUR,
    NOTHING,
    OPENED,
    PAPER,
    PARTNER,
    PUBLISHED,
    REASON,
    SENDER,
    Commitment,
    TenderAlliance,
    bids,
    hash_act,
    keccak,
    pack,
    root,
)


class TestOpening:
    @pytest.mark.parametrize("count", [3, 7, 8, 9, 16, 17, 40, 200])
    def test_the_contract_computes_root_and_count(self, tenders: TenderAlliance, count: int) -> None:
        tender, listed = tenders.close(), bids(count)
        done = tenders.send(SENDER, tenders.opening_bids(tender, listed))
        event = tenders.event("BidsOpened", done)
        assert (event["root"], event["count"], event["entries"]) == (root(listed), count, pack(listed))
        manifest = hash_act("TenderOpening", tenders.opening(tender, listed))
        assert event["manifest"] == manifest == tenders.tender(tender)["manifest"]
        assert tenders.state(tender) == OPENED

    def test_it_says_which_rest_on_their_receipts(self, tenders: TenderAlliance) -> None:
        tenders.anchor(HOST, Tree([bytes([n]) * 32 for n in range(9)]), 9)
        tender = tenders.close()
        event = tenders.event("BidsOpened", tenders.send(SENDER, tenders.opening_bids(tender, bids(5, first=6))))
        assert event["onReceipt"] == 2  # the places 9 and 10

    def test_it_keeps_the_refused_with_their_reasons(self, tenders: TenderAlliance) -> None:
        refusals = b"\1" * 32 + REASON + b"\2" * 32 + PAPER
        tender = tenders.close()
        event = tenders.event("BidsOpened", tenders.send(SENDER, tenders.opening_bids(tender, bids(3), refusals)))
        assert (event["refusals"], event["record"]) == (refusals, PAPER)
        assert event["officer"] == tenders.officer(HOST).address

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_with_fewer_than_three_bids_the_tender_has_failed(self, tenders: TenderAlliance, count: int) -> None:
        tender, listed = tenders.close(), bids(count)
        done = tenders.send(SENDER, tenders.opening_bids(tender, listed))
        assert tenders.event("BidsOpened", done)["root"] == root(listed)
        failed = tenders.event("TenderFailed", done)
        assert (failed["tender"], failed["reason"], int(failed["officer"], 16)) == (tender, NOTHING, 0)
        assert tenders.state(tender) == FAILED

    def test_two_hundred_bids_cost_what_was_promised(self, tenders: TenderAlliance) -> None:
        tenders.publish(digest=REASON)  # the journal's word is never empty again
        tender, listed = tenders.close(), bids(200, first=1_000_000)
        assert tenders.send(SENDER, tenders.opening_bids(tender, listed))["gasUsed"] <= 320_000
        receipt = tenders.receipt(tender, Commitment().hash)
        assert tenders.send(SENDER, tenders.claiming(receipt, listed))["gasUsed"] <= 150_000


class TestTheList:
    def test_a_duplicate_is_refused(self, tenders: TenderAlliance) -> None:
        tender, listed = tenders.close(), bids(3)
        twice = [listed[0], listed[1], listed[1], listed[2]]
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, twice)) == "BidList_NotAscending"

    def test_a_duplicate_with_another_place_is_refused(self, tenders: TenderAlliance) -> None:
        tender, listed = tenders.close(), bids(3)
        twice = [*listed, (listed[2][0], 77)]
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, twice)) == "BidList_NotAscending"

    def test_an_unsorted_leaf_is_refused(self, tenders: TenderAlliance) -> None:
        tender, listed = tenders.close(), bids(20)
        for at in (0, 7, 8, 18):
            swapped = [*listed[:at], listed[at + 1], listed[at], *listed[at + 2 :]]
            assert tenders.refusal(SENDER, tenders.opening_bids(tender, swapped)) == "BidList_NotAscending"

    def test_a_commitment_of_zeros_is_refused(self, tenders: TenderAlliance) -> None:
        tender = tenders.close()
        listed = [(NOTHING, 1), *bids(3)]
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, listed)) == "BidList_NotAscending"

    @pytest.mark.parametrize("change", [-1, 1, 39])
    def test_half_an_entry_is_refused(self, tenders: TenderAlliance, change: int) -> None:
        tender, listed = tenders.close(), bids(3)
        torn = (pack(listed) + bytes(40))[: 120 + change]
        call = tenders.opening_bids(tender, listed, packed=torn)
        assert tenders.refusal(SENDER, call) == "BidList_Torn"

    @pytest.mark.parametrize(
        ("refusals", "refusal"),
        [
            (b"\1" * 63, "BidList_Torn"),
            (b"\2" * 32 + REASON + b"\1" * 32 + REASON, "BidList_NotAscending"),
            (b"\1" * 32 + REASON + b"\1" * 32 + PAPER, "BidList_NotAscending"),
        ],
    )
    def test_refusals_have_an_order_too(self, tenders: TenderAlliance, refusals: bytes, refusal: str) -> None:
        assert tenders.refusal(SENDER, tenders.opening_bids(tenders.close(), bids(3), refusals)) == refusal

    def test_an_opening_has_a_record(self, tenders: TenderAlliance) -> None:
        call = tenders.opening_bids(tenders.close(), bids(3), record=NOTHING)
        assert tenders.refusal(SENDER, call) == "TenderRegister_NothingStated"


class TestEarlyAndTwice:
    def test_not_before_the_opening_time(self, tenders: TenderAlliance) -> None:
        tender = tenders.publish(opening=tenders.now + 2 * DAY)
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, bids(3))) == "TenderRegister_OpenedEarly"
        tenders.pass_time(DAY + HOUR)
        tenders.send(SENDER, tenders.closing(tender))
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, bids(3))) == "TenderRegister_OpenedEarly"
        tenders.pass_time(DAY)
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, bids(3))) == "accepted"

    @pytest.mark.parametrize(
        ("state", "refusal"),
        [
            (PUBLISHED, "TenderRegister_OpenedEarly"),
            (OPENED, "TenderRegister_AlreadyOpened"),
            (EVALUATED, "TenderRegister_AlreadyOpened"),
            (CANDIDATES, "TenderRegister_AlreadyOpened"),
            (AWARDED, "TenderRegister_Over"),
            (FAILED, "TenderRegister_Over"),
        ],
    )
    def test_a_second_manifest_is_refused(self, tenders: TenderAlliance, state: int, refusal: str) -> None:
        tender = tenders.become(state)
        other = bids(4, seed="another")
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, other)) == refusal

    def test_not_before_bids_are_closed(self, tenders: TenderAlliance) -> None:
        tender = tenders.published()
        assert tenders.refusal(SENDER, tenders.opening_bids(tender, bids(3))) == "TenderRegister_NotClosed"

    def test_only_what_was_published(self, tenders: TenderAlliance) -> None:
        assert tenders.refusal(SENDER, tenders.opening_bids(PAPER, bids(3))) == "TenderRegister_UnknownTender"


class TestWhoOpens:
    def test_an_officer_of_the_host(self, tenders: TenderAlliance) -> None:
        tender = tenders.close()
        for by, refusal in (
            (tenders.officer(PARTNER), "Signers_OfAnotherMember"),
            (tenders.regulator(HOST), "AllianceRegistry_NotInForce"),
            (tenders.officer(HOST), "accepted"),
        ):
            assert tenders.refusal(SENDER, tenders.opening_bids(tender, bids(3), by=by)) == refusal

    @pytest.mark.parametrize("field", ["root", "count", "refusals", "record"])
    def test_just_this_list_is_signed(self, tenders: TenderAlliance, field: str) -> None:
        tender, listed = tenders.close(), bids(3)
        fields: dict[str, Any] = {field: 4 if field == "count" else keccak(b"another")}
        call = tenders.opening_bids(tender, listed, agreed=tenders.opening(tender, listed, **fields))
        assert tenders.refusal(SENDER, call) in ("AllianceRegistry_NotInForce", "Signers_BadSignature")

    def test_a_signature_counts_until_its_time(self, tenders: TenderAlliance) -> None:
        tender = tenders.close()
        call = tenders.opening_bids(tender, bids(3), until=tenders.now + 60)
        tenders.pass_time(HOUR)
        assert tenders.refusal(SENDER, call) == "Signers_Expired"
        assert tenders.state(tender) == CLOSED
