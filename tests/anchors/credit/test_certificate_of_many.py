"""Certificates of many companies: all of them are held against the state, and none hides behind the others."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from certified import CLEAN, EVENTS, NEW, NEW_EVENTS, NONE, OLD, Certified, make_certified
from conftest import running
from credit_story import COMPANY
from crowded_register import AT as CROWDED_AT
from crowded_register import companies, crowded_certificate, one_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from test_certificate import BOTH, SCHEMA, VALUES, edited, judge, refuted_at

from anchors.credit import Event
from anchors.credit.certificate import verify_certificate
from anchors.credit.certificate_file import MAX_CERTIFICATE_BYTES, MAX_SUBJECTS, SubjectPart, write_certificate
from anchors.errors import CertificateTooLarge, SubjectTwice, TooManySubjects
from anchors.subjects import Subject

OTHERS = companies(MAX_SUBJECTS - 2)
RECORDED = OTHERS[::40]  # have a record in the newer register
Told = Mapping[Subject, Mapping[bytes, Sequence[Event]]]


@pytest.fixture(scope="module")
def certified() -> Iterator[Certified]:
    with running("anvil") as node:
        yield make_certified(node, {company: {NEW: one_record(company)} for company in RECORDED})


@pytest.fixture(scope="module")
def told() -> Told:
    """What is true of a thousand companies."""
    recorded = {company: {OLD: (), NEW: one_record(company)} for company in RECORDED}
    return {COMPANY: EVENTS, **dict.fromkeys(OTHERS, NONE), **recorded, CLEAN: NONE}


@pytest.fixture(scope="module")
def proofs(certified: Certified, told: Told) -> list[bytes]:
    """The nodes that prove it."""
    return [*certified.words(told), *certified.named()]


@pytest.fixture(scope="module")
def certificate(certified: Certified, told: Told, proofs: list[bytes]) -> bytes:
    return certified.certificate(told, proofs)


# ---- what holds ----


def test_a_thousand_companies_are_proven_in_the_order_that_they_are_given(
    certified: Certified, told: Told, certificate: bytes
) -> None:
    verdict = judge(certified, certificate)
    assert verdict.proven, verdict.steps[-1]
    assert [each.subject for each in verdict.subjects] == list(told)
    assert {each.subject for each in verdict.subjects if each.records} == {COMPANY, *RECORDED}
    assert [shown.standing.title for shown in verdict.subjects[0].records] == ["published", "upheld", "expired"]


def test_any_order_will_do(certified: Certified, told: Told, proofs: list[bytes]) -> None:
    turned = certified.certificate(dict(reversed(told.items())), proofs[::-1])
    assert [each.subject for each in judge(certified, turned).subjects] == list(told)[::-1]


def test_the_schema_describes_it(certificate: bytes) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(certificate))


def test_the_one_asked_about_may_be_among_others(certified: Certified, certificate: bytes) -> None:
    for asked in (COMPANY, CLEAN, RECORDED[3]):
        assert judge(certified, certificate, subject=asked).proven
    missing = companies(MAX_SUBJECTS)[-1]
    refuted_at(judge(certified, certificate, subject=missing), "subject", "about 1000 other companies, not about")


@pytest.mark.parametrize("consensus", ["qbft", "clique"])
def test_a_clean_company_among_a_million_takes_little(consensus: str) -> None:
    for company in companies(20):
        certificate, network = crowded_certificate({company: ()}, consensus)
        verdict = verify_certificate(certificate, network, CROWDED_AT)
        assert (verdict.proven, verdict.sealed) == (True, True), verdict.steps[-1]
        assert len(certificate) <= 12_000


def test_a_thousand_among_a_million_share_what_proves_them() -> None:
    told = {company: one_record(company) if at % 20 == 0 else () for at, company in enumerate(companies(1000))}
    certificate, network = crowded_certificate(told, "clique")
    verdict = verify_certificate(certificate, network, CROWDED_AT)
    assert verdict.proven, verdict.steps[-1]
    assert sum(len(each.records) for each in verdict.subjects) == 50
    assert len(certificate) <= 1_500_000


# ---- one wrong among many ----


@pytest.mark.parametrize(
    ("of", "lie", "why"),
    [
        (COMPANY, NONE, f"of {COMPANY}, .* left out, or it is stale"),
        (COMPANY, {OLD: EVENTS[OLD], NEW: NEW_EVENTS[:-1]}, "left out, or it is stale"),
        (COMPANY, {OLD: EVENTS[OLD], NEW: (NEW_EVENTS[1], NEW_EVENTS[0], *NEW_EVENTS[2:])}, "altered or swapped"),
        (COMPANY, {OLD: (), NEW: NEW_EVENTS}, "left out"),
        (RECORDED[-1], NONE, f"of {RECORDED[-1]}, .* left out"),
        (RECORDED[0], {OLD: (), NEW: one_record(RECORDED[1])}, f"of {RECORDED[0]} than"),
        (CLEAN, {OLD: (), NEW: one_record(CLEAN)}, f"of {CLEAN}, .* invented"),
        (OTHERS[1], {OLD: one_record(OTHERS[1]), NEW: ()}, "invented"),
    ],
)
def test_what_is_told_wrong_of_one_company_is_found(
    certified: Certified, told: Told, proofs: list[bytes], of: Subject, lie: Any, why: str
) -> None:
    refuted_at(judge(certified, certified.certificate({**told, of: lie}, proofs)), "word", why)


def test_records_that_are_exchanged_between_companies_are_found(certified: Certified, certificate: bytes) -> None:
    def exchange(file: Any) -> None:
        first, second = (part for part in file["subjects"] if part["subject"] in map(str, RECORDED[:2]))
        second["events"][1][0]["published"]["document"] = "0x" + "11" * 32
        first["events"], second["events"] = second["events"], first["events"]

    refuted_at(judge(certified, edited(certificate, exchange)), "word", "altered or swapped")


def test_an_older_proof_of_one_company_s_word_is_found() -> None:
    with running("anvil") as node:
        older = make_certified(node)
        proof = older.words([CLEAN])
        newer = older.changed(CLEAN)
        stale = newer.certificate(BOTH, [*newer.words([COMPANY]), *proof, *newer.named()])
        refuted_at(judge(newer, stale), "word", "is missing")
        refuted_at(judge(newer, newer.certificate(BOTH)), "word", f"of {CLEAN}, .* left out, or it is stale")


def test_a_company_without_a_proof_is_found(certified: Certified, told: Told) -> None:
    recorded = {company: told[company] for company in RECORDED}
    short = certified.certificate(recorded, [*certified.words(RECORDED[:-1]), *certified.named()])
    refuted_at(judge(certified, short), "word", "is missing")


def test_a_proof_of_a_company_that_is_not_named_is_refused(certified: Certified, told: Told) -> None:
    fewer = {company: told[company] for company in RECORDED[:-1]}
    lie = certified.certificate(fewer, [*certified.words(RECORDED), *certified.named()])
    refuted_at(judge(certified, lie), "registry", "no proof needs")


def test_no_company_may_be_told_of_twice(certified: Certified, certificate: bytes) -> None:
    lie = edited(certificate, lambda file: file["subjects"].__setitem__(7, file["subjects"][9]))
    refuted_at(judge(certified, lie), "subject", f"about {OTHERS[8]} twice")


def test_no_more_companies_are_taken_than_a_thousand(certified: Certified, certificate: bytes) -> None:
    lie = edited(certificate, lambda file: file["subjects"].append({"subject": str(COMPANY), "events": [[], []]}))
    refuted_at(judge(certified, lie), "subject", "1 to 1000 companies, and this would be about 1001")


def test_one_company_that_is_none_refutes_all(certified: Certified, certificate: bytes) -> None:
    for lie, why in (("CN-USCC:91510000201837253F", "check character"), ("CN-SFZ:360426199101010071", "natural")):
        broken = edited(certificate, lambda file, lie=lie: file["subjects"][500].update(subject=lie))
        refuted_at(judge(certified, broken), "subject", why)


def test_a_header_of_another_block_is_found(certified: Certified, told: Told, proofs: list[bytes]) -> None:
    lie = certified.certificate(told, proofs, header=certified.parent().raw)
    refuted_at(judge(certified, lie), "word", "is missing")


# ---- the file ----


def test_the_writer_refuses_what_no_reader_takes(certified: Certified) -> None:
    rest: Any = ([OLD, NEW], [], certified.header.raw, None)
    one = SubjectPart(COMPANY, ((), ()))
    with pytest.raises(TooManySubjects):
        write_certificate([], *rest)
    with pytest.raises(TooManySubjects):
        write_certificate([one] * (MAX_SUBJECTS + 1), *rest)
    with pytest.raises(SubjectTwice):
        write_certificate([one, one], *rest)
    with pytest.raises(CertificateTooLarge):
        write_certificate([one], [OLD, NEW], [bytes(MAX_CERTIFICATE_BYTES)], certified.header.raw, None)


def test_a_file_past_the_bound_is_refused(certified: Certified, certificate: bytes) -> None:
    over = certificate + b" " * (MAX_CERTIFICATE_BYTES + 1 - len(certificate))
    refuted_at(judge(certified, over), "subject", "more than")
    assert judge(certified, over[:-1]).proven


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_a_certificate_of_some_edited_anywhere_is_never_proven(certified: Certified, data: st.DataObject) -> None:
    value = copy.deepcopy(json.loads(_of_three(certified)))
    place: Any = value
    while True:
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[step], dict | list) or not place[step]:
            break
        place = place[step]
    before, place[step] = place[step], data.draw(VALUES)
    verdict = judge(certified, json.dumps(value).encode())
    assert not verdict.proven or place[step] == before


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_a_certificate_with_any_byte_changed_is_judged_without_an_exception(
    certified: Certified, data: st.DataObject
) -> None:
    raw = bytearray(_of_three(certified))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    judge(certified, bytes(raw[: data.draw(st.integers(0, len(raw)))]))


def _of_three(certified: Certified) -> bytes:
    if certified.header.hash not in _MADE:
        recorded = {OLD: (), NEW: one_record(RECORDED[0])}
        _MADE[certified.header.hash] = certified.certificate({CLEAN: NONE, COMPANY: EVENTS, RECORDED[0]: recorded})
    return _MADE[certified.header.hash]


_MADE: dict[bytes, bytes] = {}


# ---- the command ----


def run(*arguments: str | Path | Subject) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger_service.cli", "verify-certificate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def files(certified: Certified, certificate: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[Path | str]:
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "companies.json").write_bytes(certificate)
    (folder / "network.json").write_bytes(certified.network_file)
    return [folder / "companies.json", "--network", folder / "network.json"]


def test_the_command_has_a_line_for_each_company(files: list[Path | str]) -> None:
    said = run(*files)
    assert said.returncode == 0, said.stdout[-400:] + said.stderr
    lines = said.stdout.splitlines()
    assert f"  {COMPANY}: 3 records (1 published, 1 upheld, 1 expired)" in lines
    assert f"  {CLEAN}: no record, ever" in lines
    assert sum(": 1 record (1 expired)" in line for line in lines) == len(RECORDED)
    assert lines[-1].startswith(f"1000 companies, {999 - len(RECORDED)} of them with no record, ever, at block ")


def test_the_command_tells_all_of_the_one_asked_about(files: list[Path | str]) -> None:
    said = run(*files, "--subject", COMPANY)
    assert "upheld: serious dishonesty, by sichuan, decided 2090-03-15" in said.stdout
    assert said.stdout.splitlines()[-1].startswith(f"{COMPANY}: 3 records, at block ")
    assert str(CLEAN) not in said.stdout


def test_the_command_gives_all_as_json(files: list[Path | str], told: Told) -> None:
    as_json = json.loads(run(*files, "--subject", CLEAN, "--json").stdout)
    assert [each["subject"] for each in as_json["subjects"]] == list(map(str, told))
    assert set(as_json) == {"verdict", "steps", "block_number", "block_time", "age_seconds", "sealed", "subjects"}
    assert {len(each["records"]) for each in as_json["subjects"]} == {0, 1, 3}


def test_the_command_says_nothing_of_anybody_once_refuted(files: list[Path | str], tmp_path: Path) -> None:
    lie = tmp_path / "lie.json"
    lie.write_bytes(edited(Path(files[0]).read_bytes(), lambda file: file["subjects"][0].update(events=[[], []])))
    said = run(lie, *files[1:])
    assert (said.returncode, "✗ word" in said.stdout) == (1, True)
    assert str(CLEAN) not in said.stdout
