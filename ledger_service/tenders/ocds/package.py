"""OCDS 1.1 release packages, as anybody publishes them.

Promises that whatever bytes a package has, reading it ends, with its releases or with BadPackage, which says where the
fault is; and that each release has one digest, whichever way it was spelled: that of its RFC 8785 bytes, without our
own extension's member, which whoever gives the release out again adds. What a release means is left to `facts`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import rfc8785

from anchors.bounded_json import read_json
from anchors.errors import MalformedFile
from ledger_service.errors import InvalidContent

__all__ = [
    "EXTENSION",
    "MAX_PACKAGE_BYTES",
    "VERSION",
    "BadPackage",
    "NotOcds",
    "OtherVersion",
    "Package",
    "Part",
    "Release",
    "content_digest",
    "read_package",
]

VERSION: Final = "1.1"
EXTENSION: Final = "bidledger"  # the member of a release that is ours
MAX_PACKAGE_BYTES: Final = 16 << 20
_MAX_VALUES: Final = 1_000_000
_MAX_RELEASES: Final = 10_000
_MAX_LISTED: Final = 10_000
_MAX_TEXT: Final = 100_000  # characters
_ID: Final = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,254}[^\x00-\x20\x7f])?")
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class BadPackage(InvalidContent):
    """A release package, or a part of it, that cannot be taken in."""

    problem, title = "bad-package", "The release package cannot be taken in"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where} {what}.", facts={"where": where})


class NotOcds(BadPackage):
    """Bytes that are no release package at all."""

    problem, title = "not-ocds", "This is no OCDS release package"


class OtherVersion(BadPackage):
    """A release package of another version of the standard."""

    problem, title = "ocds-version", "The release package is of another version of OCDS"


class Part:
    """An object of a package, read by name; what nobody asks for is passed over, since packages have extensions.

    Args:
        value: what must be an object.
        where: the path to it, for messages.

    Raises:
        BadPackage: it is none; so do all methods, for a member of another kind. A member that is null is not there.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise BadPackage(where, "is not an object")
        self.members: Mapping[str, object] = value
        self.where = where

    def path(self, name: str) -> str:
        """The path to a member."""
        return f"{self.where}.{name}"

    def text(self, name: str) -> str | None:
        """Read a text of bounded length."""
        value = self.members.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= _MAX_TEXT):
            raise BadPackage(self.path(name), f"is not a text of at most {_MAX_TEXT:,} characters")
        return value

    def id(self, name: str) -> str | None:
        """Read an identifier: a text of printable characters, or an integer, which is taken as its digits."""
        value = self.members.get(name)
        if value is None:
            return None
        if type(value) is int:
            return str(value)
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise BadPackage(self.path(name), "is not 1 to 256 printable characters, or an integer")
        return value

    def needed_id(self, name: str) -> str:
        """Read an identifier that must be there."""
        value = self.id(name)
        if value is None:
            raise BadPackage(self.path(name), "is missing")
        return value

    def date(self, name: str) -> datetime | None:
        """Read a time with its offset, as UTC."""
        value = self.members.get(name)
        if value is None:
            return None
        try:
            if not isinstance(value, str) or not _DATE.fullmatch(value):
                raise ValueError  # one message for both
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadPackage(self.path(name), "is not a time with its offset, such as 2026-01-31T16:00:00Z") from error

    def part(self, name: str) -> "Part | None":
        """Read an object."""
        value = self.members.get(name)
        return None if value is None else Part(value, self.path(name))

    def parts(self, name: str) -> "tuple[Part, ...]":
        """Read a list of objects; none where it is not there."""
        return tuple(Part(value, f"{self.path(name)}[{at}]") for at, value in enumerate(self._list(name)))

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of texts; none where it is not there."""
        values = self._list(name)
        if not all(isinstance(value, str) and len(value) <= _MAX_TEXT for value in values):
            raise BadPackage(self.path(name), "has an element that is no text")
        return tuple(map(str, values))

    def _list(self, name: str) -> list[object]:
        values = self.members.get(name)
        if values is None:
            return []
        if not isinstance(values, list) or len(values) > _MAX_LISTED:
            raise BadPackage(self.path(name), f"is not a list of at most {_MAX_LISTED:,} elements")
        return values


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it was published."""

    ocid: str
    id: str
    date: datetime
    tags: tuple[str, ...]
    digest: bytes  # SHA-256, 32 bytes
    content: Part = field(compare=False, repr=False)

    @property
    def published(self) -> Mapping[str, object]:
        """Its JSON as it was published, without our own extension's member."""
        return {name: value for name, value in self.content.members.items() if name != EXTENSION}


@dataclass(frozen=True, slots=True)
class Package:
    """A release package."""

    uri: str | None
    publisher: str | None
    published: datetime | None
    licence: str | None
    extensions: tuple[str, ...]
    releases: tuple[Release, ...]  # in the package's order
    content: Part = field(compare=False, repr=False)


def read_package(data: bytes, name: str = "package") -> Package:
    """Read a release package.

    Args:
        data: UTF-8, at most 16 MiB.
        name: where all paths to faults begin.

    Raises:
        NotOcds: it is no JSON, too large or nested too deep, or no package of releases.
        OtherVersion: it is not of OCDS 1.1.
        BadPackage: it has a release without ocid, id, date or tag.

    Source: https://standard.open-contracting.org/1.1/, release package.
    """
    try:
        value = read_json(data, MAX_PACKAGE_BYTES, _MAX_VALUES, fractions=True)
    except MalformedFile as error:
        raise NotOcds(name, f"cannot be read: {error}") from error
    if not isinstance(value, dict) or "releases" not in value:
        raise NotOcds(name, "has no releases, so it is no release package")
    package = Part(value, name)
    if value.get("version") != VERSION:
        raise OtherVersion(package.path("version"), f'is not "{VERSION}", the only version of OCDS that is read')
    parts = package.parts("releases")
    if not 0 < len(parts) <= _MAX_RELEASES:
        raise BadPackage(package.path("releases"), f"is not a list of 1 to {_MAX_RELEASES:,} releases")
    publisher = package.part("publisher")
    return Package(
        uri=package.text("uri"),
        publisher=None if publisher is None else publisher.text("name"),
        published=package.date("publishedDate"),
        licence=package.text("license"),
        extensions=package.texts("extensions"),
        releases=tuple(map(_release, parts)),
        content=package,
    )


def content_digest(value: object) -> bytes:
    """SHA-256 of the RFC 8785 bytes of a JSON value that was read here, 32 bytes."""
    return hashlib.sha256(rfc8785.dumps(value)).digest()  # type: ignore[arg-type]  # JSON by `read_json`


def _release(part: Part) -> Release:
    date = part.date("date")
    tags = part.texts("tag")
    if date is None or not tags:
        raise BadPackage(part.path("tag" if date else "date"), "is missing")
    return Release(
        ocid=part.needed_id("ocid"),
        id=part.needed_id("id"),
        date=date,
        tags=tags,
        digest=content_digest({name: value for name, value in part.members.items() if name != EXTENSION}),
        content=part,
    )
