"""`POST /v1/evidence`: commitments in, receipts out, durable before the answer begins.

A bare ASGI application, since this one route bears the load of a tender's last minutes; the service's main application
describes it and hands it over. What comes in is bounded and strict before anything is made of it.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import orjson

from ledger_service.bodies import read_body
from ledger_service.errors import BadRequest, InvalidContent, ServiceError, UnsupportedMediaType
from ledger_service.log.api_keys import ApiKey, ApiKeys
from ledger_service.log.api_keys import Scope as KeyScope
from ledger_service.log.writer import LogWriter
from ledger_service.problems import (
    Receive,
    Scope,
    Send,
    encode_headers,
    method_not_allowed,
    send_answer,
    send_problem,
)

MAX_COMMITMENTS: Final = 1000
MAX_BODY_BYTES: Final = 128 << 10  # 1,000 commitments are 69 kB as they are usually written

_HEADERS: Final = encode_headers({"content-type": "application/json", "cache-control": "no-store"})
_FIELDS: Final = frozenset((b"authorization", b"idempotency-key", b"content-type", b"content-length"))
_JSON = re.compile(r"application/json *(;.*)?", re.IGNORECASE)
_COMMITMENT = re.compile("0x[0-9a-f]{64}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r'(?P<bare>[!#-~][!-~]{0,254})|"(?P<quoted>(?:[!#-\[\]-~]|\\["\\]){1,255})"')


class Asked(NamedTuple):
    """What a request asks to be logged, and on whose account."""

    key: ApiKey
    idempotency_key: str | None
    commitments: list[bytes]  # 1 to 1,000, 32 bytes each


class EvidenceEndpoint:
    """The ASGI application of the one route.

    Args:
        writer: the log's writer.
        api_keys: who may submit how much.
    """

    def __init__(self, writer: LogWriter, api_keys: ApiKeys) -> None:
        self._writer = writer
        self._api_keys = api_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 201 with the receipts, in the order of the commitments, or a problem document."""
        try:
            if scope["method"] != "POST":
                raise method_not_allowed(scope["method"], "POST")
            key, idempotency_key, commitments = await read_asked(scope, receive, self._api_keys)
            accepted = await self._writer.accept(commitments, key.id, key.quota, idempotency_key)
        except ServiceError as error:
            await send_problem(send, error)
            return
        await send_answer(send, 201, _HEADERS, accepted.to_json())


async def read_asked(scope: Scope, receive: Receive, api_keys: ApiKeys) -> Asked:
    """Read a request that has commitments logged.

    Args:
        scope, receive: ASGI's.
        api_keys: who may submit how much.

    Raises:
        NotAuthenticated, NotAllowed: whoever asks may not submit.
        UnsupportedMediaType, TooLarge, BadRequest, InvalidContent: it is no such request.
    """
    fields = _fields(scope["headers"])
    key = api_keys.authenticate(fields.get(b"authorization")).require(KeyScope.SUBMIT)
    idempotency_key = _idempotency_key(fields.get(b"idempotency-key"))
    if not _JSON.fullmatch(fields.get(b"content-type", "")):
        raise UnsupportedMediaType("Send the commitments as Content-Type: application/json.")
    body = await read_body(receive, fields.get(b"content-length", ""), MAX_BODY_BYTES)
    return Asked(key, idempotency_key, parse_commitments(body))


def parse_commitments(body: bytes) -> list[bytes]:
    """Read the body `{"commitments": ["0x..", ...]}`.

    Returns:
        1 to 1,000 commitments, 32 bytes each.

    Raises:
        BadRequest: it is not JSON.
        InvalidContent: it is not such an object; `pointer` says where.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict) or "commitments" not in document:
        raise _invalid("", 'The body must be an object with the one member "commitments"')
    for name in document:
        if name != "commitments":
            raise _invalid(
                "/" + name.replace("~", "~0").replace("/", "~1"),
                'There is no such member; the only one is "commitments"',
            )
    values = document["commitments"]
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_COMMITMENTS:
        raise _invalid("/commitments", f"This must be a list of 1 to {MAX_COMMITMENTS:,} commitments")
    return _parsed(values)


def _parsed(values: list[object]) -> list[bytes]:
    commitments = []
    for place, value in enumerate(values):
        if not isinstance(value, str) or _COMMITMENT.fullmatch(value) is None:
            raise _invalid(f"/commitments/{place}", "A commitment is 0x and 64 lower-case hexadecimal digits")
        commitments.append(bytes.fromhex(value[2:]))
    return commitments


def _invalid(pointer: str, what: str) -> InvalidContent:
    return InvalidContent(f"{what}.", facts={"pointer": pointer})


def _idempotency_key(field: str | None) -> str | None:
    """The key itself, which may come bare or as the quoted string of a structured field (RFC 9651, 3.3.3)."""
    if field is None:
        return None
    match = _IDEMPOTENCY_KEY.fullmatch(field)
    if match is None:
        raise BadRequest(
            "The Idempotency-Key must be 1 to 255 visible ASCII characters, bare or as one quoted string.",
            facts={"field": "Idempotency-Key"},
        )
    return match["bare"] or re.sub(r"\\(.)", r"\1", match["quoted"])


def _fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """The header fields that matter here, each of which may come once only."""
    fields: dict[bytes, str] = {}
    for name, value in headers:
        if name in _FIELDS:
            if name in fields:
                raise BadRequest(
                    f"The field {name.decode()} comes twice; send it once.", facts={"field": name.decode()}
                )
            fields[name] = str(value, "latin-1")
    return fields
