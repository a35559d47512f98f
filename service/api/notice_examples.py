"""Examples of the bodies about receivers and messages."""

from __future__ import annotations

from service.api.examples import Example

_AT = "2026-03-02T09:00:00Z"
_CREDENTIAL = "xoxb-0123456789-abcdefghijkl"
_SETTINGS: Example = {"url": "https://slack.com/api", "allow_http": False}

SUBSCRIPTION: Example = {"channel": "C0123456789", "projects": ["ML"], "kinds": ["iteration-started", "run-failed"]}
NEW_RECEIVER: Example = {
    "name": "slack",
    "kind": "slack",
    "settings": {},
    "secret": _CREDENTIAL,
    "subscriptions": [SUBSCRIPTION],
}
RECEIVER_CHANGE: Example = {"settings": None, "secret": None, "subscriptions": [SUBSCRIPTION], "paused": None}
SUBSCRIBED: Example = {
    "project": "prj_1f0c9a3b5d7e",
    "key": "ML",
    "kinds": ["iteration-started", "run-failed"],
    "channel": "C0123456789",
}
UNSUBSCRIBED: Example = {"channel": "ana@example.com", "kind": "run-failed"}
RECEIVER: Example = {
    "id": "rcv_1f0c9a3b5d7e",
    "name": "slack",
    "kind": "slack",
    "settings": _SETTINGS,
    "subscriptions": [SUBSCRIBED],
    "messages": {"waiting": 0, "sending": 0, "in-doubt": 0, "sent": 12, "failed": 0, "skipped": 0},
    "trouble": "",
    "paused": "",
    "unsubscribed": [],
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
RECEIVER_LIST: Example = {"items": [RECEIVER], "next": None}
TRIED: Example = {
    "receiver": "slack",
    "account": "phaseloop in Example",
    "ok": True,
    "posted": ["C0123456789"],
    "problems": [],
}
HOURS_ASKED: Example = {"quiet_from": "20:00", "quiet_to": "07:00", "days_off": True, "stand_up": "09:30"}
HOURS: Example = {"project": "ML", "time_zone": "Europe/Paris", **HOURS_ASKED, "quiet_until": None}
DELIVERY: Example = {
    "id": "dlv_1f0c9a3b5d7e",
    "receiver": "slack",
    "project": "ML",
    "channel": "C0123456789",
    "kind": "iteration-started",
    "iteration": 2,
    "notices": 1,
    "state": "sent",
    "attempts": 1,
    "next_at": None,
    "asked_at": _AT,
    "error": "",
    "posted": "1772442000.000100",
    "thread": "",
    "created_at": _AT,
    "ended_at": _AT,
}
DELIVERY_PAGE: Example = {"items": [DELIVERY], "next": None}
REPLAY: Example = {"state": "failed", "receiver": "slack", "project": None}
PREVIEW: Example = {
    "kind": "message",
    "project": "ML",
    "real": True,
    "receiver_kind": "slack",
    "body": {
        "text": "Something happened: ML",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Something happened: ML*", "verbatim": True}}
        ],
    },
}
