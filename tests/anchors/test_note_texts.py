"""The texts of C2SP are read strictly: any bytes give a value that writes itself again, or are refused."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.errors import MalformedKey, MalformedText
from anchors.merkle import EMPTY_ROOT
from anchors.notes import Checkpoint, KeyType, SignedNote, Signer, TlogProof, Verifier

C2SP = Path(__file__).parents[1] / "vectors" / "c2sp"
REFERENCE: dict[str, Any] = json.loads((C2SP / "notes.json").read_bytes())
LOG = Verifier.parse(REFERENCE["vkeys"][0])
COSIGNED = SignedNote.parse(REFERENCE["cosigned"].encode())
SIGNED = SignedNote.parse(REFERENCE["signed"].encode())


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        "a+00000000+",
        "a+00000000+AQ==",
        "a+00000000+!!!!",
        f"a b+00000000+{'A' * 44}",
        LOG.vkey.replace(LOG.key_id.hex(), "00000000"),
        LOG.vkey.replace(LOG.key_id.hex(), LOG.key_id.hex().upper()),
        LOG.vkey + "\n",
        LOG.vkey + "A===",
        "a" * 256 + LOG.vkey,
        *("x+00000000+" + b64encode(key).decode() for key in (b"\2" + bytes(32), b"\6" + bytes(32), b"\1" + bytes(31))),
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedText):
        Verifier.parse(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a\u2003b", "a+b", "a\tb", "a" * 256])
def test_a_name_that_no_note_can_carry_is_refused(name: str) -> None:
    with pytest.raises(MalformedKey, match="no key name"):
        Signer(name, KeyType.ED25519, bytes(32))


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedKey, match="31"):
        Signer("a", KeyType.ED25519, bytes(31))


LINE = COSIGNED.signatures[0].line


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        f"text\n{LINE}\n",
        "text\n\n",
        f"text\n\n{LINE}",
        f"text\n\n{LINE}\n\n",
        f"text\n\n{LINE} \n",
        f"text\n\n- a {LINE[-20:]}\n",
        "text\n\n— a AAAA\n",
        "text\n\n— a AAAAAA==\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n— a+b AAAAAAA=\n",
        "text\n\n— a\u00a0b AAAAAAA=\n",
        "text\n\n—  AAAAAAA=\n",
        "text\n\n— a AAAA AAA=\n",
        f"te\txt\n\n{LINE}\n",
        f"te\rxt\n\n{LINE}\n",
        f"te\0xt\n\n{LINE}\n",
        "text\n\n" + f"{LINE}\n" * 101,
        "x" * 1_000_000 + f"\n\n{LINE}\n",
    ],
    ids=range(20),
)
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedText):
        SignedNote.parse(note.encode())


def test_a_note_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(MalformedText, match="UTF-8"):
        SignedNote.parse(b"\xff\n\n" + LINE.encode() + b"\n")


def test_the_last_empty_line_ends_the_text() -> None:
    note = SignedNote.parse(f"one\n\ntwo\n\n{LINE}\n".encode())
    assert note.text == "one\n\ntwo\n"


def test_a_note_of_a_hundred_signatures_is_read() -> None:
    assert len(SignedNote.parse(("text\n\n" + f"{LINE}\n" * 100).encode()).signatures) == 100


ROOT = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n٣\n{ROOT}\n",
        f"a\n{2**63}\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{ROOT[4:]}\n",
        f"a\n1\n{ROOT[:-2]}B=\n",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\nx\n\ny\n",
        f"a\n0\n{ROOT}\n",
        f"{'a' * 256}\n1\n{ROOT}\n",
        f"a\n{'1' * 5000}\n{ROOT}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedText):
        Checkpoint.parse(text)


def test_the_empty_tree_has_a_checkpoint() -> None:
    assert Checkpoint.parse(f"a\n0\n{b64encode(EMPTY_ROOT).decode()}\n").size == 0


def test_a_tlog_proof_of_the_reference_is_read_and_written_again() -> None:
    proof = TlogProof.parse(REFERENCE["tlog_proof"].encode())
    assert (proof.index, proof.extra, len(proof.path)) == (7, b"extra", 2)
    assert proof.note == COSIGNED
    assert proof.checkpoint == Checkpoint.parse(REFERENCE["text"])
    assert proof.encode().decode() == REFERENCE["tlog_proof"]
    assert (
        TlogProof.of(0, (), COSIGNED).encode() == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{REFERENCE['cosigned']}".encode()
    )


@pytest.mark.parametrize(
    "head",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n",
        "c2sp.org/tlog-proof@v1\nindex 12345\n",
        "c2sp.org/tlog-proof@v1\nindex 0 \n",
        "c2sp.org/tlog-proof@v1\nextra QQ\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nextra QR==\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nextra QQ==\nextra QQ==\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra QQ==\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{ROOT[4:]}\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{ROOT}\n" * 64,
        f"c2sp.org/tlog-proof@v1\nextra {'A' * 80_000}\nindex 0\n",
        "c2sp.org/tlog-proof@v1\r\nindex 0\n",
        "é\nindex 0\n",
    ],
)
def test_a_malformed_tlog_proof_is_refused(head: str) -> None:
    with pytest.raises(MalformedText):
        TlogProof.parse(f"{head}\n{REFERENCE['cosigned']}".encode())


def test_extra_data_is_added_and_bounded() -> None:
    proof = TlogProof.of(0, (), SIGNED).with_extra(b"a" * 49144)
    assert TlogProof.parse(proof.encode()) == proof
    with pytest.raises(MalformedText, match="extra has at most"):
        proof.with_extra(b"a" * 49145)


def test_a_tlog_proof_of_unbounded_size_is_refused() -> None:
    with pytest.raises(MalformedText, match="bytes long"):
        TlogProof.parse(b"c2sp.org/tlog-proof@v1\nindex 0\n" + bytes(2_000_000))


@given(st.data())
def test_a_changed_byte_is_never_read_as_the_same_proof(data: st.DataObject) -> None:
    proof = TlogProof.of(7, (bytes(32),), SIGNED, b"salt")
    encoded = bytearray(proof.encode())
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = TlogProof.parse(bytes(encoded))
    except MalformedText:
        return
    assert changed != proof
    assert changed.encode() == bytes(encoded)


PIECES = st.sampled_from(
    ["\n", "\n\n", "— ", "a", " ", "0", "1", ROOT, LINE, "extra ", "index ", "c2sp.org/tlog-proof@v1"]
)
ANY = st.binary(max_size=300) | st.lists(PIECES | st.text(max_size=5), max_size=16).map(
    lambda parts: "".join(parts).encode()
)


@given(ANY)
def test_any_bytes_are_a_note_and_a_proof_that_write_themselves_again_or_are_refused(data: bytes) -> None:
    for parse in (SignedNote.parse, TlogProof.parse):
        try:
            parsed = parse(data)
        except MalformedText:
            continue
        assert parsed.encode() == data


@given(st.text() | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_a_checkpoint_that_writes_itself_again_or_is_refused(text: str) -> None:
    try:
        checkpoint = Checkpoint.parse(text)
    except MalformedText:
        return
    assert checkpoint.text == text


@given(st.text() | st.from_regex(r"[a-z]{1,3}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{43}=", fullmatch=True))
def test_any_text_is_a_key_that_writes_itself_again_or_is_refused(text: str) -> None:
    try:
        key = Verifier.parse(text)
    except MalformedText:
        return
    assert key.vkey == text
