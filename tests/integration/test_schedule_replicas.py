"""Several replicas whose clocks fire on one PostgreSQL: each advance happens once and in order, whoever dies."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jira import JIRA

from sandbox.testing import SandboxServer
from service.context import Context, open_context
from service.domain.loop import loop_state
from service.settings import Settings
from service.usecases.loop import scheduling
from tests.integration.conftest import Controls, Installation
from tests.integration.replicas import Replicas, asked, plan, replicas, shared_installation
from tests.integration.turntable import TEMPLATE
from tests.waiting import eventually

PM = "pm-1@example.com"
DAYS = 14
"""The length of the template's iterations."""

KILLS = 6
"""How many replicas are killed, at most: the others continue while one is replaced."""


@pytest.fixture
def shared(tmp_path: Path, sandbox: SandboxServer) -> Iterator[Installation]:
    """An installation whose clocks look often."""
    often = {"PHASELOOP_TICK_SECONDS": "0.3", "PHASELOOP_HOLD_SECONDS": "5"}
    with shared_installation(tmp_path / "home", sandbox, **often) as installation:
        yield installation


def built(installation: Installation, iterations: int) -> str:
    """A project that was built just now and whose iteration of this number continues today; the others were missed. Its
    loop waits to be resumed."""
    today = datetime.now(UTC).date()
    monday = today - timedelta(days=today.weekday() + 7 + DAYS * (iterations - 1))
    made = plan(installation, "ML", "--template", TEMPLATE, start=monday.isoformat())
    installation.ok("apply", made["id"])
    with opened(installation) as context:
        scheduling.pause(context, "ML", PM, "The replicas are not there yet.")
    return str(made["project"])


def resume(installation: Installation) -> None:
    """Let the loop make up for what was missed, from now on."""
    with opened(installation) as context:
        scheduling.resume(context, "ML", PM, catch_up=True)


@contextmanager
def opened(installation: Installation) -> Iterator[Context]:
    """The installation's store, as one of its replicas has it."""
    url = installation.extra["PHASELOOP_DATABASE_URL"]
    with closing(open_context(Settings(home=installation.home, database_url=url, _env_file=None))) as context:
        yield context


def table(installation: Installation, query: str) -> list[Any]:
    with psycopg.connect(installation.extra["PHASELOOP_DATABASE_URL"]) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


def current(installation: Installation) -> int:
    """The current iteration; fails at once where the loop stands still."""
    ((state, number),) = table(installation, "SELECT state, current FROM loops")
    assert state == loop_state.TURNING, trouble(installation)
    return int(number)


def trouble(installation: Installation) -> list[Any]:
    return table(installation, "SELECT id, state, attempt, findings FROM runs WHERE state NOT IN ('completed')")


def test_three_clocks_fire_and_one_run_happens(shared: Installation, controls: Controls, jira: JIRA) -> None:
    project = built(shared, 1)
    with replicas(shared) as group:
        for _ in range(3):
            group.start()
        controls.clear("requests")
        resume(shared)
        eventually(lambda: current(shared) == 1)
        eventually(lambda: not trouble(shared), 30)
        written = controls.writes()

    assert table(shared, "SELECT id, state FROM runs WHERE kind = 'advance'") == [(f"advance-{project}-1", "completed")]
    journal = table(shared, "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'turn-loop'")
    assert journal == [(f"advance-{project}-1",)]
    assert written == asked(shared, "SELECT sum(writes) FROM steps WHERE run_id LIKE 'advance-%%'")
    assert Counter(states(jira).values())["active"] == 1


def test_a_replica_that_dies_with_what_was_due_in_its_hands_loses_nothing(shared: Installation, jira: JIRA) -> None:
    project = built(shared, 1)
    with replicas(shared) as group:
        doomed = group.start("dies_with_what_is_due")
        resume(shared)
        assert doomed.process.wait(timeout=300) == -9
        assert table(shared, "SELECT id, state FROM runs WHERE kind = 'advance'") == [
            (f"advance-{project}-1", "queued")
        ]
        assert asked(shared, "SELECT count(*) FROM dues WHERE kind = 'turn'") == 0

        group.start()

        eventually(lambda: current(shared) == 1)
    assert Counter(states(jira).values())["active"] == 1


@pytest.mark.timeout(2400)
def test_twelve_missed_advances_happen_in_order_and_once_while_replicas_are_killed(
    shared: Installation, sandbox: SandboxServer, jira: JIRA
) -> None:
    project = built(shared, 12)
    with replicas(shared) as group:
        for _ in range(3):
            group.start()
        resume(shared)
        killed = kill_until(lambda: current(shared) == 12, group, sandbox, random.Random(12))
        eventually(lambda: not trouble(shared), 60)

    assert killed >= KILLS // 2, "the others had done it all before many were killed"
    begun = table(shared, "SELECT number, closed_at IS NULL FROM iterations ORDER BY began_at, number")
    assert begun == [(number, number == 12) for number in range(1, 13)]
    runs = table(shared, "SELECT id, state FROM runs WHERE kind = 'advance' ORDER BY created_at")
    assert runs == [(f"advance-{project}-{number}", "completed") for number in range(1, 13)]
    told = table(shared, "SELECT name FROM events WHERE kind = 'began' ORDER BY id")
    assert told == [(f"began:{number}",) for number in range(1, 13)]
    assert table(shared, "SELECT ticket FROM carries GROUP BY ticket, number HAVING count(*) > 1") == []
    sprints = states(jira)
    assert [sprints[title] for title in titles(shared)] == ["closed"] * 11 + ["active"]
    assert_each_item_is_there_once(shared, jira)


def kill_until(over: Any, group: Replicas, sandbox: SandboxServer, chance: random.Random) -> int:
    """Kill replicas at random moments, each replaced by a new one, until it is over; how many were killed."""
    log, killed = sandbox.world.controls.log, 0
    while not over():
        until = log.total + chance.randint(5, 25)
        eventually(lambda until=until: log.total >= until or over(), 180)
        living = [replica for replica in group.started if replica.process.poll() is None]
        if not over() and killed < KILLS:
            chance.choice(living).kill()
            killed += 1
            group.start()
    return killed


def titles(installation: Installation) -> list[str]:
    return [row[0] for row in table(installation, "SELECT title FROM iterations ORDER BY number")]


def states(jira: JIRA) -> dict[str, str]:
    """The sprints by name; none is there twice."""
    sprints = jira.sprints(jira.boards(projectKeyOrID="ML")[0].id)
    found = {sprint.name: sprint.state for sprint in sprints}
    assert len(found) == len(sprints)
    return found


def assert_each_item_is_there_once(installation: Installation, jira: JIRA) -> None:
    """Every issue is one of ours, and every item of ours one issue."""
    issues = jira.search_issues("project = ML", maxResults=False)
    ours = table(installation, "SELECT remote_key FROM items WHERE kind IN ('epic', 'ticket') AND state = 'made'")
    assert Counter(issue.key for issue in issues) == Counter(key for (key,) in ours)
    assert len({issue.fields.summary for issue in issues}) == len(issues)
    assert asked(installation, "SELECT count(*) FROM items WHERE state = 'intended'") == 0
