"""Checkpoints are cosigned in order by each witness of the policy; one that fails or lies is told, and nobody waits."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from growing_log import GrowingLog
from sqlalchemy import Engine
from witnessing import GUIZHOU, NOW, engine_at, network, verifiers, witness_app

from anchors.errors import QuorumMissed
from anchors.notes import Checkpoint, KeyType, Policy, SignatureLine, Signer, open_checkpoint, prove_quorum
from ledger_service import conditions
from ledger_service.errors import Misconfigured
from ledger_service.jobs import Job
from ledger_service.witness.asking import NoAnswer
from ledger_service.witness.cosigning import (
    PARTS,
    Cosigning,
    WitnessAhead,
    WitnessLies,
    WitnessRefuses,
    places,
    read_policy,
)
from ledger_service.witness.kept import Kept
from ledger_service.witness.protocol import Submission

Serve = Callable[[Any], str]


@dataclass
class Wire:
    """What stands between a log and its witness: it notes what is sent, and may answer in the witness's place."""

    app: Any
    bodies: list[bytes] = field(default_factory=list)
    instead: Callable[[bytes, "Answer"], "Answer"] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        answer = Answer(404, b"", b"")
        if self.app is not None:
            await self.app(scope, _replay(body), answer.take)
        if self.instead is not None:
            answer = self.instead(body, answer)
        head = [(b"content-type", answer.media_type)]
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        await send({"type": "http.response.body", "body": answer.body})


def _replay(body: bytes) -> Any:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    return receive


@dataclass
class Answer:
    """One answer, as it goes over the wire."""

    status: int
    media_type: bytes
    body: bytes

    async def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.media_type = message["status"], dict(message["headers"])[b"content-type"]
        else:
            self.body += message["body"]


@pytest.fixture
def witness_engine(tmp_path: Path) -> Iterator[Engine]:
    with engine_at(tmp_path / "witness.sqlite") as engine:
        yield engine


@pytest.fixture
def wire(witness_engine: Engine) -> Wire:
    return Wire(witness_app(witness_engine, network()))


def policy_at(url: str, names: tuple[str, ...] = ("fast", "quantum")) -> Policy:
    keys = zip(names, verifiers(), strict=False)
    lines = [f"witness {name} {key.vkey} {url}/witness/\n" for name, key in keys]
    return Policy.parse(("".join(lines) + f"group all-of-it all {' '.join(names)}\nquorum all-of-it\n").encode())


def cosigning(engine: Engine, log: GrowingLog, policy: Policy) -> Cosigning:
    (place,) = places(policy)
    return Cosigning(engine, log.reader, Kept(engine, 0), place, lambda: NOW)


def kept_at(engine: Engine, log: GrowingLog, size: int) -> set[KeyType]:
    """Who cosigned the checkpoint of this size, proven."""
    checkpoint = log.reader.checkpoint_of_size(size)
    assert checkpoint is not None
    opened = open_checkpoint(Kept(engine, 0).cosigned(checkpoint.note), GUIZHOU, verifiers())
    return {one.verifier.type for one in opened.cosignatures}


BOTH = {KeyType.COSIGNATURE_ED25519, KeyType.COSIGNATURE_MLDSA44}


def test_every_checkpoint_is_cosigned_by_all_keys_of_the_witness(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve
) -> None:
    policy = policy_at(serve(wire))
    asking = cosigning(engine, log, policy)
    asking.step()
    sizes = [log.grow(3), log.grow(300), log.grow(5)]
    asking.step()
    sizes.append(log.grow(1))
    asking.step()
    asking.step()
    assert [kept_at(engine, log, size) for size in sizes] == [BOTH] * 4
    assert len(wire.bodies) == len(sizes)
    assert Kept(engine, 0).last_witnessed(policy) == sizes[-1]
    latest = log.reader.latest_checkpoint()
    assert latest is not None
    assert list(prove_quorum(policy, Kept(engine, 0).cosigned(latest.note), GUIZHOU).cosigners) == ["fast", "quantum"]


def test_only_the_log_s_own_signature_is_sent(engine: Engine, log: GrowingLog, wire: Wire, serve: Serve) -> None:
    asking = cosigning(engine, log, policy_at(serve(wire)))
    for _ in range(3):
        log.grow(100)
        asking.step()
    sent = [Submission.parse(body) for body in wire.bodies]
    assert [[line.key_id for line in one.note.signatures] for one in sent] == [[GUIZHOU.key_id]] * 3
    assert max(map(len, wire.bodies)) < 10 << 10  # where other witnesses end to read


def test_a_log_that_forgot_its_cosignatures_goes_on_where_the_witness_is(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve
) -> None:
    url = serve(wire)
    first, second = log.grow(3), log.grow(4)
    cosigning(engine, log, policy_at(url)).step()
    Kept(engine, 0).keep_cosignatures(second, ())
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM witness_cosignature")
    third = log.grow(5)
    cosigning(engine, log, policy_at(url)).step()
    assert [kept_at(engine, log, size) for size in (first, second, third)] == [set(), BOTH, BOTH]


def test_an_answer_that_was_lost_is_asked_for_again(engine: Engine, log: GrowingLog, wire: Wire, serve: Serve) -> None:
    asking = cosigning(engine, log, policy_at(serve(wire)))
    first = log.grow(3)
    wire.instead = lambda _body, _answer: Answer(500, b"text/plain", b"lost")
    with pytest.raises(WitnessRefuses, match="answered 500: b'lost'"):
        asking.step()
    wire.instead = None
    second = log.grow(3)
    asking.step()
    assert [kept_at(engine, log, size) for size in (first, second)] == [BOTH, BOTH]


def test_a_witness_that_lost_its_memory_is_not_believed_any_more(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve, witness_engine: Engine
) -> None:
    asking = cosigning(engine, log, policy_at(serve(wire)))
    log.grow(3)
    asking.step()
    with witness_engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM witness_log")
    size = log.grow(3)
    with pytest.raises(WitnessLies, match="cosigned 3 leaves and now says that it has 0"):
        asking.step()
    assert kept_at(engine, log, size) == set()


def test_a_log_that_is_behind_its_witness_is_told(engine: Engine, log: GrowingLog, wire: Wire, serve: Serve) -> None:
    log.grow(3)
    wire.instead = lambda _body, _answer: Answer(409, b"text/x.tlog.size", b"64\n")
    with pytest.raises(WitnessAhead, match="cosigned 64 leaves"):
        cosigning(engine, log, policy_at(serve(wire))).step()


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "answered 400"), (403, "does not trust"), (404, "does not know the log"), (422, "does not continue")],
)
def test_a_witness_that_refuses_stands_in_the_conditions_until_it_cosigns(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve, status: int, words: str
) -> None:
    asking = cosigning(engine, log, policy_at(serve(wire)))
    size = log.grow(3)
    honest, wire.app = wire.app, None
    wire.instead = lambda _body, _answer: Answer(status, b"text/plain", b"no")
    with pytest.raises(WitnessRefuses, match=words):
        asking.step()
    (condition,) = conditions.current(engine)
    assert (condition.part, condition.problem) == ("witness fast, quantum", "witness-refuses")
    wire.app, wire.instead = honest, None
    asking.step()
    assert (kept_at(engine, log, size), conditions.current(engine)) == (BOTH, [])


def test_who_is_not_asked_any_more_is_in_no_condition(engine: Engine) -> None:
    for part in ("witness gone", "witness fast, quantum", "anchor"):
        conditions.report(engine, part, "no-answer", "It does not answer.", NOW)
    conditions.clear_parts(engine, PARTS)
    assert [one.part for one in conditions.current(engine)] == ["anchor"]


def lines_over(checkpoint: Checkpoint, time: int = 1) -> bytes:
    signers = [Signer("west.example/31337/sichuan/witness", KeyType.COSIGNATURE_ED25519, bytes(32))]
    return "".join(f"{SignatureLine.by(one, checkpoint.text, time).line}\n" for one in signers).encode()


def another_checkpoint(_body: bytes, answer: Answer) -> Answer:
    line = SignatureLine.parse(answer.body.decode().split("\n")[0])
    forged = SignatureLine(line.name, line.key_id, line.signature[:-1] + bytes((line.signature[-1] ^ 1,)))
    return Answer(200, b"text/plain", f"{forged.line}\n".encode())


LIES: dict[str, Callable[[bytes, Answer], Answer]] = {
    "a forged cosignature": another_checkpoint,
    "a stranger's cosignature": lambda _body, _answer: Answer(
        200, b"text/plain", lines_over(Checkpoint(GUIZHOU.name, 3, bytes(32)))
    ),
    "the log's own line": lambda body, _answer: Answer(200, b"text/plain", body.rpartition(b"\n\n")[2]),
    "nothing": lambda _body, _answer: Answer(200, b"text/plain", b""),
    "no text": lambda _body, _answer: Answer(200, b"text/plain", b"\xff\n"),
    "another text": lambda _body, answer: Answer(200, b"text/plain", b"more\n\n" + answer.body),
    "a size that is none": lambda _body, _answer: Answer(409, b"text/x.tlog.size", b"many\n"),
    "one size and then another": lambda body, _answer: Answer(
        409, b"text/x.tlog.size", b"3\n" if body.startswith(b"old 0") else b"2\n"
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_witness_that_lies_is_told_and_nothing_of_it_is_kept(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve, lie: str
) -> None:
    size = log.grow(3)
    wire.instead = LIES[lie]
    with pytest.raises(WitnessLies):
        cosigning(engine, log, policy_at(serve(wire))).step()
    assert kept_at(engine, log, size) == set()
    assert [one.problem for one in conditions.current(engine)] == ["witness-lies"]


@pytest.mark.parametrize("body", [b"x" * (1 << 20), None], ids=["endless", "closed"])
def test_a_witness_that_gives_no_answer_is_told(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve, body: bytes | None
) -> None:
    log.grow(3)
    wire.instead = lambda _body, _answer: Answer(200, b"text/plain", body or b"")
    url = serve(wire) if body else "http://127.0.0.1:9"
    with pytest.raises(NoAnswer, match="more than 65536 bytes" if body else "does not answer"):
        cosigning(engine, log, policy_at(url)).step()


def test_an_address_that_is_none_is_refused_before_anybody_is_asked(engine: Engine, log: GrowingLog) -> None:
    with pytest.raises(Misconfigured, match="'fast' of the policy has the address 'ftp://w/witness/'"):
        places(policy_at("ftp://w"))
    log.grow(3)
    with pytest.raises(NoAnswer, match="does not answer"):
        cosigning(engine, log, policy_at("http://[::1")).step()


def test_a_policy_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"BIDLEDGER_WITNESS_POLICY_FILE .*policy: No such file"):
        read_policy(tmp_path / "policy")
    (tmp_path / "policy").write_text("quorum nobody\n")
    with pytest.raises(Misconfigured, match="line 1 has 'nobody', which no line before defines"):
        read_policy(tmp_path / "policy")


def test_a_key_of_the_policy_that_does_not_cosign_is_told_and_the_others_are_kept(
    engine: Engine, log: GrowingLog, wire: Wire, serve: Serve
) -> None:
    policy = policy_at(serve(wire))
    wire.instead = lambda _body, answer: Answer(200, b"text/plain", answer.body.split(b"\n")[0] + b"\n")
    size = log.grow(3)
    with pytest.raises(WitnessRefuses, match="does not cosign by the key"):
        cosigning(engine, log, policy).step()
    assert kept_at(engine, log, size) == {KeyType.COSIGNATURE_ED25519}
    assert Kept(engine, 0).last_witnessed(policy) is None
    latest = log.reader.latest_checkpoint()
    assert latest is not None
    with pytest.raises(QuorumMissed, match="'fast'"):
        prove_quorum(policy, Kept(engine, 0).cosigned(latest.note), GUIZHOU)


def test_no_witness_waits_for_another(engine: Engine, log: GrowingLog, wire: Wire, serve: Serve) -> None:
    stop, release = threading.Event(), threading.Event()

    def hang(_body: bytes, answer: Answer) -> Answer:
        release.wait(20)
        return answer

    slow = Wire(None, instead=hang)
    asked = [cosigning(engine, log, policy_at(serve(app))) for app in (slow, wire)]
    threads = [threading.Thread(target=Job("cosigning", one.step).run, args=(stop, 0.01)) for one in asked]
    size = log.grow(3)
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 15
    while kept_at(engine, log, size) != BOTH:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert slow.bodies
    stop.set()
    release.set()
    for thread in threads:
        thread.join()


def test_witnesses_of_one_address_are_asked_together_and_those_without_one_never() -> None:
    first, second = verifiers()
    other = Signer("other.example", KeyType.COSIGNATURE_ED25519, bytes(32)).verifier
    text = f"witness a {first.vkey} http://w/\nwitness b {other.vkey}\nwitness c {second.vkey} http://w\nquorum none\n"
    (place,) = places(Policy.parse(text.encode()))
    assert (place.name, place.url, place.verifiers) == ("a, c", "http://w", (first, second))
