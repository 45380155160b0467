"""An import's plan for a person: a table of the records, and below it, by line, what is to be said of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ledger_service.cli.console import err_console, say

if TYPE_CHECKING:
    from ledger_service.credit.lists.planning import Plan, Planned

_SHOWN: Final = 100  # of each fate
_STYLES: Final = {"new": "green", "waiting": "cyan", "unchanged": "dim", "changed": "yellow"}


def show_plan(plan: "Plan") -> None:
    """Show how many entries there are of each kind, and the first of each, on standard error."""
    from rich.table import Column, Table

    encoding = f", read as {plan.file.encoding.upper()}" if plan.file.encoding else ""
    say(f"{plan.file.path}{encoding}: " + ", ".join(f"{count} {fate}" for fate, count in plan.counts().items()))
    shown = [each for fate in _STYLES for each in _of(plan, fate)[:_SHOWN]]
    if shown:
        table = Table("line", "", Column("subject", overflow="fold"), "kind", "decided", "until", "measures", box=None)
        for each in shown:
            table.add_row(*_row(each), style=_STYLES[each.fate.value])
        err_console().print(table)
    for line in _notes(plan, shown):
        say(line)


def _of(plan: "Plan", fate: str) -> list["Planned"]:
    return [each for each in plan.planned if each.fate.value == fate]


def _row(planned: "Planned") -> list[str]:
    draft, record = planned.draft, planned.draft.record
    return [
        *(str(draft.line), planned.fate.value, str(draft.subject), record.kind.name.lower()),
        *(record.decided_on.isoformat(), record.last_day.isoformat(), " ".join(map(str, record.measures))),
    ]


def _notes(plan: "Plan", shown: list["Planned"]) -> Iterator[str]:
    for each in shown:
        if each.notes:
            yield f"line {each.draft.line} {each.fate.value}: {'; '.join(each.notes)}"
    for refused in plan.refused[:_SHOWN]:
        yield f"line {refused.line} refused: {'; '.join(refused.reasons)}"
    left_out = len(plan.planned) + len(plan.refused) - len(shown) - len(plan.refused[:_SHOWN])
    if left_out:
        yield f"{left_out} more are not shown; --json has all"
