"""Acts of a member over its real API: asked for, signed with the keys of those who must, sent, and followed."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
from coincurve import PrivateKey
from fastapi import APIRouter
from filing import COMPANIES, MEASURES
from founding import Founded, block_time
from sqlalchemy import Engine

from anchors.chain.keccak import keccak256
from anchors.credit import Kind, day_at
from anchors.subjects import Subject
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit import commands
from ledger_service.credit.acts import CreditActs
from ledger_service.credit.ground import CreditGround
from ledger_service.keys import EthereumKey
from ledger_service.log.api_keys import ApiKeys, KeyEntry, Scope
from ledger_service.operations import routes as operations
from ledger_service.operations.desk import Desk
from ledger_service.operations.sending import Sending

MEMBER = 2
KEY, WEAK_KEY = "credit-key", "submit-key"
GROUNDS, PLEDGE, STATEMENT = ("0x" + letter * 64 for letter in "678")
HOUR = 3600
REASON = "0x" + os.urandom(32).hex()
OPEN = ("collecting", "ready", "sent", "mined")


def api_keys() -> ApiKeys:
    scopes = {KEY: Scope.CREDIT, WEAK_KEY: Scope.SUBMIT}
    entries = [
        KeyEntry(id=key, sha256=hashlib.sha256(key.encode()).hexdigest(), scopes=frozenset({scope}), quota=None)
        for key, scope in scopes.items()
    ]
    return ApiKeys(entries, 0, None)


def routers(ground: CreditGround) -> tuple[APIRouter, APIRouter]:
    """By which acts are asked for, signed and followed."""
    desk = Desk(ground.engine, ground.network, ground.clock)
    return commands.routes(ground, api_keys()), operations.routes(desk, api_keys())


def fresh_key(secret: bytes) -> EthereumKey:
    """A key that nobody has a role with; `secret` is one byte."""
    private = PrivateKey(secret * 32)
    return EthereumKey(keccak256(private.public_key.format(compressed=False)[1:])[12:], private)


def fresh_digest() -> str:
    """A digest that nobody has seen."""
    return "0x" + os.urandom(32).hex()


@dataclass
class Acting:
    """What the people of the members do at one member's API, and its job that sends."""

    client: httpx.Client
    founded: Founded
    rpc: Rpc
    engine: Engine
    ground: CreditGround
    clock: Any  # the fixture, which tests set
    follow: Callable[[], None]
    confirmations: int = 0
    document: bytes = field(default_factory=lambda: os.urandom(32))
    """Of every decision: ganache shows for ever what an earlier test sent, and mines no more what is the same."""

    # ---- asking ----

    def ask(self, method: str, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        self.follow()
        fields = {"authorization": f"Bearer {KEY}", **headers}
        return self.client.request(method, path, json=body, headers=fields)

    def drawn_up(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.ask(method, path, body)
        assert answer.status_code == 202, answer.text
        operation: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/operations/{operation['id']}"
        return operation

    def record(
        self, subject: Subject | None = COMPANIES[0], kind: str = "general", **changes: object
    ) -> dict[str, Any]:
        decided = self.today - timedelta(days=10)
        months = {"honour": 365, "general": 200, "serious": 600}[kind]
        plain = {
            "subject": None if subject is None else str(subject),
            "kind": kind,
            "decided_on": decided.isoformat(),
            "last_day": (decided + timedelta(days=months)).isoformat(),
            "measures": list(MEASURES[Kind[kind.upper()]]),
            "statement": STATEMENT,
            "document": "0x" + self.document.hex(),
        }
        return {name: value for name, value in (plain | changes).items() if value is not None}

    def publishing(self, *records: dict[str, Any], **rest: object) -> dict[str, Any]:
        return self.drawn_up("POST", "/v1/credit/records", {"records": list(records), **rest})

    def changing(self, record: str, what: str, **body: object) -> dict[str, Any]:
        return self.drawn_up("POST", f"/v1/credit/records/{record}/{what}", {"grounds": GROUNDS, **body})

    @property
    def today(self) -> date:
        return day_at(block_time(self.rpc))

    # ---- signing ----

    def key(self, member: int, role: str) -> EthereumKey:
        return self.founded.opened[member, role]

    def signature(self, operation: dict[str, Any], member: int, role: str) -> str:
        return "0x" + self.key(member, role).sign(bytes.fromhex(operation["digest"][2:])).hex()

    def endorse(self, operation: dict[str, Any], member: int, role: str) -> httpx.Response:
        return self.hand_in(operation, self.signature(operation, member, role))

    def hand_in(self, operation: dict[str, Any], signature: str) -> httpx.Response:
        self.follow()
        body = {"operation": operation["id"], "signature": signature}
        return self.client.post("/v1/credit/endorsements", json=body)

    def sign_all(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Give all signatures that an operation needs; the operation after the last."""
        needed, signers = operation["needed"], []
        if needed["publisher"]:
            signers.append((MEMBER, "credit-publisher"))
        if needed["regulator"]:
            signers.append((MEMBER, "regulator"))
        signers += [(member, "regulator") for member in (1, 3, 4)[: needed["endorsements"]]]
        for signer in signers:
            answer = self.endorse(operation, *signer)
            assert answer.status_code == 202, answer.text
        signed: dict[str, Any] = answer.json()
        return signed

    # ---- sending ----

    def sending(self, rpc: Rpc | None = None) -> Sending:
        """The job anew, as after a restart."""
        network, finality = self.founded.network, Finality.pinned(self.founded.network, self.confirmations)
        acts, sender = CreditActs(self.ground), self.key(1, "anchorer")
        return Sending(self.engine, rpc or self.rpc, network.chain_id, sender, acts, finality, self.clock)

    def settle(self, operation: dict[str, Any], *, restarting: bool = False) -> dict[str, Any]:
        """Follow and send until nothing more comes of an operation; a job for each step if it restarts."""
        sending = self.sending()
        for _ in range(30):
            self.follow()
            (self.sending() if restarting else sending).step()
            found = self.show(operation)
            if found["state"] not in OPEN:
                return found
        raise AssertionError(f"the operation stays {found['state']}")

    def show(self, operation: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.get(f"/v1/operations/{operation['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def operations(self, state: str | None = None) -> list[dict[str, Any]]:
        query = {} if state is None else {"state": state}
        answer = self.client.get("/v1/operations", params=query, headers={"authorization": f"Bearer {KEY}"})
        found: list[dict[str, Any]] = answer.json()["operations"]
        return found

    def done(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Sign an operation, send it, and see that it is final."""
        signed = self.sign_all(operation)
        assert signed["state"] == "ready"
        final = self.settle(signed)
        assert final["state"] == "final", final
        return final

    def published(self, *records: dict[str, Any]) -> list[str]:
        """Publish records; their names."""
        names: list[str] = self.done(self.publishing(*records or [self.record()]))["records"]
        return names
