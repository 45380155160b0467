"""What every command shares in talking to people: JSON on standard output, progress and tables on standard error."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def print_json(document: object) -> None:
    """Print `document` as the command's one JSON document."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def err_console() -> "Console":
    """The console for all that is not the result; Rich is imported only where it is used."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Write one line for a person to standard error."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show that something longer is under way: a spinner on a terminal, one line elsewhere."""
    console = err_console()
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        say(text)
        yield
