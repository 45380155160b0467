"""`bidledger tender`: a tender's audit, from one downloaded file. Opens no socket."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Exit

if TYPE_CHECKING:
    from anchors.tenders.audit import AuditVerdict, SignedReceipt

app = typer.Typer(help="Tenders, from the notice to the award.", no_args_is_help=True)

_MARKS = {"kept": "✓", "not shown": "?", "broken": "✗"}


@app.callback()
def tender() -> None:
    """Tenders, from the notice to the award."""


@app.command()
def audit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The audit's file of the tender, from anyone.")],
    network: Annotated[Path, typer.Option(help="The network file that you trust.")],
    later: Annotated[
        list[Path] | None, typer.Option(help="The next version of the network file; repeat it for each after that.")
    ] = None,
    receipts: Annotated[
        list[Path] | None, typer.Option("--receipt", help="A receipt for a bid that you hold; repeat it for each.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 also where a rule is not shown.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Recompute a tender's life, offline, and print each rule kept or broken: exit 0 if none is broken, 1 otherwise."""
    gc.disable()  # one answer and the process ends: there is nothing to collect
    from anchors.network import MAX_NETWORK_BYTES
    from anchors.tenders.audit import MAX_AUDIT_BYTES
    from anchors.tenders.audit import audit as audit_tender

    versions = [read_bounded(path, MAX_NETWORK_BYTES) for path in (network, *(later or ()))]
    own = [_read_receipt(path) for path in receipts or ()]
    verdict = audit_tender(read_bounded(file, MAX_AUDIT_BYTES), versions[0], versions[1:], receipts=own)
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(file, verdict)
    good = ("kept",) if strict else ("kept", "not shown")
    raise typer.Exit(Exit.DONE if verdict.finding in good else Exit.REFUTED)


def _read_receipt(path: Path) -> "SignedReceipt":
    from anchors.bounded_json import MAX_FILE_BYTES, read_json
    from anchors.tenders.audit import SignedReceipt

    return SignedReceipt.from_json(read_json(read_bounded(path, MAX_FILE_BYTES)), "")


def _show(file: Path, verdict: "AuditVerdict") -> None:
    for step in verdict.steps:
        print(f"  {'✓' if step.ok else '✗'} {step.step:<13} {step.detail}")
    if not verdict.rules:
        print(f"{file}: refuted")
        return
    print()
    for rule in verdict.rules:
        print(f"  {_MARKS[rule.outcome]} {rule.rule:<13} {rule.outcome}: {rule.detail} [{rule.article}]")
    for leaf in verdict.unaccounted:
        print(f"  ? leaf {leaf.index:<8} 0x{leaf.leaf.hex()} is neither filling nor accounted for")
    kinds = [rule.outcome for rule in verdict.rules]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    print(f"{file}: {verdict.finding}; of {len(kinds)} rules {counts}")
