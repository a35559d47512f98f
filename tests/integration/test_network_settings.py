"""What is wrong with this machine's certificates or proxy is told in words, by every command, and nothing is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.network import CA_VARIABLES
from sandbox.testing import SandboxServer
from tests.integration.conftest import TEAM_FILE, Installation
from tests.unit.connectors.relay import authority, relay, tls_server

WRONG = [
    ({"PHASELOOP_CA_BUNDLE": "/nowhere/ca.pem"}, "PHASELOOP_CA_BUNDLE names, /nowhere/ca.pem, is not there"),
    ({"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}, "REQUESTS_CA_BUNDLE names, /nowhere/ca.pem, is not there"),
    ({"ALL_PROXY": "socks5://user:s3cret@proxy.example.com:1080"}, "ALL_PROXY names a SOCKS proxy"),
    ({"HTTPS_PROXY": "http://["}, "The proxy that HTTPS_PROXY names is not a web address"),
]


@pytest.fixture(autouse=True)
def _a_machine_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*CA_VARIABLES, "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(("environment", "words"), WRONG)
def test_a_machine_that_is_set_up_wrongly_is_told_in_words(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    installation = Installation(tmp_path / "home", environment)
    site = ("--url", "https://acme.atlassian.net", "--email", "a@example.com")
    installation.ok("connections", "add", "jira", *site, stdin="t")
    installation.ok("connections", "add", "trello", "--kind", "trello", "--key", "k", stdin="t")
    for name in ("jira", "trello"):
        check = installation.ok("connections", "check", name, code=1)
        plan = installation.run("plan", "ML", "--connection", name, "--create", "--team", TEAM_FILE)
        assert plan.code not in (0, 2)
        for answer in (check, plan):
            told = " ".join((answer.out + answer.err).split())
            assert words in told, told
            assert "defect" not in told
            assert "Traceback" not in told
            assert "s3cret" not in told


@pytest.mark.parametrize(("environment", "words"), WRONG)
def test_this_machine_is_reached_all_the_same(
    tmp_path: Path, sandbox: SandboxServer, environment: dict[str, str], words: str
) -> None:
    installation = Installation(tmp_path / "home", environment)
    installation.connect(sandbox.url)
    assert words not in installation.ok("connections", "check", "jira", "--project", "SCRUM").out


def test_a_company_with_its_own_authority_and_a_proxy_that_asks_for_a_password(tmp_path: Path) -> None:
    own = authority(tmp_path / "ca", "acme.example.com")
    with tls_server(own) as (port, asked), relay(port, credentials="user:s3cret") as proxy:
        environment = {"PHASELOOP_CA_BUNDLE": str(own.bundle), "HTTPS_PROXY": f"http://user:s3cret@{proxy.place}"}
        installation = Installation(tmp_path / "home", environment)
        given = ("--url", "https://acme.example.com", "--key", "k")
        installation.ok("connections", "add", "trello", "--kind", "trello", *given, stdin="t")
        answer = installation.run("connections", "check", "trello")
    assert asked[0].startswith("/1/members/me")
    assert set(proxy.asked) == {"CONNECT acme.example.com:443"}
    assert "s3cret" not in answer.out + answer.err
