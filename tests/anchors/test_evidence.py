import copy
import io
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from anchors.commitment import Kind, digest_document
from anchors.errors import AnchorsError, MalformedFile, PartMissing
from anchors.evidence import EvidenceFile, write_evidence
from anchors.network import parse_network
from anchors.verify import STEPS, Grade, verify

FROZEN = Path(__file__).parents[1] / "vectors" / "evidence" / "v1"
EVIDENCE = (FROZEN / "bid.txt.evidence.json").read_bytes()
NETWORK = (FROZEN / "network.json").read_bytes()
CONTENT = json.loads(EVIDENCE)

HASHES = st.binary(min_size=32, max_size=32).map(lambda data: "0x" + data.hex())
VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**54)
    | st.text(max_size=5)
    | HASHES
    | st.sampled_from(list(Kind))
    | st.just([])
    | st.just({})
    | st.binary(max_size=70).map(lambda data: "0x" + data.hex())
    | st.lists(HASHES, max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(0, 9) | st.none() | st.text(max_size=3), max_size=2)
)


def _schema(name: str) -> Draft202012Validator:
    schema = json.loads(resources.files("anchors").joinpath(f"{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


EVIDENCE_SCHEMA, NETWORK_SCHEMA = _schema("evidence"), _schema("network")


def _bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _edit(content: Any, data: st.DataObject) -> Any:
    """Another value, or none at all, at up to three places."""
    content = copy.deepcopy(content)
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = content
        while True:
            step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[step], dict | list) or not place[step] or data.draw(st.integers(0, 3)) == 0:
                break
            place = place[step]
        if isinstance(place, dict) and len(place) > 1 and data.draw(st.integers(0, 3)) == 0:
            del place[step]
        else:
            place[step] = data.draw(VALUES)
    return content


@pytest.fixture(scope="module")
def document() -> Any:
    return digest_document(io.BytesIO((FROZEN / "bid.txt").read_bytes()))


def test_evidence_of_the_first_version_is_proven_for_ever(document: Any) -> None:
    verdict = verify(document, EVIDENCE, NETWORK)
    assert [(step.step, step.ok) for step in verdict.steps] == [(step, True) for step in STEPS]
    assert (verdict.grade, verdict.member, verdict.index) == (Grade.ANCHORED, "sichuan", 37)
    assert verdict.anchored_at is not None


@pytest.mark.parametrize("consensus", ["clique", "ibft2", "qbft"])
def test_sealed_evidence_of_the_first_version_is_proven_for_ever(document: Any, consensus: str) -> None:
    folder = FROZEN.with_name(f"v1-{consensus}")
    evidence, network = (folder / "bid.txt.evidence.json").read_bytes(), (folder / "network.json").read_bytes()
    assert verify(document, evidence, network).grade is Grade.SEALED
    assert write_evidence(EvidenceFile.parse(evidence)) == evidence


def test_a_written_file_reads_back(document: Any) -> None:
    file = EvidenceFile.parse(EVIDENCE)
    assert write_evidence(file) == EVIDENCE
    rebuilt = EvidenceFile.assemble(
        file.statement(),
        file.receipt(),
        {"tlog_proof": CONTENT["tlog_proof"], "anchor": file.anchor().to_json(), "finality": None, "more": 1},
    )
    assert write_evidence(rebuilt) == EVIDENCE


def test_the_order_of_names_and_the_spacing_of_an_evidence_file_do_not_matter(document: Any) -> None:
    shuffled = json.dumps(dict(reversed(CONTENT.items())), separators=(",", ":")).encode()
    assert verify(document, shuffled, NETWORK).proven


def test_a_file_is_not_put_together_from_malformed_parts() -> None:
    file = EvidenceFile.parse(EVIDENCE)
    proof = {"tlog_proof": CONTENT["tlog_proof"], "anchor": CONTENT["anchor"], "finality": None}
    changes: list[dict[str, Any]] = [{"tlog_proof": ""}, {"anchor": {}}, {"finality": {}}, {"tlog_proof": None}]
    for change in changes:
        with pytest.raises(AnchorsError):
            EvidenceFile.assemble(file.statement(), file.receipt(), proof | change)


def test_a_part_that_is_not_there_is_named() -> None:
    file = EvidenceFile.parse(json.dumps({"format": CONTENT["format"]}).encode())
    for read in (file.statement, file.receipt, file.tlog_proof, file.anchor, file.header, file.place):
        with pytest.raises(PartMissing):
            read()
    assert file.finality() is None
    assert not file.has_anchor


def test_the_schemas_accept_real_files() -> None:
    EVIDENCE_SCHEMA.validate(CONTENT)
    NETWORK_SCHEMA.validate(json.loads(NETWORK))


def test_the_schema_knows_every_kind() -> None:
    schema: Any = EVIDENCE_SCHEMA.schema
    assert schema["$defs"]["statement"]["properties"]["kind"]["enum"] == list(Kind)


@given(st.data())
@settings(max_examples=400)
def test_what_the_reader_of_evidence_accepts_its_schema_accepts(data: st.DataObject) -> None:
    content = _edit(CONTENT, data)
    try:
        EvidenceFile.parse(_bytes(content)).check()
    except AnchorsError:
        return
    EVIDENCE_SCHEMA.validate(content)


@given(st.data())
@settings(max_examples=400)
def test_what_the_reader_of_network_files_accepts_its_schema_accepts(data: st.DataObject) -> None:
    content = _edit(json.loads(NETWORK), data)
    try:
        parse_network(_bytes(content))
    except AnchorsError:
        return
    NETWORK_SCHEMA.validate(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_evidence_file_or_refused(data: bytes) -> None:
    with pytest.raises(MalformedFile):
        EvidenceFile.parse(data)
