"""What a webhook says, and its signature. Source: Standard Webhooks 1.0.0.

Promises that the same event is always the same message under the same id, and that no secret needs to be kept: each
subscription's is derived from the service's one.
"""

import base64
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anchors.credit import State
from ledger_service.credit.happenings import EVENT_TYPES, REVERSED, Happening, Page, timestamp

__all__ = [
    "SCREENING_WITHDRAWN",
    "WEBHOOK_TYPES",
    "WITHDRAWN",
    "Message",
    "messages_of",
    "reversal",
    "secret_of",
    "signed_headers",
    "written_secret",
]

SCREENING_WITHDRAWN: Final = "screening.withdrawn"
WEBHOOK_TYPES: Final = (*EVENT_TYPES, SCREENING_WITHDRAWN)  # what may be asked for; a reversal is always told
WITHDRAWN: Final = f"record.{State.WITHDRAWN.title}"
SCREENINGS_IN_MESSAGE: Final = 100  # bodies stay below the 20 kB that the specification recommends

_SECRET_INFO: Final = b"bidledger webhook v1 "


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one subscription."""

    id: str  # the same for every attempt
    type: str
    body: bytes  # JSON


def messages_of(happening: Happening, wanted: Collection[str], screenings: Sequence[str]) -> list[Message]:
    """What a subscription is told of an event.

    Args:
        happening: the event.
        wanted: the types that it asks for.
        screenings: ids of its holder's screenings that gave out the record, where that was withdrawn.
    """
    found = []
    if happening.type in wanted:
        found.append(_message(str(happening.position), happening.type, timestamp(happening.time), happening.data))
    for at in range(0, len(screenings), SCREENINGS_IN_MESSAGE):
        name = f"{happening.position}:screenings:{at}"
        data = happening.data | {"screenings": list(screenings[at : at + SCREENINGS_IN_MESSAGE])}
        found.append(_message(name, SCREENING_WITHDRAWN, timestamp(happening.time), data))
    return found


def reversal(page: Page) -> Message:
    """That what was told from a block on no longer holds."""
    data = {"from_block": page.reversed_from}
    return _message(f"reversed:{page.turn}:{page.reversed_from}", REVERSED, timestamp(page.turned_at), data)


def secret_of(root: bytes, subscription: str) -> bytes:
    """The 32 bytes by which a subscription's messages are signed, from the service's own 32."""
    info = _SECRET_INFO + subscription.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(root)


def written_secret(secret: bytes) -> str:
    """A secret as it is handed out."""
    return "whsec_" + base64.b64encode(secret).decode()


def signed_headers(secret: bytes, message: Message, now: int) -> dict[str, str]:
    """The header fields of an attempt at a time, POSIX seconds."""
    content = b"%s.%d.%s" % (message.id.encode(), now, message.body)
    signature = base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
    return {"webhook-id": message.id, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


def _message(name: str, type_: str, when: str, data: dict[str, Any]) -> Message:
    return Message(name, type_, orjson.dumps({"type": type_, "timestamp": when, "data": data}))
