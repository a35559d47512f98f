"""Secrets that stand elsewhere: a setting or a stored credential names a variable or a file, and is read there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service.context import Context
from service.domain.problems import InvalidInput
from service.settings import Settings
from service.store_faults import KeyProblem
from service.usecases.hook import secret
from service.usecases.setup import connections
from tests.homes import furnish
from tests.integration.test_keys import opened

SITE = {"url": "https://example.atlassian.net", "email": "lead@example.com"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    furnish(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "jira").write_text("the-first-token\n")
    return tmp_path / "run"


def token_of(context: Context, name: str) -> str:
    return context.vault.open(connections.stored(context, name).secret)


def test_a_credential_in_a_file_is_read_at_each_use_so_that_it_may_change_there(home: Path, folder: Path) -> None:
    with opened(home, sources=str(folder)) as context:
        connections.put(context, "site", "jira", SITE, f"file:{folder / 'jira'}")
        assert token_of(context, "site") == "the-first-token"

        (folder / "jira").write_text("the-second-token")

        assert token_of(context, "site") == "the-second-token"
        assert context.vault.kept(connections.stored(context, "site").secret) == f"file:{folder / 'jira'}"


def test_a_tracker_is_reached_with_the_credential_of_a_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_TOKEN", DEMO_TOKEN)
    with SandboxServer() as sandbox, opened(home, sources="env:JIRA_*") as context:
        connections.put(context, "site", "jira", {"url": sandbox.url, "email": DEMO_EMAIL}, "env:JIRA_TOKEN")

        assert connections.check(context, "site").account is not None

        monkeypatch.setenv("JIRA_TOKEN", "another-token")
        assert [one.code for one in connections.check(context, "site").findings] == ["unreachable"]


@pytest.mark.parametrize(
    ("sources", "reference", "said"),
    [
        ("", "env:JIRA_TOKEN", "PHASELOOP_SECRET_SOURCES allows: it is not set"),
        ("env:TRELLO_*", "env:JIRA_TOKEN", "PHASELOOP_SECRET_SOURCES allows: env:TRELLO_*"),
        ("env:JIRA_*", "env:JIRA_OTHER", "the variable JIRA_OTHER is not set"),
        ("env:*KEY", "env:PHASELOOP_SECRET_KEY", "PHASELOOP_SECRET_SOURCES allows"),
        ("{folder}", "file:/etc/passwd", "PHASELOOP_SECRET_SOURCES allows"),
        ("{folder}", "file:{folder}/../home/key", "PHASELOOP_SECRET_SOURCES allows"),
        ("{folder}", "file:{folder}/link", "PHASELOOP_SECRET_SOURCES allows"),
        ("{folder}", "file:jira", "PHASELOOP_SECRET_SOURCES allows"),
        ("{folder}", "file:{folder}/none", "cannot be read: No such file or directory"),
        ("{folder}", "file:{folder}", "cannot be read: Is a directory"),
        ("{folder}", "file:{folder}/empty", "is empty"),
        ("{folder}", "file:{folder}/long", "longer than 65536 bytes"),
    ],
)
def test_a_reference_leads_only_where_the_operator_allows_and_says_why_not(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, sources: str, reference: str, said: str
) -> None:
    monkeypatch.setenv("JIRA_TOKEN", "x")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "empty").write_text(" \n")
    (folder / "long").write_bytes(b"x" * 70_000)
    with opened(home, sources=sources.format(folder=folder)) as context:
        with pytest.raises(InvalidInput) as told:
            connections.put(context, "site", "jira", SITE, reference.format(folder=folder))
        assert said in str(told.value)
        assert connections.listed(context) == []


def test_a_reference_that_leads_nowhere_any_more_says_so_and_not_what_was_there(home: Path, folder: Path) -> None:
    with opened(home, sources=str(folder)) as context:
        connections.put(context, "site", "jira", SITE, f"file:{folder / 'jira'}")
        (folder / "jira").unlink()

        with pytest.raises(KeyProblem, match=r"cannot be fetched: the file .*jira cannot be read"):
            token_of(context, "site")


def test_the_secret_of_a_webhook_may_stand_elsewhere_and_is_measured_as_what_is_there(home: Path, folder: Path) -> None:
    (folder / "hook").write_text("a-secret-that-is-long-enough")
    (folder / "short").write_text("short")
    with opened(home, sources=str(folder)) as context:
        connections.put(context, "site", "jira", SITE, "a-token")
        whose = secret.owner(context, "site", trigger=False)

        secret.put(context, whose, f"file:{folder / 'hook'}")
        with pytest.raises(InvalidInput, match="16 to 1000 visible characters"):
            secret.put(context, whose, f"file:{folder / 'short'}")

        assert secret.present(context, whose.id) == [None]


# -- settings ------------------------------------------------------------------------------------------------------


def test_a_secret_setting_may_name_a_file_or_a_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB", "postgresql://lead:secret@127.0.0.1/phaseloop")
    monkeypatch.setenv("PHASELOOP_DATABASE_URL", "env:DB")
    monkeypatch.setenv("PHASELOOP_MLFLOW_TOKEN", f"file:{folder / 'jira'}")

    settings = Settings(_env_file=None)

    assert settings.database_url == "postgresql://lead:secret@127.0.0.1/phaseloop"
    assert settings.mlflow_token is not None
    assert settings.mlflow_token.get_secret_value() == "the-first-token"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PHASELOOP_SECRET_KEY", "file:/nowhere/key", "the file /nowhere/key cannot be read"),
        ("PHASELOOP_DATABASE_URL", "env:NOT_THERE", "the variable NOT_THERE is not set"),
        ("PHASELOOP_SECRET_SOURCES", "run/secrets", "neither env: and a name nor the whole path"),
        ("PHASELOOP_SECRET_SOURCES", "env:*", "must name variables, and none of phaseloop's own"),
        ("PHASELOOP_SECRET_SOURCES", "env:PHASELOOP_*", "must name variables, and none of phaseloop's own"),
    ],
)
def test_a_setting_that_leads_nowhere_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=said):
        Settings(_env_file=None)
