"""Small templates and teams for tests; each test states only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from service.domain.plan.blueprint import Blueprint, blueprint
from service.domain.team.calendar import Calendar
from service.domain.team.team import Team, team_from_json
from service.domain.template.parameters import settle
from service.domain.template.template import ParameterValue, Template

MONDAY = date(2026, 3, 16)


def role(title: str, **fields: Any) -> dict[str, Any]:
    return {"title": title, "core": True, "responsibility": "Work.", "skills": ["Skill"], **fields}


def ticket(key: str, points: int = 3, needs: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {
        "key": key,
        "title": f"Do {key}",
        "epic": "work",
        "role": "ml",
        "description": f"How to do {key}.",
        "done": [f"{key} is done"],
        "deliverable": f"the {key}",
        "points": points,
        "needs": list(needs),
        **fields,
    }


def phase(*tickets: dict[str, Any], key: str = "build", epic: str = "work", **fields: Any) -> dict[str, Any]:
    return {
        "key": key,
        "title": f"{key.capitalize()} things",
        "short": key.capitalize()[:12],
        "focus": f"{key.capitalize()} for {{{{ project.name }}}}. Then more.",
        "roles": ["ml", "data", "pm"],
        "iterations": 1,
        "epics": [{"key": epic, "title": f"Epic {epic}", "description": f"About {epic}."}],
        "tickets": [{**one, "epic": epic} for one in tickets],
        "record": {"epic": epic, "author": "ml", "sign_off": "pm", "points": 2},
        "exit": {"output": "a thing that works", "needs": [tickets[-1]["key"]]},
        **fields,
    }


def template(*phases: dict[str, Any], **fields: Any) -> Template:
    """A template of the given phases: roles ml, data, pm, qa and the scaling role feature, which falls back to ml."""
    value = {
        "format": "phaseloop/v1",
        "kind": "template",
        "name": "sample",
        "version": "1.0.0",
        "title": "Sample",
        "description": "A sample.",
        "parameters": {
            "method": {"type": "choice", "description": "How.", "default": "scrum", "choices": ["scrum", "kanban"]},
            "scale": {"type": "choice", "description": "Size.", "default": "small", "choices": ["small", "growing"]},
            "start_date": {"type": "date", "description": "When.", "default": "today"},
            "turns": {"type": "integer", "description": "Turns.", "default": 2, "minimum": 1, "maximum": 26},
        },
        "roles": {
            "ml": role("ML Engineer"),
            "data": role("Data Engineer"),
            "pm": role("Product Manager"),
            "qa": role("QA Engineer"),
            "feature": role("Feature Specialist", core=False, fallback="ml", when={"scale": "growing"}),
        },
        "cadence": {
            "iteration_days": 14,
            "start_date": "{{ start_date }}",
            "iteration_name": "{{ project.key }} {{ phase.short }} {{ iteration.number }}",
        },
        "ceremonies": {
            "title": "Meetings of iteration {{ iteration.number }}",
            "description": "Tick what was held.",
            "role": "pm",
            "events": [
                {"key": "planning", "title": "Planning", "at": "start", "minutes": 90, "purpose": "The goal is clear."},
                {
                    "key": "stand-up",
                    "title": "Stand-up",
                    "at": "daily",
                    "minutes": 15,
                    "purpose": "Nobody is stuck.",
                    "roles": ["ml", "feature"],
                },
            ],
        },
        "record": {
            "title": "Record of iteration {{ iteration.number }}",
            "description": "What was learnt in {{ phase.title }}.",
            "done": ["Every section is filled in"],
            "sections": [
                {"key": "goal", "title": "Goal", "prompt": "What was it?\nWhy?"},
                {"key": "risks", "title": "Risks", "prompt": "Which?"},
            ],
            "grace_working_days": 2,
        },
        "phases": list(phases) or [phase(ticket("plan"), ticket("make", needs=("plan",)))],
    }
    return Template.model_validate(value | fields)


def settled(process: Template, **given: object) -> dict[str, ParameterValue]:
    return settle(process, given, MONDAY)


def draw(process: Template, *, calendar: Calendar | None = None, **given: object) -> Blueprint:
    return blueprint(process, settled(process, **given), "Churn", "ML", calendar or Calendar())


def person(name: str, *roles: str, **fields: Any) -> dict[str, Any]:
    return {"person": name, "email": f"{name}@example.com", "roles": list(roles), **fields}


def team(*members: Mapping[str, Any]) -> Team:
    return team_from_json({"name": "T", "members": [dict(member) for member in members]})


def build_and_run(*, points: int, turns: int | str) -> Template:
    """Two iterations of building, whose last ticket has so many points; then so many of a recurring phase."""
    return template(
        phase(ticket("plan", 3), ticket("make", 5, ("plan",)), ticket("test", points, ("make",)), iterations=2),
        phase(
            ticket("watch", needs=("test",)),
            ticket("fix", needs=("watch",)),
            key="run",
            epic="ops",
            recurring=True,
            iterations=turns,
        ),
    )
