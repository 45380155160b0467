"""Release packages held against the standard's own JSON schemas, with the ledger's extension applied to them.

Promises every fault with its path. The schemas lie beside this module as they were published, so nothing is fetched;
what a package says of other extensions is passed over, as the standard's schemas do.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator, FormatChecker

from ledger_service.tenders.ocds.exporting import EXTENSION_FILES
from ledger_service.tenders.ocds.package import BadPackage, Package, Part

__all__ = ["SchemaFault", "check_schema"]

_SCHEMAS: Final = Path(__file__).parent / "schemas"
_TOLD: Final = 10  # faults
_MAX_SHOWN: Final = 200  # characters of a fault, which may repeat what stands there

FORMATS: Final = FormatChecker(formats=())


class SchemaFault(BadPackage):
    """A package that the standard's schema does not allow."""

    problem, title = "ocds-schema", "The release package is not as OCDS's schema has it"

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        (where, what), *others = faults
        more = "".join(f"; {place} {fault}" for place, fault in others)
        super().__init__(where, f"{what}{more}")
        self.facts["faults"] = [{"where": place, "what": fault} for place, fault in faults]


def check_schema(package: Package) -> None:
    """Hold a package against the schemas.

    Raises:
        SchemaFault: of another form; it names the first ten faults.

    Source: https://standard.open-contracting.org/schema/1__1__5/
    """
    faults = list(islice(_faults(package), _TOLD))
    if faults:
        raise SchemaFault(faults)


def _faults(package: Package) -> Iterator[tuple[str, str]]:
    members = {name: value for name, value in package.content.members.items() if name != "releases"}
    for part, validator in (
        (Part(members, package.content.where), _package_validator()),
        *((release.content, _release_validator()) for release in package.releases),
    ):
        for error in validator.iter_errors(part.members):
            path, shown = error.json_path.removeprefix("$"), error.message[:_MAX_SHOWN]
            yield _printable(f"{part.where}{path[:_MAX_SHOWN]}"), _printable(f"is refused by the schema: {shown}")


def _printable(text: str) -> str:
    """Without what would steer a terminal: names in a package are anybody's."""
    return "".join(character if character.isprintable() else "?" for character in text)


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def _package_validator() -> Draft4Validator:
    """Of all but the releases, each of which is held against its own schema."""
    schema = _read("release-package-schema-1__1__5.json")
    schema["required"].remove("releases")
    del schema["properties"]["releases"]
    return Draft4Validator(schema, format_checker=FORMATS)


@cache
def _release_validator() -> Draft4Validator:
    extension = json.loads((EXTENSION_FILES / "release-schema.json").read_bytes())
    return Draft4Validator(_merge_patch(_read("release-schema-1__1__4.json"), extension), format_checker=FORMATS)


def _read(name: str) -> Any:
    return json.loads((_SCHEMAS / name).read_bytes())


def _merge_patch(target: Any, patch: Any) -> Any:
    """Apply an extension. Source: RFC 7386, which OCDS names for it."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge_patch(merged.get(name), value)
    return merged
