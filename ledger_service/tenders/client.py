"""A client of a member's API of tenders: reads, bids, acts, signatures and claims.

Promises one method for each route that a command needs. What comes back is data: a page of the opened list proves
itself against the chain, all else is the member's word.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from anchors.tenders.audit import MAX_AUDIT_BYTES
from ledger_service.connection import MAX_PAGE, Connection

__all__ = ["TenderClient", "Told"]

Told: TypeAlias = dict[str, Any]  # JSON values as the API gave them
_TENDERS: Final = "/v1/tenders"


class TenderClient(Connection):
    """One connection to a member's API; the arguments are those of `Connection`.

    Every method raises ServiceError: the API's refusal, or Unavailable where nobody answers or not in JSON.
    """

    def tenders(self, **query: str | None) -> Iterator[Told]:
        """Tenders in the order of their notices; `state`, `member` and `as_of` narrow them."""
        given: dict[str, str | int] = {name: value for name, value in query.items() if value is not None}
        return self.pages(_TENDERS, "tenders", {**given, "limit": MAX_PAGE})

    def tender(self, tender: str, as_of: str | None = None) -> Told:
        """One with all that happened to it."""
        return self.ask_json("GET", _path(tender), params={} if as_of is None else {"as_of": as_of})

    def opened(self, tender: str, commitment: str) -> Told:
        """Whether a bid was opened, with the proof."""
        return self.ask_json("GET", f"{_path(tender)}/bids/{_segment(commitment)}/opened")

    def audit(self, tender: str) -> bytes:
        """The audit's file, which proves itself to `bidledger tender audit`."""
        return self.ask("GET", f"{_path(tender)}/audit", MAX_AUDIT_BYTES).content

    def ocds(self, tender: str, as_of: str | None = None) -> bytes:
        """A tender as an OCDS release package."""
        return self.ask("GET", f"{_path(tender)}/ocds", params={} if as_of is None else {"as_of": as_of}).content

    def tenders_of(self, digest: str) -> list[str]:
        """The names of tenders whose notice has, or had, a digest."""
        return list(map(str, self.ask_json("GET", f"/v1/ocds/notices/{_segment(digest)}")["tenders"]))

    def bid(self, tender: str, commitments: Sequence[str], idempotency_key: str) -> Told:
        """Hand in bids; the receipts of the log and of the tender."""
        return self._post(f"{_path(tender)}/bids", {"commitments": list(commitments)}, idempotency_key)

    def publish(self, body: Mapping[str, object], idempotency_key: str) -> Told:
        """Announce a tender; the operation."""
        return self._post(_TENDERS, body, idempotency_key)

    def act(self, tender: str, what: str, body: Mapping[str, object], idempotency_key: str) -> Told:
        """Any other act, by the last part of its route; the operation."""
        return self._post(f"{_path(tender)}/{what}", body, idempotency_key)

    def claim(self, receipt: Mapping[str, object]) -> Told:
        """Claim by a bid receipt, as the host gave it; the operation."""
        words = {name: value for name, value in receipt.items() if name != "signature"}
        body = {"receipt": words, "signature": receipt.get("signature")}
        return self.ask_json("POST", f"{_path(str(receipt.get('tender')))}/dropped-bid-claims", json=body)

    def hand_in_features(self, tender: str, records: Sequence[Mapping[str, object]]) -> Told:
        """Hand in opened records of feature codes; what is kept of each."""
        return self.ask_json("POST", f"{_path(tender)}/feature-records", json={"records": list(records)})

    def leads(self, tender: str, **query: str | None) -> Told:
        """What was compared of a tender's feature codes, and all leads; `where` and `as_of` narrow them."""
        path, given = f"{_path(tender)}/leads", {name: value for name, value in query.items() if value is not None}
        first = self.ask_json("GET", path, params={**given, "limit": 1})
        return first | {"leads": list(self.pages(path, "leads", {**given, "limit": MAX_PAGE}))}

    def operations(self, state: str) -> Iterator[Told]:
        """The member's acts in a state, the oldest first."""
        return self.pages("/v1/operations", "operations", {"state": state, "limit": MAX_PAGE})

    def operation(self, name: str) -> Told:
        """What has become of an act."""
        return self.ask_json("GET", f"/v1/operations/{_segment(name)}")

    def sign(self, name: str, signature: bytes) -> Told:
        """Hand in a signature, 65 bytes, for an operation; the operation."""
        body = {"signature": "0x" + signature.hex()}
        return self.ask_json("POST", f"/v1/operations/{_segment(name)}/signatures", json=body)

    def _post(self, path: str, body: Mapping[str, object], idempotency_key: str) -> Told:
        return self.ask_json("POST", path, json=body, headers={"Idempotency-Key": idempotency_key})


def _path(tender: str) -> str:
    return f"{_TENDERS}/{_segment(tender)}"


def _segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe=":")
