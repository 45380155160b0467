"""`bidledger verify`: hold a document and its evidence file against a pinned network file. Opens no socket."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Exit, NotFound

if TYPE_CHECKING:
    from anchors.verify import Verdict


class Require(StrEnum):
    """The grades that a reader can ask for, weakest first."""

    LOGGED = "logged"
    ANCHORED = "anchored"
    SEALED = "sealed"


def verify(
    document: Annotated[Path, typer.Argument(help="The document, byte for byte as it was submitted.")],
    evidence: Annotated[Path, typer.Argument(help="Its NAME.evidence.json.")],
    network: Annotated[Path, typer.Option(help="The network file that you trust.")],
    require: Annotated[
        Require | None, typer.Option(help="Least grade; by default sealed, or anchored on a development network.")
    ] = None,
    later: Annotated[
        list[Path] | None, typer.Option(help="The next version of the network file; repeat it for each after that.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove, offline, that DOCUMENT is what EVIDENCE says: exit 0 proven, 1 refuted."""
    from anchors.commitment import digest_document
    from anchors.evidence import MAX_EVIDENCE_BYTES
    from anchors.network import MAX_NETWORK_BYTES
    from anchors.verify import verify as verify_evidence

    evidence_bytes = read_bounded(evidence, MAX_EVIDENCE_BYTES)
    network_bytes = read_bounded(network, MAX_NETWORK_BYTES)
    later_bytes = [read_bounded(path, MAX_NETWORK_BYTES) for path in later or ()]
    try:
        with document.open("rb") as stream:
            digests = digest_document(stream)
    except OSError as error:
        raise NotFound(f"{document}: {error.strerror}; give the path of the document itself") from error
    least = require.value if require else None
    verdict = verify_evidence(digests, evidence_bytes, network_bytes, require=least, later=later_bytes)
    if as_json:
        print_json(verdict.as_json())
    else:
        _show(document, verdict)
    raise typer.Exit(Exit.DONE if verdict.proven else Exit.REFUTED)


def _show(document: Path, verdict: "Verdict") -> None:
    for step in verdict.steps:
        print(f"  {'✓' if step.ok else '✗'} {step.step:<11} {step.detail}")
    if verdict.proven:
        print(f"{document}: proven, {verdict.grade}" + (f" at {verdict.anchored_at}" if verdict.anchored_at else ""))
    else:
        print(f"{document}: refuted")
