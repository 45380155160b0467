"""Has the log's checkpoints dated by a timestamp authority, RFC 3161: each of them, in order, and never twice.

What is kept is an answer to the very request, about the very text; whether the authority is to be trusted is for
readers to say. While it fails it stands in the conditions, and nobody waits for it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
from sqlalchemy import Engine

from anchors.errors import AnchorsError
from anchors.notes import SignedNote
from anchors.timestamp import read_timestamp
from ledger_service import conditions
from ledger_service.errors import ServiceError
from ledger_service.witness.asking import Door
from ledger_service.witness.kept import Kept

PART: Final = "timestamp"


class AuthorityRefuses(ServiceError):
    """The timestamp authority does not date a checkpoint."""

    problem, title, status = "authority-refuses", "The timestamp authority does not answer as it must", 502


class Dating:
    """Asks one authority.

    Args:
        engine: the database.
        kept: where its answers are kept.
        url: the authority's address.
        clock: the time for what is reported; aware, UTC.
    """

    def __init__(self, engine: Engine, kept: Kept, url: str, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._kept = kept
        self._clock = clock
        self._door = Door(url, "application/timestamp-query")

    def step(self) -> None:
        """Have every checkpoint dated that is not yet.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PART, self._clock):
            for checkpoint in self._kept.unseen(self._kept.last_dated()):
                text = SignedNote.parse(checkpoint.note).text
                self._kept.keep_timestamp(checkpoint.size, self._ask(text))

    def _ask(self, text: str) -> bytes:
        """The authority's answer about a text.

        Source: RFC 3161, 2.4.1 and 3.4.
        """
        builder = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.cert_request(cert_request=True).build()
        answer = self._door.ask(request.as_bytes())
        if answer.status_code != 200:
            raise AuthorityRefuses(f"{self._door.url} answered {answer.status_code}: {answer.content[:200]!r}.")
        try:
            timestamp = read_timestamp(answer.content, text)
        except AnchorsError as error:
            raise AuthorityRefuses(f"{self._door.url} answered with what cannot be kept: {error}.") from error
        if timestamp.nonce != request.nonce:
            raise AuthorityRefuses(f"{self._door.url} answered another request than it was sent.")
        return answer.content
