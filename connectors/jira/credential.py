"""What a connection's token may do, as far as reading tells: the scopes that it lacks, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.errors import CredentialsRefused, NotATracker, TrackerRefused
from connectors.jira import scopes
from connectors.jira.client import AGILE, JiraClient
from connectors.jira.failures import ScopeMissing
from connectors.values import Finding, Severity

_MAKE = (
    "A token's scopes cannot be changed: make a new one at https://id.atlassian.com/manage-profile/security/api-tokens"
    " (or for the service account at https://admin.atlassian.com) with these scopes, and store it in the connection."
)
_NOBODY = 0
"""The number of no board and no sprint: asking for it tells the scope, and is 404 where there is one."""


def missing(client: JiraClient) -> list[Finding]:
    """The scopes that the token lacks for reading, those for boards and sprints apart; and those for writing, which
    only a write would tell. Nothing for a token without scopes. Six requests, none of which writes."""
    if not client.at_gateway:
        return []
    jira = _lacking((scopes.USERS,), lambda: client.get("myself"), (scopes.READ,), lambda: client.get("issueLinkType"))
    agile = _lacking(
        scopes.BOARDS,
        lambda: client.get("board", {"maxResults": 1}, base=AGILE),
        scopes.BOARD_SETTINGS,
        lambda: client.get(f"board/{_NOBODY}/configuration", base=AGILE),
        (scopes.SPRINTS,),
        lambda: client.get(f"sprint/{_NOBODY}", base=AGILE),
    )
    admin = _lacking((scopes.ADMINISTER,), lambda: client.get("statuses/search", {"maxResults": 1}))
    return list(_told(client.host, jira, agile, admin))


def _lacking(*asked: Any) -> list[str]:
    """The scopes for want of which a read was refused. `asked` are scopes and the read that needs them, in turn."""
    found: list[str] = []
    for needs, read in zip(asked[::2], asked[1::2], strict=True):
        if _is_refused(read):
            found += [scope for scope in needs if scope not in found]
    return found


def _is_refused(read: Callable[[], object]) -> bool:
    try:
        read()
    except ScopeMissing:
        return True
    except CredentialsRefused:
        raise
    except (TrackerRefused, NotATracker):
        return False  # understood, and refused for another reason: no such board, no right to it
    return False


def _told(host: str, jira: list[str], agile: list[str], admin: list[str]) -> Iterator[Finding]:
    if jira:
        yield Finding(
            Severity.ERROR, "scope-missing", f"The token lacks scopes for Jira: {', '.join(jira)}.", _MAKE, host
        )
    if agile:
        yield Finding(
            Severity.ERROR,
            "agile-scope-missing",
            f"The token lacks scopes for boards and sprints: {', '.join(agile)}.",
            f"Among the scopes these are listed under Jira Software, apart from those of Jira. {_MAKE}",
            host,
        )
    if admin:
        yield Finding(
            Severity.INFO,
            "scope-missing",
            f"The token lacks {', '.join(admin)}: with it phaseloop could create a project and remove one.",
            f"Build on projects that exist, or: {_MAKE}",
            host,
        )
    agile_writes = ", ".join((scopes.WRITE_SPRINTS, scopes.DELETE_SPRINTS, scopes.WRITE_BACKLOG))
    yield Finding(
        Severity.INFO,
        "scopes-for-writing",
        f"Only a write tells whether the token has the scopes for it. Jira: {scopes.WRITE}. Boards and sprints:"
        f" {agile_writes}.",
        "Compare them with the token's page; a run that lacks one stops before it wrote that, and names it.",
        host,
    )
