"""Companies by scheme and identifier; natural persons by nothing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchors.errors import BadSubject, NaturalPerson
from anchors.subjects import Subject

VALID = "CN-USCC:91110000600037341L"  # of python-stdnum's documentation, as is the resident's number below
RESIDENT = "360426199101010071"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def test_the_subject_key_is_the_digest_of_the_text() -> None:
    subject = Subject.parse(VALID)
    assert (subject.scheme, subject.identifier, str(subject)) == ("CN-USCC", "91110000600037341L", VALID)
    assert subject.key.hex() == "409638e1a2f6550c1e2b19cdc6ea2dfe48e7cc4d585a86442d283a89bed85bcb"  # by openssl


@pytest.mark.parametrize(
    "text",
    [
        "CN-USCC:91350100M000100Y43",
        "GB-COH:09506232",
        "GB-COH:SC123456",
        "AE_AJ-CR:12",
        "CA-CRA_ACR:119219814RR0001",
        "US-DOS:A",
        "DE-CR:HRB-86891",
        "XM-DAC:41/114",
    ],
)
def test_companies_of_known_forms_are_read(text: str) -> None:
    assert str(Subject.parse(text)) == text


@given(st.integers(0, 16), st.sampled_from(ALPHABET))
def test_a_credit_code_with_one_character_changed_is_refused(place: int, character: str) -> None:
    code = VALID.partition(":")[2]
    changed = code[:place] + character + code[place + 1 :]
    if changed != code:
        with pytest.raises(BadSubject):
            Subject.parse(f"CN-USCC:{changed}")


@pytest.mark.parametrize("last", [character for character in ALPHABET if character != "L"])
def test_a_credit_code_has_one_check_character(last: str) -> None:
    with pytest.raises(BadSubject, match="check character"):
        Subject.parse(VALID[:-1] + last)


@pytest.mark.parametrize(
    "code", ["91110000600037341l", "9111000060003734", "91110000600037341L0", "9111000060003734IL"]
)
def test_a_credit_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(BadSubject, match="18 characters"):
        Subject.parse(f"CN-USCC:{code}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "GB-COH",
        "GB-COH:",
        ":09506232",
        "gb-coh:09506232",
        "GB:09506232",
        "GBR-COH:1",
        "GB-COH: 09506232",
        "GB-COH:09506232 ",
        "GB-COH:0950\n",
        "GB-COH:a:b",
        "GB-COH:-1",
        "GB-COH:" + "1" * 65,
        "GB-COH:公司",
        "GB-COH:٣",
    ],
)
def test_what_is_no_scheme_and_identifier_is_refused(text: str) -> None:
    with pytest.raises(BadSubject, match="SCHEME:IDENTIFIER"):
        Subject.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        f"CN-SAIC:{RESIDENT}",
        f"CN-SAIC:{RESIDENT[:-1]}0",  # a slip in the check character: still nearly somebody's
        "CN-SAIC:36042619910101007x",
        f"GB-COH:{RESIDENT[:6]}-{RESIDENT[6:14]}-{RESIDENT[14:]}",
        f"GB-COH:A{RESIDENT}Z",
        f"CN-USCC:{RESIDENT}",
        "CN-RIC:1",
        "CN-PASSPORT:E12345678",
        "BR-CPF:39053344705",
        "US-SSN:536904399",
    ],
)
def test_natural_persons_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(NaturalPerson) as refused:
        Subject.parse(text)
    assert text.partition(":")[2] not in refused.value.diagnostics()


def test_a_credit_code_that_has_the_form_of_a_residents_number_by_chance_is_a_company() -> None:
    code = next(code for code in map(_credit_code, range(100)) if code[-1].isdigit())
    assert str(Subject.parse(f"CN-USCC:{code}")) == f"CN-USCC:{code}"


def _credit_code(serial: int) -> str:
    """A code with place, date and serial of a resident's number, and by that the wrong check character for one."""
    body = f"1150011978013{serial:04}"
    values = [ALPHABET.index(character) * 3**place for place, character in enumerate(body)]
    return body + ALPHABET[-sum(values) % 31]


@given(st.text() | st.from_regex(r"[A-Z]{2}-[A-Z]{2,4}:[0-9A-Z]{1,20}", fullmatch=True))
@example(VALID)
def test_any_text_is_a_subject_that_writes_itself_again_or_is_refused(text: str) -> None:
    try:
        subject = Subject.parse(text)
    except BadSubject:
        return
    assert str(subject) == text
