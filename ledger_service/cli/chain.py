"""`bidledger devnet` and `bidledger deploy`: a chain to develop on, and the alliance's contracts on any chain."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json, working

app = typer.Typer(help="A development chain, or a network of four signers, on this machine.", no_args_is_help=True)


class Chain(StrEnum):
    """The development chains."""

    ANVIL = "anvil"
    GANACHE = "ganache"
    CLIQUE = "clique"


ChainOption = Annotated[Chain, typer.Option(help="anvil and ganache seal nothing; clique is four geth signers.")]
DirOption = Annotated[Path, typer.Option("--dir", help="Each chain keeps its files in a folder of its name here.")]
DEVNET_DIR = Path(".devnet")


@app.command()
def up(chain: ChainOption = Chain.ANVIL, directory: DirOption = DEVNET_DIR, as_json: JsonFlag = False) -> None:
    """Start the chain and wait until it answers."""
    from ledger_service import logs
    from ledger_service.chain import devnet

    logs.for_people()
    with working(f"starting {chain.value}"):
        running = devnet.up(chain.value, directory / chain.value)
    if as_json:
        print_json(running.as_json())
    else:
        for node in running.nodes:
            print(node)


@app.command()
def down(chain: ChainOption = Chain.ANVIL, directory: DirOption = DEVNET_DIR, as_json: JsonFlag = False) -> None:
    """Stop the chain that `up` started."""
    from ledger_service import logs
    from ledger_service.chain import devnet

    logs.for_people()
    stopped = devnet.down(directory / chain.value)
    if as_json:
        print_json({"stopped": stopped})
    else:
        print("stopped" if stopped else f"nothing runs from {(directory / chain.value).absolute()}")


@app.command("status")
def devnet_status(
    chain: ChainOption = Chain.ANVIL, directory: DirOption = DEVNET_DIR, as_json: JsonFlag = False
) -> None:
    """Say whether the chain runs, where, and its head."""
    from ledger_service import logs
    from ledger_service.chain import devnet

    logs.for_people()
    state = devnet.status(directory / chain.value)
    if as_json:
        print_json(state.as_json())
    else:
        print(state)


def deploy(
    rpc: Annotated[str, typer.Option(help="JSON-RPC address of a node.")],
    alliance: Annotated[Path, typer.Option(help="The alliance file: members, operators, governors.")],
    out: Annotated[Path, typer.Option(help="Where the network file goes.")],
    as_json: JsonFlag = False,
) -> None:
    """Deploy the alliance's contracts and write the network file that readers pin."""
    from ledger_service import logs
    from ledger_service.chain.deploy import deploy_from_file

    logs.for_people()
    with working(f"deploying to {rpc}"):
        network = deploy_from_file(rpc, alliance, out)
    contracts = {contract.name: contract.address for contract in network.contracts}
    if as_json:
        print_json({"network": str(out.absolute()), "chain_id": network.chain_id, "contracts": contracts})
    else:
        print(f"{network.alliance}: {contracts} on chain {network.chain_id}; network file {out.absolute()}")
