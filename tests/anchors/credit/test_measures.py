"""The catalogue of measures: what is not listed cannot be imposed."""

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.credit.kinds import Kind
from anchors.credit.measures import Catalogue
from anchors.credit.terms import Term
from anchors.errors import AnchorsError, MalformedFile, UnfitMeasure, UnknownMeasure

MEASURES = resources.files("anchors.credit").joinpath("measures.json").read_bytes()
CATALOGUE = Catalogue.parse(MEASURES)
BAN = 201  # from government procurement
LOWER_BOND = 1


def test_the_catalogue_is_named_by_the_digest_of_its_bytes() -> None:
    assert CATALOGUE.digest == hashlib.sha256(MEASURES).digest()
    assert Catalogue.parse(MEASURES + b"\n").digest != CATALOGUE.digest


def test_every_measure_says_what_it_rests_on() -> None:
    assert all(measure.basis for measure in CATALOGUE.measures)
    assert {Kind.HONOUR, Kind.GENERAL, Kind.SERIOUS} == {kind for each in CATALOGUE.measures for kind in each.kinds}


def test_a_procurement_ban_is_serious_and_runs_one_to_three_years() -> None:
    measure = CATALOGUE.measure(BAN)
    assert (measure.kinds, measure.term) == ((Kind.SERIOUS,), Term(12, 36))


def test_a_measure_that_is_not_listed_cannot_be_imposed() -> None:
    with pytest.raises(UnknownMeasure, match="no measure 999"):
        CATALOGUE.fitting([BAN, 999], Kind.SERIOUS)


@pytest.mark.parametrize(
    ("code", "kind"), [(BAN, Kind.GENERAL), (BAN, Kind.HONOUR), (LOWER_BOND, Kind.GENERAL), (LOWER_BOND, Kind.SERIOUS)]
)
def test_a_measure_of_another_kind_or_severity_cannot_be_imposed(code: int, kind: Kind) -> None:
    with pytest.raises(UnfitMeasure, match=kind.title):
        CATALOGUE.fitting([code], kind)


def test_the_alliance_votes_the_measures_of_a_kind_as_bits() -> None:
    assert CATALOGUE.mask(Kind.HONOUR) == 0b1111110
    assert CATALOGUE.mask(Kind.SERIOUS) - CATALOGUE.mask(Kind.GENERAL) == 0b11110 << 200


def test_fitting_measures_are_given_in_the_order_asked() -> None:
    assert [measure.code for measure in CATALOGUE.fitting([BAN, 101], Kind.SERIOUS)] == [BAN, 101]


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    value = copy.deepcopy(json.loads(MEASURES))
    change(value)
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda file: file.update(format="bidledger/measures/v2"), "format"),
        (lambda file: file.update(version=0), "version"),
        (lambda file: file["measures"].reverse(), "measures"),
        (lambda file: file["measures"].append(file["measures"][-1]), "measures"),
        (lambda file: file["measures"][0].update(code=0), r"measures\[0\].code"),
        (lambda file: file["measures"][0].update(code=256), r"measures\[0\].code"),
        (lambda file: file["measures"][0].update(zh=""), r"measures\[0\].zh"),
        (lambda file: file["measures"][0].update(en="a\nb"), r"measures\[0\].en"),
        (lambda file: file["measures"][0].update(kind="minor"), r"measures\[0\].kind"),
        (lambda file: file["measures"][0].update(severity="serious"), r"measures\[0\].severity"),
        (lambda file: file["measures"][-1].update(severity="minor"), "severity"),
        (lambda file: file["measures"][-1].update(months={"least": 36, "most": 12}), "months.most"),
        (lambda file: file["measures"][0].update(basis=[]), r"measures\[0\].basis"),
        (lambda file: file["measures"][0].pop("basis"), r"measures\[0\].basis"),
        (lambda file: file["measures"][0].update(note="x"), r"measures\[0\].note"),
    ],
)
def test_a_catalogue_that_contradicts_its_format_is_refused(
    change: Callable[[dict[str, Any]], object], where: str
) -> None:
    with pytest.raises(MalformedFile, match=where):
        Catalogue.parse(changed(change))


@given(st.binary(max_size=300) | st.integers(0, len(MEASURES) - 1).map(lambda at: MEASURES[:at] + MEASURES[at + 1 :]))
def test_hostile_bytes_end_in_a_named_error(data: bytes) -> None:
    with contextlib.suppress(AnchorsError):
        Catalogue.parse(data)
