"""What is published in OCDS: the real example, packages made from it, and the standard's schemas with our extension."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from ledger_service.tenders.ocds import schema
from ledger_service.tenders.ocds.exporting import EXTENSION_FILES
from ledger_service.tenders.ocds.package import Package, read_package
from ledger_service.tenders.ocds.schema import check_schema

SCHEMAS = Path(schema.__file__).parent / "schemas"
EXAMPLE = Path(__file__).parents[3] / "ledger_service" / "demo" / "ocds"
RELEASE_SCHEMA = "https://standard.open-contracting.org/schema/1__1__5/release-schema.json"

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[!-~]+", value) and urlsplit(value).scheme)


def example(name: str = "*") -> list[Path]:
    """The files of the real example."""
    return sorted(EXAMPLE.glob(f"0{name}.json"))


def example_packages() -> list[Package]:
    return [read_package(path.read_bytes()) for path in example()]


def package(*releases: Mapping[str, object], **members: object) -> bytes:
    """A package of these releases."""
    content = {
        "uri": "https://data.example/package.json",
        "version": "1.1",
        "publishedDate": "2026-01-01T00:00:00Z",
        "publisher": {"name": "A publisher"},
        "releases": releases,
    }
    return json.dumps(content | members).encode()


def release(identifier: str, date: str, tags: Iterable[str], **members: object) -> dict[str, object]:
    """A release of one tender."""
    kept = {"ocid": "ocds-123abc-1", "id": identifier, "date": date, "tag": list(tags), "initiationType": "tender"}
    return kept | members


def validate(data: bytes) -> None:
    """Hold a package against the standard's schemas, patched by our extension."""
    check_schema(read_package(data))
    _validator().validate(json.loads(data))


def faults(data: bytes) -> list[str]:
    """Where a package is not of the schemas."""
    return [error.json_path for error in _validator().iter_errors(json.loads(data))]


def release_schema() -> Any:
    """The standard's schema of releases, patched by our extension."""
    standard = json.loads((SCHEMAS / "release-schema-1__1__4.json").read_bytes())
    patched = _merge_patch(standard, json.loads((EXTENSION_FILES / "release-schema.json").read_bytes()))
    return patched | {"id": RELEASE_SCHEMA}


@cache
def _validator() -> Draft4Validator:
    package_schema = json.loads((SCHEMAS / "release-package-schema-1__1__5.json").read_bytes())
    patched = release_schema()
    registry: Registry[Any] = Registry().with_resource(RELEASE_SCHEMA, Resource.from_contents(patched, DRAFT4))
    Draft4Validator.check_schema(patched)
    return Draft4Validator(package_schema, registry=registry, format_checker=FORMATS)


def _merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386, as OCDS extensions are applied."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge_patch(merged.get(name), value)
    return merged
