"""Spellings of one code have one value in a tender; another kind, tender or key has another; records are sealed."""

import hmac
import json
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from bids_taken import KEY, ONE, TENDER, bid, sealed, taken
from hypothesis import given
from hypothesis import strategies as st

from anchors.commitment import Kind, commit
from anchors.errors import (
    BadFeatureCode,
    BadFeatureKey,
    BadFeatureRecord,
    BadFeatures,
    FeatureRecordDiffers,
    FeaturesStillSealed,
)
from anchors.tenders.features import (
    CodeKind,
    FeatureKey,
    FeatureRecord,
    SealedRecord,
    open_record,
    read_code,
    seal_record,
)

TEXTS = (CodeKind.MACHINE, CodeKind.FILE_CREATION, CodeKind.PRICING_LOCK)
MACHINE = {CodeKind.MACHINE: "4C4C4544-0042-3510"}


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        *(
            (
                kind,
                [
                    "{4C4C4544-0042-3510}",
                    "4c4c4544 0042 3510",
                    "４Ｃ４Ｃ４５４４－００４２－３５１０",
                    "4c4c454400423510",
                ],
            )
            for kind in TEXTS
        ),
        (CodeKind.NETWORK_CARD, ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", " 00 1A 2B 3C 4D 5E "]),
        (CodeKind.NETWORK_ADDRESS, ["8.8.4.4", " 8.8.4.4 ", "::ffff:8.8.4.4", "::FFFF:808:404"]),
        (CodeKind.NETWORK_ADDRESS, ["2400:3200::1", "2400:3200:0:0:0:0:0:1", "2400:3200:0000::0001", "2400:3200::1%2"]),
    ],
)
def test_spellings_of_one_code_have_one_value(kind: CodeKind, spellings: list[str]) -> None:
    codes = [read_code(kind, spelling) for spelling in spellings]
    assert len({KEY.value(code) for code in codes}) == 1
    assert {code.weakness for code in codes} == {None}


def test_the_value_is_what_the_page_says() -> None:
    head = sha256(b"bidledger/feature-code/v1").digest() + sha256(TENDER.encode()).digest() + b"\x01"
    expected = hmac.digest(KEY.secret, head + b"4c4c454400423510", "sha256")
    assert KEY.value(read_code(CodeKind.MACHINE, "4C4C4544-0042-3510")) == expected


def test_kind_tender_key_and_code_each_change_the_value() -> None:
    keys = [KEY, replace(KEY, tender="T-2026-008"), replace(KEY, secret=b"\1" * 32)]
    values = {key.value(read_code(kind, text)) for key in keys for kind in TEXTS for text in ("abcd1", "abcd2")}
    assert len(values) == 3 * 3 * 2


def test_sites_derive_one_key_for_each_tender() -> None:
    shared = b"\7" * 32
    assert FeatureKey.derive(shared, TENDER) == FeatureKey.derive(shared, TENDER)
    secrets = {
        FeatureKey.derive(each, tender).secret for each in (shared, b"\x08" * 32) for tender in (TENDER, "other")
    }
    assert len(secrets) == 4
    assert shared not in secrets


def test_a_key_file_reads_back() -> None:
    key = FeatureKey.new(TENDER)
    assert FeatureKey.from_bytes(key.to_bytes()) == key
    assert FeatureKey.new(TENDER) != key


def test_neither_key_nor_code_is_shown() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert "4c4c4544" not in repr(read_code(CodeKind.MACHINE, "4C4C4544-0042-3510"))
    with pytest.raises(BadFeatureCode) as refused:
        read_code(CodeKind.NETWORK_ADDRESS, "8.8.8.888")
    assert "888" not in str(refused.value)


@pytest.mark.parametrize(
    ("tender", "secret"),
    [(TENDER, b""), (TENDER, bytes(32)), (TENDER, b"\1" * 33), ("", b"\1" * 32), ("e\u0301", b"\1" * 32)],
)
def test_a_key_that_protects_nothing_is_refused(tender: str, secret: bytes) -> None:
    with pytest.raises(BadFeatureKey):
        FeatureKey(tender, secret)
    with pytest.raises(BadFeatureKey):
        FeatureKey.derive(secret, tender)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_key_file_or_refused(data: bytes) -> None:
    with suppress(BadFeatureKey):
        FeatureKey.from_bytes(data)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (CodeKind.NETWORK_ADDRESS, "192.168.1.10"),
        (CodeKind.NETWORK_ADDRESS, "10.0.0.1"),
        (CodeKind.NETWORK_ADDRESS, "172.16.5.4"),
        (CodeKind.NETWORK_ADDRESS, "100.64.0.1"),
        (CodeKind.NETWORK_ADDRESS, "127.0.0.1"),
        (CodeKind.NETWORK_ADDRESS, "169.254.7.7"),
        (CodeKind.NETWORK_ADDRESS, "0.0.0.0"),  # noqa: S104
        (CodeKind.NETWORK_ADDRESS, "224.0.0.251"),
        (CodeKind.NETWORK_ADDRESS, "::ffff:192.168.1.10"),
        (CodeKind.NETWORK_ADDRESS, "fe80::1%eth0"),
        (CodeKind.NETWORK_ADDRESS, "fd00::1"),
        (CodeKind.NETWORK_ADDRESS, "ff02::fb"),
        (CodeKind.NETWORK_CARD, "02:42:ac:11:00:02"),
        (CodeKind.NETWORK_CARD, "00:00:00:00:00:00"),
        (CodeKind.NETWORK_CARD, "ff:ff:ff:ff:ff:ff"),
        (CodeKind.NETWORK_CARD, "01:00:5e:00:00:fb"),
        *(
            (kind, text)
            for kind in TEXTS
            for text in ("To Be Filled By O.E.M.", "Default string", "00000000", "abc", "123456789")
        ),
    ],
)
def test_codes_that_many_have_are_marked_weak(kind: CodeKind, text: str) -> None:
    assert read_code(kind, text).weakness is not None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((kind, text) for kind in CodeKind for text in ("", "a\0b", "a" * 257, "\ud800")),
        *((kind, "{- :}") for kind in TEXTS),
        (CodeKind.NETWORK_CARD, "00:1a:2b:3c:4d"),
        (CodeKind.NETWORK_CARD, "00:1a:2b:3c:4d:5g"),
        (CodeKind.NETWORK_ADDRESS, "8.8.8"),
        (CodeKind.NETWORK_ADDRESS, "8.8.8.08"),
        (CodeKind.NETWORK_ADDRESS, "8.8.8.8:80"),
        (CodeKind.NETWORK_ADDRESS, "8.8.8.8/24"),
        (CodeKind.NETWORK_ADDRESS, "example.com"),
    ],
)
def test_what_can_be_no_code_is_refused(kind: CodeKind, text: str) -> None:
    with pytest.raises(BadFeatureCode):
        read_code(kind, text)


@given(st.sampled_from(CodeKind), st.text(max_size=260))
def test_any_text_is_a_code_or_refused_and_its_spelling_stands(kind: CodeKind, text: str) -> None:
    with suppress(BadFeatureCode):
        code = read_code(kind, text)
        if len(code.text) <= 256:
            assert read_code(kind, code.text) == code


@given(
    st.dictionaries(st.sampled_from(CodeKind), st.binary(min_size=32, max_size=32), min_size=1),
    st.binary(min_size=32, max_size=32),
    st.data(),
)
def test_a_record_reads_back(values: dict[CodeKind, bytes], bid_: bytes, data: st.DataObject) -> None:
    weak = data.draw(st.frozensets(st.sampled_from(sorted(values))))
    record = FeatureRecord(TENDER, bid_, values, weak)
    assert FeatureRecord.from_document(record.document()) == record


def test_the_document_is_what_the_page_says() -> None:
    record = taken(1, MACHINE)
    assert json.loads(record.document()) == {
        "format": "bidledger/feature-codes/v1",
        "tender": TENDER,
        "bid": "0x" + bid(1).hex(),
        "codes": {"machine-code": "0x" + KEY.value(read_code(CodeKind.MACHINE, MACHINE[CodeKind.MACHINE])).hex()},
    }
    weak = json.loads(taken(1, {CodeKind.NETWORK_ADDRESS: "10.0.0.1"} | MACHINE).document())
    assert weak["weak"] == ["network-address"]


def _changed(**changes: Any) -> bytes:
    return rfc8785.dumps(json.loads(taken(1, MACHINE).document()) | changes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        taken(1, MACHINE).document() + b"\n",
        json.dumps(json.loads(taken(1, MACHINE).document())).encode(),
        _changed(format="bidledger/feature-codes/v2"),
        _changed(tender=""),
        _changed(tender="e\u0301"),
        _changed(bid="0x00"),
        _changed(codes={}),
        _changed(codes={"disk-code": "0x" + "00" * 32}),
        _changed(codes={"machine-code": "0x" + "00" * 31}),
        _changed(weak=[]),
        _changed(weak=["network-card"]),
        _changed(weak=["machine-code", "machine-code"]),
        _changed(weak=[["machine-code"]]),
        _changed(more=1),
        b" " * 9000,
    ],
)
def test_a_record_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(BadFeatureRecord):
        FeatureRecord.from_document(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_refused(data: bytes) -> None:
    with suppress(BadFeatureRecord):
        FeatureRecord.from_document(data)


@pytest.mark.parametrize("codes", [[], ["abcd1", "abcd2"]])
def test_a_record_has_one_code_of_a_kind(codes: list[str]) -> None:
    with pytest.raises(BadFeatureRecord):
        FeatureRecord.take(KEY, bid(1), [read_code(CodeKind.MACHINE, code) for code in codes])


def test_a_record_is_committed_to_as_feature_codes_of_its_bidder() -> None:
    record = taken(1, MACHINE)
    statement = seal_record(record, ONE)
    assert (statement.kind, statement.kind.code, statement.tender, statement.party) == (
        Kind.FEATURE_CODE,
        6,
        TENDER,
        ONE,
    )
    assert statement.sha256 == sha256(record.document()).digest()
    assert commit(seal_record(record, ONE)) != commit(statement)  # salted


def test_a_record_opens_only_for_an_opened_bid() -> None:
    record = taken(1, MACHINE)
    seal, statement = sealed(record, ONE)
    for before in (set[bytes](), {bid(2)}):
        with pytest.raises(FeaturesStillSealed):
            open_record(seal, statement, record.document(), before)
    assert open_record(seal, statement, record.document(), {bid(1), bid(2)}).bidder == ONE


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": b"\1" * 32},
        {"tender": "T-2026-008"},
        {"party": None},
        {"kind": Kind.BID_DOCUMENT},
        {"sha256": b"\1" * 32},
        {"sm3": b"\1" * 32},
        {"extra": {"a": 1}},
    ],
    ids=str,
)
def test_a_record_stated_otherwise_is_refused(changes: dict[str, Any]) -> None:
    record = taken(1, MACHINE)
    seal, statement = sealed(record, ONE)
    other = replace(statement, **changes)
    with pytest.raises(FeatureRecordDiffers):  # another statement under the same commitment
        open_record(seal, other, record.document(), {bid(1)})
    if not {"salt", "extra"} & changes.keys():
        with pytest.raises(FeatureRecordDiffers):  # a commitment to a statement that does not fit
            open_record(SealedRecord("sichuan", commit(other)), other, record.document(), {bid(1)})


def test_another_document_under_the_commitment_is_refused() -> None:
    record, other = taken(1, MACHINE), taken(1, {CodeKind.MACHINE: "another"})
    seal, statement = sealed(record, ONE)
    with pytest.raises(FeatureRecordDiffers):
        open_record(seal, statement, other.document(), {bid(1)})


@given(st.binary(max_size=200))
def test_any_document_opens_or_is_refused(data: bytes) -> None:
    statement = replace(seal_record(taken(1, MACHINE), ONE), sha256=sha256(data).digest())
    with pytest.raises(BadFeatures):
        open_record(SealedRecord("sichuan", commit(statement)), statement, data, {bid(1)})
