"""`bidledger tender features` and `bidledger tender leads`: codes of bids, sealed with them and compared when opened.

Codes and the tender's key are read from files and never leave this machine: what is written, logged and handed in are
values under the key. A record is logged like any document, by `bidledger evidence submit --kind feature-code`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_service.cli.console import JsonFlag, print_json, say, working
from ledger_service.cli.inputs import read_bounded
from ledger_service.cli.service import SERVICE_URL, ApiKeyFile
from ledger_service.cli.tender_acts import AsOfOption, TenderArgument, UrlOption

if TYPE_CHECKING:
    from anchors.evidence import EvidenceFile
    from anchors.tenders.features import Code

features = typer.Typer(help="Feature codes of bids: take, hand in.", no_args_is_help=True)

_AT_ONCE = 100  # records of a request
_MAX_CODES_BYTES = 16 << 10


def add_to(app: typer.Typer) -> None:
    """Put these commands into the group of tenders."""
    app.add_typer(features, name="features")
    app.command()(leads)


@features.command()
def key(
    tender: TenderArgument,
    out: Annotated[Path, typer.Option(help="Where the key goes, for the sites to share; nothing is overwritten.")],
) -> None:
    """Make the key of a tender's feature codes. Who has it can find the codes behind values: destroy it in time."""
    from anchors.tenders.features import FeatureKey

    _word(tender, "TENDER")
    _write_new(out, FeatureKey.new(tender).to_bytes())


@features.command()
def take(
    key: Annotated[Path, typer.Argument(metavar="KEYFILE", help="The tender's key.")],
    codes: Annotated[Path, typer.Argument(metavar="CODES", help='JSON file, {"machine-code": "...", ...}.')],
    bid: Annotated[str, typer.Option(metavar="COMMITMENT", help="Of the bid that has these codes.")],
    out: Annotated[Path, typer.Option(help="Where the record goes; nothing is overwritten.")],
    as_json: JsonFlag = False,
) -> None:
    """Take a bid's codes under the tender's key, and write the record, to be logged with the bid."""
    from anchors.tenders.features import FeatureKey, FeatureRecord

    taken = _read_codes(codes)
    record = FeatureRecord.take(FeatureKey.from_bytes(read_bounded(key, 4096)), _word(bid, "--bid"), taken)
    _write_new(out, record.document())
    weak = {code.kind.value: code.weakness for code in taken if code.weakness is not None}
    for kind, why in weak.items():
        say(f"{kind} is weak: {why}")
    if as_json:
        print_json({"file": str(out.absolute()), "tender": record.tender, "codes": sorted(record.values), "weak": weak})
    else:
        print(out)


@features.command()
def submit(
    tender: TenderArgument,
    records: Annotated[list[Path], typer.Argument(metavar="RECORD...", help="Records that were logged.")],
    evidence: Annotated[
        Path | None,
        typer.Option(help="Where NAME.evidence.json or NAME.receipt.json of each is; by default beside it."),
    ] = None,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Hand in the records of bids once these are opened; to another member's API with NAME.evidence.json alone."""
    from ledger_service.tenders.client import TenderClient

    opened = [_opened(path, evidence or path.parent) for path in records]
    kept: list[dict[str, Any]] = []
    with TenderClient(url, api_key_file) as client, working(f"handing in at {url}"):
        for at in range(0, len(opened), _AT_ONCE):
            kept += client.hand_in_features(tender, opened[at : at + _AT_ONCE])["records"]
    if as_json:
        print_json({"records": kept})
    else:
        for one in kept:
            print(f"{one['bid']} of {one['site']}: {one['record']}")


def leads(
    tender: TenderArgument,
    where: Annotated[
        str | None, typer.Option(metavar="across|within", help="Only codes equal across members, or within one.")
    ] = None,
    as_of: AsOfOption = None,
    url: UrlOption = SERVICE_URL,
    api_key_file: ApiKeyFile = None,
    as_json: JsonFlag = False,
) -> None:
    """List equal feature codes of different bidders: leads for a person to look into, never a sanction."""
    from ledger_service.tenders.client import TenderClient

    with TenderClient(url, api_key_file) as client:
        told = client.leads(tender, where=where, as_of=as_of)
    if as_json:
        print_json(told)
        return
    for line in _lines(told):
        print("".join(letter if letter.isprintable() else "?" for letter in line))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    compared = told["compared"]
    yield f"{len(told['leads'])} leads; {compared['records']} records of {compared['opened']} opened bids compared"
    for site in compared["sites"]:
        codes = ", ".join(f"{count} {kind}" for kind, count in site["codes"].items())
        yield f"  {site['site']}: {site['records']} records with {codes}"
    for lead in told["leads"]:
        yield lead["text"]
        for sharer in lead["sharers"]:
            yield f"  {sharer['bidder']} at {sharer['member']}: bid {sharer['bid']}"
    yield told["caution"]


def _read_codes(path: Path) -> "list[Code]":
    from anchors.bounded_json import Fields, read_json
    from anchors.errors import MalformedFile
    from anchors.tenders.features import CodeKind, read_code
    from ledger_service.errors import InvalidContent

    try:
        given = Fields(read_json(read_bounded(path, _MAX_CODES_BYTES), _MAX_CODES_BYTES), "", CodeKind, CodeKind)
        texts = {kind: given.text(kind, r"(?s).{1,1024}") for kind in CodeKind if kind in given.members}
    except MalformedFile as error:
        raise InvalidContent(f"{path} is no JSON object of codes by their kinds: {', '.join(CodeKind)}") from error
    return [read_code(kind, text) for kind, text in texts.items()]


def _word(text: str, name: str) -> bytes:
    import re

    from ledger_service.errors import InvalidContent

    if not re.fullmatch(r"0x[0-9a-f]{64}", text):
        raise InvalidContent(f"{name} is not 0x and 64 lower-case hexadecimal digits")
    return bytes.fromhex(text[2:])


def _opened(path: Path, folder: Path) -> dict[str, Any]:
    """A record as it is handed in: with its statement, and with a proof where there is one."""
    from anchors.bounded_json import read_json
    from anchors.commitment import commit
    from anchors.evidence import MAX_EVIDENCE_BYTES, EvidenceFile
    from anchors.tenders.features.records import MAX_RECORD_BYTES
    from ledger_service.evidence.submission import ReceiptFile

    record = read_json(read_bounded(path, MAX_RECORD_BYTES), MAX_RECORD_BYTES)
    proven = folder / f"{path.name}.evidence.json"
    proof = None
    if proven.exists():
        file = EvidenceFile.parse(read_bounded(proven, MAX_EVIDENCE_BYTES))
        statement, proof = file.statement(), _proof(file)
    else:
        statement = ReceiptFile.read(folder / f"{path.name}.receipt.json").statement
    commitment = f"0x{commit(statement).hex()}"
    return {"commitment": commitment, "statement": statement.to_json(), "record": record, "proof": proof}


def _proof(file: "EvidenceFile") -> dict[str, Any]:
    from ledger_service.errors import InvalidContent

    found = file.tlog_proof()
    parts = found.checkpoint.origin.split("/")
    if len(parts) < 2 or not parts[-1].isdecimal():
        raise InvalidContent(f"{found.checkpoint.origin} is no log of a member")
    return {
        "member": parts[-2],
        "generation": int(parts[-1]),
        "index": found.index,
        "size": found.checkpoint.size,
        "path": [f"0x{node.hex()}" for node in found.path],
    }


def _write_new(path: Path, content: bytes) -> None:
    """Write what others may not read, and never over anything."""
    from ledger_service.errors import Conflict

    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise Conflict(f"{path} cannot be made: {error.strerror}; nothing is ever overwritten") from error
    path.write_bytes(content)
