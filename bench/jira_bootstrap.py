"""One bootstrap in Jira three ways: phaseloop, phaseloop where links cannot ride, and one call for each thing.

The lower bound on writes is what Jira's limits allow when every link takes a call:
ceil(E/50) + ceil(N/50) + S + sum over sprints of ceil(n/50) + L. Requests are counted by the sandbox, at the wire.
"""

from __future__ import annotations

import time
from collections import Counter
from math import ceil
from typing import Any

import httpx
from jira import JIRA

from bench.common import Measured, Target, build, measured, sandbox, start_counting, template
from connectors.values import Item, ItemKind
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.domain.plan.plan import Plan

PROJECT = "SCRUM"


def measure(tickets: int, latency: int) -> list[Measured]:
    """Do a bootstrap of that many tickets each way against a fresh sandbox, and count."""
    text = template(tickets)
    with sandbox() as url:
        target = Target("jira", {"url": url, "email": DEMO_EMAIL}, DEMO_TOKEN, PROJECT)
        plan, seconds = build(url, target, text, latency)
        bound = bound_of(plan)
        riding = measured(url, plan, "phaseloop, links ride", latency, seconds, bound)
        httpx.post(f"{url}/sandbox/reset", json={}).raise_for_status()
        body = {"project": PROJECT, "field": "issuelinks", "issueType": "Task", "shown": False}
        httpx.post(f"{url}/sandbox/screens", json=body).raise_for_status()
        _plan, seconds = build(url, target, text, latency)
        plain = measured(url, plan, "phaseloop, links apart", latency, seconds, bound)
        httpx.post(f"{url}/sandbox/reset", json={}).raise_for_status()
        seconds = _obvious(url, plan, latency)
        obvious = measured(url, plan, "the obvious script", latency, seconds, bound)
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


def _obvious(url: str, plan: Plan, latency: int) -> float:
    """What a script does with the plain client, a call for each epic, sprint, ticket, membership and link; seconds."""
    jira = JIRA(url, basic_auth=(DEMO_EMAIL, DEMO_TOKEN))
    start_counting(url, latency)
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
    return time.monotonic() - started


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
