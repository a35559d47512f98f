"""Examples of every body, as the OpenAPI document shows them. Tests check each against its schema."""

from __future__ import annotations

from typing import Any

Example = dict[str, Any]

_AT = "2026-03-02T09:00:00Z"
_LATER = "2026-03-02T09:00:04Z"
_DIGEST = "4f0d6c2f1c8a7d9be0a35c1d2b7e6f90814263c5d7e8f9a0b1c2d3e4f5061728"
_SITE = "https://example.atlassian.net"

ALIVE: Example = {"status": "ok"}

PROBLEM: Example = {
    "type": "urn:phaseloop:problem:invalid-input",
    "title": "The input is not right",
    "status": 422,
    "detail": "/parameters/iteration_days: 3 is out of range.",
    "instance": "urn:phaseloop:request:req_5d3f0c7a9b1e2468",
    "errors": [
        {
            "pointer": "/parameters/iteration_days",
            "detail": "3 is out of range",
            "fix": "give a whole number from 5 to 60",
        }
    ],
}

_TEMPLATE_ENTRY: Example = {
    "name": "iterative-ml",
    "version": "1.0.0",
    "title": "Iterative machine learning",
    "digest": _DIGEST,
}
TEMPLATE_LIST: Example = {"items": [_TEMPLATE_ENTRY], "next": None}
TEMPLATE: Example = {
    **_TEMPLATE_ENTRY,
    "description": "For a team that brings a model from the first idea into production and keeps improving it there.",
    "source": None,
    "tickets": 2,
    "parameters": [
        {
            "name": "iteration_days",
            "type": "integer",
            "description": "Calendar days from the start of one iteration to the start of the next",
            "default": 14,
            "minimum": 5,
            "maximum": 60,
        }
    ],
    "roles": [
        {
            "key": "data",
            "title": "Data",
            "core": True,
            "responsibility": "Experiments, and what they say.",
            "fallback": None,
        }
    ],
    "phases": [
        {
            "key": "ideation",
            "title": "Ideation",
            "focus": "Find out what to predict, and from which data.",
            "iterations": 1,
            "recurring": False,
            "roles": ["data"],
            "epics": 1,
            "tickets": 2,
        }
    ],
}
TEMPLATE_DOCUMENT: Example = {"format": "phaseloop/v1", "kind": "template", "name": "ours", "version": "1.0.0"}
"""The beginning of one; whole, it is explained by the template format's own reference and JSON Schema."""
TEMPLATE_TEXT: Example = {
    "text": "format: phaseloop/v1\nkind: template\nname: ours\nversion: 1.0.0\n",
    "source": "ours.yaml",
}
TEMPLATE_VERDICT: Example = {**_TEMPLATE_ENTRY, "valid": True, "tickets": 2, "warnings": []}

CONNECTION_SETTINGS: Example = {
    "kind": "jira",
    "settings": {"url": _SITE, "email": "delivery@example.com"},
    "secret": "the-api-token",
}
NEW_CONNECTION: Example = {"name": "jira", **CONNECTION_SETTINGS}
CONNECTION: Example = {
    "id": "con_1f0c9a3b5d7e",
    "name": "jira",
    "kind": "jira",
    "settings": {"url": _SITE, "email": "delivery@example.com", "allow_http": False},
    "created_at": _AT,
}
CONNECTION_LIST: Example = {"items": [CONNECTION], "next": None}
_MAPPED_IN_PLAN: Example = {
    "role": "ticket-type",
    "id": "10002",
    "name": "Task",
    "found": "convention",
    "how": "by convention: by its name",
}
MAPPED: Example = {
    "role": "link-type",
    "purpose": "what a ticket reads that waits for another",
    "id": "10100:outward",
    "name": "depends on",
    "found": "set",
    "how": "set by ci",
    "set_by": "ci",
    "candidates": [
        {"id": "10000:inward", "name": "is blocked by", "note": "Blocks; the other ticket reads 'blocks'"},
        {"id": "10100:outward", "name": "depends on", "note": "Dependency; the other ticket reads 'is needed by'"},
    ],
    "special": ["none"],
}
MAPPING: Example = {
    "connection": "jira",
    "project": "ML",
    "project_id": "10010",
    "version": 2,
    "roles": [MAPPED],
    "findings": [],
}
MAPPING_SET: Example = {"roles": {"link-type": "depends on", "priority-low": "none"}}
CHECK_REQUEST: Example = {"project_key": "ML", "create": False}
PREFLIGHT: Example = {
    "connection": "jira",
    "ok": False,
    "account": {"id": "5b10ac8d82e05b22cc7d4ef5", "name": "Delivery", "email": "delivery@example.com"},
    "project": {
        "key": "ML",
        "url": f"{_SITE}/browse/ML",
        "board_url": f"{_SITE}/jira/software/projects/ML/boards/1",
        "iterations": True,
        "points": True,
        "links": True,
    },
    "findings": [
        {
            "severity": "error",
            "code": "permission-missing",
            "subject": "ML",
            "message": "The account lacks the permission Manage sprints in ML.",
            "fix": "An administrator of ML grants it in the project's permissions.",
        }
    ],
}

TEAM: Example = {
    "name": "ml-team",
    "time_zone": "Europe/Berlin",
    "members": [
        {"person": "Scientist One", "email": "ml-1@example.com", "roles": ["data"], "capacity": 13},
        {
            "person": "Engineer One",
            "email": "ml-2@example.com",
            "roles": ["ml"],
            "absences": [{"from": "2026-03-09", "to": "2026-03-13"}],
        },
    ],
}
TEAM_CSV = """\
person,email,roles,capacity,absences
Scientist One,ml-1@example.com,data,13,
Engineer One,ml-2@example.com,ml,,2026-03-09..2026-03-13
"""
_TEAM_ENTRY: Example = {
    "id": "tem_1f0c9a3b5d7e",
    "name": "ml-team",
    "version": 1,
    "people": 2,
    "updated_at": _AT,
}
TEAM_LIST: Example = {"items": [_TEAM_ENTRY], "next": None}
TEAM_SHOWN: Example = {**_TEAM_ENTRY, "team": TEAM}

_TURNS: Example = {
    "calendar": {
        "holidays": {"country": "DE", "subdivision": "BY"},
        "freezes": [{"from": "2026-12-21", "to": "2027-01-03", "reason": "Turn of the year"}],
    },
    "carry_over": "ask",
    "ahead": "all",
    "wip_limit": 6,
    "audit": {"gate": "block", "grace_working_days": 1},
}
NEW_PROJECT: Example = {
    "name": "Churn model",
    "key": "ML",
    "connection": "jira",
    "team": "ml-team",
    "template": "iterative-ml",
    "parameters": {"iteration_days": 14, "start_date": "2026-03-02"},
    "time_zone": "Europe/Berlin",
    "create": False,
    **_TURNS,
}
PROJECT_CHANGES: Example = {"team": "ml-team", "parameters": {"scale": "growing"}, "wip_limit": 8}
_PROJECT_ENTRY: Example = {
    "id": "prj_1f0c9a3b5d7e",
    "name": "Churn model",
    "key": "ML",
    "url": f"{_SITE}/browse/ML",
    "connection": "con_1f0c9a3b5d7e",
    "team": "tem_1f0c9a3b5d7e",
    "template": _DIGEST,
    "parameters": {"iteration_days": 14, "start_date": "2026-03-02"},
    "time_zone": "Europe/Berlin",
    "create": False,
    "planned": False,
    **_TURNS,
    "serial": 2,
    "created_at": _AT,
    "ended_at": None,
}
PROJECT_PAGE: Example = {"items": [_PROJECT_ENTRY], "next": None}
PROJECT: Example = {
    **_PROJECT_ENTRY,
    "team_name": "ml-team",
    "template_title": "iterative-ml 1.0.0",
    "counts": {"epic": 2, "iteration": 3, "ticket": 31},
    "vacancies": [
        {"key": "ticket:label-data", "ticket": "ML-12", "title": "Label the data", "url": f"{_SITE}/browse/ML-12"}
    ],
    "refused": 0,
}
ITEM_PAGE: Example = {
    "items": [
        {
            "key": "ticket:label-data",
            "kind": "ticket",
            "state": "made",
            "title": "Label the data",
            "remote_key": "ML-12",
            "url": f"{_SITE}/browse/ML-12",
            "problems": [],
            "updated_at": _LATER,
        }
    ],
    "next": "dGlja2V0OmxhYmVsLWRhdGE",
}

PLAN: Example = {
    "id": "pln_1f0c9a3b5d7e",
    "created_at": _AT,
    "made_by": "ml-1@example.com",
    "expires_at": "2026-03-03T09:00:00Z",
    "run": None,
    "format_version": "1.7",
    "purpose": "apply",
    "undoes": None,
    "project": "prj_1f0c9a3b5d7e",
    "serial": 0,
    "tracker_project": "ML",
    "creates_project": False,
    "template": "iterative-ml 1.0.0",
    "turnover": None,
    "settings": [{"field": "parameters.iteration_days", "before": 14, "after": 21}],
    "summary": {"create": 1, "update": 0, "adopt": 0, "keep": 0, "forget": 0, "delete": 0},
    "blocked": False,
    "changes": [
        {
            "key": "epic:data",
            "kind": "epic",
            "title": "Data",
            "reason": "new",
            "note": "",
            "change": {
                "action": "create",
                "changed": [],
                "before": None,
                "after": {"title": "Data", "text": "Find and judge the data.", "labels": ["phaseloop-1f0c9a3b5d7e"]},
            },
        }
    ],
    "drift": [],
    "vacancies": [
        {
            "key": "ticket:label-data",
            "title": "Label the data",
            "role": "data",
            "reason": "nobody holds the role data",
        }
    ],
    "findings": [],
    "mapping": [_MAPPED_IN_PLAN],
    "people": {"712020:1f0c9a3b-5d7e": "ML engineer 1"},
    "estimate": {"reads": 3, "writes": 1, "seconds": 0.8},
    "requests": {"reads": 16, "writes": 0},
}
NEW_REMOVAL_PLAN: Example = {"undo": True}
NEW_PLAN: Example = {
    "restore": ["ticket:label-data", "ML-12"],
    "adopt": {},
    "settings": {"parameters": {"iteration_days": 21}},
}
DRIFT: Example = {
    "project": "prj_1f0c9a3b5d7e",
    "tracker_project": "ML",
    "drift": [
        {
            "key": "ticket:label-data",
            "kind": "ticket",
            "title": "Label the data",
            "field": "title",
            "recorded": "Label the data",
            "observed": "Label the images",
        }
    ],
    "summary": {"create": 0, "update": 0, "adopt": 0, "keep": 36, "forget": 0, "delete": 0},
    "blocked": False,
    "findings": [],
    "people": {"712020:1f0c9a3b-5d7e": "ML engineer 1"},
    "requests": {"reads": 16, "writes": 0},
}
_RUN_ENTRY: Example = {
    "id": "apply-pln_1f0c9a3b5d7e",
    "kind": "apply",
    "state": "running",
    "project": "prj_1f0c9a3b5d7e",
    "plan": "pln_1f0c9a3b5d7e",
    "iteration": None,
    "started_by": "ci",
    "created_at": _AT,
    "started_at": _AT,
    "finished_at": None,
    "message": "",
}
RUN: Example = {
    **_RUN_ENTRY,
    "attempt": 1,
    "undone": False,
    "continues": None,
    "continued_by": None,
    "cancel_requested_at": None,
    "cancelled_by": None,
    "cleaned_at": None,
    "waiting_until": None,
    "tracker": "Jira",
    "progress": {
        "steps": 9,
        "done": 4,
        "items": 36,
        "written": 20,
        "removals": 0,
        "removed": 0,
        "changes": 0,
        "seconds_left": 2.5,
    },
    "requests": {"reads": 3, "writes": 5},
    "findings": [],
    "url": f"{_SITE}/browse/ML",
}
ENDED_RUN: Example = {
    **RUN,
    "state": "completed",
    "finished_at": _LATER,
    "progress": {**RUN["progress"], "done": 9, "written": 36, "seconds_left": None},
}
RUN_PAGE: Example = {"items": [_RUN_ENTRY], "next": None}
STEP: Example = {
    "id": 41,
    "number": 1,
    "title": "Create 2 epics",
    "state": "go",
    "message": "",
    "requests": {"reads": 1, "writes": 1},
    "started_at": _AT,
    "finished_at": _LATER,
}
STEP_LIST: Example = {"items": [STEP], "next": None}
