"""The rules of `anchors` as refusals of the API: each error of the library has a problem type of its own."""

import re

from anchors.errors import AnchorsError
from ledger_service.errors import InvalidContent

__all__ = ["Refused"]

_INNER_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class Refused(InvalidContent):
    """A value breaks a rule of the library.

    Args:
        error: which, and how.
        pointer: JSON pointer to the value in the request.
    """

    def __init__(self, error: AnchorsError, pointer: str) -> None:
        super().__init__(error.diagnostics(), facts={"pointer": pointer})
        self.problem = problem_of(type(error))  # type: ignore[misc]  # the class's name says what is wrong


def problem_of(error: type[AnchorsError]) -> str:
    """The stable problem type of an error: its class's name with hyphens, such as `period-outside-law`."""
    return _INNER_CAPITAL.sub("-", error.__name__).lower()
