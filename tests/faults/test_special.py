"""What no single failing call shows: a search that lags, two bootstraps at once, a token that is fixed, a database
that is held or cannot grow."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.cases import Clean, clean_run, compared, run_case
from tests.faults.kinds import BY_NAME, EVERY_CALL
from tests.faults.portrait import Difference
from tests.faults.process import ROOT, Ended, Launcher
from tests.faults.rig import TRACKERS, Rig, TrackerName
from tests.waiting import eventually

Ready = tuple[Rig, Clean]

LAG = 60.0


@pytest.fixture(scope="module", params=TRACKERS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    tracker: TrackerName = request.param
    with Rig(tmp_path_factory.mktemp(tracker), tracker) as rig:
        yield rig, clean_run(rig)


@pytest.fixture
def ready(made: Ready) -> Ready:
    """A rig where everything is planned and nothing applied."""
    rig, clean = made
    rig.restore(clean.planned)
    return made


def off(rig: Rig, plan: str) -> Difference | None:
    """How the tracker differs from the plan, if it does."""
    found = compared(rig, plan)
    return None if found.none else found


@contextlib.contextmanager
def second_launcher(rig: Rig, tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path, rig.environment)
    try:
        yield launcher
    finally:
        launcher.close()


def both(one: Callable[[], Ended], other: Callable[[], Ended]) -> tuple[Ended, Ended]:
    """Two commands at the same time."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(one), pool.submit(other)
        return first.result(), second.result()


# -- recovery ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lost", "kill-lost"])
def test_what_a_lagging_search_does_not_show_is_not_made_again(made: Ready, name: str) -> None:
    rig, clean = made
    call = clean.bulks[3] if clean.bulks else clean.planning + clean.applying // 3

    rig.search_lag = LAG
    try:
        result = run_case(rig, clean, BY_NAME[name], call)
    finally:
        rig.search_lag = 0.0

    assert result.good, result


def test_a_token_that_is_refused_in_the_middle_and_mended_loses_nothing(ready: Ready) -> None:
    rig, clean = ready
    refusal = {"action": "status", "status": 401, "skip": clean.applying // 2, "times": None, "path": EVERY_CALL}
    rig.strike(refusal)

    stopped = rig.apply(clean.plan)
    rig.sandbox.world.controls.rules.clear()
    retried = rig.launcher.run("runs", "retry", stopped.json["id"], "--json")

    assert stopped.code == 1
    assert "token" in str(stopped.json["findings"])
    assert retried.code == 0, retried.err
    assert retried.json["state"] == "completed"
    assert off(rig, clean.plan) is None


# -- two at once ---------------------------------------------------------------------------------------------------


def test_one_plan_applied_by_two_processes_at_once_is_applied_once(ready: Ready, tmp_path: Path) -> None:
    rig, clean = ready

    with second_launcher(rig, tmp_path) as other:
        ended = both(lambda: rig.apply(clean.plan), lambda: other.run("apply", clean.plan, "--json"))

    assert [one.code for one in ended] == [0, 0], ended
    assert len({one.json["id"] for one in ended}) == 1
    assert off(rig, clean.plan) is None


def test_of_two_plans_made_side_by_side_one_is_applied_and_one_refused(ready: Ready, tmp_path: Path) -> None:
    rig, clean = ready
    second = str(rig.plan().json["id"])

    with second_launcher(rig, tmp_path) as other:
        ended = both(lambda: rig.apply(clean.plan), lambda: other.run("apply", second, "--json"))

    assert sorted(one.code for one in ended) == [0, 1], ended
    assert "stale" in next(one for one in ended if one.code == 1).err
    assert off(rig, clean.plan) is None


# -- our own database ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def applying(rig: Rig, plan: str) -> Iterator[subprocess.Popen[str]]:
    """The command line as a plain process, at work on the plan and past its first writes."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "service.cli", "apply", plan, "--json"],
        env={**rig.environment, "PATH": "/usr/bin:/bin"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: rig.requests > 20 or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_database_that_another_process_holds_is_waited_for(ready: Ready) -> None:
    rig, clean = ready
    file = {"jira": "phaseloop.db", "trello": "engine.db"}[rig.tracker]  # ours, and the engine's

    with applying(rig, clean.plan) as process:
        holder = sqlite3.connect(rig.home / file, isolation_level=None, timeout=30)
        holder.execute("BEGIN IMMEDIATE")
        assert not threading.Event().wait(12)  # longer than the ten seconds that SQLite itself waits
        holder.execute("ROLLBACK")
        holder.close()
        out, err = process.communicate(timeout=300)

    assert process.returncode == 0, out + err
    assert off(rig, clean.plan) is None


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process can be set on Linux only")
def test_a_disk_that_is_full_for_a_while_loses_nothing(ready: Ready) -> None:
    rig, clean = ready

    with applying(rig, clean.plan) as process:
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        assert not threading.Event().wait(3)
        state = rig.records("SELECT state FROM runs")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        out, err = process.communicate(timeout=300)

    assert state != [("completed",)], "nothing can be recorded on a full disk"
    if process.returncode != 0:  # it may have ended in words; then it continues where it was
        again = rig.apply(clean.plan)
        assert again.code == 0, out + err + again.out + again.err
    assert "Traceback" not in err
    assert off(rig, clean.plan) is None
