"""`bidledger log`: what anybody may ask of a member's log."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json, working
from ledger_service.cli.inputs import read_bounded
from ledger_service.cli.service import SERVICE_URL

app = typer.Typer(help="What anybody may ask of a member's log.", no_args_is_help=True)

_Time = typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ"], help="Such as 2026-01-31T16:00:00Z.")


@app.callback()
def log() -> None:
    """What anybody may ask of a member's log."""


@app.command()
def account(
    network: Annotated[Path, typer.Option(help="The network file that you trust.")],
    since: Annotated[datetime | None, _Time] = None,
    until: Annotated[datetime | None, _Time] = None,
    url: Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The member's API.")] = SERVICE_URL,
    as_json: JsonFlag = False,
) -> None:
    """List the leaves of a time that are not filling, by the keys of periods that the log has told."""
    from anchors.network import MAX_NETWORK_BYTES, parse_network, prove_network
    from ledger_service.connection import Connection
    from ledger_service.log.accounting import account_for

    trusted = parse_network(read_bounded(network, MAX_NETWORK_BYTES))
    prove_network(trusted)
    with Connection(url) as connection, working(f"reading the log at {url}"):
        found = account_for(connection, trusted, _seconds(since), _seconds(until))
    if as_json:
        print_json(found.as_json())
        return
    for leaf in found.left:
        typer.echo(f"{leaf.index} 0x{leaf.leaf.hex()}")
    typer.echo(
        f"{found.end - found.first} leaves of {found.periods} periods of {found.origin}, {found.first} to "
        f"{found.end - 1}: {len(found.left)} are not filling; {len(found.sealed)} periods keep their keys"
    )


def _seconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.replace(tzinfo=UTC).timestamp())
