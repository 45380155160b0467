"""Which part may know of which, and of which distributions: read from the imports themselves."""

import ast
import importlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ANCHORS_MAY_USE = {"anchors", "coincurve", "Crypto", "cryptography", "rfc3161_client", "rfc8785"}
OURS = {"anchors", "ledger_service"}
NAMED_TO_UVICORN = {"httptools", "uvloop"}  # by a text, not by an import
SLICES = {"evidence", "alliance", "credit", "tenders"}
FILES = sorted([*(ROOT / "anchors").rglob("*.py"), *(ROOT / "ledger_service").rglob("*.py")])


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(file: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, at the top or inside a function, for types only or not."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(package: str) -> list[Path]:
    return [file for file in FILES if file.is_relative_to(ROOT / package)]


@pytest.mark.parametrize("file", _files("anchors"), ids=_module)
def test_the_offline_library_knows_nothing_of_the_world(file: Path) -> None:
    allowed = ANCHORS_MAY_USE | set(sys.stdlib_module_names) - {"asyncio", "http", "socket", "sqlite3", "urllib"}
    assert {name.split(".")[0] for name in _imports(file)} <= allowed


@pytest.mark.parametrize("slice_name", sorted(SLICES))
def test_a_slice_knows_no_other_slice(slice_name: str) -> None:
    others = {f"ledger_service.{other}" for other in SLICES - {slice_name}}
    for file in _files(f"ledger_service/{slice_name}"):
        known = {".".join(name.split(".")[:2]) for name in _imports(file)}
        assert not known & others, f"{_module(file)} imports {known & others}"


@pytest.mark.parametrize("room", ["chain", "index", "log", "operations"])
def test_what_slices_share_knows_no_slice(room: str) -> None:
    slices = {f"ledger_service.{name}" for name in SLICES}
    for file in _files(f"ledger_service/{room}"):
        known = {".".join(name.split(".")[:2]) for name in _imports(file)}
        assert not known & slices, f"{_module(file)} imports {known & slices}"


def _is_door(file: Path) -> bool:
    """Whether readers import from this module itself: a package, or a module that its package does not hand on."""
    package = importlib.import_module(".".join(file.parent.relative_to(ROOT).parts))
    return file.name == "__init__.py" or not hasattr(package, "__all__")


def _public_names(file: Path) -> set[str]:
    """The functions and classes that a module defines, and what a package hands on from its own modules."""
    names = set()
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{_module(file)}."):
            names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("file", [file for file in _files("anchors") if _is_door(file)], ids=_module)
def test_every_public_name_of_the_offline_library_is_listed(file: Path) -> None:
    module = importlib.import_module(_module(file))
    listed = set(getattr(module, "__all__", ()))
    assert _public_names(file) <= listed
    assert all(hasattr(module, name) for name in listed)


def _distributions(files: Iterable[Path]) -> set[str]:
    """The distributions whose modules the files import."""
    modules = {name.split(".")[0] for file in files for name in _imports(file)} - OURS - set(sys.stdlib_module_names)
    return {name.lower().replace("_", "-") for module in modules for name in packages_distributions()[module]}


def _listed(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


def test_what_is_imported_is_listed_and_what_is_listed_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    offline, service = _listed(project["dependencies"]), _listed(project["optional-dependencies"]["service"])
    assert _distributions(_files("anchors")) <= offline
    assert _distributions(FILES) | NAMED_TO_UVICORN == offline | service
