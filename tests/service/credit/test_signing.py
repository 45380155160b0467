"""`bidledger credit sign` and `operation`: people read what they sign, and no service makes them sign anything else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from acting import GROUNDS, PLEDGE, REASON, Acting, routers
from command_line import bidledger
from filing import COMPANIES, Filing
from founding import CODES, Founded, later
from serving import application, serving
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from anchors.network import write_network
from ledger_service.alliance import routes as alliance
from ledger_service.chain.rpc import Rpc
from ledger_service.credit import routes
from ledger_service.credit.client import CreditClient
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.signable import NotAsTold, read_signable
from ledger_service.errors import Exit

DAY = 24 * 3600
MEMBERS = {code: number for number, code in enumerate(CODES, start=1)}


class Tampering:
    """Alters operations on their way to whoever asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.alter: Callable[[dict[str, Any]], None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.alter is None or scope["type"] != "http" or not scope["path"].startswith("/v1/operations/"):
            await self._app(scope, receive, send)
            return
        body = b""

        async def keep(message: Any) -> None:
            nonlocal body
            body += message.get("body", b"")

        await self._app(scope, Request(scope, receive).receive, keep)
        operation = json.loads(body)
        self.alter(operation)
        await Response(json.dumps(operation), media_type="application/json")(scope, receive, send)


@pytest.fixture
def service(ground: CreditGround) -> Tampering:
    network_file = write_network(ground.network)
    return Tampering(application(*routers(ground), routes.routes(ground), alliance.routes(ground.engine, network_file)))


@pytest.fixture
def acting(
    service: Tampering, founded: Founded, rpc: Rpc, ground: CreditGround, clock: Any, follow: Callable[[], None]
) -> Iterator[Acting]:
    with serving(service) as client:
        yield Acting(client, founded, rpc, ground.engine, ground, clock, follow)


def sign(acting: Acting, operation: dict[str, Any], member: int, role: str, *options: object) -> Any:
    made, url = acting.founded.members[member], str(acting.client.base_url)
    key = ("--keystore", made.keystores[role], "--password-file", made.password_file)
    return bidledger("credit", "sign", operation["id"], "--url", url, *key, *options)


def said(acting: Acting, operation: dict[str, Any]) -> list[str]:
    """What a signer is shown of an operation, whose digest is worked out from it."""
    with CreditClient(str(acting.client.base_url)) as client:
        signable = read_signable(client.operation(operation["id"]), client.record, MEMBERS)
    assert "0x" + signable.digest.hex() == operation["digest"]
    assert signable.deadline == operation["deadline"]
    return list(signable.lines)


def test_the_people_of_a_member_sign_and_follow(acting: Acting, tmp_path: Path) -> None:
    operation = acting.publishing(acting.record())
    network = tmp_path / "network.json"
    network.write_bytes(write_network(acting.founded.network))
    done = sign(acting, operation, 2, "credit-publisher", "--yes")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"publish {operation['id']}: collecting"), done.stderr
    assert "missing: regulator" in done.stdout
    shown = done.stderr
    for part in (str(COMPANIES[0]), "general dishonesty", "measure 101", "0x" + acting.document.hex(), "good until"):
        assert part in shown
    done = sign(acting, operation, 2, "regulator", "--yes", "--json", "--network", network)
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "ready"), done.stderr
    acting.settle(operation)
    followed = bidledger("credit", "operation", operation["id"], "--url", acting.client.base_url, "--wait", 5)
    assert followed.returncode == 0
    assert f"publish {operation['id']}: final" in followed.stdout
    assert f"record {operation['records'][0]}" in followed.stdout


def test_nothing_is_signed_without_a_yes(acting: Acting) -> None:
    operation = acting.publishing(acting.record())
    refused = sign(acting, operation, 2, "regulator")
    assert refused.returncode != 0
    assert str(COMPANIES[0]) in refused.stderr
    assert acting.show(operation)["signatures"] == []


def test_a_refusal_of_the_service_is_told(acting: Acting) -> None:
    operation = acting.publishing(acting.record())
    refused = sign(acting, operation, 2, "governor", "--yes")
    assert refused.returncode == Exit.USAGE
    assert "is a governor" in refused.stderr


def test_an_operation_that_was_refused(acting: Acting) -> None:
    operation = acting.publishing(acting.record())
    acting.clock.set(operation["deadline"] + 1)
    found = bidledger("credit", "operation", operation["id"], "--url", acting.client.base_url, "--json")
    assert (found.returncode, json.loads(found.stdout)["state"]) == (Exit.REFUTED, "expired")


class TestWhatIsShown:
    def test_of_a_serious_record_and_an_honour(self, acting: Acting) -> None:
        operation = acting.publishing(acting.record(kind="serious"), acting.record(COMPANIES[1], "honour"))
        lines = said(acting, operation)
        assert lines[0] == "sichuan publishes"
        assert [line.strip() for line in lines if "CN-USCC" in line] == [str(COMPANIES[0]), str(COMPANIES[1])]
        assert any("serious dishonesty" in line for line in lines)

    def test_of_each_change(self, acting: Acting) -> None:
        (name,) = acting.published(acting.record(kind="serious"))
        key = "0x" + COMPANIES[0].key.hex()
        lines = said(acting, objection := acting.changing(name, "objections"))
        assert lines[0] == f"record {name} becomes objected"
        assert f"  it is sichuan's and published, of subject key {key}:" in lines
        acting.done(objection)
        assert said(acting, acting.changing(name, "rulings", ruling="uphold"))[0].endswith("becomes upheld")
        assert said(acting, acting.changing(name, "withdrawal"))[1] == f"  grounds {GROUNDS}"
        lighter = acting.record(subject=None)
        lines = said(acting, correction := acting.changing(name, "rulings", ruling="correct", content=lighter))
        assert "  and will be:" in lines
        acting.done(correction)
        later(acting.rpc, 100 * DAY)
        assert f"  pledge {PLEDGE}" in said(acting, acting.changing(name, "repairs", pledge=PLEDGE))
        change = {"record": name, "state": "repaired", "grounds": GROUNDS, "pledge": PLEDGE}
        operation = acting.drawn_up("POST", "/v1/credit/changes", {"changes": [change]})
        assert said(acting, operation)[0] == f"record {name} becomes repaired"

    def test_of_a_choice(self, acting: Acting, filing: Filing) -> None:
        (name,) = filing.publish(filing.record(COMPANIES[0], member=3, document=acting.document))
        body = {"applied": False, "reason": REASON}
        kind = acting.drawn_up("PUT", "/v1/recognition/kinds/guizhou/serious", body)
        assert said(acting, kind)[0] == "sichuan does not apply records of guizhou that are serious dishonesty"
        one = acting.drawn_up("PUT", f"/v1/recognition/records/0x{name.hex()}", body)
        assert said(acting, one)[0] == f"sichuan does not apply the record 0x{name.hex()}"


def _set(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Put a value at a path of an operation."""

    def alter(operation: dict[str, Any]) -> None:
        *parts, last = path.split("/")
        at: Any = operation
        for part in parts:
            at = at[int(part) if isinstance(at, list) else part]
        at[int(last) if isinstance(at, list) else last] = value

    return alter


class TestAServiceThatLies:
    @pytest.mark.parametrize(
        "alter",
        [
            _set("request/records/0/subject", str(COMPANIES[1])),
            _set("request/records/0/last_day", "2027-01-01"),
            _set("request/records/0/measures", [102]),
            _set("request/records/0/kind", "honour"),
            _set("request/records/0/document", GROUNDS),
            _set("request/records", []),
            _set("typed_data/message/records/0/subject", "0x" + COMPANIES[1].key.hex()),
            _set("typed_data/message/records/0/measures", "4"),
            _set("typed_data/message/deadline", 2**40),
            _set("typed_data/domain/name", "other"),
            _set("typed_data/primaryType", "CreditChanges"),
            _set("typed_data/types/CreditRecord", []),
            _set("typed_data/message", None),
            _set("typed_data", None),
            _set("digest", GROUNDS),
            _set("act", "withdraw"),
            _set("act", "nothing"),
            _set("act", []),
        ],
    )
    def test_gets_no_signature(self, acting: Acting, service: Tampering, alter: Callable[[Any], None]) -> None:
        operation = acting.publishing(acting.record())
        service.alter = alter
        with CreditClient(str(acting.client.base_url)) as client:
            told = client.operation(operation["id"])
            with pytest.raises(NotAsTold):
                read_signable(told, client.record, MEMBERS)

    def test_about_a_change(self, acting: Acting, service: Tampering) -> None:
        names = acting.published(acting.record(), acting.record(COMPANIES[1]))
        operation = acting.changing(names[0], "withdrawal")
        service.alter = _set("records/0", names[1])
        with CreditClient(str(acting.client.base_url)) as client, pytest.raises(NotAsTold):
            read_signable(client.operation(operation["id"]), client.record, MEMBERS)

    def test_by_the_command(self, acting: Acting, service: Tampering) -> None:
        operation = acting.publishing(acting.record())
        service.alter = _set("request/records/0/subject", str(COMPANIES[1]))
        refused = sign(acting, operation, 2, "regulator", "--yes")
        assert refused.returncode == Exit.REFUTED
        assert "Do not sign" in refused.stderr
        service.alter = None
        assert acting.show(operation)["signatures"] == []

    def test_a_contract_that_the_network_file_does_not_name(
        self, acting: Acting, tmp_path: Path, founded: Founded
    ) -> None:
        operation = acting.publishing(acting.record())
        network = json.loads(write_network(founded.network))
        for contract in network["contracts"]:
            contract["address"] = "0x" + contract["address"][4:] + "00"
        other = tmp_path / "other.json"
        other.write_text(json.dumps(network))
        refused = sign(acting, operation, 2, "regulator", "--yes", "--network", other)
        assert refused.returncode != 0
        assert acting.show(operation)["signatures"] == []
