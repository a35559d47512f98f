"""Which scopes a token needs for what this connector does.

They are those of the vendor's documents (`security` and `x-atlassian-oauth2-scopes` of each operation): the classic
ones for Jira itself, where one scope covers much, and for boards and sprints the only ones there are. Pure.
"""

from __future__ import annotations

import re

USERS = "read:jira-user"
READ = "read:jira-work"
WRITE = "write:jira-work"
ADMINISTER = "manage:jira-configuration"
BOARDS = ("read:board-scope:jira-software", "read:project:jira")
BOARD_SETTINGS = ("read:board-scope.admin:jira-software", "read:project:jira")
SPRINTS = "read:sprint:jira-software"
WRITE_SPRINTS = "write:sprint:jira-software"
DELETE_SPRINTS = "delete:sprint:jira-software"
WRITE_BACKLOG = "write:board-scope:jira-software"

_AGILE = (
    ("GET", r"board", BOARDS),
    ("GET", r"board/[^/]+/configuration", BOARD_SETTINGS),
    ("GET", r"board/[^/]+/sprint|sprint/.*", (SPRINTS,)),
    ("POST|PUT", r"sprint.*", (WRITE_SPRINTS,)),
    ("DELETE", r"sprint.*", (DELETE_SPRINTS,)),
    ("POST", r"backlog.*", (WRITE_BACKLOG,)),
)
_PLATFORM = (
    ("GET", r"myself|user/.*", (USERS,)),
    ("POST|DELETE", r"project|project/[^/]+", (ADMINISTER,)),
    ("POST", r"search/jql|issue/bulkfetch|changelog/bulkfetch", (READ,)),
    ("GET", r".*", (READ,)),
    (".*", r".*", (WRITE,)),
)


def needed(method: str, path: str) -> tuple[str, ...]:
    """The scopes that a call of ours needs, all of them; `path` as messages name it (`/rest/api/2/issue/1`)."""
    _, _, rest = path.partition("/rest/")
    family, _, rest = rest.partition("/")
    _, _, rest = rest.partition("/")
    for methods, pattern, scopes in _AGILE if family == "agile" else _PLATFORM:
        if re.fullmatch(methods, method) and re.fullmatch(pattern, rest):
            return scopes
    return ()
