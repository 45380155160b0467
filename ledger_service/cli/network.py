"""`bidledger network`: read the network file, and take it from one version to the next by its governors' voices.

Nothing here asks anyone: what is printed and judged stands in the files that are named. No file is ever written over
but the one that `sign` adds a signature to.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anchors.errors import AnchorsError
from ledger_service.cli.console import JsonFlag, print_json, say
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Exit, InvalidContent, KeyTrouble

if TYPE_CHECKING:
    from anchors.network import Network

app = typer.Typer(help="The network file: what readers pin, and how it changes.", no_args_is_help=True)

OutOption = Annotated[Path, typer.Option(help="Where the network file goes; nothing is ever overwritten.")]


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A network file.")],
    since: Annotated[
        Path | None, typer.Option(metavar="CURRENT", help="The version before; show what FILE changes in it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what a network file is and who signed it: exit 0 valid, 1 not (yet). With --since, whether it may follow."""
    from anchors.network import changes

    network = _read(file)
    before = [_read(since)] if since else []
    wanting = _wanting([*before, network])
    facts = _facts(network) | {"valid": wanting is None, "wanting": wanting}
    differences = [change.as_json() for version in before for change in changes(version, network)]
    if as_json:
        print_json(facts | ({"changes": differences} if before else {}))
    else:
        for name, value in facts.items():
            print(f"{name:<12} {value}")
        for each in differences:
            print(f"{each['kind']:<12} {each['where']}: {_line(each['before'])} -> {_line(each['after'])}")
    raise typer.Exit(Exit.REFUTED if wanting else Exit.DONE)


@app.command()
def propose(
    current: Annotated[Path, typer.Argument(metavar="CURRENT", help="The network file in force.")],
    changes: Annotated[Path, typer.Argument(metavar="CHANGES", help="JSON: the entries that are new, see docs.")],
    out: OutOption,
    as_json: JsonFlag = False,
) -> None:
    """Write the version after CURRENT, with what CHANGES says, for its governors to sign."""
    from anchors.errors import MalformedFile
    from anchors.network import MAX_NETWORK_BYTES, propose

    network = _read(current)
    if wanting := _wanting([network]):
        raise InvalidContent(f"{current}: {wanting}")
    try:
        proposed = propose(network, read_bounded(changes, MAX_NETWORK_BYTES))
    except MalformedFile as error:
        raise InvalidContent(f"{changes}: {error}") from error
    _write_new(out, proposed)
    _tell(out, proposed, as_json)


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proposed version; your signature is added to it.")],
    keystore: Annotated[Path, typer.Option(help="The governor's Web3 keystore.")],
    password_file: Annotated[Path, typer.Option(help="The file that holds its password.")],
    as_json: JsonFlag = False,
) -> None:
    """Sign a version as one of its governors. Look at `network show FILE --since CURRENT` first."""
    from anchors.network import sign_network, write_network
    from ledger_service.files import write_durably
    from ledger_service.keys import open_ethereum_key

    network = _read(file)
    key = open_ethereum_key(keystore, password_file)
    if key.address not in {governor.address for governor in network.governors}:
        raise KeyTrouble(f"{keystore}: 0x{key.address.hex()} is no governor in {file}; name a governor's keystore")
    signed = sign_network(network, {key.address: key.private.secret})
    write_durably(file, write_network(signed))
    _tell(file, signed, as_json)


@app.command()
def accept(
    pinned: Annotated[Path, typer.Argument(metavar="PINNED", help="The network file that you trust.")],
    later: Annotated[
        list[Path],
        typer.Argument(metavar="NEXT...", help="The versions after it, in order; copies signed apart side by side."),
    ],
    out: OutOption,
    as_json: JsonFlag = False,
) -> None:
    """Hold every NEXT against the version before it and write the last: exit 0 accepted, 1 refused."""
    versions = [_read(pinned), *_joined(_read(path) for path in later)]
    if wanting := _wanting(versions):
        if as_json:
            print_json({"accepted": False, "wanting": wanting})
        else:
            say(f"refused: {wanting}")
        raise typer.Exit(Exit.REFUTED)
    _write_new(out, versions[-1])
    _tell(out, versions[-1], as_json, accepted=True)


def _read(path: Path) -> "Network":
    from anchors.network import MAX_NETWORK_BYTES, parse_network

    try:
        return parse_network(read_bounded(path, MAX_NETWORK_BYTES))
    except AnchorsError as error:
        raise InvalidContent(f"{path}: {error.diagnostics()}") from error


def _wanting(versions: Sequence["Network"]) -> str | None:
    """Why the last of these versions does not count, if it does not."""
    from anchors.network import roll_forward

    try:
        roll_forward(versions[0], versions[1:])
    except AnchorsError as error:
        return error.diagnostics()
    return None


def _joined(files: Iterator["Network"]) -> list["Network"]:
    """The versions in order, with the signatures of all their copies."""
    from anchors.network import join_signatures, network_digest

    versions: list[Network] = []
    for network in files:
        if versions and network_digest(versions[-1]) == network_digest(network):
            versions[-1] = join_signatures(versions[-1], network)
        else:
            versions.append(network)
    return versions


def _write_new(path: Path, network: "Network") -> None:
    from anchors.network import write_network
    from ledger_service.files import write_durably

    if path.exists():
        raise InvalidContent(f"{path} exists; a network file is never overwritten, so name another --out")
    write_durably(path, write_network(network))


def _facts(network: "Network") -> dict[str, object]:
    from anchors.network import network_digest

    members = {governor.address: governor.member for governor in network.governors if governor.to_block is None}
    signed = {members.get(each.governor) for each in network.signatures} - {None}
    return {
        "alliance": network.alliance,
        "version": network.version,
        "chain_id": network.chain_id,
        "consensus": network.consensus,
        "digest": f"0x{network_digest(network).hex()}",
        "members": len(network.members),
        "threshold": network.threshold,
        "signed_for": sorted(number for number in signed if number is not None),
    }


def _line(fact: object) -> str:
    return "nothing" if fact is None else json.dumps(fact, ensure_ascii=False)


def _tell(path: Path, network: "Network", as_json: bool, **more: bool) -> None:
    facts = _facts(network) | more
    if as_json:
        print_json({"network": str(path.absolute())} | facts)
    else:
        print(
            f"{path}: version {network.version}, digest {facts['digest']}, signed for members {facts['signed_for']}, "
            f"threshold {network.threshold}"
        )
