"""Statements and the commitments made of them; the expected digests were computed with openssl from the layout."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.bounded_json import read_json
from anchors.commitment import Digests, Kind, Statement, commit, digest_document, layout
from anchors.errors import AnchorsError, BadStatement, BadSubject, MalformedFile
from anchors.subjects import Subject

SM3 = Path(__file__).parents[1] / "vectors" / "sm" / "sm3_oscca.txt"
DIGESTS = digest_document(io.BytesIO(b"abc"))
FULL = Statement(
    kind=Kind.BID_DOCUMENT,
    tender="2026-川-0042",
    party=Subject.parse("CN-USCC:91110000600037341L"),
    holder=bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf"),
    sha256=DIGESTS.sha256,
    sm3=DIGESTS.sm3,
    extra={"name": "é", "lot": 7},
    salt=b"\x11" * 32,
)
LEAST = Statement(Kind.OTHER, None, None, None, digest_document(io.BytesIO()).sha256, None, None, b"\x22" * 32)


@pytest.mark.parametrize(
    ("statement", "commitment"),
    [
        (FULL, "ab429b300c68c4c1c44913c34dd9f8f674e861788bc404c449b96f2787aac246"),
        (LEAST, "7df107bcc0c8cc52c9cca3116ce9b582aede90912dc953548347a1565104becb"),
    ],
)
def test_a_statement_has_one_layout_and_one_commitment(statement: Statement, commitment: str) -> None:
    assert len(layout(statement)) == 257
    assert commit(statement).hex() == commitment


def test_the_kinds_have_the_codes_of_the_layout() -> None:
    assert [kind.code for kind in Kind] == [*range(1, 11), 255]
    assert layout(LEAST)[32] == 255


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.AWARD},
        {"tender": None},
        {"tender": "2026-川-0043"},
        {"party": None},
        {"holder": None},
        {"sha256": bytes(32)},
        {"sm3": None},
        {"extra": None},
        {"extra": {}},
        {"salt": bytes(32)},
    ],
)
def test_whatever_is_stated_otherwise_is_another_commitment(change: dict[str, Any]) -> None:
    assert commit(dataclasses.replace(FULL, **change)) != commit(FULL)


def test_the_order_of_extra_facts_does_not_matter() -> None:
    assert commit(dataclasses.replace(FULL, extra={"lot": 7, "name": "é"})) == commit(FULL)


def _sm3_vectors() -> list[tuple[bytes, str]]:
    fields = [line.split(" = ") for line in SM3.read_text().splitlines() if " = " in line]
    lengths, messages, digests = ([value for name, value in fields if name == key] for key in ("Len", "Msg", "MD"))
    cases = zip(lengths, messages, digests, strict=True)
    return [(bytes.fromhex(message)[: int(bits) // 8], digest) for bits, message, digest in cases]


@pytest.mark.parametrize(("message", "digest"), _sm3_vectors())
def test_documents_have_the_sm3_digests_of_the_standard(message: bytes, digest: str) -> None:
    assert digest_document(io.BytesIO(message)).sm3.hex() == digest


def test_a_document_is_read_in_pieces_of_bounded_size() -> None:
    asked = []

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            asked.append(size)
            return b"a" * size if len(asked) <= 3 else b""

    digests = digest_document(Endless())  # type: ignore[arg-type]  # all that is used of a stream is `read`
    assert asked == [1 << 20] * 4
    assert digests == digest_document(io.BytesIO(b"a" * (3 << 20)))


def test_a_statement_made_from_words_has_a_salt_of_its_own() -> None:
    first, second = (Statement.of(DIGESTS, kind="award", tender="Cafe\u0301", party=None) for _ in range(2))
    assert first.tender == "Café"
    assert len(first.salt) == 32
    assert first.salt != second.salt
    assert dataclasses.replace(second, salt=first.salt) == first


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"kind": "bid document"}, BadStatement),
        ({"tender": ""}, BadStatement),
        ({"tender": "a\nb"}, BadStatement),
        ({"tender": "\ud800"}, BadStatement),
        ({"tender": "x" * 257}, BadStatement),
        ({"party": "CN-USCC:91110000600037341M"}, BadSubject),
    ],
)
def test_words_that_state_nothing_are_refused(words: dict[str, str], error: type[AnchorsError]) -> None:
    with pytest.raises(error):
        Statement.of(DIGESTS, **({"kind": "award", "tender": None, "party": None} | words))  # type: ignore[arg-type]


@pytest.mark.parametrize("statement", [FULL, LEAST])
def test_a_statement_is_read_back_as_it_was_written(statement: Statement) -> None:
    written = json.dumps(statement.to_json()).encode()
    assert Statement.from_json(read_json(written)) == statement


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "bid"),
        ("kind", 1),
        ("tender", ""),
        ("tender", "Cafe\u0301"),
        ("tender", "a\tb"),
        ("tender", "x" * 257),
        ("party", "GB-COH"),
        ("party", 7),
        ("holder", "0x" + "00" * 20),
        ("holder", "0x" + "11" * 32),
        ("holder", "0x" + "AA" * 20),
        ("sha256", None),
        ("sha256", "0x" + "11" * 31),
        ("sha256", "11" * 32),
        ("sm3", "0x" + "00" * 32),
        ("extra", []),
        ("extra", "lot 7"),
        ("salt", None),
        ("salt", "0x" + "11" * 33),
    ],
)
def test_a_statement_in_another_form_is_refused(field: str, value: object) -> None:
    with pytest.raises((MalformedFile, BadStatement, BadSubject)):
        Statement.from_json(FULL.to_json() | {field: value})


@pytest.mark.parametrize("field", list(FULL.to_json()))
def test_a_statement_lacks_no_field_and_has_no_other(field: str) -> None:
    whole = FULL.to_json()
    with pytest.raises(MalformedFile, match="missing"):
        Statement.from_json({name: value for name, value in whole.items() if name != field})
    with pytest.raises(MalformedFile, match="is not a name"):
        Statement.from_json(whole | {field + "2": None})


@pytest.mark.parametrize("number", [0.5, 2**53, float("nan")])
def test_an_extra_fact_without_a_canonical_form_is_refused(number: float) -> None:
    with pytest.raises((MalformedFile, BadStatement)):
        Statement.from_json(read_json(json.dumps(FULL.to_json() | {"extra": {"price": number}}).encode()))


@pytest.mark.parametrize("extra", [{"price": float("nan")}, {"\ud800": 1}, {"lots": {1, 2}}])
def test_an_extra_fact_that_is_no_json_is_refused(extra: dict[str, object]) -> None:
    with pytest.raises(BadStatement, match="no canonical form"):
        commit(dataclasses.replace(FULL, extra=extra))


def test_digests_of_another_length_are_refused() -> None:
    for digests in (Digests(bytes(31), DIGESTS.sm3), Digests(DIGESTS.sha256, bytes(32))):
        with pytest.raises(BadStatement):
            Statement.of(digests, kind="award", tender=None, party=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x" + "11" * 32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(FULL.to_json())), JSON, max_size=4))
def test_any_json_is_a_statement_that_writes_itself_again_or_is_refused(changes: dict[str, Any]) -> None:
    value = FULL.to_json() | changes
    try:
        statement = Statement.from_json(value)
    except AnchorsError:
        return
    assert statement.to_json() == value
    assert len(commit(statement)) == 32
