"""Several replicas on one PostgreSQL: work is shared, a dead one's is taken over, and each item exists once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from jira import JIRA

from sandbox.testing import SandboxServer
from service.runs.slots import LOCK_CLASS
from tests import plain
from tests.integration.conftest import SMALL, Controls, Installation
from tests.integration.replicas import (
    Replica,
    asked,
    assert_built_once,
    executor_of,
    plan,
    replicas,
    shared_installation,
    state,
)
from tests.integration.test_kill import struck
from tests.waiting import eventually

TAKEN_OVER_WITHIN = 10.0
"""Seconds; on an idle machine it is two to three."""


@pytest.fixture
def shared(tmp_path: Path, sandbox: SandboxServer) -> Iterator[Installation]:
    """An installation on a PostgreSQL database of its own, connected to the sandbox."""
    with shared_installation(tmp_path / "home", sandbox) as installation:
        yield installation


def apply(replica: Replica, token: str, plan_id: str) -> str:
    answer = plain.post(
        f"{replica.url}/api/v1/plans/{plan_id}/apply", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return str(answer.json()["id"])


def test_a_replica_that_dies_in_the_middle_is_replaced_within_seconds(
    shared: Installation, controls: Controls, jira: JIRA
) -> None:
    token = shared.ok("tokens", "create", "test").out.strip()
    made = plan(shared, "ML")
    controls.set("faults", action="hang", done=True, method="POST", path="/issue/bulk$", skip=1)
    with replicas(shared) as group:
        for _ in range(3):
            group.start()
        run = apply(group.started[0], token, made["id"])
        eventually(lambda: struck(controls) == 1)
        owner = executor_of(shared, run)
        assert owner in ("slot-1", "slot-2", "slot-3")
        controls.clear("faults")
        group.started[int(owner[-1]) - 1].kill()
        killed = time.monotonic()

        eventually(lambda: executor_of(shared, run) not in (owner, None))

        assert time.monotonic() - killed < TAKEN_OVER_WITHIN
        eventually(lambda: state(shared, run) == "completed")
    assert_built_once(jira, made, "ML")
    assert plan_is_empty(shared, "ML")


def test_several_projects_are_built_at_once_while_a_replica_dies(
    shared: Installation, sandbox: SandboxServer, controls: Controls, jira: JIRA
) -> None:
    token = shared.ok("tokens", "create", "test").out.strip()
    keys = ["AA", "BB", "CC"]
    plans = {}
    for key in keys:  # runs of one connection come one after the other, those of several side by side
        add = ("connections", "add", key, "--url", sandbox.url, "--email", "demo@example.com")
        shared.ok(*add, stdin="sandbox-token")
        plans[key] = plan(shared, key, "--connection", key, "--template", SMALL)
    controls.set("latency", milliseconds=150, path="/rest/")
    with replicas(shared) as group:
        for _ in range(3):
            group.start()
        runs = {key: apply(group.started[n], token, plans[key]["id"]) for n, key in enumerate(keys)}
        first = eventually(lambda: executor_of(shared, runs["AA"]))
        controls.wait_for_writes(2)
        group.started[int(first[-1]) - 1].kill()
        for run in runs.values():
            eventually(lambda run=run: state(shared, run) == "completed")
    for key in keys:
        assert_built_once(jira, plans[key], key)


def test_the_same_plan_applied_at_two_replicas_at_once_is_one_run(
    shared: Installation, controls: Controls, jira: JIRA
) -> None:
    token = shared.ok("tokens", "create", "test").out.strip()
    made = plan(shared, "ML", "--template", SMALL)
    with replicas(shared) as group, ThreadPoolExecutor(2) as threads:
        group.start()
        group.start()
        both = [threads.submit(apply, replica, token, made["id"]) for replica in group.started]
        ids = {future.result() for future in both}
        (run,) = ids
        eventually(lambda: state(shared, run) == "completed")
    assert asked(shared, "SELECT count(*) FROM runs") == 1
    assert_built_once(jira, made, "ML")


def test_a_database_that_cuts_all_connections_holds_a_run_up_and_no_more(
    shared: Installation, controls: Controls, jira: JIRA
) -> None:
    token = shared.ok("tokens", "create", "test").out.strip()
    made = plan(shared, "ML")
    controls.set("latency", milliseconds=100, path="/rest/")
    url = shared.extra["PHASELOOP_DATABASE_URL"]
    with replicas(shared) as group:
        replica = group.start()
        run = apply(replica, token, made["id"])
        for writes in (3, 6, 9):
            controls.wait_for_writes(writes)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        eventually(lambda: state(shared, run) == "completed")
        eventually(lambda: "slot-1 is held again" in replica.said())
    assert "Traceback" not in replica_log(shared)
    assert_built_once(jira, made, "ML")


def test_a_replica_that_is_stopped_hands_its_run_to_another_at_once(
    shared: Installation, controls: Controls, jira: JIRA
) -> None:
    token = shared.ok("tokens", "create", "test").out.strip()
    made = plan(shared, "ML")
    controls.set("latency", milliseconds=200, path="/rest/")
    with replicas(shared) as group:
        group.start()
        group.start()
        run = apply(group.started[0], token, made["id"])
        owner = eventually(lambda: executor_of(shared, run))
        controls.wait_for_writes(3)
        stopped = group.started[int(owner[-1]) - 1]
        stopped.process.terminate()

        eventually(lambda: executor_of(shared, run) not in (owner, None))

        assert stopped.process.wait(timeout=300) == 0
        eventually(lambda: state(shared, run) == "completed")
        assert "taken over" not in "".join(replica.said() for replica in group.started)
    assert_built_once(jira, made, "ML")


def test_a_replica_whose_slot_another_process_has_by_then_ends(shared: Installation) -> None:
    with replicas(shared) as group, psycopg.connect(shared.extra["PHASELOOP_DATABASE_URL"], autocommit=True) as other:
        replica = group.start()
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'phaseloop slot'"
        )
        other.execute("SELECT pg_advisory_lock(%s, 1)", (LOCK_CLASS,))

        assert replica.process.wait(timeout=300) == 1
        assert "another process has it now" in replica.said()
        assert "Traceback" not in replica.said()


def test_a_command_does_its_run_itself_where_nobody_serves(shared: Installation, jira: JIRA) -> None:
    made = plan(shared, "ML", "--template", SMALL)

    run = shared.ok("apply", made["id"], "--json").json

    assert run["state"] == "completed"
    assert_built_once(jira, made, "ML")


def test_a_command_steps_in_for_a_service_that_dies(shared: Installation, controls: Controls, jira: JIRA) -> None:
    made = plan(shared, "ML")
    controls.set("faults", action="hang", done=True, method="POST", path="/issue/bulk$", skip=1)
    with replicas(shared) as group:
        service = group.start()
        with shared.process("apply", made["id"]) as command:
            eventually(lambda: struck(controls) == 1)
            assert executor_of(shared, f"apply-{made['id']}") == "slot-1"
            controls.clear("faults")
            service.kill()

            assert command.wait(timeout=300) == 0
    assert_built_once(jira, made, "ML")


def plan_is_empty(installation: Installation, key: str) -> bool:
    return bool(installation.ok("plan", key, "--json").json["summary"]["create"] == 0)


def replica_log(installation: Installation) -> str:
    return (installation.home.parent / "replica-0.log").read_text()
