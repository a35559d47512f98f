"""One bootstrap three ways: phaseloop, phaseloop where links cannot ride, and one call for each thing.

The lower bound on writes is what Jira's limits allow when every link takes a call:
ceil(E/50) + ceil(N/50) + S + sum over sprints of ceil(n/50) + L. Requests are counted by the sandbox, at the wire.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import httpx
from jira import JIRA

from connectors.tracker import Item, ItemKind
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.server import free_port
from service.context import Context, open_context
from service.domain.plan import Plan
from service.domain.team import Team
from service.runs.engine import Engine
from service.settings import Settings
from service.templates import TemplateText
from service.usecases import applying, connections, planning, projects, running, teams

SIZES = (44, 200, 500)
PROJECT = "SCRUM"
PHASES = 4
ITERATIONS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way of doing it took. `latency` is injected, in milliseconds a call."""

    how: str
    tickets: int
    links: int
    latency: int
    writes: int
    reads: int
    bound: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def measure(tickets: int, latency: int) -> list[Measured]:
    """Do a bootstrap of that many tickets each way against a fresh sandbox, and count."""
    text = template(tickets)
    with _sandbox() as url:
        plan, riding = _phaseloop(url, text, latency, "phaseloop, links ride")
        httpx.post(f"{url}/sandbox/reset", json={}).raise_for_status()
        for issue_type in ("Task",):
            body = {"project": PROJECT, "field": "issuelinks", "issueType": issue_type, "shown": False}
            httpx.post(f"{url}/sandbox/screens", json=body).raise_for_status()
        _plan, plain = _phaseloop(url, text, latency, "phaseloop, links apart")
        httpx.post(f"{url}/sandbox/reset", json={}).raise_for_status()
        obvious = _obvious(url, plan, latency)
    return [riding, plain, obvious]


def bound_of(plan: Plan) -> int:
    """The lower bound on writes for this plan's items."""
    kinds = Counter(item.kind for item in plan.items)
    per_iteration = Counter(item.iteration for item in plan.items if item.kind is ItemKind.TICKET)
    return (
        ceil(kinds[ItemKind.EPIC] / 50)
        + ceil(kinds[ItemKind.TICKET] / 50)
        + kinds[ItemKind.ITERATION]
        + sum(ceil(count / 50) for count in per_iteration.values())
        + kinds[ItemKind.LINK]
    )


def _phaseloop(url: str, text: TemplateText, latency: int, how: str) -> tuple[Plan, Measured]:
    with tempfile.TemporaryDirectory(prefix="phaseloop-bench-") as home:
        context = open_context(Settings(home=Path(home), database_url=None, secret_key=None))
        try:
            project = _project(context, url, text)
            _start_counting(url, latency)
            started = time.monotonic()
            row = planning.make_plan(context, project)
            with Engine(context) as engine:
                run = applying.apply(context, row.id, "bench", engine.start)
                found = running.progress(context, run.id)
                while not found.ended:
                    time.sleep(0.02)
                    found = running.progress(context, run.id)
                seconds = time.monotonic() - started
            plan = planning.plan_of(row)
            if found.run.state != "completed":
                raise SystemExit(f"the run ended {found.run.state}: {found.run.findings}")
            return plan, _measured(url, plan, how, latency, seconds)
        finally:
            context.close()


def _project(context: Context, url: str, text: TemplateText) -> str:
    connections.put(context, "jira", "jira", {"url": url, "email": DEMO_EMAIL}, DEMO_TOKEN)
    people = {"ml": "ml-1", "data": "data-1", "pm": "pm-1", "devops": "devops-1", "qa": "qa-1"}
    members = tuple(
        {"person": handle, "email": f"{handle}@example.com", "roles": (role,)} for role, handle in people.items()
    )
    teams.put(context, Team.model_validate({"name": "bench", "members": members}))
    request = projects.Request(
        name="Bench", key=PROJECT, connection="jira", team="bench", template=text, parameters={}, time_zone="UTC"
    )
    return projects.put(context, request).id


def _obvious(url: str, plan: Plan, latency: int) -> Measured:
    """What a script does with the plain client: one call for each epic, sprint, ticket, membership and link."""
    jira = JIRA(url, basic_auth=(DEMO_EMAIL, DEMO_TOKEN))
    _start_counting(url, latency)
    started = time.monotonic()
    issues: dict[str, Any] = {}
    sprints: dict[str, Any] = {}
    board = next(board for board in jira.boards() if board.type == "scrum")
    for item in plan.items:
        match item.kind:
            case ItemKind.EPIC:
                issues[item.key] = jira.create_issue(_fields(item, "Epic", issues))
            case ItemKind.ITERATION:
                starts, ends = str(item.starts and item.starts.isoformat()), str(item.ends and item.ends.isoformat())
                sprints[item.key] = jira.create_sprint(item.title, board.id, starts, ends)
            case ItemKind.TICKET:
                issues[item.key] = jira.create_issue(_fields(item, "Task", issues))
                jira.add_issues_to_sprint(sprints[str(item.iteration)].id, [issues[item.key].key])
            case ItemKind.LINK:
                jira.create_issue_link("Blocks", issues[str(item.target)].key, issues[str(item.source)].key)
            case _:
                raise AssertionError(item.kind)
    return _measured(url, plan, "the obvious script", latency, time.monotonic() - started)


def _fields(item: Item, kind: str, issues: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "project": {"key": PROJECT},
        "issuetype": {"name": kind},
        "summary": item.title,
        "description": item.text,
        "labels": list(item.labels),
    }
    if item.epic is not None:
        fields["parent"] = {"key": issues[item.epic].key}
    if item.assignee is not None:
        fields["assignee"] = {"accountId": item.assignee}
    return fields


def _start_counting(url: str, latency: int) -> None:
    httpx.post(f"{url}/sandbox/latency", json={"milliseconds": latency}).raise_for_status()
    httpx.delete(f"{url}/sandbox/requests").raise_for_status()


def _measured(url: str, plan: Plan, how: str, latency: int, seconds: float) -> Measured:
    httpx.delete(f"{url}/sandbox/latency").raise_for_status()
    kinds = httpx.get(f"{url}/sandbox/requests").raise_for_status().json()["counts"]
    count = Counter(item.kind for item in plan.items)
    return Measured(
        how=how,
        tickets=count[ItemKind.TICKET],
        links=count[ItemKind.LINK],
        latency=latency,
        writes=kinds["writes"],
        reads=kinds["reads"],
        bound=bound_of(plan),
        seconds=round(seconds, 2),
    )


@contextmanager
def _sandbox() -> Iterator[str]:
    """A sandbox in a process of its own, so that it does not share our interpreter's time."""
    port = free_port(9190)
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "service.cli", "sandbox", "--port", str(port), "--quiet"])
    try:
        for _attempt in range(600):
            try:
                httpx.get(f"{url}/sandbox")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def template(tickets: int) -> TemplateText:
    """A template of 4 phases with an epic and two iterations each, and that many tickets, records included.

    Each phase's tickets stand in rows of four; a ticket needs one or two of the row before, as real work does.
    """
    work = tickets - ITERATIONS
    if work < PHASES:
        raise SystemExit(f"at least {ITERATIONS + PHASES} tickets are needed")
    roles = ("ml", "data", "pm", "devops", "qa")
    lines = [HEAD]
    lines += [
        f"  {role}: {{title: Role {role}, core: true, responsibility: Does {role} work., skills: [{role}]}}"
        for role in roles
    ]
    lines.append(MIDDLE)
    share = [work // PHASES + (1 if number < work % PHASES else 0) for number in range(PHASES)]
    for number, count in enumerate(share):
        lines.append(_phase(f"p{number + 1}", count, roles))
    return TemplateText.of("\n".join(lines) + "\n", "bench.yaml")


def _phase(key: str, count: int, roles: tuple[str, ...]) -> str:
    rows = [
        PHASE.format(key=key),
        *(_ticket(key, number, roles[number % len(roles)]) for number in range(count)),
        RECORD.format(key=key, last=f"{key}-t{count - 1}"),
    ]
    return "\n".join(rows)


def _ticket(phase: str, number: int, role: str) -> str:
    needs = []
    if number >= 4:
        needs.append(f"{phase}-t{number - 4}")
        if number % 2 == 0:
            needs.append(f"{phase}-t{number - 3}")
    return TICKET.format(phase=phase, number=number, role=role, needs=", ".join(needs))


HEAD = """format: phaseloop/v1
kind: template
name: bench
version: 1.0.0
title: Bench
description: A made-up process of a given size.
parameters:
  method: {type: choice, description: How the team works., default: scrum, choices: [scrum, kanban]}
  meetings: {type: switch, description: Whether there are meeting tickets., default: false}
  start_date: {type: date, description: First day., default: next-monday}
roles:"""

MIDDLE = """cadence:
  iteration_days: 14
  start_date: "{{ start_date }}"
  iteration_name: "Bench {{ iteration.number }}"
ceremonies:
  title: Meetings
  description: The meetings of the iteration.
  role: pm
  when: {meetings: true}
  events: [{key: planning, title: Planning, at: start, minutes: 60, purpose: Plan the iteration.}]
record:
  title: "Record {{ iteration.number }}"
  description: What was done and learnt.
  done: [Written]
  sections: [{key: goal, title: Goal, prompt: What was the goal?}]
  grace_working_days: 2
phases:"""

PHASE = """  - key: {key}
    title: Phase {key}
    short: {key}
    focus: The work of {key}.
    roles: [ml, data, pm, devops, qa]
    iterations: 2
    epics: [{{key: {key}-epic, title: Epic {key}, description: All of {key}.}}]
    tickets:"""

TICKET = """      - key: {phase}-t{number}
        title: Ticket {number} of {phase}
        epic: {phase}-epic
        role: {role}
        description: Do what has to be done, and write down what came of it.
        done: [It is done, It is written down]
        deliverable: a result
        points: 3
        needs: [{needs}]
        origin: extension"""

RECORD = """    record: {{epic: {key}-epic, author: ml, sign_off: pm, points: 1}}
    exit: {{output: Results., needs: [{last}]}}"""
