"""The bidders of the third act: each with a key of its own, handing in, replacing and withdrawing at the host's API.

A bid's document stays with its bidder; only the commitment leaves. The receipt that a claim rests on is kept in a file.
"""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coincurve import PrivateKey

from anchors.chain.keccak import keccak256
from anchors.commitment import Kind, Statement, commit, layout
from anchors.network import Network
from anchors.tenders import WITHDRAWN, Replacement
from ledger_service.chain.contracts import TENDER_REGISTER
from ledger_service.demo.members import FINAL_SECONDS, POLL_SECONDS, Member, write
from ledger_service.errors import Unavailable
from ledger_service.keys import EthereumKey

__all__ = ["Bid", "Bidder", "wait_until_anchored"]


@dataclass(frozen=True, slots=True)
class Bid:
    """A bid that the host has receipted."""

    tender: str
    statement: Statement
    receipt: Path

    @property
    def commitment(self) -> str:
        """What is logged, and opened."""
        return "0x" + commit(self.statement).hex()


@dataclass(frozen=True, slots=True)
class Bidder:
    """A bidder, whose key alone may replace or withdraw its bids."""

    name: str
    key: EthereumKey
    where: Path  # its files

    @classmethod
    def called(cls, name: str, where: Path) -> "Bidder":
        """A bidder with a new key."""
        private = PrivateKey()
        address = keccak256(private.public_key.format(compressed=False)[1:])[12:]
        return cls(name, EthereumKey(address, private), where / name)

    def hand_in(self, host: Member, tender: str, price: int) -> Bid:
        """Write a bid, hand its commitment in, and keep the host's receipt."""
        offer = write(self.where / f"{tender[2:10]}-{price}.txt", f"投标文件 {self.name}\nPrice: {price} CNY\n")
        document = hashlib.sha256(offer.read_bytes()).digest()
        salt = secrets.token_bytes(32)
        statement = Statement(Kind.BID_DOCUMENT, tender, None, self.key.address, document, None, None, salt)
        bid = Bid(tender, statement, offer.with_suffix(".bid-receipt.json"))
        answer = host.ask("POST", f"/v1/tenders/{tender}/bids", {"commitments": [bid.commitment]})
        write(bid.receipt, json.dumps(answer["bid_receipts"][0], indent=2) + "\n")
        return bid

    def replace(self, host: Member, network: Network, bid: Bid, by: Bid | None) -> None:
        """Sign that another bid stands in place of one, or none, and tell the host."""
        other = WITHDRAWN if by is None else _word(by.commitment)
        act = Replacement(_word(bid.tender), _word(bid.commitment), other, int(time.time()))
        register = next(one for one in network.contracts_named(TENDER_REGISTER) if one.to_block is None)
        content: dict[str, Any] = {
            "commitment": bid.commitment,
            "replacement": None if by is None else by.commitment,
            "signed_at": act.signed_at,
            "preimage": "0x" + layout(bid.statement).hex(),
            "signature": "0x" + self.key.sign(act.digest(register.address, network.chain_id)).hex(),
        }
        host.ask("POST", f"/v1/tenders/{bid.tender}/replacements", content)


def wait_until_anchored(host: Member, bids: list[Bid]) -> None:
    """Wait until the host's log is anchored with all of these bids, in blocks that are final."""
    deadline = time.monotonic() + FINAL_SECONDS
    for bid in bids:
        while host.ask("GET", f"/v1/evidence/{bid.commitment}")["state"] != "final":
            if time.monotonic() > deadline:
                raise Unavailable(f"the bid {bid.commitment} is not anchored in a final block")
            time.sleep(POLL_SECONDS)


def _word(text: str) -> bytes:
    return bytes.fromhex(text[2:])
