"""What the benchmarks share: a template of any size, a sandbox of their own, one bootstrap with phaseloop."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.values import ItemKind
from sandbox.server import free_port
from service.context import Context, open_context
from service.domain.plan.plan import Plan
from service.domain.team.team import Team
from service.runs.engine import Engine
from service.settings import Settings
from service.templates import TemplateText
from service.usecases.loop.advances import Advancing
from service.usecases.plan import planning
from service.usecases.run import plan_apply, run_views
from service.usecases.setup import connections, projects, teams

SIZES = (44, 200, 500)
PHASES = 4
ITERATIONS = 8
PEOPLE = {"ml": "ml-1", "data": "data-1", "pm": "pm-1", "devops": "devops-1", "qa": "qa-1"}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way of doing it took. `latency` is injected, in milliseconds a call; `bound` is the lower bound on
    writes, `refused` how many answers were 429, `pace` the seconds that the vendor's rate limit alone costs."""

    how: str
    tickets: int
    links: int
    latency: int
    writes: int
    reads: int
    bound: int
    seconds: float
    refused: int = 0
    pace: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Target:
    """Where phaseloop builds: the kind of tracker, its settings and secret, the project's key, whether to create it."""

    kind: str
    settings: Mapping[str, Any]
    secret: str
    key: str
    create: bool = False


def build(url: str, target: Target, text: TemplateText, latency: int) -> tuple[Plan, float]:
    """Bootstrap the template with phaseloop, counting at the wire; the plan and the seconds it took."""
    with tempfile.TemporaryDirectory(prefix="phaseloop-bench-") as home:
        context = open_context(Settings(home=Path(home), database_url=None, secret_key=None))
        try:
            project = _project(context, target, text)
            start_counting(url, latency)
            started = time.monotonic()
            row = planning.make_plan(context, project)
            with Engine(context, Advancing()) as engine:
                run = plan_apply.apply(context, row.id, "bench", engine.start)
                found = run_views.progress(context, run.id)
                while not found.ended:
                    time.sleep(0.02)
                    found = run_views.progress(context, run.id)
                seconds = time.monotonic() - started
            if found.run.state != "completed":
                raise SystemExit(f"the run ended {found.run.state}: {found.run.findings}")
            return planning.plan_of(row), seconds
        finally:
            context.close()


def _project(context: Context, target: Target, text: TemplateText) -> str:
    connections.put(context, target.kind, target.kind, target.settings, target.secret)
    members = tuple(
        {"person": handle, "email": f"{handle}@example.com", "roles": (role,)} for role, handle in PEOPLE.items()
    )
    teams.put(context, Team.model_validate({"name": "bench", "members": members}))
    request = projects.Request(
        name="Bench",
        key=target.key,
        connection=target.kind,
        team="bench",
        template=text,
        parameters={},
        time_zone="UTC",
        create=target.create,
    )
    return projects.put(context, request).id


def start_counting(url: str, latency: int) -> None:
    """Inject a latency and forget what was counted so far."""
    httpx.post(f"{url}/sandbox/latency", json={"milliseconds": latency}).raise_for_status()
    httpx.delete(f"{url}/sandbox/requests").raise_for_status()


def counted(url: str) -> dict[str, Any]:
    """What was counted at the wire; the injected latency ends."""
    httpx.delete(f"{url}/sandbox/latency").raise_for_status()
    counts: dict[str, Any] = httpx.get(f"{url}/sandbox/requests").raise_for_status().json()["counts"]
    return counts


def measured(url: str, plan: Plan, how: str, latency: int, seconds: float, bound: int, pace: float = 0.0) -> Measured:
    """What was counted, beside the bound."""
    counts = counted(url)
    kinds = Counter(item.kind for item in plan.items)
    return Measured(
        how=how,
        tickets=kinds[ItemKind.TICKET],
        links=kinds[ItemKind.LINK],
        latency=latency,
        writes=counts["writes"],
        reads=counts["reads"],
        bound=bound,
        seconds=round(seconds, 2),
        refused=counts["byStatus"].get("429", 0),
        pace=pace,
    )


@contextmanager
def sandbox() -> Iterator[str]:
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
        done: [Part {number} of {phase} is done, Part {number} of {phase} is written down]
        deliverable: a result
        points: 3
        needs: [{needs}]
        origin: extension"""

RECORD = """    record: {{epic: {key}-epic, author: ml, sign_off: pm, points: 1}}
    exit: {{output: Results., needs: [{last}]}}"""
