"""What comes with every request for an act: until when its signatures are good, and those that there are already.

Promises the form, closed and bounded, and the deadline that an act gets.
"""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from ledger_service.errors import InvalidContent

__all__ = ["Apart", "Closed", "DeadlineNotAllowed", "SignatureIn", "SignatureText", "good_until", "said"]

USUAL_SECONDS: Final = 7 * 24 * 3600
MOST_SECONDS: Final = 30 * 24 * 3600
_MAX_SIGNATURES: Final = 300  # a member has one number of 256, and two of its keys sign

SignatureText: TypeAlias = Annotated[
    str, Field(pattern=r"^0x[0-9a-fA-F]{130}$", description="r ‖ s ‖ v, 65 bytes; v is 27 or 28.")
]


class DeadlineNotAllowed(InvalidContent):
    """A deadline that is over, or too far away."""

    problem, title = "deadline-not-allowed", "The deadline is not allowed"


class Closed(BaseModel):
    """A body in which nothing else may stand."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Apart(Closed):
    """What goes with every act, and is no part of what it says."""

    deadline: Annotated[
        int | None, Field(ge=0, lt=2**63, description="POSIX seconds, at most 30 days away; by default in 7 days.")
    ] = None
    signatures: Annotated[
        list[SignatureText], Field(max_length=_MAX_SIGNATURES, description="Those that there are already.")
    ] = []


class SignatureIn(Closed):
    """A signature for an operation."""

    signature: SignatureText


def said(body: Apart) -> dict[str, Any]:
    """What a body says of the act itself, as it was given, JSON values."""
    return body.model_dump(mode="json", exclude_unset=True, exclude={"deadline", "signatures"})


def good_until(given: int | None, time: int) -> int:
    """Until when an act's signatures are good.

    Args:
        given: what was asked for, POSIX seconds; None is the usual time.
        time: of the chain.

    Raises:
        DeadlineNotAllowed: it is over, or too far away.
    """
    if given is None:
        return time + USUAL_SECONDS
    if not time < given <= time + MOST_SECONDS:
        raise DeadlineNotAllowed(
            f"The deadline {given} is not within the 30 days from {time}, which is now.",
            facts={"pointer": "/deadline"},
        )
    return given
