"""What a bidder does with a document: submit its commitment, keep the receipt, fetch the evidence.

The statement with its salt is on the disk before the commitment leaves the machine, so that a broken connection or a
killed process loses nothing: the same command again finishes what the first began, under the same Idempotency-Key.
Only commitments are ever sent.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from anchors.bounded_json import Fields, read_json
from anchors.commitment import Digests, Statement, commit, digest_document
from anchors.errors import AnchorsError
from anchors.evidence import EvidenceFile, write_evidence
from anchors.receipt import Receipt, parse_receipt
from ledger_service import errors
from ledger_service.evidence.client import Client, NotYet
from ledger_service.evidence.particulars import Particulars
from ledger_service.files import write_durably

FORMAT = "bidledger/receipt/v1"
MAX_RECEIPT_FILE_BYTES = 1 << 20
_NAMES = ("format", "document", "url", "statement", "receipt", "idempotency_key")


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """`NAME.receipt.json`: the only place where the salt is kept until the evidence file is made."""

    document: str
    url: str
    statement: Statement
    receipt: Mapping[str, Any] | None  # None from before the request until its answer
    idempotency_key: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `path`.

        Raises:
            NotFound: there is no such file.
            InvalidContent: it is not a receipt file.
        """
        try:
            with path.open("rb") as stream:
                content = Fields(read_json(stream.read(MAX_RECEIPT_FILE_BYTES)), "", _NAMES)
            content.text("format", re.escape(FORMAT))
            return cls(
                document=content.text("document", r"[^/\x00]{1,255}"),
                url=content.text("url", r".{1,2048}"),
                statement=Statement.from_json(content.raw("statement")),
                receipt=content.nullable("receipt", lambda name: parse_receipt(content.raw(name)).to_json()),
                idempotency_key=content.text("idempotency_key", r"[0-9a-f]{32}"),
            )
        except OSError as error:
            raise errors.NotFound(f"{path}: {error.strerror}; name a NAME.receipt.json") from error
        except AnchorsError as error:
            raise errors.InvalidContent(f"{path} is not a receipt file: {error.diagnostics()}") from error

    def write(self, path: Path) -> None:
        """Write the file so that it is either the old or the new one, and on the disk, whatever happens."""
        content = {
            "format": FORMAT,
            "document": self.document,
            "url": self.url,
            "statement": self.statement.to_json(),
            "receipt": self.receipt,
            "idempotency_key": self.idempotency_key,
        }
        write_durably(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def submit_all(
    client: Client, documents: Sequence[Path], particulars: Particulars, out: Path, say: Callable[[str], None]
) -> list[Path]:
    """Submit each document in turn, waiting for the next period when the quota of this one is used up.

    Args:
        client: the member's API.
        documents: files of different names.
        particulars: what is declared about each of them.
        out: where the receipt files go.
        say: told of every wait.

    Returns:
        The receipt files, in the documents' order.

    Raises:
        InvalidContent: two documents of the same name; nothing is submitted then.
        ServiceError: what `submit` raises; the receipts written until then are good.
    """
    if len({document.name for document in documents}) != len(documents):
        raise errors.InvalidContent("two documents have the same name, and so would their receipts; submit them apart")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for document in documents:
        while True:
            try:
                written.append(submit(client, document, particulars, out))
                break
            except errors.QuotaExhausted as error:
                say(f"{document.name}: {error.detail}")
                time.sleep(error.retry_after or 1)
    return written


def submit(client: Client, document: Path, particulars: Particulars, out: Path) -> Path:
    """Commit to `document`, have it receipted, and write `NAME.receipt.json` into `out`.

    Returns:
        The receipt file's path.

    Raises:
        NotFound: the document cannot be read.
        Conflict: a receipt file of that name is complete already, or belongs to other bytes or particulars.
        ServiceError: what the API refused.
    """
    try:
        with document.open("rb") as stream:
            digests = digest_document(stream)
    except OSError as error:
        raise errors.NotFound(f"{document}: {error.strerror}; name a file that can be read") from error
    path = out / f"{document.name}.receipt.json"
    pending = _begin(client.url, document.name, digests, particulars, path)
    commitment = commit(pending.statement)
    (receipt,) = client.accept([commitment], pending.idempotency_key)
    if _receipt(receipt).commitment != commitment:
        raise errors.Unavailable(f"{client.url} gave a receipt for another commitment; keep {path} and ask again")
    replace(pending, receipt=receipt).write(path)
    return path


def _begin(url: str, name: str, digests: Digests, particulars: Particulars, path: Path) -> ReceiptFile:
    """The pending receipt file on the disk: that of an interrupted run, or a new one."""
    statement = particulars.state(digests)
    if path.exists():
        known = ReceiptFile.read(path)
        if known.receipt is not None:
            raise errors.Conflict(
                f"{path} holds a receipt already; keep it, and name another --out to log {name} again"
            )
        if replace(known.statement, salt=statement.salt) != statement:
            raise errors.Conflict(f"{path} was begun for other bytes or particulars; move it away first")
        return known
    pending = ReceiptFile(name, url, statement, None, secrets.token_hex(16))
    pending.write(path)
    return pending


def fetch(client: Client, kept: ReceiptFile, out: Path, deadline: float) -> Path:
    """Ask until `deadline` for what the receipt was a promise of, and write `NAME.evidence.json` and `NAME.tlog-proof`.

    Args:
        client: the API to ask.
        kept: the receipt file's content.
        out: where the files go.
        deadline: by the monotonic clock, seconds.

    Returns:
        The evidence file's path.

    Raises:
        IndexBehind: not anchored by the deadline or, where blocks are sealed, not final.
        InvalidContent: the receipt file is not complete, or the answer is not a proof of it.
    """
    if kept.receipt is None:
        raise errors.InvalidContent(f"{kept.document} has no receipt yet; the same `evidence submit` again finishes it")
    receipt = _receipt(kept.receipt)
    proof = _wait(client, receipt, deadline)
    try:
        evidence = EvidenceFile.assemble(kept.statement, receipt, proof)
        tlog_proof = evidence.tlog_proof().with_extra(kept.statement.salt)
    except AnchorsError as error:
        raise errors.InvalidContent(f"{client.url} answered with a proof that does not fit: {error}") from error
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{kept.document}.evidence.json"
    write_durably(out / f"{kept.document}.tlog-proof", tlog_proof.encode())
    write_durably(path, write_evidence(evidence))
    return path


def _wait(client: Client, receipt: Receipt, deadline: float) -> dict[str, Any]:
    while isinstance(answer := client.proof(receipt.commitment), NotYet):
        left = deadline - time.monotonic()
        if left <= 0:
            raise errors.IndexBehind(
                f"0x{receipt.commitment.hex()} is not anchored yet, or not final; ask again later, or "
                "wait longer (--wait)"
            )
        time.sleep(min(answer.retry_after, left))
    return answer


def _receipt(content: Mapping[str, Any]) -> Receipt:
    try:
        return parse_receipt(content)
    except AnchorsError as error:
        raise errors.InvalidContent(f"not a receipt: {error}") from error
