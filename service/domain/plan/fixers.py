"""Who can fix what a finding says, by its code: the same distinction that the errors of trackers make."""

from __future__ import annotations

TRACKER_ADMIN = "an administrator of the tracker's project or site"
CONNECTION_OWNER = "the owner of the connection"
OPERATOR = "whoever runs phaseloop"
PLANNER = "whoever plans the project"
TEAM = "the people of the project"
AUTHORS = "the template's author, the team's owner or an administrator of the tracker"
NOBODY = "nobody needs to"

_BY_CODE = {
    "item-refused": AUTHORS,
    "refused": TRACKER_ADMIN,
    "status-kept": TRACKER_ADMIN,
    "permission": TRACKER_ADMIN,
    "not-kept": TRACKER_ADMIN,
    "not-removed": TRACKER_ADMIN,
    "record-refused": TRACKER_ADMIN,
    "not-a-tracker": CONNECTION_OWNER,
    "unreachable": CONNECTION_OWNER,
    "network-misconfigured": OPERATOR,
    "gave-up": PLANNER,
    "invalid-input": PLANNER,
    "wrong-key": OPERATOR,
    "another-run": NOBODY,
    "project-changed": NOBODY,
    "created-again": NOBODY,
    "double-removed": NOBODY,
    "undocumented": TEAM,
}
_MEANWHILE = "-meanwhile"


def fixer(code: str) -> str:
    """Who can fix it. What people changed meanwhile is theirs to keep, or whoever plans has it restored."""
    return PLANNER if code.endswith(_MEANWHILE) else _BY_CODE.get(code, PLANNER)
