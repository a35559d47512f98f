"""Which home folder a command works in: it is said where nothing is found, and only what keeps something makes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service import __version__
from tests.integration.conftest import SMALL, TEAM_FILE, Installation

LOOKING = (
    *(("status",), ("projects", "list"), ("connections", "list"), ("connections", "check"), ("teams", "list")),
    *(("runs", "list"), ("schedule", "next"), ("events", "list"), ("triggers", "list"), ("tokens", "list")),
    *(("people", "list"), ("sessions", "list"), ("log", "list"), ("audit", "report"), ("templates", "list")),
    *(("config",), ("--version",), ("status", "ML"), ("apply", "ML"), ("history", "ML"), ("undo", "apply-pln_1")),
    *(
        ("plan", "ML", "--team", TEAM_FILE, "--template", SMALL, "--create"),
        ("hooks", "list"),
        ("projects", "show", "ML"),
    ),
)


@pytest.mark.parametrize("command", LOOKING, ids=lambda command: " ".join(str(word) for word in command[:2]))
def test_a_command_that_keeps_nothing_makes_no_home(command: tuple[object, ...], installation: Installation) -> None:
    answer = installation.run(*command)

    assert answer.code in (0, 1), answer.out + answer.err
    assert "bug in phaseloop" not in answer.err
    assert not installation.home.exists()


@pytest.mark.parametrize(
    "command",
    [
        *(("status",), ("status", "ML"), ("projects", "list"), ("runs", "list"), ("apply", "ML")),
        *(("connections", "list"), ("teams", "show", "Nobody"), ("plan", "ML", "--team", TEAM_FILE)),
    ],
    ids=lambda command: " ".join(str(word) for word in command[:2]),
)
def test_where_nothing_is_found_it_is_said_where_it_was_looked_for(
    command: tuple[object, ...], installation: Installation
) -> None:
    answer = installation.run(*command)

    assert f"The home folder is {installation.home} (PHASELOOP_HOME), where nothing is kept yet." in (
        answer.out + answer.err
    )


def test_a_home_with_something_in_it_is_named_where_a_project_is_not_found(installation: Installation) -> None:
    installation.furnish()

    assert f"The home folder is {installation.home} (PHASELOOP_HOME)." in installation.ok("status", "ML", code=1).err


def test_version_and_config_say_which_home_it_is_and_why(installation: Installation, tmp_path: Path) -> None:
    version = installation.ok("--version").out.splitlines()
    assert version == [f"phaseloop {__version__}", f"home {installation.home} (PHASELOOP_HOME, nothing in it yet)"]

    other = tmp_path / "other"
    assert f"home {other} (--home, nothing in it yet)" in installation.ok("--home", other, "--version").out
    found = {one["name"]: one for one in installation.ok("--home", other, "config", "--json").json}
    assert found["PHASELOOP_HOME"] == {"name": "PHASELOOP_HOME", "value": str(other), "from": "--home"}
    assert found["PHASELOOP_PORT"]["from"] == "default"


def test_config_shows_no_secret(installation: Installation) -> None:
    installation.extra = {
        "PHASELOOP_MLFLOW_TOKEN": "a-token-of-mlflow",
        "PHASELOOP_DATABASE_URL": "postgresql://somebody:a-password@db.example.com/phaseloop",
    }

    shown = installation.ok("config").out + installation.ok("config", "--json").out

    assert "a-token-of-mlflow" not in shown
    assert "a-password" not in shown
    assert "db.example.com" in shown


def test_the_first_connection_makes_the_home_and_its_key(installation: Installation, sandbox: SandboxServer) -> None:
    installation.ok(*("connections", "add", "jira", "--url", sandbox.url, "--email", DEMO_EMAIL), stdin=DEMO_TOKEN)

    assert {file.name for file in installation.home.iterdir()} >= {"phaseloop.db", "key"}


def test_a_command_that_is_proposed_names_the_home_that_was_given(tmp_path: Path, sandbox: SandboxServer) -> None:
    elsewhere = Installation(tmp_path / "not this one")
    given = ("--home", tmp_path / "a home")
    added = elsewhere.ok(
        *(*given, "connections", "add", "jira", "--url", sandbox.url, "--email", DEMO_EMAIL), stdin=DEMO_TOKEN
    )
    assert f"phaseloop --home '{tmp_path}/a home' connections check jira" in added.out

    planned = elsewhere.ok(*given, "plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, code=2)
    assert f"Apply it with: phaseloop --home '{tmp_path}/a home' apply pln_" in planned.out
    assert not elsewhere.home.exists()
