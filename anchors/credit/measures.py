"""The catalogue of measures: what a record may impose, each by its number, and on which law it rests.

Promises that a measure outside the catalogue, of the other kind, or that the law ties to another severity or period,
is refused: no list, no punishment. A catalogue is named by the digest of its bytes, so no version can be altered
unseen. Which version is in force is left to the alliance.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Self

from anchors.bounded_json import Fields, read_json
from anchors.credit.kinds import Kind
from anchors.credit.terms import Term
from anchors.errors import MalformedFile, UnfitMeasure, UnknownMeasure

__all__ = ["FORMAT", "MAX_CODE", "Basis", "Catalogue", "Measure", "read_catalogue"]

FORMAT = "bidledger/measures/v1"

_MAX_MEASURES = 1024
MAX_CODE = 255  # a record names its measures by the bits of one word, and bit 0 is none
_MAX_BASES = 16
_MAX_MONTHS = 60
_TEXT = r"\S(?:[^\x00-\x1f\x7f]{0,198}\S)?"
_ENTRY = ("code", "zh", "en", "kind", "severity", "months", "basis")


@dataclass(frozen=True, slots=True)
class Basis:
    """A provision that a measure rests on."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a catalogue."""

    code: int
    zh: str
    en: str
    kinds: tuple[Kind, ...]  # what a record that imposes it may be
    term: Term | None  # how long the measure's own law lets it run, where it says so
    basis: tuple[Basis, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A version of the catalogue, in the order of the codes."""

    digest: bytes  # SHA-256 of the file's bytes
    version: int
    measures: tuple[Measure, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `measures.json`.

        Raises:
            MalformedFile: the bytes are out of bounds, of another format, or list measures twice or out of order.
        """
        fields = Fields(read_json(data), "", ("format", "version", "measures"))
        fields.text("format", re.escape(FORMAT))
        measures = fields.each("measures", _MAX_MEASURES, _read_measure)
        codes = [measure.code for measure in measures]
        if codes != sorted(set(codes)):
            raise MalformedFile("measures", "are not in the order of their codes, each once")
        return cls(hashlib.sha256(data).digest(), fields.number("version", 1), measures)

    def measure(self, code: int) -> Measure:
        """The measure of that code; raises UnknownMeasure."""
        for measure in self.measures:
            if measure.code == code:
                return measure
        raise UnknownMeasure(code, self.version)

    def mask(self, kind: Kind) -> int:
        """The measures that a record of that kind may impose, bit n for code n, as the alliance votes them in force."""
        return sum(1 << measure.code for measure in self.measures if kind in measure.kinds)

    def fitting(self, codes: Sequence[int], kind: Kind) -> tuple[Measure, ...]:
        """The measures of those codes, in that order, if a record of that kind may impose all of them.

        Raises:
            UnknownMeasure: the catalogue does not list one.
            UnfitMeasure: one is for records of another kind or severity.
        """
        measures = tuple(self.measure(code) for code in codes)
        for measure in measures:
            if kind not in measure.kinds:
                raise UnfitMeasure(measure.code, f"({measure.en}) is not for {kind.title}")
        return measures


@cache
def read_catalogue() -> Catalogue:
    """The catalogue that comes with this version, `measures.json`."""
    return Catalogue.parse(resources.files("anchors.credit").joinpath("measures.json").read_bytes())


def _read_measure(value: object, where: str) -> Measure:
    fields = Fields(value, where, _ENTRY)
    basis = fields.each("basis", _MAX_BASES, _read_basis)
    if not basis:
        raise MalformedFile(fields.path("basis"), "is empty, and what rests on no law is no measure")
    return Measure(
        code=fields.number("code", 1, MAX_CODE),
        zh=fields.text("zh", _TEXT),
        en=fields.text("en", _TEXT),
        kinds=_read_kinds(fields),
        term=None if fields.raw("months") is None else _read_term(fields),
        basis=basis,
    )


def _read_kinds(fields: Fields) -> tuple[Kind, ...]:
    severity = fields.nullable("severity", lambda name: fields.text(name, "general|serious"))
    if fields.text("kind", "honour|dishonesty") == "honour":
        if severity is not None:
            raise MalformedFile(fields.path("severity"), "stands beside an honour")
        return (Kind.HONOUR,)
    return (Kind[severity.upper()],) if severity else (Kind.GENERAL, Kind.SERIOUS)


def _read_term(fields: Fields) -> Term:
    months = Fields(fields.raw("months"), fields.path("months"), ("least", "most"))
    least = months.number("least", 1, _MAX_MONTHS)
    return Term(least, months.number("most", least, _MAX_MONTHS))


def _read_basis(value: object, where: str) -> Basis:
    fields = Fields(value, where, ("zh", "en"))
    return Basis(fields.text("zh", _TEXT), fields.text("en", _TEXT))
