"""Witness policies: the format of C2SP tlog-policy, line by line, and which cosignatures reach a quorum."""

import contextlib
import itertools

import pytest
from exhibits import key
from hypothesis import given
from hypothesis import strategies as st

from anchors.errors import BadNoteSignature, LogNotInPolicy, MalformedPolicy, QuorumMissed
from anchors.merkle import EMPTY_ROOT
from anchors.notes import (
    Checkpoint,
    KeyType,
    Policy,
    SignatureLine,
    SignedNote,
    Signer,
    Verifier,
    prove_quorum,
    sign_checkpoint,
)

TIME = 1_795_000_000
LOG = Signer("log.example/1", KeyType.ED25519, key("log"))
OTHER_LOG = Signer("log.example/2", KeyType.ED25519, key("other log"))
QUANTUM = KeyType.COSIGNATURE_MLDSA44
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {
    name: Signer(f"{name}.example", QUANTUM if name == "Y1" else KeyType.COSIGNATURE_ED25519, key(name))
    for name in NAMES
}
CHECKPOINT = Checkpoint("log.example/1", 0, EMPTY_ROOT)
DEFINED = "".join(f"witness {name} {signer.verifier.vkey}\n" for name, signer in WITNESSES.items())
GROUPED = (
    f"log {LOG.verifier.vkey}\n{DEFINED}"
    "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\n"
)


def cosigned(*names: str, time: int = TIME) -> SignedNote:
    note = sign_checkpoint(CHECKPOINT, LOG)
    for name in names:
        note = note.signed(SignatureLine.by(WITNESSES[name], note.text, time))
    return note


def policy(text: str) -> Policy:
    return Policy.parse(text.encode())


@pytest.mark.parametrize("count", range(len(NAMES) + 1))
def test_groups_in_groups_count_as_the_specification_says(count: int) -> None:
    wanted = policy(GROUPED + "quorum X-and-Y\n")
    for names in itertools.combinations(NAMES, count):
        enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
        assert ("X-and-Y" in wanted.witnessing([WITNESSES[name].verifier for name in names])) is enough


def test_the_quorum_is_proven_with_all_who_cosigned_and_when() -> None:
    proven = prove_quorum(policy(GROUPED + "quorum X-and-Y\n"), cosigned("Y1", "X3", "X1"), LOG.verifier)
    assert list(proven.cosigners.items()) == [("X1", TIME), ("X3", TIME), ("Y1", TIME)]


@pytest.mark.parametrize("names", [(), ("X1", "X2"), ("X1", "Y1"), ("Y1", "Y2", "Y3")])
def test_too_few_are_named_and_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(QuorumMissed, match="nobody" if not names else f"{names[0]}.* not the quorum 'X-and-Y'"):
        prove_quorum(policy(GROUPED + "quorum X-and-Y\n"), cosigned(*names), LOG.verifier)


def test_a_single_witness_is_a_quorum_and_none_needs_nobody() -> None:
    alone = policy(DEFINED + "quorum Y2\n")
    assert prove_quorum(alone, cosigned("Y2"), LOG.verifier).cosigners == {"Y2": TIME}
    with pytest.raises(QuorumMissed):
        prove_quorum(alone, cosigned("X1"), LOG.verifier)
    assert prove_quorum(policy("quorum none\n"), cosigned("X1"), LOG.verifier).cosigners == {}


def test_a_known_witness_s_bad_cosignature_refutes_even_where_it_is_not_needed() -> None:
    note = cosigned("X1", "X2", "Y2")
    line = note.signatures[1]
    forged = SignatureLine(line.name, line.key_id, line.signature[:-1] + bytes((line.signature[-1] ^ 1,)))
    with pytest.raises(BadNoteSignature, match="X1"):
        prove_quorum(policy(GROUPED + "quorum Y2\n"), note.signed(forged), LOG.verifier)


def test_a_cosignature_of_another_checkpoint_is_none() -> None:
    other = sign_checkpoint(Checkpoint("log.example/1", 1, key("root")), LOG)
    note = other.signed(cosigned("X1").signatures[1])
    with pytest.raises(BadNoteSignature):
        prove_quorum(policy(DEFINED + "quorum X1\n"), note, LOG.verifier)


def test_only_listed_logs_are_accepted_and_all_where_none_is_listed() -> None:
    listing_another = policy(f"log {OTHER_LOG.verifier.vkey}\n{DEFINED}quorum X1\n")
    with pytest.raises(LogNotInPolicy, match=r"log\.example/1"):
        prove_quorum(listing_another, cosigned("X1"), LOG.verifier)
    assert prove_quorum(policy(DEFINED + "quorum X1\n"), cosigned("X1"), LOG.verifier).cosigners == {"X1": TIME}


def test_blanks_comments_urls_and_any_octets_in_names_are_taken() -> None:
    vkey = WITNESSES["X1"].verifier.vkey
    text = b"# \xff\n\n \t log\t" + LOG.verifier.vkey.encode() + b" https://log.example/\n\t\n"
    text += b"witness \xe2#\xff\t" + vkey.encode() + b"  http://w.example/\nquorum \xe2#\xff"
    parsed = Policy.parse(text)
    (witness,) = parsed.witnesses.values()
    assert (parsed.logs[0].url, witness.url, witness.verifier.vkey) == (
        "https://log.example/",
        "http://w.example/",
        vkey,
    )
    assert parsed.quorum in parsed.witnesses


def test_names_are_octets_and_never_normalised() -> None:
    kelvin = policy(DEFINED.replace("witness X1", "witness K").replace("witness X2", "witness \u212a") + "quorum K\n")
    assert prove_quorum(kelvin, cosigned("X1"), LOG.verifier)
    with pytest.raises(QuorumMissed):
        prove_quorum(kelvin, cosigned("X2"), LOG.verifier)


X1 = WITNESSES["X1"].verifier.vkey
RENAMED = Verifier("other.example", KeyType.COSIGNATURE_ED25519, WITNESSES["X1"].verifier.public_key).vkey
BAD_LINES = {
    "no quorum": ("", "ends without a quorum"),
    "two quorums": ("quorum X1\nquorum X2\n", "line 8 has a second quorum"),
    "quorum of an undefined name": ("quorum Z\n", "'Z', which no line before defines"),
    "quorum before its definition": ("quorum G\ngroup G any X1\n", "'G', which no line before defines"),
    "group before its member": ("group G all H\ngroup H any X1\nquorum G\n", "'H', which no line before defines"),
    "group of itself": ("group G any G\nquorum G\n", "'G', which no line before defines"),
    "none in a group": ("group G any none\nquorum G\n", "'none'"),
    "a group named none": ("group none any X1\nquorum none\n", "'none', which is defined already"),
    "a member twice in a group": ("group G 2 X1 X1\nquorum G\n", "'X1', which is a member already"),
    "a member of two groups": ("group G any X1\ngroup H any X1 X2\nquorum H\n", "'X1', which is a member already"),
    "a name twice": ("group X1 any X2\nquorum X1\n", "'X1', which is defined already"),
    "a group of nobody": ("group G any\nquorum G\n", "'group', which begins no line of so many words"),
    "a threshold of none": ("group G 0 X1\nquorum G\n", "a threshold of 0"),
    "a threshold over all": ("group G 3 X1 X2\nquorum G\n", "a threshold that is none of its 2 members"),
    "a threshold with a zero": ("group G 01 X1 X2\nquorum G\n", "a threshold that is none"),
    "a key twice": (f"witness Z {RENAMED}\nquorum Z\n", "a key that a line before has"),
    "a log twice": (f"log {LOG.verifier.vkey}\nlog {LOG.verifier.vkey}\nquorum none\n", "a key that a line before has"),
    "a log's key for a witness": (f"witness Z {LOG.verifier.vkey}\nquorum Z\n", "a key of type 01"),
    "a witness's key for a log": (f"log {X1}\nquorum none\n", "a key of type 04"),
    "a broken key": (f"witness Z {X1[:-4]}\nquorum Z\n", "a malformed key"),
    "an unknown word": ("witnesses X1\nquorum X1\n", "'witnesses', which begins no line"),
    "another case": ("Quorum X1\n", "'Quorum', which begins no line"),
    "too many words": ("quorum X1 # mine\n", "'quorum', which begins no line"),
    "a line feed of Windows": ("quorum X1\r\n", "a control character"),
    "a Unicode space": ("quorum\u00a0X1\n", "which begins no line"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_file_that_breaks_the_format_is_refused_at_its_line(case: str) -> None:
    lines, what = BAD_LINES[case]
    with pytest.raises(MalformedPolicy, match=what):
        policy(DEFINED + lines)


@given(st.lists(st.sampled_from([*DEFINED.splitlines(), "group G 2 X1 X2", "quorum G", "quorum none", "# \xff"])))
def test_lines_in_any_order_make_a_policy_or_are_refused(lines: list[str]) -> None:
    try:
        parsed = policy("\n".join(lines))
    except MalformedPolicy:
        return
    assert parsed.quorum is None or parsed.quorum in {*parsed.witnesses, *parsed.groups}


@given(st.binary(max_size=200) | st.text(alphabet="logwitnesgrupqm \t\n#019+\x80é").map(str.encode))
def test_any_bytes_are_a_policy_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedPolicy):
        Policy.parse(data)


def test_a_file_of_any_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedPolicy, match="more than"):
        Policy.parse(b"#" * (1 << 20) + b"\nquorum none\n")
