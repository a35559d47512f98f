"""A connection is removed with its credential, unless somebody needs it; what was built with it stays to be read."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import select

from sandbox.testing import SandboxServer
from service.context import open_context
from service.settings import Settings
from service.store.tables import REMOVED, ConnectionRow
from tests.integration.conftest import SMALL, TEAM_FILE, Installation

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE)


def kept(installation: Installation) -> list[tuple[str, bool]]:
    """The kinds of connections in the store, and whether their credential is gone."""
    settings = Settings(_env_file=None, home=installation.home, database_url=None, secret_key=None)
    with closing(open_context(settings)) as context, context.database.session() as session:
        return [(row.kind, row.secret == REMOVED) for row in session.scalars(select(ConnectionRow))]


def test_a_connection_that_nothing_uses_goes_without_a_trace(here: Installation) -> None:
    said = here.ok("connections", "remove", "jira").out

    assert "Removed the connection jira, with its credential." in said
    assert here.ok("connections", "list", "--json").json == []
    assert kept(here) == []
    assert here.ok("connections", "remove", "jira", code=1).err.startswith("Error: There is no connection")
    assert "connection" in here.ok("log", "list").out


@pytest.mark.parametrize("applied", [False, True])
def test_projects_that_need_it_are_named(here: Installation, *, applied: bool) -> None:
    here.ok(*NEW, code=2)
    if applied:
        here.ok("apply", "ML")

    refused = here.ok("connections", "remove", "jira", code=1).err

    assert "The connection 'jira' is used by ML." in refused
    assert "phaseloop projects remove PROJECT" in refused
    assert [one["name"] for one in here.ok("connections", "list", "--json").json] == ["jira"]


def test_a_trigger_that_names_it_is_named(here: Installation) -> None:
    file = here.home / "opened.yaml"
    file.write_text(
        "name: opened\nsource: jira\nconnection: jira\nproject: ML\naction: notify\nwith: {text: Look at it.}\n"
    )
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    here.ok("triggers", "add", file)
    here.ok("projects", "remove", "ML", "--yes")

    assert "is used by the trigger opened" in here.ok("connections", "remove", "jira", code=1).err


def test_an_ended_project_stays_to_be_read_and_the_name_is_free(here: Installation, sandbox: SandboxServer) -> None:
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    here.ok("projects", "remove", "ML", "--yes")

    here.ok("connections", "remove", "jira")

    assert kept(here) == [("jira", True)]
    assert here.ok("connections", "list", "--json").json == []
    [project] = here.ok("projects", "list", "--json").json
    for command in (("status", project["id"]), ("history", project["id"]), ("projects", "show", project["id"])):
        here.ok(*command)
    here.ok("runs", "list")
    here.connect(sandbox.url)
    assert [one["name"] for one in here.ok("connections", "list", "--json").json] == ["jira"]
    here.ok("connections", "check", "jira")
