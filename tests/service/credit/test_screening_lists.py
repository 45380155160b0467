"""Lists of companies as they come: which cell of which line names whom, and the one form of what is told."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from anchors.subjects import Subject
from ledger_service.credit.screening_lists import NoCompany, TooManySubjects, read_list
from ledger_service.credit.screening_results import canonical
from ledger_service.errors import ServiceError

CODE = "915100002018088028"
COMPANY = Subject.parse(f"CN-USCC:{CODE}")


def csv(text: str, encoding: str = "utf-8", media_type: str = "text/csv") -> list[tuple[Subject | str, int | None]]:
    return [
        (one.about.problem if isinstance(one.about, NoCompany) else one.about, one.line)
        for one in read_list(media_type, text.encode(encoding))
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(
    "header", ["subject", "Identifier", "统一社会信用代码", ' "subject" '.strip(), "subject,identifier"]
)
def test_a_header_names_the_column(header: str, encoding: str) -> None:
    text = f"名称,{header}\n四川某公司,{CODE},x\n"
    assert csv(text, encoding) == [(COMPANY, 2)]


@pytest.mark.parametrize("cell", [CODE, f"CN-USCC:{CODE}", f" {CODE}\t", f'"{CODE}"', f"\u3000{CODE}"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_without_a_header_it_is_the_first_column(cell: str, end: str) -> None:
    assert csv(f"{cell},四川{end}") == [(COMPANY, 1)]


def test_empty_lines_are_no_rows_and_an_empty_cell_names_nobody() -> None:
    assert csv(f"\n,,\n{CODE}\n,x\n\n{CODE},y") == [(COMPANY, 3), ("bad-subject", 4), (COMPANY, 6)]
    assert csv(f"a,subject\nb\nc,{CODE}") == [("bad-subject", 2), (COMPANY, 3)]


@pytest.mark.parametrize("charset", ["gb18030", "GBK", '"gb2312"'])
def test_a_charset_that_is_named_is_read(charset: str) -> None:
    assert csv(f"统一社会信用代码\n{CODE}", "gb18030", f"text/csv; charset={charset}") == [(COMPANY, 2)]


@pytest.mark.parametrize(
    "text", [CODE[:-1], f"cn-uscc:{CODE}", f"{CODE} ", "华西公司", "91110000600037341l", "9151000020180880２8"]
)
def test_only_an_exact_identifier_is_a_company(text: str) -> None:
    (asked,) = read_list("application/json", canonical({"subjects": [text]}))
    assert asked.about == NoCompany("bad-subject", asked.about.detail)  # type: ignore[union-attr]
    assert text not in asked.about.detail  # type: ignore[union-attr]


def test_the_bound_is_reached_without_reading_on() -> None:
    assert len(read_list("text/csv", b"x\n" * 1000)) == 1000
    with pytest.raises(TooManySubjects):
        read_list("text/csv", b"x\n" * 1001 + b'"')


@given(st.binary(max_size=200), st.sampled_from(["text/csv", "application/json", "text/csv;charset=gbk"]))
def test_any_bytes_are_read_or_refused(body: bytes, media_type: str) -> None:
    try:
        assert read_list(media_type, body)
    except ServiceError as error:
        assert error.status in (400, 422)  # noqa: PT017


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
)


@given(JSON)
def test_the_canonical_form_is_that_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]
