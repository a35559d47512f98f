"""Told to stop, a process parks its runs: nothing fails because of it, and they continue where they were."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jira import JIRA

from tests.integration.conftest import QUICK, ROOT, Controls, Installation
from tests.integration.replicas import Replicas, assert_built_once, kept, plan, replicas
from tests.integration.test_kill import struck
from tests.waiting import eventually

SLACK = 10.0
"""Seconds beyond the grace for a loaded machine to end a process; alone it is one."""


@pytest.fixture
def group(here: Installation) -> Iterator[Replicas]:
    with replicas(here) as started:
        yield started


def begin(here: Installation, made: Any) -> str:
    """Hand the plan's run over to the service; returns its id."""
    with here.process("apply", made["id"]):
        run = f"apply-{made['id']}"
        eventually(lambda: kept(here, "SELECT 1 FROM runs WHERE id = ?", run))
        eventually(lambda: kept(here, "SELECT state FROM runs WHERE id = ?", run) != "queued")
    return run


def state(here: Installation, run: str) -> str:
    return str(kept(here, "SELECT state FROM runs WHERE id = ?", run))


def stop(group: Replicas) -> float:
    """Stop the latest service with SIGTERM; how long it took."""
    service = group.started[-1]
    told = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(timeout=300) == 0, service.said()
    assert "Traceback" not in service.said()
    return time.monotonic() - told


def test_a_service_that_is_stopped_ends_its_step_and_goes_on_at_the_next_start(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA
) -> None:
    made = plan(here, "ML")
    controls.set("latency", milliseconds=200, path="/rest/")
    group.start()
    run = begin(here, made)
    controls.wait_for_writes(4)

    stop(group)

    assert state(here, run) == "running"
    assert kept(here, "SELECT count(*) FROM items WHERE state = 'intended' AND kind <> 'link'") == 0
    group.start()
    eventually(lambda: state(here, run) == "completed")
    assert_built_once(jira, made, "ML")


def test_a_service_whose_step_hangs_ends_within_the_grace(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA
) -> None:
    made = plan(here, "ML")
    controls.set("faults", action="hang", done=True, method="POST", path="/issue/bulk$", skip=1)
    group.start()
    run = begin(here, made)
    eventually(lambda: struck(controls) == 1)

    assert stop(group) < float(QUICK["PHASELOOP_GRACE_SECONDS"]) + SLACK

    assert state(here, run) == "running"
    controls.clear("faults")
    group.start()
    eventually(lambda: state(here, run) == "completed")
    assert_built_once(jira, made, "ML")


def test_a_run_that_waits_is_let_go_of_at_once_and_waits_on_until_it_is_told_to_look(
    here: Installation, group: Replicas, controls: Controls, jira: JIRA
) -> None:
    here.extra["PHASELOOP_GRACE_SECONDS"] = "120"
    made = plan(here, "ML")
    controls.set("faults", action="limit", retryAfter=3600, method="POST", path="/issue/bulk$", times=1)
    group.start()
    run = begin(here, made)
    eventually(lambda: state(here, run) == "waiting")
    until = kept(here, "SELECT waiting_until FROM runs WHERE id = ?", run)

    assert stop(group) < SLACK

    group.start()
    assert state(here, run) == "waiting"
    assert kept(here, "SELECT waiting_until FROM runs WHERE id = ?", run) == until
    with here.process("runs", "resume", run):
        eventually(lambda: state(here, run) == "completed")
    assert_built_once(jira, made, "ML")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_interrupted_says_how_its_run_goes_on(
    here: Installation, controls: Controls, jira: JIRA, number: signal.Signals, code: int
) -> None:
    made = plan(here, "ML")
    controls.set("latency", milliseconds=200, path="/rest/")
    with here.process("apply", made["id"]) as command:
        controls.wait_for_writes(4)
        command.send_signal(number)
        _out, said = command.communicate(timeout=300)

    assert command.returncode == code
    assert f"phaseloop runs resume apply-{made['id']}" in said.decode()
    assert "Traceback" not in said.decode()
    controls.clear("latency")
    assert here.ok("apply", made["id"], "--json").json["state"] == "completed"
    assert_built_once(jira, made, "ML")


INTERRUPTED = """
import os, signal, sys

import typer

from service.cli.shell import opened
from service.cli.execution import carry_out
from service.usecases.run import plan_apply

def begin(enqueue):
    os.kill(os.getpid(), signal.SIGTERM)
    return plan_apply.apply(context, sys.argv[1], "command line", enqueue)

with opened() as context:
    try:
        carry_out(context, begin)
    except typer.Exit as left:
        sys.exit(left.exit_code)
"""


def test_a_command_that_is_interrupted_while_its_run_begins_has_begun_it_and_says_so(
    here: Installation, controls: Controls, jira: JIRA
) -> None:
    made = plan(here, "ML")
    controls.set("latency", milliseconds=200, path="/rest/")
    command = [sys.executable, "-c", INTERRUPTED, made["id"]]
    ended = subprocess.run(command, env=here.environment, cwd=ROOT, capture_output=True, check=False, timeout=300)

    assert ended.returncode == 143, ended.stderr
    assert f"phaseloop runs resume apply-{made['id']}" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()
    controls.clear("latency")
    assert here.ok("apply", made["id"], "--json").json["state"] == "completed"
    assert_built_once(jira, made, "ML")
