"""The files of a plan's documents, looked at on this machine: what each is, and whether it is what its release states.

Promises that a file is read in pieces, and only inside the folder. OCDS has no member for a file's hash; many
publishers add `hash` to a document, an algorithm and hexadecimal digits (`sha256:…`), and that is held against it.
"""

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from ledger_service.errors import NotFound
from ledger_service.tenders.ocds.facts import Document
from ledger_service.tenders.ocds.plan import Obstacle, Plan, Step

__all__ = ["with_files"]

_STATED: Final = re.compile(r"(md5|sha1|sha256|sha384|sha512):([0-9a-fA-F]{32,128})")


def with_files(plan: Plan, folder: Path) -> Plan:
    """A plan whose documents were held against their files.

    Args:
        plan: of one tender.
        folder: has the files, each named as the last part of its document's URL, or as the document's id.

    Returns:
        The plan with each file's SHA-256; an act with a document that is not what its release states is refused.

    Raises:
        NotFound: there is no such folder, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; name the one that has the documents")
    return replace(plan, steps=tuple(_looked_at(step, folder) for step in plan.steps))


def _looked_at(step: Step, folder: Path) -> Step:
    documents, obstacles = [], list(step.obstacles)
    for document in step.documents:
        path = _path(document, folder)
        documents.append(document if path is None else replace(document, file=_hashed(path, "sha256")))
        wrong = None if document.stated is None else _differs(document.stated, path)
        if wrong is not None:
            obstacles.append(Obstacle("document-differs", f"{document.where}.hash", wrong))
    return replace(step, documents=tuple(documents), obstacles=tuple(obstacles))


def _path(document: Document, folder: Path) -> Path | None:
    """The file of a document; None where the folder has none."""
    for name in (_last_part(document.url or ""), document.id):
        if name and "/" not in name and "\0" not in name and (path := folder / name).is_file():
            return path
    return None


def _last_part(url: str) -> str:
    try:
        return unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:  # it is no URL
        return ""


def _differs(stated: str, path: Path | None) -> str | None:
    found = _STATED.fullmatch(stated)
    if found is None:
        return "is no hash that can be held against a file, such as sha256: and 64 hexadecimal digits"
    if path is None:
        return "states the hash of a file that is not in the folder"
    actual = _hashed(path, found[1])
    if actual.hex() != found[2].lower():
        return f"is not that of the file {path.name}, whose {found[1]} is {actual.hex()}"
    return None


def _hashed(path: Path, algorithm: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, algorithm).digest()
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}; it must be readable to be held against its hash") from error
