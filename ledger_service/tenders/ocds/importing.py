"""A plan held against what the chain has, and its next act sent to a member's API, as an operation to be signed.

Promises that nothing goes twice, whenever a run is cut short: what is on the chain is known by its digest, what waits
for its signatures by the digest in its operation, and the same act is always asked for under the same Idempotency-Key.
Acts follow each other on the chain, so one is sent at a time; and none of a tender while the register would refuse one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import rfc8785

from ledger_service.errors import Conflict, NotFound
from ledger_service.tenders.client import TenderClient, Told
from ledger_service.tenders.ocds.plan import Act, Obstacle, Plan, Step

__all__ = ["Fate", "Import", "Later", "Planned", "hold_against_chain", "send"]

_OPEN: Final = ("collecting", "ready", "sent", "mined")
_OVER: Final = ("refused", "expired")
_ENDED: Final = ("awarded", "failed", "retendered")
_ATTEMPTS: Final = 20

_EVENTS: Final[Mapping[Act, tuple[str, str]]] = {
    Act.PUBLISH: ("published", "digest"),
    Act.AMEND: ("amended", "digest"),
    Act.CLOSE: ("closed", ""),
    Act.OPEN: ("opened", ""),
    Act.EVALUATE: ("evaluated", ""),
    Act.CANDIDATES: ("candidates", "list"),
    Act.AWARD: ("awarded", "subject"),
    Act.FAIL: ("failed", "reason"),
}
"""The event that tells of an act, and which of its members is the act's digest."""

_ROUTES: Final = {
    Act.PUBLISH: "",
    Act.AMEND: "amendments",
    Act.CANDIDATES: "candidates",
    Act.AWARD: "award",
    Act.FAIL: "failure",
}
"""What is sent, by the last part of its route; all else has no place in OCDS, and others do it."""

_OPERATIONS: Final = {
    "tender": ("notice", "digest"),
    "amendment": ("amendment", "digest"),
    "candidates": ("list",),
    "award": ("award",),
    "failure": ("reason",),
}
"""Where an operation's request has the digest, by its act."""

_LATER_GIVEN: Final = {"evaluation", "candidates", "panel", "until"}
"""What a plan lists as missing and the service knows, or `Later` gives."""


class Fate(StrEnum):
    """What becomes of a step."""

    DONE = "done"  # on the chain
    WAITING = "waiting"  # drawn up: signatures are missing, or its block
    NEW = "new"  # is sent next
    LATER = "later"  # follows something that is not done
    ELSEWHERE = "elsewhere"  # OCDS has no place for it: `bidledger tender act` or `evidence submit` does it
    INCOMPLETE = "incomplete"  # something must be given first
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Later:
    """What later acts need, and no package says.

    Args:
        until: how long candidates are published, POSIX seconds.
        panel: of the award, as its route takes it.
    """

    until: int | None = None
    panel: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A step and what becomes of it."""

    step: Step
    fate: Fate
    missing: tuple[str, ...] = ()
    operation: str | None = None  # that waits

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        waiting = {} if self.operation is None else {"operation": self.operation}
        return self.step.as_json() | {"fate": self.fate.value, "missing": list(self.missing), **waiting}


@dataclass(frozen=True, slots=True)
class Import:
    """A tender's plan as the chain stands."""

    plan: Plan
    tender: str | None  # its name, once its notice is on the chain
    planned: tuple[Planned, ...]

    @property
    def next(self) -> Planned | None:
        """What is to be sent or signed next; None where nothing is, or something is refused."""
        if any(each.fate is Fate.REFUSED for each in self.planned):
            return None
        return next((each for each in self.planned if each.fate in (Fate.NEW, Fate.WAITING)), None)

    def as_json(self) -> dict[str, object]:
        """JSON values."""
        return self.plan.as_json() | {"tender": self.tender, "steps": [each.as_json() for each in self.planned]}


def hold_against_chain(plan: Plan, later: Later, client: TenderClient, *, has_key: bool) -> Import:
    """What becomes of each step of a plan.

    Args:
        plan: of one tender.
        later: what later acts need.
        client: of the host's API.
        has_key: whether its API key may list operations; without one, none waits that is known of.

    Raises:
        Conflict: several tenders have this notice.
        ServiceError: what the API answered.
    """
    history = _find_tender(plan, client)
    waiting = _waiting(client) if has_key else {}
    planned, free = [], history is None or history["state"] not in _ENDED
    for step in plan.steps:
        each = _planned(step, later, history, waiting, is_next=free)
        if each.fate is Fate.REFUSED and not step.obstacles and step.release is not None:
            each = replace(each, step=_ended(step, plan.releases[step.release].content.where))
        planned.append(each)
        free = free and (each.fate is Fate.DONE or step.act is Act.CONTRACT)
    return Import(plan, None if history is None else str(history["tender"]), tuple(planned))


def send(one: Import, later: Later, client: TenderClient) -> Told:
    """Draw up a tender's next act, or find it where an earlier run did; the operation.

    Raises:
        Conflict: it was refused or ran out as often as it may be tried.
        ServiceError: the API's refusal, or nobody answers. The same run again goes on from there.
    """
    following = one.next
    if following is None:
        raise NotFound("Nothing of this tender is to be sent now.")
    if following.operation is not None:
        return client.operation(following.operation)
    body = _body(following.step, later)
    path = _ROUTES[following.step.act]
    for attempt in range(_ATTEMPTS):
        key = sha256(rfc8785.dumps([one.tender, path, attempt, body])).hexdigest()
        operation = client.publish(body, key) if one.tender is None else client.act(one.tender, path, body, key)
        if operation["state"] not in _OVER:
            return operation
    raise Conflict(f"{following.step.act} was refused or ran out {_ATTEMPTS} times; see {client.url}/v1/operations")


def _find_tender(plan: Plan, client: TenderClient) -> Told | None:
    """The tender that was published by this plan's notice, with its history; None before it is."""
    digests = {_hex(step.digest) for step in plan.of(Act.PUBLISH) if step.digest is not None}
    names = {name for digest in digests for name in client.tenders_of(digest)}
    found = [told for told in map(client.tender, sorted(names)) if _event(told, "published", "digest", digests)]
    if len(found) > 1:
        listed = ", ".join(str(told["tender"]) for told in found)
        raise Conflict(f"Several tenders have the notice of {plan.ocid}, so this one cannot be told: {listed}")
    return found[0] if found else None


def _event(told: Told, kind: str, name: str, digests: Iterable[str]) -> bool:
    """Whether an event of a kind is on the chain that recorded one of these digests."""
    events = [event for event in told["events"] if event["kind"] == kind]
    recorded = [event["subject"] if name == "subject" else event["data"].get(name) for event in events]
    return bool(events) if not name else any(digest in recorded for digest in digests)


def _waiting(client: TenderClient) -> dict[tuple[str, str | None, str], str]:
    """The operations under way, by their act, tender (none for a notice) and digest."""
    found = {}
    for operation in (each for state in _OPEN for each in client.operations(state)):
        value: Any = operation["request"]
        for name in _OPERATIONS.get(operation["act"], ()):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            tender = None if operation["act"] == "tender" else operation["request"].get("tender")
            found[operation["act"], tender, value] = str(operation["id"])
    return found


def _planned(
    step: Step,
    later: Later,
    history: Told | None,
    waiting: Mapping[tuple[str, str | None, str], str],
    *,
    is_next: bool,
) -> Planned:
    digest = None if step.digest is None else _hex(step.digest)
    if history is not None and step.act in _EVENTS:
        kind, name = _EVENTS[step.act]
        if _event(history, kind, name if digest else "", [digest] if digest else []):
            return Planned(step, Fate.DONE)
    if step.obstacles or (history is not None and history["state"] in _ENDED and step.act in _ROUTES):
        return Planned(step, Fate.REFUSED)
    if step.release is None or step.act not in _ROUTES:
        return Planned(step, Fate.ELSEWHERE)
    tender = None if step.act is Act.PUBLISH or history is None else str(history["tender"])
    operation = waiting.get((_operation_act(step.act), tender, digest or ""))
    if operation is not None:
        return Planned(step, Fate.WAITING, operation=operation)
    missing = _missing(step, later)
    if missing:
        return Planned(step, Fate.INCOMPLETE, missing)
    return Planned(step, Fate.NEW if is_next else Fate.LATER)


def _ended(step: Step, where: str) -> Step:
    return replace(step, obstacles=(Obstacle("tender-ended", where, "is of a tender that has ended on the chain"),))


def _operation_act(act: Act) -> str:
    return {Act.PUBLISH: "tender", Act.AMEND: "amendment", Act.CANDIDATES: "candidates", Act.FAIL: "failure"}.get(
        act, "award"
    )


def _missing(step: Step, later: Later) -> tuple[str, ...]:
    missing = [name for name in step.missing if name not in _LATER_GIVEN]
    if step.act is Act.CANDIDATES and later.until is None:
        missing.append("until")
    if step.act is Act.AWARD and later.panel is None:
        missing.append("panel")
    return tuple(missing)


def _body(step: Step, later: Later) -> dict[str, Any]:
    """What the API takes for an act."""
    values = {name: _value(value) for name, value in step.values.items()}
    if step.act is Act.PUBLISH:
        return {"notice": {name: value for name, value in values.items() if name != "host"}}
    if step.act is Act.AMEND:
        return {"amendment": {name: values[name] for name in ("digest", "reason", "deadline", "opening")}}
    if step.act is Act.CANDIDATES:
        return {"list": values["list"], "until": later.until}
    if step.act is Act.AWARD:
        return {"award": values["award"], "panel": dict(later.panel or {})}
    return {"reason": values["reason"]}


def _value(value: object) -> object:
    if isinstance(value, bytes):
        return _hex(value)
    if isinstance(value, datetime):
        return int(value.timestamp())
    return list(value) if isinstance(value, tuple) else value


def _hex(digest: bytes) -> str:
    return f"0x{digest.hex()}"
