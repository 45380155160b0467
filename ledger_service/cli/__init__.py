"""The `bidledger` command: each subcommand lives in a module of its own and imports what it needs when it runs.

`bidledger verify` must start fast and run without the service's packages, so nothing here imports them. Results go to
standard output (with `--json` exactly one JSON document), everything else to standard error, and the exit code is one
of `Exit`.
"""

import sys

import typer

from anchors.errors import AnchorsError
from ledger_service.cli import (
    besu,
    certificate,
    chain,
    credit,
    draw,
    evidence,
    keys,
    log,
    network,
    service,
    tender,
    tender_acts,
    tender_features,
    tender_ocds,
    verify,
)
from ledger_service.errors import Exit, ServiceError

app = typer.Typer(
    name="bidledger",
    help="Evidence of bids that needs nobody's word: log, anchor, prove.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(verify.verify)
app.command()(certificate.verify_certificate)
app.add_typer(log.app, name="log")
app.add_typer(draw.app, name="draw")
app.add_typer(evidence.app, name="evidence")
app.add_typer(credit.app, name="credit")
app.add_typer(keys.app, name="keys")
app.add_typer(network.app, name="network")
chain.app.command()(besu.besu)
app.add_typer(chain.app, name="devnet")
tender_acts.add_to(tender.app)
tender_features.add_to(tender.app)
tender_ocds.add_to(tender.app)
app.add_typer(tender.app, name="tender")
app.command()(chain.deploy)
app.command()(service.serve)
app.command()(service.status)
app.command()(service.demo)


def main() -> None:
    """Run the command line; our own errors end in a sentence on standard error and their exit code."""
    try:
        app()
    except ServiceError as error:
        _end(error.detail, error.exit_code)
    except AnchorsError as error:
        _end(error.diagnostics(), Exit.USAGE)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("anchors", "ledger_service"):
            raise
        _end(f"this command needs the package {error.name}: pip install 'bidledger[service]'", Exit.USAGE)


def _end(message: str, code: Exit) -> None:
    print(f"bidledger: {message}", file=sys.stderr)
    sys.exit(code)
