"""Requests for screenings: repeated, too many, without the right key, and with what is no list of companies."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from filing import COMPANIES, Filing
from founding import Founded, catch_up, indexer, later
from screening_room import PATH, Room, leaves, results, running
from sqlmodel import Session, delete, select

from ledger_service.chain.rpc import Rpc
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.screening_tables import Screening, ScreeningHit
from ledger_service.log.tables import Leaf
from ledger_service.log.tables import Request as LogRequest

HIT, CLEAR, SECOND, _ = COMPANIES
RESIDENT = "11010519491231002X"  # the specimen of GB 11643


@pytest.fixture
def room(ground: CreditGround, founded: Founded, rpc: Rpc, tmp_path: Path) -> Iterator[Room]:
    with running(ground, founded, rpc, tmp_path / "data", 3600) as made:
        yield made


@pytest.mark.parametrize("certificate", [False, True])
def test_the_same_request_with_its_key_gets_the_same_answer_and_takes_one_slot(
    certificate: bool, filing: Filing, room: Room, follow: Callable[[], None], ground: CreditGround, rpc: Rpc
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    request = {"headers": {"Idempotency-Key": "a-random-one"}, "params": {"certificate": certificate}}
    room.ask([str(HIT), str(SECOND)], key="poor", **request)
    first = room.last.content
    filing.publish(filing.record(SECOND))
    follow()
    room.ask([str(HIT), str(SECOND)], key="poor", **request)
    assert room.last.content == first
    assert leaves(ground) == 1
    for changed in ({"body": [str(HIT)]}, {"params": {"certificate": certificate, "recognized_by": "guizhou"}}):
        body = changed.pop("body", [str(HIT), str(SECOND)])
        refused = room.ask(body, key="poor", status=422, **{**request, **changed})
        assert refused["type"] == "urn:bidledger:problem:idempotency-mismatch"
    other = room.ask([str(HIT), str(SECOND)], **request)
    assert [one for _, one in results(other)] == ["hit", "hit"]


def test_an_answer_that_was_kept_but_not_logged_is_logged_by_the_same_request(
    filing: Filing, room: Room, follow: Callable[[], None], ground: CreditGround
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    request = {"headers": {"Idempotency-Key": "after-a-crash"}}
    first = room.ask([str(HIT)], **request)
    with Session(ground.engine) as session:  # as if the service had been killed before the log took it
        session.exec(delete(Leaf))
        session.exec(delete(LogRequest))
        session.commit()
    again = room.ask([str(HIT)], **request)
    assert {**again, "receipt": None} == {**first, "receipt": None}
    assert again["receipt"]["commitment"] == first["commitment"]
    assert leaves(ground) == 1


def test_of_the_same_request_many_times_at_once_one_is_made(
    filing: Filing, room: Room, follow: Callable[[], None], ground: CreditGround
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    headers = {"Authorization": "Bearer secret-centre", "Idempotency-Key": "at-once"}

    def ask(_: int) -> httpx.Response:
        return room.client.post(PATH, headers=headers, json={"subjects": [str(HIT)] * 1000})

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    made = [answer.content for answer in answers if answer.status_code == 201]
    assert made
    assert len(set(made)) == 1
    refused = [answer.json() for answer in answers if answer.status_code != 201]
    assert {one["type"] for one in refused} <= {"urn:bidledger:problem:still-screening"}
    assert leaves(ground) == 1


def test_without_the_certificate_that_was_asked_for_nothing_is_told(
    filing: Filing, ground: CreditGround, founded: Founded, follow: Callable[[], None], tmp_path: Path
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    with Rpc("http://127.0.0.1:9") as nobody, running(ground, founded, nobody, tmp_path / "data", 3600) as room:
        refused = room.ask([str(HIT)], status=503, params={"certificate": True})
        assert refused["type"] == "urn:bidledger:problem:chain-unreachable"
        assert leaves(ground) == 0
        assert room.get().json() == {"screenings": []}
        room.ask([str(HIT)])


def test_the_chain_turned_so_what_was_told_is_not_told_again(
    filing: Filing, room: Room, rpc: Rpc, founded: Founded, ground: CreditGround
) -> None:
    follower = indexer(ground.engine, rpc, founded)
    catch_up(follower)
    before = rpc.call("evm_snapshot")
    filing.publish(filing.record(HIT))
    catch_up(follower)
    request = {"headers": {"Idempotency-Key": "k"}}
    room.ask([str(HIT)], **request)
    rpc.call("evm_revert", before)
    for seconds in (100, 100):
        later(rpc, seconds)
        catch_up(follower)
        refused = room.ask([str(HIT)], status=422, **request)
        assert refused["type"] == "urn:bidledger:problem:idempotency-mismatch"


def test_a_key_takes_one_slot_of_its_quota_for_each_screening(
    filing: Filing, room: Room, follow: Callable[[], None], ground: CreditGround
) -> None:
    filing.publish(filing.record(HIT))
    follow()
    room.ask([str(HIT), str(CLEAR)], key="poor")
    refused = room.ask([str(HIT)], key="poor", status=429)
    assert refused["type"] == "urn:bidledger:problem:quota-exhausted"
    assert int(room.last.headers["retry-after"]) > 0
    assert room.ask([str(HIT)], key="none", status=422)["type"] == "urn:bidledger:problem:quota-too-small"
    with Session(ground.engine) as session:  # nothing is kept of what was not told
        assert len(session.exec(select(Screening)).all()) == len(session.exec(select(ScreeningHit)).all()) == 1
    assert leaves(ground) == 1
    room.ask([str(HIT)])


def test_neither_who_was_asked_about_nor_the_salt_is_kept(
    filing: Filing, room: Room, follow: Callable[[], None], ground: CreditGround
) -> None:
    follow()
    answer = room.ask([str(CLEAR), RESIDENT], headers={"Idempotency-Key": "k-0123456789"})
    assert ground.engine.url.database
    folder = Path(ground.engine.url.database).parent
    for private in (
        CLEAR.identifier,
        CLEAR.key,
        RESIDENT,
        bytes.fromhex(answer["statement"]["salt"][2:]),
        "k-0123456789",
    ):
        wanted = private if isinstance(private, bytes) else private.encode()
        assert not any(wanted in file.read_bytes() for file in folder.glob("test.sqlite*"))


@pytest.mark.parametrize("key", ["bidder", "unknown"])
def test_only_a_key_with_the_scope_screens(key: str, room: Room, follow: Callable[[], None]) -> None:
    follow()
    status, problem = (403, "not-allowed") if key == "bidder" else (401, "not-authenticated")
    assert room.ask([str(HIT)], key=key, status=status)["type"] == f"urn:bidledger:problem:{problem}"
    assert room.get(key=key).status_code == room.get(f"/{'0' * 32}", key=key).status_code == status
    assert room.client.post(PATH, json={"subjects": [str(HIT)]}).status_code == 401


def test_before_a_block_was_followed_nothing_is_told(room: Room) -> None:
    for params in ({}, {"certificate": True}):
        assert room.ask([str(HIT)], status=503, params=params)["type"] == "urn:bidledger:problem:index-behind"
        assert room.last.headers["retry-after"]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "problem", "pointer"),
    [
        (b"{", "application/json", 400, "bad-request", None),
        (b"[" * 100_000, "application/json", 400, "bad-request", None),
        (b'{"subjects":["\xff"]}', "application/json", 400, "bad-request", None),
        (b"[]", "application/json", 422, "invalid-content", "/body"),
        (b'{"subjects":["CN-USCC:1"],"as_of":1}', "application/json", 422, "invalid-content", "/body"),
        (b'{"subjects":{}}', "application/json", 422, "invalid-content", "/body/subjects"),
        (b'{"subjects":["a",1]}', "application/json", 422, "invalid-content", "/body/subjects/1"),
        (b'{"subjects":[]}', "application/json", 422, "invalid-content", "/body"),
        (b"", "text/csv", 422, "invalid-content", "/body"),
        (b"subject\r\n\r\n", "text/csv", 422, "invalid-content", "/body"),
        (json.dumps({"subjects": ["x"] * 1001}).encode(), "application/json", 422, "too-many-subjects", None),
        (b"x\n" * 1001, "text/csv", 422, "too-many-subjects", None),
        (b"x\n" * (1 << 19) + b"x", "text/csv", 413, "too-large", None),
        (b"x", "text/plain", 415, "unsupported-media-type", None),
        (b"x", "text/csv; charset=utf-16", 415, "unsupported-media-type", None),
        (b"\xff\xfex\x00", "text/csv", 422, "unreadable-list", None),
        (b'x\n"y', "text/csv", 422, "unreadable-list", None),
    ],
)
def test_what_is_no_list_is_refused(
    content: bytes,
    media_type: str,
    status: int,
    problem: str,
    pointer: str | None,
    room: Room,
    follow: Callable[[], None],
) -> None:
    follow()
    refused = room.ask(content, headers={"Content-Type": media_type}, status=status)
    assert (refused["type"], refused.get("pointer")) == (f"urn:bidledger:problem:{problem}", pointer)
