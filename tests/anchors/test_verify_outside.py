"""The verifier's steps for readers who trust someone outside the alliance: a quorum of witnesses, an authority."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from exhibits import key

from anchors.commitment import digest_document
from anchors.evidence import EvidenceFile, write_evidence
from anchors.notes import Checkpoint, KeyType, SignatureLine, Signer, TlogProof
from anchors.verify import STEPS, STEPS_ON_DEMAND, Grade, Verdict, verify

VECTORS = Path(__file__).parents[1] / "vectors"
FROZEN = VECTORS / "evidence" / "v1"
DOCUMENT = digest_document(io.BytesIO((FROZEN / "bid.txt").read_bytes()))
EVIDENCE: dict[str, Any] = json.loads((FROZEN / "bid.txt.evidence.json").read_bytes())
NETWORK = (FROZEN / "network.json").read_bytes()
PROOF = TlogProof.parse(EVIDENCE["tlog_proof"].encode())

TIME = 1_795_000_000
WITNESSES = {
    "fast": Signer("witness.example/fast", KeyType.COSIGNATURE_ED25519, key("fast")),
    "quantum": Signer("witness.example/quantum", KeyType.COSIGNATURE_MLDSA44, key("quantum")),
}
POLICY = "".join(f"witness {name} {one.verifier.vkey}\n" for name, one in WITNESSES.items()) + "group both all "
POLICY_OF_BOTH = f"{POLICY}fast quantum\nquorum both\n".encode()

STAMPED, OTHER_AUTHORITY, ANOTHER_TEXT = (
    f"0x{(VECTORS / 'timestamp' / f'{name}.tsr').read_bytes().hex()}" for name in ("granted", "other", "another")
)
AUTHORITIES = (VECTORS / "timestamp" / "ours-root.pem").read_bytes()


def cosigned(*names: str, text: str = PROOF.note.text, time: int = TIME) -> str:
    note = PROOF.note
    for name in names:
        note = note.signed(SignatureLine.by(WITNESSES[name], text, time))
    return TlogProof.of(PROOF.index, PROOF.path, note).encode().decode()


def judge(policy: bytes | None = None, authorities: bytes | None = None, **sections: Any) -> Verdict:
    evidence = json.dumps(EVIDENCE | sections).encode()
    return verify(DOCUMENT, evidence, NETWORK, policy=policy, authorities=authorities)


def refuted_at(verdict: Verdict) -> tuple[str, str]:
    assert verdict.grade is None
    return verdict.steps[-1].step, verdict.steps[-1].detail


def test_both_steps_come_after_the_checkpoint_where_they_are_asked_for() -> None:
    verdict = judge(POLICY_OF_BOTH, AUTHORITIES, tlog_proof=cosigned("fast", "quantum"), timestamp=STAMPED)
    after = STEPS.index("checkpoint") + 1
    expected = (*STEPS[:after], *STEPS_ON_DEMAND, *STEPS[after:])
    assert [(step.step, step.ok) for step in verdict.steps] == [(step, True) for step in expected]
    assert verdict.grade is Grade.ANCHORED
    witnesses, timestamp = verdict.steps[after : after + 2]
    at = "2026-11-18T11:06:40Z"
    assert witnesses.detail == f"the policy's quorum holds: cosigned by 'fast' at {at}, 'quantum' at {at}"
    assert timestamp.detail.startswith("a trusted authority saw the checkpoint at 2026-11-24T")


def test_who_trusts_nobody_outside_needs_neither() -> None:
    assert [step.step for step in judge().steps] == list(STEPS)
    assert judge(tlog_proof=cosigned("fast"), timestamp=STAMPED).grade is Grade.ANCHORED


def test_a_policy_that_needs_nobody_is_met_by_nobody() -> None:
    (step,) = (one for one in judge(b"quorum none\n").steps if one.step == "witnesses")
    assert (step.ok, step.detail) == (True, "the policy's quorum holds: cosigned by nobody, and nobody is needed")


@pytest.mark.parametrize(("time", "when"), [(0, ""), (2**63 - 1, " at second 9223372036854775807 of 1970")])
def test_a_cosignature_counts_at_any_time_and_at_none(time: int, when: str) -> None:
    verdict = judge(f"{POLICY}quantum\nquorum both\n".encode(), tlog_proof=cosigned("quantum", time=time))
    (step,) = (one for one in verdict.steps if one.step == "witnesses")
    assert (step.ok, step.detail) == (True, f"the policy's quorum holds: cosigned by 'quantum'{when}")


@pytest.mark.parametrize("names", [(), ("fast",), ("quantum",)])
def test_a_missed_quorum_refutes_at_witnesses(names: tuple[str, ...]) -> None:
    step, detail = refuted_at(judge(POLICY_OF_BOTH, tlog_proof=cosigned(*names)))
    assert step == "witnesses"
    assert "not the quorum 'both'. Fetch the evidence again" in detail


def test_a_known_witness_s_cosignature_of_another_checkpoint_refutes_at_witnesses() -> None:
    other = Checkpoint(PROOF.checkpoint.origin, 65, bytes(32)).text
    step, detail = refuted_at(judge(POLICY_OF_BOTH, tlog_proof=cosigned("fast", "quantum", text=other)))
    assert (step, "did not sign this text" in detail) == ("witnesses", True)


def test_a_policy_of_other_logs_refutes_at_witnesses() -> None:
    other = Signer("other.example", KeyType.ED25519, key("other")).verifier.vkey
    policy = f"log {other}\n".encode() + POLICY_OF_BOTH
    step, detail = refuted_at(judge(policy, tlog_proof=cosigned("fast", "quantum")))
    assert (step, "is not among them" in detail) == ("witnesses", True)
    ours = next(
        log["vkey"]
        for member in json.loads(NETWORK)["members"]
        for log in member["log_keys"]
        if log["vkey"].startswith(PROOF.checkpoint.origin + "+")
    )
    assert judge(f"log {ours}\n".encode() + policy, tlog_proof=cosigned("fast", "quantum")).proven


def test_a_malformed_policy_refutes_at_witnesses_and_names_its_line() -> None:
    step, detail = refuted_at(judge(POLICY_OF_BOTH + b"quorum both\n"))
    assert (step, "line 5 has a second quorum. Mend the policy file" in detail) == ("witnesses", True)


def test_a_missing_timestamp_refutes_at_timestamp() -> None:
    for evidence in ({}, {"timestamp": None}):
        assert refuted_at(judge(None, AUTHORITIES, **evidence))[1].startswith("the evidence has no timestamp")


@pytest.mark.parametrize(
    ("authorities", "timestamp", "why"),
    [
        (AUTHORITIES, OTHER_AUTHORITY, "none of the 1 given authorities answers"),
        (AUTHORITIES, "0x00", "malformed timestamp"),
        (AUTHORITIES, "00", "timestamp "),
        (b"no certificate", STAMPED, "not certificates in PEM"),
        (None, "0x00", "malformed timestamp"),
        (None, 5, "timestamp "),
    ],
    ids=["another authority", "malformed", "no hex", "no authority", "malformed unasked", "no text unasked"],
)
def test_a_bad_timestamp_refutes_at_timestamp(authorities: bytes | None, timestamp: object, why: str) -> None:
    step, detail = refuted_at(judge(None, authorities, timestamp=timestamp))
    assert (step, why in detail) == ("timestamp", True)


@pytest.mark.parametrize("authorities", [AUTHORITIES, None], ids=["asked", "unasked"])
def test_a_timestamp_of_another_text_refutes_at_timestamp(authorities: bytes | None) -> None:
    step, detail = refuted_at(judge(None, authorities, timestamp=ANOTHER_TEXT))
    assert (step, detail.startswith("the timestamp is of 0x")) == ("timestamp", True)


def test_a_timestamp_is_written_where_there_is_one_and_files_from_before_stay_as_they_are() -> None:
    frozen = (FROZEN / "bid.txt.evidence.json").read_bytes()
    assert write_evidence(EvidenceFile.parse(frozen)) == frozen
    stamped = write_evidence(EvidenceFile.parse(json.dumps(EVIDENCE | {"timestamp": STAMPED}).encode()))
    assert list(json.loads(stamped)).index("timestamp") == list(json.loads(stamped)).index("tlog_proof") + 1
    assert write_evidence(EvidenceFile.parse(stamped)) == stamped
