"""What a screening answered: kept so that it can be proven later, and told.

The result is written as the very bytes that the member logged, beside its receipt file, so that `evidence fetch` and
`verify` treat it like any document.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger_service import errors
from ledger_service.cli.console import print_json

if TYPE_CHECKING:
    from ledger_service.credit.client import Told


@dataclass(frozen=True, slots=True)
class Kept:
    """A screening that is on the disk."""

    result: "Told"
    document: Path
    receipt: Path
    certificate: bytes  # empty where none was asked for


def keep(answer: "Told", url: str, out: Path) -> Kept:
    """Write a screening's result and its receipt file.

    Args:
        answer: as the API gave it.
        url: of the API.
        out: the folder.

    Raises:
        Unavailable: the answer is no screening, or its statement is of another result.
    """
    import rfc8785

    from anchors.commitment import Statement, commit
    from anchors.errors import AnchorsError
    from anchors.receipt import parse_receipt
    from ledger_service.evidence.submission import ReceiptFile
    from ledger_service.files import write_durably

    try:
        result, certificate = answer["result"], answer["certificate"]
        content = rfc8785.dumps(result)
        statement, receipt = Statement.from_json(answer["statement"]), parse_receipt(answer["receipt"])
        document = out / f"screening-{_name(result)}.json"
        written = rfc8785.dumps(certificate) if certificate is not None else b""
    except (KeyError, TypeError, ValueError, AnchorsError) as error:
        raise errors.Unavailable(f"{url} answered something other than a screening ({error!r})") from error
    if statement.sha256 != _sha256(content) or receipt.commitment != commit(statement):
        raise errors.Unavailable(f"{url} logged another result than it answered; ask again")
    out.mkdir(parents=True, exist_ok=True)
    write_durably(document, content)
    kept = ReceiptFile(document.name, url, statement, receipt.to_json(), secrets.token_hex(16))
    path = out / f"{document.name}.receipt.json"
    kept.write(path)
    return Kept(result, document, path, written)


def tell(kept: Kept, lines: list[int], unnamed: list[tuple[int, str]], *, as_json: bool) -> None:
    """Tell what was found.

    Args:
        kept: the screening.
        lines: of the list, for each company that was asked about.
        unnamed: lines that name no company, and why.
        as_json: print one JSON document instead of lines.
    """
    results = [{"line": line, **found} for line, found in zip(lines, kept.result["results"], strict=False)]
    if as_json:
        files = {"document": str(kept.document.absolute()), "receipt": str(kept.receipt.absolute())}
        invalid = [{"line": line, "result": "invalid", "detail": why} for line, why in unnamed]
        print_json({**kept.result, "results": results, "not_asked": invalid, "files": files})
        return
    for found in results:
        print(f"line {found['line']}: {found['subject']}: {found['result']}")
        for record in found["records"]:
            print(f"  {record_line(record)}")
    for line, why in unnamed:
        print(f"line {line}: not asked about: {why}")
    print(f"{kept.document}\n{kept.receipt}")


def record_line(record: "Told") -> str:
    """A record in one line."""
    measures = "; ".join(f"{each.get('zh')} ({each.get('en')})" for each in record.get("measures", ()))
    refused = [str(each.get("member")) for each in record.get("not_applied_by", ())]
    applied = f"; not applied by {', '.join(refused)}" if refused else ""
    return (
        f"{record.get('state')}: {record.get('kind')}, by {record.get('member')}, decided {record.get('decided_on')}, "
        f"published until {record.get('last_day')}: {measures}{applied}  {record.get('record')}"
    )


def _name(result: Any) -> str:
    name = str(result["id"])
    if not name.isalnum():
        raise ValueError("its id is no name")
    return name


def _sha256(content: bytes) -> bytes:
    from hashlib import sha256

    return sha256(content).digest()
