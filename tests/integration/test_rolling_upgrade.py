"""A run begun by a process with the order of steps of version 0.1 is finished by today's."""

from __future__ import annotations

from jira import JIRA

from tests.integration.conftest import Controls, Installation
from tests.integration.replicas import assert_built_once, journaled, kept, plan, replicas
from tests.integration.test_stopping import begin, state
from tests.waiting import eventually

WAIT = 20
"""Seconds: more than a client waits by itself, enough to be killed in."""


def test_a_run_killed_in_a_wait_of_the_former_order_goes_on_with_today_s(
    here: Installation, controls: Controls, jira: JIRA
) -> None:
    made = plan(here, "ML")
    controls.set("faults", action="limit", retryAfter=WAIT, method="POST", path="/issue/bulk$", times=2)
    with replicas(here) as group:
        former = group.start("former_waits")
        run = begin(here, made)
        eventually(lambda: state(here, run) == "waiting")
        eventually(lambda: "DBOS.sleep" in journaled(here, run))
        former.kill()

        group.start()
        # The sleep of the former order is slept to its end; the next wait is today's and can be ended.
        eventually(lambda: "wait" in journaled(here, run) or waits_again(here, run), seconds=90)
        with here.process("runs", "resume", run):
            eventually(lambda: state(here, run) == "completed")
        steps = journaled(here, run)

    assert steps.count("DBOS.sleep") == 1
    assert steps.count("wait") == steps.count("DBOS.patch-waits-that-can-be-ended") == 1
    assert_built_once(jira, made, "ML")


def waits_again(here: Installation, run: str) -> bool:
    query = "SELECT count(*) FROM steps WHERE run_id = ? AND state = 'again'"
    return bool(kept(here, query, run) == 2 and state(here, run) == "waiting")
