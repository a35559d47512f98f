"""Runs for people: cancelled, retried, resumed, watched; whatever happens, each item once."""

from __future__ import annotations

import getpass
import os
import pty
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jira import JIRA

from service.store.database import Database
from service.store.tables import RunRow
from tests.integration.conftest import ROOT, SMALL, TEAM_FILE, Controls, Installation
from tests.waiting import eventually

NEW = ("plan", "SCRUM", "--team", TEAM_FILE, "--template", SMALL, "--set", "start_date=2027-01-04", "--json")
BULK = "/issue/bulk$"


def planned(installation: Installation) -> dict[str, Any]:
    plan: dict[str, Any] = installation.ok(*NEW, code=2).json
    return plan


def titles(jira: JIRA) -> Counter[str]:
    return Counter(issue.fields.summary for issue in jira.search_issues("project = SCRUM", maxResults=False))


def wanted(plan: dict[str, Any]) -> Counter[str]:
    return Counter(change["title"] for change in plan["changes"] if change["kind"] in ("epic", "ticket"))


def shown(installation: Installation, run: str) -> dict[str, Any]:
    found: dict[str, Any] = installation.ok("runs", "show", run, "--json").json
    return found


def wait_for_state(installation: Installation, run: str, state: str) -> dict[str, Any]:
    store = Database(f"sqlite:///{installation.home / 'phaseloop.db'}")

    def there() -> bool:
        with store.session() as session:
            row = session.get(RunRow, run)
        return row is not None and row.state == state

    eventually(there)
    store.dispose()
    return shown(installation, run)


def assert_complete(installation: Installation, jira: JIRA, plan: dict[str, Any]) -> None:
    """That the tracker has everything of the plan, once, and a new plan has nothing to do."""
    assert titles(jira) == wanted(plan)
    sprints = Counter(sprint.name for sprint in jira.sprints(jira.boards(projectKeyOrID="SCRUM")[0].id))
    assert set(sprints.values()) == {1}
    issues = jira.search_issues("project = SCRUM", maxResults=False)
    links = {link.id for issue in issues for link in issue.fields.issuelinks}
    assert len(links) == sum(change["kind"] == "link" for change in plan["changes"])
    installation.ok("plan", "SCRUM", code=0)


def test_a_run_cancelled_in_the_middle_stops_at_its_next_step_and_resume_makes_the_rest_once(
    connected: Installation, controls: Controls, jira: JIRA
) -> None:
    plan = planned(connected)
    run = f"apply-{plan['id']}"
    controls.clear("requests")
    controls.set("latency", milliseconds=8000, method="POST", path="/sprint$")
    with connected.process("apply", plan["id"]) as process:
        controls.wait_for_writes(1)  # the epics are there, the sprint is being made
        cancelled = connected.ok("runs", "cancel", run, "--json").json
        process.wait()
    controls.clear("latency")
    there = titles(jira)

    assert cancelled["state"] == "cancelled"
    assert cancelled["cancelled_by"] == getpass.getuser()
    assert 0 < there.total() < wanted(plan).total()
    assert cancelled["progress"]["written"] >= there.total()

    again = connected.ok("apply", plan["id"], code=1)
    assert f"phaseloop runs resume {run}" in again.out

    resumed = connected.ok("runs", "resume", run, "--json").json

    assert resumed["id"] == f"{run}-2"
    assert resumed["continues"] == run
    assert resumed["state"] == "completed"
    assert shown(connected, run)["continued_by"] == f"{run}-2"
    assert_complete(connected, jira, plan)


def test_a_run_that_waits_says_until_when_and_a_cancel_ends_it_at_once(
    connected: Installation, controls: Controls, jira: JIRA
) -> None:
    plan = planned(connected)
    run = f"apply-{plan['id']}"
    controls.set("faults", action="limit", path=BULK, method="POST", retryAfter=3600, skip=1, times=1)
    with connected.process("apply", plan["id"]) as process:
        waiting = wait_for_state(connected, run, "waiting")
        told = connected.ok("runs", "show", run).out
        cancelled = connected.ok("runs", "cancel", run, "--json").json
        assert process.wait(30) == 1

    assert waiting["waiting_until"] is not None
    assert 3000 < waiting["progress"]["seconds_left"] < 4000
    assert "Waiting for Jira until " in told
    assert f"phaseloop runs resume {run}" in told
    assert cancelled["state"] == "cancelled"
    assert cancelled["waiting_until"] is None

    resumed = connected.ok("runs", "resume", run, "--json").json

    assert resumed["state"] == "completed"
    assert_complete(connected, jira, plan)


def test_resume_has_a_run_that_waits_look_again_now(connected: Installation, controls: Controls, jira: JIRA) -> None:
    plan = planned(connected)
    run = f"apply-{plan['id']}"
    controls.set("faults", action="limit", path=BULK, method="POST", retryAfter=3600, times=1)
    with connected.process("apply", plan["id"]) as process:
        wait_for_state(connected, run, "waiting")
        resumed = connected.ok("runs", "resume", run, "--json").json
        assert process.wait(30) == 0

    assert (resumed["id"], resumed["state"]) == (run, "completed")
    assert_complete(connected, jira, plan)


def test_retry_after_a_mended_refusal_makes_only_what_was_refused(
    connected: Installation, controls: Controls, jira: JIRA
) -> None:
    plan = planned(connected)
    run = f"apply-{plan['id']}"
    controls.set("required-fields", project="SCRUM", field="duedate", issueType="Task")
    first = connected.ok("apply", plan["id"], "--json", code=1).json
    made = titles(jira)
    assert first["state"] == "incomplete"
    assert made.total() == sum(change["kind"] == "epic" for change in plan["changes"])
    changed = jira.search_issues("issuetype = Epic AND project = SCRUM")[0]
    changed.update(summary="Renamed by a person")

    still = connected.ok("runs", "retry", run, "--json", code=1).json
    controls.clear("required-fields")
    controls.clear("requests")
    fixed = connected.ok("runs", "retry", still["id"], "--json").json

    assert (still["id"], still["state"]) == (f"{run}-2", "incomplete")
    assert (fixed["id"], fixed["continues"], fixed["state"]) == (f"{run}-3", f"{run}-2", "completed")
    now = titles(jira)
    assert now.total() == wanted(plan).total()
    assert now["Renamed by a person"] == 1
    assert set(now.values()) == {1}
    assert fixed["progress"]["written"] == fixed["progress"]["items"]

    again = connected.ok("runs", "retry", still["id"], "--json").json
    assert again["id"] == fixed["id"]
    assert titles(jira) == now


def test_a_run_whose_project_was_changed_since_is_not_taken_up(connected: Installation, controls: Controls) -> None:
    plan = planned(connected)
    controls.set("required-fields", project="SCRUM", field="duedate", issueType="Task")
    connected.ok("apply", plan["id"], code=1)
    controls.clear("required-fields")
    connected.ok("plan", "SCRUM", "--set", "meetings=true", code=2)
    connected.ok("apply", "SCRUM")

    answer = connected.ok("runs", "retry", f"apply-{plan['id']}", code=1)

    assert "changed since" in answer.err
    assert "phaseloop plan" in answer.err


def test_what_cannot_be_done_with_a_run_is_told_with_what_can(connected: Installation) -> None:
    plan = planned(connected)
    run = connected.ok("apply", plan["id"], "--json").json["id"]

    assert "nothing to do" in connected.ok("runs", "retry", run).out
    assert "nothing to do" in connected.ok("runs", "resume", run[:20]).out
    assert "has ended" in connected.ok("runs", "cancel", plan["id"][:10], code=1).err
    assert "runs list" in connected.ok("runs", "cancel", "apply-nothing", code=1).err


def test_watching_is_quiet_in_a_pipe_and_ends_with_what_came_of_the_run(connected: Installation) -> None:
    plan = planned(connected)
    run = connected.ok("apply", plan["id"], "--json").json["id"]

    answer = connected.ok("runs", "watch", run)

    assert answer.err == ""
    assert answer.out.startswith("Completed: ")


def test_ctrl_c_ends_the_watching_and_not_the_run(connected: Installation, controls: Controls, jira: JIRA) -> None:
    plan = planned(connected)
    run = f"apply-{plan['id']}"
    controls.set("faults", action="limit", path=BULK, method="POST", retryAfter=3600, times=1)
    with connected.process("apply", plan["id"]) as process:
        wait_for_state(connected, run, "waiting")
        ours, theirs = pty.openpty()
        watching = subprocess.Popen(
            connected.command("runs", "watch", run),
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env={**connected.environment, "TERM": "xterm", "COLUMNS": "160"},
            cwd=ROOT,
        )
        os.close(theirs)
        seen = read_until(ours, b"Waiting for Jira")
        watching.send_signal(signal.SIGINT)
        seen += read_until(ours, b"runs watch")
        assert watching.wait(30) == 130
        os.close(ours)
        assert process.poll() is None
        connected.ok("runs", "resume", run)
        assert process.wait(30) == 0

    assert "min left" in seen.decode()
    assert_complete(connected, jira, plan)


def read_until(terminal: int, words: bytes) -> bytes:
    """What the terminal shows until these words are there."""
    seen = b""
    while words not in seen:
        seen += os.read(terminal, 4096)
    return seen


@pytest.fixture
def short_memory(connected: Installation) -> Installation:
    """An installation that cleans up after a day."""
    connected.extra["PHASELOOP_KEEP_RUNS_DAYS"] = "1"
    return connected


def test_cleaning_leaves_young_runs_alone(short_memory: Installation, tmp_path: Path) -> None:
    plan = planned(short_memory)
    run = short_memory.ok("apply", plan["id"], "--json").json["id"]
    before = shown(short_memory, run)

    cleaned = short_memory.ok("runs", "clean", "--json").json

    assert set(cleaned.values()) == {0}
    assert shown(short_memory, run) == before
