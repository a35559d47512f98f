"""Examples of the bodies about a project's loop, its advances and its history. Tests check each against its schema."""

from __future__ import annotations

from service.api.examples import PLAN, Example

_PROJECT: Example = {"id": "prj_1f0c9a3b5d7e", "key": "ML", "name": "Churn model"}
_BY = "delivery@example.com"
_BROWSE = "https://example.atlassian.net/browse"

REASON: Example = {"reason": "Half the team is at a fair"}
RESUMING: Example = {"catch_up": False}
DECISION: Example = {"move": "back", "phase": "ideation", "reason": "The data does not hold what was promised"}
ANSWERS: Example = {"answers": {"ML-12": "backlog", "*": "next"}}
ADVANCING: Example = {**ANSWERS, "decision": {"move": "stay", "reason": "One more experiment"}, "begins": 3}

FIRING: Example = {
    "kind": "advance",
    "iteration": 3,
    "phase": "ideation",
    "at": "2026-03-30T09:00:00+02:00",
    "run": None,
    "state": None,
}
SCHEDULE: Example = {
    "time_zone": "Europe/Berlin",
    "items": [
        {**FIRING, "kind": "propose", "iteration": 2, "at": "2026-03-27T17:00:00+01:00"},
        FIRING,
    ],
    "next": None,
}
LOOP: Example = {
    "project": _PROJECT,
    "time_zone": "Europe/Berlin",
    "state": "turning",
    "message": "",
    "changed_by": "",
    "current": 2,
    "iterations": 12,
    "phase": "ideation",
    "of_phase": 2,
    "starts": "2026-03-16T08:00:00Z",
    "ends": "2026-03-27T16:00:00Z",
    "loop": 1,
    "turning": {"carry_over": "ask", "ahead": "all", "wip_limit": None},
    "answers": {"ticket:label-data": "backlog"},
    "decision": {
        "move": "stay",
        "phase": None,
        "reason": "One more experiment",
        "by": _BY,
        "at": "2026-03-20T10:12:00+00:00",
    },
    "proposals": [
        {
            "move": "back",
            "phase": "data",
            "reason": "The evaluation e-7 failed.",
            "by": "trigger nightly-evaluation",
            "at": "2026-03-20T04:00:00+00:00",
        }
    ],
    "carried_often": [{"key": "ticket:label-data", "ticket": "ML-12", "title": "Label the data", "times": 3}],
    "run": "advance-prj_1f0c9a3b5d7e-3",
    "run_state": "held",
    "next": {**FIRING, "run": "advance-prj_1f0c9a3b5d7e-3", "state": "held"},
    "next_due": "2026-03-30T07:00:00Z",
    "coming": {"iteration": 3, "first": "2026-03-30"},
    "held": [
        {
            "severity": "error",
            "code": "tracker-refused",
            "subject": "iteration:3",
            "message": 'The sprint "Ideation 3" cannot begin: "Fixes" is active on the board.',
            "fix": "Complete it, or have an administrator of Jira allow parallel sprints.",
        }
    ],
    "feed": "/feeds/feed_Wq3nB0sY7mXr5uJd1kTzVh8pLc2e9GaF.ics",
}

PREVIEW: Example = {
    **{name: value for name, value in PLAN.items() if name not in {"id", "created_at", "run"}},
    "purpose": "advance",
    "serial": 4,
    "turnover": {
        "closes": 2,
        "begins": 3,
        "move": "stay",
        "title": "Ideation 3",
        "phase": "ideation",
        "loop": 1,
        "of_phase": 3,
        "first": "2026-03-30",
        "last": "2026-04-12",
        "starts": "2026-03-30T09:00:00+02:00",
        "ends": "2026-04-10T17:00:00+02:00",
        "carried": [
            {
                "key": "ticket:label-data",
                "title": "Label the data",
                "policy": "next",
                "to": 3,
                "times": 1,
                "decided_by": "policy",
                "person": "ML engineer 1",
                "points": 5.0,
            }
        ],
        "lacking": ["Label the data"],
        "decision": None,
    },
}


def _sum(tickets: int, points: float) -> Example:
    return {"tickets": tickets, "points": points}


FLOW: Example = {
    "iteration": 2,
    "key": "iteration:2",
    "todo": _sum(6, 18.0),
    "doing": _sum(7, 21.0),
    "done": _sum(3, 8.0),
    "wip_limit": 6,
    "findings": [
        {
            "severity": "warning",
            "code": "wip-limit-exceeded",
            "subject": "iteration:2",
            "message": "7 tickets of iteration 2 are in progress at once; the limit is 6.",
            "fix": "Finish some before others are begun, or raise wip_limit.",
        }
    ],
}
_TALLY: Example = {
    "planned": _sum(2, 8.0),
    "added": _sum(0, 0.0),
    "done": _sum(1, 3.0),
    "carried": _sum(1, 5.0),
    "backlog": _sum(0, 0.0),
    "left": _sum(0, 0.0),
    "removed": _sum(0, 0.0),
}
_CYCLE: Example = {"tickets": 1, "median": 30.5, "p85": 30.5}
_DONE: Example = {
    "key": "ticket:set-goals",
    "title": "Set goals",
    "remote_id": "10011",
    "remote_key": "ML-11",
    "url": f"{_BROWSE}/ML-11",
    "role": "data",
    "person": "Scientist One",
    "points": 3.0,
    "status": "done",
    "outcome": "done",
    "planned": True,
    "times": 0,
    "created": "2026-03-02T08:00:00+00:00",
    "started": "2026-03-03T09:00:00+00:00",
    "done": "2026-03-04T15:30:00+00:00",
}
_CARRIED: Example = {
    **_DONE,
    "key": "ticket:label-data",
    "title": "Label the data",
    "remote_id": "10012",
    "remote_key": "ML-12",
    "url": f"{_BROWSE}/ML-12",
    "points": 5.0,
    "status": "doing",
    "outcome": "carried",
    "times": 1,
    "done": None,
}
HISTORY: Example = {
    "project": _PROJECT,
    "iterations": [
        {
            "number": 1,
            "phase": "ideation",
            "loop": 1,
            "of_phase": 1,
            "title": "Ideation 1",
            "first": "2026-03-02",
            "last": "2026-03-15",
            "starts": "2026-03-02T08:00:00+00:00",
            "ends": "2026-03-13T16:00:00+00:00",
            "began_at": "2026-03-02T08:00:02+00:00",
            "began_by": "advance-prj_1f0c9a3b5d7e-1",
            "closed_at": "2026-03-16T08:00:05+00:00",
            "closed_by": "advance-prj_1f0c9a3b5d7e-2",
            "figures": {"all": _TALLY, "by_role": {"data": _TALLY}, "cycle": _CYCLE},
            "tickets": [_DONE, _CARRIED],
            "findings": [],
        }
    ],
    "cycle": _CYCLE,
    "events": [
        {
            "id": 1,
            "name": "began:1",
            "kind": "began",
            "iteration": 1,
            "text": "Iteration 1 of ML began.",
            "data": {},
            "by": "clock",
            "run": "advance-prj_1f0c9a3b5d7e-1",
            "at": "2026-03-02T08:00:02+00:00",
        }
    ],
}

_FIGURES = ("planned", "added", "done", "carried", "backlog", "left", "removed")
_HEADINGS = ",".join(f"{name}_tickets,{name}_points" for name in _FIGURES)
_NUMBERS = "2,8,0,0,1,3,1,5,0,0,0,0,0,0"
HISTORY_CSV = (
    f"iteration,title,phase,loop,of_phase,first,last,starts,ends,began_at,closed_at,{_HEADINGS},"
    "cycle_tickets,cycle_median_hours,cycle_p85_hours,findings\r\n"
    "1,Ideation 1,ideation,1,1,2026-03-02,2026-03-15,2026-03-02T09:00:00+01:00,2026-03-13T17:00:00+01:00,"
    f"2026-03-02T09:00:02+01:00,2026-03-16T09:00:05+01:00,{_NUMBERS},1,30.5,30.5,\r\n"
)
ROLES_CSV = (
    f"iteration,title,phase,loop,of_phase,first,last,role,{_HEADINGS}\r\n"
    f"1,Ideation 1,ideation,1,1,2026-03-02,2026-03-15,data,{_NUMBERS}\r\n"
)
TICKETS_CSV = (
    "iteration,key,ticket,url,title,role,person,points,status,outcome,planned,times,created,started,done,cycle_hours\r\n"
    f"1,ticket:set-goals,ML-11,{_BROWSE}/ML-11,Set goals,data,Scientist One,3,done,done,yes,0,"
    "2026-03-02T09:00:00+01:00,2026-03-03T10:00:00+01:00,2026-03-04T16:30:00+01:00,30.5\r\n"
)
FEED = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//phaseloop//calendar feed//EN\r\nEND:VCALENDAR\r\n"
