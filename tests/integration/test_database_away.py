"""The embedded database locked, full or without its journal: the run waits, says so in the log, and continues."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from jira import JIRA

from tests.integration.conftest import Controls, Installation
from tests.integration.replicas import Replicas, assert_built_once, kept, plan, replicas
from tests.integration.test_kill import struck
from tests.integration.test_stopping import begin, state
from tests.waiting import eventually


@pytest.fixture
def group(here: Installation) -> Iterator[Replicas]:
    with replicas(here) as started:
        yield started


def test_a_database_that_another_process_locks_for_a_while_holds_a_run_up_and_no_more(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA
) -> None:
    made = plan(here, "ML")
    controls.set("latency", milliseconds=100, path="/rest/")
    service = group.start()
    run = begin(here, made)
    controls.wait_for_writes(3)
    locks = [sqlite3.connect(here.home / name, isolation_level=None) for name in ("phaseloop.db", "engine.db")]
    for lock in locks:
        lock.execute("PRAGMA busy_timeout=10000")
        lock.execute("BEGIN IMMEDIATE")
    eventually(lambda: "the database cannot be used" in service.said())
    for lock in locks:
        lock.execute("ROLLBACK")
        lock.close()

    eventually(lambda: state(here, run) == "completed")

    assert "Traceback" not in service.said()
    assert_built_once(jira, made, "ML")


@pytest.mark.parametrize("name", ["phaseloop.db", "engine.db"])
def test_a_full_disk_holds_a_run_up_until_there_is_room(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA, name: str
) -> None:
    made = plan(here, "ML")
    controls.set("latency", milliseconds=100, path="/rest/")
    service = group.start("small_disk")
    run = begin(here, made)
    controls.wait_for_writes(3)
    full = here.home / f"{name}.full"
    full.touch()
    eventually((here.home / f"{name}.struck").exists)
    assert state(here, run) in ("running", "waiting")

    full.unlink()

    eventually(lambda: state(here, run) == "completed")
    assert "Traceback" not in service.said()
    assert_built_once(jira, made, "ML")


def test_a_run_whose_journal_was_deleted_begins_a_new_one_and_makes_nothing_twice(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA
) -> None:
    made, run = killed_in_the_middle(here, group, controls)
    for path in here.home.glob("engine.db*"):
        path.unlink()

    group.start()

    eventually(lambda: state(here, run) == "completed")
    assert_built_once(jira, made, "ML")


def test_a_run_that_the_engine_gave_up_is_ended_and_says_how_it_is_taken_up_again(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA
) -> None:
    made, run = killed_in_the_middle(here, group, controls)
    with sqlite3.connect(here.home / "engine.db") as journal:
        journal.execute("UPDATE workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'")
    journal.close()

    service = group.start()

    eventually(lambda: state(here, run) == "failed")
    assert f"phaseloop runs retry {run}" in kept(here, "SELECT findings FROM runs WHERE id = ?", run)
    service.process.terminate()
    service.process.wait(timeout=300)
    here.ok("runs", "retry", run)
    assert_built_once(jira, made, "ML")


def killed_in_the_middle(here: Installation, group: Replicas, controls: Controls) -> tuple[dict[str, object], str]:
    """A plan whose run was begun, and killed while a create was under way."""
    made = plan(here, "ML")
    controls.set("faults", action="hang", done=True, method="POST", path="/issue/bulk$", skip=1)
    service = group.start()
    run = begin(here, made)
    eventually(lambda: struck(controls) == 1)
    service.kill()
    controls.clear("faults")
    return made, run
