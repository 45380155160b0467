"""Signed notes, keys, checkpoints, cosignatures and tlog-proofs, against the published and the reference examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from anchors import notes
from anchors.errors import BadNoteSignature, MalformedCheckpoint, UnfitSigner
from anchors.notes import (
    Checkpoint,
    KeyType,
    SignatureLine,
    SignedNote,
    Signer,
    Verifier,
    open_checkpoint,
    sign_checkpoint,
)

C2SP = Path(__file__).parents[1] / "vectors" / "c2sp"
REFERENCE: dict[str, Any] = json.loads((C2SP / "notes.json").read_bytes())
LOG, WITNESS, QUANTUM = (Verifier.parse(vkey) for vkey in REFERENCE["vkeys"])
SEEDS = [bytes.fromhex(seed) for seed in REFERENCE["seeds"]]
SIGNERS = [Signer(key.name, key.type, seed) for key, seed in zip((LOG, WITNESS, QUANTUM), SEEDS, strict=True)]
COSIGNED = SignedNote.parse(REFERENCE["cosigned"].encode())
TEXT: str = REFERENCE["text"]


@pytest.mark.parametrize("case", json.loads((C2SP / "published.json").read_bytes()), ids=lambda case: case["source"])
def test_published_notes_verify_with_their_published_keys(case: dict[str, str]) -> None:
    key = Verifier.parse(case["vkey"])
    note = SignedNote.parse(case["note"].encode())
    assert [signature.verifier for signature in note.verify([key])] == [key]
    assert (key.vkey, note.encode().decode()) == (case["vkey"], case["note"])


def test_a_log_signs_byte_for_byte_as_the_reference_does() -> None:
    note = sign_checkpoint(Checkpoint.parse(TEXT), SIGNERS[0])
    assert note.encode().decode() == REFERENCE["signed"]
    assert [signer.verifier.vkey for signer in SIGNERS] == REFERENCE["vkeys"]


def test_cosignatures_of_the_reference_verify_and_tell_their_time() -> None:
    opened = open_checkpoint(COSIGNED, LOG, [WITNESS, QUANTUM])
    assert opened.checkpoint == Checkpoint.parse(TEXT)
    assert [signature.verifier for signature in opened.cosignatures] == [WITNESS, QUANTUM]
    times = [signature.time for signature in opened.cosignatures]
    assert times == [int.from_bytes(line.signature[:8], "big") for line in COSIGNED.signatures[1:]]


def test_an_ed25519_cosignature_is_made_byte_for_byte_as_the_reference_does() -> None:
    reference = COSIGNED.signatures[1]
    time = int.from_bytes(reference.signature[:8], "big")
    assert SignatureLine.by(SIGNERS[1], TEXT, time) == reference


@pytest.mark.parametrize("time", [0, 1, 2**63 - 1])
def test_a_ml_dsa_cosignature_verifies_at_its_time(time: int) -> None:
    note = sign_checkpoint(Checkpoint.parse(TEXT), SIGNERS[0]).signed(SignatureLine.by(SIGNERS[2], TEXT, time))
    assert open_checkpoint(note, LOG, [QUANTUM]).cosignatures == (notes.VerifiedSignature(QUANTUM, time),)


def test_extension_lines_are_signed_by_ed25519_and_refused_by_ml_dsa() -> None:
    note = SignedNote.parse(REFERENCE["extended"].encode())
    assert open_checkpoint(note, LOG, [WITNESS]).checkpoint.extensions == ("an extension",)
    with pytest.raises(MalformedCheckpoint, match="does not cover"):
        SignatureLine.by(SIGNERS[2], note.text, 1)
    with pytest.raises(MalformedCheckpoint, match="does not cover"):
        note.signed(COSIGNED.signatures[2]).verify([QUANTUM])


@pytest.mark.parametrize("line", range(3))
@pytest.mark.parametrize("at", [0, 7, -1])
def test_a_known_key_whose_signature_fails_spoils_the_note(line: int, at: int) -> None:
    signatures = list(COSIGNED.signatures)
    changed = bytearray(signatures[line].signature)
    changed[at] ^= 1
    signatures[line] = SignatureLine(signatures[line].name, signatures[line].key_id, bytes(changed))
    with pytest.raises(BadNoteSignature, match=r"did not sign|impossible time"):
        open_checkpoint(SignedNote(TEXT, tuple(signatures)), LOG, [WITNESS, QUANTUM])


@pytest.mark.parametrize("line", range(3))
@pytest.mark.parametrize("length", [0, 1, 63, 65, 71, 73, 2427, 2429])
def test_a_signature_of_another_length_is_refused(line: int, length: int) -> None:
    signature = COSIGNED.signatures[line]
    note = SignedNote(TEXT, (SignatureLine(signature.name, signature.key_id, bytes(length)),))
    with pytest.raises(BadNoteSignature):
        note.verify([LOG, WITNESS, QUANTUM])


@pytest.mark.parametrize("line", [1, 2])
def test_a_time_beyond_63_bits_is_refused(line: int) -> None:
    signature = COSIGNED.signatures[line]
    late = SignatureLine(signature.name, signature.key_id, b"\xff" + signature.signature[1:])
    with pytest.raises(BadNoteSignature, match="impossible time"):
        SignedNote(TEXT, (late,)).verify([WITNESS, QUANTUM])


def test_lines_of_unknown_keys_are_passed_over() -> None:
    stranger = SignatureLine.by(Signer("stranger.example", KeyType.ED25519, bytes(32)), "another text\n")
    assert open_checkpoint(COSIGNED.signed(stranger), LOG).cosignatures == ()


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(BadNoteSignature, match="no known key"):
        COSIGNED.verify([])
    with pytest.raises(BadNoteSignature, match="did not sign the checkpoint"):
        open_checkpoint(SignedNote(TEXT, COSIGNED.signatures[1:]), LOG, [WITNESS])


def test_a_key_signs_a_note_once() -> None:
    again = COSIGNED.signed(SignatureLine.by(SIGNERS[1], TEXT, 5))
    assert [signature.time for signature in open_checkpoint(again, LOG, [WITNESS]).cosignatures] == [5]
    twice = SignedNote(TEXT, (*COSIGNED.signatures, COSIGNED.signatures[1]))
    with pytest.raises(BadNoteSignature, match="signed twice"):
        open_checkpoint(twice, LOG, [WITNESS])


def test_the_same_key_of_another_type_or_name_is_another_key() -> None:
    assert Verifier(LOG.name, KeyType.COSIGNATURE_ED25519, LOG.public_key).key_id != LOG.key_id
    other = Verifier("example.com/other", LOG.type, LOG.public_key)
    with pytest.raises(BadNoteSignature, match="no known key"):
        COSIGNED.verify([other])


def test_a_log_signs_for_its_own_origin_alone() -> None:
    checkpoint = Checkpoint("example.com/other", 1, bytes(32))
    with pytest.raises(UnfitSigner, match="does not sign for"):
        sign_checkpoint(checkpoint, SIGNERS[0])
    other = SignedNote(checkpoint.text, (SignatureLine.by(SIGNERS[0], checkpoint.text),))
    with pytest.raises(BadNoteSignature, match="the checkpoint is of"):
        open_checkpoint(other, LOG)


@pytest.mark.parametrize(
    ("signer", "time"), [(0, 1), (0, 0), (1, None), (1, 0), (1, 2**63), (2, None), (2, -1), (2, 2**63)]
)
def test_a_time_that_does_not_go_with_the_key_is_refused(signer: int, time: int | None) -> None:
    with pytest.raises(UnfitSigner, match="does not go with the time"):
        SIGNERS[signer].sign(TEXT, time)


def test_a_cosigner_signs_nothing_but_checkpoints() -> None:
    with pytest.raises(MalformedCheckpoint):
        SIGNERS[1].sign("no checkpoint\n", 1)
    note = SignedNote("no checkpoint\n", COSIGNED.signatures[1:2])
    with pytest.raises(MalformedCheckpoint):
        note.verify([WITNESS])


def test_the_package_exports_what_it_names() -> None:
    assert notes.__all__ == sorted(notes.__all__, key=lambda name: (not name[0].isupper(), name))
    assert all(hasattr(notes, name) for name in notes.__all__)
