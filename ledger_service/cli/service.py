"""`bidledger serve`, `bidledger status` and `bidledger demo`: the running service, its state, and the whole at once."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger_service.cli.chain import Chain
from ledger_service.cli.console import JsonFlag, print_json
from ledger_service.errors import Exit

SERVICE_URL = "http://127.0.0.1:8600"
ApiKeyFile = Annotated[
    Path | None, typer.Option(envvar="BIDLEDGER_API_KEY_FILE", help="File that holds an API key, for quota or scope.")
]


class Part(StrEnum):
    """What one process of a member's service can do alone."""

    API = "api"
    ANCHOR = "anchor"
    INDEX = "index"
    WITNESS = "witness"


def serve(
    only: Annotated[Part | None, typer.Option(help="Run one part; by default all in one process.")] = None,
) -> None:
    """Run the member's service: API, anchoring, index, witnesses. Settings: BIDLEDGER_* (see docs/OPERATING.md)."""
    from ledger_service.serve import serve as run
    from ledger_service.settings import read_settings

    run(read_settings(), only.value if only else None)


def status(
    url: Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The service's address.")] = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Show chain head, finality, validators, index lag, log size, last anchor and, to an operator, the outbox."""
    from ledger_service.evidence.client import Client

    with Client(url, api_key_file) as client:
        state = client.status()
    if as_json:
        print_json(state)
    else:
        for line in _lines(state):
            print(line)
    if any(condition["problem"] == "index-behind" for condition in state["conditions"]):
        raise typer.Exit(Exit.INDEX_BEHIND)


def demo(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="What to submit.")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="Where everything goes; must be new.")] = None,
    chain: Annotated[Chain, typer.Option(help="Which chain to start.")] = Chain.ANVIL,
    keep: Annotated[bool, typer.Option("--keep", help="Leave chain and API running until interrupted.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Start a chain, found the alliance, submit files, prove them, and show that every forgery is refuted."""
    from ledger_service import logs
    from ledger_service.demo.scenario import run

    logs.for_people()
    raise typer.Exit(run(files or [], directory, chain.value, keep=keep, as_json=as_json))


def _lines(state: dict[str, Any]) -> Iterator[str]:
    chain, log, index, anchor = state["chain"], state["log"], state["index"], state["last_anchor"]
    head = f"block {chain['head']}, final {chain['final']}" if chain["head"] is not None else "not seen yet"
    turns = f", {chain['reorganisations']} reorganisations seen" if chain["reorganisations"] else ""
    yield f"chain    {chain['id']} ({chain['consensus']}): {head}{turns}"
    if validators := chain["validators"]:
        rounds = f", {validators['round_changes']} round changes" if validators["round_changes"] is not None else ""
        yield f"sealed   by {chain['sealed_by']}, {validators['may_fail']} more may fail{rounds}"
    yield f"index    block {index['block']}, {index['lag']} behind"
    witnessed = "" if log["witnessed"] is None else f", cosigned by the quorum up to {log['witnessed']}"
    yield f"log      {log['origin']}: size {log['size']}{witnessed}"
    yield f"anchor   size {anchor['size']} in block {anchor['block_number']}" if anchor else "anchor   none yet"
    if (withdrawn := state["withdrawn"])["count"]:
        yield (
            f"evidence {withdrawn['count']} withdrawn, the last of block {withdrawn['newest_block']}, seen "
            f"{withdrawn['newest_seen_at']}; {withdrawn['outstanding']} not proven anew yet"
        )
    if outbox := state.get("outbox"):
        yield f"outbox   {outbox['waiting']} waiting"
    for condition in state["conditions"]:
        yield f"trouble  {condition['part']}: {condition['detail']} (since {condition['since']})"
