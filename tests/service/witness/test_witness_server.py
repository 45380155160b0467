"""A witness cosigns what continues its one view of a log, and answers all else as C2SP tlog-witness says."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from witnessing import NOW, Asked, MemberLog, cosigned, network, verifiers, witness_app

from anchors.merkle import EMPTY_ROOT
from anchors.network import LogKey
from anchors.notes import Checkpoint, KeyType, SignatureLine, SignedNote, open_checkpoint, sign_checkpoint
from ledger_service.witness.protocol import Submission

LOG = MemberLog("guizhou")
FORK = MemberLog("guizhou", leaves=b"another tree")


@pytest.fixture
def witness(engine: Engine) -> Asked:
    return Asked(witness_app(engine, network()))


def refused_at(witness: Asked, size: int) -> bool:
    """Whether the witness's view has just this size."""
    answer = witness.add(LOG.submission(size + 1, size + 2))
    return (answer.status_code, answer.text) == (409, f"{size}\n")


def test_a_log_is_cosigned_as_it_grows_by_both_keys_at_the_witness_s_time(witness: Asked) -> None:
    for old, size in ((0, 5), (5, 5), (5, 64), (64, 700)):
        submission = LOG.submission(old, size)
        times = cosigned(witness.add(submission), submission.note)
        now = int(NOW.timestamp())
        assert times == {KeyType.COSIGNATURE_ED25519: now, KeyType.COSIGNATURE_MLDSA44: now}


def test_the_empty_tree_is_cosigned(witness: Asked) -> None:
    empty = Submission(0, (), sign_checkpoint(Checkpoint(LOG.origin, 0, EMPTY_ROOT), LOG.signer))
    assert len(cosigned(witness.add(empty), empty.note)) == 2
    assert len(cosigned(witness.add(LOG.submission(0, 3)), LOG.checkpoint(3))) == 2


def test_the_empty_tree_has_one_root(witness: Asked) -> None:
    text = f"{LOG.origin}\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    note = SignedNote(text, (SignatureLine.by(LOG.signer, text),))
    assert witness.add(Submission(0, (), note)).status_code == 422
    assert witness.add(Submission(1, (), note)).status_code == 400


def test_another_old_size_is_told_the_size_of_the_view(witness: Asked) -> None:
    answer = witness.add(LOG.submission(3, 5))
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (409, "text/x.tlog.size", b"0\n")
    witness.add(LOG.submission(0, 64))
    for old in (0, 63):
        answer = witness.add(LOG.submission(old, 100))
        assert (answer.status_code, answer.headers["content-type"], answer.content) == (
            409,
            "text/x.tlog.size",
            b"64\n",
        )


def test_no_fork_and_no_way_back_is_ever_cosigned(witness: Asked) -> None:
    witness.add(LOG.submission(0, 64))
    assert witness.add(FORK.submission(64, 100)).status_code == 422
    assert witness.add(FORK.submission(64, 64)).status_code == 422
    assert witness.add(FORK.submission(0, 64)).status_code == 409
    assert witness.add(LOG.submission(32, 60)).status_code == 409
    assert refused_at(witness, 64)


@pytest.mark.parametrize("change", ["lacking", "too long", "another"])
def test_a_proof_that_does_not_lead_there_is_refused(witness: Asked, change: str) -> None:
    witness.add(LOG.submission(0, 5))
    right = LOG.submission(5, 9)
    proof = {"lacking": right.proof[:-1], "too long": (*right.proof, bytes(32)), "another": right.proof[::-1]}[change]
    assert witness.add(Submission(5, proof, right.note)).status_code == 422
    assert refused_at(witness, 5)


def test_nothing_is_proven_from_nothing(witness: Asked) -> None:
    assert witness.add(Submission(0, (bytes(32),), LOG.checkpoint(5))).status_code == 422
    assert refused_at(witness, 0)


def test_an_old_size_above_the_checkpoint_s_is_malformed(witness: Asked) -> None:
    assert witness.add(Submission(6, (), LOG.checkpoint(5))).status_code == 400


@pytest.mark.parametrize("code", ["sichuan", "nowhere"])
def test_the_own_log_and_unknown_ones_are_not_found(witness: Asked, code: str) -> None:
    assert witness.add(MemberLog(code).submission(0, 5)).status_code == 404


def test_only_the_log_s_own_key_counts(witness: Asked) -> None:
    stranger = MemberLog("guizhou", key="stranger")
    assert witness.add(stranger.submission(0, 5)).status_code == 403
    note = LOG.checkpoint(5)
    assert witness.add(Submission(0, (), note.signed(stranger.checkpoint(5).signatures[0]))).status_code == 200


def test_a_signature_of_the_log_s_key_that_does_not_verify_is_refused(witness: Asked) -> None:
    note = LOG.checkpoint(5)
    assert witness.add(Submission(0, (), SignedNote(note.text, LOG.checkpoint(6).signatures))).status_code == 403


def test_a_key_is_good_only_for_the_sizes_that_the_network_file_says(engine: Engine) -> None:
    old, new = MemberLog("guizhou"), MemberLog("guizhou", key="second")
    keys = (LogKey(0, old.signer.verifier.vkey, 0, 64), LogKey(0, new.signer.verifier.vkey, 64, None))
    witness = Asked(witness_app(engine, network(guizhou=keys)))
    assert witness.add(new.submission(0, 64)).status_code == 403
    assert witness.add(old.submission(0, 64)).status_code == 200
    assert witness.add(old.submission(64, 65)).status_code == 403
    assert witness.add(new.submission(64, 65)).status_code == 200


def test_each_generation_of_a_log_has_a_view_of_its_own(engine: Engine) -> None:
    logs = [MemberLog("guizhou", generation) for generation in (0, 1)]
    keys = tuple(LogKey(number, log.signer.verifier.vkey, 0, None) for number, log in enumerate(logs))
    witness = Asked(witness_app(engine, network(guizhou=keys)))
    assert [witness.add(log.submission(0, 5 + number)).status_code for number, log in enumerate(logs)] == [200, 200]
    assert [witness.add(log.submission(1, 5 + number)).text for number, log in enumerate(logs)] == ["5\n", "6\n"]


def test_extension_lines_are_covered_by_the_signature_that_can(witness: Asked) -> None:
    note = sign_checkpoint(Checkpoint(LOG.origin, 5, LOG.tree.root(5), ("extension",)), LOG.signer)
    assert list(cosigned(witness.add(Submission(0, (), note)), note)) == [KeyType.COSIGNATURE_ED25519]


def test_the_last_cosigned_checkpoint_is_shown_under_the_origin_s_hash(witness: Asked) -> None:
    path = f"{sha256(LOG.origin.encode()).hexdigest()}/checkpoint"
    assert witness.ask("GET", path).status_code == 404
    stranger = MemberLog("guizhou", key="stranger").checkpoint(9).signatures[0]
    for old, size in ((0, 5), (5, 9)):
        submission = LOG.submission(old, size)
        witness.add(Submission(old, submission.proof, submission.note.signed(stranger)))
    answer = witness.ask("GET", path)
    note = SignedNote.parse(answer.content)
    opened = open_checkpoint(note, LOG.signer.verifier, verifiers())
    assert (answer.status_code, opened.checkpoint.size, len(opened.cosignatures), len(note.signatures)) == (
        200,
        9,
        2,
        3,
    )


def test_a_witness_that_starts_again_has_the_same_view(engine: Engine) -> None:
    Asked(witness_app(engine, network())).add(LOG.submission(0, 64))
    again = Asked(witness_app(engine, network()))
    assert refused_at(again, 64)
    assert again.add(FORK.submission(64, 70)).status_code == 422


def at_once(witness: Asked, submissions: list[Submission]) -> list[int]:
    with ThreadPoolExecutor(len(submissions)) as pool:
        return sorted(answer.status_code for answer in pool.map(witness.add, submissions))


@pytest.mark.parametrize("seen", [0, 10])
def test_of_all_who_ask_at_once_from_one_size_one_is_answered(engine: Engine, seen: int) -> None:
    logs = [MemberLog("guizhou", generation) for generation in range(5)]
    keys = tuple(LogKey(number, log.signer.verifier.vkey, 0, None) for number, log in enumerate(logs))
    witness = Asked(witness_app(engine, network(guizhou=keys)))
    for generation, log in enumerate(logs):
        fork = MemberLog("guizhou", generation, leaves=b"fork") if seen == 0 else log
        if seen:
            cosigned(witness.add(log.submission(0, seen)), log.checkpoint(seen))
        asked = [one.submission(seen, seen + more) for one, more in ((log, 10), (fork, 10), (log, 5), (fork, 3))]
        assert at_once(witness, asked) == [200, 409, 409, 409]


def test_other_methods_and_paths_are_refused_and_a_body_is_bounded(witness: Asked) -> None:
    assert witness.ask("GET", "add-checkpoint").headers["allow"] == "POST"
    assert witness.ask("POST", f"{'0' * 64}/checkpoint").status_code == 405
    assert witness.ask("POST", "sign-subtree").status_code == 404
    assert witness.add(b"x" * (64 << 10)).status_code == 400
    assert witness.add(b"x" * ((64 << 10) + 1)).status_code == 413


GOOD = LOG.submission(0, 5).encode()
MALFORMED = {
    "nothing": b"",
    "no empty line": GOOD.replace(b"\n\n", b"\n"),
    "no old size": GOOD.replace(b"old 0\n", b""),
    "another word": GOOD.replace(b"old 0", b"size 0"),
    "a leading zero": GOOD.replace(b"old 0", b"old 00"),
    "a sign": GOOD.replace(b"old 0", b"old -0"),
    "two blanks": GOOD.replace(b"old 0", b"old  0"),
    "a size of 64 bits": GOOD.replace(b"old 0", b"old 9223372036854775808"),
    "a hash that is no base64": GOOD.replace(b"old 0\n", b"old 0\n!!!!\n"),
    "a short hash": GOOD.replace(b"old 0\n", b"old 0\nAAAA\n"),
    "64 hashes": GOOD.replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64),
    "no signature": GOOD.rpartition(b"\n\n")[0] + b"\n\n",
    "no last newline": GOOD[:-1],
    "line feeds of Windows": GOOD.replace(b"\n", b"\r\n"),
    "no checkpoint": GOOD.replace(b"\n5\n", b"\nfive\n"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_body_that_breaks_the_format_is_a_bad_request(witness: Asked, case: str) -> None:
    assert witness.add(MALFORMED[case]).status_code == 400


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(place=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_changed_body_is_never_cosigned_as_another(witness: Asked, place: int, byte: int, cut: bool) -> None:
    body = GOOD[:place] + (b"" if cut else bytes((byte,)) + GOOD[place + 1 :])
    answer = witness.add(body)
    if answer.status_code == 200:
        cosigned(answer, LOG.checkpoint(5))  # what was changed is the signature line of a key that is not known
    else:
        assert answer.status_code in (400, 403, 404, 409, 422)
