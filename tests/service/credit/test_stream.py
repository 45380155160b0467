"""Server-Sent Events of a real chain, over real connections: told once, resumed, taken back, and never held up."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from filing import COMPANIES, GROUNDS, REASON, Filing
from founding import NOW, Founded, later
from serving import serving
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from anchors.chain.header import DEVELOPMENT
from anchors.credit import Issued, Kind, Named, State
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.happenings import Position, end_of_block, page_after
from ledger_service.credit.stream import EventStream
from ledger_service.index.store import roll_back
from ledger_service.index.tables import Block, CreditEvent, Reorganisation

Follow = Callable[[], None]
PATH = "/v1/events"


class Listener:
    """One open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def block(self) -> list[str]:
        """The lines until the next empty one."""
        found = []
        for line in self._lines:
            if not line:
                return found
            found.append(line)
        raise EOFError

    def next(self) -> tuple[str, str, Any]:
        """The next event: id, name, data."""
        while True:
            lines = self.block()
            if not lines[0].startswith(":"):
                fields = dict(line.split(": ", 1) for line in lines)
                return fields["id"], fields["event"], json.loads(fields["data"])

    def names(self, count: int) -> list[str]:
        return [self.next()[1] for _ in range(count)]

    def silent(self) -> bool:
        """Whether the next word is a heartbeat."""
        return self.block()[0].startswith(":")


@contextmanager
def listening(client: httpx.Client, after: str | None = "0:0", **headers: str) -> Iterator[Listener]:
    query = {} if after is None else {"after": after}
    with client.stream("GET", PATH, params=query, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        listener = Listener(answer)
        assert listener.block() == [": events of credit records and recognition"]
        yield listener


def stream(ground: CreditGround, confirmations: int = 0, **settings: Any) -> EventStream:
    quick = {"poll_seconds": 0.02, "heartbeat_seconds": 0.3} | settings
    return EventStream(ground, Finality(DEVELOPMENT, confirmations), **quick)


@pytest.fixture
def client(ground: CreditGround) -> Iterator[httpx.Client]:
    with serving(stream(ground)) as open_client:
        yield open_client


def test_all_that_happens_is_told_in_the_order_of_the_chain(
    filing: Filing, follow: Follow, ground: CreditGround, client: httpx.Client, rpc: Rpc
) -> None:
    first, second, *_ = COMPANIES
    with listening(client) as early:
        names = filing.publish(filing.record(first, Kind.SERIOUS), filing.record(second, Kind.HONOUR))
        filing.change(first.key, names[0], State.OBJECTED, by=3)
        filing.change(first.key, names[0], State.UPHELD)
        filing.choose(3, Issued(2, Kind.SERIOUS))
        filing.choose(4, Named(names[0]))
        filing.change(first.key, names[0], State.WITHDRAWN)
        last = quantity(rpc.call("eth_blockNumber"))
        follow()
        told = [early.next() for _ in range(7)]
        assert early.silent()
    assert [name for _, name, _ in told] == [
        *("record.published", "record.published", "record.objected", "record.upheld"),
        *("recognition.changed", "recognition.changed", "record.withdrawn"),
    ]
    assert [data["block"] for *_, data in told] == [last - 5, *range(last - 5, last + 1)]
    positions = [Position.parse(event_id) for event_id, *_ in told]
    assert positions == sorted(set(positions)), "every id once, and in order"
    assert all(event_id == data["id"] for event_id, _, data in told)
    published, objected, withdrawn = told[0][2], told[2][2], told[6][2]
    assert published == {
        **{"id": told[0][0], "record": f"0x{names[0].hex()}", "contract": f"0x{ground.register.hex()}"},
        **{"subject_key": f"0x{first.key.hex()}", "member": "sichuan", "kind": "serious", "state": "published"},
        **{"decided_on": published["decided_on"], "last_day": published["last_day"], "measures": [101, 201]},
        **{"grounds": None, "pledge": None, "objector": None},
        **{"block": last - 5, "transaction_index": 0, "log_index": published["log_index"]},
        "time": filing.told(first.key)[0].time,
    }
    assert (objected["objector"], objected["grounds"]) == ("guizhou", f"0x{GROUNDS.hex()}")
    assert (withdrawn["state"], withdrawn["kind"], withdrawn["member"]) == ("withdrawn", "serious", "sichuan")
    assert told[4][2]["about"] == {"issuer": "sichuan", "kind": "serious"}
    assert told[5][2]["about"] == {"record": f"0x{names[0].hex()}"}
    assert (told[5][2]["member"], told[5][2]["applied"], told[5][2]["reason"]) == ("yunnan", False, f"0x{REASON.hex()}")
    with listening(client) as again:
        assert [again.next() for _ in range(7)] == told


def test_a_listener_goes_on_after_the_last_event_that_it_got(
    filing: Filing, follow: Follow, client: httpx.Client
) -> None:
    first, second, *_ = COMPANIES
    names = filing.publish(filing.record(first), filing.record(second))
    filing.change(first.key, names[0], State.OBJECTED)
    follow()
    with listening(client) as early:
        ids = [early.next()[0] for _ in range(3)]
    for told, left in ((ids[0], 2), (ids[1], 1), (ids[2], 0)):
        with listening(client, None, **{"Last-Event-ID": told}) as late:
            assert [late.next()[0] for _ in range(left)] == ids[3 - left :]
            assert late.silent()
    with listening(client, "0:0", **{"Last-Event-ID": ids[1]}) as browser:
        assert browser.next()[0] == ids[2], "what a browser says when it connects again is newer than its address"


def test_without_an_id_a_stream_begins_now(filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc) -> None:
    first = COMPANIES[0]
    (name,) = filing.publish(filing.record(first))
    follow()
    with listening(client, None) as listener:
        opened, said, data = listener.next()
        assert (said, data) == ("opened", {"block": quantity(rpc.call("eth_blockNumber"))})
        assert listener.silent()
        filing.change(first.key, name, State.OBJECTED)
        follow()
        assert listener.next()[1] == "record.objected"
    with listening(client, opened) as again:
        assert again.next()[1] == "record.objected", "nothing between two connections is lost"


def test_heartbeats_come_as_long_as_nothing_else_does(client: httpx.Client) -> None:
    with listening(client) as listener:
        started = time.monotonic()
        assert all(listener.silent() for _ in range(3))
        assert 0.8 <= time.monotonic() - started < 3


def test_final_alone_are_told_where_that_is_asked_for(
    filing: Filing, follow: Follow, ground: CreditGround, rpc: Rpc
) -> None:
    filing.publish(filing.record(COMPANIES[0]))
    follow()
    with serving(stream(ground, confirmations=2)) as client, ExitStack() as stack:
        final = stack.enter_context(client.stream("GET", PATH, params={"after": "0:0", "final": "true"}))
        cautious, eager = Listener(final), stack.enter_context(listening(client))
        assert eager.next()[1] == "record.published"
        assert [cautious.silent() for _ in range(3)] == [True] * 3
        later(rpc, 10)
        later(rpc, 10)
        follow()
        assert cautious.next()[1] == "record.published"


def test_what_the_chain_took_back_is_said_first_to_all(
    filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc, founded: Founded
) -> None:
    first = COMPANIES[0]
    (name,) = filing.publish(filing.record(first))
    common = quantity(rpc.call("eth_blockNumber"))
    follow()
    before = rpc.call("evm_snapshot")
    filing.change(first.key, name, State.OBJECTED)
    filing.change(first.key, name, State.WITHDRAWN)
    follow()
    with listening(client) as connected:
        ids = [connected.next()[0] for _ in range(3)]
        rpc.call("evm_revert", before)
        again = Filing(founded, rpc, {first.key: filing.told(first.key)[:1]})
        later(rpc, 100)
        again.change(first.key, name, State.OBJECTED)
        follow()
        gone_at, said, data = connected.next()
        assert (said, data) == ("reversed", {"from_block": common + 1})
        event_id, said, data = connected.next()
        assert (said, data["block"]) == ("record.objected", common + 2)
        assert connected.silent()
    for told, expected in (
        (ids[0], ["record.objected"]),
        (ids[1], ["reversed", "record.objected"]),
        (ids[2], ["reversed", "record.objected"]),
        (gone_at, ["record.objected"]),
        (event_id, []),
    ):
        with listening(client, told) as resumed:
            assert resumed.names(len(expected)) == expected, told
            assert resumed.silent()


def test_an_event_that_stands_at_the_same_place_on_another_branch_is_another(
    filing: Filing, follow: Follow, client: httpx.Client, rpc: Rpc, founded: Founded
) -> None:
    first, second, *_ = COMPANIES
    before = rpc.call("evm_snapshot")
    filing.publish(filing.record(first))
    follow()
    with listening(client) as early:
        gone, _, was = early.next()
    rpc.call("evm_revert", before)
    other = Filing(founded, rpc)
    later(rpc, 100)
    other.publish(other.record(second))
    follow()
    with listening(client, gone) as late:
        assert late.next()[1:] == ("reversed", {"from_block": was["block"]})
        event_id, said, now = late.next()
        assert (said, now["subject_key"]) == ("record.published", f"0x{second.key.hex()}")
        assert event_id != gone


def test_an_id_of_another_database_is_answered_from_the_beginning(
    filing: Filing, follow: Follow, client: httpx.Client
) -> None:
    filing.publish(filing.record(COMPANIES[0]))
    follow()
    with listening(client, str(Position(7, 3, 0))) as listener:
        assert listener.next()[:2] == ("0:0", "reversed")
        assert listener.next()[1] == "record.published"


def test_a_block_has_the_turn_of_the_last_that_it_is_younger_than(engine: Engine) -> None:
    with Session(engine) as session:
        for common in (50, 90, 20, None, 70):
            session.add(Reorganisation(seen_at=NOW, common_block=common, old_head=99, old_hash=bytes(32)))
        session.commit()
        turns = {block: end_of_block(session, block).turn for block in (0, 20, 21, 70, 71, 91)}
        assert turns == {0: 4, 20: 4, 21: 4, 70: 4, 71: 5, 91: 5}
        for position, reversed_from in (
            (Position(71, 4, 1), 71),
            (Position(70, 4, 1), None),
            (Position(60, 1, 1), 0),
            (Position(91, 2, 1), 0),
            (Position(0, 0, 0), None),
        ):
            assert page_after(session, str, position, 9).reversed_from == reversed_from, position


def test_what_is_read_while_the_chain_turns_is_read_again(engine: Engine) -> None:
    write_block(engine, 5, b"old")
    turned = []

    def turn(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "chain_credit_event" in statement and not turned:
            turned.append(True)
            with engine.begin() as other:
                roll_back(other, 4)
            write_block(engine, 5, b"new")
            with Session(engine) as session:
                session.add(Reorganisation(seen_at=NOW, common_block=4, old_head=5, old_hash=bytes(32)))
                session.commit()

    event.listen(engine, "after_cursor_execute", turn)
    with Session(engine) as session:
        (happening,) = page_after(session, str, Position(0, 0, 0), 9).happenings
    assert (happening.record, happening.position) == (b"new", Position(5, 1, 0))


def test_more_streams_than_allowed_are_put_off(filing: Filing, follow: Follow, ground: CreditGround) -> None:
    filing.publish(filing.record(COMPANIES[0]))
    follow()
    with serving(stream(ground, max_streams=3)) as client:
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(listening(client))
            refused = client.get(PATH)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
            assert refused.json()["type"] == "urn:bidledger:problem:unavailable"
        deadline = time.monotonic() + 10
        while client.send(client.build_request("GET", PATH), stream=True).status_code == 503:
            assert time.monotonic() < deadline, "a place is free again when its listener has gone"


def test_a_listener_that_takes_nothing_is_dropped_and_holds_nobody_up(
    filing: Filing, follow: Follow, ground: CreditGround, rpc: Rpc
) -> None:
    (name,) = filing.publish(filing.record(COMPANIES[0]))
    follow()
    many(ground, name, 60_000)
    with serving(stream(ground, max_streams=2, patience_seconds=0.5)) as client:
        host, port = client.base_url.host, client.base_url.port
        assert port is not None
        stuck = socket.create_connection((host, port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(f"GET {PATH}?after=0:0 HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        with listening(client) as quick:
            assert quick.names(2000) == ["record.published"] + ["record.objected"] * 1999
            deadline = time.monotonic() + 20
            while (answer := client.send(client.build_request("GET", PATH), stream=True)).status_code == 503:
                answer.close()
                assert time.monotonic() < deadline, "the place of the one that takes nothing is not given up"
                time.sleep(0.1)
            answer.close()
        stuck.close()


def test_a_server_that_stops_ends_the_streams(ground: CreditGround) -> None:
    application = stream(ground, heartbeat_seconds=60)
    with serving(application) as client, listening(client) as listener:
        application.stop()
        with pytest.raises(EOFError):
            listener.block()


@pytest.mark.parametrize(
    "wrong", ["1", "1:", ":1", "-1:0", "1:0:0", "0x1:0", "1:" + "9" * 25, "9" * 19 + ":0", "1:0\n"]
)
def test_an_id_that_is_none_is_refused(client: httpx.Client, wrong: str) -> None:
    assert client.get(PATH, params={"after": wrong}).status_code == 400
    if wrong.isprintable():
        assert client.get(PATH, headers={"Last-Event-ID": wrong}).status_code == 400


def test_other_requests_are_refused(client: httpx.Client) -> None:
    assert client.post(PATH).status_code == 405
    assert client.get(PATH, params={"final": "yes"}).status_code == 400


def write_block(engine: Engine, number: int, record: bytes) -> None:
    """A block in which a record was published, beside the chain."""
    with Session(engine) as session:
        session.add(Block(number=number, hash=record.ljust(32), timestamp=number))
        row = CreditEvent(
            block_number=number,
            transaction_index=0,
            log_index=0,
            subject=bytes(32),
            record=record,
            contract=bytes(20),
            state=State.PUBLISHED,
            member=2,
            kind=Kind.GENERAL,
            decided_on=20000,
            last_day=20200,
            measures=",101,",
            publisher=bytes(20),
        )
        session.add(row)
        session.commit()


def many(ground: CreditGround, record: bytes, count: int) -> None:
    """Rows of as many further events of a record, written beside the chain: it would take hours to make them."""
    with Session(ground.engine) as session:
        first = session.exec(select(CreditEvent).where(CreditEvent.record == record)).one()
        values = first.model_dump() | {"state": State.OBJECTED, "kind": None, "measures": None}
        rows = [values | {"log_index": first.log_index + number} for number in range(1, count + 1)]
        session.execute(CreditEvent.__table__.insert(), rows)  # type: ignore[attr-defined]
        session.commit()
