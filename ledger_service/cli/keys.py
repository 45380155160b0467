"""`bidledger keys`: make what a member's operators need. Keys lie encrypted in files; only public parts are printed."""

from pathlib import Path
from typing import Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json, working
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import NotFound

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


@app.command()
def witness(
    key_file: Annotated[Path, typer.Option(help="BIDLEDGER_WITNESS_KEY_FILE; made where there is none.")],
    password_file: Annotated[Path, typer.Option(help="BIDLEDGER_PASSWORD_FILE.")],
    network: Annotated[Path, typer.Option(help="The network file, for the names of the keys.")],
    member: Annotated[str, typer.Option(help="Code of the member who is the witness.")],
    url: Annotated[str, typer.Option(help="Where others reach the member's service, without /witness.")],
    as_json: JsonFlag = False,
) -> None:
    """Make the key by which a member cosigns for the others, and print what their policy files need of it."""
    from anchors.network import MAX_NETWORK_BYTES, parse_network
    from ledger_service.keys import make_secret, open_secret
    from ledger_service.witness.server import witness_name, witness_signers

    alliance = parse_network(read_bounded(network, MAX_NETWORK_BYTES))
    found = next((one for one in alliance.members if one.code == member), None)
    if found is None:
        raise NotFound(
            f"{network} names no member {member!r}; its members have codes such as {alliance.members[0].code}"
        )
    secret = (open_secret if key_file.exists() else make_secret)(key_file, password_file)
    lines = [
        f"witness {member}-{signer.verifier.type:02x} {signer.verifier.vkey} {url.rstrip('/')}/witness"
        for signer in witness_signers(witness_name(alliance, found), secret)
    ]
    if as_json:
        print_json({"policy_lines": lines})
    else:
        print(*lines, sep="\n")
