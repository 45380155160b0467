"""`bidledger devnet besu`: the files of a QBFT network of Besu nodes, to be started elsewhere."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json


def besu(
    validators: Annotated[
        str,
        typer.Option(
            metavar="FILE|N",
            help="A JSON list of the validators' enode URLs; or how many to make, for a trial on one machine.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder that the files go to; empty or missing.")],
    chain_id: Annotated[int, typer.Option(min=1, help="What transactions are signed for.")] = 1337,
    period: Annotated[int, typer.Option(min=1, help="Seconds between blocks.")] = 2,
    as_json: JsonFlag = False,
) -> None:
    """Write what starts a QBFT network of Besu nodes; see hardhat-free-devnet/besu/README.md."""
    from ledger_service.chain.besu import prepare_network, prepare_trial

    now = int(time.time())
    if validators.isdecimal():
        made = prepare_trial(int(validators), out, chain_id=chain_id, period=period, now=now)
    else:
        made = prepare_network(Path(validators), out, chain_id=chain_id, period=period, now=now)
    addresses = [f"0x{each.address.hex()}" for each in made]
    if as_json:
        # What the alliance file says of the chain.
        print_json(
            {"directory": str(out.absolute()), "chain_id": chain_id, "consensus": "qbft", "validators": addresses}
        )
    else:
        print(f"{out.absolute()}: a network of {len(addresses)} validators, chain {chain_id}")
        for address in addresses:
            print(address)
