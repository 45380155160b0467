"""`bidledger verify-certificate`: what the chain held about a company at a block. Opens no socket."""

import time
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Exit

if TYPE_CHECKING:
    from anchors.credit.certificate import CertificateVerdict, Shown
    from anchors.credit.measures import Catalogue


def verify_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The credit certificate.")],
    network: Annotated[Path, typer.Option(help="The network file that you trust.")],
    subject: Annotated[
        str | None, typer.Option(help="Whom it must be about, such as CN-USCC:91110000600037341L; by default anyone.")
    ] = None,
    later: Annotated[
        list[Path] | None, typer.Option(help="The next version of the network file; repeat it for each after that.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove, offline, what a company's credit records were at a block, and how old it is: exit 0 proven, 1 refuted."""
    from anchors.credit.certificate import verify_certificate as verify
    from anchors.credit.certificate_file import MAX_CERTIFICATE_BYTES
    from anchors.network import MAX_NETWORK_BYTES
    from anchors.subjects import Subject

    versions = [read_bounded(path, MAX_NETWORK_BYTES) for path in (network, *(later or ()))]
    verdict = verify(
        read_bounded(file, MAX_CERTIFICATE_BYTES),
        versions[0],
        int(time.time()),
        versions[1:],
        subject=Subject.parse(subject) if subject else None,
    )
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(file, verdict)
    raise typer.Exit(Exit.DONE if verdict.proven else Exit.REFUTED)


def _show(file: Path, verdict: "CertificateVerdict") -> None:
    from anchors.credit.measures import Catalogue
    from anchors.steps import iso_time

    for step in verdict.steps:
        print(f"  {'✓' if step.ok else '✗'} {step.step:<8} {step.detail}")
    if verdict.subject is None or verdict.block_time is None or verdict.age is None:
        print(f"{file}: refuted")
        return
    catalogue = Catalogue.parse(resources.files("anchors.credit").joinpath("measures.json").read_bytes())
    for shown in verdict.records:
        print(f"  {_line(shown, catalogue)}")
    count = len(verdict.records)
    held = f"{count} record{'s' if count > 1 else ''}" if count else "no record, ever"
    when = f"at block {verdict.block_number}, {iso_time(verdict.block_time)}"
    old = f"{timedelta(seconds=abs(verdict.age))} {'ago' if verdict.age >= 0 else 'ahead of this clock'}"
    print(f"{verdict.subject}: {held}, {when}, {old}" + ("" if verdict.sealed else "; nobody sealed that block"))


def _line(shown: "Shown", catalogue: "Catalogue") -> str:
    content = shown.standing.content
    known = {measure.code: f"{measure.zh} ({measure.en})" for measure in catalogue.measures}
    measures = "; ".join(known.get(code, f"measure {code}") for code in content.measures)
    return (
        f"{shown.standing.title}: {content.kind.title}, by {shown.member}, decided {content.decided_on}, "
        f"published until {content.last_day}: {measures}"
    )
