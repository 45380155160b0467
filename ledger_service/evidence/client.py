"""A client of a member's API for the command line: problem documents become our own errors, nothing is trusted.

What the API answers is data to be proven by `anchors`; here only its form is checked.
"""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from ledger_service import errors
from ledger_service.errors import ServiceError

MAX_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NotYet:
    """The answer is not there yet; ask again after so many seconds."""

    retry_after: float


class Client:
    """One connection to a member's API.

    Args:
        url: the API's address, without a path.
        api_key_file: file whose first line is the API key, or None to ask without one.
    """

    def __init__(self, url: str, api_key_file: Path | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {_read_key(api_key_file)}"} if api_key_file else {}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def accept(self, commitments: list[bytes], idempotency_key: str) -> list[dict[str, Any]]:
        """Submit commitments and return the receipts as the API gave them, in the same order.

        Raises:
            ServiceError: the API's refusal (its problem type says which), or ChainUnreachable when nobody answers.
        """
        answer = self._ask(
            "POST",
            "/v1/evidence",
            json={"commitments": ["0x" + commitment.hex() for commitment in commitments]},
            headers={"Idempotency-Key": idempotency_key},
        )
        receipts = _mapping(answer, self.url).get("receipts")
        if not isinstance(receipts, list) or len(receipts) != len(commitments):
            raise errors.Unavailable(f"{self.url} answered something other than receipts; is it a bidledger API?")
        return receipts

    def proof(self, commitment: bytes) -> dict[str, Any] | NotYet:
        """What an evidence file needs beside the statement and the receipt, or NotYet while there is no proof."""
        answer = self._ask("GET", f"/v1/evidence/0x{commitment.hex()}/proof")
        if answer.status_code == HTTPStatus.ACCEPTED:
            return NotYet(float(answer.headers.get("Retry-After", 1)))
        return _mapping(answer, self.url)

    def status(self) -> dict[str, Any]:
        """The service's status document."""
        return _mapping(self._ask("GET", "/v1/status"), self.url)

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            with self._http.stream(method, path, **request) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise errors.Unavailable(f"{self.url}{path} answers more than {MAX_ANSWER_BYTES} bytes")
        except httpx.HTTPError as error:
            raise errors.Unavailable(f"{self.url} does not answer ({error}); is the service running?") from error
        whole = httpx.Response(answer.status_code, headers=_without_coding(answer.headers), content=body)
        if whole.is_success:
            return whole
        raise _problem(whole, self.url)


def _without_coding(headers: httpx.Headers) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name.lower() not in ("content-encoding", "content-length")
    }


def _mapping(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        document = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise errors.Unavailable(f"{url} answered {answer.status_code} and no JSON object; is it a bidledger API?")
    return document


def _problem(answer: httpx.Response, url: str) -> ServiceError:
    """The API's problem document as the error class of its type."""
    document = _mapping(answer, url)
    name = str(document.get("type", "")).rpartition(":")[2]
    kinds = {kind.problem: kind for kind in ServiceError.__subclasses__()}
    retry_after = answer.headers.get("Retry-After", "")
    return kinds.get(name, errors.Unavailable)(
        f"{document.get('detail', document.get('title', answer.status_code))}",
        retry_after=int(retry_after) if retry_after.isdecimal() else None,
    )


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.KeyTrouble(
            f"{path}: the API key cannot be read ({error}); name a text file that holds it"
        ) from error
