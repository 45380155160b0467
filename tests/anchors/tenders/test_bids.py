"""The list of opened bids: its bytes, its root by the RFC's recursion, and pages that show what is and is not on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.chain.keccak import keccak256
from anchors.errors import BadBidList, ForgedPage, ListTorn, NotAscending, NotRefused, PageDiffers
from anchors.tenders import (
    Bid,
    OpenedList,
    Page,
    Refusal,
    find_bid,
    open_list,
    pack_bids,
    pack_refusals,
    parse_bids,
    parse_refusals,
    reason_of,
    show_page,
)

REASON = b"\x72" * 32


def bids(count: int) -> list[Bid]:
    return sorted(Bid(keccak256(b"bid %d" % n), n) for n in range(count))


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, over pages' hashes."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return keccak256(root(leaves[:left]) + root(leaves[left:]))


class TestList:
    @pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 17, 24, 25, 40, 41, 200])
    def test_its_root_is_a_tree_over_pages(self, count: int) -> None:
        listed = bids(count)
        packed = b"".join(bid.commitment + bid.place.to_bytes(8, "big") for bid in listed)
        pages = [packed[at : at + 352] for at in range(0, len(packed), 320)]
        assert open_list(packed) == OpenedList(root([keccak256(page) for page in pages]), count)

    def test_the_empty_list_has_a_root_of_zeros(self) -> None:
        assert open_list(b"") == OpenedList(bytes(32), 0)

    def test_it_is_packed_in_order_and_read_again(self) -> None:
        listed = bids(9)
        assert parse_bids(pack_bids(listed[::-1])) == tuple(listed)

    def test_a_bid_stands_once(self) -> None:
        first = bids(1)[0]
        with pytest.raises(NotAscending):
            pack_bids([first, Bid(first.commitment, 77)])

    def test_out_of_order_it_is_refused(self) -> None:
        packed = pack_bids(bids(3))
        with pytest.raises(NotAscending, match=packed[:32].hex()):
            open_list(packed[40:] + packed[:40])

    def test_zeros_are_no_commitment(self) -> None:
        with pytest.raises(NotAscending):
            open_list(bytes(40))

    @pytest.mark.parametrize("length", [1, 39, 41])
    def test_half_an_entry_is_refused(self, length: int) -> None:
        with pytest.raises(ListTorn):
            open_list(b"\1" * length)


class TestPage:
    @pytest.mark.parametrize("count", [0, 1, 2, 8, 9, 16, 17, 33, 200])
    def test_it_shows_what_is_listed_and_what_is_not(self, count: int) -> None:
        listed, packed = bids(count), pack_bids(bids(count))
        opened = open_list(packed)
        for bid in listed:
            assert find_bid(opened, show_page(packed, bid.commitment), bid.commitment) == bid
            for near in (-1, 1):
                other = (int.from_bytes(bid.commitment, "big") + near).to_bytes(32, "big")
                assert find_bid(opened, show_page(packed, other), other) is None
        for other in (b"\0" * 31 + b"\1", b"\xff" * 32):
            assert find_bid(opened, show_page(packed, other), other) is None

    def test_another_page_shows_nothing(self) -> None:
        packed = pack_bids(bids(20))
        opened, commitment = open_list(packed), bids(20)[11].commitment
        for number in (0, 16):
            with pytest.raises(PageDiffers):
                find_bid(opened, show_page(packed, bids(20)[number].commitment), commitment)

    @pytest.mark.parametrize("count", [0, 1, 8, 9, 20, 33])
    def test_a_forged_page_is_refused(self, count: int) -> None:
        packed, commitment = pack_bids(bids(count)), b"\x7f" * 32
        opened, page = open_list(packed), show_page(packed, commitment)
        forged = [
            Page(page.number + 1, page.entries, page.path),
            Page(page.number, page.entries + bytes(40), page.path),
            Page(page.number, page.entries, (*page.path, REASON)),
            *(Page(page.number, page.entries, page.path[1:]) for _ in page.path[:1]),
            *(Page(page.number, page.entries[:-1] + b"\xee", page.path) for _ in page.entries[:1]),
        ]
        for each in forged:
            with pytest.raises(ForgedPage):
                find_bid(opened, each, commitment)

    @given(
        st.integers(0, 40),
        st.builds(Page, st.integers(0, 2**70), st.binary(max_size=360), st.lists(st.binary(max_size=33)).map(tuple)),
        st.binary(min_size=32, max_size=32),
    )
    def test_any_bytes_are_refused_by_name(self, count: int, page: Page, commitment: bytes) -> None:
        opened = open_list(pack_bids(bids(count)))
        if page == Page(0, b"", ()) and not count:
            assert find_bid(opened, page, commitment) is None
            return
        with pytest.raises(BadBidList):
            find_bid(opened, page, commitment)


class TestRefusals:
    LISTED = (Refusal(b"\1" * 32, REASON), Refusal(b"\2" * 32, b"\x73" * 32))

    def test_the_reason_of_a_refused_bid(self) -> None:
        packed = pack_refusals(self.LISTED[::-1])
        assert parse_refusals(packed) == self.LISTED
        assert reason_of(packed, keccak256(packed), b"\2" * 32) == b"\x73" * 32

    def test_a_bid_that_is_not_named_has_none(self) -> None:
        packed = pack_refusals(self.LISTED)
        for commitment, digest in ((b"\3" * 32, keccak256(packed)), (b"\2" * 32, REASON)):
            with pytest.raises(NotRefused):
                reason_of(packed, digest, commitment)

    def test_zeros_are_no_reason(self) -> None:
        packed = pack_refusals([Refusal(b"\1" * 32, bytes(32))])
        with pytest.raises(NotRefused):
            reason_of(packed, keccak256(packed), b"\1" * 32)

    def test_they_have_a_form(self) -> None:
        with pytest.raises(ListTorn):
            parse_refusals(b"\1" * 63)
        with pytest.raises(NotAscending):
            parse_refusals(b"\2" * 64 + b"\1" * 64)
