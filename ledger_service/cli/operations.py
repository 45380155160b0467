"""What the groups of commands say alike about operations: acts that several people sign."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ledger_service.errors import Exit

_OVER: Final = ("final", "refused", "expired")
_POLL_SECONDS: Final = 0.5


def follow(ask: Callable[[], dict[str, Any]], wait: float) -> dict[str, Any]:
    """Ask for an operation until it is over, or for so many seconds; as it was told last."""
    deadline = time.monotonic() + wait
    found = ask()
    while found["state"] not in _OVER and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        found = ask()
    return found


def exit_code(operation: dict[str, Any]) -> Exit:
    """How a command ends that told of an operation."""
    return Exit.REFUTED if operation["state"] in ("refused", "expired") else Exit.DONE


def told(operation: dict[str, Any], about: str, missing: Sequence[str]) -> Iterator[str]:
    """An operation as lines for people.

    Args:
        operation: as the API tells it.
        about: what each of its names is one of, such as record.
        missing: whose signatures are.
    """
    yield f"{operation['act']} {operation['id']}: {operation['state']}"
    for signature in operation["signatures"]:
        yield f"  {signature['role']} of {signature['member']} {signature['address']}"
    if missing:
        yield f"  missing: {', '.join(missing)}"
    for name in operation["records"]:
        yield f"  {about} {name}"
    if operation["block"] is not None:
        yield f"  in block {operation['block']}, transaction {operation['transaction'] or 'of somebody else'}"
    if operation["error"] is not None:
        yield f"  {operation['error']['name']}: {operation['error']['detail']}"
