"""A client of a member's credit API: what is told of companies, acts, screenings and certificates.

Promises one method for each route that a command needs. What comes back is data: a certificate proves itself, all else
is the member's word.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from anchors.credit.certificate_file import MAX_CERTIFICATE_BYTES
from ledger_service.connection import MAX_PAGE, Connection

__all__ = ["CreditClient", "Told"]

Told: TypeAlias = dict[str, Any]  # JSON values as the API gave them

_MAX_SCREENING_BYTES: Final = 4 * MAX_CERTIFICATE_BYTES  # a certificate within JSON, and what it is about


class CreditClient(Connection):
    """One connection to a member's credit API; the arguments are those of `Connection`.

    Every method raises ServiceError: the API's refusal, or Unavailable where nobody answers or not in JSON.
    """

    def subject(
        self, subject: str, *, ended: bool = False, as_of: str | None = None, recognized_by: str | None = None
    ) -> Told:
        """What applies to a company, and with `ended` also what does no more."""
        query = _given(as_of=as_of, recognized_by=recognized_by, ended="true" if ended else None)
        return self.ask_json("GET", f"/v1/subjects/{_segment(subject)}", params=query)

    def record(self, record: str) -> Told:
        """A record with its whole history."""
        return self.ask_json("GET", f"/v1/credit/records/{_segment(record)}")

    def records(self, **query: str | None) -> Iterator[Told]:
        """Records in the order of their publication; `member`, `kind`, `state`, `measure` and `as_of` narrow them."""
        return self.pages("/v1/credit/records", "records", {**_given(**query), "limit": MAX_PAGE})

    def effective_list(self, member: str, **query: str | None) -> Iterator[Told]:
        """All records that a member applies; `kind` and `as_of` narrow them."""
        path = f"/v1/members/{_segment(member)}/effective-list"
        return self.pages(path, "records", {**_given(**query), "limit": MAX_PAGE})

    def members(self) -> Iterator[Told]:
        """The members of the alliance, by number."""
        return self.pages("/v1/members", "members", {"limit": MAX_PAGE})

    def publish(self, records: Sequence[Mapping[str, object]], idempotency_key: str) -> Told:
        """Draw up records of the member, up to 50; the operation."""
        return self.act("POST", "/v1/credit/records", {"records": records}, idempotency_key)

    def act(self, method: str, path: str, body: Mapping[str, object], idempotency_key: str) -> Told:
        """Do what asks for signatures; the operation."""
        return self.ask_json(method, path, json=body, headers={"Idempotency-Key": idempotency_key})

    def operation(self, name: str) -> Told:
        """What has become of an act."""
        return self.ask_json("GET", f"/v1/operations/{_segment(name)}")

    def operations(self, state: str | None = None) -> Iterator[Told]:
        """The member's acts, the oldest first."""
        return self.pages("/v1/operations", "operations", {**_given(state=state), "limit": MAX_PAGE})

    def endorse(self, operation: str, signature: bytes) -> Told:
        """Hand in a signature, 65 bytes, under an act; the operation."""
        body = {"operation": operation, "signature": "0x" + signature.hex()}
        return self.ask_json("POST", "/v1/credit/endorsements", json=body)

    def screening(
        self, subjects: Sequence[str], *, recognized_by: str | None = None, certificate: bool = False
    ) -> Told:
        """Look up to 1,000 companies up at once; the member logs what it answers."""
        query = _given(recognized_by=recognized_by, certificate="true" if certificate else None)
        body = {"subjects": list(subjects)}
        return self.ask_json("POST", "/v1/screenings", _MAX_SCREENING_BYTES, params=query, json=body)

    def certificate(self, subject: str) -> bytes:
        """The certificate of a company, as of the last final block: the file's bytes."""
        path = f"/v1/subjects/{_segment(subject)}/certificate"
        return self.ask("GET", path, MAX_CERTIFICATE_BYTES).content


def _given(**query: str | None) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}


def _segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe=":")
