"""Examples of the bodies about webhooks."""

from __future__ import annotations

from service.api.examples import Example

_AT = "2026-03-02T09:00:00Z"

EVENT: Example = {
    "id": "evt_4f0d6c2f1c8a7d9be0a35c1d",
    "source": "jira",
    "sender": "jira",
    "name": "jira:issue_updated",
    "state": "done",
    "attempts": 1,
    "round": 1,
    "received_at": _AT,
    "handled_at": _AT,
    "next_at": None,
    "error": "",
    "outcome": [{"what": "records-looked-at", "project": "prj_1f0c9a3b5d7e", "text": "The records are looked at."}],
}
EVENT_SHOWN: Example = {
    **EVENT,
    "delivery": "6f7c4c2e-4a3b-4a55-9a44-0d5a3e1f7b21",
    "payload": {"webhookEvent": "jira:issue_updated", "issue": {"id": "10012", "key": "ML-12"}},
    "firings": [],
}
EVENT_PAGE: Example = {"items": [EVENT], "next": None}
REPLAY: Example = {"state": "failed", "sender": "jira", "since": None}
REPLAYED: Example = {"count": 3}
NEW_SECRET: Example = {"secret": "a-secret-of-your-own-choice", "overlap_hours": 24.0}
HOOK: Example = {
    "connection": "jira",
    "address": "https://phaseloop.example.com/hooks/con_1f0c9a3b5d7e",
    "secrets": [None],
    "registered": [{"id": "1", "of": "", "active": True, "failures": 0}],
    "checked_at": _AT,
    "trouble": "",
    "last_event_at": _AT,
    "waiting": 0,
    "waiting_since": None,
}
_DEFINITION: Example = {
    "name": "alias-champion",
    "source": "mlflow",
    "when": 'event == "model_version_alias.created" && payload.data.alias == "champion"',
    "key": "${payload.data.name}/${payload.data.version}",
    "project": "ML",
    "action": "mark-exit",
    "with": {"phase": "development", "reason": "Version ${payload.data.version} is the champion."},
    "limits": {"once_per_key": True},
}
DEFINITION: Example = {"definition": _DEFINITION}
TRIAL: Example = {
    **DEFINITION,
    "payload": {
        "entity": "model_version_alias",
        "action": "created",
        "data": {"name": "churn", "alias": "champion", "version": "3"},
    },
    "headers": {},
    "event": "",
}
STATE: Example = {"state": "on"}
TRIGGER: Example = {
    "id": "trg_1f0c9a3b5d7e",
    "name": "alias-champion",
    "source": "mlflow",
    "state": "on",
    "failures": 0,
    "message": "",
    "version": 1,
    "address": "https://phaseloop.example.com/hooks/t/alias-champion",
    "secrets": [None],
    "created_by": "ci",
    "created_at": _AT,
    "updated_at": _AT,
    "definition": _DEFINITION,
}
TRIGGER_LIST: Example = {"items": [TRIGGER], "next": None}
TRIED: Example = {
    "trigger": "alias-champion",
    "action": "mark-exit",
    "events": [
        {
            "event": "model_version_alias.created",
            "matches": True,
            "outcome": "done",
            "error": "",
            "why": "",
            "key": "churn/3",
            "project": "ML",
            "with": {"phase": "development", "reason": "Version 3 is the champion."},
            "would": {"text": "Decide for the next advance of ML: next"},
        }
    ],
}
REMOVED: Example = {"id": "trg_1f0c9a3b5d7e"}
HOOK_LIST: Example = {"items": [HOOK], "next": None}
HOOK_CARED: Example = {**HOOK, "findings": [], "steps": []}
