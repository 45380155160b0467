"""`bidledger draw`: four members hold a draw with files alone, and anybody holds it again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from held_draw import MEMBERS, SITES, experts, held, told
from typer.testing import CliRunner

from anchors.errors import AnchorsError, PartLate, RevealTooEarly, ValueDiffers
from anchors.tenders.draw import Draw, DrawFile
from anchors.tenders.draw.parts import add_part, read_parts, write_parts
from ledger_service import keys
from ledger_service.cli.draw import app
from ledger_service.errors import Conflict, InvalidContent


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def _done(*arguments: object) -> Any:
    result = _run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout) if result.stdout.startswith(("{", "[")) else result.stdout


@dataclass(frozen=True)
class Desk:
    """Where a member's people keep their files."""

    code: str
    folder: Path

    @classmethod
    def furnish(cls, code: str, root: Path) -> "Desk":
        folder = root / code
        folder.mkdir()
        keys.make_password(folder / "password")
        keys.make_ethereum_key(folder / "officer.json", folder / "password")
        return cls(code, folder)

    @property
    def officer(self) -> str:
        return f"0x{keys.open_ethereum_key(self.folder / 'officer.json', self.folder / 'password').address.hex()}"

    @property
    def signing(self) -> tuple[object, ...]:
        return ("--keystore", self.folder / "officer.json", "--password-file", self.folder / "password")

    def part(self, command: str, file: Path, *options: object) -> Path:
        """Run a command that prints parts, and keep what it printed."""
        path = self.folder / f"{command}.part"
        path.write_text(json.dumps(_done(command, file, *options, *self.signing)))
        return path

    def as_site(self) -> tuple[object, ...]:
        return ("--site", self.code, "--value", self.folder / "value.json")

    @property
    def kept(self) -> tuple[object, ...]:
        return ("--list", self.folder / "list.json")

    def as_member(self) -> tuple[object, ...]:
        return ("--member", self.code, "--key", self.folder / "share-key.json")


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "SCRYPT_COST", 2)


@pytest.fixture
def desks(tmp_path: Path, cheap_keys: None) -> dict[str, Desk]:
    return {code: Desk.furnish(code, tmp_path) for code in MEMBERS}


@pytest.fixture
def file(tmp_path: Path, desks: dict[str, Desk]) -> Path:
    """A draw's file with its terms."""
    commitments = []
    for code in SITES:
        (desks[code].folder / "experts.csv").write_text("".join(f"{each}, {of}\n" for each, of in experts(code)))
        commitments.append(
            _done("list", code, desks[code].folder / "experts.csv", "--out", desks[code].folder / "list.json")
        )
    members = [
        {
            "member": code,
            "officer": desk.officer,
            **_done("key", desk.folder / "share-key.json", "--password-file", desk.folder / "password"),
        }
        for code, desk in desks.items()
    ]
    terms = told().terms.to_json() | {"members": members, "sites": commitments, "recusals": []}
    (tmp_path / "terms.json").write_text(json.dumps(terms))
    _done("open", tmp_path / "terms.json", "--out", tmp_path / "draw.json")
    return tmp_path / "draw.json"


@pytest.fixture
def committed(file: Path, desks: dict[str, Desk]) -> Path:
    """The same after all deposits and confirmations."""
    _done(
        "add",
        file,
        *(desks[code].part("commit", file, *desks[code].as_site(), *desks[code].kept) for code in reversed(SITES)),
    )
    kept = [option for code in SITES for option in desks[code].kept]
    keepers = {"gansu": kept, "xpcc": kept}
    confirming = (desk.part("confirm", file, *desk.as_member(), *keepers.get(desk.code, ())) for desk in desks.values())
    _done("add", file, *confirming)
    _done("add", file, *(desks[code].folder / "list.json" for code in SITES))
    return file


def test_a_draw_is_held_sealed_and_held_again(committed: Path, desks: dict[str, Desk], tmp_path: Path) -> None:
    _done("add", committed, *(desks[code].part("reveal", committed, *desks[code].as_site()) for code in SITES))
    assert "drawn, digest 0x" in _done("hold", committed)
    verdict = _done("replay", committed, "--json")
    assert verdict["verdict"] == "drawn"
    assert len(verdict["panel"]) == 7
    sealed = _done("seal", committed, "--out", tmp_path / "sealed.json")
    assert sealed["digest"] == verdict["digest"]
    shown = _done("replay", tmp_path / "sealed.json")
    assert shown.endswith(f"sealed.json: sealed, digest {verdict['digest']}\n")
    assert "seat 1" not in shown
    assert "  seat 1: GA-" in _done("replay", committed)
    (tmp_path / "seat.json").write_text(json.dumps(_done("seat", committed, 3)))
    assert "has seat 3, for A01" in _done("prove-seat", tmp_path / "seat.json", tmp_path / "sealed.json")
    forged = json.loads((tmp_path / "seat.json").read_text())
    forged["seat"]["code"] = "GA-99999"
    (tmp_path / "seat.json").write_text(json.dumps(forged))
    assert _run("prove-seat", tmp_path / "seat.json", tmp_path / "sealed.json").exit_code == 1
    assert committed.stat().st_mode & 0o077 == 0


def test_a_value_that_is_kept_back_is_recovered(committed: Path, desks: dict[str, Desk]) -> None:
    _done("add", committed, *(desks[code].part("reveal", committed, *desks[code].as_site()) for code in SITES[:2]))
    _done("add", committed, *(desks[code].part("shares", committed, *desks[code].as_member()) for code in MEMBERS[2:]))
    _done("add", committed, desks["gansu"].part("shares", committed, *desks["gansu"].as_member()))
    assert "ningxia kept back and recovered" in _done("hold", committed)


def test_a_void_draw_ends_with_1_and_names_the_site(committed: Path, desks: dict[str, Desk]) -> None:
    _done("add", committed, *(desks[code].part("reveal", committed, *desks[code].as_site()) for code in SITES[:2]))
    result = _run("hold", committed)
    assert result.exit_code == 1
    assert "void by ningxia" in result.stdout
    assert _run("replay", committed).exit_code == 1
    assert DrawFile(committed.read_bytes()).draw().result is not None


def test_a_refuted_file_ends_with_1(tmp_path: Path) -> None:
    document = json.loads(held().write())
    document["result"]["panel"] = "0x" + "11" * 32
    (tmp_path / "draw.json").write_text(json.dumps(document))
    result = _run("replay", tmp_path / "draw.json")
    assert result.exit_code == 1
    assert "✗ seal" in result.stdout
    assert result.stdout.endswith("draw.json: refuted\n")


def test_a_site_commits_to_its_own_list_alone(file: Path, desks: dict[str, Desk]) -> None:
    gansu = desks["gansu"]
    other = ("--site", "gansu", "--list", desks["qinghai"].folder / "list.json", "--value", gansu.folder / "value.json")
    result = _run("commit", file, *other, *gansu.signing)
    assert isinstance(result.exception, AnchorsError)
    assert not (gansu.folder / "value.json").exists()
    result = _run("commit", file, *desks["xpcc"].as_site(), *desks["gansu"].kept, *desks["xpcc"].signing)
    assert isinstance(result.exception, InvalidContent)


def test_nothing_is_overwritten(file: Path, desks: dict[str, Desk]) -> None:
    gansu = desks["gansu"].folder
    result = _run("list", "gansu", gansu / "experts.csv", "--out", gansu / "list.json")
    assert isinstance(result.exception, Conflict)


@pytest.mark.parametrize("lines", ["GA-0001\n", "GA-0001,A01,extra\n"])
def test_a_list_has_two_columns(tmp_path: Path, lines: str) -> None:
    (tmp_path / "experts.csv").write_text(lines)
    result = _run("list", "gansu", tmp_path / "experts.csv", "--out", tmp_path / "list.json")
    assert isinstance(result.exception, InvalidContent)
    assert not (tmp_path / "list.json").exists()


class TestAddedParts:
    """What is added by whoever puts a draw together, also through an API."""

    def test_parts_in_any_order_make_the_draw(self) -> None:
        story, whole = told(), held().opened
        assert whole is not None
        draw = Draw(story.terms)
        for part in (*reversed(story.deposits), *reversed(story.confirmations), *reversed(whole.reveals)):
            draw = add_part(draw, part)
        for each in read_parts(json.dumps(write_parts(*story.lists.values())).encode()):
            draw = add_part(draw, each)
        assert draw == story.open()

    def test_nothing_comes_after_what_stands_on_it(self) -> None:
        story = told()
        for draw, part in (
            (story.agreed, story.deposits[0]),
            (story.open(), story.confirmations[0]),
            (held(), story.reveal("gansu")),
        ):
            with pytest.raises(PartLate):
                add_part(draw, part)

    def test_what_does_not_fit_is_not_added(self) -> None:
        story = told()
        sign: Callable[[Any], Any] = lambda act: act.signed(story.terms, story.offices[act.actor].sign)  # noqa: E731
        reveal = story.reveal("gansu")
        add = partial(add_part, story.agreed)
        with pytest.raises(ValueDiffers):
            add(sign(replace(reveal, value=story.values["qinghai"])))
        with pytest.raises(RevealTooEarly):
            add(sign(replace(reveal, committed=bytes(32))))
        for strange in (replace(reveal, site="qinghai"), replace(reveal, site="tibet")):
            with pytest.raises(AnchorsError):
                add(strange)
        with pytest.raises(AnchorsError):
            add(replace(story.lists["gansu"], site="tibet"))
