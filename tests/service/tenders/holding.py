"""A tender held over a member's real API: asked for, signed with the keys of those who must, sent, and followed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from bidding import Room, api_keys
from founding import CODES, Founded, block_time, later
from serving import application, serving
from tendering import ANSWER_DAYS, DAY, HOUR, PANEL

from anchors.tenders import BidReceipt, least_until
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.operations import routes as operations
from ledger_service.operations.acts import ActsByKind
from ledger_service.operations.desk import Desk
from ledger_service.operations.sending import Sending
from ledger_service.tenders import commands
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.rooms import acts

DIGEST, REASON, GROUNDS, PAPER = ("0x" + letter * 64 for letter in "1234")
OPEN = ("collecting", "ready", "sent", "mined")


@dataclass
class Holding:
    """What the people of the members do at one member's API, and its job that sends."""

    room: Room
    founded: Founded
    rpc: Rpc
    ground: TenderGround
    clock: Any  # the fixture
    follow: Callable[[], None]

    # ---- bodies ----

    def notice(self, **changes: object) -> dict[str, Any]:
        plain = {
            "members": ["chongqing", "sichuan", "guizhou"],
            "digest": DIGEST,
            "deadline": self.now + DAY,
            "answer_days": ANSWER_DAYS,
        }
        return {"notice": plain | changes}

    def evaluation(self, **changes: object) -> dict[str, Any]:
        plain = {"report": PAPER, "sites": ["chongqing", "guizhou"], "panel": "0x" + PANEL.sealed().hex()}
        return plain | {"result": PAPER} | changes

    def candidates(self, **changes: object) -> dict[str, Any]:
        return {"list": PAPER, "until": least_until(self.now + HOUR)} | changes

    def award(self, **changes: object) -> dict[str, Any]:
        drawn, signers = (["0x" + one.hex() for one in experts] for experts in (PANEL.drawn, PANEL.signers))
        return {
            "award": PAPER,
            "panel": {"salt": "0x" + PANEL.salt.hex(), "drawn": drawn, "signers": signers} | changes,
        }

    # ---- asking ----

    @property
    def now(self) -> int:
        return block_time(self.rpc)

    def ask(self, path: str, body: Any, key: str | None = "officer", **headers: str) -> httpx.Response:
        self.follow()
        fields = headers if key is None else {"authorization": f"Bearer secret-{key}", **headers}
        return self.room.client.post(path, json=body, headers=fields)

    def drawn_up(self, path: str, body: Any, key: str | None = "officer", **headers: str) -> dict[str, Any]:
        answer = self.ask(path, body, key, **headers)
        assert answer.status_code == 202, answer.text
        operation: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/operations/{operation['id']}"
        return operation

    def told(self, tender: str) -> dict[str, Any]:
        self.follow()
        answer = self.room.client.get(tender)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    # ---- signing and sending ----

    def sign(self, operation: dict[str, Any], member: int, role: str) -> httpx.Response:
        self.follow()
        signature = self.founded.opened[member, role].sign(bytes.fromhex(operation["digest"][2:]))
        body = {"signature": "0x" + signature.hex()}
        return self.room.client.post(f"/v1/operations/{operation['id']}/signatures", json=body)

    def sign_all(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Give all signatures that an operation needs; the operation after the last."""
        needed = operation["needed"]
        signers = [(CODES.index(code) + 1, "tender-officer") for code in needed.get("officers", ())]
        if needed["regulator"]:
            signers.append((self.ground.member.number, "regulator"))
        for signer in signers:
            answer = self.sign(operation, *signer)
            assert answer.status_code == 202, answer.text
            operation = answer.json()
        return operation

    def settle(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Follow and send until nothing more comes of an operation."""
        network, finality = self.founded.network, Finality.pinned(self.founded.network, 0)
        sender, kinds = self.founded.opened[1, "anchorer"], ActsByKind(acts(self.ground))
        sending = Sending(self.ground.engine, self.rpc, network.chain_id, sender, kinds, finality, self.clock)
        for _ in range(30):
            self.follow()
            sending.step()
            found: dict[str, Any] = self.room.client.get(f"/v1/operations/{operation['id']}").json()
            if found["state"] not in OPEN:
                return found
        raise AssertionError(f"the operation stays {found['state']}")

    def done(self, path: str, body: Any, key: str | None = "officer") -> dict[str, Any]:
        """Ask for an act, sign it, send it, and see that it is final."""
        signed = self.sign_all(self.drawn_up(path, body, key))
        assert signed["state"] == "ready", signed
        final = self.settle(signed)
        assert final["state"] == "final", final
        return final

    def announced(self, **changes: object) -> str:
        """Announce a tender; its path."""
        (name,) = self.done("/v1/tenders", self.notice(**changes))["records"]
        self.clock.set(self.now)
        return f"/v1/tenders/{name}"

    def wait_until(self, time: int) -> None:
        """Until the chain and the service's clock have come to a time."""
        later(self.rpc, max(0, time - self.now))
        self.clock.set(max(time, self.now))
        self.follow()

    def closed(self, **changes: object) -> str:
        """A tender whose bids are closed."""
        tender = self.announced(**changes)
        self.wait_until(self.told(tender)["opening"])
        self.done(f"{tender}/closing", {})
        return tender

    def receipt(
        self, tender: str, commitment: bytes, received_at: int, signer: tuple[int, str] = (1, "receipt-signer")
    ) -> dict[str, Any]:
        """A claim's body: what a receipt signer has signed."""
        receipt = BidReceipt(bytes.fromhex(tender[-64:]), commitment, 7, received_at)
        digest = receipt.digest(self.ground.register, self.founded.network.chain_id)
        words = {"tender": tender[-66:], "commitment": "0x" + commitment.hex(), "index": 7, "received_at": received_at}
        return {"receipt": words, "signature": "0x" + self.founded.opened[signer].sign(digest).hex()}

    @contextmanager
    def served(self) -> Iterator["Holding"]:
        """The same at the API of this ground's member alone, which takes no bids."""
        keys = api_keys(0)
        desk = Desk(self.ground.engine, self.ground.network, self.ground.clock)
        app = application(commands.routes(self.ground, keys), operations.routes(desk, keys))
        with serving(app) as client:
            yield replace(self, room=replace(self.room, client=client))
