"""An import's plan as a table for a person: what is new, what is not, and what is refused, by its line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.table import Table

    from ledger_service.credit.lists.planning import Plan, Planned

_SHOWN: Final = 100  # of each fate
_STYLES: Final = {"new": "green", "waiting": "cyan", "unchanged": "dim", "changed": "yellow", "refused": "red"}


def plan_table(plan: "Plan") -> "Table":
    """The entries of a plan, the first of each fate, and how many are left out."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("line", "", "subject", "kind", "decided", "until", "measures", "notes", box=None)
    for fate, rows, left_out in _parts(plan):
        for row in rows:
            table.add_row(*map(escape, row), style=_STYLES[fate])
        if left_out:
            table.add_row("", fate, f"and {left_out} more; --json has all", style=_STYLES[fate])
    return table


def _parts(plan: "Plan") -> Iterator[tuple[str, list[list[str]], int]]:
    from ledger_service.credit.lists.planning import Fate

    for fate in Fate:
        entries = plan.of(fate)
        yield fate.value, [_row(each) for each in entries[:_SHOWN]], max(0, len(entries) - _SHOWN)
    refused = [[str(each.line), "refused", "", "", "", "", "", "; ".join(each.reasons)] for each in plan.refused]
    yield "refused", refused[:_SHOWN], max(0, len(refused) - _SHOWN)


def _row(planned: "Planned") -> list[str]:
    draft, record = planned.draft, planned.draft.record
    return [
        *(str(draft.line), planned.fate.value, str(draft.subject), record.kind.name.lower()),
        *(record.decided_on.isoformat(), record.last_day.isoformat(), " ".join(map(str, record.measures))),
        "; ".join(planned.notes),
    ]
