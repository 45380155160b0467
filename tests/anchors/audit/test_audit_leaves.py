"""A run of leaves in a log's tree: proven where it stands, and nowhere else."""

from dataclasses import replace

import pytest
from audited import node_reader
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_headers import key

from anchors.errors import LeavesDiffer, OutsideTree
from anchors.merkle import Levels
from anchors.tenders.audit.leaves import PeriodLeaves, check_leaves, range_path

LEAVES = [key(f"leaf {number}") for number in range(80)]


def _shown(first: int, end: int, size: int) -> PeriodLeaves:
    path = range_path(first, end, size, node_reader(LEAVES[:size]))
    return PeriodLeaves(first, tuple(LEAVES[first:end]), None, None, path)


@st.composite
def _ranges(draw: st.DrawFn) -> tuple[int, int, int]:
    size = draw(st.integers(1, 80))
    first = draw(st.integers(0, size - 1))
    return first, draw(st.integers(first + 1, size)), size


@settings(max_examples=150, deadline=None)
@given(_ranges())
def test_any_run_is_proven_under_the_root_of_its_tree(bounds: tuple[int, int, int]) -> None:
    check_leaves(_shown(*bounds), bounds[2], Levels.over(LEAVES[: bounds[2]]).root)


@settings(max_examples=150, deadline=None)
@given(_ranges(), st.data())
def test_nothing_else_is(bounds: tuple[int, int, int], data: st.DataObject) -> None:
    first, _, size = bounds
    shown, root = _shown(*bounds), Levels.over(LEAVES[:size]).root
    at = data.draw(st.integers(0, len(shown.leaves) - 1))
    spoilt = [
        replace(shown, leaves=(*shown.leaves[:at], key("other"), *shown.leaves[at + 1 :])),
        replace(shown, path=(*shown.path, key("more"))),
        replace(shown, first=first + 1),
        replace(shown, leaves=shown.leaves[:-1]),
        replace(shown, leaves=(*shown.leaves, key("more"))),
    ]
    if shown.path:
        spoilt.append(replace(shown, path=shown.path[:-1]))
        spoilt.append(replace(shown, path=(key("other"), *shown.path[1:])))
    for each in spoilt:
        with pytest.raises(LeavesDiffer):
            check_leaves(each, size, root)


@pytest.mark.parametrize(("first", "end"), [(0, 0), (3, 2), (-1, 2), (0, 9)])
def test_there_is_no_path_for_leaves_outside_the_tree(first: int, end: int) -> None:
    with pytest.raises(OutsideTree):
        range_path(first, end, 8, node_reader(LEAVES[:8]))
