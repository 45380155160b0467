"""`bidledger evidence`: commit to documents, keep the receipts, fetch the evidence files."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.service import SERVICE_URL, ApiKeyFile

app = typer.Typer(help="Submit documents' commitments and fetch their evidence.", no_args_is_help=True)
OutOption = Annotated[Path, typer.Option(help="Where the files go.")]
HERE = Path()


@app.command()
def submit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The documents; they stay on this machine.")],
    url: Annotated[str, typer.Option(envvar="BIDLEDGER_URL", help="The member's API.")] = SERVICE_URL,
    tender: Annotated[str | None, typer.Option(help="The tender's identifier.")] = None,
    party: Annotated[str | None, typer.Option(help="Whose document it is: SCHEME:ID, such as CN-USCC:….")] = None,
    kind: Annotated[str, typer.Option(help="What the document is.")] = "bid-document",
    holder: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Ethereum address whose signature alone may later replace the document."),
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A fact to bind to the document; may be given again for others."),
    ] = None,
    out: OutOption = HERE,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Log a salted commitment to each FILE and write NAME.receipt.json. The salt in it is kept nowhere else."""
    from ledger_service.evidence.client import Client
    from ledger_service.evidence.particulars import Particulars
    from ledger_service.evidence.submission import submit_all

    particulars = Particulars.parse(kind, tender, party, holder, extra or ())
    with Client(url, api_key_file) as client, working(f"submitting to {url}"):
        written = submit_all(client, files, particulars, out, say)
    _show(written, as_json)


@app.command()
def fetch(
    receipts: Annotated[list[Path], typer.Argument(metavar="RECEIPT...", help="NAME.receipt.json of each document.")],
    url: Annotated[str | None, typer.Option(help="The member's API; by default the one that gave the receipt.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the anchor.")] = 0,
    out: OutOption = HERE,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Fetch what proves each receipt's commitment and write NAME.evidence.json and NAME.tlog-proof."""
    from ledger_service.evidence.client import Client
    from ledger_service.evidence.submission import ReceiptFile, fetch

    deadline = time.monotonic() + wait
    written = []
    with working("fetching evidence"):
        for receipt in receipts:
            kept = ReceiptFile.read(receipt)
            with Client(url or kept.url, api_key_file) as client:
                written.append(fetch(client, kept, out, deadline))
    _show(written, as_json)


def _show(written: list[Path], as_json: bool) -> None:
    if as_json:
        print_json({"files": [str(path.absolute()) for path in written]})
    else:
        for path in written:
            print(path)
