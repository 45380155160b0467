"""A client of a member's API for who has documents: receipts for commitments, and what proves them later."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ledger_service import errors
from ledger_service.connection import Connection


@dataclass(frozen=True, slots=True)
class NotYet:
    """The answer is not there yet; ask again after so many seconds."""

    retry_after: float


class Client(Connection):
    """A connection to a member's API that asks about evidence."""

    def accept(self, commitments: list[bytes], idempotency_key: str) -> list[dict[str, Any]]:
        """Submit commitments and return the receipts as the API gave them, in the same order.

        Raises:
            ServiceError: as `ask` says.
        """
        answer = self.ask_json(
            "POST",
            "/v1/evidence",
            json={"commitments": ["0x" + commitment.hex() for commitment in commitments]},
            headers={"Idempotency-Key": idempotency_key},
        )
        receipts = answer.get("receipts")
        if not isinstance(receipts, list) or len(receipts) != len(commitments):
            raise errors.Unavailable(f"{self.url} answered something other than receipts; is it a bidledger API?")
        return receipts

    def proof(self, commitment: bytes) -> dict[str, Any] | NotYet:
        """What an evidence file needs beside the statement and the receipt, or NotYet while there is no proof."""
        answer = self.ask("GET", f"/v1/evidence/0x{commitment.hex()}/proof")
        if answer.status_code == HTTPStatus.ACCEPTED:
            return NotYet(float(answer.headers.get("Retry-After", 1)))
        return self.mapping(answer)

    def status(self) -> dict[str, Any]:
        """The service's status document."""
        return self.ask_json("GET", "/v1/status")
