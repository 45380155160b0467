"""Records given out over real HTTP from a real chain as CSV, JSON Lines, FollowTheMoney; questions about companies."""

import csv
import io
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import bidledger
from conftest import Clock
from filing import COMPANIES, Filing
from founding import Founded, later
from office import Office, open_office
from screening_room import MEMBER, Room, running

from anchors.credit import Issued, Kind, State, read_catalogue
from anchors.network import write_network
from anchors.subjects import Subject
from ledger_service.chain.rpc import Rpc, quantity
from ledger_service.credit import client as client_module
from ledger_service.credit.client import CreditClient
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.lists.exporting import COLUMNS, Format, Source, export
from ledger_service.credit.lists.ftm import company
from ledger_service.errors import InvalidContent, NotFound, ServiceError, Unavailable

FIRST, SECOND, THIRD, CLEAN = COMPANIES
LISTS = Path(__file__).parent / "lists"
SCHEMATA: dict[str, Any] = json.loads((LISTS / "followthemoney" / "schemata.json").read_text())
HEX = "0x" + "ab" * 32
TOLD: dict[str, Any] = {
    "record": HEX,
    "subject_key": "0x" + FIRST.key.hex(),
    "contract": "0x" + "cd" * 20,
    "member": "sichuan",
    "kind": "serious",
    "state": "published",
    "disputed": False,
    "applies": True,
    "decided_on": "2026-03-02",
    "last_day": "2028-03-02",
    "measures": [{"code": 101, "zh": "x", "en": "x"}, {"code": 201, "zh": "x", "en": "x"}],
    "statement": HEX,
    "document": HEX,
    "earlier": 0,
    "published_at": 1_780_300_000,
    "published_block": 7,
    "not_applied_by": [],
}


@pytest.fixture
def office(
    founded: Founded, rpc: Rpc, ground: CreditGround, clock: Clock, follow: Callable[[], None], tmp_path: Path
) -> Iterator[Office]:
    with open_office(founded, rpc, ground, clock, follow) as acting:
        yield Office(acting, tmp_path)


@pytest.fixture
def records(filing: Filing, follow: Callable[[], None]) -> list[bytes]:
    """A general and a serious dishonesty, of which guizhou does not apply the latter; an honour; a withdrawn one."""
    names = [
        *filing.publish(filing.record(FIRST)),
        *filing.publish(filing.record(SECOND, Kind.SERIOUS)),
        *filing.publish(filing.record(THIRD, Kind.HONOUR, member=1)),
        *filing.publish(filing.record(FIRST, Kind.SERIOUS)),
    ]
    filing.choose(3, Issued(2, Kind.SERIOUS))
    filing.change(FIRST.key, names[3], State.WITHDRAWN)
    follow()
    return names


def exported(office: Office, form: str, *options: str) -> bytes:
    """What an export writes; the command says how much."""
    out = office.folder / f"out.{form}"
    outcome = bidledger("credit", "export", "--url", office.url, "--format", form, "--out", out, "--json", *options)
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["file"] == str(out)
    return out.read_bytes()


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def known(office: Office) -> tuple[str, str]:
    path = office.folder / "companies.txt"
    path.write_text(f"{FIRST.identifier}\n{THIRD}\n")
    return "--companies", str(path)


def test_csv_has_what_applies_with_the_companies_that_the_asker_knows(office: Office, records: list[bytes]) -> None:
    content = exported(office, "csv", *known(office))
    assert content.count(b"\r\n") == 4
    rows = table(content)
    assert tuple(rows[0]) == COLUMNS
    assert [row["record"] for row in rows] == ["0x" + name.hex() for name in records[:3]]
    assert [row["subject"] for row in rows] == [str(FIRST), "", str(THIRD)]
    assert [row["subject_key"] for row in rows] == ["0x" + each.key.hex() for each in (FIRST, SECOND, THIRD)]
    assert [(row["member"], row["kind"], row["state"]) for row in rows] == (
        [("sichuan", "general", "published"), ("sichuan", "serious", "published"), ("chongqing", "honour", "published")]
    )
    assert [row["not_applied_by"] for row in rows] == ["", "guizhou", ""]
    assert rows[1]["measures"] == "101;201"
    assert rows[1]["measures_zh"] == "公告违法行为的行政处理决定；禁止参加政府采购活动"
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}Z", rows[0]["published_at"])


def test_an_export_is_of_a_member_an_issuer_a_state_or_a_moment(
    office: Office, records: list[bytes], rpc: Rpc, filing: Filing, follow: Callable[[], None]
) -> None:
    def names(*options: str) -> list[int]:
        rows = table(exported(office, "csv", *options))
        return [records.index(bytes.fromhex(row["record"][2:])) for row in rows]

    assert names("--member", "guizhou") == [0, 2]
    assert names("--member", "yunnan") == [0, 1, 2]
    assert names("--issuer", "chongqing") == [2]
    assert names("--kind", "serious") == [1]
    assert names("--state", "withdrawn") == [3]
    before = quantity(rpc.call("eth_blockNumber")) - 1
    assert names("--as-of", str(before)) == [0, 1, 2, 3]
    outcome = bidledger("credit", "export", "--url", office.url, "--out", office.folder / "x", "--member", "nobody")
    assert (outcome.returncode, (office.folder / "x").exists()) == (3, False)
    assert "no member nobody" in outcome.stderr
    both = ("--member", "yunnan", "--issuer", "sichuan")
    assert bidledger("credit", "export", "--url", office.url, "--out", office.folder / "x", *both).returncode == 2


def test_json_lines_are_what_the_api_tells(office: Office, records: list[bytes]) -> None:
    lines = [json.loads(line) for line in exported(office, "jsonl", *known(office)).splitlines()]
    told = office.acting.client.get("/v1/credit/records").json()["records"]
    assert [line.pop("subject") for line in lines] == [str(FIRST), None, str(THIRD)]
    assert lines == told


def test_pages_are_followed_to_the_end(
    office: Office, records: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(client_module, "MAX_PAGE", 1)
    with CreditClient(office.url) as client:
        assert [told["record"] for told in client.records()] == ["0x" + name.hex() for name in records[:3]]
        assert len(list(client.effective_list("guizhou"))) == 2
        with pytest.raises(NotFound):
            list(client.effective_list("nobody"))


class TestFollowTheMoney:
    def test_dishonesty_is_a_sanction_of_its_company(self, office: Office, records: list[bytes]) -> None:
        entities = [json.loads(line) for line in exported(office, "ftm", *known(office)).splitlines()]
        assert [entity["schema"] for entity in entities] == ["Company", "Sanction"] * 2
        for entity in entities:
            check_entity(entity, entities)
        first, sanction, unknown, _ = entities
        assert first["properties"] == {
            "name": [str(FIRST)],
            "registrationNumber": [FIRST.identifier],
            "jurisdiction": ["cn"],
            "uscCode": [FIRST.identifier],
        }
        assert unknown["properties"] == {"name": ["0x" + SECOND.key.hex()]}
        properties = sanction["properties"]
        assert properties["entity"] == [first["id"]]
        assert properties["authority"] == ["sichuan 中心"]
        assert properties["status"] == ["published"]
        assert properties["sourceUrl"] == [f"{office.url}/v1/credit/records/0x{records[0].hex()}"]
        assert office.acting.client.get(properties["sourceUrl"][0]).status_code == 200

    def test_a_company_comes_once(self, tmp_path: Path) -> None:
        assert write(tmp_path, "ftm", TOLD, {**TOLD, "record": "0x" + "ac" * 32}) == 2
        entities = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
        assert [entity["schema"] for entity in entities] == ["Company", "Sanction", "Sanction"]

    def test_the_library_itself_takes_them(self, tmp_path: Path) -> None:
        library = pytest.importorskip("followthemoney")
        write(tmp_path, "ftm", TOLD)
        for line in (tmp_path / "out").read_bytes().splitlines():
            entity = json.loads(line)
            proxy = library.model.get_proxy(entity)
            proxy.schema.validate(proxy.to_dict())
            assert proxy.to_dict()["properties"] == entity["properties"]

    def test_other_schemes_have_other_countries(self) -> None:
        british, global_one = Subject.parse("GB-COH:00102498"), Subject.parse("XI-LEI:5493001KJTIIGC8Y1R12")
        assert company(HEX, british)["properties"] == {
            "name": ["GB-COH:00102498"],
            "registrationNumber": ["00102498"],
            "jurisdiction": ["gb"],
        }
        assert "jurisdiction" not in company(HEX, global_one)["properties"]  # type: ignore[operator]


def ancestors(schema: str) -> list[str]:
    return [schema, *(each for parent in SCHEMATA[schema]["extends"] for each in ancestors(parent))]


def check_entity(entity: dict[str, Any], entities: list[dict[str, Any]]) -> None:
    """Hold an entity against the schemata that FollowTheMoney publishes."""
    kinds = ancestors(entity["schema"])
    declared = {name: part for kind in reversed(kinds) for name, part in SCHEMATA[kind]["properties"].items()}
    assert {name for kind in kinds for name in SCHEMATA[kind]["required"]} & set(declared) <= set(entity["properties"])
    forms = {
        "date": r"\d{4}-\d{2}-\d{2}",
        "url": r"https?://[^\s]+",
        "country": "[a-z]{2}",
        "identifier": r"\S{1,64}",
        "name": ".+",
        "text": ".+",
        "string": ".+",
    }
    for name, values in entity["properties"].items():
        part = declared[name]
        assert values
        assert len(set(values)) == len(values)
        for value in values:
            assert len(value) <= part.get("maxLength", 1000)
            if part.get("type") == "entity":
                target = next(each for each in entities if each["id"] == value)
                assert part["range"] in ancestors(target["schema"])
            else:
                assert re.fullmatch(forms[part.get("type", "string")], value), (name, value)


def source() -> Source:
    return Source(read_catalogue(), [FIRST], {}, "http://127.0.0.1")


def write(folder: Path, form: Format, *told: dict[str, Any]) -> int:
    return export(iter(told), form, folder / "out", source())


class TestFiles:
    @pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_is_a_formula(self, begins: str, tmp_path: Path) -> None:
        write(tmp_path, "csv", {**TOLD, "member": f'{begins}cmd|"/c calc"!A1'})
        (row,) = table((tmp_path / "out").read_bytes())
        assert row["member"] == f'\'{begins}cmd|"/c calc"!A1'

    def test_a_file_is_whole_or_as_it_was(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("before")

        def breaking() -> Iterator[dict[str, Any]]:
            yield TOLD
            raise Unavailable("gone")

        with pytest.raises(Unavailable):
            export(breaking(), "csv", tmp_path / "out", source())
        assert (tmp_path / "out").read_text() == "before"
        assert [each.name for each in tmp_path.iterdir()] == ["out"]
        with pytest.raises(InvalidContent):
            write(tmp_path / "nowhere", "csv", TOLD)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"record": "0x12"},
            {"subject_key": None},
            {"kind": "minor"},
            {"decided_on": "2026-02-30"},
            {"measures": [101]},
            {"measures": None},
            {"published_at": 1e300},
            {"published_at": float("nan")},
            {"published_at": -1},
            {"member": 7},
            {"not_applied_by": [{}]},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("form", ["csv", "jsonl", "ftm"])
    def test_what_is_no_record_is_refused(self, wrong: dict[str, Any], form: Format, tmp_path: Path) -> None:
        with pytest.raises(ServiceError, match="other than credit records"):
            write(tmp_path, form, {**TOLD, **wrong})

    def test_memory_does_not_grow_with_the_list(self, tmp_path: Path) -> None:
        tracemalloc.start()
        export((TOLD for _ in range(5_000)), "csv", tmp_path / "out", source())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 20
        assert (tmp_path / "out").stat().st_size > 2 << 20


@pytest.mark.usefixtures("records")
class TestQuestions:
    def test_a_company_is_shown(self, office: Office) -> None:
        outcome = bidledger("credit", "show", FIRST, "--url", office.url)
        assert outcome.stdout.splitlines()[0] == f"{FIRST}: 1 record"
        assert "published: general, by sichuan" in outcome.stdout
        ended = bidledger("credit", "show", FIRST, "--url", office.url, "--ended", "--json")
        assert [record["state"] for record in json.loads(ended.stdout)["records"]] == ["published", "withdrawn"]
        assert bidledger("credit", "show", CLEAN, "--url", office.url).stdout == f"{CLEAN}: no records\n"
        outcome = bidledger("credit", "show", SECOND, "--url", office.url, "--recognized-by", "guizhou")
        assert outcome.stdout == f"{SECOND}: no records\n"
        person = bidledger("credit", "show", "CN-RIC:11010519491231002X", "--url", "http://127.0.0.1:1")
        assert (person.returncode, "natural person" in person.stderr) == (2, True)

    def test_a_certificate_is_fetched_and_proven(
        self, office: Office, founded: Founded, rpc: Rpc, follow: Callable[[], None]
    ) -> None:
        later(rpc, 1)
        follow()
        network, out = office.folder / "network.json", office.folder / "certificate.json"
        network.write_bytes(write_network(founded.network))
        outcome = bidledger("credit", "certificate", FIRST, "--url", office.url, "--out", out)
        assert outcome.returncode == 0, outcome.stderr
        verdict = bidledger("verify-certificate", out, "--network", network, "--subject", FIRST, "--json")
        assert verdict.returncode == 0, verdict.stdout
        assert len(json.loads(verdict.stdout)["subjects"][0]["records"]) == 2


@pytest.fixture
def room(ground: CreditGround, founded: Founded, rpc: Rpc, tmp_path: Path) -> Iterator[Room]:
    assert ground.member.number == MEMBER
    with running(ground, founded, rpc, tmp_path / "data", 3600) as made:
        yield made


def test_a_screening_is_told_by_line_and_kept(
    room: Room, records: list[bytes], founded: Founded, tmp_path: Path
) -> None:
    path, key = tmp_path / "bidders.csv", tmp_path / "key"
    key.write_text("secret-centre")
    path.write_text(f"公司,统一社会信用代码\n甲,{FIRST.identifier}\n丁,11010519491231002X\n丙,{CLEAN.identifier}\n")
    certificate, network = tmp_path / "certificate.json", tmp_path / "network.json"
    network.write_bytes(write_network(founded.network))
    options = ("--url", room.client.base_url, "--api-key-file", key, "--out", tmp_path / "kept")
    outcome = bidledger("credit", "screen", path, *options, "--certificate", certificate, "--json")
    assert outcome.returncode == 0, outcome.stderr
    told = json.loads(outcome.stdout)
    assert [(each["line"], each["subject"], each["result"]) for each in told["results"]] == (
        [(2, str(FIRST), "hit"), (4, str(CLEAN), "clear")]
    )
    assert [(each["line"], each["result"]) for each in told["not_asked"]] == [(3, "invalid")]
    assert "11010519491231002X" not in outcome.stdout + outcome.stderr
    verdict = bidledger("verify-certificate", certificate, "--network", network, "--json")
    assert verdict.returncode == 0, verdict.stdout
    document = Path(told["files"]["document"])
    assert document.parent == tmp_path / "kept"
    assert json.loads(document.read_bytes())["id"] == told["id"]
    kept = bidledger("evidence", "fetch", told["files"]["receipt"], "--out", tmp_path)
    assert "not anchored yet" in kept.stderr
    plain = bidledger("credit", "screen", path, *options, "--recognized-by", "guizhou")
    assert plain.stdout.splitlines()[0] == f"line 2: {FIRST}: hit"
