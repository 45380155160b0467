import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchors.chain import rlp
from anchors.errors import MalformedRlp

VECTORS = Path(__file__).parents[1] / "vectors" / "ethereum-tests" / "RLPTests"
ITEMS = st.recursive(st.binary(max_size=80), lambda items: st.lists(items, max_size=20), max_leaves=40)


def _case(value: Any) -> rlp.Item:
    """The item that a vector writes as JSON: text, numbers, `#` and a big number in decimal, lists."""
    if isinstance(value, list):
        return [_case(part) for part in value]
    if isinstance(value, str) and not value.startswith("#"):
        return value.encode()
    number = int(value[1:]) if isinstance(value, str) else value
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _valid() -> list[Any]:
    cases = json.loads((VECTORS / "rlptest.json").read_bytes())
    return [pytest.param(_case(case["in"]), bytes.fromhex(case["out"][2:]), id=name) for name, case in cases.items()]


def _invalid() -> list[Any]:
    cases = json.loads((VECTORS / "invalidRLPTest.json").read_bytes())
    return [pytest.param(bytes.fromhex(case["out"].removeprefix("0x")), id=name) for name, case in cases.items()]


@pytest.mark.parametrize(("item", "encoded"), _valid())
def test_items_encode_and_decode_as_the_ethereum_vectors_say(item: rlp.Item, encoded: bytes) -> None:
    assert rlp.encode(item) == encoded
    assert rlp.decode(encoded) == item


@pytest.mark.parametrize("encoded", _invalid())
def test_encodings_that_the_ethereum_vectors_call_invalid_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedRlp):
        rlp.decode(encoded)


def test_the_random_vector_decodes() -> None:
    cases = json.loads((VECTORS / "RandomRLPTests" / "example.json").read_bytes())
    assert rlp.decode(bytes.fromhex(cases["listsoflists2"]["out"][2:])) == [[], [[]], [[], [[]]]]


@given(ITEMS)
def test_what_is_encoded_decodes_to_itself(item: rlp.Item) -> None:
    assert rlp.decode(rlp.encode(item)) == item


@given(st.binary(max_size=200))
@example(b"\xb8")
@example(b"\xf9\x01")
def test_any_bytes_are_one_canonical_item_or_refused(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except MalformedRlp:
        return
    assert rlp.encode(item) == data


def test_nesting_is_bounded() -> None:
    nested: rlp.Item = b""
    for _ in range(rlp.MAX_DEPTH):
        nested = [nested]
    assert rlp.decode(rlp.encode(nested)) == nested
    with pytest.raises(MalformedRlp, match="deep"):
        rlp.decode(rlp.encode([nested]))


def test_length_is_bounded() -> None:
    with pytest.raises(MalformedRlp, match="more than"):
        rlp.decode(rlp.encode(bytes(rlp.MAX_BYTES)))


def test_a_byte_string_is_no_list() -> None:
    with pytest.raises(MalformedRlp):
        rlp.decode_list(b"\x83dog")


@pytest.mark.parametrize("item", [b"\x00", b"\x00\x01", bytes(range(1, 10)), []])
def test_an_integer_has_no_leading_zero_and_eight_bytes_at_most(item: rlp.Item) -> None:
    with pytest.raises(MalformedRlp):
        rlp.to_uint(item)


@pytest.mark.parametrize(("item", "number"), [(b"", 0), (b"\x01", 1), (b"\xff" * 8, 2**64 - 1)])
def test_an_integer_is_big_endian(item: bytes, number: int) -> None:
    assert rlp.to_uint(item) == number
