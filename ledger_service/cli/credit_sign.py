"""`bidledger credit sign` and `bidledger credit operation`: read what an act says, sign it, and follow it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.operations import exit_code, follow, told
from ledger_service.cli.service import SERVICE_URL
from ledger_service.errors import Exit

if TYPE_CHECKING:
    from ledger_service.credit.client import CreditClient
    from ledger_service.credit.signable import Signable

OperationArgument = Annotated[str, typer.Argument(metavar="OPERATION", help="Its id, from the answer to the act.")]
UrlOption = Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The API of the member whose act it is.")]


def sign(
    operation: OperationArgument,
    keystore: Annotated[Path, typer.Option(help="Your key: a credit publisher's or a regulator's.")],
    password_file: Annotated[Path, typer.Option(help="File that holds its password.")],
    url: UrlOption = SERVICE_URL,
    network: Annotated[
        Path | None, typer.Option(help="The network file that you trust: whose contract it must be for.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what an act says, sign it once you agreed, and hand the signature in. The key stays on this machine."""
    from ledger_service.credit.client import CreditClient
    from ledger_service.credit.signable import deadline_line
    from ledger_service.keys import open_ethereum_key

    key = open_ethereum_key(keystore, password_file)
    with CreditClient(url) as client:
        signable = _signable(client, client.operation(operation), network)
        for line in (*signable.lines, deadline_line(signable.deadline)):
            say(line)
        say(f"chain {signable.chain_id}, contract 0x{signable.contract.hex()}, you: 0x{key.address.hex()}")
        if not yes and not typer.confirm("Sign this?", err=True):
            raise typer.Exit(Exit.USAGE)
        signed = client.endorse(operation, key.sign(signable.digest))
    _show(signed, as_json=as_json)


def operation(
    operation: OperationArgument,
    url: UrlOption = SERVICE_URL,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until it is final.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Say how far an act has come and whose signatures are missing: exit 0, or 1 once it is refused or expired."""
    from ledger_service.credit.client import CreditClient

    with CreditClient(url) as client, working("asking"):
        found = follow(lambda: client.operation(operation), wait)
    _show(found, as_json=as_json)
    raise typer.Exit(exit_code(found))


def _signable(client: "CreditClient", operation: dict[str, Any], network: Path | None) -> "Signable":
    from ledger_service.credit.signable import read_signable

    if network is None:
        told = client.ask_json("GET", "/v1/members")["members"]
        members = {member["code"]: member["number"] for member in told if str(member["code"]).isprintable()}
        return read_signable(operation, client.record, members)
    return _pinned(client, operation, network)


def _pinned(client: "CreditClient", operation: dict[str, Any], path: Path) -> "Signable":
    """What would be signed, if it is for a contract of a network file."""
    from anchors.network import MAX_NETWORK_BYTES, parse_network, prove_network
    from ledger_service.cli.inputs import read_bounded
    from ledger_service.credit.signable import NotAsTold, read_signable

    network = parse_network(read_bounded(path, MAX_NETWORK_BYTES))
    prove_network(network)
    signable = read_signable(operation, client.record, {member.code: member.number for member in network.members})
    contracts = {contract.address for contract in network.contracts if contract.to_block is None}
    if signable.chain_id != network.chain_id or signable.contract not in contracts:
        raise NotAsTold(f"The operation is for a contract that {path} does not name; do not sign it.")
    return signable


def _show(operation: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(operation)
        return
    for line in _lines(operation):
        print("".join(character if character.isprintable() else "?" for character in line))


def _lines(operation: dict[str, Any]) -> Iterator[str]:
    needed, roles = operation["needed"], [signature["role"] for signature in operation["signatures"]]
    missing = [role for role in ("publisher", "regulator") if needed[role] and role not in roles]
    missing += ["endorser"] * (needed["endorsements"] - roles.count("endorser"))
    return told(operation, "record", missing)
