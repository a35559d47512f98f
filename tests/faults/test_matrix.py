"""A spread of the fault matrix: every kind of fault at a few calls of both trackers. `make faults` does them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.faults.cases import Clean, Result, calls_for, clean_run, run_case
from tests.faults.kinds import KINDS, Kind
from tests.faults.rig import TRACKERS, Rig, TrackerName

Ready = tuple[Rig, Clean]

FROM_THE_RUN = 2
"""How many calls of the run each kind is tried at in the suite."""


@pytest.fixture(scope="module", params=TRACKERS)
def ready(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A rig with a clean run behind it."""
    tracker: TrackerName = request.param
    with Rig(tmp_path_factory.mktemp(tracker), tracker) as rig:
        yield rig, clean_run(rig)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_whatever_goes_wrong_with_a_call_each_item_exists_once(ready: Ready, kind: Kind) -> None:
    rig, clean = ready
    if kind.bulk and rig.tracker != "jira":
        pytest.skip("only Jira has bulk calls")

    results = [run_case(rig, clean, kind, call) for call in spread(clean, kind)]

    assert [off(result) for result in results if not result.good] == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in {"kill-answered", "lost", "html-200"}])
def test_what_goes_wrong_while_planning_is_planned_again(ready: Ready, kind: Kind) -> None:
    rig, clean = ready

    result = run_case(rig, clean, kind, clean.planning // 2)

    assert result.good, off(result)


def spread(clean: Clean, kind: Kind) -> Sequence[int]:
    """A few calls of the run, other ones for each kind, so that all kinds together meet all parts of it."""
    fitting = [call for call in calls_for(kind, clean) if call > clean.planning]
    step = len(fitting) // FROM_THE_RUN
    first = KINDS.index(kind) * step // len(KINDS)
    return fitting[first::step][:FROM_THE_RUN]


def off(result: Result) -> str:
    """What is off in a case, and how to see it again."""
    wrong = result.duplicates + result.missing + result.extra
    return f"{result.command}: {wrong[:5]} {result.records[:5]} {result.trouble}"
