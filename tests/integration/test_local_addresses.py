"""A tracker on this machine, which speaks plain http: what is proposed for its address leads to it."""

from __future__ import annotations

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from tests.integration.conftest import Installation

KINDS = {"jira": (("--email", DEMO_EMAIL), DEMO_TOKEN), "trello": (("--key", KEY), TOKEN)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_local_address_without_its_scheme_is_proposed_with_http_and_leads_there(
    installation: Installation, sandbox: SandboxServer, kind: str
) -> None:
    options, token = KINDS[kind]
    bare = sandbox.url.removeprefix("http://")

    refused = installation.ok("connections", "add", kind, "--kind", kind, "--url", bare, *options, stdin=token, code=1)

    assert f"use http://{bare}" in refused.err
    installation.ok("connections", "add", kind, "--kind", kind, "--url", f"http://{bare}", *options, stdin=token)
    installation.ok("connections", "check", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_https_to_a_server_that_speaks_http_says_so(
    installation: Installation, sandbox: SandboxServer, kind: str
) -> None:
    options, token = KINDS[kind]
    bare = sandbox.url.removeprefix("http://")
    installation.ok("connections", "add", kind, "--kind", kind, "--url", f"https://{bare}", *options, stdin=token)

    refused = installation.ok("connections", "check", kind, code=1)

    assert "does not speak https" in refused.out + refused.err
    assert f"use http://{bare}" in refused.out + refused.err


def test_a_workspace_that_is_not_there_is_not_ready(installation: Installation, sandbox: SandboxServer) -> None:
    add = ("connections", "add", "trello", "--kind", "trello", "--url", sandbox.url, "--key", KEY)
    installation.ok(*add, "--workspace", "no-such-workspace", stdin=TOKEN)

    checked = installation.ok("connections", "check", "trello", code=1)

    assert "is in no workspace 'no-such-workspace'" in checked.out
    assert "ready" not in checked.out
