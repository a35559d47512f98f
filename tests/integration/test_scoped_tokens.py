"""Tokens with scopes and service accounts work with the site's ordinary address, and what they lack is named."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import SMALL, TEAM_FILE, Controls, Installation, plain_client

EMAIL, TOKEN = "demo@example.com", "token-with-scopes"
JIRA = ["read:jira-user", "read:jira-work", "write:jira-work"]
AGILE = [
    "read:board-scope:jira-software",
    "read:board-scope.admin:jira-software",
    "read:project:jira",
    "read:sprint:jira-software",
    "write:sprint:jira-software",
    "delete:sprint:jira-software",
    "write:board-scope:jira-software",
]


def give(sandbox: SandboxServer, scopes: list[str], token: str = TOKEN) -> None:
    body = {"user": EMAIL, "token": token, "scopes": scopes}
    plain.post(f"{sandbox.url}/sandbox/tokens", json=body).raise_for_status()


def asked(sandbox: SandboxServer) -> list[tuple[str, str]]:
    log = plain.get(f"{sandbox.url}/sandbox/requests").json()["requests"]
    return [(one["method"], one["path"]) for one in log]


def settings_of(installation: Installation) -> dict[str, Any]:
    return dict(installation.ok("connections", "list", "--json").json[0]["settings"])


def gateway_of(sandbox: SandboxServer) -> str:
    return f"{sandbox.url}/ex/jira/{sandbox.site.data.cloud_id}"


def test_a_token_with_scopes_works_with_the_sites_address_and_where_it_works_is_remembered(
    installation: Installation, sandbox: SandboxServer
) -> None:
    give(sandbox, [*JIRA, *AGILE, "manage:jira-configuration"])
    installation.connect(sandbox.url, token=TOKEN, email=EMAIL)

    answer = installation.ok("connections", "check", "jira", "--json").json[0]

    assert answer["account"]["email"] == EMAIL
    assert [one["code"] for one in answer["findings"]] == ["scopes-for-writing"]
    assert settings_of(installation)["api_url"] == gateway_of(sandbox)
    assert settings_of(installation)["url"] == sandbox.url
    plain.delete(f"{sandbox.url}/sandbox/requests")
    installation.ok("connections", "check", "jira")
    assert {path.startswith("/ex/jira/") for _, path in asked(sandbox)} == {True}


PLAN = ("plan", "SCRUM", "--connection", "jira", "--template", SMALL, "--team", TEAM_FILE)


def test_everything_is_built_by_way_of_the_gateway_and_links_stay_on_the_site(
    installation: Installation, sandbox: SandboxServer
) -> None:
    give(sandbox, [*JIRA, *AGILE])
    installation.connect(sandbox.url, token=TOKEN, email=EMAIL)

    installation.ok(*PLAN, code=2)
    installation.ok("apply", "SCRUM")
    shown = installation.ok("status", "SCRUM", "--json").out

    at_the_site = [path for _, path in asked(sandbox) if path.startswith("/rest/")]
    assert f"{sandbox.url}/" in shown
    assert "/ex/jira/" not in shown
    assert set(at_the_site) <= {"/rest/api/2/project/SCRUM", "/rest/api/2/myself"}
    jira = plain_client(sandbox.url)
    assert jira.search_issues("project = SCRUM")
    assert jira.sprints(1)
    jira.close()


@pytest.mark.parametrize(
    ("left_out", "code", "named"),
    [
        (["read:jira-user"], "scope-missing", "for Jira: read:jira-user."),
        (["read:jira-work"], "scope-missing", "for Jira: read:jira-work."),
        (
            ["read:sprint:jira-software", "read:board-scope.admin:jira-software"],
            "agile-scope-missing",
            "for boards and sprints: read:board-scope.admin:jira-software, read:project:jira, read:sprint",
        ),
        (
            ["read:board-scope:jira-software"],
            "agile-scope-missing",
            "for boards and sprints: read:board-scope:jira-software, read:project:jira.",
        ),
    ],
)
def test_a_check_names_the_scopes_that_are_missing_those_for_boards_apart(
    installation: Installation, sandbox: SandboxServer, left_out: list[str], code: str, named: str
) -> None:
    give(sandbox, [scope for scope in [*JIRA, *AGILE] if scope not in left_out])
    installation.connect(sandbox.url, token=TOKEN, email=EMAIL)

    outcome = installation.ok("connections", "check", "jira", "--project", "SCRUM", "--json", code=1)

    errors = [one for one in outcome.json[0]["findings"] if one["severity"] == "error"]
    assert [one["code"] for one in errors] == [code]
    assert named in errors[0]["message"]
    assert "make a new one" in errors[0]["fix"]
    assert {method for method, _ in asked(sandbox)} == {"GET"}


def test_both_kinds_of_missing_scopes_are_two_findings_and_what_only_a_write_tells_is_said(
    installation: Installation, sandbox: SandboxServer
) -> None:
    give(sandbox, ["read:jira-user"])
    installation.connect(sandbox.url, token=TOKEN, email=EMAIL)

    found = installation.ok("connections", "check", "jira", "--json", code=1).json[0]["findings"]

    codes = [(one["severity"], one["code"]) for one in found]
    assert codes == [
        ("error", "scope-missing"),
        ("error", "agile-scope-missing"),
        ("info", "scope-missing"),
        ("info", "scopes-for-writing"),
    ]
    assert "write:jira-work" in found[-1]["message"]
    assert "write:sprint:jira-software" in found[-1]["message"]


def test_a_run_that_lacks_a_scope_stops_with_its_name_and_another_token_does_the_rest(
    installation: Installation, sandbox: SandboxServer
) -> None:
    give(sandbox, [scope for scope in [*JIRA, *AGILE] if scope != "write:sprint:jira-software"])
    installation.connect(sandbox.url, token=TOKEN, email=EMAIL)
    installation.ok(*PLAN, code=2)

    outcome = installation.run("apply", "SCRUM")
    assert outcome.code != 0
    assert "write:sprint:jira-software" in outcome.out + outcome.err

    give(sandbox, [*JIRA, *AGILE], token="another-with-scopes")
    installation.connect(sandbox.url, token="another-with-scopes", email=EMAIL)
    assert "api_url" not in settings_of(installation)
    installation.ok("plan", "SCRUM", code=2)
    installation.ok("apply", "SCRUM")
    assert settings_of(installation)["api_url"] == gateway_of(sandbox)


def test_a_token_that_is_known_nowhere_says_that_both_were_asked(
    installation: Installation, sandbox: SandboxServer
) -> None:
    installation.connect(sandbox.url, token="known-nowhere", email=EMAIL)

    answer = installation.ok("connections", "check", "jira", "--json", code=1)

    (finding,) = answer.json[0]["findings"]
    assert "does not accept the connection's e-mail and API token" in finding["message"]
    assert "where tokens with scopes work, does not accept it either" in finding["message"]
    assert "known-nowhere" not in answer.out


def test_a_check_of_trello_sends_nothing_that_could_be_taken_for_a_write(
    installation: Installation, sandbox: SandboxServer, controls: Controls
) -> None:
    given = ("--url", sandbox.url, "--key", "sandbox-key")
    for name, token in (("full", "sandbox-token"), ("reading", "readonly-token")):
        installation.ok("connections", "add", name, "--kind", "trello", *given, stdin=token)
        for more in ((), ("--project", "Demo board"), ("--project", "New board", "--create")):
            answer = installation.ok("connections", "check", name, *more)
            assert "Only a write tells" in answer.out
            assert token not in answer.out + answer.err
    sandbox.trello.data.tokens.pop("readonly-token")
    assert "Only a write tells" not in installation.ok("connections", "check", "full").out
    assert {method for method, _ in asked(sandbox)} == {"GET"}
    assert controls.writes() == 0
