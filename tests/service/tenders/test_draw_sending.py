"""`bidledger draw` at a member's API: people of four members hold a draw, each with files and keys of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from command_line import bidledger
from drawing import SITES, SPECIALITIES
from founding import CODES, Founded
from holding import PAPER, Holding
from tendering import BIDDERS

from anchors.commitment import Kind
from ledger_service.errors import Exit
from ledger_service.evidence.submission import ReceiptFile

Run = Callable[..., Any]


@dataclass
class Desk:
    """Where a member's people keep their files."""

    code: str
    folder: Path
    keystore: Path
    password: Path

    @property
    def signing(self) -> tuple[object, ...]:
        return ("--keystore", self.keystore, "--password-file", self.password)

    @property
    def file(self) -> Path:
        return self.folder / "draw.json"

    def path(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture
def desks(tmp_path: Path, founded: Founded) -> dict[str, Desk]:
    made = {}
    for number, code in enumerate(CODES, 1):
        keys, folder = founded.members[number], tmp_path / code
        folder.mkdir()
        made[code] = Desk(code, folder, keys.keystores["tender-officer"], keys.password_file)
    return made


@pytest.fixture
def run(tmp_path: Path, holding: Holding) -> Run:
    """Runs `bidledger draw`; what it prints, JSON where it is."""
    for key in ("host", "officer", "operator"):
        (tmp_path / key).write_text(f"secret-{key}\n")

    def ran(*arguments: object, key: str | None = None, online: bool = False, status: int = 0) -> Any:
        holding.follow()
        options: list[object] = ["--url", str(holding.room.client.base_url).rstrip("/")] if online or key else []
        options += ["--api-key-file", tmp_path / key] if key else []
        outcome = bidledger("draw", *arguments, *options)
        assert outcome.returncode == status, outcome.stderr
        text = outcome.stdout
        return json.loads(text) if text.startswith("{") else text if status == 0 else outcome.stderr

    return ran


@pytest.fixture
def tender(holding: Holding) -> str:
    """The name of a tender that was announced."""
    return holding.announced()[-66:]


@pytest.fixture
def terms(run: Run, desks: dict[str, Desk], founded: Founded, tender: str, tmp_path: Path) -> Path:
    """The terms on which all have agreed."""
    members, sites = [], []
    for number, (code, desk) in enumerate(desks.items(), 1):
        key = run("key", desk.path("share-key.json"), "--password-file", desk.password)
        officer = founded.opened[number, "tender-officer"].address
        members.append({"member": code, "officer": f"0x{officer.hex()}", **key})
    for code in SITES:
        rows = (f"{code[:2].upper()}-{n:04},{SPECIALITIES[n % 2]}\n" for n in range(20))
        desks[code].path("experts.csv").write_text("".join(rows))
        sites.append(run("list", code, desks[code].path("experts.csv"), "--out", desks[code].path("list.json")))
    quotas = [{"site": site, "speciality": "A01", "count": 1} for site in SITES]
    path = tmp_path / "terms.json"
    content = {"chain_id": founded.network.chain_id, "tender": tender, "round": 1, "previous": None, "excluded": []}
    content |= {"threshold": 2, "members": members, "sites": sites, "quotas": quotas, "recusals": []}
    path.write_text(json.dumps(content))
    return path


def fetched(run: Run, desk: Desk, tender: str, *options: object, key: str | None = None) -> Path:
    run("fetch", tender, "--out", desk.file, *options, key=key, online=True)
    return desk.file


def sent(run: Run, desk: Desk, tender: str, part: Any) -> str:
    desk.path("part.json").write_text(json.dumps(part))
    told: str = run("send", tender, desk.path("part.json"), key="officer")
    return told


def committed(run: Run, desks: dict[str, Desk], tender: str, terms: Path) -> None:
    """Until all may reveal."""
    assert run("begin", terms, key="operator").startswith("round 1: depositing")
    for site in SITES:
        desk = desks[site]
        kept = ("--list", desk.path("list.json"), "--value", desk.path("value.json"))
        file = fetched(run, desk, tender)
        sent(run, desk, tender, run("commit", file, "--site", site, *kept, *desk.signing))
    lists = [option for site in SITES for option in ("--list", desks[site].path("list.json"))]
    for code, desk in desks.items():
        kept = lists if code in ("chongqing", "yunnan") else []
        file = fetched(run, desk, tender)
        key = ("--key", desk.path("share-key.json"))
        sent(run, desk, tender, run("confirm", file, "--member", code, *key, *kept, *desk.signing))
    told = run("send", tender, *(desks[site].path("list.json") for site in SITES), key="officer")
    assert told.startswith("round 1: revealing\n  missing reveals: chongqing, sichuan, guizhou\n")


def revealed(run: Run, desks: dict[str, Desk], tender: str, *sites: str) -> str:
    told = ""
    for site in sites:
        desk = desks[site]
        file = fetched(run, desk, tender)
        value = ("--value", desk.path("value.json"))
        told = sent(run, desk, tender, run("reveal", file, "--site", site, *value, *desk.signing))
    return told


def test_a_draw_is_held_from_the_command_line(
    run: Run, desks: dict[str, Desk], tender: str, terms: Path, holding: Holding, tmp_path: Path
) -> None:
    committed(run, desks, tender, terms)
    told = revealed(run, desks, tender, "chongqing", "sichuan")
    assert told == "round 1: revealing\n  missing reveals: guizhou\n  missing shares: 2 for guizhou\n"
    # The third keeps its value back, and two others disclose their shares.
    for code in ("yunnan", "sichuan"):
        desk = desks[code]
        file = fetched(run, desk, tender, "--with", "reveals", key="officer")
        key = ("--member", code, "--key", desk.path("share-key.json"))
        sent(run, desk, tender, run("shares", file, *key, *desk.signing))
    assert run("status", tender, online=True) == "round 1: ready\n  missing reveals: guizhou\n"
    drawn = run("conclude", tender, key="host")
    assert drawn.startswith("round 1: drawn, digest 0x")

    # What anybody fetches is sealed, has that digest, and comes with the receipt of its evidence.
    host = desks["chongqing"]
    sealed = tmp_path / "sealed.json"
    run("fetch", tender, "--out", sealed, online=True)
    digest = "0x" + sha256(sealed.read_bytes()).hexdigest()
    assert drawn == f"round 1: drawn, digest {digest}\n"
    assert "sealed, digest" in run("replay", sealed)
    receipt = ReceiptFile.read(tmp_path / "sealed.json.receipt.json")
    assert (receipt.statement.kind, "0x" + receipt.statement.sha256.hex()) == (Kind.EXPERT_DRAW, digest)

    # The host's operator has the seats, calls the experts, and seals the panel.
    file = fetched(run, host, tender, "--with", "seats", key="operator")
    assert file.stat().st_mode & 0o077 == 0
    host.path("seat.json").write_text(json.dumps(run("seat", file, 2)))
    assert "has seat 2, for A01" in run("prove-seat", host.path("seat.json"), sealed)
    panel = run("panel", file, "--signer", 1, "--signer", 3)
    assert (panel["panel"]["salt"], len(panel["panel"]["drawn"]), len(panel["panel"]["signers"])) == (digest, 3, 2)
    run("fetch-seat", tender, 2, online=True, status=Exit.USAGE)
    run("fetch", tender, "--out", file, "--with", "all", key="operator", status=Exit.USAGE)

    # After the award.
    path = f"/v1/tenders/{tender}"
    holding.room.handed_in(bytes.fromhex(tender[2:]), *BIDDERS[:3])
    holding.wait_until(holding.told(path)["opening"])
    holding.done(f"{path}/closing", {})
    holding.done(f"{path}/opening", {"record": PAPER})
    holding.done(f"{path}/evaluation", holding.evaluation(panel=panel["sealed"]))
    holding.done(f"{path}/candidates", holding.candidates())
    holding.wait_until(holding.told(path)["candidates"]["until"])
    holding.done(f"{path}/award", holding.award(**panel["panel"]))
    assert run("fetch-seat", tender, 2, online=True) == json.loads(host.path("seat.json").read_text())
    run("fetch", tender, "--out", file, "--with", "all", key="operator")
    assert f"drawn, digest {digest}" in run("replay", file)


def test_a_void_draw_is_told_with_the_site_that_kept_back(
    run: Run, desks: dict[str, Desk], tender: str, terms: Path
) -> None:
    committed(run, desks, tender, terms)
    revealed(run, desks, tender, "chongqing", "guizhou")
    refused = run("conclude", tender, key="host", status=Exit.USAGE)
    assert "The values of sichuan are missing" in refused
    assert run("conclude", tender, "--void", key="host").endswith("\n  void by sichuan\n")
    assert "no round 2" in run("status", tender, "--round", 2, online=True, status=Exit.NOT_FOUND)


def test_what_is_no_part_is_not_sent(run: Run, tender: str, terms: Path, tmp_path: Path) -> None:
    run("status", tender, online=True, status=Exit.NOT_FOUND)
    run("begin", terms, key="officer", status=Exit.KEY_TROUBLE)
    run("begin", terms, key="operator")
    (tmp_path / "empty.json").write_text("{}")
    assert "no part" in run("send", tender, tmp_path / "empty.json", key="officer", status=Exit.USAGE)
    (tmp_path / "other.json").write_text('{"deposits": [{}]}')
    assert "is missing" in run("send", tender, tmp_path / "other.json", key="officer", status=Exit.USAGE)
