"""A spread of the fault matrix: every kind of fault at a few calls of both trackers. `make faults` does them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.faults.campaign import Case, results_of
from tests.faults.cases import Clean, Result, calls_for, clean_run
from tests.faults.kinds import KINDS, Kind
from tests.faults.rig import TRACKERS, Rig, TrackerName

pytestmark = pytest.mark.timeout(2400)  # the first test waits for all the cases

FROM_THE_RUN = 1
"""How many calls of the run each kind is tried at in a tracker."""

WHILE_PLANNING = ("kill-answered", "lost", "html-200")

JOBS = 4
"""Cases at once: most of a case is waiting."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Result]:
    """What came of all cases of the spread."""
    folder = tmp_path_factory.mktemp("matrix")
    cases: list[Case] = []
    for tracker in TRACKERS:
        with Rig(folder / f"count-{tracker}", tracker) as rig:
            clean = clean_run(rig)
        cases += [(tracker, kind.name, call) for kind in KINDS for call in spread(tracker, clean, kind)]
    return list(results_of(folder, cases, JOBS, lambda _: None))


def spread(tracker: TrackerName, clean: Clean, kind: Kind) -> Iterator[int]:
    """A few calls, other ones for each kind, so that all kinds together meet all parts of a bootstrap."""
    if kind.bulk and tracker != "jira":
        return
    if kind.name in WHILE_PLANNING:
        yield clean.planning // 2
    fitting = [call for call in calls_for(kind, clean) if call > clean.planning]
    step = len(fitting) // FROM_THE_RUN
    first = KINDS.index(kind) * step // len(KINDS)
    yield from fitting[first::step][:FROM_THE_RUN]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_whatever_goes_wrong_with_a_call_each_item_exists_once(results: Sequence[Result], kind: Kind) -> None:
    mine = [result for result in results if result.kind == kind.name]

    assert len(mine) >= FROM_THE_RUN
    assert [off(result) for result in mine if not result.good] == []


@pytest.mark.parametrize("name", WHILE_PLANNING)
def test_what_goes_wrong_while_planning_is_planned_again(results: Sequence[Result], name: str) -> None:
    mine = [result for result in results if result.kind == name and result.phase == "plan"]

    assert {result.tracker for result in mine} == set(TRACKERS)
    assert all(result.good for result in mine), mine


def off(result: Result) -> str:
    """What is off in a case, and how to see it again."""
    wrong = result.duplicates + result.missing + result.extra
    return f"{result.command}: {wrong[:5]} {result.records[:5]} {result.trouble}"
