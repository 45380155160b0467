"""Lists of other bodies as they are read: every form with its line numbers, and every fault as our own error."""

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from filing import COMPANIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchors.credit import Kind, Statement, read_catalogue
from ledger_service.credit.lists import listfile, reading
from ledger_service.credit.lists.companies import read_companies
from ledger_service.credit.lists.drafting import Draft, Drafting, Refusal
from ledger_service.credit.lists.listfile import BadList, Cell, ListFile, Row, Shape
from ledger_service.credit.lists.mapping import Mapping
from ledger_service.credit.lists.planning import read_drafts
from ledger_service.credit.lists.reading import read_rows
from ledger_service.errors import NotFound, ServiceError

LISTS = Path(__file__).parent / "lists"
PROCUREMENT = LISTS / "procurement.csv"
MAPPING = Mapping.read(LISTS / "procurement.toml")
JUNE = 1_780_300_000  # 2026-06-01


def drafts_of(path: Path, mapping: Mapping = MAPPING, time: int = JUNE) -> tuple[list[Draft], list[Refusal]]:
    return read_drafts(ListFile.open(path, mapping.shape), mapping, read_catalogue(), time)


def rows_of(path: Path, *columns: str, **shape: object) -> list[Row]:
    written = Shape(**shape)  # type: ignore[arg-type]
    return list(read_rows(ListFile.open(path, written), written, columns))


def workbook(path: Path, *rows: list[object], title: str = "名单") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title  # type: ignore[union-attr]
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    return path


def test_a_list_is_drawn_up_with_the_lines_that_its_program_shows() -> None:
    drafts, refused = drafts_of(PROCUREMENT)
    assert [(draft.line, draft.subject) for draft in drafts] == [(3, COMPANIES[0]), (5, COMPANIES[1])]
    first = drafts[0].record
    assert (first.kind, first.decided_on, first.last_day) == (Kind.SERIOUS, date(2026, 3, 2), date(2028, 3, 2))
    assert (first.measures, drafts[1].record.measures) == ((201,), (101, 102, 201))
    assert drafts[1].record.last_day == date(2028, 4, 30)
    assert [each.line for each in refused] == [6, 7]


def test_a_statement_has_the_facts_and_the_digest_that_is_sent() -> None:
    draft = drafts_of(PROCUREMENT)[0][0]
    statement = Statement.parse(draft.statement)
    assert statement.facts == "提供虚假材料谋取中标；\n涉及项目两个"
    assert statement.basis == ("《政府采购法》第七十七条", "《政府采购法实施条例》第七十三条")
    assert statement.catalogue == read_catalogue().digest
    assert statement.digest() == draft.record.statement
    assert "facts" not in draft.request()
    assert statement.facts not in str(draft.request())


def test_every_reason_of_a_refusal_is_told_and_no_person() -> None:
    wrong_check, person = drafts_of(PROCUREMENT)[1]
    assert wrong_check.reasons == ("the party has a wrong check character",)
    told = "; ".join(person.reasons)
    assert "110101199003074477" not in told
    for reason in ("natural person", "二月三十日", "没收违法所得", "outside the list's folder"):
        assert reason in told


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030"], ids=["utf-8", "with a byte order mark", "gb18030"]
)
def test_encodings_are_found_out(encoding: str, tmp_path: Path) -> None:
    again = tmp_path / "list.csv"
    again.write_bytes(PROCUREMENT.read_text().encode(encoding))
    file = ListFile.open(again, MAPPING.shape)
    assert file.encoding == encoding.removesuffix("-sig")
    assert file.text == PROCUREMENT.read_text()


def test_bytes_of_no_encoding_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"a,b\n1,2\n3,\xff\xff\n")
    with pytest.raises(BadList, match="line 3: is no text"):
        rows_of(path, "a")


def test_a_named_encoding_is_not_guessed_over(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("名\n值\n".encode("gb18030"))
    with pytest.raises(BadList, match="line 1: is no text in utf-8"):
        rows_of(path, "名", encoding="utf-8")


def test_a_quote_that_does_not_close_ends_the_list_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('a,b\n1,2\n3,"4\n5,6\n')
    with pytest.raises(BadList, match="line 3: is no CSV"):
        rows_of(path, "a")


def test_lines_are_counted_through_quoted_ones_and_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "list.tsv"
    path.write_text('a\tb\n"1\n\n1"\t2\n\n3\t4\n5\n6\t7\t8\n9\t10\t\n')
    rows = rows_of(path, "a", delimiter="\t")
    assert [row.line for row in rows] == [2, 6, 7, 8, 9]
    assert [row.fault is None for row in rows] == [True, True, False, False, True]
    assert rows[0].cells == {"a": "1\n\n1"}


@pytest.mark.parametrize(
    ("names", "why"), [("b,c", "has no column a; its columns are: b, c"), ("a,a", "more than one")]
)
def test_a_column_is_there_once(names: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"title\n{names}\n1,2\n")
    with pytest.raises(BadList, match=f"line 2: has {why}" if "more" in why else f"line 2: {why}"):
        rows_of(path, "a", header=2)


def test_no_row_is_passed_over_but_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b,,\n1,2\n,2\n,\n ,,\n")
    assert [(row.line, row.cells) for row in rows_of(path, "a")] == [(2, {"a": "1"}), (3, {"a": ""})]
    sheet = workbook(tmp_path / "list.xlsx", ["a", "b"], ["x"], [None, "y"], [None, None], [])
    assert [(row.line, row.cells) for row in rows_of(sheet, "a", "b")] == (
        [(2, {"a": "x", "b": ""}), (3, {"a": "", "b": "y"})]
    )


def test_json_lines_are_refused_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    lines = [
        '{"a": " x ", "b": [201, "101"], "amount": 12.5}',
        "",
        "[1]",
        "{",
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1}}',
        '{"a": "\\ud800"}',
        "[" * 600,
        '{"a": 7, "b": null}',
        '{"a": 1' + "0" * 5000 + "}",
    ]
    path.write_text("\n".join(lines))
    rows = rows_of(path, "a", "b")
    assert [row.line for row in rows if row.fault is None] == [1, 9]
    assert [row.line for row in rows if row.fault is not None] == [3, 4, 5, 6, 7, 8, 10]
    assert rows[0].cells == {"a": "x", "b": ("201", "101")}
    assert rows[-2].cells == {"a": "7", "b": ""}


def test_a_sheet_is_read_with_its_dates_and_row_numbers(tmp_path: Path) -> None:
    day = date(2026, 3, 2)
    path = workbook(tmp_path / "list.xlsx", ["title"], ["a", "b", "c"], ["x", day, 7], [], ["y", "2026-03-02", 1.5])
    rows = rows_of(path, "a", "b", "c", header=2)
    assert [row.line for row in rows] == [3, 5]
    assert rows[0].cells == {"a": "x", "b": day, "c": "7"}
    assert rows[1].cells == {"a": "y", "b": "2026-03-02", "c": "1.5"}


def test_a_number_that_lost_digits_is_no_identifier(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", ["identifier"], [91110000600037341])
    (named,) = read_companies(path)
    assert isinstance(named.company, str)


def test_a_sheet_is_named_or_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", ["a"], ["x"])
    assert len(rows_of(path, "a", sheet="名单")) == 1
    with pytest.raises(BadList, match="has no sheet other; its sheets are: 名单"):
        rows_of(path, "a", sheet="other")


def test_what_a_sheet_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", ["a"], ["x"], ["y"])

    def lie(name: str, content: bytes) -> bytes:
        return content.replace(b'ref="A1:A3"', b'ref="A1:A1"') if name.endswith("sheet1.xml") else content

    repack(path, lie)
    assert [row.cells["a"] for row in rows_of(path, "a")] == ["x", "y"]


def repack(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, change(name, content))


def bomb(name: str, size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package, package.open(name, "w") as part:
        for _ in range(size >> 20):
            part.write(bytes(1 << 20))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("xl/worksheets/sheet1.xml", 513 << 20, "unpacks to more than"),
        ("xl/sharedStrings.xml", 65 << 20, "has a part xl/sharedStrings.xml"),
        ("xl/styles.xml", 17 << 20, "has a part xl/styles.xml"),
    ],
)
def test_what_unpacks_to_too_much_is_not_unpacked(name: str, size: int, why: str, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(bomb(name, size))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(BadList, match=why):
        rows_of(path, "a")


def test_a_workbook_of_too_many_parts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        for number in range(1001):
            package.writestr(str(number), b"")
    with pytest.raises(BadList, match="more than 1000 parts"):
        rows_of(path, "a")


def test_a_workbook_that_defines_entities_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", ["a"], ["x"])
    doctype = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">]>'

    def define(name: str, content: bytes) -> bytes:
        return b"<!-- " + b"-" * 3 + b" -->" + doctype + content if name.endswith("sheet1.xml") else content

    repack(path, lambda name, content: define(name, content).replace(b"<!-- --- -->", b"<!-- . -->" * 10_000))
    with pytest.raises(BadList, match="defines entities"):
        rows_of(path, "a")


def test_a_list_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a\n1\n2\n3\n")
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    with pytest.raises(BadList, match="line 4: has more than 2 entries"):
        rows_of(path, "a")
    monkeypatch.setattr(listfile, "MAX_LIST_BYTES", 7)
    with pytest.raises(BadList, match="has more than 7 bytes"):
        rows_of(path, "a")


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        rows_of(tmp_path / "none.csv", "a")
    (tmp_path / "list.doc").write_text("a")
    with pytest.raises(BadList, match="does not say what it is"):
        rows_of(tmp_path / "list.doc", "a")
    (tmp_path / "list.csv").write_text("\n")
    with pytest.raises(BadList, match="no column a"):
        rows_of(tmp_path / "list.csv", "a")
    (tmp_path / "list.xlsx").write_text("a")
    with pytest.raises(BadList, match="no workbook"):
        rows_of(tmp_path / "list.xlsx", "a")


ARBITRARY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLAUSIBLE = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.text(alphabet='a,"\n\r{}[]:1\\\x00；。', max_size=12), max_size=30).map(
        lambda some: "".join(some).encode()
    ),
)


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
@given(data=PLAUSIBLE)
@ARBITRARY
def test_any_bytes_end_in_rows_or_in_our_own_error(form: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"list.{form}"
    path.write_bytes(b"a\n" * (form == "csv") + data)
    with suppress(BadList):
        assert all(row.line >= 1 for row in rows_of(path, "a"))


@given(st.data())
@ARBITRARY
def test_a_damaged_workbook_ends_in_rows_or_in_our_own_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "good.xlsx"
    if not path.exists():
        workbook(path, ["a", "b"], ["x", date(2026, 3, 2)], ["y", 5])
    good = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(good)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    at = data.draw(st.integers(0, len(parts[name]) - 1))
    parts[name] = parts[name][:at] + data.draw(st.binary(max_size=8)) + parts[name][at + data.draw(st.integers(0, 8)) :]
    damaged = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(damaged, "w") as package:
        for part, content in parts.items():
            package.writestr(part, content)
    with suppress(BadList):
        rows_of(damaged, "a")


CELLS = st.one_of(st.text(max_size=30), st.dates(), st.lists(st.text(max_size=5), max_size=3).map(tuple))


@given(st.fixed_dictionaries(dict.fromkeys(sorted(MAPPING.columns()), CELLS)))
@ARBITRARY
def test_any_cells_end_in_a_record_or_in_reasons(cells: dict[str, Cell]) -> None:
    drawn = Drafting(MAPPING, LISTS, read_catalogue(), JUNE).draw_up(Row(7, cells))
    assert drawn.line == 7
    assert isinstance(drawn, Draft) or drawn.reasons


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (('format = "bidledger/credit-mapping/v1"', 'format = "x"'), "at format"),
        (("header = 2", "header = 0"), "at list.header"),
        (("header = 2", 'delimiter = "ab"'), "at list.delimiter"),
        (('fixed = "serious"', 'fixed = "minor"'), "at kind.fixed"),
        (('fixed = "serious"', 'fixed = "serious"\ncolumn = "a"'), "at kind: .*name one of fixed, column"),
        (('"%Y年%m月%d日"', '"%m月%d日"'), "at decided_on.format.*does not name year, month and day"),
        (('"%Y年%m月%d日"', '"%Q"'), "at decided_on.format"),
        (("months = 24", ""), "at last_day: .*name one of"),
        (("months = 24", "months = 61"), "at last_day.months"),
        (("= 201", "= 256"), "at measures.values"),
        (("[document]", "[document"), "is no TOML: .*line"),
        (('file = "决定书"', 'file = "决定书"\nother = 1'), "at document.other"),
        (("[subject]", "[subject2]"), "at subject: Field required"),
    ],
)
def test_a_mapping_is_refused_at_its_place(change: tuple[str, str], where: str, tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text((LISTS / "procurement.toml").read_text().replace(*change))
    with pytest.raises(BadList, match=where):
        Mapping.read(path)


@given(PLAUSIBLE)
@ARBITRARY
def test_any_bytes_are_a_mapping_or_our_own_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mapping.toml"
    path.write_bytes(data)
    with pytest.raises(BadList):
        Mapping.read(path)


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.txt", f"{COMPANIES[0].identifier}\n\n{COMPANIES[1]}\nx\n", [1, 3, 4]),
        ("a.csv", f"name,统一社会信用代码\nA,{COMPANIES[0].identifier}\nB,{COMPANIES[1].identifier}\nC,x\n", [2, 3, 4]),
        (
            "a.jsonl",
            f'{{"subject": "{COMPANIES[0]}"}}\n{{"identifier": "{COMPANIES[1].identifier}"}}\n{{}}\n',
            [1, 2, 3],
        ),
    ],
)
def test_companies_are_read_by_their_identifiers_alone(
    name: str, content: str, lines: list[int], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    named = read_companies(tmp_path / name)
    assert [each.line for each in named] == lines
    assert [each.company for each in named][:2] == list(COMPANIES[:2])
    assert all(isinstance(each.company, str) for each in named[2:])
    with pytest.raises(ServiceError, match="more than 1 companies"):
        read_companies(tmp_path / name, 1)


def test_the_mapping_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    shown = (Path(__file__).parents[3] / "docs" / "CREDIT.md").read_text()
    (tmp_path / "mapping.toml").write_text(shown.partition("### The mapping\n```toml\n")[2].partition("```")[0])
    mapping = Mapping.read(tmp_path / "mapping.toml")
    assert len(mapping.columns()) == 8
    assert mapping.shape.header == 2
