"""Who may submit, and how much in a period: the API keys by their hashes, and the quota of requests without one.

In a log that hides its count the quotas together fit into one period, so that nobody is ever put off because others
came first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ledger_service.errors import Misconfigured, NotAllowed, NotAuthenticated

PUBLIC: Final = "public"
_BEARER = re.compile(r"bearer +([!-~]{1,255})", re.IGNORECASE)


class Scope(StrEnum):
    """What an API key is good for."""

    SUBMIT = "submit"
    OPERATOR = "operator"
    CREDIT = "credit"
    TENDER = "tender"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who asks: one whose key is known, or the public."""

    id: str
    scopes: frozenset[Scope]
    quota: int | None  # entries a period; None is without bound, in the compact mode only

    def require(self, scope: Scope) -> Self:
        """Return the key when it has the scope.

        Raises:
            NotAuthenticated: it is nobody's key and lacks the scope.
            NotAllowed: it is somebody's.
        """
        if scope in self.scopes:
            return self
        if self.id == PUBLIC:
            raise NotAuthenticated(f"This needs an API key with the scope {scope}: Authorization: Bearer <key>.")
        raise NotAllowed(f"The API key {self.id} lacks the scope {scope}; ask the operator for one that has it.")


class KeyEntry(BaseModel):
    """One key in the API keys file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[frozenset[Scope], Field(strict=False)]
    quota: Annotated[int | None, Field(ge=0)] = None


_ENTRIES = TypeAdapter(list[KeyEntry])


class ApiKeys:
    """All keys of one service.

    Args:
        entries: the keys, as their file lists them.
        slots: entries of a period of the log, 0 in the compact mode.
        public_quota: entries a period without a key; None is all that the keys leave, 0 refuses such requests.

    Raises:
        Misconfigured: two keys are alike, one that submits or screens has no quota where each must have one, or the
            quotas together exceed what a period takes.
    """

    def __init__(self, entries: Iterable[KeyEntry], slots: int, public_quota: int | None) -> None:
        keys = [(bytes.fromhex(entry.sha256), ApiKey(entry.id, entry.scopes, entry.quota)) for entry in entries]
        self._keys = dict(keys)
        if len(self._keys) < len(keys) or len({key.id for _, key in keys} | {PUBLIC}) <= len(keys):
            raise Misconfigured(f"The API keys file names an id or a key twice, or the id {PUBLIC!r}.")
        if slots:
            taking = [key for _, key in keys if key.scopes & {Scope.SUBMIT, Scope.CREDIT}]  # screenings are logged
            public_quota = _fitting(public_quota, taking, slots - 1)
        self.public = ApiKey(PUBLIC, frozenset() if public_quota == 0 else frozenset({Scope.SUBMIT}), public_quota)

    @classmethod
    def read(cls, path: Path | None, slots: int, public_quota: int | None) -> Self:
        """Read the API keys file, a JSON list of `KeyEntry`; None is a service without keys.

        Raises:
            Misconfigured: it cannot be read, is not such a list, or as the class says.
        """
        try:
            entries = _ENTRIES.validate_json(path.read_bytes()) if path else []
        except OSError as error:
            raise Misconfigured(f"The API keys file {path} cannot be read: {error.strerror}.") from error
        except ValidationError as error:
            wrong = error.errors(include_input=False)[0]
            where = "/".join(str(part) for part in wrong["loc"])
            raise Misconfigured(f"The API keys file {path} is wrong at /{where}: {wrong['msg']}.") from error
        return cls(entries, slots, public_quota)

    def authenticate(self, authorization: str | None) -> ApiKey:
        """Find out who asks.

        Args:
            authorization: the Authorization field, or None without one.

        Returns:
            The key; the public one without the field.

        Raises:
            NotAuthenticated: the field is not `Bearer <key>`, or nobody has this key.
        """
        if authorization is None:
            return self.public
        bearer = _BEARER.fullmatch(authorization)
        # Looked up by its hash: what the time of a look-up tells of a hash tells nothing of the key.
        key = self._keys.get(sha256(bearer[1].encode()).digest()) if bearer else None
        if key is None:
            raise NotAuthenticated("The Authorization field must be: Bearer <key>, with a key that the operator gave.")
        return key


def _fitting(public_quota: int | None, submitting: Iterable[ApiKey], capacity: int) -> int:
    """The public quota, once all quotas together are known to fit into a period."""
    taken = 0
    for key in submitting:
        if key.quota is None:
            raise Misconfigured(f"The API key {key.id} needs a quota: a log with slots has no unbounded keys.")
        taken += key.quota
    public_quota = max(capacity - taken, 0) if public_quota is None else public_quota
    if taken + public_quota > capacity:
        raise Misconfigured(
            f"The API keys have {taken} entries a period and the public has {public_quota}, but a period takes "
            f"{capacity} (its slots less one); lower the quotas or raise the slots."
        )
    return public_quota
