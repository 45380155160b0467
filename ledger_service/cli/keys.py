"""`bidledger keys`: make what a member's operators need. Keys lie encrypted in files; only public parts are printed."""

from pathlib import Path
from typing import Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json, working

app = typer.Typer(help="Keys of a member's operators, log and periods.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Keys of a member's operators, log and periods."""


@app.command()
def create(
    directory: Annotated[Path, typer.Option("--dir", help="Where they go; nothing there is ever overwritten.")],
    as_json: JsonFlag = False,
) -> None:
    """Make one member's keys and print what the alliance file needs of them."""
    from ledger_service.keys import make_member_keys

    with working(f"making keys in {directory}"):
        made = make_member_keys(directory)
    public = {
        "log_key": f"0x{made.log_public_key.hex()}",
        "operators": [{"role": role, "address": f"0x{address.hex()}"} for role, address in made.addresses.items()],
    }
    if as_json:
        print_json(public)
    else:
        print(f"log key {public['log_key']}")
        for role, address in made.addresses.items():
            print(f"{role:<15} 0x{address.hex()}")
        print(f"files in {directory.absolute()}; keep a copy of all of them elsewhere")
