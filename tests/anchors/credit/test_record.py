"""Records: one name each, and what the law refuses is refused by name."""

import contextlib
import dataclasses
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from credit_story import (
    ANNOUNCED,
    BAN,
    CATALOGUE,
    CHAIN_ID,
    COLLUSION,
    COMPANY,
    DECIDED,
    GENERAL,
    HONOUR,
    REGISTER,
    SERIOUS,
    by_eth_account,
    digest,
    fields_of,
    noon,
)
from hypothesis import given
from hypothesis import strategies as st

from anchors.bounded_json import Fields, read_json
from anchors.credit import Kind, Record, Statement, check_record, end_of, publication_digest
from anchors.credit.record import RECORD_NAMES, RECORD_TYPE, read_record
from anchors.errors import (
    AnchorsError,
    BadRecord,
    DatesOutOfOrder,
    FutureDecision,
    MalformedFile,
    MeasureMissing,
    NothingStated,
    PeriodOutsideLaw,
    PublicationOver,
    UnfitMeasure,
    UnknownMeasure,
)

TODAY = date(2026, 3, 20)


def typed(record: Record) -> dict[str, object]:
    """A record as eth-account hashes it."""
    values = (
        *(record.subject, record.member, int(record.kind)),
        *((day - date(1970, 1, 1)).days for day in (record.decided_on, record.last_day)),
        *(record.earlier, sum(1 << code for code in record.measures), record.statement, record.document),
    )
    return dict(zip((field.split()[1] for field in fields_of(RECORD_TYPE)), values, strict=True))


@pytest.mark.parametrize("records", [[SERIOUS], [GENERAL, HONOUR, SERIOUS]])
def test_the_roles_sign_what_eip_712_describes(records: list[Record]) -> None:
    expected = by_eth_account(
        "CreditPublication",
        "CreditRecord[] records,uint64 deadline",
        RECORD_TYPE,
        {"records": [typed(record) for record in records], "deadline": 77},
    )
    assert publication_digest(REGISTER, CHAIN_ID, records, 77) == expected


@given(st.sampled_from([field.name for field in dataclasses.fields(Record)]))
def test_every_fact_of_a_record_is_in_its_name(name: str) -> None:
    others = {"kind": Kind.GENERAL, "measures": (COLLUSION,), "member": 3, "earlier": 1}
    days = {"decided_on": date(2026, 3, 16), "last_day": date(2028, 3, 16)}
    changed: Any = dataclasses.replace(SERIOUS, **{name: (others | days).get(name, digest("another"))})
    assert changed.struct_hash() != SERIOUS.struct_hash()


@pytest.mark.parametrize("record", [SERIOUS, GENERAL, HONOUR], ids=lambda record: record.kind.name)
def test_a_lawful_record_is_taken(record: Record) -> None:
    check_record(record, CATALOGUE, noon(TODAY))


@pytest.mark.parametrize(
    ("kind", "earliest", "latest"),
    [
        (Kind.GENERAL, date(2026, 6, 15), date(2027, 3, 15)),
        (Kind.SERIOUS, date(2027, 3, 15), date(2029, 3, 15)),
        (Kind.HONOUR, DECIDED, date(2029, 3, 15)),
    ],
)
def test_a_publication_ends_within_the_law_to_the_day(kind: Kind, earliest: date, latest: date) -> None:
    measures = HONOUR.measures if kind is Kind.HONOUR else (ANNOUNCED,)
    record = dataclasses.replace(SERIOUS, kind=kind, measures=measures)
    for last_day in (earliest, latest):
        check_record(dataclasses.replace(record, last_day=last_day), CATALOGUE, noon(DECIDED))
    for last_day in (earliest - timedelta(1), latest + timedelta(1)):
        with pytest.raises((PeriodOutsideLaw, DatesOutOfOrder)):
            check_record(dataclasses.replace(record, last_day=last_day), CATALOGUE, noon(DECIDED))


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"decided_on": TODAY + timedelta(1)}, FutureDecision),
        ({"last_day": DECIDED - timedelta(1)}, DatesOutOfOrder),
        ({"kind": Kind.HONOUR, "last_day": TODAY - timedelta(1), "measures": (1,)}, PublicationOver),
        ({"measures": ()}, MeasureMissing),
        ({"measures": (BAN, 250)}, UnknownMeasure),
        ({"measures": (1,)}, UnfitMeasure),
        ({"statement": bytes(32)}, NothingStated),
        ({"document": bytes(32)}, NothingStated),
    ],
)
def test_an_unlawful_record_is_refused_by_name(facts: dict[str, Any], refusal: type[BadRecord]) -> None:
    with pytest.raises(refusal) as refused:
        check_record(dataclasses.replace(SERIOUS, **facts), CATALOGUE, noon(TODAY))
    assert refused.value.diagnostics()


def test_a_measure_runs_no_longer_than_its_own_law_lets_it() -> None:
    barred = dataclasses.replace(SERIOUS, measures=(COLLUSION,))
    check_record(barred, CATALOGUE, noon(TODAY))
    with pytest.raises(UnfitMeasure, match="2028-03-15"):
        check_record(dataclasses.replace(barred, last_day=date(2028, 3, 16)), CATALOGUE, noon(TODAY))


def test_a_decision_is_of_the_future_until_its_day_begins_in_china() -> None:
    midnight = end_of(DECIDED - timedelta(1))
    check_record(SERIOUS, CATALOGUE, midnight)
    with pytest.raises(FutureDecision):
        check_record(SERIOUS, CATALOGUE, midnight - 1)


def test_nothing_is_published_once_its_last_day_is_over() -> None:
    over = end_of(GENERAL.last_day)
    check_record(GENERAL, CATALOGUE, over - 1)
    with pytest.raises(PublicationOver):
        check_record(GENERAL, CATALOGUE, over)


def read(value: object) -> Record:
    return read_record(Fields(value, "record", RECORD_NAMES), COMPANY.key)


@pytest.mark.parametrize("record", [SERIOUS, GENERAL, HONOUR], ids=lambda record: record.kind.name)
def test_what_is_written_is_read_again(record: Record) -> None:
    assert read(read_json(json.dumps(record.to_json()).encode())) == record


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("member", 0),
        ("member", 65536),
        ("kind", "minor"),
        ("kind", "SERIOUS"),
        ("decided_on", "2026-02-30"),
        ("decided_on", "1969-12-31"),
        ("decided_on", "20260315"),
        ("last_day", "9991-01-01"),
        ("measures", [201, 101]),
        ("measures", [201, 201]),
        ("measures", [0]),
        ("measures", [256]),
        ("measures", [True]),
        ("measures", "201"),
        ("statement", "0x00"),
        ("document", None),
        ("earlier", -1),
        ("earlier", 1 << 32),
    ],
)
def test_a_record_of_another_form_is_refused_where_it_is(name: str, value: object) -> None:
    with pytest.raises(MalformedFile, match=f"record.{name}"):
        read(SERIOUS.to_json() | {name: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(RECORD_NAMES), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(RECORD_NAMES), JSON))
def test_hostile_members_end_in_a_named_error(members: dict[str, object]) -> None:
    with contextlib.suppress(AnchorsError):
        read(SERIOUS.to_json() | members)


STATEMENT = {
    "format": "bidledger/credit-statement/v1",
    "facts": "第七标段投标人相互串通。",
    "basis": ["招标投标法第五十三条"],
    "catalogue": "0x" + CATALOGUE.digest.hex(),
}


def test_a_statement_has_one_digest_however_it_is_spelt() -> None:
    statement = Statement.parse(json.dumps(STATEMENT).encode())
    assert statement == Statement.parse(json.dumps(STATEMENT, indent=3, ensure_ascii=False, sort_keys=True).encode())
    canonical = json.dumps(STATEMENT, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert statement.digest() == digest(canonical)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda value: value.update(format="bidledger/credit-statement/v2"), "format"),
        (lambda value: value.update(facts=" "), "facts"),
        (lambda value: value.update(facts="x" * 10_001), "facts"),
        (lambda value: value.update(basis=[]), "basis"),
        (lambda value: value.update(basis=["a\nb"]), r"basis\[0\]"),
        (lambda value: value.update(basis=[7]), r"basis\[0\]"),
        (lambda value: value.pop("catalogue"), "catalogue"),
    ],
)
def test_a_statement_of_another_form_is_refused(change: Callable[[dict[str, Any]], object], where: str) -> None:
    value = dict(STATEMENT)
    change(value)
    with pytest.raises(MalformedFile, match=where):
        Statement.parse(json.dumps(value).encode())


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps({**STATEMENT, "basis": value}).encode()))
def test_a_hostile_statement_ends_in_a_named_error(data: bytes) -> None:
    with contextlib.suppress(AnchorsError):
        Statement.parse(data)
