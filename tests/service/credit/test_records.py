"""Lists of records, one with its whole history, what a member applies and what members chose, from a real chain."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from conftest import Clock
from filing import COMPANIES, GROUNDS, PLEDGE, REASON, Filing
from founding import Founded, block_time, later
from serving import application, serving
from sqlmodel import Session

from anchors.credit import Issued, Kind, Named, State, end_of
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.credit.answers import ListOut, RecognitionOut, RecordHistoryOut
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.queries import told, told_record
from ledger_service.credit.routes import routes
from ledger_service.index.asof import moment

SICHUAN, GUIZHOU, YUNNAN = 2, 3, 4
DAY = 24 * 3600
FIRST, SECOND, THIRD, CLEAN = COMPANIES

Follow = Callable[[], None]
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def client(ground: CreditGround) -> Iterator[httpx.Client]:
    with serving(application(routes(ground))) as asking:
        yield asking


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    """The records of a list's page; the answer fits its description."""

    def asked(path: str = "/v1/credit/records", **parameters: object) -> list[dict[str, Any]]:
        answer = client.get(path, params=parameters)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        ListOut.model_validate(answer.json())
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    return asked


def names(records: list[dict[str, Any]]) -> list[bytes]:
    return [bytes.fromhex(record["record"][2:]) for record in records]


def head(rpc: Rpc) -> int:
    return quantity(rpc.call("eth_blockNumber"))


def test_records_are_listed_by_member_kind_state_and_measure(
    filing: Filing, follow: Follow, ask: Ask, rpc: Rpc, clock: Clock
) -> None:
    general, honour = filing.publish(filing.record(FIRST), filing.record(SECOND, Kind.HONOUR))
    (serious,) = filing.publish(filing.record(THIRD, Kind.SERIOUS, member=GUIZHOU))
    (wrong,) = filing.publish(filing.record(CLEAN))
    before = head(rpc)
    filing.change(CLEAN.key, wrong, State.WITHDRAWN)
    filing.change(FIRST.key, general, State.OBJECTED, by=YUNNAN)
    follow()
    assert names(ask()) == [general, honour, serious], "those that apply, in the order of publication"
    assert {record["subject_key"] for record in ask()} == {"0x" + one.key.hex() for one in (FIRST, SECOND, THIRD)}
    assert names(ask(member="guizhou")) == [serious]
    assert names(ask(member="sichuan", kind="honour")) == [honour]
    assert names(ask(kind="serious")) == [serious]
    assert names(ask(state="published")) == [honour, serious]
    assert names(ask(state="objected")) == [general]
    assert names(ask(state="withdrawn")) == [wrong]
    assert ask(state="withdrawn")[0]["applies"] is False
    assert ask(state="repaired") == ask(state="expired") == ask(state="upheld") == []
    assert names(ask(measure=201)) == [serious]
    assert names(ask(measure=101)) == [general, serious]
    assert ask(measure=20) == []
    assert names(ask(as_of=before)) == [general, honour, serious, wrong]
    assert names(ask(as_of=before, state="published", member="sichuan")) == [general, honour, wrong]
    assert ask(as_of=before, state="withdrawn") == []

    clock.set(end_of(filing.record(THIRD, Kind.SERIOUS).last_day))
    assert ask() == []
    assert names(ask(state="expired")) == [general, honour, serious]
    assert {record["state"] for record in ask(state="expired")} == {"expired"}
    assert ask(state="published") == ask(state="objected") == []
    assert names(ask(state="withdrawn")) == [wrong]


def test_pages_leave_out_and_repeat_nothing(filing: Filing, follow: Follow, client: httpx.Client, ask: Ask) -> None:
    published = []
    for subject in COMPANIES:
        published += filing.publish(filing.record(subject), filing.record(subject, Kind.HONOUR, earlier=1))
    refused = published[2:5]
    for name in refused:
        filing.choose(GUIZHOU, Named(name))
    follow()
    for path, expected in (
        ("/v1/credit/records", published),
        ("/v1/members/guizhou/effective-list", [name for name in published if name not in refused]),
        ("/v1/members/sichuan/effective-list", published),
    ):
        for limit in (1, 2, 3, 8, 9):
            assert list(walk(client, f"{path}?limit={limit}", "records")) == ["0x" + name.hex() for name in expected]
    far = "9" * 15
    assert ask(cursor=f"{far}.{far}.{far}") == []


def walk(client: httpx.Client, path: str, entries: str) -> Iterator[str]:
    """The names on all pages."""
    link: str | None = path
    while link:
        answer = client.get(link)
        yield from (record["record"] for record in answer.json()[entries])
        link = answer.links.get("next", {}).get("url")


def test_a_member_applies_all_but_what_it_opted_out_of(filing: Filing, follow: Follow, ask: Ask, rpc: Rpc) -> None:
    (serious,) = filing.publish(filing.record(FIRST, Kind.SERIOUS))
    (own,) = filing.publish(filing.record(SECOND, Kind.SERIOUS, member=GUIZHOU))
    (general,) = filing.publish(filing.record(THIRD))
    before = head(rpc)
    filing.choose(GUIZHOU, Issued(SICHUAN, Kind.SERIOUS))
    filing.choose(YUNNAN, Named(general))
    opted_out = head(rpc)
    filing.choose(GUIZHOU, Issued(SICHUAN, Kind.SERIOUS), applied=True)
    follow()

    def effective(code: str, **parameters: object) -> list[bytes]:
        return names(ask(f"/v1/members/{code}/effective-list", **parameters))

    assert effective("guizhou", as_of=before) == [serious, own, general]
    assert effective("guizhou", as_of=opted_out) == [own, general]
    assert effective("guizhou", as_of=opted_out, kind="serious") == [own]
    assert effective("guizhou") == effective("sichuan") == [serious, own, general]
    assert effective("yunnan") == [serious, own]
    reasons = {record["record"]: record["why"][-1]["rule"] for record in ask("/v1/members/guizhou/effective-list")}
    assert reasons["0x" + own.hex()] == "own-record"
    assert reasons["0x" + serious.hex()] == "recognised-by-default"


def test_a_record_is_shown_with_its_whole_history(
    filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc, founded: Founded
) -> None:
    record = filing.record(FIRST, Kind.SERIOUS)
    (name,) = filing.publish(record)
    published = block_time(rpc)
    filing.change(FIRST.key, name, State.OBJECTED, by=YUNNAN)
    lighter = filing.record(FIRST, earlier=0, decided_on=record.decided_on)
    filing.change(FIRST.key, name, State.CORRECTED, lighter)
    later(rpc, 120 * DAY)
    filing.change(FIRST.key, name, State.REPAIRED)
    follow()
    told = client.get(f"/v1/credit/records/0x{name.hex()}").json()
    RecordHistoryOut.model_validate(told)
    assert (told["state"], told["applies"], told["kind"]) == ("repaired", False, "general")
    assert told["subject_key"] == "0x" + FIRST.key.hex()
    first, objected, corrected, repaired = told["history"]
    assert [each["state"] for each in told["history"]] == ["published", "objected", "corrected", "repaired"]
    assert (first["time"], first["content"]["kind"]) == (published, "serious")
    assert first["endorsers"] == ["chongqing", "guizhou", "yunnan"]
    assert (first["grounds"], first["pledge"], first["objector"]) == (None, None, None)
    assert objected["objector"] == "yunnan"
    assert objected["publisher"] == "0x" + founded.opened[YUNNAN, "credit-publisher"].address.hex()
    assert (objected["regulator"], objected["content"]) == (None, None)
    assert corrected["content"]["last_day"] == lighter.last_day.isoformat()
    assert (repaired["grounds"], repaired["pledge"]) == ("0x" + GROUNDS.hex(), "0x" + PLEDGE.hex())
    assert repaired["regulator"] == "0x" + founded.opened[SICHUAN, "regulator"].address.hex()
    assert [each["block"] for each in told["history"]] == sorted({each["block"] for each in told["history"]})


def test_the_choices_that_stand_are_listed_each_with_its_reason(
    filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc
) -> None:
    (name,) = filing.publish(filing.record(FIRST))
    filing.choose(GUIZHOU, Issued(SICHUAN, Kind.SERIOUS))
    first = {"member": "guizhou", "about": {"issuer": "sichuan", "kind": "serious"}, "applied": False}
    first |= {"reason": "0x" + REASON.hex(), "since": block_time(rpc), "block": head(rpc)}
    filing.choose(YUNNAN, Named(name))
    second = {"member": "yunnan", "about": {"record": "0x" + name.hex()}, "applied": False}
    second |= {"reason": "0x" + REASON.hex(), "since": block_time(rpc), "block": head(rpc)}
    both = head(rpc)
    filing.choose(GUIZHOU, Issued(SICHUAN, Kind.SERIOUS), applied=True)
    follow()

    def choices(**parameters: object) -> list[dict[str, Any]]:
        answer = client.get("/v1/recognition", params=parameters)  # type: ignore[arg-type]
        told: dict[str, Any] = answer.json()
        RecognitionOut.model_validate(told)
        assert told["default"] == "applied"
        found: list[dict[str, Any]] = told["choices"]
        return found

    assert choices(as_of=both) == [first, second]
    assert choices(as_of=both - 1) == [first]
    assert choices(as_of=both, member="yunnan") == [second]
    again = {**first, "applied": True, "since": block_time(rpc), "block": head(rpc)}
    assert choices() == [second, again]
    page = client.get("/v1/recognition", params={"limit": 1})
    assert page.json()["choices"] == [second]
    assert client.get(page.links["next"]["url"]).json()["choices"] == [again]


@pytest.mark.parametrize(
    ("path", "status", "problem", "pointer"),
    [
        ("credit/records?member=atlantis", 422, "unknown-member", "/query/member"),
        ("credit/records?member=%00", 422, "invalid-content", "/query/member"),
        ("credit/records?kind=minor", 422, "invalid-content", "/query/kind"),
        ("credit/records?state=gone", 422, "invalid-content", "/query/state"),
        ("credit/records?measure=0", 422, "invalid-content", "/query/measure"),
        ("credit/records?measure=256", 422, "invalid-content", "/query/measure"),
        ("credit/records?limit=1001", 422, "invalid-content", "/query/limit"),
        ("credit/records?cursor=1.2", 422, "invalid-content", "/query/cursor"),
        ("credit/records?as_of=now", 422, "invalid-content", "/query/as_of"),
        ("credit/records?as_of=2026-13-01T00:00:00Z", 422, "invalid-content", "/query/as_of"),
        ("credit/records?as_of=999999999999999999", 404, "not-found", None),
        ("credit/records/0x00", 422, "invalid-content", "/path/record"),
        ("credit/records/%ED%A0%80", 422, "invalid-content", "/path/record"),
        (f"credit/records/0x{'00' * 32}", 404, "not-found", None),
        ("members/atlantis/effective-list", 404, "not-found", None),
        ("recognition?member=atlantis", 422, "unknown-member", "/query/member"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    follow: Follow, client: httpx.Client, path: str, status: int, problem: str, pointer: str | None
) -> None:
    follow()
    answer = client.get(f"/v1/{path}")
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:bidledger:problem:{problem}"
    assert answer.json().get("pointer") == pointer


def test_an_answer_that_the_asker_has_is_not_sent_again(filing: Filing, follow: Follow, client: httpx.Client) -> None:
    filing.publish(filing.record(FIRST))
    follow()
    for path in ("credit/records", "members/sichuan/effective-list", "recognition"):
        etag = client.get(f"/v1/{path}").headers["etag"]
        assert client.get(f"/v1/{path}", headers={"if-none-match": etag}).status_code == 304
        assert client.delete(f"/v1/{path}").headers["allow"] == "GET"


def test_many_subjects_are_told_at_once(filing: Filing, follow: Follow, ground: CreditGround, rpc: Rpc) -> None:
    (name,) = filing.publish(filing.record(FIRST))
    (ended,) = filing.publish(filing.record(SECOND))
    filing.change(SECOND.key, ended, State.WITHDRAWN)
    filing.choose(GUIZHOU, Issued(SICHUAN, Kind.GENERAL))
    follow()
    with Session(ground.engine) as session:
        now = moment(session, None, ground.clock())
        found = told(session, ground, [FIRST, SECOND, CLEAN, FIRST], now)
        assert {subject: names(records) for subject, records in found.items()} == {FIRST: [name], SECOND: [], CLEAN: []}
        assert told(session, ground, [FIRST], now, recognized_by=GUIZHOU) == {FIRST: []}
        seen = told(session, ground, [FIRST, SECOND], now, recognized_by=GUIZHOU, ended=True)
        assert [record["applies"] for records in seen.values() for record in records] == [False, False]
        one = told_record(session, ground, ended, now)
        assert one is not None
        assert (one["state"], one["subject_key"]) == ("withdrawn", "0x" + SECOND.key.hex())
        assert told_record(session, ground, b"\0" * 32, now) is None
        assert told_record(session, ground, ended, moment(session, str(now.block - 3), ground.clock())) is None
