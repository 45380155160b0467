"""`bidledger verify`: hold a document and its evidence file against a pinned network file. Opens no socket."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_service.cli.console import JsonFlag, print_json
from ledger_service.cli.inputs import read_bounded
from ledger_service.errors import Exit, NotFound

if TYPE_CHECKING:
    from anchors.commitment import Digests
    from anchors.verify import Verdict


class Require(StrEnum):
    """The grades that a reader can ask for, weakest first."""

    LOGGED = "logged"
    ANCHORED = "anchored"
    SEALED = "sealed"


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="DOCUMENT EVIDENCE [DOCUMENT EVIDENCE]...",
            help="The document, byte for byte as it was submitted, and its NAME.evidence.json; any number of pairs.",
        ),
    ],
    network: Annotated[Path, typer.Option(help="The network file that you trust.")],
    require: Annotated[
        Require | None, typer.Option(help="Least grade; by default sealed, or anchored on a development network.")
    ] = None,
    later: Annotated[
        list[Path] | None, typer.Option(help="The next version of the network file; repeat it for each after that.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="The tlog-policy file of witnesses whose quorum must have cosigned the checkpoint."),
    ] = None,
    authorities: Annotated[
        Path | None,
        typer.Option(help="Root certificates (PEM) of timestamp authorities, one of which must have dated it."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove, offline, that each DOCUMENT is what its EVIDENCE (NAME.evidence.json) says: exit 0 proven, 1 refuted."""
    from anchors.network import MAX_NETWORK_BYTES
    from anchors.notes.policy import MAX_POLICY_BYTES
    from anchors.timestamp import MAX_AUTHORITIES_BYTES
    from anchors.verify import verify as verify_evidence

    if len(files) % 2:
        raise typer.BadParameter(f"{files[-1]} stands alone; give each document with its evidence file")
    versions = [read_bounded(path, MAX_NETWORK_BYTES) for path in (network, *(later or ()))]
    judge = partial(
        verify_evidence,
        network=versions[0],
        require=require.value if require else None,
        later=versions[1:],
        policy=read_bounded(policy, MAX_POLICY_BYTES) if policy else None,
        authorities=read_bounded(authorities, MAX_AUTHORITIES_BYTES) if authorities else None,
    )
    judged: list[tuple[Path, Path, Verdict]] = []
    for document, evidence in zip(files[::2], files[1::2], strict=True):
        judged.append((document, evidence, _judge(document, evidence, judge)))
        if not as_json:
            _show(document, judged[-1][2])
    if as_json:
        print_json(_as_json(judged))
    elif len(judged) > 1:
        print(f"{sum(verdict.proven for _, _, verdict in judged)} of {len(judged)} documents are proven")
    raise typer.Exit(Exit.DONE if all(verdict.proven for _, _, verdict in judged) else Exit.REFUTED)


def _judge(document: Path, evidence: Path, judge: "Callable[[Digests, bytes], Verdict]") -> "Verdict":
    from anchors.commitment import digest_document
    from anchors.evidence import MAX_EVIDENCE_BYTES

    evidence_bytes = read_bounded(evidence, MAX_EVIDENCE_BYTES)
    try:
        with document.open("rb") as stream:
            digests = digest_document(stream)
    except OSError as error:
        raise NotFound(f"{document}: {error.strerror}; give the path of the document itself") from error
    return judge(digests, evidence_bytes)


def _show(document: Path, verdict: "Verdict") -> None:
    for step in verdict.steps:
        print(f"  {'✓' if step.ok else '✗'} {step.step:<11} {step.detail}")
    if verdict.proven:
        print(f"{document}: proven, {verdict.grade}" + (f" at {verdict.anchored_at}" if verdict.anchored_at else ""))
    else:
        print(f"{document}: refuted")


def _as_json(judged: "Sequence[tuple[Path, Path, Verdict]]") -> Mapping[str, object]:
    """One pair's verdict as it is; of several, each with its files, and proven together only if all are."""
    if len(judged) == 1:
        return judged[0][2].as_json()
    return {
        "verdict": "proven" if all(verdict.proven for _, _, verdict in judged) else "refuted",
        "files": [
            verdict.as_json() | {"document": str(document), "evidence": str(evidence)}
            for document, evidence, verdict in judged
        ],
    }
