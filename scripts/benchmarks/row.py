"""One row of the table: what was measured, its floor in the same run, and what it must reach."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement."""

    name: str
    value: float
    unit: str
    floor: float
    ratio: float  # of value and floor
    reach: str
    ok: bool

    def as_json(self) -> dict[str, object]:
        """The row as `--json` writes it."""
        return asdict(self)

    def __str__(self) -> str:
        verdict = "" if self.ok else "  NOT REACHED"
        figures = f"{self.value:>12,.5g} {self.floor:>12,.5g} {self.ratio:>7.2f}"
        return f"{self.name:<17} {figures}  {self.reach} {self.unit}{verdict}"
