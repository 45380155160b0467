"""`bidledger verify-certificate`: what the chain held about companies at a block. Opens no socket."""

import gc
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Exit

if TYPE_CHECKING:
    from anchors.credit.certificate import CertificateVerdict, Shown, SubjectRecords
    from anchors.credit.measures import Catalogue
    from anchors.subjects import Subject


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
    """Prove, offline, what companies' credit records were at a block, and how old it is: exit 0 proven, 1 refuted."""
    gc.disable()  # one answer and the process ends: there is nothing to collect
    from anchors.credit.certificate import verify_certificate as verify
    from anchors.credit.certificate_file import MAX_CERTIFICATE_BYTES
    from anchors.network import MAX_NETWORK_BYTES
    from anchors.subjects import Subject

    asked = Subject.parse(subject) if subject else None
    versions = [read_bounded(path, MAX_NETWORK_BYTES) for path in (network, *(later or ()))]
    verdict = verify(
        read_bounded(file, MAX_CERTIFICATE_BYTES),
        versions[0],
        int(time.time()),
        versions[1:],
        subject=asked,
    )
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(file, verdict, asked)
    raise typer.Exit(Exit.DONE if verdict.proven else Exit.REFUTED)


def _show(file: Path, verdict: "CertificateVerdict", asked: "Subject | None") -> None:
    from anchors.steps import iso_time

    for step in verdict.steps:
        print(f"  {'✓' if step.ok else '✗'} {step.step:<8} {step.detail}")
    if not verdict.proven or verdict.block_time is None or verdict.age is None:
        print(f"{file}: refuted")
        return
    when = f"at block {verdict.block_number}, {iso_time(verdict.block_time)}"
    old = f"{timedelta(seconds=abs(verdict.age))} {'ago' if verdict.age >= 0 else 'ahead of this clock'}"
    when += f", {old}" + ("" if verdict.sealed else "; nobody sealed that block")
    shown = [each for each in verdict.subjects if asked in (None, each.subject)]
    if len(shown) == 1:
        _show_one(shown[0], when)
    else:
        _show_all(shown, when)


def _show_one(of: "SubjectRecords", when: str) -> None:
    from anchors.credit.measures import read_catalogue

    if of.records:
        catalogue = read_catalogue()
        for shown in of.records:
            print(f"  {_line(shown, catalogue)}")
    print(f"{of.subject}: {_count(of.records)}, {when}")


def _show_all(subjects: list["SubjectRecords"], when: str) -> None:
    for each in subjects:
        states = Counter(shown.standing.title for shown in each.records)
        told = ", ".join(f"{count} {state}" for state, count in states.items())
        print(f"  {each.subject}: {_count(each.records)}" + (f" ({told})" if told else ""))
    clean = sum(not each.records for each in subjects)
    print(f"{len(subjects)} companies, {clean} of them with no record, ever, {when}")


def _count(records: Sequence["Shown"]) -> str:
    return f"{len(records)} record{'s' if len(records) > 1 else ''}" if records else "no record, ever"


def _line(shown: "Shown", catalogue: "Catalogue") -> str:
    content = shown.standing.content
    known = {measure.code: f"{measure.zh} ({measure.en})" for measure in catalogue.measures}
    measures = "; ".join(known.get(code, f"measure {code}") for code in content.measures)
    return (
        f"{shown.standing.title}: {content.kind.title}, by {shown.member}, decided {content.decided_on}, "
        f"published until {content.last_day}: {measures}"
    )
