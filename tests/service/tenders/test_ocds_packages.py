"""Release packages are read whole or refused, and each release has one digest."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st
from published import example, example_packages, faults, package, release

from ledger_service.tenders.ocds.facts import read_facts
from ledger_service.tenders.ocds.package import (
    MAX_PACKAGE_BYTES,
    BadPackage,
    NotOcds,
    OtherVersion,
    Package,
    read_package,
)
from ledger_service.tenders.ocds.planning import Given, make_plans
from ledger_service.tenders.ocds.references import read_references
from ledger_service.tenders.ocds.schema import SchemaFault, check_schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTICE = release("1", "2026-01-01T00:00:00Z", ["tender"], tender={"id": "t"})


def take_in(data: bytes) -> None:
    """All that an import does with a package."""
    read = read_package(data)
    make_plans([read], Given(), NOW)
    for each in read.releases:
        read_references(each)


@pytest.mark.parametrize("path", example(), ids=lambda path: path.name)
def test_the_digest_of_a_release_is_of_its_canonical_bytes(path: Path) -> None:
    (read,) = read_package(path.read_bytes()).releases
    (published,) = json.loads(path.read_bytes())["releases"]
    assert read.digest == sha256(rfc8785.dumps(published)).digest()


@pytest.mark.parametrize("path", example(), ids=lambda path: path.name)
def test_spelling_does_not_change_the_digest(path: Path) -> None:
    value = json.loads(path.read_bytes())
    value["releases"] = [dict(reversed(each.items())) for each in value["releases"]]
    value["publishedDate"] = "2026-01-01T00:00:00Z"
    other = json.dumps(value, ensure_ascii=True, indent=7, sort_keys=False).encode()
    assert read_package(other).releases[0].digest == read_package(path.read_bytes()).releases[0].digest


def test_one_changed_character_changes_the_digest() -> None:
    path = example()[1]
    changed = path.read_bytes().replace(b"2010-04-01T18:00:00Z", b"2010-04-01T18:00:01Z")
    assert read_package(changed).releases[0].digest != read_package(path.read_bytes()).releases[0].digest


def test_the_digest_leaves_out_our_own_member_and_no_other() -> None:
    plain = read_package(package(NOTICE)).releases[0]
    assert read_package(package({**NOTICE, "bidledger": {"any": 1}})).releases[0].digest == plain.digest
    assert read_package(package({**NOTICE, "bidledger_": {}})).releases[0].digest != plain.digest
    deeper = {**NOTICE, "tender": {"id": "t", "bidledger": {}}}
    assert read_package(package(deeper)).releases[0].digest != plain.digest


def test_amounts_may_be_fractions() -> None:
    data = package({**NOTICE, "tender": {"id": "t", "value": {"amount": 0, "currency": "CNY"}}})
    digests = {
        read_package(data.replace(b'"amount": 0', b'"amount": ' + amount)).releases[0].digest
        for amount in (b"1234.50", b"1234.5", b"12345e-1")
    }
    assert len(digests) == 1


def test_every_document_has_the_digest_of_its_own_object() -> None:
    facts = [read_facts(each, {}) for read in example_packages() for each in read.releases]
    documents = [document for fact in facts for document in fact.documents]
    assert [(each.section, each.id) for each in documents] == [
        ("tender", "3.0"),
        ("tender", "4.0"),
        ("tender", "5.0"),
        ("tender", "5.0"),
        ("tender", "6.0"),
        ("award", "7.0"),
        ("award", "7.0"),
        ("contract", "8.0"),
    ]
    (published,) = json.loads(example()[-1].read_bytes())["releases"]
    signed = published["contracts"][0]["documents"][0]
    assert documents[-1].digest == sha256(rfc8785.dumps(signed)).digest()


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "package"),
        (b"[]", "package"),
        (b"{}", "package"),
        (package(NOTICE, version="1.0"), "package.version"),
        (package(NOTICE, version=1.1), "package.version"),
        (package(), "package.releases"),
        (package(NOTICE, releases={}), "package.releases"),
        (package(NOTICE, releases=[1]), "package.releases[0]"),
        (package({**NOTICE, "ocid": None}), "package.releases[0].ocid"),
        (package({**NOTICE, "ocid": "a\nb"}), "package.releases[0].ocid"),
        (package({**NOTICE, "id": "a" * 257}), "package.releases[0].id"),
        (package({**NOTICE, "id": True}), "package.releases[0].id"),
        (package({**NOTICE, "date": "2026-01-01"}), "package.releases[0].date"),
        (package({**NOTICE, "date": "2026-01-01T00:00:00"}), "package.releases[0].date"),
        (package({**NOTICE, "date": "2026-02-30T00:00:00Z"}), "package.releases[0].date"),
        (package({**NOTICE, "date": "0001-01-01T00:00:00+14:00"}), "package.releases[0].date"),
        (package({**NOTICE, "tag": []}), "package.releases[0].tag"),
        (package({**NOTICE, "tag": [1]}), "package.releases[0].tag"),
        (package({**NOTICE, "tender": []}), "package.releases[0].tender"),
        (package({**NOTICE, "tender": {"tenderPeriod": {"endDate": 3}}}), "package.releases[0].tender.tenderPeriod"),
        (package({**NOTICE, "tender": {"documents": [{}]}}), "package.releases[0].tender.documents[0].id"),
        (package({**NOTICE, "parties": [{"name": "x"}]}), "package.releases[0].parties[0].id"),
        (package({**NOTICE, "awards": [{}]}), "package.releases[0].awards[0].id"),
        (package({**NOTICE, "contracts": {}}), "package.releases[0].contracts"),
        (package({**NOTICE, "x": "\ud800"}), "package"),
        (package(NOTICE).replace(b'"tender"', b'"id": 1, "id"', 1), "package"),
        (b'{"version": "1.1", "releases": [{"a": 1e999}]}', "package"),
        (b'{"a":' * 100_000, "package"),
        (b"[" * 30 + b"]" * 30, "package"),
        (b'{"version": "1.1", "a": [' + b"1," * 1_000_001 + b"1]}", "package"),
        (b" " * (MAX_PACKAGE_BYTES + 1), "package"),
    ],
    ids=lambda value: value[:40].decode(errors="replace") if isinstance(value, bytes) else value,
)
def test_a_package_with_a_fault_is_refused_at_its_place(data: bytes, where: str) -> None:
    with pytest.raises(BadPackage) as refused:
        take_in(data)
    assert str(refused.value.facts["where"]).startswith(where)


@given(st.binary(max_size=200))
@case(b'\xef\xbb\xbf{"version": "1.1"}')
@case(package(NOTICE))
def test_any_bytes_are_taken_in_or_refused(data: bytes) -> None:
    _take_in_or_refuse(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20)
    | st.sampled_from(["2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "tender", "active", "pending"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=10,
)  # fmt: skip
FULL: dict[str, Any] = json.loads(example()[-1].read_bytes())["releases"][0]


def _paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, member in members for deeper in _paths(member, (*path, name)))]


@given(st.sampled_from(_paths(FULL)[1:]), JSON, st.sampled_from(["tender", "award", "tenderAmendment", "contract"]))
def test_any_value_anywhere_in_a_release_is_taken_in_or_refused(path: tuple[Any, ...], value: object, tag: str) -> None:
    full = json.loads(json.dumps({**FULL, "tag": ["tender", tag], "tender": {"id": "t", "status": "active"}}))
    part = full
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    _take_in_or_refuse(package(NOTICE, full))


@given(JSON)
def test_any_references_are_read_or_refused(value: object) -> None:
    _take_in_or_refuse(package({**NOTICE, "bidledger": value}))


def _take_in_or_refuse(data: bytes) -> None:
    with suppress(BadPackage):
        take_in(data)


@pytest.mark.parametrize("path", example(), ids=lambda path: path.name)
def test_the_schemas_find_the_example_well_formed(path: Path) -> None:
    assert not faults(path.read_bytes())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda each: each.pop("ocid"),
        lambda each: each.update(tag=["tendered"]),
        lambda each: each.update(date="x"),
    ],
)
def test_the_schemas_find_a_fault(spoil: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(example()[1].read_bytes())
    spoil(value["releases"][0])
    assert faults(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"not JSON", NotOcds),
        (b"[]", NotOcds),
        (b'{"version": "1.1", "records": []}', NotOcds),
        (package(NOTICE, version="1.0"), OtherVersion),
        (package(NOTICE, version="2.0"), OtherVersion),
        (package({**NOTICE, "id": ""}), BadPackage),
    ],
)
def test_what_is_no_package_of_this_version_is_refused_by_name(data: bytes, refusal: type[BadPackage]) -> None:
    with pytest.raises(BadPackage) as refused:
        read_package(data, "notice.json: package")
    assert type(refused.value) is refusal
    assert str(refused.value.facts["where"]).startswith("notice.json: package")


@pytest.mark.parametrize("path", example(), ids=lambda path: path.name)
def test_the_example_keeps_the_schema(path: Path) -> None:
    check_schema(read_package(path.read_bytes()))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (package({**NOTICE, "tag": ["tendered"]}), "package.releases[0].tag[0]"),
        (package({**NOTICE, "initiationType": None}), "package.releases[0].initiationType"),
        (package({**NOTICE, "tender": {"id": "t", "title": 3}}), "package.releases[0].tender.title"),
        (
            package({**NOTICE, "tender": {"id": "t", "documents": [{"id": "d", "url": 1}]}}),
            "package.releases[0].tender",
        ),
        (package(NOTICE, NOTICE, {**NOTICE, "buyer": []}), "package.releases[2].buyer"),
        (package({**NOTICE, "bidledger": {"any": 1}}), "package.releases[0].bidledger"),
        (package(NOTICE, publisher={"uri": "https://x.example"}), "package.publisher"),
    ],
)
def test_what_the_schema_refuses_is_told_with_its_place(data: bytes, where: str) -> None:
    with pytest.raises(SchemaFault) as refused:
        check_schema(read_package(data))
    assert str(refused.value.facts["where"]).startswith(where)
    assert faults(data)


def test_a_fault_does_not_steer_the_terminal_that_shows_it() -> None:
    with pytest.raises(SchemaFault) as refused:
        check_schema(read_package(package({**NOTICE, "tag": ["\x1b[2J"], "buyer": {"id": {"\x1b]0;x\x07": 1}}})))
    assert refused.value.detail.isprintable()
    assert "tag" in refused.value.detail


def test_the_first_faults_are_told_and_no_more() -> None:
    many = [{**NOTICE, "id": str(number), "tag": ["x"]} for number in range(100)]
    with pytest.raises(SchemaFault) as refused:
        check_schema(read_package(package(*many)))
    told = refused.value.facts["faults"]
    assert isinstance(told, list)
    assert len(told) == 10


def test_a_package_says_who_publishes_it() -> None:
    read: Package = example_packages()[0]
    assert read.publisher == "Open Data Services Co-operative Limited"
    assert read.uri is not None
    assert read.uri.endswith("ocds-213czf-000-00001.json")
