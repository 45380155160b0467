"""Credit certificates: what a chain's state proves about a company, and every step failing by itself."""

import base64
import copy
import dataclasses
import json
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from certified import (
    AT,
    CLEAN,
    EARLY,
    EVENTS,
    FOUR,
    LATE,
    NEW,
    NEW_EVENTS,
    NONE,
    OLD,
    OVER,
    Certified,
    make_certified,
)
from conftest import running
from credit_story import COMPANY, digest
from exhibits import CODES, governed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sealed_headers import address, key

from anchors.chain import rlp
from anchors.credit import Publication
from anchors.credit.certificate import STEPS, CertificateVerdict, SubjectRecords, verify_certificate
from anchors.network import Network, sign_network, write_network

HOUR = 3600
BOTH = {COMPANY: EVENTS, CLEAN: NONE}


@pytest.fixture(scope="module")
def certified() -> Iterator[Certified]:
    with running("anvil") as node:
        yield make_certified(node)


def judge(certified: Certified, certificate: bytes, **options: Any) -> CertificateVerdict:
    return verify_certificate(certificate, certified.network_file, AT + HOUR, **options)


def refuted_at(verdict: CertificateVerdict, step: str, why: str) -> None:
    """The verdict is refuted at that step for that reason, after the steps before it, and says no fact."""
    assert not verdict.proven
    assert (verdict.block_number, verdict.block_time, verdict.age, verdict.subjects) == (None, None, None, ())
    assert [each.step for each in verdict.steps] == list(STEPS[: STEPS.index(step) + 1])
    assert [each.ok for each in verdict.steps] == [True] * STEPS.index(step) + [False]
    assert re.search(why, verdict.steps[-1].detail), verdict.steps[-1].detail


# ---- what holds ----


def test_a_company_with_records_is_proven_with_what_they_were_at_the_block(certified: Certified) -> None:
    verdict = judge(certified, certified.certificate())
    assert verdict.proven, verdict.steps[-1]
    assert [each.step for each in verdict.steps] == list(STEPS)
    assert (verdict.block_time, verdict.age, verdict.sealed) == (AT, HOUR, False)
    (about,) = verdict.subjects
    assert about.subject == COMPANY
    shown = [(each.register, each.history.record, each.standing.title, each.member) for each in about.records]
    assert shown == [
        (OLD, EARLY, "published", "sichuan"),
        (NEW, LATE, "upheld", "sichuan"),
        (NEW, OVER, "expired", "sichuan"),
    ]


def test_no_record_is_proven_like_any_record(certified: Certified) -> None:
    verdict = judge(certified, certified.clean_certificate(), subject=CLEAN)
    assert verdict.proven, verdict.steps[-1]
    assert verdict.subjects == (SubjectRecords(CLEAN, ()),)


@pytest.mark.parametrize("consensus", ["qbft", "ibft2", "clique"])
def test_a_sealed_block_makes_it_final(certified: Certified, consensus: str) -> None:
    header, finality = certified.sealed(consensus)
    verdict = judge(certified.sealing(consensus), certified.certificate(header=header, finality=finality))
    assert verdict.proven, verdict.steps[-1]
    assert verdict.sealed


# ---- a step failing, one for each way ----


def edited(certificate: bytes, edit: Callable[[Any], object]) -> bytes:
    value = json.loads(certificate)
    edit(value)
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda file: file.update(format="bidledger/credit-certificate/v2"), "format"),
        (lambda file: file.update(note=""), "note"),
        (lambda file: file["subjects"][0].update(subject="CN-USCC:91510000201837253F"), "check character"),
        (lambda file: file["subjects"][0].update(subject="CN-SFZ:360426199101010071"), "natural person"),
        (lambda file: file["subjects"][0].update(subject=None), "subject"),
        (lambda file: file["subjects"][0].update(name="公司"), "name"),
        (lambda file: file.update(subjects=None), "subjects"),
        (lambda file: file.update(subjects=[]), "1 to 1000 companies"),
    ],
)
def test_whom_it_is_about_must_be_a_company(certified: Certified, edit: Callable[[Any], object], why: str) -> None:
    refuted_at(judge(certified, edited(certified.certificate(), edit)), "subject", why)


def test_a_certificate_of_another_company_is_refused(certified: Certified) -> None:
    refuted_at(judge(certified, certified.clean_certificate(), subject=COMPANY), "subject", f"not about {COMPANY}")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda file: events_of(file).pop(0), "not published before"),
        (lambda file: events_of(file)[0]["published"].update(kind="minor"), "kind"),
        (lambda file: events_of(file)[2].update(state="published"), "state"),
        (lambda file: events_of(file)[2].update(time=-1), r"subjects\[0\].events\[1\]\[2\].time"),
        (lambda file: events_of(file)[2].pop("grounds"), "grounds"),
        (lambda file: file.update(registers=[]), "registers"),
        (lambda file: file.update(registers=["0x00"]), "registers"),
        (lambda file: file["registers"].append("0x" + NEW.hex()), "2 lists, not one for each of 3 registers"),
        (lambda file: file["subjects"][0]["events"].append([]), "events"),
        (lambda file: file["subjects"][0]["events"].__setitem__(0, {}), "events"),
    ],
)
def test_malformed_records_fail_at_their_step(certified: Certified, edit: Callable[[Any], object], why: str) -> None:
    refuted_at(judge(certified, edited(certified.certificate(), edit)), "records", why)


def events_of(file: Any) -> Any:
    """What a certificate tells of the newer register."""
    return file["subjects"][0]["events"][1]


def told(certified: Certified, *events: Any) -> bytes:
    """A certificate that tells these events of the newer register."""
    return certified.certificate({COMPANY: {**EVENTS, NEW: events}})


def test_a_record_left_out_is_found(certified: Certified) -> None:
    refuted_at(judge(certified, told(certified, *NEW_EVENTS[:1], *NEW_EVENTS[2:])), "word", "left out, or it is stale")


def test_a_stale_telling_is_found(certified: Certified) -> None:
    refuted_at(judge(certified, told(certified, *NEW_EVENTS[:-1])), "word", "left out, or it is stale")


def test_a_company_with_records_cannot_be_told_clean(certified: Certified) -> None:
    refuted_at(judge(certified, certified.certificate({COMPANY: NONE})), "word", "left out")


def test_a_record_in_an_earlier_register_cannot_be_left_out(certified: Certified) -> None:
    refuted_at(judge(certified, certified.certificate({COMPANY: {**EVENTS, OLD: ()}})), "word", OLD.hex())


def test_swapped_records_are_found(certified: Certified) -> None:
    first, second, *rest = NEW_EVENTS
    refuted_at(judge(certified, told(certified, second, first, *rest)), "word", "altered or swapped")


@pytest.mark.parametrize(
    "altered",
    [
        (Publication(dataclasses.replace(LATE, member=3), NEW_EVENTS[0].time), NEW_EVENTS[1]),
        (Publication(LATE, NEW_EVENTS[0].time + 1), NEW_EVENTS[1]),
    ],
)
def test_an_altered_record_is_found(certified: Certified, altered: tuple[Any, ...]) -> None:
    extra = Publication(dataclasses.replace(OVER, earlier=2), AT)
    refuted_at(judge(certified, told(certified, *altered, extra, extra)), "word", "altered or swapped")


def test_an_invented_record_is_found(certified: Certified) -> None:
    invented = Publication(dataclasses.replace(LATE, document=digest("invented")), AT)
    refuted_at(judge(certified, told(certified, *NEW_EVENTS, invented)), "word", "invented")
    refuted_at(judge(certified, certified.certificate({CLEAN: {OLD: (), NEW: (invented,)}})), "word", "invented")


def test_a_proof_of_emptiness_for_another_company_proves_nothing(certified: Certified) -> None:
    borrowed = certified.certificate({COMPANY: NONE}, nodes=[*certified.words([CLEAN]), *certified.named()])
    refuted_at(judge(certified, borrowed), "word", "is missing")


def test_a_register_that_is_not_there_proves_nothing(certified: Certified) -> None:
    nowhere = digest("nowhere")[12:]
    lie = certified.certificate({COMPANY: {OLD: EVENTS[OLD], nowhere: ()}}, registers=[OLD, nowhere])
    refuted_at(judge(certified, lie), "word", "no such CreditRegister")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda file: file["nodes"].append(file["nodes"][0]), "a node twice"),
        (lambda file: file["nodes"].__setitem__(0, "AA"), "base64"),
        (lambda file: file["nodes"].__setitem__(0, 7), "base64"),
        (lambda file: file["nodes"].__setitem__(0, "AA=="), "is missing"),
        (lambda file: file["nodes"].pop(0), "is missing"),
        (lambda file: file.update(nodes={}), "nodes"),
    ],
)
def test_malformed_proofs_fail_at_the_word(certified: Certified, edit: Callable[[Any], object], why: str) -> None:
    refuted_at(judge(certified, edited(certified.certificate(), edit)), "word", why)


def test_the_registry_must_name_the_register(certified: Certified) -> None:
    turned = certified.certificate(registers=[NEW, OLD])
    refuted_at(judge(certified, turned), "registry", f"names 0x{NEW.hex()}")


def test_the_name_must_be_proven_under_the_same_state(certified: Certified) -> None:
    borrowed = certified.proof(certified.registry, [digest("another slot")])
    lie = certified.certificate(nodes=[*certified.words([COMPANY]), *borrowed])
    refuted_at(judge(certified, lie), "registry", "is missing")


def test_a_node_that_no_proof_needs_is_refused(certified: Certified) -> None:
    needless = edited(certified.certificate(), lambda file: file["nodes"].append("AA=="))
    refuted_at(judge(certified, needless), "registry", "no proof needs: 1")
    others = certified.certificate(nodes=[*certified.words([COMPANY, CLEAN]), *certified.named()])
    refuted_at(judge(certified, others), "registry", "no proof needs")


def test_a_header_of_another_state_fails_at_the_word(certified: Certified) -> None:
    block = certified.node.rpc("eth_getBlockByNumber", hex(certified.header.number - 1), False)
    raw = bytearray(certified.header.raw)
    at = raw.index(certified.header.state_root)
    raw[at : at + 32] = bytes.fromhex(block["stateRoot"][2:])[::-1]
    refuted_at(judge(certified, certified.certificate(header=bytes(raw))), "word", "node")


def test_a_malformed_header_fails_at_the_header(certified: Certified) -> None:
    verdict = judge(certified, certified.certificate(header=b"\xc0"))
    assert [(each.step, each.ok) for each in verdict.steps][-1] == ("header", False)


def deflated(*headers: bytes) -> str:
    return base64.b64encode(zlib.compress(rlp.encode(list(headers)))).decode()


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (None, "base64"),
        ("AA", "base64"),
        ("", "not one deflated text"),
        ("AAAA", "not deflated"),
        (deflated(b"\xc0")[:-8], "not one deflated text"),
        (base64.b64encode(zlib.compress(b"\xc1\xc0") + b"\0").decode(), "not one deflated text"),
        (base64.b64encode(zlib.compress(bytes(5 << 20))).decode(), "inflates to more"),
        (base64.b64encode(zlib.compress(b"\xc2\xc0")).decode(), "RLP"),
        (base64.b64encode(zlib.compress(b"\xc1\xc0")).decode(), "each as one string"),
        (deflated(), "1 to 1025 headers"),
        (deflated(*[b"\xc0"] * 1026), "1 to 1025 headers"),
        (deflated(b"\xc0"), "malformed block header"),
    ],
)
def test_malformed_headers_fail_at_the_header(certified: Certified, headers: Any, why: str) -> None:
    verdict = judge(certified, edited(certified.certificate(), lambda file: file.update(headers=headers)))
    assert [(each.step, each.ok) for each in verdict.steps][-1] == ("header", False)
    assert re.search(why, verdict.steps[-1].detail), verdict.steps[-1].detail


def test_seals_that_are_missing_fail_at_the_seals(certified: Certified) -> None:
    header = certified.block("qbft").raw(FOUR[:2])
    refuted_at(judge(certified.sealing("qbft"), certified.certificate(header=header)), "seals", "seal")


def test_a_finality_part_where_nobody_seals_fails_at_the_seals(certified: Certified) -> None:
    refuted_at(judge(certified, certified.certificate(finality=[certified.header.raw])), "seals", "development")


def test_a_malformed_later_header_fails_at_the_seals(certified: Certified) -> None:
    header, _ = certified.sealed("clique")
    broken = certified.certificate(header=header, finality=[b"\xc0"])
    refuted_at(judge(certified.sealing("clique"), broken), "seals", "header")


def test_later_headers_that_are_left_out_fail_at_the_seals(certified: Certified) -> None:
    header, later = certified.sealed("clique")
    assert later
    short = certified.certificate(header=header, finality=later[:-1])
    refuted_at(judge(certified.sealing("clique"), short), "seals", "confirmed")


def test_no_register_may_be_left_out(certified: Certified) -> None:
    refuted_at(judge(certified, certified.certificate(registers=[NEW])), "network", "lists the registers")


def with_contracts(certified: Certified, change: Callable[[Any], Any]) -> Certified:
    contracts = tuple(change(contract) for contract in certified.network.contracts)
    return dataclasses.replace(certified, network=governed(dataclasses.replace(certified.network, contracts=contracts)))


def test_a_contract_with_other_code_is_not_believed(certified: Certified) -> None:
    for where in (OLD, NEW, certified.registry):
        other = with_contracts(
            certified,
            lambda contract, where=where: (
                dataclasses.replace(contract, code_hash=bytes(32)) if contract.address == where else contract
            ),
        )
        refuted_at(judge(other, certified.certificate()), "network", f"lists at 0x{where.hex()}")


def test_the_register_must_be_in_force_at_the_block(certified: Certified) -> None:
    ended = with_contracts(
        certified,
        lambda contract: (
            dataclasses.replace(contract, to_block=certified.header.number) if contract.address == NEW else contract
        ),
    )
    refuted_at(judge(ended, certified.certificate()), "network", "lists no CreditRegister in force")


def test_an_issuer_that_the_network_does_not_know_is_refused(certified: Certified) -> None:
    network = dataclasses.replace(
        certified.network,
        members=tuple(member for member in certified.network.members if member.code != "sichuan"),
        governors=tuple(governor for governor in certified.network.governors if governor.member != 2),
    )
    verdict = judge(dataclasses.replace(certified, network=governed_without(network)), certified.certificate())
    refuted_at(verdict, "network", "no member 2")


def governed_without(network: Network) -> Network:
    """The network signed by nine governors, none of them Sichuan's."""
    codes = [code for code in CODES if code != "sichuan"][:9]
    unsigned = dataclasses.replace(network, signatures=())
    return sign_network(unsigned, {address(f"{code} governor"): key(f"{code} governor") for code in codes})


def test_a_network_file_that_does_not_hold_ends_the_matter(certified: Certified) -> None:
    unsigned = write_network(dataclasses.replace(certified.network, signatures=()))
    verdict = verify_certificate(certified.certificate(), unsigned, AT)
    assert [(each.step, each.ok) for each in verdict.steps] == [
        ("subject", True),
        ("records", True),
        ("network", False),
    ]


# ---- the file ----

SCHEMA = json.loads(resources.files("anchors.credit").joinpath("certificate.schema.json").read_bytes())
Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_describes_what_is_written(certified: Certified) -> None:
    for certificate in (certified.certificate(), certified.clean_certificate(), certified.certificate({**BOTH})):
        Draft202012Validator(SCHEMA).validate(json.loads(certificate))


VALUES = st.none() | st.booleans() | st.integers(-2, 1 << 60) | st.text(max_size=4) | st.just([]) | st.just({})


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_a_certificate_edited_anywhere_is_never_proven(certified: Certified, data: st.DataObject) -> None:
    value = copy.deepcopy(json.loads(_certificate(certified)))
    place: Any = value
    while True:
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[step], dict | list) or not place[step]:
            break
        place = place[step]
    before, place[step] = place[step], data.draw(VALUES)
    verdict = judge(certified, json.dumps(value).encode())
    assert not verdict.proven or place[step] == before


@given(st.binary(max_size=400))
def test_hostile_bytes_are_judged_without_an_exception(data: bytes) -> None:
    assert not verify_certificate(data, data, AT).proven


def _certificate(certified: Certified) -> bytes:
    if certified.header.hash not in _MADE:
        _MADE[certified.header.hash] = certified.certificate()
    return _MADE[certified.header.hash]


_MADE: dict[bytes, bytes] = {}


# ---- the command ----


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger_service.cli", "verify-certificate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_says_what_was_true_and_how_old_that_is(certified: Certified, tmp_path: Path) -> None:
    certificate, network = tmp_path / "company.json", tmp_path / "network.json"
    certificate.write_bytes(certified.certificate())
    network.write_bytes(certified.network_file)
    said = run(certificate, "--network", network)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "upheld: serious dishonesty, by sichuan, decided 2090-03-15" in said.stdout
    assert "禁止参加政府采购活动 (Banned from government procurement)" in said.stdout
    assert "3 records, at block" in said.stdout
    assert "ahead of this clock; nobody sealed that block" in said.stdout
    as_json = json.loads(run(certificate, "--network", network, "--json").stdout)
    assert as_json["verdict"] == "proven"
    assert abs(as_json["age_seconds"] - (time.time() - AT)) < 60
    (about,) = as_json["subjects"]
    assert about["subject"] == str(COMPANY)
    assert [record["state"] for record in about["records"]] == ["published", "upheld", "expired"]


def test_the_command_refutes_with_its_own_exit_code(certified: Certified, tmp_path: Path) -> None:
    certificate, network = tmp_path / "company.json", tmp_path / "network.json"
    certificate.write_bytes(certified.clean_certificate())
    network.write_bytes(certified.network_file)
    assert "no record, ever" in run(certificate, "--network", network).stdout
    refuted = run(certificate, "--network", network, "--subject", COMPANY)
    assert (refuted.returncode, "✗ subject" in refuted.stdout) == (1, True)
    assert run(certificate, "--network", network, "--subject", "CN-USCC:1").returncode == 2
