"""Periods that hide their count, and what their keys reveal afterwards; the expected bytes are openssl's."""

import hmac
import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.errors import PeriodKeyDiffers
from anchors.periods import Account, account, filler, key_commitment, period_key, slot_order

SECRET = b"\x33" * 32
ORIGIN = "west.example/31337/sichuan/0"
KEY = bytes.fromhex("1c946af56206f84d4c338dca403d8e709ecbcac2b910838aca1a67db34e314f8")
NEXT = period_key(SECRET, ORIGIN, 8)
KEYS = st.binary(min_size=32, max_size=32)


def test_keys_filling_and_commitments_are_derived_as_openssl_derives_them() -> None:
    assert period_key(SECRET, ORIGIN, 7) == KEY
    assert filler(KEY, 5).hex() == "a798259fdbe3e0114dcef11849a3a5b1126179f5fc0ad44757431023326610cd"
    assert key_commitment(KEY).hex() == "a520341574ef1aff32153b2ebc7149b7dc22ea8a0378f39c46957cff105d72d0"


def test_every_period_and_every_log_has_a_key_of_its_own() -> None:
    keys = {period_key(SECRET, origin, number) for origin in (ORIGIN, ORIGIN[:-1] + "1") for number in range(20)}
    assert len(keys) == 40


def test_the_order_is_drawn_from_the_keys_stream() -> None:
    # HMAC-SHA256(KEY, "order" and eight zero bytes), in words: one draw for each slot but the first, from the last on.
    words = [0x1A37EF2E, 0xC8876096, 0xA8E19307, 0x0343B32A, 0x61FC4E07, 0x52D8C1F3, 0x1637C18B]
    order = list(range(8))
    for last, word in zip(range(7, 0, -1), words, strict=True):
        order[last], order[word % (last + 1)] = order[word % (last + 1)], order[last]
    assert slot_order(KEY, 8) == order


def _words(key: bytes) -> Iterator[int]:
    for counter in itertools.count():
        block = hmac.digest(key, b"order" + counter.to_bytes(8, "big"), "sha256")
        yield from (int.from_bytes(block[at : at + 4], "big") for at in range(0, 32, 4))


@pytest.mark.parametrize("number", [0, 1, 1459])  # of these the last has a draw that must be rejected
def test_a_draw_that_would_favour_low_slots_is_rejected(number: int) -> None:
    key = number.to_bytes(32, "big")
    words, order, rejected = _words(key), list(range(4096)), 0
    for bound in range(4096, 1, -1):
        while (word := next(words)) >= 2**32 // bound * bound:
            rejected += 1
        order[bound - 1], order[word % bound] = order[word % bound], order[bound - 1]
    assert slot_order(key, 4096) == order
    assert rejected == (number == 1459)


@given(KEYS, st.integers(1, 300))
def test_the_order_gives_every_slot_once(key: bytes, slots: int) -> None:
    assert sorted(slot_order(key, slots)) == list(range(slots))


def test_all_orders_are_about_as_likely() -> None:
    orders = Counter(tuple(slot_order(number.to_bytes(32, "big"), 4)) for number in range(24 * 200))
    assert len(orders) == 24
    # Chi-squared of 23 degrees of freedom passes 58.6 once in 15,000 uniform draws; these are fixed, and stay below.
    assert sum((count - 200) ** 2 / 200 for count in orders.values()) < 58.6


def _leaves(accepted: list[bytes], slots: int) -> list[bytes]:
    """A period as a member writes it: what was accepted in order, filling, and the next key's commitment last."""
    order = slot_order(KEY, slots)
    leaves = [filler(KEY, slot) for slot in range(slots)]
    for slot, commitment in zip(order, accepted, strict=False):
        leaves[slot] = commitment
    leaves[order[-1]] = key_commitment(NEXT)
    return leaves


@given(st.integers(1, 80), st.data())
def test_a_revealed_key_names_every_leaf_of_its_period(slots: int, data: st.DataObject) -> None:
    accepted = data.draw(st.lists(KEYS, max_size=slots - 1, unique=True))
    order = slot_order(KEY, slots)
    assert account(KEY, _leaves(accepted, slots), NEXT) == Account(
        filling=tuple(sorted(order[len(accepted) : -1])), accepted=tuple(order[: len(accepted)]), next_key=order[-1]
    )


def test_a_leaf_in_a_slot_that_was_not_given_is_still_named() -> None:
    leaves = _leaves([b"\x01" * 32], 64)
    secret = slot_order(KEY, 64)[40]
    leaves[secret] = b"\x02" * 32
    assert account(KEY, leaves).accepted == (slot_order(KEY, 64)[0], secret)


def test_another_key_names_nothing_as_filling() -> None:
    assert account(NEXT, _leaves([], 64)).filling == ()


def test_a_key_that_was_not_committed_to_is_refused() -> None:
    with pytest.raises(PeriodKeyDiffers, match="another key"):
        account(KEY, _leaves([], 64), period_key(SECRET, ORIGIN, 9))


def test_filling_moved_to_another_slot_is_no_filling() -> None:
    leaves = _leaves([], 64)
    first, second = slot_order(KEY, 64)[:2]
    leaves[first], leaves[second] = leaves[second], leaves[first]
    assert account(KEY, leaves).accepted == (first, second)
