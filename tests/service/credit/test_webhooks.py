"""Webhooks from a real chain to real servers: signed, in order, again until taken, never where they must not."""

import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates_of_hosts import Authority
from filing import COMPANIES, Filing
from founding import Founded, later
from receiver import SENDER, Receiver, receiving
from serving import application, serving
from sqlalchemy import Engine
from sqlmodel import Session, select
from standardwebhooks import Webhook, WebhookVerificationError

from anchors.chain.header import DEVELOPMENT
from anchors.credit import Kind, Named, State
from anchors.network import write_network
from ledger_service import conditions
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.screening_tables import Screening, ScreeningHit
from ledger_service.credit.screenings import given
from ledger_service.credit.webhook_addresses import AddressRefused, Reach
from ledger_service.credit.webhook_routes import MAX_SUBSCRIPTIONS, routes
from ledger_service.credit.webhook_tables import WebhookDelivery, WebhookSubscription
from ledger_service.credit.webhooks import BACKOFF, LEASE_SECONDS, TURN_SECONDS, Delivering
from ledger_service.log.api_keys import ApiKeys, KeyEntry, Scope

Follow = Callable[[], None]
ROOT = sha256(b"webhooks").digest()
HERE = Reach.of(["127.0.0.0/8", "::1/128"])
ALL = ["record.published", "record.objected", "record.upheld", "record.withdrawn", "recognition.changed"]


def nobody(_session: Session, _record: bytes) -> list[tuple[str, str]]:
    return []


class Running:
    """The service's clock: the real one, and what a test adds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_by(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Running:
    return Running()


@pytest.fixture
def finality() -> Finality:
    return Finality(DEVELOPMENT, 0)


@pytest.fixture
def client(ground: CreditGround, finality: Finality) -> Iterator[httpx.Client]:
    with serving(application(routes(ground, finality, keys(), ROOT, HERE))) as open_client:
        open_client.headers["authorization"] = "Bearer secret-ours"
        yield open_client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as open_receiver:
        yield open_receiver


@pytest.fixture
def delivering(ground: CreditGround, finality: Finality) -> Delivering:
    return Delivering(ground, finality, ROOT, HERE, nobody)


def keys() -> ApiKeys:
    scopes = {"ours": Scope.CREDIT, "theirs": Scope.CREDIT, "bidder": Scope.SUBMIT}
    entries = [
        KeyEntry(id=name, sha256=sha256(f"secret-{name}".encode()).hexdigest(), scopes=frozenset({scope}))
        for name, scope in scopes.items()
    ]
    return ApiKeys(entries, 0, 0)


def subscribe(client: httpx.Client, url: str, events: list[str] | None = None, **more: str) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": url, "events": events or ALL, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/webhooks/{made['id']}"
    return made


def show(client: httpx.Client, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/webhooks/{made['id']}").json()
    return found


def deliver(delivering: Delivering) -> None:
    while delivering.step():
        pass


def test_a_receiver_is_told_what_it_asked_for_in_order_and_can_tell_who_speaks(
    client: httpx.Client, receiver: Receiver, delivering: Delivering, filing: Filing, follow: Follow
) -> None:
    first = COMPANIES[0]
    (before,) = filing.publish(filing.record(first))
    follow()
    made = subscribe(client, receiver.url, ["record.objected", "record.withdrawn", "recognition.changed"])
    filing.change(first.key, before, State.OBJECTED, by=3)
    filing.change(first.key, before, State.UPHELD)
    filing.choose(3, Named(before))
    filing.change(first.key, before, State.WITHDRAWN)
    follow()
    deliver(delivering)
    assert receiver.types == ["record.objected", "recognition.changed", "record.withdrawn"]
    for request in receiver.requests:
        assert Webhook(made["secret"]).verify(request.body, request.headers) == request.message
        assert (request.path, request.headers["content-type"]) == ("/told?by=webhook", "application/json")
        assert request.headers["host"] == httpx.URL(receiver.url).netloc.decode()
        assert request.id == request.message["data"]["id"]
    withdrawn = receiver.requests[-1].message
    assert withdrawn["data"]["record"] == f"0x{before.hex()}"
    assert withdrawn["timestamp"] == datetime.fromtimestamp(withdrawn["data"]["time"], UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    forged = receiver.requests[-1].body.replace(b"withdrawn", b"published")
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(forged, receiver.requests[-1].headers)
    deliver(delivering)
    assert len(receiver.requests) == 3, "nothing is told twice"
    shown = show(client, made)
    assert (shown["state"], shown["failures"]) == ("active", 0)
    assert {each["type"] for each in shown["deliveries"]} == set(receiver.types)
    assert all(each["attempts"] == 1 and each["delivered_at"] for each in shown["deliveries"])


def test_each_subscription_has_a_secret_of_its_own_that_is_shown_once_and_kept_nowhere(
    client: httpx.Client, receiver: Receiver, engine: Engine, tmp_path: Path
) -> None:
    one, other = (subscribe(client, receiver.url) for _ in range(2))
    assert one["secret"] != other["secret"]
    assert one["secret"].startswith("whsec_")
    assert "secret" not in show(client, one)
    assert "whsec_" not in client.get("/v1/webhooks").text
    with engine.connect() as connection:
        kept = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert one["id"] in kept
    assert one["secret"].removeprefix("whsec_") not in kept
    refused = client.post("/v1/webhooks", json={"url": receiver.url, "events": ALL, "secret": "whsec_" + "A" * 32})
    assert refused.status_code == 422


def test_only_the_key_that_made_a_subscription_sees_it(client: httpx.Client, receiver: Receiver) -> None:
    made = subscribe(client, receiver.url)
    path, theirs = f"/v1/webhooks/{made['id']}", {"authorization": "Bearer secret-theirs"}
    assert client.get(path, headers=theirs).status_code == 404
    assert client.delete(path, headers=theirs).status_code == 404
    assert client.get("/v1/webhooks", headers=theirs).json() == {"webhooks": []}
    assert client.get("/v1/webhooks", headers={"authorization": "Bearer secret-bidder"}).status_code == 403
    del client.headers["authorization"]
    for method, where in (("POST", "/v1/webhooks"), ("GET", "/v1/webhooks"), ("GET", path), ("DELETE", path)):
        body = {"url": receiver.url, "events": ALL} if method == "POST" else None
        assert client.request(method, where, json=body).status_code == 401
    client.headers["authorization"] = "Bearer secret-ours"
    assert [each["id"] for each in client.get("/v1/webhooks").json()["webhooks"]] == [made["id"]]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_what_fails_comes_again_ever_more_slowly_and_then_no_more(
    client: httpx.Client,
    receiver: Receiver,
    delivering: Delivering,
    filing: Filing,
    follow: Follow,
    clock: Running,
    engine: Engine,
) -> None:
    made = subscribe(client, receiver.url)
    receiver.answer = lambda _number: (500, {})
    first = COMPANIES[0]
    (name,) = filing.publish(filing.record(first))
    filing.change(first.key, name, State.OBJECTED)
    follow()
    for number, wait in enumerate(BACKOFF, start=1):
        deliver(delivering)
        deliver(delivering)
        shown = show(client, made)
        assert (len(receiver.requests), shown["failures"], shown["state"]) == (number, number, "failing")
        assert shown["next_attempt_at"] - shown["deliveries"][0]["attempted_at"] == wait
        clock.pass_by(wait + 1)
    assert conditions.current(engine) == []
    deliver(delivering)
    clock.pass_by(10 * BACKOFF[-1])
    deliver(delivering)
    assert len({request.id for request in receiver.requests}) == 1, "a message keeps its id, and no other overtakes it"
    assert len(receiver.requests) == len(BACKOFF) + 1
    times = [int(request.headers["webhook-timestamp"]) for request in receiver.requests]
    assert [after - before for before, after in pairwise(times)] == pytest.approx([wait + 1 for wait in BACKOFF], abs=3)
    shown = show(client, made)
    assert (shown["state"], shown["disabled_because"]) == ("disabled", "answered 500")
    (condition,) = conditions.current(engine)
    assert (condition.part, condition.problem) == (f"webhook {made['id']}", "webhook-disabled")
    assert f"after={shown['after']}" in condition.detail
    assert receiver.url not in condition.detail
    receiver.answer = lambda _number: (200, {})
    again = subscribe(client, receiver.url, after=shown["after"])
    client.delete(f"/v1/webhooks/{made['id']}")
    assert conditions.current(engine) == []
    deliver(delivering)
    assert receiver.types[len(BACKOFF) + 1 :] == ["record.published", "record.objected"], "nothing is lost"
    assert show(client, again)["state"] == "active"


def test_a_receiver_that_recovers_gets_all_in_order(
    client: httpx.Client,
    receiver: Receiver,
    delivering: Delivering,
    filing: Filing,
    follow: Follow,
    clock: Running,
) -> None:
    made = subscribe(client, receiver.url)
    receiver.answer = lambda number: (503, {"retry-after": "60"}) if number == 1 else (200, {})
    names = filing.publish(*(filing.record(company) for company in COMPANIES[:3]))
    follow()
    deliver(delivering)
    assert len(receiver.requests) == 2
    clock.pass_by(BACKOFF[0] + 1)
    deliver(delivering)
    assert len(receiver.requests) == 2, "the receiver asked for a minute"
    clock.pass_by(60)
    deliver(delivering)
    told = [request.message["data"]["record"] for request in receiver.requests]
    assert told == [f"0x{name.hex()}" for name in (names[0], names[1], names[1], names[2])]
    assert (show(client, made)["state"], show(client, made)["failures"]) == ("active", 0)


@pytest.mark.parametrize("status", [302, 307, 404, 429])
def test_what_is_no_success_is_a_failure_and_nobody_is_followed(
    client: httpx.Client,
    receiver: Receiver,
    delivering: Delivering,
    filing: Filing,
    follow: Follow,
    status: int,
) -> None:
    with receiving() as elsewhere:
        made = subscribe(client, receiver.url)
        receiver.answer = lambda _number: (status, {"location": elsewhere.url})
        filing.publish(filing.record(COMPANIES[0]))
        follow()
        deliver(delivering)
        shown = show(client, made)
        assert (shown["failures"], shown["deliveries"][0]["status"]) == (1, status)
        assert elsewhere.requests == []


def test_a_receiver_that_is_gone_is_asked_no_more(
    client: httpx.Client, receiver: Receiver, delivering: Delivering, filing: Filing, follow: Follow, engine: Engine
) -> None:
    made = subscribe(client, receiver.url)
    receiver.answer = lambda _number: (410, {})
    filing.publish(filing.record(COMPANIES[0]))
    follow()
    deliver(delivering)
    assert show(client, made)["state"] == "disabled"
    assert [each.problem for each in conditions.current(engine)] == ["webhook-disabled"]


def test_a_receiver_that_says_nothing_does_not_hold_up_the_others(
    client: httpx.Client,
    receiver: Receiver,
    delivering: Delivering,
    filing: Filing,
    follow: Follow,
) -> None:
    with receiving() as slow:
        slow.before = lambda: time.sleep(3)
        quick, late = subscribe(client, receiver.url), subscribe(client, slow.url)
        delivering._postman.keywords["timeout"] = 0.5
        filing.publish(*(filing.record(company) for company in COMPANIES[:3]))
        follow()
        started = time.monotonic()
        deliver(delivering)
        assert time.monotonic() - started < 2
        assert len(receiver.requests) == 3
        assert show(client, quick)["failures"] == 0
        (told,) = show(client, late)["deliveries"]
        assert (told["status"], told["error"], told["delivered_at"]) == (None, "no answer within 0.5 s", None)


def test_an_endless_answer_is_not_read(
    client: httpx.Client, delivering: Delivering, filing: Filing, follow: Follow, receiver: Receiver
) -> None:
    receiver.answer = lambda _number: (200, {"content-length": str(1 << 40)})
    made = subscribe(client, receiver.url)
    delivering._postman.keywords["timeout"] = 1.0
    filing.publish(filing.record(COMPANIES[0]))
    follow()
    deliver(delivering)
    assert show(client, made)["deliveries"][0]["status"] == 200
    assert show(client, made)["failures"] == 0


def test_only_what_is_final_is_told_and_what_is_reversed_after_all(
    client: httpx.Client,
    receiver: Receiver,
    ground: CreditGround,
    filing: Filing,
    follow: Follow,
    rpc: Rpc,
    founded: Founded,
) -> None:
    slow = Delivering(ground, Finality(DEVELOPMENT, 2), ROOT, HERE, nobody)
    first = COMPANIES[0]
    later(rpc, 10)
    follow()
    subscribe(client, receiver.url)
    common, before = quantity(rpc.call("eth_blockNumber")), rpc.call("evm_snapshot")
    filing.publish(filing.record(first))
    later(rpc, 10)
    follow()
    deliver(slow)
    assert receiver.requests == []
    later(rpc, 10)
    follow()
    deliver(slow)
    assert receiver.types == ["record.published"]
    rpc.call("evm_revert", before)
    other = Filing(founded, rpc)
    later(rpc, 100)
    other.publish(other.record(COMPANIES[1]))
    later(rpc, 10)
    later(rpc, 10)
    follow()
    deliver(slow)
    deliver(slow)
    assert receiver.types == ["record.published", "reversed", "record.published"]
    assert receiver.requests[1].message["data"] == {"from_block": common + 1}
    assert receiver.requests[2].message["data"]["subject_key"] == f"0x{COMPANIES[1].key.hex()}"
    assert len({request.id for request in receiver.requests}) == 3


def test_whoever_was_given_a_withdrawn_record_is_told_which_screenings_gave_it(
    client: httpx.Client,
    receiver: Receiver,
    ground: CreditGround,
    finality: Finality,
    filing: Filing,
    follow: Follow,
    engine: Engine,
    clock: Running,
) -> None:
    first = COMPANIES[0]
    name, other = filing.publish(filing.record(first), filing.record(COMPANIES[1]))
    follow()
    ours = [f"{number:032x}" for number in range(130)]
    screened(engine, "ours", ours, name)
    screened(engine, "theirs", ["e" * 32], name)
    screened(engine, "ours", ["f" * 32], other)
    delivering = Delivering(ground, finality, ROOT, HERE, given)
    receiver.answer = lambda number: (500 if number == 1 else 200, {})
    subscribe(client, receiver.url, ["screening.withdrawn", "record.withdrawn"])
    filing.change(first.key, name, State.OBJECTED)
    filing.change(first.key, name, State.WITHDRAWN)
    follow()
    deliver(delivering)
    clock.pass_by(BACKOFF[0] + 1)
    deliver(delivering)
    assert receiver.types == ["record.withdrawn", *["screening.withdrawn"] * 3]
    assert [request.id for request in receiver.requests][1] == receiver.requests[2].id
    told = [request.message["data"] for request in receiver.requests[2:]]
    assert [screening for data in told for screening in data["screenings"]] == ours
    assert all(len(request.body) < 20_000 for request in receiver.requests)
    assert {data["record"] for data in told} == {f"0x{name.hex()}"}


def test_a_sender_that_is_killed_before_it_writes_down_delivers_again(
    client: httpx.Client,
    receiver: Receiver,
    filing: Filing,
    follow: Follow,
    engine: Engine,
    founded: Founded,
    tmp_path: Path,
    delivering: Delivering,
    clock: Running,
) -> None:
    made = subscribe(client, receiver.url)
    filing.publish(*(filing.record(company) for company in COMPANIES[:2]))
    follow()
    with sending(engine, founded, tmp_path) as sender:
        receiver.before = lambda: sender.send_signal(signal.SIGKILL)
        assert sender.wait(20) == -signal.SIGKILL
    receiver.before = lambda: None
    (killed,) = receiver.requests
    assert show(client, made)["deliveries"] == []
    deliver(delivering)
    assert len(receiver.requests) == 1, "the lease of the dead lasts a while"
    clock.pass_by(LEASE_SECONDS + 1)
    deliver(delivering)
    assert [request.id for request in receiver.requests[1:]] == [killed.id, receiver.requests[2].id]
    assert killed.body == receiver.requests[1].body
    for request in receiver.requests[:1]:
        Webhook(made["secret"]).verify(request.body, request.headers)


def test_two_senders_over_one_database_share_the_work(
    client: httpx.Client,
    receiver: Receiver,
    filing: Filing,
    follow: Follow,
    engine: Engine,
    founded: Founded,
    tmp_path: Path,
) -> None:
    with receiving() as other:
        subscribe(client, receiver.url)
        subscribe(client, other.url)
        receiver.before = other.before = lambda: time.sleep(0.05)
        with sending(engine, founded, tmp_path), sending(engine, founded, tmp_path):
            for kind in (Kind.HONOUR, Kind.GENERAL):
                filing.publish(*(filing.record(company, kind) for company in COMPANIES))
                follow()
            deadline = time.monotonic() + 20
            while len(receiver.requests) + len(other.requests) < 16:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(0.5)
        for each in (receiver, other):
            assert len({request.id for request in each.requests}) == len(each.requests) == 8


def test_a_deleted_subscription_is_told_nothing_more(
    client: httpx.Client, receiver: Receiver, delivering: Delivering, filing: Filing, follow: Follow, engine: Engine
) -> None:
    made = subscribe(client, receiver.url)
    filing.publish(*(filing.record(company) for company in COMPANIES[:3]))
    follow()
    receiver.before = lambda: client.delete(f"/v1/webhooks/{made['id']}") and None
    deliver(delivering)
    assert len(receiver.requests) == 1
    with Session(engine) as session:
        assert session.exec(select(WebhookDelivery)).all() == []
        assert session.exec(select(WebhookSubscription)).all() == []


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "http://8.8.8.8/", "ftp://127.0.0.1/", "//127.0.0.1/", "https:///x", "https://", ""),
        *("https://user:word@8.8.8.8/", "https://user@8.8.8.8/", "https://@8.8.8.8/", "https://8.8.8.8/#part"),
        *(
            "https://no-such-host.invalid/",
            "https://8.8.8.8:99999/",
            "https://[::g]/",
            "https://8.8.8.8/\n",
            "https:8.8.8.8",
        ),
        *("https://8.8.8.8/" + "x" * 2048, "https://8.8.8.8/ü"),
    ],
)
def test_what_is_no_receivers_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        HERE.addresses(url)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::]", "[::1]"),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "198.18.0.1", "240.0.0.1"),
        *("[::ffff:127.0.0.1]", "[::ffff:a00:1]", "[fe80::1]", "[fd00::1]", "[64:ff9b::a00:1]", "[2002:a00:1::]"),
        *("224.0.0.1", "[ff02::1]", "255.255.255.255", "0.0.0.0"),  # noqa: S104  # to be refused
    ],
)
def test_the_operators_own_network_is_not_reached(host: str) -> None:
    with pytest.raises(AddressRefused):
        Reach().addresses(f"https://{host}/")
    with pytest.raises(AddressRefused):
        Reach().addresses(f"http://{host}/")


def test_public_addresses_and_networks_that_the_operator_names_are_reached() -> None:
    assert Reach().addresses("https://8.8.8.8:8443/x")[1] == ["8.8.8.8"]
    assert Reach().addresses("https://[2001:4860:4860::8888]/")[1] == ["2001:4860:4860::8888"]
    assert Reach.of(["10.20.0.0/16"]).addresses("https://10.20.3.4/")[1] == ["10.20.3.4"]
    assert Reach.of(["10.20.0.0/16"]).addresses("https://[::ffff:10.20.3.4]/")[1] == ["::ffff:10.20.3.4"]
    with pytest.raises(AddressRefused):
        Reach.of(["10.20.0.0/16"]).addresses("https://10.21.3.4/")
    with pytest.raises(AddressRefused, match="https"):
        Reach.of(["10.20.0.0/16"]).addresses("http://10.20.3.4/")


def test_the_api_says_where_in_the_request_the_fault_is(client: httpx.Client) -> None:
    for body, pointer in (
        ({"url": "https://10.0.0.1/", "events": ALL}, "/url"),
        ({"url": "https://8.8.8.8/", "events": ["record.published", "record.lost"]}, "/events/1"),
        ({"url": "https://8.8.8.8/", "events": ["record.published"] * 2}, "/events/1"),
        ({"url": "https://8.8.8.8/", "events": []}, "/body/events"),
        ({"url": "https://8.8.8.8/", "events": ALL, "after": "now"}, "/body/after"),
    ):
        refused = client.post("/v1/webhooks", json=body)
        assert (refused.status_code, refused.json()["pointer"]) == (422, pointer)
    assert client.get("/v1/webhooks/xyz").status_code == 422


def test_a_key_has_so_many_subscriptions(client: httpx.Client, receiver: Receiver) -> None:
    for _ in range(MAX_SUBSCRIPTIONS):
        subscribe(client, receiver.url)
    refused = client.post("/v1/webhooks", json={"url": receiver.url, "events": ALL})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bidledger:problem:too-many-webhooks")


def test_without_a_secret_there_are_none(ground: CreditGround, finality: Finality) -> None:
    with serving(application(routes(ground, finality, keys(), None, HERE))) as client:
        headers = {"authorization": "Bearer secret-ours"}
        body = {"url": "https://8.8.8.8/", "events": ALL}
        assert client.post("/v1/webhooks", json=body, headers=headers).status_code == 503


def test_an_address_is_looked_at_again_at_every_attempt(
    client: httpx.Client,
    receiver: Receiver,
    ground: CreditGround,
    finality: Finality,
    filing: Filing,
    follow: Follow,
) -> None:
    made = subscribe(client, receiver.url)
    filing.publish(filing.record(COMPANIES[0]))
    follow()
    deliver(Delivering(ground, finality, ROOT, Reach(), nobody))
    assert receiver.requests == []
    assert "no public address" in show(client, made)["deliveries"][0]["error"]


def test_a_receivers_certificate_must_be_of_its_name(
    client: httpx.Client,
    ground: CreditGround,
    finality: Finality,
    filing: Filing,
    follow: Follow,
    tmp_path: Path,
    clock: Running,
) -> None:
    authority = Authority(tmp_path)
    believing = ssl.create_default_context(cadata=authority.certificate)
    with (
        receiving(authority.server("localhost"), "localhost") as good,
        receiving(authority.server("other.example"), "localhost") as bad,
    ):
        told, untold = subscribe(client, good.url), subscribe(client, bad.url)
        filing.publish(filing.record(COMPANIES[0]))
        follow()
        deliver(Delivering(ground, finality, ROOT, HERE, nobody, believing))
        assert (good.types, bad.types) == (["record.published"], [])
        assert good.requests[0].headers["host"] == httpx.URL(good.url).netloc.decode()
        assert show(client, told)["failures"] == 0
        assert "certificate" in show(client, untold)["deliveries"][0]["error"].lower()
        clock.pass_by(BACKOFF[0] + 1)
        deliver(Delivering(ground, finality, ROOT, HERE, nobody))
        assert show(client, untold)["failures"] == 2, "a certificate that nobody vouches for counts for nothing"


def test_one_that_has_much_to_be_told_lets_the_others_have_their_turn(
    client: httpx.Client,
    receiver: Receiver,
    delivering: Delivering,
    filing: Filing,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert TURN_SECONDS > 1
    monkeypatch.setattr("ledger_service.credit.webhooks.TURN_SECONDS", 0.0)
    subscribe(client, receiver.url)
    filing.publish(*(filing.record(company) for company in COMPANIES[:2]))
    follow()
    assert delivering.step() is True
    assert len(receiver.requests) == 1
    deliver(delivering)
    assert len(receiver.requests) == 2


def screened(engine: Engine, key: str, ids: list[str], record: bytes) -> None:
    """Let screenings of a key have given out a record, beside the log."""
    with Session(engine) as session:
        for one in ids:
            row = Screening(
                id=one,
                api_key=key,
                block=1,
                time=1,
                recognized_by=None,
                subjects=1,
                clear=0,
                hits=1,
                invalid=0,
                records=1,
                certificate=None,
                commitment=sha256(one.encode()).digest(),
            )
            session.add(row)
            session.flush()
            assert row.number is not None
            session.add(ScreeningHit(screening=row.number, record=record))
        session.commit()


@contextmanager
def sending(engine: Engine, founded: Founded, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that delivers, killed at the end."""
    network_file = folder / "network.json"
    network_file.write_bytes(write_network(founded.network))
    command = [sys.executable, str(SENDER), str(engine.url), str(network_file), ROOT.hex()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_description_names_the_routes(client: httpx.Client) -> None:
    described = json.loads(client.get("/v1/openapi.json").text)
    assert {"/v1/webhooks", "/v1/webhooks/{id}"} <= set(described["paths"])
