import json
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchors.bounded_json import MAX_FILE_BYTES, MAX_NUMBER, Fields, read_json
from anchors.errors import MalformedFile

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_NUMBER, MAX_NUMBER) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_json_writes_reads_back(value: object) -> None:
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
@example(b'\xef\xbb\xbf"a byte order mark"')
@example('"UTF-16"'.encode("utf-16"))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        value = read_json(data)
    except MalformedFile:
        return
    assert json.loads(data) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(-0.0)
def test_fractions_are_read_where_they_are_allowed(value: float) -> None:
    data = json.dumps(value).encode()
    assert read_json(data, fractions=True) == value
    with pytest.raises(MalformedFile):
        read_json(data)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "NaN", "Infinity", "0." + "1" * 100, str(MAX_NUMBER + 1), "-0"])
def test_numbers_that_no_double_comes_near_are_refused_anyhow(text: str) -> None:
    with pytest.raises(MalformedFile):
        read_json(text.encode(), fractions=True)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "\\u0062": 2}}',
        "1.0",
        "1e2",
        "-0",
        "NaN",
        "Infinity",
        "-Infinity",
        str(MAX_NUMBER + 1),
        str(-MAX_NUMBER - 1),
        "1" * 5000,
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[" * 18 + "]" * 18,
        "[" * 100_000,
        '{"a":' * 100_000,
        "",
        "{} {}",
    ],
    ids=lambda text: text[:20],
)
def test_json_that_readers_would_not_agree_on_is_refused(text: str) -> None:
    with pytest.raises(MalformedFile):
        read_json(text.encode())


@pytest.mark.parametrize("text", ["[" * 150_000, '{"a":' * 150_000, '["]' * 5 + "[" * 150_000, '"' + "[" * 150_000])
def test_nesting_is_bounded_wherever_the_recursion_limit_is(text: str) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        with pytest.raises(MalformedFile):
            read_json(text.encode())
    finally:
        sys.setrecursionlimit(limit)


def test_sixteen_levels_are_read() -> None:
    assert read_json(b"[" * 16 + b"]" * 16) is not None


@pytest.mark.parametrize("text", ['"[[[[[[[[[[[[[[[[[[[[[[[["', r'["\"[[[[[[[[[[[[[[[[[[[[\\", "]]]"]', '"]"'])
def test_brackets_in_texts_are_no_nesting(text: str) -> None:
    assert read_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "unit", [b"[", b"[],", b'"",', b'"', b"0,", b"{},", b'{"":', b"]", b"\\", b'""', b'"\\"', b'\\"']
)
def test_the_largest_files_are_refused_at_once(unit: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(MalformedFile):
        read_json(b"[" + unit * (MAX_FILE_BYTES // len(unit) - 1))
    assert time.monotonic() - started < 5


def test_the_length_is_bounded() -> None:
    with pytest.raises(MalformedFile, match="more than"):
        read_json(b" " * (MAX_FILE_BYTES + 1))


@pytest.mark.parametrize("value", [None, [], "a", {}, {"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_an_object_has_exactly_the_names_of_its_format(value: object) -> None:
    with pytest.raises(MalformedFile):
        Fields(value, "object", ["a", "b"])


def test_messages_name_the_path() -> None:
    with pytest.raises(MalformedFile, match=r"^statement\.salt is missing$"):
        Fields({}, "statement", ["salt"])
    with pytest.raises(MalformedFile, match=r"^receipt\.path\[1\] is not 32 bytes"):
        Fields({"path": ["0x" + "00" * 32, "0x"]}, "receipt", ["path"]).hex_list("path", 63, 32)


@pytest.mark.parametrize("value", [True, -1, 11, "1", None, [1]])
def test_a_number_is_an_integer_within_bounds(value: object) -> None:
    with pytest.raises(MalformedFile):
        Fields({"n": value}, "", ["n"]).number("n", 0, 10)


@pytest.mark.parametrize("value", ["", "0", "0x0", "0X00", "0xAB", "00", "0x00 ", "0x00\n", "0x0g", 0, None])
def test_bytes_are_lower_case_hexadecimal(value: object) -> None:
    with pytest.raises(MalformedFile):
        Fields({"b": value}, "", ["b"]).hex("b")


@pytest.mark.parametrize("value", [["0x01"] * 2, {}, "0x01", None])
def test_a_list_is_bounded(value: object) -> None:
    assert Fields({"l": ["0x01"]}, "", ["l"]).hex_list("l", 1) == (b"\x01",)
    with pytest.raises(MalformedFile):
        Fields({"l": value}, "", ["l"]).hex_list("l", 1)


@pytest.mark.parametrize("value", ["ab\n", "ab1", 1, None])
def test_a_text_matches_as_a_whole(value: object) -> None:
    assert Fields({"t": "ab"}, "", ["t"]).text("t", "[a-z]*") == "ab"
    with pytest.raises(MalformedFile):
        Fields({"t": value}, "", ["t"]).text("t", "[a-z]*")


def test_what_may_be_null_reads_as_none() -> None:
    assert Fields({"n": None}, "", ["n"]).nullable("n", str) is None
