"""The audit's format: written in one way, read within bounds, and any change of it ends in a verdict."""

import copy
import json
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from audited import Audited, altered
from audited_life import Life
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from anchors.bounded_json import read_json
from anchors.tenders.audit import (
    FORMAT,
    MAX_AUDIT_BYTES,
    AuditFile,
    Finding,
    SignedReceipt,
    SignedReplacement,
    write_audit,
)

KEPT = Audited(Life())
FILE = KEPT.file()
CONTENT = json.loads(FILE)
CLIQUE = json.loads(Audited(Life(), "clique").file())
SCHEMA = Draft202012Validator(
    json.loads(resources.files("anchors.tenders.audit").joinpath("audit.schema.json").read_bytes())
)
VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**54)
    | st.text(max_size=5)
    | st.binary(max_size=70).map(lambda data: "0x" + data.hex())
    | st.sampled_from([[], {}, "AAAA", [[]]])
)


def test_the_schema_is_one_and_admits_what_is_written() -> None:
    SCHEMA.check_schema(SCHEMA.schema)
    SCHEMA.validate(CONTENT)
    SCHEMA.validate(CLIQUE)
    SCHEMA.validate(json.loads(KEPT.file(state=None, log=None, draws=[], receipts=[], replacements=[])))


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_the_schema_and_the_reader_miss_the_same_part(name: str) -> None:
    content = {each: value for each, value in CONTENT.items() if each != name}
    assert not SCHEMA.is_valid(content)
    assert KEPT.judge(json.dumps(content).encode()).finding is Finding.REFUTED


def test_what_is_written_reads_back() -> None:
    file = AuditFile(FILE)
    assert file.tender() == KEPT.life.name
    assert file.receipts() == tuple(KEPT.receipts())
    assert file.replacements() == tuple(KEPT.replacements())
    assert file.log() == KEPT.log()
    assert CONTENT["format"] == FORMAT
    assert len(FILE) < MAX_AUDIT_BYTES


def test_one_order_is_written_whatever_the_order_of_events() -> None:
    parts = {"receipts": KEPT.receipts(), "replacements": KEPT.replacements(), "log": KEPT.log()}
    events = KEPT.events()
    one, other = (
        write_audit(KEPT.life.name, given, KEPT.state(), **parts)  # type: ignore[arg-type]
        for given in (events, events[::-1])
    )
    assert one == other


def test_what_is_given_twice_stands_once() -> None:
    events = KEPT.events()
    assert KEPT.file(events=[*events, events[3]]) == FILE


def test_a_block_of_an_event_and_of_the_state_stands_once_with_what_shows_its_seals() -> None:
    audited = Audited(Life(), "clique")
    last = audited.events()[-1]
    twice = [*audited.events(), replace(last, finality=None)]
    assert audited.judge(audited.file(events=twice)).finding is Finding.KEPT


def test_statements_that_are_none_are_refused() -> None:
    for wrong in ([1], [{}], {"a": 1}):
        changed = altered(FILE, lambda file, wrong=wrong: file.update(statements=wrong))  # type: ignore[misc]
        assert KEPT.judge(changed).steps[-1].step == "log"


def test_headers_and_nodes_stand_once() -> None:
    for name in ("headers", "nodes"):
        assert len(CONTENT[name]) == len(set(CONTENT[name]))
        twice = altered(FILE, lambda file, name=name: file[name].append(file[name][0]))  # type: ignore[misc]
        assert KEPT.judge(twice).finding is Finding.REFUTED


def test_receipts_and_replacements_are_read_as_they_are_written() -> None:
    receipt, replacement = KEPT.receipt("echo"), KEPT.replacements()[0]
    assert SignedReceipt.from_json(receipt.to_json(), "") == receipt
    assert SignedReplacement.from_json(replacement.to_json(), "") == replacement


def test_periods_that_overlap_are_refused() -> None:
    def overlap(file: dict[str, Any]) -> None:
        file["log"]["periods"].insert(1, file["log"]["periods"][0])

    assert KEPT.judge(altered(FILE, overlap)).steps[-1].step == "log"


@st.composite
def _changed(draw: st.DrawFn) -> Any:
    content = copy.deepcopy(CONTENT)
    place: Any = content
    while True:
        step = draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
        if not isinstance(place[step], dict | list) or not place[step] or draw(st.integers(0, 3)) == 0:
            break
        place = place[step]
    if isinstance(place, dict) and draw(st.integers(0, 3)) == 0:
        del place[step]
    elif isinstance(place, list) and draw(st.integers(0, 3)) == 0:
        place.insert(step, copy.deepcopy(place[step]))
    else:
        place[step] = draw(VALUES)
    return content


@settings(max_examples=250, deadline=None)
@given(_changed())
def test_a_changed_file_never_crashes_and_is_refuted_or_tells_no_more_than_before(content: Any) -> None:
    if content == CONTENT:
        return
    data = json.dumps(content).encode()
    verdict = KEPT.judge(data)
    if verdict.finding is Finding.REFUTED:
        return
    # What a part was left out of, or a receipt put twice into, still holds; nothing is broken that was not.
    assert verdict.finding in (Finding.KEPT, Finding.NOT_SHOWN)
    assert verdict.tender == KEPT.life.name
    SCHEMA.validate(content)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(0, 255))
def test_a_changed_byte_never_crashes(at: int, byte: int) -> None:
    verdict = KEPT.judge(FILE[:at] + bytes((byte,)) + FILE[at + 1 :])
    assert verdict.finding is not Finding.BROKEN


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_verdict(data: bytes) -> None:
    assert KEPT.judge(data).finding is Finding.REFUTED


def test_a_verdict_is_written_as_json() -> None:
    verdict = KEPT.judge().as_json()
    assert verdict["verdict"] == "kept"
    assert verdict["state"] == "awarded"
    assert read_json(json.dumps(verdict).encode()) == verdict


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blocks", []),
        ("blocks", [{"header": 99, "finality": None}]),
        ("blocks", [{"header": 0, "finality": [99]}]),
        ("headers", ["A"]),
        ("headers", [1]),
        ("headers", "AAAA"),
        ("tender", "0x00"),
        ("format", "bidledger/tender-audit/v2"),
    ],
)
def test_a_malformed_part_is_told_where_it_is_needed(name: str, value: Any) -> None:
    assert KEPT.judge(altered(FILE, lambda file: file.update({name: value}))).steps[-1].step == "headers"


def test_too_many_headers_beside_blocks_are_refused() -> None:
    def change(file: dict[str, Any]) -> None:
        for block in file["blocks"]:
            block["finality"] = [0] * 1024

    verdict = KEPT.judge(altered(FILE, change))
    assert verdict.steps[-1].step == "headers"
    assert "more than 16384 headers" in verdict.steps[-1].detail


@pytest.mark.parametrize("leaves", ["", "AAAA", "A" * 43 + "=" + "A" * 44, 7])
def test_leaves_that_are_none_are_refused(leaves: Any) -> None:
    changed = altered(FILE, lambda file: file["log"]["periods"][0].update(leaves=leaves))
    assert KEPT.judge(changed).steps[-1].step == "log"
