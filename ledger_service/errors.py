"""The service's errors: each says what is wrong, where, and what to do, and carries its stable problem type and status.

The API turns them into `application/problem+json` (RFC 9457), the command line into a message and an exit code.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """The command line's exit codes."""

    DONE = 0
    REFUTED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    REFUSED_BY_CHAIN = 5
    KEY_TROUBLE = 6
    INDEX_BEHIND = 7


class ServiceError(Exception):
    """Root of the service's errors.

    Args:
        detail: one sentence or two for whoever can act on it: what, where, what to do. Never a secret.
        facts: extra members of the problem document, JSON values.
        retry_after: whole seconds after which a repeat makes sense, or None.
    """

    problem: ClassVar[str] = "internal"
    title: ClassVar[str] = "The service failed"
    status: ClassVar[int] = 500
    exit_code: ClassVar[Exit] = Exit.UNREACHABLE

    def __init__(
        self, detail: str, *, facts: Mapping[str, object] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = dict(facts or {})
        self.retry_after = retry_after


class BadRequest(ServiceError):
    """The request's form is wrong."""

    problem, title, status, exit_code = "bad-request", "The request is malformed", 400, Exit.USAGE


class InvalidContent(ServiceError):
    """The request is well-formed, but a value in it is not allowed."""

    problem, title, status, exit_code = "invalid-content", "A value is not allowed", 422, Exit.USAGE


class TooLarge(ServiceError):
    """The body is larger than this route takes."""

    problem, title, status, exit_code = "too-large", "The body is too large", 413, Exit.USAGE


class UnsupportedMediaType(ServiceError):
    """The body is not of the media type that this route takes."""

    problem, title, status, exit_code = "unsupported-media-type", "Not this media type", 415, Exit.USAGE


class MethodNotAllowed(ServiceError):
    """The route exists, but not for this method; the fact `allowed` lists those that it has."""

    problem, title, status, exit_code = "method-not-allowed", "Not this method", 405, Exit.USAGE


class NotAuthenticated(ServiceError):
    """No API key, or one that is not known."""

    problem, title, status, exit_code = "not-authenticated", "An API key is needed", 401, Exit.KEY_TROUBLE


class NotAllowed(ServiceError):
    """The API key lacks the scope."""

    problem, title, status, exit_code = "not-allowed", "The API key lacks the scope", 403, Exit.KEY_TROUBLE


class NotFound(ServiceError):
    """There is no such thing."""

    problem, title, status, exit_code = "not-found", "Not found", 404, Exit.NOT_FOUND


class Conflict(ServiceError):
    """A commitment in the request cannot be logged again. Deliberately silent on which one and why."""

    problem, title, status, exit_code = "conflict", "The request conflicts with the log", 409, Exit.USAGE


class IdempotencyMismatch(ServiceError):
    """The Idempotency-Key was used for another request."""

    problem, title, status, exit_code = "idempotency-mismatch", "The Idempotency-Key was used before", 422, Exit.USAGE


class QuotaExhausted(ServiceError):
    """The API key's slots of this period are used up."""

    problem, title, status, exit_code = (
        "quota-exhausted",
        "The key's quota of this period is used up",
        429,
        Exit.UNREACHABLE,
    )


class QuotaTooSmall(ServiceError):
    """More commitments in one request than the key has in any period."""

    problem, title, status, exit_code = "quota-too-small", "More than the key's quota of a period", 422, Exit.USAGE


class Unavailable(ServiceError):
    """The service cannot answer now."""

    problem, title, status, exit_code = "unavailable", "Not available now", 503, Exit.UNREACHABLE


class ChainUnreachable(ServiceError):
    """No node answers."""

    problem, title, status, exit_code = "chain-unreachable", "The chain cannot be reached", 503, Exit.UNREACHABLE


class ChainRefused(ServiceError):
    """The chain or a contract refused a call or a transaction."""

    problem, title, status, exit_code = "chain-refused", "The chain refused", 502, Exit.REFUSED_BY_CHAIN


class NodeDishonest(ServiceError):
    """A node's answer contradicts what the headers or the state prove."""

    problem, title, status, exit_code = "node-dishonest", "A node's answer is disproven", 502, Exit.UNREACHABLE


class KeyTrouble(ServiceError):
    """A key file is missing, cannot be opened, or is not the one that is registered."""

    problem, title, status, exit_code = "key-trouble", "A key cannot be used", 500, Exit.KEY_TROUBLE


class IndexBehind(ServiceError):
    """The index has not reached the chain's head."""

    problem, title, status, exit_code = "index-behind", "The index is behind", 503, Exit.INDEX_BEHIND


class Misconfigured(ServiceError):
    """The settings or a file they name do not fit together."""

    problem, title, status, exit_code = "misconfigured", "The settings do not fit", 500, Exit.USAGE
